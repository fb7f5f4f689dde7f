"""What a SOURCE on the command line means: files, folders, globs, standard input."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gafas.imaging import SUFFIXES

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One image to read, or the reason why there is none.

    Attributes
    ----------
    path : str
        As it is reported; ``-`` for standard input.
    relative : str
        Path below the folder that was searched, else the file's name: where a copy belongs.
    problem : str or None
        Set when the source is not a file that could be tried at all.
    """

    path: str
    relative: str
    problem: str | None = None


def find_sources(words: Iterable[str]) -> Iterator[Source]:
    """Expand words to images, in order; folders are searched to the bottom, sorted by name.

    Nothing is lost: a word that leads to no image gives one `Source` with a `problem`.
    """
    for word in words:
        yield from _expand(word)


def _expand(word: str) -> Iterator[Source]:
    path = Path(word)
    if word == STDIN:
        yield Source(STDIN, "stdin")
    elif path.is_dir():
        yield from _search(path)
    elif path.exists():
        yield Source(word, path.name)
    elif glob.has_magic(word):
        yield from _match(word)
    else:
        yield Source(word, path.name, f"{word}: no such file or folder")


def _search(folder: Path) -> Iterator[Source]:
    found = False
    for path in _walk(folder):
        found = True
        yield Source(str(path), path.relative_to(folder).as_posix())
    if not found:
        endings = " ".join(sorted(SUFFIXES))
        yield Source(str(folder), folder.name, f"{folder}: the folder holds no images ({endings})")


def _walk(folder: Path) -> Iterator[Path]:
    # Path.rglob does not follow links to folders, so a loop of links cannot trap it.
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.is_dir():
            yield path


def _match(pattern: str) -> Iterator[Source]:
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # the pattern may be absolute
    if not matches:
        yield Source(pattern, pattern, f"{pattern}: no file matches")
    for match in matches:
        if not Path(match).is_dir():
            yield Source(match, Path(match).name)
