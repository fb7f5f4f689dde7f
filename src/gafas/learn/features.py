"""The frozen part of a MobileNetV2 on ONNX Runtime: the same numbers as Keras gives, several times faster.

Its graph is written layer by layer from the weights as they are, which takes a tenth of a second and works with every
Keras backend; a general conversion takes longer than this saves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper

from gafas.learn.backend import keras

Floats = NDArray[np.float32]

_BATCH = 4
"""So few that the first maps, the largest, stay in a core's cache; each core has a batch of its own."""

_OPSET = 17


class FrozenPart:
    """What a backbone's first layers make of pixels.

    Parameters
    ----------
    backbone : keras.Model
        MobileNetV2 without top; it takes pixels that are scaled to [-1, 1]. Its weights are copied as they are now.
    until : int or None
        Number of the last layer that is computed; ``None`` for all of them, averaged over the map.

    Attributes
    ----------
    output_shape : tuple of int
        Of one image's activations.
    """

    def __init__(self, backbone: Any, *, until: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        layers = backbone.layers if until is None else backbone.layers[: until + 1]
        graph = write_graph(layers, pooled=until is None)
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.output_shape = tuple(self._session.get_outputs()[0].shape[1:])

    def __call__(self, images: NDArray[Any]) -> Floats:
        """Return the activations of images (n, height, width, 3) with pixels 0-255, of any number type.

        Returns
        -------
        float32 array (n, height, width, channels), or (n, channels) where averaged
        """
        return self.of_batches(len(images), lambda part: images[part])

    def of_batches(self, count: int, make: Callable[[slice], NDArray[Any]]) -> Floats:
        """Return the activations of `count` images that are made batch by batch, on all cores.

        Parameters
        ----------
        make : callable
            Which places → their images, as `__call__` takes them; called from several threads.
        """
        outputs = np.empty((count, *self.output_shape), np.float32)

        def compute(part: slice) -> None:
            images = make(part).astype(np.float32, copy=False)
            outputs[part] = self._session.run(None, {"image": images})[0]

        with ThreadPoolExecutor(cores()) as pool:
            for _ in pool.map(compute, batches(count, _BATCH)):
                pass
        return outputs


def batches(count: int, size: int) -> list[slice]:
    """Return the places of `count` images in batches of `size`; the last may have fewer."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def cores() -> int:
    """Return how many cores this process may use: what is left to a fold of a cross-validation, else all."""
    given = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else os.cpu_count() or 1


def single_cut(backbone: Any, before: int) -> int:
    """Return the last layer before number `before` whose output is all that the layers after it take.

    A residual connection goes around most layers: a cut there would have two tensors.
    """
    numbers = {layer.output.name: number for number, layer in enumerate(backbone.layers)}
    reaches = {}
    for number, layer in enumerate(backbone.layers[1:], start=1):
        for tensor in _inputs(layer):
            reaches[numbers[tensor.name]] = number
    return max(cut for cut in range(max(1, before)) if all(reaches[n] <= cut for n in range(cut)))


def probabilities(inference: Any, images: NDArray[Any]) -> NDArray[np.float64]:
    """Return the outputs of an inference network of ours: MobileNetV2, average, one dense layer, sigmoid.

    Parameters
    ----------
    inference : keras.Model
        Of `gafas.learn.model.Network` or `gafas.learn.face_model.FaceNetwork`.
    images : array (n, height, width, 3)
        Pixels 0-255.

    Returns
    -------
    float64 array (n, outputs)
    """
    from scipy.special import expit

    head = next(layer for layer in inference.layers if isinstance(layer, keras.layers.Dense))
    features = FrozenPart(inference.get_layer("mobilenet_v2"))(images).astype(np.float64)
    return np.asarray(expit(features @ as_array(head.kernel) + as_array(head.bias)))


def as_array(variable: Any) -> NDArray[Any]:
    """Return a Keras variable's values."""
    return np.asarray(keras.ops.convert_to_numpy(variable))


def _inputs(layer: Any) -> list[Any]:
    return layer.input if isinstance(layer.input, list) else [layer.input]


def write_graph(layers: Sequence[Any], *, pooled: bool) -> bytes:
    """Return the ONNX graph of a MobileNetV2's first layers, with the scaling of the pixels before them.

    Parameters
    ----------
    layers : sequence of keras.layers.Layer
        In their order, the input first; the output of the last one, averaged over the map where `pooled`, is the
        graph's.

    Raises
    ------
    TypeError
        A layer of a kind that MobileNetV2 does not have.
    """
    writer = _Writer(layers[0].output.name)
    for layer in layers[1:]:
        writer.add(layer)
    last = layers[-1].output
    if pooled:
        writer.node("GlobalAveragePool", [last.name], "pooled")
        writer.node("Flatten", ["pooled"], "activations", axis=1)
        shape = [last.shape[-1]]
    else:
        writer.node("Transpose", [last.name], "activations", perm=[0, 2, 3, 1])
        shape = list(last.shape[1:])
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", *layers[0].output.shape[1:]])
    output = helper.make_tensor_value_info("activations", TensorProto.FLOAT, ["n", *shape])
    graph = helper.make_graph(writer.nodes, "frozen", [image], [output], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    checker.check_model(model)
    return bytes(model.SerializeToString())


class _Writer:
    """The nodes so far; tensors bear Keras's names."""

    def __init__(self, start: str) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._padded: dict[str, tuple[str, list[int]]] = {}
        scale = self._constant("scale", np.array(1 / 127.5, np.float32))
        one = self._constant("one", np.array(1.0, np.float32))
        self.node("Transpose", ["image"], "channels_first", perm=[0, 3, 1, 2])
        self.node("Mul", ["channels_first", scale], "scaled")
        self.node("Sub", ["scaled", one], start)

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        """Add one node."""
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))

    def add(self, layer: Any) -> None:
        """Add what one Keras layer computes."""
        inputs, output = [tensor.name for tensor in _inputs(layer)], layer.output.name
        if isinstance(layer, keras.layers.ZeroPadding2D):
            (top, bottom), (left, right) = layer.padding
            self._padded[output] = (inputs[0], [top, left, bottom, right])
        elif isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            self._convolution(layer, inputs[0], output)
        elif isinstance(layer, keras.layers.BatchNormalization):
            names = ("gamma", "beta", "moving_mean", "moving_variance")
            values = [self._constant(f"{layer.name}/{n}", as_array(getattr(layer, n))) for n in names]
            self.node("BatchNormalization", [inputs[0], *values], output, epsilon=layer.epsilon)
        elif isinstance(layer, keras.layers.ReLU):
            bounds = [self._constant(f"{layer.name}/{b}", np.array(b, np.float32)) for b in (0.0, layer.max_value)]
            self.node("Clip", [inputs[0], *bounds], output)
        elif isinstance(layer, keras.layers.Add):
            self.node("Add", inputs, output)
        else:
            raise TypeError(f"{layer.name}: expected a layer of MobileNetV2, got {type(layer).__name__}")

    def _convolution(self, layer: Any, given: str, output: str) -> None:
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        kernel = as_array(layer.kernel)
        # Keras: height, width, in, out (depthwise: height, width, channels, 1); ONNX: out, in, height, width.
        order = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
        weights = self._constant(f"{layer.name}/kernel", np.ascontiguousarray(kernel.transpose(order)))
        padding: dict[str, Any] = {}
        if given in self._padded:
            given, padding["pads"] = self._padded[given]
        elif layer.padding == "same":
            padding["auto_pad"] = "SAME_UPPER"
        groups = kernel.shape[2] if depthwise else 1
        self.node("Conv", [given, weights], output, strides=layer.strides, group=groups, **padding)

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(values, name))
        return name
