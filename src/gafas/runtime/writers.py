"""Records to CSV, JSON and JSON Lines, written as they come."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from gafas.errors import OutputError, UsageError
from gafas.files import require_free, write_beside
from gafas.runtime.rows import COLUMNS

FORMATS = ("csv", "json", "jsonl")
WriteRecord = Callable[[Mapping[str, Any]], None]


class Stream(Protocol):
    """Something that takes text."""

    def write(self, text: str, /) -> object:
        """Take one text."""
        ...


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
def open_writer(stream: Stream, kind: str, *, columns: Sequence[str] = COLUMNS) -> Iterator[WriteRecord]:
    r"""Give a function that writes one record to `stream`; the JSON array is closed at the end.

    CSV takes records with `columns` only.

    A path that is not valid UTF-8 stands in JSON as an escape such as ``\udce9``, and in CSV as such a character:
    the stream's ``surrogateescape`` turns it into its own byte.
    """
    if kind == "csv":
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        yield writer.writerow
    elif kind == "jsonl":
        yield lambda record: _write(stream, _to_json(record) + "\n")
    else:
        with _open_array(stream) as write:
            yield write


@contextmanager
def _open_array(stream: Stream) -> Iterator[WriteRecord]:
    started = False

    def write(record: Mapping[str, Any]) -> None:
        nonlocal started
        stream.write((",\n" if started else "") + _to_json(record))
        started = True

    stream.write("[\n")
    yield write
    stream.write("\n]\n" if started else "]\n")


def _write(stream: Stream, text: str) -> None:
    stream.write(text)


def _to_json(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class _Stdout:
    """Standard output as a stream that passes each text on at once."""

    def write(self, text: str) -> None:
        with naming_stdout():
            sys.stdout.write(text)
            sys.stdout.flush()


def open_stdout_writer(kind: str, *, columns: Sequence[str] = COLUMNS) -> AbstractContextManager[WriteRecord]:
    """Like `open_writer`, to standard output: UTF-8, each record at once.

    Raises
    ------
    OutputError
        Standard output is closed, or cannot be written.
    BrokenPipeError
        Its reader has gone.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed; write to a file with: -o result.csv")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    return open_writer(_Stdout(), kind, columns=columns)


@contextmanager
def naming_stdout() -> Iterator[None]:
    """Turn a failed write to standard output into an `OutputError`; a reader that has gone is no failure."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # What could not be written must not be tried again when Python ends.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"standard output: not written: {error.strerror or error}") from error


@contextmanager
def open_file_writer(
    path: Path, kind: str, *, overwrite: bool = False, columns: Sequence[str] = COLUMNS
) -> Iterator[WriteRecord]:
    """Like `open_writer`, to a file that takes its name only when all records are written.

    Raises
    ------
    OutputError
        The file exists and `overwrite` is false, or it cannot be written.
    """
    require_free(path, overwrite=overwrite)
    with (
        write_beside(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream,
        open_writer(stream, kind, columns=columns) as write,
    ):
        yield write
