"""Decoded images of a data set in memory, each decoded once; the unreadable ones are named, never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gafas.errors import DataError, ImageError
from gafas.imaging import Rgb, read_image, stack
from gafas.values import Dataset, Sample


@dataclass(frozen=True, slots=True)
class Pictures:
    """Samples and their pixels, in the same order.

    Attributes
    ----------
    samples : tuple of Sample
    images : uint8 array (n, height, width, 3), RGB, 0-255
    """

    samples: tuple[Sample, ...]
    images: Rgb

    @property
    def targets(self) -> NDArray[np.int64]:
        """1 for sunglasses, 0 for none; (n,)."""
        return np.array([sample.target for sample in self.samples], dtype=np.int64)

    def take(self, paths: Sequence[str]) -> Pictures:
        """Return the pictures of `paths`, in that order.

        Raises
        ------
        DataError
            A path is not among the pictures.
        """
        index = {sample.path: i for i, sample in enumerate(self.samples)}
        missing = [path for path in paths if path not in index]
        if missing:
            raise DataError(f"{missing[0]}: the split names it, the data set does not have it ({len(missing)} such)")
        chosen = [index[path] for path in paths]
        return Pictures(tuple(self.samples[i] for i in chosen), self.images[chosen])


def load_pictures(
    dataset: Dataset, samples: Sequence[Sample], *, size: int, skip_broken: bool = False
) -> tuple[Pictures, tuple[str, ...]]:
    """Decode samples and stretch them to `size` × `size` pixels.

    Returns
    -------
    Pictures, tuple of str
        What could be read; the paths of what could not (only with `skip_broken`).

    Raises
    ------
    DataError
        A file cannot be read and `skip_broken` is false, or none is left.
    """
    kept: list[Sample] = []
    images: list[Rgb] = []
    broken: list[tuple[str, str]] = []
    for sample in samples:
        try:
            images.append(read_image(dataset.root / sample.path))
            kept.append(sample)
        except ImageError as error:
            broken.append((sample.path, str(error)))
    if broken and not skip_broken:
        raise DataError(
            f"{len(broken)} of {len(samples)} images cannot be read; the first: {broken[0][1]}; "
            "repair them, or pass --skip-broken"
        )
    if not kept:
        raise DataError(f"{dataset.root}: none of the {len(samples)} images can be read")
    return Pictures(tuple(kept), stack(images, (size, size))), tuple(path for path, _ in broken)
