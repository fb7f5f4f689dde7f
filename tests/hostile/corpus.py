"""The corpus: a folder of hostile and damaged images, the same for the same seed, and the list of what is in it."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.hostile.crafted import make_crafted
from tests.hostile.damage import DAMAGES
from tests.hostile.seeds import encoded, make_seeds, picture

ENDINGS = ("jpg", "png", "webp", "gif", "bmp", "tif", "ppm", "pgm", "pbm", "avif", "mpo", "jpeg")

NAMES = (
    *("-rf.jpg", "--output.png", "=1+1.png", "@SUM(A1).png", "a,b;c.png", 'quo"te.png', "line\nfeed.png", "tab\t.png"),
    *("\x1b[31mred\x1b[0m.png", "bell\x07.png", "\u202egnp.exe.png", "e\u0301.png", "\U0001f576.png", "%s%n%x.png"),
    *("{0}{path}.png", "*.png", "[a-z].png", "?.png", "~.png", "$HOME.png", "`id`.png", "nul.png", "CON.png", " .png"),
    *("a.png.exe.png", "UPPER.PNG", "x" * 251 + ".png", "back\\slash.png", "[bold]markup[/bold].png", "#.png"),
    *(os.fsdecode(b"latin-\xe9.png"), os.fsdecode(b"\xff\xfe\xfd.png"), "http:..x.png", "film.mp4.png", "0.png"),
)
"""Names of whole pictures that a program may stumble over."""


@dataclass(slots=True)
class Corpus:
    """What was made.

    Attributes
    ----------
    paths : list of str
        Every path for which there must be a row.
    kinds, formats : Counter
        How many of each kind of damage, and of each format.
    """

    folder: Path
    paths: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, form: str, name: str, data: bytes | None) -> Path:
        """Write one file; without `data` only count what the caller writes."""
        path = self.folder / kind.replace(" ", "-") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is not None:
            path.write_bytes(data)
        self.paths.append(str(path))
        self.kinds[kind] += 1
        self.formats[form] += 1
        return path


def make_corpus(folder: Path, *, count: int, seed: int, crafted: bool = True) -> Corpus:
    """Write a corpus of `count` files; without `crafted` none of those that are large or take long."""
    rng = np.random.default_rng(seed)
    corpus = Corpus(folder)
    if crafted:
        for kind, name, data in make_crafted(rng):
            corpus.add(kind, "crafted " + name.rpartition(".")[2], name, data)
    _add_names(corpus, rng)
    _add_specials(corpus)
    seeds = make_seeds(rng)
    for turn in range(count - len(corpus.paths)):
        good = seeds[turn % len(seeds)]
        # Each seed meets every kind of damage in turn, and each kind its next block, bit or number.
        kind = tuple(DAMAGES)[turn // len(seeds) % len(DAMAGES)]
        data = DAMAGES[kind](good.data, rng, turn // len(seeds) // len(DAMAGES) * 5 + turn % len(seeds) % 5)
        ending = ENDINGS[int(rng.integers(len(ENDINGS)))]
        corpus.add(kind, good.kind, f"{turn:05}-{good.kind.lower()}.{ending}", data)
    return corpus


def make_ordinary(folder: Path, *, count: int = 64, seed: int = 0) -> None:
    """Write ordinary pictures of 640×480 pixels, by which the memory is judged."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(encoded(picture(rng, "RGB", (640, 480)), "JPEG"))


def _add_names(corpus: Corpus, rng: np.random.Generator) -> None:
    data = encoded(picture(rng), "PNG")
    for name in NAMES:
        corpus.add("name", "PNG", name, data)
    corpus.add("name", "PNG", "/".join(["deep"] * 200 + ["a.png"]), data)
    corpus.add("name", "PNG", "folder.png/inside.png", data)


def _add_specials(corpus: Corpus) -> None:
    """What is no file, or has a size without content."""
    for signature, ending in (
        *((b"", "jpg"), (b"\xff\xd8\xff\xe0", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF89a\4\0\4\0\0\0\0", "gif")),
        *((b"II*\0\x08\0\0\0", "tif"), (b"P5 4 4 255\n", "pgm"), (b"RIFF\0\0\0\x80WEBPVP8L", "webp"), (b"BM", "bmp")),
        (b"\0\0\0\x1cftypavif", "avif"),
    ):
        sparse = corpus.add("special", "sparse", f"3-gigabytes-{len(signature)}.{ending}", signature)
        with sparse.open("r+b") as file:
            file.truncate(3 * 2**30)
    corpus.add("special", "nothing", "empty.png", b"")
    os.mkfifo(corpus.add("special", "pipe", "pipe.jpg", None))
    for name, target in (
        ("zero.png", "/dev/zero"),
        ("loop.png", "loop.png"),
        ("gone.png", "gone"),
        ("text.png", "/etc/passwd"),
    ):
        corpus.add("special", "link", name, None).symlink_to(target)
