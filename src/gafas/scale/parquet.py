"""Parquet files as sources: rows that hold images, or the paths of images, in ranges of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gafas.errors import DataError, UsageError
from gafas.scale.blocks import Block, Item
from gafas.scale.places import Place, need_arrow

IMAGE_COLUMNS = ("image", "bytes", "jpg", "png", "content", "data")
"""Where images are looked for when no column is named, before any other column of bytes."""

PATH_COLUMNS = ("path", "file", "file_name", "filename", "image_path", "image", "url")
"""Where paths are looked for when no column is named, and what an image is called."""

KEY_COLUMNS = (*PATH_COLUMNS, "key", "__key__", "name", "id")
_AT_ONCE = 32


def choose_column(shown: str, columns: list[str], asked: str | None) -> str:
    """Return the column of a manifest that holds the paths.

    Raises
    ------
    UsageError
        It has none of that name, or none of the usual ones.
    """
    wanted = PATH_COLUMNS if asked is None else (asked,)
    for name in wanted:
        if name in columns:
            return name
    have = ", ".join(columns) or "none"
    raise UsageError(f"{shown}: expected a column {' or '.join(wanted)}, got {have}; name it with --column")


def parquet_blocks(
    place: Place, shard: Item, *, number: int, size: int, block_size: int, column: str | None
) -> Iterator[Block]:
    """Cut a Parquet file into ranges of at most `block_size` rows, each within one row group.

    Raises
    ------
    DataError
        It is no readable Parquet file.
    UsageError
        It has neither images nor paths, or not in that column.
    """
    file = open_parquet(place)
    schema = file.schema_arrow
    name, holds_images = _find_column(place.shown, schema, column)
    names = next((key for key in KEY_COLUMNS if key in schema.names and key != name and _is_text(schema, key)), "")
    first = 0
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        for start in range(0, rows, block_size):
            yield Block(
                number=number,
                kind="images" if holds_images else "paths",
                items=(shard,),
                group=group,
                start=start,
                count=min(block_size, rows - start),
                first=first + start,
                column=name,
                names=names if holds_images else "",
                size=size,
            )
            number += 1
        first += rows


def open_parquet(place: Place) -> Any:
    """Open a Parquet file.

    Raises
    ------
    DataError
        It cannot be read.
    """
    arrow = need_arrow()
    try:
        return arrow.parquet.ParquetFile(place.filesystem.open_input_file(place.path))
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"{place.shown}: cannot be read as Parquet: {error}") from error


def read_rows(place: Place, block: Block) -> Iterator[tuple[int, Any, str | None]]:
    """Yield number, cell and name of each row of a block; few are held at once.

    Raises
    ------
    DataError
        The file cannot be read, from some row on.
    """
    arrow = need_arrow()
    file = open_parquet(place)
    columns = [block.column, *([block.names] if block.names else [])]
    at, end = 0, block.start + block.count
    try:
        for batch in file.iter_batches(batch_size=_AT_ONCE, row_groups=[block.group], columns=columns):
            begin, stop = max(block.start - at, 0), min(end - at, len(batch))
            for row in range(begin, stop):
                cell = batch.column(block.column)[row].as_py()
                name = batch.column(block.names)[row].as_py() if block.names else None
                yield block.first + at + row - block.start, cell, name
            at += len(batch)
            if at >= end:
                return
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"{place.shown}: cannot be read: {error}") from error


def _find_column(shown: str, schema: Any, asked: str | None) -> tuple[str, bool]:
    if asked is not None:
        if asked not in schema.names:
            raise UsageError(f"{shown}: has no column {asked}, only {', '.join(schema.names)}")
        return asked, _holds_bytes(schema.field(asked).type)
    bytes_in = [name for name in schema.names if _holds_bytes(schema.field(name).type)]
    for name in (*IMAGE_COLUMNS, *bytes_in):
        if name in bytes_in:
            return name, True
    return choose_column(shown, [name for name in schema.names if _is_text(schema, name)], None), False


def _holds_bytes(kind: Any) -> bool:
    types = need_arrow().types
    if types.is_struct(kind):
        # As the data sets of Hugging Face have it: bytes and path of each image.
        return kind.get_field_index("bytes") >= 0 and _holds_bytes(kind.field("bytes").type)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _is_text(schema: Any, name: str) -> bool:
    types = need_arrow().types
    kind = schema.field(name).type
    return bool(types.is_string(kind) or types.is_large_string(kind))
