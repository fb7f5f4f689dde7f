"""Random views of training images: the notebook's flip and rotation, as Keras layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from gafas.imaging import Rgb
from gafas.learn.backend import keras


def augmentation(*, flip: str, rotation: float, seed: int) -> Any:
    """Build the augmentation layers: RandomFlip, then RandomRotation by up to ±`rotation` turns.

    The corners that a rotation uncovers are filled by reflection, Keras's default.
    """
    return keras.Sequential(
        [
            keras.layers.RandomFlip(flip, seed=seed),
            keras.layers.RandomRotation(rotation, seed=seed + 1),
        ],
        name="augmentation",
    )


def augmented_views(image: Rgb, n: int, *, seed: int, flip: str = "horizontal", rotation: float = 0.2) -> Rgb:
    """Return `n` random views of one image.

    Parameters
    ----------
    image : uint8 array (height, width, 3)
    n : int
    seed : int
    flip, rotation
        As in the recipe.

    Returns
    -------
    uint8 array (n, height, width, 3)
    """
    layers = augmentation(flip=flip, rotation=rotation, seed=seed)
    batch = np.repeat(image[None].astype(np.float32), n, axis=0)
    views = keras.ops.convert_to_numpy(layers(batch, training=True))
    return np.asarray(views).clip(0, 255).round().astype(np.uint8)
