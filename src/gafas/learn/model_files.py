"""A Keras model to a file of each format, and back from its own."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from gafas.bundle import ONNX, SAVED_MODEL
from gafas.errors import BundleError
from gafas.imaging import Rgb
from gafas.learn.backend import keras, quiet
from gafas.learn.evidence import add_evidence
from gafas.learn.halve import halve_weights
from gafas.learn.int8 import keep_ends, quantize

_OUTPUT = "probabilities"


def load_keras(path: Path) -> Any:
    """Load a ``.keras`` file; code inside it (Lambda layers) is refused.

    Raises
    ------
    BundleError
        The file is damaged or holds code.
    """
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras lets zipfile's, json's and its own errors out.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BundleError(f"{path}: not a usable Keras model: {reason}") from error


def save_saved_model(model: Any, target: Path) -> None:
    """Write a SavedModel with the signature ``serving_default``: ``image`` in, ``sunglasses`` out.

    Raises
    ------
    OSError
        It cannot be written; TensorFlow's own errors are none.
    """
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default",
        lambda image: {"sunglasses": model(image, training=False)},
        input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="image")],
    )
    try:
        archive.write_out(target, verbose=False)
    except tf.errors.OpError as error:
        reason = str(error.message).rpartition("; ")[2].partition(" [Op:")[0]
        raise OSError(errno.EIO, reason, str(target)) from error


def save_tflite(model: Any, target: Path, *, optimize: bool) -> None:
    """Write a TensorFlow Lite file, float32 or, with `optimize`, dynamic range."""
    import tensorflow as tf

    # The conversion from a SavedModel is the notebook's. The float one may have been made just before.
    saved = target.with_name(SAVED_MODEL)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        if optimize or not saved.is_dir():
            saved = Path(folder)
            save_saved_model(model, saved)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
        if optimize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        target.write_bytes(converter.convert())


def save_onnx(model: Any, target: Path, *, half: bool = False) -> None:
    """Write an inference model as ONNX: input ``image`` (n, h, w, 3) 0-255, output ``probabilities`` (n, outputs).

    With `half` the weights are stored as float16, see `gafas.learn.halve`. A network whose end is as
    `gafas.learn.evidence` knows it can also say where in the image its logits come from.
    """
    target.write_bytes(add_evidence(_to_onnx(model, target, half=half)).SerializeToString())


def _to_onnx(model: Any, scratch: Path, *, half: bool = False) -> Any:
    """Convert by way of a file `scratch`."""
    import onnx

    with quiet():
        # Keras exports only what has been called in this process.
        model(np.zeros((1, *model.input_shape[1:]), dtype=np.float32))
        model.export(scratch, format="onnx", verbose=False)
    graph_model = onnx.load(scratch)
    graph = graph_model.graph
    old = graph.output[0].name
    for node in graph.node:
        node.output[:] = [_OUTPUT if name == old else name for name in node.output]
        node.input[:] = [_OUTPUT if name == old else name for name in node.input]
    graph.output[0].name = _OUTPUT
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    if half:
        graph_model = halve_weights(graph_model)
    onnx.checker.check_model(graph_model)
    return graph_model


def save_int8(model: Any, target: Path, calibration: Rgb) -> None:
    """Write a static int8 ONNX file, scaled on training pictures; see `gafas.learn.int8`."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        quantized = quantize(_to_onnx(model, Path(folder) / ONNX), calibration, keep=keep_ends)
    target.write_bytes(add_evidence(quantized).SerializeToString())
