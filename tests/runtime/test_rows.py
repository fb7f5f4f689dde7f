"""Rows: one for each region and each failure, in order, whatever the batches."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gafas.imaging import Rgb, encode
from gafas.runtime import rows
from gafas.runtime.backends import ConstantBackend
from gafas.runtime.predictor import Predictor
from gafas.runtime.rows import COLUMNS, Row, predict_sources, row_of
from gafas.runtime.sources import Source, find_sources
from gafas.values import FaceBox, Verdict

PREDICTOR = Predictor(ConstantBackend(0.123456789))


class CountingPredictor(Predictor):
    """Keeps the sizes of the batches it was given."""

    def __init__(self) -> None:
        super().__init__(ConstantBackend(0.5))
        self.batches: list[int] = []

    def predict_batch(self, images: Sequence[Rgb]) -> list[tuple[Verdict, ...]]:
        self.batches.append(len(images))
        return super().predict_batch(images)


def test_the_columns() -> None:
    expected = "path,status,error,region,x0,y0,x1,y1,face_confidence,sunglasses,eyeglasses,label"
    assert ",".join(COLUMNS) == expected


def test_the_row_of_a_face() -> None:
    verdict = Verdict("face", FaceBox(1, 2, 30, 40, 0.9), 0.12345678, 0.2, "no_sunglasses")
    assert row_of("a.jpg", verdict) == Row(
        "a.jpg", "ok", None, "face", 1, 2, 30, 40, 0.9, 0.123457, 0.2, "no_sunglasses"
    )


@pytest.mark.parametrize("batch_size", [1, 2, 3, 32])
def test_no_input_lacks_a_row(photos: Path, batch_size: int) -> None:
    (photos / "broken.png").write_bytes(encode(np.zeros((50, 50, 3), np.uint8), ".png")[:60])
    (photos / "empty.jpg").touch()
    words = ["nowhere.jpg", str(photos), str(photos / "none" / "*.jpg")]
    answered = list(predict_sources(PREDICTOR, find_sources(words), batch_size=batch_size))
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


def test_nothing_readable_at_all() -> None:
    ((_, (row,)),) = predict_sources(PREDICTOR, [Source("a", "a", "a: no such file or folder")])
    assert row == Row("a", "error", "a: no such file or folder")
    assert list(predict_sources(PREDICTOR, [])) == []


def test_large_pictures_go_in_smaller_batches(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_BATCH_BYTES", 2 * 10 * 20 * 3)
    predictor = CountingPredictor()
    answered = list(predict_sources(predictor, find_sources([str(photos)] * 2 + ["gone"]), batch_size=32))
    assert len(answered) == 7
    assert predictor.batches == [2, 2, 2, 0]


def test_batches_are_no_larger_than_asked(photos: Path) -> None:
    predictor = CountingPredictor()
    list(predict_sources(predictor, find_sources([str(photos)]), batch_size=2))
    assert predictor.batches == [2, 1]


def test_rows_come_while_later_images_are_still_unread(photos: Path) -> None:
    answered = predict_sources(
        PREDICTOR, find_sources([str(photos / "dark.png"), str(photos / "light.png")]), batch_size=1
    )
    next(answered)
    (photos / "light.png").unlink()
    _, (row,) = next(answered)
    assert row.status == "error"


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> Row:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    ((_, (row,)),) = predict_sources(PREDICTOR, find_sources(["-"]))
    return row


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stdin(monkeypatch, encode(np.zeros((3, 4, 3), np.uint8), ".png")).x1 == 4
    assert stdin(monkeypatch, b"").error == "standard input: the file is empty (0 bytes)"


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    ((_, (row,)),) = predict_sources(PREDICTOR, find_sources(["-"]))
    assert row == Row("-", "error", "standard input: the file is empty (0 bytes)")
