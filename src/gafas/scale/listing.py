"""Sources to blocks: files, folders, globs, manifests, Parquet with images and tar shards, here or at an address."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from gafas.errors import DataError, UsageError
from gafas.imaging import SUFFIXES
from gafas.runtime.sources import STDIN, Source, find_sources
from gafas.scale.blocks import BLOCK_SIZE, Block, Item
from gafas.scale.manifests import read_csv
from gafas.scale.parquet import parquet_blocks
from gafas.scale.places import Place, address_of, find_place, is_address, need_arrow

TARS = (".tar", ".tar.gz", ".tgz")
SHARDS = (*TARS, ".parquet")
MANIFESTS = (".csv", ".tsv")


def list_blocks(words: Sequence[str], *, block_size: int = BLOCK_SIZE, column: str | None = None) -> list[Block]:
    """Expand sources and cut them into blocks: always the same ones for the same sources.

    Parameters
    ----------
    words : sequence of str
        Image files, folders and globs, as for `gafas.runtime.sources.find_sources`, and addresses of such; ``.csv``
        manifests, ``.parquet`` files with paths or bytes, ``.tar`` shards. A folder without images may hold shards.
    block_size : int
        Images of a block. A tar shard is always one block.
    column : str or None
        Of manifests and Parquet files; ``None`` looks for a usual one.

    Raises
    ------
    UsageError
        Standard input, a manifest without such a column, an address of an unknown kind.
    DataError
        A manifest, a Parquet file or an address that cannot be read; or not a single image.
    """
    blocks: list[Block] = []
    files: list[Item] = []

    def flush() -> None:
        if files:
            blocks.append(Block(number=len(blocks), kind="files", items=tuple(files)))
            files.clear()

    for found in _expand_all(words, column):
        if isinstance(found, Item):
            files.append(found)
            if len(files) == block_size:
                flush()
            continue
        flush()
        if found.path.lower().endswith(TARS):
            blocks.append(Block(number=len(blocks), kind="tar", items=(_shard(found),), size=_size(found)))
        else:
            size, number = _size(found), len(blocks)
            blocks += parquet_blocks(
                found, _shard(found), number=number, size=size, block_size=block_size, column=column
            )
    flush()
    if not blocks:
        raise DataError(f"{', '.join(words)}: expected at least one image, got none")
    return blocks


def _expand_all(words: Iterable[str], column: str | None) -> Iterator[Item | Place]:
    for word in words:
        if word == STDIN:
            raise UsageError("-: an image on standard input is no source for a job; leave out the options of jobs")
        for found in _expand_address(word) if is_address(word) else _expand_local(word):
            if isinstance(found, Place) and found.path.lower().endswith(MANIFESTS):
                yield from read_csv(found, column)
            else:
                yield found


def _expand_local(word: str) -> Iterator[Item | Place]:
    # As in gafas.runtime.sources: these never raise, not even for a name that is too long.
    if word.lower().endswith((*SHARDS, *MANIFESTS)) and os.path.isfile(word):  # noqa: PTH113
        yield Place("", word)
    elif glob.has_magic(word) and not os.path.exists(word):  # noqa: PTH110
        for source in find_sources([word]):
            if source.problem is None and source.path.lower().endswith((*SHARDS, *MANIFESTS)):
                yield Place("", source.path)
            else:
                yield _item(source)
    else:
        items = [_item(source) for source in find_sources([word])]
        shards: list[str] = []
        if os.path.isdir(word) and all(item.problem for item in items):  # noqa: PTH112
            shards = [path for path in _files_below(Place("", word)) if path.lower().endswith(SHARDS)]
        yield from map(partial(Place, ""), shards) if shards else items


def _expand_address(word: str) -> Iterator[Item | Place]:
    place = find_place(word)
    if glob.has_magic(place.path):
        matches = _match(place)
        if not matches:
            yield Item(place.shown, word, f"{place.shown}: no file matches")
        yield from (_as_source(match) for match in matches)
        return
    info = _info(place)
    if info.is_file:
        yield _as_source(place)
        return
    names = _search(place) if info.type == need_arrow().fs.FileType.Directory else []
    images = [name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    for name in images or [name for name in names if name.lower().endswith(SHARDS)]:
        yield _as_source(place.at(name))
    if info.type == need_arrow().fs.FileType.NotFound:
        yield Item(place.shown, word, f"{place.shown}: no such file or folder")
    elif not names:
        yield Item(place.shown, word, f"{place.shown}: the folder holds no images and no shards")


def _as_source(place: Place) -> Item | Place:
    if place.path.lower().endswith((*SHARDS, *MANIFESTS)):
        return place
    return _shard(place)


def _item(source: Source) -> Item:
    return Item(source.path, address_of(Place("", source.path)), source.problem)


def _shard(place: Place) -> Item:
    return Item(place.shown, address_of(place))


def _info(place: Place) -> Any:
    try:
        return place.filesystem.get_file_info(place.path)
    except OSError as error:
        raise DataError(f"{place.shown}: cannot be looked at: {error}") from error


def _size(place: Place) -> int:
    return int(_info(place).size or 0)


def _search(folder: Place) -> list[str]:
    """Return the paths of all image files and shards below, sorted."""
    return [
        path
        for path in _files_below(folder)
        if PurePosixPath(path).suffix.lower() in SUFFIXES or path.lower().endswith(SHARDS)
    ]


def _files_below(folder: Place) -> list[str]:
    """Return the paths of all files below that are not hidden, sorted."""
    selector = need_arrow().fs.FileSelector(folder.path, recursive=True, allow_not_found=True)
    try:
        found = [info.path for info in folder.filesystem.get_file_info(selector) if info.is_file]
    except OSError as error:
        raise DataError(f"{folder.shown}: cannot be listed: {error}") from error
    base = len(folder.path.rstrip("/")) + 1
    return sorted(path for path in found if not any(part.startswith(".") for part in path[base:].split("/")))


def _match(pattern: Place) -> list[Place]:
    before = pattern.path[: re.search(r"[*?\[]", pattern.path).start()]  # type: ignore[union-attr]  # has_magic
    expression = re.compile(_to_expression(pattern.path))
    found = _files_below(pattern.at(before.rpartition("/")[0] or "/"))
    return [pattern.at(path) for path in found if expression.fullmatch(path)]


def _to_expression(pattern: str) -> str:
    """Translate a glob; ``*`` and ``?`` stay within a folder, ``**/`` does not."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    return "".join(
        words.get(piece) or (piece.replace("[!", "[^", 1) if piece.startswith("[") else re.escape(piece))
        for piece in pieces
    )
