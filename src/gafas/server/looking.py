"""One image in a worker's thread: bytes to the patches that the classifier sees, or why not."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gafas.errors import ImageError, NotAnImageError, TooManyPixelsError
from gafas.imaging import Rgb, decode, memory_of
from gafas.runtime.predictor import Predictor, Region
from gafas.server.explaining import MOST_FACES, explanation_of
from gafas.values import FaceBox, Verdict


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks of each of its images."""

    region: Region
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an image has no verdicts: a word for programs and a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """One image, decoded and searched.

    Attributes
    ----------
    shape : (int, int) or None
        Height and width of the upright image; ``None`` where it failed.
    boxes, patches : tuples of the same length
        The regions and what the classifier sees of each.
    failure : Failure or None
        Why it cannot be read.
    """

    shape: tuple[int, int] | None = None
    boxes: tuple[FaceBox, ...] = ()
    patches: tuple[Rgb, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One image at the end of its way; explanations are those of the first faces, if they were asked for."""

    looked: Looked
    verdicts: tuple[Verdict, ...] = ()
    explanations: tuple[dict[str, Any], ...] = ()


class Gate:
    """Lets threads decode as long as their pictures fit into memory together; one that is too large goes alone."""

    def __init__(self, limit: int) -> None:
        self._limit, self._inside = limit, 0
        self._changed = threading.Condition()

    @contextmanager
    def room(self, weight: int) -> Iterator[None]:
        """Wait for so many bytes, and give them back at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside == 0 or self._inside + weight <= self._limit)
            self._inside += weight
        try:
            yield
        finally:
            with self._changed:
                self._inside -= weight
                self._changed.notify_all()


class Looker:
    """Decodes, finds and cuts; called from several threads.

    Parameters
    ----------
    predictor : Predictor
        Its backend and detector must bear calls from several threads, as all of gafas's do.
    max_pixels : int
        Larger pictures are refused by what their header says.
    pixel_memory : int
        Bytes for pictures that are decoded at the same time.
    """

    def __init__(self, predictor: Predictor, *, max_pixels: int, pixel_memory: int) -> None:
        self._predictor, self._max_pixels = predictor, max_pixels
        self._gate = Gate(pixel_memory)

    def look(self, data: bytes, wish: Wish) -> Looked:
        """Return what is on an image; a picture that cannot be read gives a `Failure`."""
        try:
            with self._gate.room(memory_of(io.BytesIO(data), max_pixels=self._max_pixels)):
                return self._look(decode(data, max_pixels=self._max_pixels), wish)
        except ImageError as error:
            return Looked(failure=Failure(_code(error), str(error)))

    def explain(self, looked: Looked) -> tuple[dict[str, Any], ...]:
        """Return what the scores of the first regions rest on; see `gafas.server.explaining`."""
        pairs = list(zip(looked.boxes, looked.patches, strict=True))[:MOST_FACES]
        return tuple(explanation_of(self._predictor, box, patch) for box, patch in pairs)

    def _look(self, image: Rgb, wish: Wish) -> Looked:
        boxes = self._predictor.find(image, region=wish.region)
        # Copies, as a patch may be a view that would hold the whole image.
        patches = tuple(np.array(patch) for patch in self._predictor.cut(image, boxes))
        return Looked((image.shape[0], image.shape[1]), boxes, patches)


def _code(error: ImageError) -> str:
    if isinstance(error, NotAnImageError):
        return "not_an_image"
    return "too_many_pixels" if isinstance(error, TooManyPixelsError) else "broken_image"
