"""Prediction rows: one for each region, and one for each image that failed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields

from gafas.runtime.answers import Answer
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
    face_confidence : float or None
        The detector's, in [0, 1]; ``None`` with ``whole``.
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


def rows_of(answer: Answer) -> list[Row]:
    """Return the rows of one source: at least one."""
    path = answer.source.path
    if answer.error is not None:
        return [Row(path=path, status="error", error=answer.error)]
    return [row_of(path, verdict) for verdict in answer.verdicts]


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
        face_confidence=None if box.confidence is None else round(box.confidence, 4),
        sunglasses=round(verdict.sunglasses, 6),
        eyeglasses=None if verdict.eyeglasses is None else round(verdict.eyeglasses, 6),
        label=verdict.label,
    )
