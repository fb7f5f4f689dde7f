"""Static int8: an ONNX graph whose convolutions calculate with 8-bit integers, scaled by what pictures show.

Ranges of activations are cut at a percentile, weights are scaled channel by channel. Source: Nagel, M.,
Fournarakis, M., Amjad, R. A., Bondarenko, Y., van Baalen, M., and Blankevoort, T. (2021). A White Paper on Neural
Network Quantization.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gafas.imaging import Rgb
from gafas.learn.evidence import drop_evidence

PERCENTILE = 99.99
"""Of the activations, what the 8-bit range holds; single outliers would make its steps coarse for all others."""

_BATCH = 16
_OPSET = 13  # the first with one scale for each channel

Keep = Callable[[Sequence[Any]], set[str]]
"""Nodes in order → names of those that stay float32."""


def quantize(model: Any, images: Rgb, *, keep: Keep) -> Any:
    """Return the graph with static int8 convolutions.

    Parameters
    ----------
    model : onnx.ModelProto
        One image input (n, height, width, 3), 0-255, float32 or uint8.
    images : uint8 array (n, height, width, 3)
        Training pictures, at least one; a few hundred are enough. Never those that the result is judged on.
    keep : callable
        What stays float32.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    # ONNX Runtime's quantiser does not look into branches.
    model = drop_evidence(model)
    with tempfile.TemporaryDirectory(prefix="gafas-int8-") as scratch, _silence():
        folded, target = Path(scratch) / "folded.onnx", Path(scratch) / "int8.onnx"
        nodes = _fold(model, folded)

        def write(method: CalibrationMethod) -> None:
            quantize_static(
                folded,
                target,
                _reader(model, images),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=method,
                nodes_to_exclude=sorted(keep(nodes)),
                extra_options={"CalibPercentile": PERCENTILE},
            )

        try:
            write(CalibrationMethod.Percentile)
        except ValueError:
            # In a network that has learnt next to nothing a map may hold one value only, which has no percentile.
            write(CalibrationMethod.MinMax)
        quantized = onnx.load(target)
    onnx.checker.check_model(quantized)
    return quantized


def keep_ends(nodes: Sequence[Any]) -> set[str]:
    """Keep the first three convolutions and the head of a classifier.

    On held-out portraits under fixed conditions the first ones cause most of what int8 costs: they see all of the
    pixels' range in a few channels.
    """
    convolutions = [node.name for node in nodes if node.op_type == "Conv"]
    return {*convolutions[:3], *(node.name for node in nodes if node.op_type in {"Gemm", "MatMul", "Sigmoid"})}


def _fold(model: Any, target: Path) -> list[Any]:
    """Write the graph with casts and norms folded and every node named; return its nodes."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if _opset(model) < _OPSET:
        model = onnx.version_converter.convert_version(model, _OPSET)
    with tempfile.TemporaryDirectory(prefix="gafas-int8-") as scratch:
        source = Path(scratch) / "source.onnx"
        onnx.save(model, source)
        quant_pre_process(str(source), str(target), skip_symbolic_shape=True)
    folded = onnx.load(target)
    for place, node in enumerate(folded.graph.node):
        node.name = node.name or f"{node.op_type}_{place}"
    onnx.save(folded, target)
    return list(folded.graph.node)


def _opset(model: Any) -> int:
    return next(int(entry.version) for entry in model.opset_import if entry.domain in {"", "ai.onnx"})


def _reader(model: Any, images: Rgb) -> Any:
    from onnx import TensorProto
    from onnxruntime.quantization import CalibrationDataReader

    given = model.graph.input[0]
    kind = np.uint8 if given.type.tensor_type.elem_type == TensorProto.UINT8 else np.float32
    # The percentile's histogram takes batches of one size only; what is left over is left out.
    batch = min(_BATCH, len(images))
    starts = range(0, len(images) - batch + 1, batch)

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime ships no types
        def __init__(self) -> None:
            self._left = iter(starts)

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            start = next(self._left, None)
            return None if start is None else {given.name: images[start : start + batch].astype(kind)}

    return Reader()


@contextlib.contextmanager
def _silence() -> Any:
    """Keep the calibrator's prints and the root logger's warnings off the terminal."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
