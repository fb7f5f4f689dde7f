"""What a SOURCE on the command line means: files, folders, globs, standard input, films, cameras, streams."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gafas.imaging import SUFFIXES

STDIN = "-"

FILM_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2v", ".ts", ".mts", ".m2ts"}
    | {".wmv", ".asf", ".flv", ".3gp", ".3g2", ".ogv", ".mxf", ".vob", ".dv", ".mjpeg", ".y4m"}
)
"""File endings, lower case, that name a film."""

STREAM_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "srt", "udp", "tcp"})
"""What a stream's address may begin with."""

FilmKind = Literal["file", "camera", "stream"]
_PLACE_END = re.compile(r"[/?#]")
_CAMERA = re.compile(r"(?:/dev/video)?[0-9]{1,3}")


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


@dataclass(frozen=True, slots=True)
class FilmSource:
    """A film, camera or stream.

    Attributes
    ----------
    source : Source
        As it is reported; a stream's without user name and password.
    kind : {"file", "camera", "stream"}
    address : str
        What it is opened by.
    """

    source: Source
    kind: FilmKind
    address: str


def film_kind(word: str) -> FilmKind | None:
    """Say what kind of moving pictures a word means; ``None`` where it means images. The file's ending decides.

    A number is a camera, unless a file or folder of that name exists.
    """
    if _CAMERA.fullmatch(word) and (word.startswith("/") or not os.path.exists(word)):  # noqa: PTH110
        return "camera"
    scheme, separator, _ = word.partition("://")
    if separator and scheme.lower() in STREAM_SCHEMES:
        return "stream"
    named = Path(word).suffix.lower() in FILM_SUFFIXES
    return "file" if named and not os.path.isdir(word) else None  # noqa: PTH112


def find_films(words: Iterable[str]) -> Iterator[FilmSource]:
    """Expand words that `film_kind` knows, in order; a glob to the files that match it."""
    for word in words:
        kind = film_kind(word) or "file"
        if kind == "file":
            yield from (FilmSource(source, kind, source.path) for source in find_sources([word]))
        elif kind == "stream":
            yield FilmSource(Source(hide_password(word), "stream.mp4"), kind, word)
        else:
            number = word.removeprefix("/dev/video")
            yield FilmSource(Source(word, f"camera-{number}.mp4"), kind, word)


def hide_password(address: str) -> str:
    """Return a stream's address without user name and password: rows and error messages are passed on."""
    # Not urlsplit, which raises for what is no address: it is named in the message that says so.
    scheme, separator, rest = address.partition("://")
    place = _PLACE_END.split(rest, maxsplit=1)[0]
    return scheme + separator + rest[place.rfind("@") + 1 :]


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
        yield Source(str(path), path.relative_to(folder).as_posix(), _problem_of(str(path)))
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
    matches = sorted(_glob(pattern))
    files = [match for match in matches if not Path(match).is_dir()]
    if not files:
        yield Source(pattern, pattern, f"{pattern}: no file matches")
    for match in files:
        yield Source(match, Path(match).name, _problem_of(match))


def _problem_of(path: str) -> str | None:
    # Whoever names a pipe wants it read; one that is only found may keep its reader waiting for ever.
    if not os.path.exists(path) or os.path.isfile(path):  # noqa: PTH110, PTH113
        return None
    return f"{path}: is a pipe or a device; expected a file, or its own name as a source"


def _glob(pattern: str) -> set[str]:
    """Match a pattern; ``**`` stands for folders to the bottom and, as a search, follows no links to folders."""
    parts = Path(pattern).parts
    if "**" not in parts:
        return set(glob.glob(pattern))  # noqa: PTH207  # the pattern may be absolute
    place = parts.index("**")
    # The module's own ** follows links: each picture beside a loop is found 41 times, and two loops never end.
    heads = _glob(str(Path(*parts[:place]))) if place else {"."}
    tail = parts[place + 1 :] or ("*",)
    found: set[str] = set()
    for head in heads:
        for parent, folders, _ in os.walk(head):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found |= _glob(str(Path(glob.escape(parent), *tail)))
    return found
