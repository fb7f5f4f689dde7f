"""Sources in, answers out: what was found on each image, or why it could not be read. No input lacks an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gafas.imaging import Rgb
from gafas.runtime.predictor import Predictor
from gafas.runtime.sources import Source
from gafas.runtime.stream import Looked, Stream
from gafas.values import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is known of one source.

    Attributes
    ----------
    image : uint8 array (height, width, 3) or None
        The upright pixels; ``None`` where it failed or was not to be kept. Not to be held: it may be large.
    verdicts : tuple of Verdict
        One for each region; none where it failed.
    error : str or None
        Why it failed.
    shape : (int, int) or None
        Height and width of an image that was not kept.
    """

    source: Source
    image: Rgb | None = None
    verdicts: tuple[Verdict, ...] = ()
    error: str | None = None
    shape: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright image in pixels; (0, 0) where it failed."""
        if self.image is not None:
            return self.image.shape[0], self.image.shape[1]
        return self.shape or (0, 0)


def judge_sources(
    predictor: Predictor,
    sources: Iterable[Source],
    *,
    batch_size: int = 32,
    workers: int = 1,
    keep_images: bool = True,
) -> Iterator[Answer]:
    """Judge sources in their order. Reading, search and classification overlap, and memory stays within bounds.

    Parameters
    ----------
    batch_size : int
        Images classified together; fewer where they are large or show many faces.
    workers : int
        Images read and searched at the same time, each in a thread of its own. With more than one, the predictor's
        backend and detector must bear calls from several threads, as all of gafas's do.
    keep_images : bool
        Whether answers hold the pixels. Without them far less memory is needed.

    Yields
    ------
    Answer
        One for each source, also for those that cannot be read.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="gafas-stream")
    stream = Stream(predictor, pool, batch_size=batch_size, workers=workers, keep_images=keep_images)
    try:
        for source in sources:
            yield from map(_answer, stream.put(source))
        yield from map(_answer, stream.finish())
    finally:
        # After an error or Ctrl-C, what is under way ends by itself within an image; nothing new is begun.
        pool.shutdown(cancel_futures=True)


def _answer(judged: tuple[Looked, tuple[Verdict, ...]]) -> Answer:
    looked, verdicts = judged
    return Answer(looked.source, looked.image, verdicts, looked.error, looked.shape)
