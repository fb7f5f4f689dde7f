"""A block: some consecutive images of a job, judged together, finished together. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

from gafas.files import json_text

Kind = Literal["files", "tar", "images", "paths"]

BLOCK_SIZE = 1000
"""Images of a block: some ten seconds of one core, which is what a dying worker loses."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image file.

    Attributes
    ----------
    path : str
        As it is reported.
    address : str
        What it is opened by; `path` where that is enough.
    problem : str or None
        Why there is nothing to open.
    """

    path: str
    address: str
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one call of a worker judges.

    Attributes
    ----------
    number : int
        From 0, in the order of the sources.
    kind : {"files", "tar", "images", "paths"}
        Image files; a whole tar shard; rows of a Parquet file with the bytes of images, or with their paths.
    items : tuple of Item
        The files, or the one shard.
    group, start, count : int
        Of a Parquet file: the row group, and which of its rows.
    first : int
        Number of the block's first row in the Parquet file.
    column, names : str
        Of a Parquet file: where the images or paths are, and what they are called (empty: nothing says so).
    size : int
        Of a shard, in bytes: another one under the same name is another source.
    """

    number: int
    kind: Kind
    items: tuple[Item, ...]
    group: int = 0
    start: int = 0
    count: int = 0
    first: int = 0
    column: str = ""
    names: str = ""
    size: int = 0

    @property
    def part(self) -> str:
        """Name of the file that holds the block's rows. Where it is, the block is finished."""
        return f"part-{self.number:08}-{self.digest[:8]}.parquet"

    @property
    def digest(self) -> str:
        """SHA-256 of what the block is made of."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Return the block as one line."""
        values: dict[str, Any] = {name.name: getattr(self, name.name) for name in fields(self)}
        # Not asdict, which takes four times as long: a block may name a thousand files, and a job a million blocks.
        values["items"] = [(item.path, item.address, item.problem) for item in self.items]
        return json_text(values)


def block_from_json(text: str) -> Block:
    """Read what `Block.to_json` wrote."""
    values = json.loads(text)
    return Block(**{**values, "items": tuple(Item(*item) for item in values["items"])})


def fingerprint(blocks: Iterable[Block]) -> str:
    """Return the SHA-256 of a list of blocks: the same sources, cut in the same way."""
    whole = hashlib.sha256()
    for block in blocks:
        whole.update(block.digest.encode())
    return whole.hexdigest()
