"""Batches of random views, made beside the training; each follows from seed, epoch and place alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gafas.imaging import Rgb
from gafas.learn.backend import keras
from gafas.learn.glasses import Glasses
from gafas.learn.grafting import graft
from gafas.learn.portraits import Portraits
from gafas.learn.turning import Worn
from gafas.learn.views import ViewConfig, random_view
from gafas.learn.wearing import OUTPUTS, PasteConfig, dress
from gafas.values import EYEWEAR

# The views are small: OpenCV's own threads would only take time from the training.
cv2.setNumThreads(1)


class ViewFeed(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """One epoch of random views of portraits, in batches, with the target of one output.

    Parameters
    ----------
    portraits : Portraits
    pool : int array
        Places in `portraits`; each is shown once.
    size, batch_size, seed, epoch : int
    margin : float
    views : ViewConfig
    """

    def __init__(
        self,
        portraits: Portraits,
        pool: NDArray[np.int64],
        *,
        size: int,
        batch_size: int,
        margin: float,
        seed: int,
        epoch: int,
        views: ViewConfig,
    ) -> None:
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=16)
        self.portraits, self.views = portraits, views
        self._targets = portraits.targets
        self._size, self._margin, self._batch = size, margin, batch_size
        self._seed, self._epoch = seed, epoch
        self._order = np.random.default_rng([seed, epoch]).permutation(pool)

    def __len__(self) -> int:
        """Return the number of full batches; what is left over comes another time."""
        return max(1, len(self._order) // self._batch)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Make one batch: images (n, size, size, 3) and targets (n, outputs)."""
        random = np.random.default_rng([self._seed, self._epoch, index])
        chosen = self._order[index * self._batch : (index + 1) * self._batch]
        made = [self._one(int(place), random) for place in chosen]
        return np.stack([view for view, _ in made]).astype(np.float32), np.stack([target for _, target in made])

    def _one(self, place: int, random: np.random.Generator) -> tuple[Rgb, NDArray[np.float32]]:
        image, worn, target = self.dress(place, random)
        box = self.portraits.boxes[place]
        return random_view(image, box, self._size, random, self.views, margin=self._margin, worn=worn), target

    def dress(
        self,
        place: int,
        random: np.random.Generator,  # noqa: ARG002  # others need it
    ) -> tuple[Rgb, Worn | None, NDArray[np.float32]]:
        """Return the photograph, what is added to it, and the targets: here nothing is added."""
        return self.portraits.photographs[place], None, self._targets[place : place + 1].astype(np.float32)


class FaceFeed(ViewFeed):
    """Every face once, bare ones twice, for they get pasted glasses; targets of `OUTPUTS`.

    Parameters
    ----------
    overlays : sequence of Glasses
    paste : PasteConfig
    others
        As `ViewFeed`.
    """

    def __init__(self, portraits: Portraits, overlays: Sequence[Glasses], *, paste: PasteConfig, **others: Any) -> None:
        self._eyewear = portraits.eyewear
        bare = np.flatnonzero(self._eyewear == EYEWEAR.index("none"))
        super().__init__(portraits, np.concatenate([np.arange(len(self._eyewear)), bare]), **others)
        self._overlays, self._paste = tuple(overlays), paste

    def dress(self, place: int, random: np.random.Generator) -> tuple[Rgb, Worn | None, NDArray[np.float32]]:
        """Perhaps put in somebody else's eyes, perhaps paste glasses; see `graft` and `dress`."""
        portraits = self.portraits
        photograph, box, eyewear = portraits.photographs[place], portraits.boxes[place], int(self._eyewear[place])
        if random.random() < self._paste.graft:
            donor = int(random.choice(self._order))
            grafted = graft(photograph, box, portraits.photographs[donor], portraits.boxes[donor], random)
            if grafted is not photograph:
                photograph, eyewear = grafted, int(self._eyewear[donor])
        return dress(photograph, box, eyewear, self._overlays, random, self._paste)


def fixed_views(
    portraits: Portraits, views: ViewConfig, *, size: int, margin: float, count: int, seed: int
) -> tuple[Rgb, NDArray[np.float32]]:
    """Return `count` random views of each face as it is, nothing pasted, and the targets of `OUTPUTS`.

    Returns
    -------
    uint8 array (n * count, size, size, 3), float32 array (n * count, 2)
        All views of the first face, then of the second, …
    """
    random = np.random.default_rng(seed)
    bare = PasteConfig(dark=0, clear=0, hair=0, arms=0.5)
    images: list[Rgb] = []
    targets: list[Any] = []
    for photograph, box, eyewear in zip(portraits.photographs, portraits.boxes, portraits.eyewear, strict=True):
        for _ in range(count):
            _, worn, target = dress(photograph, box, int(eyewear), (), random, bare)
            images.append(random_view(photograph, box, size, random, views, margin=margin, worn=worn))
            targets.append(target)
    if not images:
        return np.zeros((0, size, size, 3), np.uint8), np.zeros((0, len(OUTPUTS)), np.float32)
    return np.stack(images), np.stack(targets)
