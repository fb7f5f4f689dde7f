"""A drawn data set in the form of the CMU Face Images: for tests, documents and trying gafas offline.

It never passes for photographs: its root holds ``SYNTHETIC.txt``, its persons are called
``synth01`` and so on, and its name says so in every output. The same parameters give the same files.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from platformdirs import user_cache_path

from gafas.datasets.cmu import EXPRESSIONS, EYES, POSES
from gafas.datasets.drawing import Grey, draw_face, glitch, make_person
from gafas.datasets.drawing_head import Person, Shot
from gafas.datasets.marker import MARKER, PERSON
from gafas.errors import UsageError
from gafas.files import write_folder_beside

VERSION = 1
"""Of the drawing; part of the cache's key, so count it up when a picture changes."""

SIZE = (120, 128)
PERSONS = 20

BAD_SHARE = 16 / 640
"""How many photographs are spoilt: as many as in the CMU Face Images."""

CLEAR_SHARE = 7 / 20
"""How many persons wear clear glasses where they wear no sunglasses: as in the CMU Face Images."""

Progress = Callable[[int, int], None]
"""Called with the number of photographs done and the number of photographs in all."""


def draw_synthetic(
    root: Path,
    *,
    persons: int = PERSONS,
    seed: int = 0,
    size: tuple[int, int] = SIZE,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Draw a data set: 32 photographs per person at three sizes, and a few spoilt ones.

    Parameters
    ----------
    root : Path
        The folder to make; it appears when everything is drawn.
    persons : int
        From 1 to 99; 20 take some seconds.
    seed : int
        From 0 up.
    size : (int, int)
        Height and width of the full-size pictures in pixels, at least 16; the others are a half
        and a quarter of it.
    overwrite : bool
        Replace a folder that exists.
    progress : callable, optional
        Called with the numbers of photographs done and in all.

    Returns
    -------
    Path
        `root`.

    Raises
    ------
    UsageError
        A parameter out of its range.
    OutputError
        `root` exists and `overwrite` is false, or it cannot be written.
    """
    if not 1 <= persons <= 99:
        raise UsageError(f"persons: expected 1 to 99, got {persons}")
    if seed < 0:
        raise UsageError(f"seed: expected 0 or more, got {seed}")
    if min(size) < 16:
        raise UsageError(f"size: expected at least 16 pixels each way, got {size[0]}×{size[1]}")
    people = _people(persons, seed)
    shots = [Shot(p, e, eyes == "sunglasses") for p, e, eyes in itertools.product(POSES, EXPRESSIONS, EYES)]
    total = persons * len(shots)
    n_bad = max(1, round(BAD_SHARE * total))
    spoilt = set(np.random.default_rng([seed, 1]).choice(total, n_bad, replace=False).tolist())
    with write_folder_beside(root, overwrite=overwrite) as folder:
        for number, ((index, person), shot) in enumerate(itertools.product(enumerate(people), shots)):
            _draw_one(folder, index, person, shot, (seed, number), size, bad=number in spoilt)
            if progress:
                progress(number + 1, total)
        (folder / MARKER).write_text(
            "drawn by gafas, not photographs\n"
            f"version={VERSION} persons={persons} seed={seed} height={size[0]} width={size[1]}\n",
            encoding="utf-8",
        )
    return root


def cached_synthetic(*, persons: int = PERSONS, seed: int = 0, progress: Progress | None = None) -> Path:
    """Return the drawn data set in the user's cache; draw it when it is not there.

    Raises
    ------
    OutputError
        The cache cannot be written.
    """
    root = user_cache_path("gafas") / "data" / f"synthetic-v{VERSION}-persons{persons}-seed{seed}"
    # The folder appears whole or not at all: its marker is proof enough.
    if (root / MARKER).is_file():
        return root
    return draw_synthetic(root, persons=persons, seed=seed, overwrite=True, progress=progress)


def _people(persons: int, seed: int) -> list[Person]:
    rng = np.random.default_rng([seed, 0])
    wearers = set(rng.permutation(persons)[: max(1, round(CLEAR_SHARE * persons))].tolist())
    return [make_person(rng, clear_glasses=index in wearers) for index in range(persons)]


def _draw_one(
    folder: Path,
    index: int,
    person: Person,
    shot: Shot,
    key: tuple[int, int],
    size: tuple[int, int],
    *,
    bad: bool,
) -> None:
    # A generator of its own for each photograph: one more draw in one leaves the others alone.
    rng = np.random.default_rng([key[0], 2, key[1]])
    drawn = draw_face(person, shot, rng)
    name = PERSON.format(index + 1)
    eyes = "sunglasses" if shot.sunglasses else "open"
    stem = folder / name / f"{name}_{shot.pose}_{shot.expression}_{eyes}"
    stem.parent.mkdir(exist_ok=True)
    maximum = int(rng.integers(119, 160))
    if bad:
        _write_pgm(stem.with_suffix(".bad"), glitch(_shrink(drawn, size), rng), maximum, ascii_form=True)
        return
    _write_pgm(stem.with_suffix(".pgm"), _shrink(drawn, size), maximum, ascii_form=True)
    for scale in (2, 4):
        small = _shrink(drawn, (size[0] // scale, size[1] // scale))
        _write_pgm(stem.with_name(f"{stem.name}_{scale}.pgm"), small, maximum, ascii_form=False)


def _shrink(image: Grey, size: tuple[int, int]) -> Grey:
    return np.asarray(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BOX))


def _write_pgm(path: Path, image: Grey, maximum: int, *, ascii_form: bool) -> None:
    """Write as the CMU files are: a maximum grey value below 255, ASCII (P2) or binary (P5)."""
    values = (image.astype(np.uint16) * maximum + 127) // 255
    header = f"{'P2' if ascii_form else 'P5'}\n{image.shape[1]} {image.shape[0]}\n{maximum}\n"
    if ascii_form:
        rows = "\n".join(" ".join(map(str, row)) for row in values.tolist())
        path.write_bytes(f"{header}{rows}\n".encode())
    else:
        path.write_bytes(header.encode() + values.astype(np.uint8).tobytes())
