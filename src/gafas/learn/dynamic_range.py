"""Round convolution weights before TFLite does, and repair what rounding shifts.

Dynamic-range conversion rounds each convolution's weights to 8 bits a channel. In MobileNetV2 the rounding
moves the mean of whole channels, and the shifts add up to the logit. Here the weights are put on the
converter's grid first, and each BatchNorm's offset then takes back the shift that is measured on training
pictures, layer by layer. Source: Nagel et al. 2019, *Data-Free Quantization Through Weight Equalization and
Bias Correction*, section 4.2 (empirical bias correction).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.imaging import Rgb
from gafas.learn.backend import keras

_LEVELS = 127

_SMALLEST = 1024
"""Kernels with fewer values stay float32 in the converter."""

Visit = Callable[[Any, NDArray[Any]], NDArray[Any]]


def correct_biases(model: Any, images: Rgb) -> None:
    """Round the backbone's convolutions to 8 bits a channel and correct the offsets after them.

    Parameters
    ----------
    model : keras.Model
        An inference model as `gafas.learn.model.build_network` makes it; changed in place.
    images : uint8 array (n, height, width, 3)
        Training pictures; about a hundred are enough. Never those that the result is judged on.
    """
    backbone = model.get_layer("mobilenet_v2")
    pixels = keras.ops.convert_to_numpy(model.get_layer("rescale")(images.astype(np.float32)))
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    convolutions = {
        id(layer.output): layer
        for layer in backbone.layers
        if isinstance(layer, kinds) and math.prod(layer.kernel.shape) >= _SMALLEST
    }
    norms = {id(layer): layer for layer in backbone.layers if id(layer.input) in convolutions}
    means: dict[int, NDArray[Any]] = {}

    def remember(layer: Any, value: NDArray[Any]) -> NDArray[Any]:
        if id(layer) in norms:
            means[id(layer)] = value.mean((0, 1, 2))
        return value

    def correct(layer: Any, value: NDArray[Any]) -> NDArray[Any]:
        if id(layer) not in norms:
            return value
        shift = means[id(layer)] - value.mean((0, 1, 2))
        layer.beta.assign(keras.ops.convert_to_numpy(layer.beta) + shift)
        corrected: NDArray[Any] = value + shift
        return corrected

    _walk(backbone, pixels, remember)
    for norm in norms.values():
        _round_kernel(convolutions[id(norm.input)], norm)
    _walk(backbone, pixels, correct)


def _walk(backbone: Any, pixels: NDArray[Any], visit: Visit) -> None:
    # Layer by layer, so that each is corrected on what the corrected ones before it give.
    layers = backbone.layers[1:]
    last_use = {id(given): layer for layer in layers for given in _inputs(layer)}
    values = {id(backbone.input): pixels}
    for layer in layers:
        source = [values[id(given)] for given in _inputs(layer)]
        output = layer(source if len(source) > 1 else source[0])
        values[id(layer.output)] = visit(layer, np.asarray(keras.ops.convert_to_numpy(output)))
        for given in _inputs(layer):
            # All feature maps of a hundred pictures together are gigabytes.
            if last_use[id(given)] is layer:
                del values[id(given)]


def _inputs(layer: Any) -> list[Any]:
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _round_kernel(convolution: Any, norm: Any) -> None:
    gamma, _, _, variance = (keras.ops.convert_to_numpy(weight) for weight in norm.weights)
    kernel = keras.ops.convert_to_numpy(convolution.kernel)
    # The converter folds the norm's factor into the kernel before it rounds.
    factor = gamma / np.sqrt(variance + norm.epsilon)
    factor[factor == 0] = 1
    # Depthwise kernels are (3, 3, channels, 1), the others (1, 1, in, out).
    channel = 2 if isinstance(convolution, keras.layers.DepthwiseConv2D) else 3
    factor = factor.reshape([len(factor) if axis == channel else 1 for axis in range(4)])
    folded = kernel * factor
    others = tuple(axis for axis in range(4) if axis != channel)
    step = np.abs(folded).max(axis=others, keepdims=True) / _LEVELS
    step[step == 0] = 1
    convolution.kernel.assign(np.round(folded / step) * step / factor)
