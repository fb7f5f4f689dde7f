"""Many images through the three steps of a prediction, on several threads, in their order and in bounded memory.

A thread reads one image, finds its regions and cuts them out; the pixels are then let go. Regions of several images
are classified together, by one of the same threads, while the others go on with the next images.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np

from gafas.imaging import Rgb
from gafas.runtime.predictor import Predictor
from gafas.runtime.reading import is_file, read_source, weight_of
from gafas.runtime.sources import Source
from gafas.values import FaceBox, Verdict

_WINDOW = 4
"""Images begun for each worker: the oldest may take long, and the others are not to wait for it."""

_WORKER_BYTES = 128 * 2**20
"""Memory for pixels, for each worker: a photograph of 12 megapixels takes 84 MB while it is decoded."""

REGIONS = 64
"""Regions of a batch: a picture may show hundreds of faces, and their patches are held until they are classified."""

_BATCHES = 2
"""Batches with the classifier: one is judged while the next one is filled."""

Verdicts = tuple[Verdict, ...]
Judged = tuple["Looked", Verdicts]


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """One source, read and searched, on its way to the classifier.

    Attributes
    ----------
    boxes : tuple of FaceBox
        The regions that are still to be classified; none where the image cannot be read or `verdicts` are there.
    patches : tuple of uint8 array (height, width, 3)
        What the classifier sees of each.
    image : uint8 array (height, width, 3) or None
        ``None`` where it is not kept or cannot be read.
    shape : (int, int) or None
        Height and width of the image.
    verdicts : tuple of Verdict
        Of a crowd, which is classified where it is found.
    error : str or None
        Why it cannot be read.
    """

    source: Source
    boxes: tuple[FaceBox, ...] = ()
    patches: tuple[Rgb, ...] = ()
    image: Rgb | None = None
    shape: tuple[int, int] | None = None
    verdicts: Verdicts = ()
    error: str | None = None

    @property
    def weight(self) -> int:
        """Bytes of the image, kept or not."""
        return 3 * math.prod(self.shape) if self.shape else 0


class Stream:
    """Takes sources and gives them back judged, in the same order; see `gafas.runtime.answers.judge_sources`."""

    def __init__(
        self, predictor: Predictor, pool: Executor, *, batch_size: int, workers: int, keep_images: bool
    ) -> None:
        self._predictor, self._pool = predictor, pool
        self._batch_size, self._keep = batch_size, keep_images
        self._window, self._limit = _WINDOW * workers, _WORKER_BYTES * workers
        self._begun: deque[tuple[Future[Looked], int]] = deque()
        self._batch: list[Looked] = []
        self._judged: deque[tuple[list[Looked], Future[list[Verdicts]]]] = deque()
        self._held = 0

    def put(self, source: Source) -> Iterator[Judged]:
        """Begin with a source as soon as there is room for it, and give what is judged by then."""
        if is_file(source):
            weight, image = weight_of(source), None
        else:
            # Read here, where Ctrl-C is heard.
            image = read_source(source)
            weight = 0 if isinstance(image, str) else image.nbytes
        while self._is_full(weight):
            yield from self._advance()
        self._held += weight
        self._begun.append((self._pool.submit(_look, self._predictor, source, image, self._keep), weight))
        del image
        while self._judged and self._judged[0][1].done():
            yield from self._give()

    def finish(self) -> Iterator[Judged]:
        """Give all that is left."""
        while self._begun or self._batch or self._judged:
            yield from self._advance()

    def _is_full(self, weight: int) -> bool:
        # A single image may be larger than the limit; it then goes alone.
        return len(self._begun) >= self._window or (self._held > 0 and self._held + weight > self._limit)

    def _advance(self) -> Iterator[Judged]:
        """Wait for the oldest step that is under way."""
        if self._begun:
            self._collect()
        elif self._batch:
            self._classify()
        if self._judged and (len(self._judged) > _BATCHES or not self._begun):
            yield from self._give()

    def _collect(self) -> None:
        future, weight = self._begun.popleft()
        looked = future.result()
        self._held += (looked.weight if self._keep else 0) - weight
        self._batch.append(looked)
        if self._is_batch():
            self._classify()

    def _is_batch(self) -> bool:
        regions = sum(len(looked.boxes) for looked in self._batch)
        weight = sum(looked.weight for looked in self._batch)
        # Large images come slowly: their answers do not wait for many more. Kept ones leave with their batch, so that
        # one half of the memory fills while the other half is judged.
        return len(self._batch) >= self._batch_size or regions >= REGIONS or 2 * weight >= self._limit

    def _classify(self) -> None:
        batch, self._batch = self._batch, []
        boxes = [looked.boxes for looked in batch]
        patches = [patch for looked in batch for patch in looked.patches]
        self._judged.append((batch, self._pool.submit(self._predictor.judge, boxes, patches)))

    def _give(self) -> Iterator[Judged]:
        batch, future = self._judged.popleft()
        verdicts = future.result()
        # The lists are emptied on the way: an image is let go before the next one is given.
        batch.reverse()
        verdicts.reverse()
        while batch:
            weight = batch[-1].weight if self._keep else 0
            yield _joined(batch.pop(), verdicts.pop())
            self._held -= weight


def _joined(looked: Looked, verdicts: Verdicts) -> Judged:
    return looked, looked.verdicts or verdicts


def _look(predictor: Predictor, source: Source, image: Rgb | str | None, keep: bool) -> Looked:
    """Read one image, find its regions and cut them out; runs in a worker."""
    image = read_source(source) if image is None else image
    if isinstance(image, str):
        return Looked(source, error=image)
    kept, shape = image if keep else None, (image.shape[0], image.shape[1])
    boxes = predictor.find(image)
    if len(boxes) > REGIONS:
        (verdicts,) = predictor.judge([boxes], predictor.cut(image, boxes))
        return Looked(source, image=kept, shape=shape, verdicts=verdicts)
    # Copies, as a patch may be a view that would hold the whole image.
    patches = tuple(np.array(patch) for patch in predictor.cut(image, boxes))
    return Looked(source, boxes, patches, kept, shape)
