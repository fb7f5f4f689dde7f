"""What the shipped model's layers make of training pictures: computed once, for all ways of adapting it."""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gafas.imaging import Rgb
from gafas.learn.features import FrozenPart
from gafas.learn.portraits import Portraits
from gafas.learn.views import ViewConfig, random_view

Floats = NDArray[np.float32]

View = Literal["plain", "mirrored"] | int
"""A picture as it is, its mirror image, or the random view of a round."""

_KEPT = 1 << 30


@dataclass(slots=True)
class Store:
    """Activations of single views, up to a limit; the folds of a cross-validation that one process runs share them.

    Attributes
    ----------
    limit, used : int
        Bytes.
    """

    limit: int = _KEPT
    used: int = 0
    rows: dict[Hashable, Floats] = field(default_factory=dict)

    def keep(self, key: Hashable, row: Floats) -> None:
        """Keep one view's activations while there is room."""
        if self.used + row.nbytes <= self.limit:
            self.rows[key] = row.copy()
            self.used += row.nbytes


class SeenPictures:
    """Activations of training pictures and their random views.

    A view follows from the seed, its round and the picture alone: other pictures may be left out, as for inner
    validation, and the view stays what it is.

    Parameters
    ----------
    portraits : Portraits
    part, whole : FrozenPart
        Up to the layer from which the model is tuned, and up to the features that its head sees; always those of the
        shipped model, where a `store` is shared.
    size : int
        Side of a view, in pixels.
    margin : float
    views : ViewConfig
    seed : int
    store : Store
    """

    def __init__(
        self,
        portraits: Portraits,
        part: FrozenPart,
        whole: FrozenPart,
        *,
        size: int,
        margin: float,
        views: ViewConfig,
        seed: int,
        store: Store,
    ) -> None:
        self._portraits, self._part, self._whole, self._store = portraits, part, whole, store
        self._size, self._margin, self._views, self._seed = size, margin, views, seed
        self._places = {sample.path: place for place, sample in enumerate(portraits.samples)}
        self._pictures = [
            (zlib.crc32(sample.path.encode()), zlib.crc32(photograph.tobytes()), box)
            for sample, photograph, box in zip(portraits.samples, portraits.photographs, portraits.boxes, strict=True)
        ]

    def places(self, portraits: Portraits) -> NDArray[np.int64]:
        """Return where some of the pictures are; (m,)."""
        return np.array([self._places[sample.path] for sample in portraits.samples], dtype=np.int64)

    def features(self, view: View, places: NDArray[np.int64]) -> Floats:
        """Return the head's features of one view of some pictures; (m, features)."""
        return self._rows(self._whole, view, places)

    def activations(self, view: View, places: NDArray[np.int64]) -> Floats:
        """Return the activations before the tuned layers of one view of some pictures; (m, height, width, channels)."""
        return self._rows(self._part, view, places)

    def _rows(self, part: FrozenPart, view: View, places: NDArray[np.int64]) -> Floats:
        recipe = (part.output_shape, view, self._seed, self._size, self._margin, self._views)
        keys = [(recipe, self._pictures[place]) for place in places]
        rows = {key: self._store.rows[key] for key in keys if key in self._store.rows}
        missing = {key: int(place) for key, place in zip(keys, places, strict=True) if key not in rows}
        if missing:
            wanted = list(missing.values())
            made = part.of_batches(len(wanted), lambda few: np.stack([self._view(i, view) for i in wanted[few]]))
            for key, row in zip(missing, made, strict=True):
                rows[key] = row
                self._store.keep(key, row)
        return np.stack([rows[key] for key in keys])

    def _view(self, place: int, view: View) -> Rgb:
        portraits = self._portraits
        if view == "plain":
            return np.asarray(portraits.images[place])
        if view == "mirrored":
            return np.asarray(portraits.images[place][:, ::-1])
        random = np.random.default_rng([self._seed, view, self._pictures[place][0]])
        photograph, box = portraits.photographs[place], portraits.boxes[place]
        return random_view(photograph, box, self._size, random, self._views, margin=self._margin)
