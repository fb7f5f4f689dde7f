"""Answers and their rows: one for each region and each failure, in order, whatever the batches."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gafas.imaging import encode
from gafas.runtime.answers import Answer, judge_sources
from gafas.runtime.backends import ConstantBackend
from gafas.runtime.predictor import Predictor
from gafas.runtime.rows import COLUMNS, Row, row_of, rows_of
from gafas.runtime.sources import Source, find_sources
from gafas.values import FaceBox, Verdict

PREDICTOR = Predictor(ConstantBackend(0.123456789))


def test_the_columns() -> None:
    expected = "path,status,error,region,x0,y0,x1,y1,face_confidence,sunglasses,eyeglasses,label"
    assert ",".join(COLUMNS) == expected


def test_the_row_of_a_face() -> None:
    verdict = Verdict("face", FaceBox(1, 2, 30, 40, 0.900049), 0.12345678, 0.2, "no_sunglasses")
    assert row_of("a.jpg", verdict) == Row(
        "a.jpg", "ok", None, "face", 1, 2, 30, 40, 0.9, 0.123457, 0.2, "no_sunglasses"
    )


@pytest.mark.parametrize("batch_size", [1, 2, 3, 32])
def test_no_input_lacks_a_row(photos: Path, batch_size: int) -> None:
    (photos / "broken.png").write_bytes(encode(np.zeros((50, 50, 3), np.uint8), ".png")[:60])
    (photos / "empty.jpg").touch()
    words = ["nowhere.jpg", str(photos), str(photos / "none" / "*.jpg")]
    answered = [
        (answer.source, rows_of(answer))
        for answer in judge_sources(PREDICTOR, find_sources(words), batch_size=batch_size)
    ]
    status = {Path(source.path).name: row.status for source, (row,) in answered}
    assert list(status) == ["nowhere.jpg", "broken.png", "dark.png", "empty.jpg", "dark.jpg", "light.png", "*.jpg"]
    assert [word for word in status.values() if word == "ok"] == ["ok"] * 3
    for source, (row,) in answered:
        assert row.path == source.path
        if row.status == "ok":
            assert (row.error, row.region, row.x1, row.y1, row.sunglasses) == (None, "whole", 20, 10, 0.123457)
        else:
            assert row.error
            assert (row.region, row.sunglasses, row.label) == (None, None, None)


def test_a_row_for_each_face_in_the_order_of_the_verdicts() -> None:
    verdicts = tuple(Verdict("face", FaceBox(x, 0, x + 9, 9, 0.5), 0.1, None, "no_sunglasses") for x in (40, 0, 20))
    answer = Answer(Source("a", "a"), np.zeros((30, 50, 3), np.uint8), verdicts)
    assert [row.x0 for row in rows_of(answer)] == [40, 0, 20]
    assert answer.size == (30, 50)
    assert Answer(Source("a", "a"), None, verdicts, shape=(30, 50)).size == (30, 50)


def test_nothing_readable_at_all() -> None:
    (answer,) = judge_sources(PREDICTOR, [Source("a", "a", "a: no such file or folder")])
    assert rows_of(answer) == [Row("a", "error", "a: no such file or folder")]
    assert (answer.image, answer.size, answer.verdicts) == (None, (0, 0), ())
    assert list(judge_sources(PREDICTOR, [])) == []


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> Row:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    ((row,),) = map(rows_of, judge_sources(PREDICTOR, find_sources(["-"])))
    return row


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stdin(monkeypatch, encode(np.zeros((3, 4, 3), np.uint8), ".png")).x1 == 4
    assert stdin(monkeypatch, b"").error == "standard input: the file is empty (0 bytes)"


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    ((row,),) = map(rows_of, judge_sources(PREDICTOR, find_sources(["-"])))
    assert row == Row("-", "error", "standard input: the file is empty (0 bytes)")
