"""What a SOURCE on the command line means: files, folders, globs, standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
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

    Hidden files and folders are left out of a search, and links to folders are not followed.
    Nothing else is lost: a word that leads to no image, and a folder that cannot be read, gives one `Source` with
    a `problem`.
    """
    for word in words:
        yield from _expand(word)


def _expand(word: str) -> Iterator[Source]:
    path = Path(word)
    if word == STDIN:
        yield Source(STDIN, "stdin")
    # Unlike their pathlib twins these two never raise, not even for a name that is too long.
    elif os.path.isdir(word):  # noqa: PTH112
        yield from _search(path)
    elif os.path.exists(word):  # noqa: PTH110
        yield Source(word, path.name)
    elif glob.has_magic(word):
        yield from _match(word)
    else:
        yield Source(word, path.name, f"{word}: no such file or folder")


def _search(folder: Path) -> Iterator[Source]:
    problems: list[Source] = []

    def keep(error: OSError) -> None:
        problems.append(Source(str(error.filename), folder.name, f"{error.filename}: cannot be read: {error.strerror}"))

    found = sorted(_walk(folder, keep))
    for path in found:
        yield Source(str(path), path.relative_to(folder).as_posix())
    yield from problems
    if not found and not problems:
        endings = " ".join(sorted(SUFFIXES))
        yield Source(str(folder), folder.name, f"{folder}: the folder holds no images ({endings})")


def _walk(folder: Path, on_error: Callable[[OSError], None]) -> Iterator[Path]:
    # os.walk does not follow links to folders, so a loop of links cannot trap it.
    for parent, folders, names in os.walk(folder, onerror=on_error):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(parent, name)


def _match(pattern: str) -> Iterator[Source]:
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # the pattern may be absolute
    files = [match for match in matches if not Path(match).is_dir()]
    if not files:
        yield Source(pattern, pattern, f"{pattern}: no file matches")
    for match in files:
        yield Source(match, Path(match).name)
