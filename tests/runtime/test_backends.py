"""Backends: what a graph says becomes probabilities, and a graph that does not fit is refused by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gafas.errors import BundleError, MissingExtraError, UsageError
from gafas.imaging import Rgb
from gafas.runtime.backends import ConstantBackend, LiteRtBackend, OnnxBackend, OutputMeaning, open_model
from tests.runtime.tiny import TINY_TFLITE

OnnxMaker = Callable[..., None]
BRIGHTNESS = (0, 117, 138, 255)
EXPECTED = 1 / (1 + np.exp(-(127.5 - np.array(BRIGHTNESS)) / 20))


def pictures(*brightness: int, side: int = 8) -> Rgb:
    return np.stack([np.full((side, side, 3), value, np.uint8) for value in brightness])


@pytest.fixture
def tflite(tmp_path: Path) -> Path:
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    path = tmp_path / "model.tflite"
    path.write_bytes(TINY_TFLITE)
    return path


@pytest.fixture
def onnx(tmp_path: Path, onnx_maker: OnnxMaker) -> Path:
    onnx_maker(tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


# Running


def check_scores(path: Path) -> None:
    backend = open_model(path, input_size=(8, 8))
    got = backend.probabilities(pictures(*BRIGHTNESS))
    assert got.dtype == np.float32
    assert got.shape == (4, 1)
    np.testing.assert_allclose(got[:, 0], EXPECTED, atol=1e-6)
    # Another batch size, and none.
    np.testing.assert_allclose(backend.probabilities(pictures(*BRIGHTNESS[:1])), got[:1], atol=1e-6)
    np.testing.assert_allclose(backend.probabilities(pictures(*BRIGHTNESS[:3])), got[:3], atol=1e-6)
    assert backend.probabilities(np.zeros((0, 8, 8, 3), np.uint8)).shape == (0, 1)


def test_onnx(onnx: Path) -> None:
    check_scores(onnx)
    assert OnnxBackend(onnx, threads=0).input_size == (8, 8)


def test_onnx_with_bytes_in(tmp_path: Path, onnx_maker: OnnxMaker) -> None:
    onnx_maker(tmp_path / "bytes.onnx", uint8=True)
    check_scores(tmp_path / "bytes.onnx")


def test_litert(tflite: Path) -> None:
    check_scores(tflite)
    assert LiteRtBackend(tflite, threads=0).input_size == (8, 8)


def test_endings_may_be_upper_case(onnx: Path) -> None:
    assert open_model(onnx.rename(onnx.with_suffix(".ONNX"))).input_size == (8, 8)


def test_constant() -> None:
    backend = ConstantBackend(0.25)
    assert backend.probabilities(pictures(1, 2, 3)).tolist() == [[0.25]] * 3


# What a number means


def test_the_meaning_of_logits_and_of_the_other_class(tmp_path: Path, onnx_maker: OnnxMaker) -> None:
    path = tmp_path / "logits.onnx"
    onnx_maker(path, logits=True)
    logit = open_model(path, meaning=OutputMeaning("logit")).probabilities(pictures(*BRIGHTNESS))
    np.testing.assert_allclose(logit[:, 0], EXPECTED, atol=1e-6)
    other = open_model(path, meaning=OutputMeaning("logit", "no_sunglasses")).probabilities(pictures(*BRIGHTNESS))
    np.testing.assert_allclose(other[:, 0], 1 - EXPECTED, atol=1e-6)


def test_the_other_class_as_a_probability() -> None:
    got = OutputMeaning("probability", "no_sunglasses").to_probabilities(np.array([[0.25], [1.0]]))
    assert got.tolist() == [[0.75], [0.0]]


def test_extreme_logits_stay_in_range() -> None:
    got = OutputMeaning("logit").to_probabilities(np.array([[-1e9], [1e9]]))
    assert got.min() >= 0
    assert got.max() <= 1


def test_logits_taken_for_probabilities_are_refused(tmp_path: Path, onnx_maker: OnnxMaker) -> None:
    path = tmp_path / "logits.onnx"
    onnx_maker(path, logits=True)
    with pytest.raises(
        BundleError, match=r"expected probabilities from 0 to 1, got -6\.375 to 6\.375; are they logits"
    ):
        open_model(path).probabilities(pictures(0, 255))


# Graphs that do not fit


def test_neither_kind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a bundle, a run folder, \.onnx or \.tflite, got \.h5"):
        open_model(tmp_path / "model.h5")
    with pytest.raises(UsageError, match="got no ending"):
        open_model(tmp_path / "model")


@pytest.mark.parametrize("name", ["gone.onnx", "gone.tflite", "folder.onnx"])
def test_no_such_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(BundleError, match="no such model file"):
        open_model(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"Dear Sir or Madam,\n" * 9])
@pytest.mark.parametrize(("name", "kind"), [("text.onnx", "ONNX"), ("text.tflite", "TFLite")])
def test_no_model_at_all(tmp_path: Path, name: str, kind: str, content: bytes) -> None:
    if kind == "TFLite":
        pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BundleError) as caught:
        open_model(path)
    assert str(caught.value).startswith(f"{path}: not a usable {kind} model: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["onnx", "tflite"])
def test_another_input_size_than_the_manifest_says(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    with pytest.raises(BundleError, match="the graph takes 8×8 pixels, the manifest says 128×120; export the model"):
        open_model(path, input_size=(128, 120))


def test_a_fixed_batch_size(tmp_path: Path, onnx_maker: OnnxMaker) -> None:
    onnx_maker(tmp_path / "one.onnx", batch=1)
    with pytest.raises(BundleError, match="expected an input for batches of any size, got one for 1"):
        open_model(tmp_path / "one.onnx")


def other_graph(path: Path, inputs: list[tuple[str, str, list[int | str]]], output: list[str]) -> None:
    """Write a graph that gives its first input flattened, whatever the inputs are."""
    onnx = pytest.importorskip("onnx", reason="the train extra is not installed")
    helper = onnx.helper
    kind = getattr(onnx.TensorProto, inputs[0][1])
    graph = helper.make_graph(
        [helper.make_node("Identity", [inputs[0][0]], ["out"])],
        "other",
        [helper.make_tensor_value_info(name, getattr(onnx.TensorProto, dtype), shape) for name, dtype, shape in inputs],
        [helper.make_tensor_value_info("out", kind, output)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([("a", "FLOAT", ["n", 8, 8, 3]), ("b", "FLOAT", ["n"])], "expected a graph with one input, got 2"),
        ([("a", "INT64", ["n", 8, 8, 3])], "expected an input of float32 or uint8 pixels, got int64"),
        ([("a", "FLOAT", ["n", 3, 8, 8])], r"expected an input \(n, height, width, 3\), got \['n', 3, 8, 8\]"),
        ([("a", "FLOAT", ["n", "h", "w", 3])], r"expected an input \(n, height, width, 3\)"),
        ([("a", "FLOAT", ["n", 192])], r"expected an input \(n, height, width, 3\)"),
    ],
)
def test_no_image_classifier(tmp_path: Path, inputs: list[tuple[str, str, list[int | str]]], message: str) -> None:
    path = tmp_path / "other.onnx"
    other_graph(path, inputs, ["n", *"abc"][: len(inputs[0][2])])
    with pytest.raises(BundleError, match=message):
        open_model(path)


def test_an_output_of_another_shape(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    other_graph(path, [("a", "FLOAT", ["n", 8, 8, 3])], ["n", "h", "w", "c"])
    with pytest.raises(BundleError, match=r"expected an output \(2, outputs\), got \(2, 8, 8, 3\)"):
        open_model(path).probabilities(pictures(0, 1))


def test_a_graph_that_cannot_run(onnx: Path) -> None:
    with pytest.raises(BundleError, match=r"model\.onnx: the graph cannot run: "):
        open_model(onnx).probabilities(pictures(0, 1, side=9))


def test_litert_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.tflite").write_bytes(TINY_TFLITE)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match=r"running \.tflite models needs: pip install 'gafas\[litert\]'"):
        open_model(tmp_path / "model.tflite")
