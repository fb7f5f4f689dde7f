"""A block to its images: names and bytes, one after the other, or why there are none."""

from __future__ import annotations

import tarfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gafas.errors import DataError, GafasError
from gafas.imaging import SUFFIXES, read_bytes
from gafas.scale.blocks import Block, Item
from gafas.scale.manifests import manifest_item
from gafas.scale.parquet import read_rows
from gafas.scale.places import find_place, is_address

_AHEAD = 8
"""Images fetched before they are needed: an object store answers in tens of milliseconds, and to many at once."""

_LARGEST = 2**29
"""Bytes of one image of a tar shard, which is held as a whole."""


@dataclass(frozen=True, slots=True)
class Content:
    """One image of a block.

    Attributes
    ----------
    path : str
        As it is reported.
    data : bytes
        Empty where there is a `problem`.
    problem : str or None
        Why it cannot be read.
    """

    path: str
    data: bytes = b""
    problem: str | None = None


def contents(block: Block) -> Iterator[Content]:
    """Yield the images of a block in their order; a few are held at once.

    A shard that breaks off gives what it holds, and one `Content` with a `problem` for the rest.
    """
    if block.kind == "files":
        return _fetch(block.items)
    shard = block.items[0]
    if block.kind == "tar":
        return _read_tar(shard)
    return _read_images(shard, block) if block.kind == "images" else _fetch(_read_paths(shard, block))


def _fetch(items: Iterable[Item]) -> Iterator[Content]:
    with ThreadPoolExecutor(_AHEAD, thread_name_prefix="gafas-fetch") as pool:
        begun: deque[Future[Content]] = deque()
        for item in items:
            # A local file is read when it is needed: the system reads ahead by itself.
            if item.problem is not None or not is_address(item.address):
                while begun:
                    yield begun.popleft().result()
                yield _read(item)
                continue
            begun.append(pool.submit(_read, item))
            if len(begun) > _AHEAD:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def _read(item: Item) -> Content:
    if item.problem is not None:
        return Content(item.path, problem=item.problem)
    try:
        place = find_place(item.address)
        if place.root:
            return Content(item.path, place.read())
        with Path(place.path).open("rb") as file:
            return Content(item.path, read_bytes(file))
    except OSError as error:
        return Content(item.path, problem=f"{item.path}: cannot be read: {error.strerror or error}")
    except (GafasError, ValueError) as error:
        return Content(item.path, problem=f"{item.path}: {error}")


def _read_paths(shard: Item, block: Block) -> Iterator[Item]:
    place = find_place(shard.address)
    try:
        for number, cell, _ in read_rows(place, block):
            yield manifest_item(place, cell or "", f"{shard.path}: row {number}")
    except DataError as error:
        yield Item(shard.path, "", str(error))


def _read_images(shard: Item, block: Block) -> Iterator[Content]:
    try:
        for number, cell, name in read_rows(find_place(shard.address), block):
            if isinstance(cell, dict):
                name, cell = name or cell.get("path"), cell["bytes"]
            path = name or f"{shard.path}#{number}"
            problem = None if cell else f"{path}: holds no image (0 bytes)"
            yield Content(path, cell or b"", problem)
    except DataError as error:
        yield Content(shard.path, problem=str(error))


def _read_tar(shard: Item) -> Iterator[Content]:
    place, count = find_place(shard.address), 0
    try:
        with _open_tar(place) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not member.isfile() or name.suffix.lower() not in SUFFIXES or name.name.startswith("."):
                    continue
                count += 1
                if member.issparse() or member.size > _LARGEST:
                    words = f"holes, or more than {_LARGEST:,} bytes; refused"
                    yield Content(f"{shard.path}/{member.name}", problem=f"{shard.path}/{member.name}: has {words}")
                    continue
                stream = archive.extractfile(member)
                yield Content(f"{shard.path}/{member.name}", stream.read() if stream is not None else b"")
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        yield Content(shard.path, problem=f"{shard.path}: broken after {count} images: {error}")
        return
    if not count:
        yield Content(shard.path, problem=f"{shard.path}: the archive holds no images ({' '.join(sorted(SUFFIXES))})")


def _open_tar(place: Any) -> tarfile.TarFile:
    # A stream is read once, from its beginning to its end: that is what an object store is good at.
    return tarfile.open(fileobj=place.filesystem.open_input_stream(place.path, compression=None), mode="r|*")
