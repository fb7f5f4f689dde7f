"""Rows to CSV, JSON and JSON Lines, written as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

from gafas.errors import UsageError
from gafas.files import require_free, write_beside
from gafas.runtime.rows import COLUMNS, Row

FORMATS = ("csv", "json", "jsonl")
WriteRow = Callable[[Row], None]


def format_of(output: Path | None, given: str | None) -> str | None:
    """Choose the format: `given`, else the output's ending, else ``None`` (a table for people).

    Raises
    ------
    UsageError
        Neither is a known format.
    """
    if given is not None:
        if given not in (*FORMATS, "table"):
            raise UsageError(f"--format: expected one of table, {', '.join(FORMATS)}, got {given}")
        if given == "table" and output is not None:
            raise UsageError(f"--format table is for the terminal; for {output} choose {', '.join(FORMATS)}")
        return None if given == "table" else given
    if output is None:
        return None
    ending = output.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise UsageError(f"{output}: expected an ending .csv, .json or .jsonl, or --format; got {output.suffix!r}")
    return ending


@contextmanager
def open_writer(stream: IO[str], kind: str) -> Iterator[WriteRow]:
    """Give a function that writes one row to `stream`; the JSON array is closed at the end."""
    if kind == "csv":
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        yield lambda row: writer.writerow(asdict(row))
    elif kind == "jsonl":
        yield lambda row: _write(stream, json.dumps(asdict(row), ensure_ascii=False) + "\n")
    else:
        separators = iter(["[\n"])
        yield lambda row: _write(stream, next(separators, ",\n") + json.dumps(asdict(row), ensure_ascii=False))
        _write(stream, next(separators, "\n").replace("[\n", "[") + "]\n")


def _write(stream: IO[str], text: str) -> None:
    stream.write(text)


@contextmanager
def open_file_writer(path: Path, kind: str, *, overwrite: bool = False) -> Iterator[WriteRow]:
    """Like `open_writer`, to a file that takes its name only when all rows are written.

    Raises
    ------
    OutputError
        The file exists and `overwrite` is false, or it cannot be written.
    """
    require_free(path, overwrite=overwrite)
    # Names that are not valid UTF-8 keep their bytes.
    with (
        write_beside(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream,
        open_writer(stream, kind) as write,
    ):
        yield write
