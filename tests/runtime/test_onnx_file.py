"""ONNX files that reach out of themselves, or whose size is absurd, are refused before they are opened."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gafas.bundle import ONNX, ONNX_INT8, TFLITE, Manifest, load_bundle, save_manifest, shipped_bundle
from gafas.errors import BundleError
from gafas.runtime import backends
from gafas.runtime.backends import EVIDENCE, can_explain, open_model
from gafas.runtime.onnx_file import drop_output, read_onnx_file
from gafas.runtime.predictor import load_predictor

OnnxMaker = Callable[..., None]


def external(location: str) -> Any:
    """A tensor whose values are in another file."""
    onnx = pytest.importorskip("onnx", reason="the train extra is not installed")
    tensor = onnx.numpy_helper.from_array(np.zeros((8, 8, 3), np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return tensor


def graph_with(path: Path, tensor: Any, *, where: str = "initializer") -> None:
    """Write a graph that adds a tensor to the pixels."""
    onnx = pytest.importorskip("onnx", reason="the train extra is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    constant = helper.make_node("Constant", [], ["w"], value=tensor)
    inside = helper.make_graph([constant], "inside", [], [helper.make_tensor_value_info("w", kind, [8, 8, 3])])
    choice = helper.make_node("If", ["yes"], ["w"], then_branch=inside, else_branch=inside)
    yes = onnx.numpy_helper.from_array(np.array(True), "yes")
    before = {"initializer": [], "constant": [constant], "branch": [choice]}[where]
    graph = helper.make_graph(
        [*before, helper.make_node("Add", ["image", "w"], ["sum"]), helper.make_node("Flatten", ["sum"], ["out"])],
        "g",
        [helper.make_tensor_value_info("image", kind, ["n", 8, 8, 3])],
        [helper.make_tensor_value_info("out", kind, ["n", 192])],
        [tensor, yes] if where == "initializer" else [yes],
    )
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


@pytest.mark.parametrize("where", ["initializer", "constant", "branch"])
@pytest.mark.parametrize("location", ["/etc/passwd", "../x", "beside.bin"])
def test_tensors_in_other_files(tmp_path: Path, location: str, where: str) -> None:
    (tmp_path / "beside.bin").write_bytes(np.full(192, 7, np.float32).tobytes())
    graph_with(tmp_path / ONNX, external(location), where=where)
    with pytest.raises(
        BundleError, match=r"model\.onnx: keeps tensors in another file, which no hash covers; expected"
    ):
        open_model(tmp_path / ONNX)
    save_manifest(tmp_path, Manifest(name="a", architecture="b", input_size=(8, 8)))
    with pytest.raises(BundleError, match="keeps tensors in another file"):
        load_predictor(tmp_path)


SUSPECT = b"\x12\x08location"
"""A field, the producer's name, whose word makes a file be looked through."""


@pytest.mark.parametrize("name", [ONNX, ONNX_INT8])
def test_our_own_files_pass(name: str, tmp_path: Path) -> None:
    file = load_bundle(shipped_bundle()).file(name)
    read_onnx_file(file)
    (tmp_path / name).write_bytes(file.read_bytes() + SUSPECT)
    read_onnx_file(tmp_path / name)


def test_damaged_files_are_left_to_onnx_runtime(tmp_path: Path, onnx_maker: OnnxMaker) -> None:
    onnx_maker(tmp_path / ONNX)
    data = SUSPECT + (tmp_path / ONNX).read_bytes()
    rng = np.random.default_rng(0)
    opened = 0
    for turn in range(200):
        changed = bytearray(data[: len(data) - turn % 50])
        for place in rng.integers(0, len(changed), 1 + turn % 4):
            changed[place] = rng.integers(256)
        (tmp_path / "a.onnx").write_bytes(changed)
        try:
            read_onnx_file(tmp_path / "a.onnx")
            opened += 1
        except BundleError as error:
            assert "keeps tensors" in str(error) or "without end" in str(error)  # noqa: PT017
    assert opened > 100


def test_graphs_in_graphs_without_end(tmp_path: Path) -> None:
    def varint(value: int) -> bytes:
        return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])

    data = b""
    for _ in range(500):
        for key in (b"\x32", b"\x2a", b"\x0a"):  # attribute: graph, node: attribute, graph: node
            data = key + varint(len(data)) + data
    (tmp_path / ONNX).write_bytes(b"\x3a" + varint(len(data)) + data + SUSPECT)
    with pytest.raises(BundleError, match="graphs in graphs without end"):
        open_model(tmp_path / ONNX)


@pytest.mark.parametrize("name", [ONNX, TFLITE])
def test_an_absurd_size(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(3 * 2**30)
    with pytest.raises(BundleError, match="3,221,225,472 bytes, expected at most 536,870,912; not a model of gafas"):
        open_model(tmp_path / name)


def test_an_operator_of_somebody_s_own(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the train extra is not installed")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Evil", ["image"], ["out"], domain="evil.example")],
        "g",
        [helper.make_tensor_value_info("image", kind, ["n", 8, 8, 3])],
        [helper.make_tensor_value_info("out", kind, ["n", 1])],
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("evil.example", 1)]
    (tmp_path / ONNX).write_bytes(helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString())
    with pytest.raises(BundleError, match=r"model\.onnx: not a usable ONNX model: .*evil\.example"):
        open_model(tmp_path / ONNX)


def test_an_input_of_absurd_size(tmp_path: Path, onnx_maker: OnnxMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx_maker(tmp_path / ONNX, side=5000)
    with pytest.raises(BundleError, match="expected an input of 1 to 4096 pixels a side, got 5000×5000"):
        open_model(tmp_path / ONNX)
    monkeypatch.setattr(backends, "MAX_SIDE", 5000)
    assert open_model(tmp_path / ONNX).input_size == (5000, 5000)


def test_a_changed_model_is_refused_wherever_a_bundle_is_taken(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "changed")
    with (tmp_path / "changed" / ONNX).open("ab") as file:
        file.write(b"!")
    with pytest.raises(BundleError, match=r"sha256 [0-9a-f]{12}, manifest says [0-9a-f]{12}"):
        load_predictor(tmp_path / "changed")


@pytest.mark.parametrize("name", [ONNX, ONNX_INT8])
def test_an_output_and_what_makes_it_are_left_out(name: str) -> None:
    onnx = pytest.importorskip("onnx", reason="the train extra is not installed")
    data = load_bundle(shipped_bundle()).file(name).read_bytes()
    less = drop_output(data, EVIDENCE)
    assert less is not None
    before, after = onnx.load_model_from_string(data), onnx.load_model_from_string(less)
    onnx.checker.check_model(after)
    assert [output.name for output in after.graph.output] == ["probabilities"]
    gone = [node for node in before.graph.node if EVIDENCE in node.output]
    assert len(gone) == 1
    del before.graph.output[1]
    before.graph.node.remove(gone[0])
    assert after == before


def test_without_such_an_output_nothing_is_left_out(tmp_path: Path, onnx_maker: OnnxMaker) -> None:
    onnx_maker(tmp_path / ONNX)
    data = (tmp_path / ONNX).read_bytes()
    assert drop_output(data, EVIDENCE) is None
    assert drop_output(data + b"\x12\x08evidence", EVIDENCE) is None
    assert drop_output(b"\x3a\xff\x01evidence", EVIDENCE) is None


def test_the_same_scores_before_and_after_an_explanation() -> None:
    backend = open_model(load_bundle(shipped_bundle()).file(ONNX))
    assert can_explain(backend)
    image = np.full((1, *backend.input_size, 3), 90, np.uint8)
    scores = backend.probabilities(image)
    assert backend.evidence(image).shape[0] == 1
    assert (backend.probabilities(image) == scores).all()
