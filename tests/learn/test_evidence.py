"""The evidence output: it adds up to the logit, changes nothing else, and its gradients are gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gafas.bundle import ONNX, ONNX_INT8, shipped_bundle
from gafas.imaging import Rgb
from gafas.runtime.backends import OutputMeaning, can_explain, open_model
from tests.faces import SEEDS, portrait

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def crops() -> Rgb:
    """Drawn faces as the shipped model takes them, in several lights."""
    faces = [portrait(seed, (112, 112)) for seed in SEEDS]
    return np.stack([(face * light).clip(0, 255).astype(np.uint8) for face in faces for light in (0.5, 1.0)])


def check_sums(path: Path, bias: NDArray[np.float32], images: Rgb, *, atol: float = 1e-4) -> None:
    """The mean over all positions plus the head's bias is the logit."""
    backend = open_model(path)
    assert can_explain(backend)
    evidence = backend.evidence(images)
    assert evidence.dtype == np.float32
    probabilities = backend.probabilities(images).astype(np.float64)
    assert evidence.shape[0] == len(images)
    assert evidence.shape[3] == probabilities.shape[1]
    # Nearer to 0 or 1 a float32 probability no longer tells its logit to four digits.
    telling = np.abs(probabilities - 0.5) < 0.49
    assert telling.any()
    logits = np.log(probabilities / (1 - probabilities))
    got = evidence.mean(axis=(1, 2), dtype=np.float64) + bias
    np.testing.assert_allclose(got[telling], logits[telling], atol=atol)


def bias_of(model: Any) -> NDArray[np.float32]:
    from onnx import numpy_helper

    (bias,) = [tensor for tensor in model.graph.initializer if tensor.name.endswith("BiasAdd/ReadVariableOp:0")]
    return np.asarray(numpy_helper.to_array(bias))


@pytest.mark.parametrize("file", [ONNX, ONNX_INT8])
def test_the_mean_is_the_logit_and_the_answer_stays(file: str, crops: Rgb, tmp_path: Path) -> None:
    import onnx

    from gafas.learn.evidence import add_evidence, drop_evidence

    plain = drop_evidence(onnx.load(shipped_bundle() / file))
    assert [output.name for output in plain.graph.output] == ["probabilities"]
    extended = add_evidence(plain)
    onnx.save(plain, tmp_path / "plain.onnx")
    onnx.save(extended, tmp_path / "extended.onnx")
    check_sums(tmp_path / "extended.onnx", bias_of(plain), crops)
    before, after = (open_model(tmp_path / name) for name in ("plain.onnx", "extended.onnx"))
    assert not can_explain(before)
    np.testing.assert_array_equal(after.probabilities(crops), before.probabilities(crops))
    # Once is enough, and what was added goes without a trace.
    assert add_evidence(extended) is extended
    assert drop_evidence(extended) == plain
    assert (tmp_path / "extended.onnx").stat().st_size < (tmp_path / "plain.onnx").stat().st_size + 60_000


def test_the_other_class_has_the_opposite_evidence(crops: Rgb, tmp_path: Path) -> None:
    import onnx

    from gafas.learn.evidence import add_evidence

    onnx.save(add_evidence(onnx.load(shipped_bundle() / ONNX)), tmp_path / "model.onnx")
    one = open_model(tmp_path / "model.onnx")
    other = open_model(tmp_path / "model.onnx", meaning=OutputMeaning(positive="no_sunglasses"))
    assert can_explain(one)
    assert can_explain(other)
    np.testing.assert_array_equal(other.evidence(crops[:1]), -one.evidence(crops[:1]))


def test_the_notebooks_network_has_it_too(tmp_path: Path) -> None:
    from gafas.learn.config import NotebookConfig
    from gafas.learn.model import build_network
    from gafas.learn.model_files import save_int8, save_onnx
    from gafas.learn.weights import WeightsSource

    network = build_network(NotebookConfig(input_size=64), WeightsSource("random"))
    head = network.inference.get_layer("logit")
    bias = np.array([0.25], dtype=np.float32)
    head.set_weights([head.get_weights()[0], bias])
    images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3)).astype(np.uint8)
    save_onnx(network.inference, tmp_path / "model.onnx", half=True)
    check_sums(tmp_path / "model.onnx", bias, images)
    save_int8(network.inference, tmp_path / "int8.onnx", images)
    check_sums(tmp_path / "int8.onnx", bias, images)


def test_another_kind_of_graph_stays_as_it_is(tmp_path: Path, onnx_maker: Any) -> None:
    import onnx

    from gafas.learn.evidence import add_evidence

    onnx_maker(tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    assert add_evidence(model) is model


def small_network() -> Any:
    """A graph with all that `Backward` knows but what is quantised: image (1, 2, 6, 6) → late (1, 3, 3, 3)."""
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    stored = {
        "expand": random.normal(size=(4, 2, 1, 1)), "each": random.normal(size=(4, 1, 3, 3)),
        "down": random.normal(size=(4, 1, 3, 3)), "narrow": random.normal(size=(3, 4, 1, 1)),
        "bias": random.normal(size=3), "factor": random.normal(size=(4, 1, 1)), "more": random.normal(size=(4, 1, 1)),
        "low": np.array(0.0), "high": np.array(6.0),
    }  # fmt: skip
    tensors = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in stored.items()]
    tensors.append(numpy_helper.from_array(np.array([0, 0, 0, 0, 0, 0, 1, 1]), "pads"))
    nodes = [
        helper.make_node("Conv", ["image", "expand"], ["wide"]),
        helper.make_node("Clip", ["wide", "low", "high"], ["cut"]),
        helper.make_node("Conv", ["cut", "each"], ["mixed"], group=4, pads=[1, 1, 1, 1]),
        helper.make_node("Mul", ["mixed", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "more"], ["shifted"]),
        helper.make_node("Add", ["shifted", "cut"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["positive"]),
        helper.make_node("Pad", ["positive", "pads"], ["padded"]),
        helper.make_node("Conv", ["padded", "down"], ["small"], group=4, strides=[2, 2]),
        helper.make_node("Conv", ["small", "narrow", "bias"], ["late"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 2, 6, 6])
    late = helper.make_tensor_value_info("late", TensorProto.FLOAT, [1, 3, 3, 3])
    graph = helper.make_graph(nodes, "small", [image], [late], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


def test_a_gradient_is_what_small_changes_do() -> None:
    import onnxruntime
    from onnx import TensorProto, helper

    from gafas.learn.backward import Backward

    model = small_network()
    branch = Backward(model)
    towards = np.random.default_rng(2).normal(size=(1, 3, 3, 3)).astype(np.float32)
    gradient = branch.gradient("image", "late", branch.constant(towards))
    model.graph.node.extend(branch.nodes)
    model.graph.initializer.extend(branch.constants)
    model.graph.output.append(helper.make_tensor_value_info(gradient, TensorProto.FLOAT, [1, 2, 6, 6]))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    image = np.random.default_rng(3).normal(size=(1, 2, 6, 6)).astype(np.float32)
    late, got = session.run(None, {"image": image})

    def change(place: tuple[int, ...], step: float) -> float:
        moved = image.copy()
        moved[place] += step
        return float(((session.run(["late"], {"image": moved})[0] - late) * towards).sum()) / step

    want = np.array([(change(place, 1e-3) + change(place, -1e-3)) / 2 for place in np.ndindex(image.shape)])
    assert np.abs(want).max() > 1
    np.testing.assert_allclose(got.ravel(), want, atol=0.02)


def test_what_has_no_known_gradient_is_named() -> None:
    from onnx import helper

    from gafas.learn.backward import Backward, UnknownGraphError

    model = small_network()
    model.graph.node.append(helper.make_node("Exp", ["late"], ["later"], name="growing"))
    branch = Backward(model)
    with pytest.raises(UnknownGraphError, match="growing: Exp with 1 inputs has no known gradient"):
        branch.gradient("image", "later", branch.constant(1.0))
    with pytest.raises(UnknownGraphError, match="expected to be made from small alone, got image too"):
        branch.gradient("small", "sum", branch.constant(1.0))
