"""Prediction rows: one for each region, and one for each image that failed. No input lacks a row."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice

from gafas.errors import ImageError
from gafas.imaging import Rgb, decode, read_image
from gafas.runtime.predictor import Predictor
from gafas.runtime.sources import STDIN, Source
from gafas.values import Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the answer; the field names are the columns of every format.

    Attributes
    ----------
    status : str
        ``ok`` or ``error``; with ``error`` only `path` and `error` are filled.
    region : str or None
        ``face`` or ``whole``.
    x0, y0, x1, y1 : int or None
        Pixels of the upright image; x1, y1 exclusive.
    sunglasses, eyeglasses : float or None
        Probabilities; ``None`` where the model does not know the attribute.
    """

    path: str
    status: str
    error: str | None = None
    region: str | None = None
    x0: int | None = None
    y0: int | None = None
    x1: int | None = None
    y1: int | None = None
    face_confidence: float | None = None
    sunglasses: float | None = None
    eyeglasses: float | None = None
    label: str | None = None


COLUMNS = tuple(f.name for f in fields(Row))


def row_of(path: str, verdict: Verdict) -> Row:
    """Return the row of one verdict."""
    box = verdict.box
    return Row(
        path=path,
        status="ok",
        region=verdict.region,
        x0=box.x0,
        y0=box.y0,
        x1=box.x1,
        y1=box.y1,
        face_confidence=box.confidence,
        sunglasses=round(verdict.sunglasses, 6),
        eyeglasses=None if verdict.eyeglasses is None else round(verdict.eyeglasses, 6),
        label=verdict.label,
    )


def predict_sources(
    predictor: Predictor, sources: Iterable[Source], *, batch_size: int = 32
) -> Iterator[tuple[Source, list[Row]]]:
    """Judge sources in their order, decoding and classifying `batch_size` at a time.

    Yields
    ------
    Source, list of Row
        At least one row for each source, also for those that cannot be read.
    """
    remaining = iter(sources)
    while batch := list(islice(remaining, batch_size)):
        read = [_read(source) for source in batch]
        images = [image for image in read if not isinstance(image, str)]
        verdicts = iter(predictor.predict_batch(images))
        for source, image in zip(batch, read, strict=True):
            if isinstance(image, str):
                yield source, [Row(path=source.path, status="error", error=image)]
            else:
                yield source, [row_of(source.path, verdict) for verdict in next(verdicts)]


def _read(source: Source) -> Rgb | str:
    if source.problem is not None:
        return source.problem
    try:
        return decode(sys.stdin.buffer.read()) if source.path == STDIN else read_image(source.path)
    except ImageError as error:
        return str(error)
