"""Records to CSV, JSON and JSON Lines: read back, they are the same rows."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from gafas.errors import OutputError, UsageError
from gafas.runtime.rows import COLUMNS, Row
from gafas.runtime.writers import format_of, open_file_writer, open_stdout_writer, open_writer

OK = Row("a.jpg", "ok", None, "whole", 0, 0, 20, 10, None, 0.75, None, "sunglasses")
STRANGE = Row('ñ, "b"\nc.jpg', "error", 'ñ, "b"\nc.jpg: cannot be read')
NOT_UTF8 = Row(os.fsdecode(b"caf\xe9.jpg"), "error", "broken")
ROWS = (OK, STRANGE, NOT_UTF8)


def written(path: Path, *rows: Row) -> bytes:
    with open_file_writer(path, path.suffix[1:]) as write:
        for row in rows:
            write(asdict(row))
    return path.read_bytes()


def test_csv(tmp_path: Path) -> None:
    data = written(tmp_path / "a.csv", *ROWS)
    assert data.splitlines()[:2] == [",".join(COLUMNS).encode(), b"a.jpg,ok,,whole,0,0,20,10,,0.75,,sunglasses"]
    assert b"\ncaf\xe9.jpg,error,broken," in data
    with (tmp_path / "a.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        assert [row["path"] for row in csv.DictReader(stream)] == [row.path for row in ROWS]
    assert written(tmp_path / "none.csv").splitlines() == [",".join(COLUMNS).encode()]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json(tmp_path: Path, count: int) -> None:
    data = written(tmp_path / "a.json", *ROWS[:count])
    # Strictly UTF-8, whatever the file names hold.
    assert json.loads(data.decode("utf-8")) == [asdict(row) for row in ROWS[:count]]
    assert data.endswith(b"]\n")
    assert len(data.splitlines()) == count + 2


def test_json_lines(tmp_path: Path) -> None:
    data = written(tmp_path / "a.jsonl", *ROWS)
    assert [json.loads(line) for line in data.decode("utf-8").splitlines()] == [asdict(row) for row in ROWS]
    assert "ñ".encode() in data
    assert written(tmp_path / "none.jsonl") == b""


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_rows_are_written_as_they_come(kind: str) -> None:
    stream = io.StringIO()
    with open_writer(stream, kind) as write:
        write(asdict(OK))
        assert "a.jpg" in stream.getvalue()


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_standard_output_is_flushed_and_keeps_odd_names(kind: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with open_stdout_writer(kind) as write:
        write(asdict(OK))
        assert b"a.jpg" in capfdbinary.readouterr().out
        write(asdict(NOT_UTF8))
        assert (b"caf\xe9.jpg" if kind == "csv" else rb"caf\udce9.jpg") in capfdbinary.readouterr().out


def test_standard_output_that_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    with open_stdout_writer("jsonl") as write:
        write(asdict(OK))
    assert json.loads(stream.getvalue()) == asdict(OK)


def test_closed_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OutputError, match=r"standard output is closed; write to a file with: -o result\.csv"):
        open_stdout_writer("csv")


def test_a_file_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(OutputError, match="pass --overwrite"), open_file_writer(path, "csv"):
        pytest.fail("the block must not run")
    assert path.read_text() == "old"
    with open_file_writer(path, "csv", overwrite=True):
        assert path.read_text() == "old"
    assert path.read_text().startswith("path,")


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with open_file_writer(tmp_path / "a.csv", "csv") as write:
            write(asdict(OK))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "given", "expected"),
    [
        (None, None, None),
        (None, "table", None),
        (None, "json", "json"),
        ("a.csv", None, "csv"),
        ("a.JSONL", None, "jsonl"),
        ("a.txt", "csv", "csv"),
        ("a.csv", "json", "json"),
    ],
)
def test_the_format(output: str | None, given: str | None, expected: str | None) -> None:
    assert format_of(None if output is None else Path(output), given) == expected


@pytest.mark.parametrize(
    ("output", "given", "message"),
    [
        (None, "xml", "--format: expected one of table, csv, json, jsonl, got xml"),
        ("a.txt", None, r"a\.txt: expected an ending \.csv, \.json or \.jsonl, or --format; got '\.txt'"),
        ("a", None, "expected an ending"),
        ("a.csv", "table", "--format table is for the terminal"),
    ],
)
def test_no_format(output: str | None, given: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        format_of(None if output is None else Path(output), given)
