"""Static int8: near the float graph, smaller, and float where it must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gafas.bundle import ONNX, shipped_bundle
from gafas.imaging import Rgb
from gafas.runtime.backends import open_model
from tests.faces import SEEDS, portrait

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def crops() -> Rgb:
    """Drawn faces as the shipped model takes them, in several lights; (24, 112, 112, 3)."""
    lights = np.linspace(0.3, 1.2, 12)
    faces = [portrait(seed, (112, 112)) for seed in SEEDS]
    return np.stack([(face * light).clip(0, 255).astype(np.uint8) for face in faces for light in lights])


@pytest.fixture(scope="module")
def quantized(crops: Rgb) -> Any:
    import onnx

    from gafas.learn.int8 import keep_ends, quantize

    return quantize(onnx.load(shipped_bundle() / ONNX), crops, keep=keep_ends)


def test_it_says_nearly_the_same(quantized: Any, crops: Rgb, tmp_path: Path) -> None:
    path = tmp_path / "int8.onnx"
    path.write_bytes(quantized.SerializeToString())
    want, got = (open_model(one).probabilities(crops) for one in (shipped_bundle() / ONNX, path))
    assert np.abs(want - got).mean() < 0.1
    assert path.stat().st_size < 0.65 * (shipped_bundle() / ONNX).stat().st_size


def test_the_first_convolutions_and_the_head_stay_float(quantized: Any) -> None:
    made_by = {name: node.op_type for node in quantized.graph.node for name in node.output}
    convolutions = [node for node in quantized.graph.node if node.op_type == "Conv"]
    kinds = ["int8" if made_by.get(node.input[1]) == "DequantizeLinear" else "float" for node in convolutions]
    assert kinds[:3] == ["float"] * 3
    assert set(kinds[3:]) == {"int8"}
    (head,) = [node for node in quantized.graph.node if node.op_type in {"Gemm", "MatMul"}]
    assert made_by.get(head.input[1]) != "DequantizeLinear"


def test_few_pictures_are_one_smaller_batch(crops: Rgb) -> None:
    import onnx

    from gafas.learn.int8 import keep_ends, quantize

    assert quantize(onnx.load(shipped_bundle() / ONNX), crops[:3], keep=keep_ends).graph.node


def test_nothing_is_printed(crops: Rgb, capfd: pytest.CaptureFixture[str]) -> None:
    import onnx

    from gafas.learn.int8 import keep_ends, quantize

    capfd.readouterr()
    quantize(onnx.load(shipped_bundle() / ONNX), crops[:2], keep=keep_ends)
    assert capfd.readouterr().out == ""
