"""Random views of training images: the notebook's flip and rotation, as Keras layers and as OpenCV makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gafas.imaging import Rgb
from gafas.learn.backend import backend_name, keras


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


@dataclass(frozen=True, slots=True)
class Turns:
    """What happens to each of n images: first the flip, then the rotation.

    Attributes
    ----------
    flip : str
        As Keras's RandomFlip calls it.
    flipped : bool array (n,)
    angles : float array (n,)
        In radians.
    """

    flip: str
    flipped: NDArray[np.bool_]
    angles: NDArray[np.float32]


class TurnDrawer:
    """Draws for `count` images in batches what the augmentation layers would, from their own generators.

    Parameters
    ----------
    layers : keras.Sequential
        Of `augmentation`.
    """

    def __init__(self, layers: Any, count: int, *, batch_size: int) -> None:
        self._flip, self._rotation = layers.layers
        self._sizes = [min(batch_size, count - start) for start in range(0, count, batch_size)]
        self._draw: Any = self._draw_all
        if backend_name() == "tensorflow":
            import tensorflow as tf

            # Two small operations for each batch: one by one they take longer than the head's steps.
            self._draw = tf.function(self._draw_all)

    def __call__(self) -> Turns:
        """Draw one epoch; the generators stand where it begins, and move on."""
        flips, degrees = (np.asarray(keras.ops.convert_to_numpy(values)) for values in self._draw())
        return Turns(self._flip.mode, flips <= 0.5, np.deg2rad(degrees))

    def _draw_all(self) -> tuple[Any, Any]:
        low, high = (360 * turns for turns in self._rotation.factor)
        flips = [keras.random.uniform((size, 1, 1, 1), seed=self._flip.generator) for size in self._sizes]
        degrees = [keras.random.uniform((size,), low, high, seed=self._rotation.generator) for size in self._sizes]
        return keras.ops.ravel(keras.ops.concatenate(flips)), keras.ops.concatenate(degrees)


def turned(image: Rgb, flip: str, flipped: bool, angle: float) -> NDArray[np.float32]:
    """Return one image flipped and turned about its middle; bilinear, the corners filled by reflection.

    The same pixels as `augmentation`'s layers make, from one reading of the image instead of two.
    OpenCV before version 5 rounds places to 1/32 pixel.

    Parameters
    ----------
    image : uint8 array (height, width, 3)
    flip, flipped, angle
        As in `Turns`.

    Returns
    -------
    float32 array (height, width, 3), 0-255
    """
    height, width = image.shape[:2]
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    across = np.arange(width, dtype=np.float32)[None] - np.float32(middle_x)
    down = np.arange(height, dtype=np.float32)[:, None] - np.float32(middle_y)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x, y = cosine * across - sine * down, sine * across + cosine * down
    # A flipped image at x is the image at -x, seen from its middle; so is its reflection beyond the edges.
    x = np.float32(middle_x) + (-x if flipped and "horizontal" in flip else x)
    y = np.float32(middle_y) + (-y if flipped and "vertical" in flip else y)
    return np.asarray(cv2.remap(image.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
