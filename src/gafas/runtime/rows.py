"""Prediction rows: one for each region, and one for each image that failed. No input lacks a row."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

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


_BATCH_BYTES = 256 * 2**20
"""Decoded pixels that are held at once: about seven photographs of 12 megapixels."""

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
    """Judge sources in their order, decoding and classifying up to `batch_size` at a time.

    Large pictures are classified in smaller batches, so that memory stays within bounds.

    Yields
    ------
    Source, list of Row
        At least one row for each source, also for those that cannot be read.
    """
    for batch in _batches(sources, batch_size):
        verdicts = iter(predictor.predict_batch([image for _, image in batch if not isinstance(image, str)]))
        for source, image in batch:
            if isinstance(image, str):
                yield source, [Row(path=source.path, status="error", error=image)]
            else:
                yield source, [row_of(source.path, verdict) for verdict in next(verdicts)]


def _batches(sources: Iterable[Source], batch_size: int) -> Iterator[list[tuple[Source, Rgb | str]]]:
    """Read images, or the reason why one cannot be read; a batch ends at `batch_size` or at `_BATCH_BYTES`."""
    batch: list[tuple[Source, Rgb | str]] = []
    held = 0
    for source in sources:
        image = _read(source)
        batch.append((source, image))
        held += 0 if isinstance(image, str) else image.nbytes
        if len(batch) >= batch_size or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _read(source: Source) -> Rgb | str:
    if source.problem is not None:
        return source.problem
    try:
        return _read_stdin() if source.path == STDIN else read_image(source.path)
    except ImageError as error:
        return str(error)


def _read_stdin() -> Rgb:
    try:
        # None where the shell has closed it.
        return decode(sys.stdin.buffer.read() if sys.stdin else b"")
    except (OSError, ImageError) as error:
        raise ImageError(f"standard input: {error}") from error
