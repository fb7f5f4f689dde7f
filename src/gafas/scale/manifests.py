"""Manifests: files that name the images, one a line."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from gafas.errors import DataError
from gafas.scale.blocks import Item
from gafas.scale.parquet import choose_column
from gafas.scale.places import Place, address_of, is_address


def read_csv(manifest: Place, column: str | None) -> Iterator[Item]:
    """Yield the images that a CSV or TSV file names, a line at a time.

    Raises
    ------
    DataError
        It cannot be read.
    UsageError
        It has no column of paths.
    """
    try:
        text = manifest.read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{manifest.shown}: cannot be read: {error}") from error
    lines = csv.reader(text.splitlines(), delimiter="\t" if manifest.path.lower().endswith(".tsv") else ",")
    header = next(lines, [])
    name = choose_column(manifest.shown, header, column)
    place = header.index(name)
    for number, line in enumerate(lines, start=2):
        if not any(line):
            continue
        value = line[place] if place < len(line) else ""
        yield manifest_item(manifest, value, f"{manifest.shown}: line {number}")


def manifest_item(manifest: Place, value: str, where: str) -> Item:
    """Return the image that a line of a manifest names; a relative path begins where the manifest lies."""
    if not value:
        return Item(where, "", f"{where}: names no image")
    if is_address(value) or value.startswith("/"):
        return Item(value, value)
    folder = manifest.at(manifest.path.rpartition("/")[0] or ".")
    return Item(value, address_of(folder / value))
