"""Sources in, answers out: what was found on each image, or why it could not be read. No input lacks an answer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gafas.errors import ImageError
from gafas.imaging import Rgb, decode, read_image
from gafas.runtime.predictor import Predictor
from gafas.runtime.sources import STDIN, Source
from gafas.values import Verdict

_BATCH_BYTES = 256 * 2**20
"""Decoded pixels from which no further image is read: about seven photographs of 12 megapixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is known of one source.

    Attributes
    ----------
    image : uint8 array (height, width, 3) or None
        The upright pixels; ``None`` where it failed. Not to be kept: it may be large.
    verdicts : tuple of Verdict
        One for each region; none where it failed.
    error : str or None
        Why it failed.
    """

    source: Source
    image: Rgb | None = None
    verdicts: tuple[Verdict, ...] = ()
    error: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright image in pixels; (0, 0) where it failed."""
        return (0, 0) if self.image is None else (self.image.shape[0], self.image.shape[1])


def judge_sources(predictor: Predictor, sources: Iterable[Source], *, batch_size: int = 32) -> Iterator[Answer]:
    """Judge sources in their order, decoding and classifying up to `batch_size` at a time.

    Large pictures are judged in smaller batches, so that memory stays within bounds.

    Yields
    ------
    Answer
        One for each source, also for those that cannot be read.
    """
    pending = iter(sources)
    while batch := _read_batch(pending, batch_size):
        verdicts = iter(predictor.predict_batch([image for _, image in batch if not isinstance(image, str)]))
        # The list is emptied on the way: its pictures are not kept while the next ones are read.
        batch.reverse()
        while batch:
            source, image = batch.pop()
            if isinstance(image, str):
                yield Answer(source, error=image)
            else:
                yield Answer(source, image, next(verdicts))
            del image


def _read_batch(sources: Iterator[Source], batch_size: int) -> list[tuple[Source, Rgb | str]]:
    """Read images, or the reasons why they cannot be read, up to `batch_size` and about `_BATCH_BYTES`."""
    batch: list[tuple[Source, Rgb | str]] = []
    held = 0
    for source in sources:
        image = _read(source)
        batch.append((source, image))
        held += 0 if isinstance(image, str) else image.nbytes
        if len(batch) >= batch_size or held >= _BATCH_BYTES:
            break
    return batch


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
