"""Faces of a labelled data set in memory: the photograph around each face, its box, and its plain crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gafas.errors import DataError, ImageError
from gafas.imaging import Rgb, read_image
from gafas.learn.pictures import Pictures
from gafas.runtime.faces import FaceDetector, cut_patch
from gafas.runtime.predictor import whole_image
from gafas.values import EYEWEAR, Dataset, FaceBox, Sample

_AROUND = 1.2
"""How far around a face the photograph is kept for random views, in long sides of its box, to each side."""


@dataclass(frozen=True, slots=True)
class Portraits(Pictures):
    """Samples with one face each; `images` are the plain crops that serving would make.

    Attributes
    ----------
    photographs : tuple of uint8 arrays
        The surroundings of each face, of any size.
    boxes : tuple of FaceBox
        In the pixels of `photographs`; the whole picture where no face was found.
    """

    photographs: tuple[Rgb, ...] = ()
    boxes: tuple[FaceBox, ...] = ()

    @property
    def eyewear(self) -> NDArray[np.int64]:
        """Index in `EYEWEAR` of each sample; (n,).

        Raises
        ------
        DataError
            The data set does not say of every sample whether clear glasses are worn.
        """
        unknown = [sample.path for sample in self.samples if sample.eyewear is None]
        if unknown:
            raise DataError(
                f"{unknown[0]}: not known whether clear glasses are worn ({len(unknown)} such); this recipe needs "
                "the folders none, eyeglasses and sunglasses"
            )
        return np.array([EYEWEAR.index(sample.eyewear) for sample in self.samples if sample.eyewear], dtype=np.int64)

    def take(self, paths: Sequence[str]) -> Portraits:
        """Return the portraits of `paths`, in that order; errors as `Pictures.take`."""
        plain = Pictures.take(self, paths)
        index = {sample.path: i for i, sample in enumerate(self.samples)}
        chosen = [index[path] for path in paths]
        return Portraits(
            plain.samples,
            plain.images,
            tuple(self.photographs[i] for i in chosen),
            tuple(self.boxes[i] for i in chosen),
        )


def load_portraits(
    dataset: Dataset,
    samples: Sequence[Sample],
    *,
    size: int,
    margin: float,
    skip_broken: bool = False,
    threads: int = 0,
) -> tuple[Portraits, tuple[str, ...]]:
    """Decode samples, find the main face of each, and cut it out; parameters and errors as `load_pictures`.

    Where no face is found the whole picture stands for it, as in serving.
    """
    # What is learnt from must not depend on the machine.
    detector = FaceDetector(threads=threads, thorough=True)
    kept: list[Sample] = []
    photographs: list[Rgb] = []
    boxes: list[FaceBox] = []
    crops: list[Rgb] = []
    broken: list[tuple[str, str]] = []
    for sample in samples:
        try:
            image = read_image(dataset.root / sample.path)
        except ImageError as error:
            broken.append((sample.path, str(error)))
            continue
        box = main_face(detector.detect(image))
        kept.append(sample)
        crops.append(cut_patch(image, box, (size, size), margin=margin))
        around, placed = _surroundings(image, box or whole_image(image))
        photographs.append(around)
        boxes.append(placed)
    if broken and not skip_broken:
        raise DataError(
            f"{broken[0][1]} ({len(broken)} of {len(samples)} images cannot be read); "
            "take them away or pass --skip-broken"
        )
    if not kept:
        raise DataError(f"{dataset.root}: none of the {len(samples)} images can be read")
    portraits = Portraits(tuple(kept), np.stack(crops), tuple(photographs), tuple(boxes))
    return portraits, tuple(path for path, _ in broken)


def main_face(faces: Sequence[FaceBox]) -> FaceBox | None:
    """Return the largest face, ``None`` where there is none."""
    return max(faces, key=lambda box: box.area, default=None)


def _surroundings(image: Rgb, box: FaceBox) -> tuple[Rgb, FaceBox]:
    """Cut a large photograph down to what random views may show, so that thousands fit in memory."""
    reach = round(_AROUND * max(box.width, box.height))
    left, top = max(0, box.x0 - reach), max(0, box.y0 - reach)
    part = image[top : box.y1 + reach, left : box.x1 + reach].copy()
    points = None if box.landmarks is None else tuple((x - left, y - top) for x, y in box.landmarks)
    moved = replace(box, x0=box.x0 - left, y0=box.y0 - top, x1=box.x1 - left, y1=box.y1 - top, landmarks=points)
    return part, moved
