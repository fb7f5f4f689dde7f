"""An extra output of an exported graph: which places of the picture each logit comes from. Graph in, graph out.

The class activation map of the last layer adds up to the logit, and yet stands in the wrong place: in MobileNetV2 the
3×3 convolutions at the lowest resolution carry what they see a whole row away. So each logit is taken back, by its
gradient, to the map before the last step down in resolution: activation times gradient, summed over channels. Source:
Draelos, R. L., and Carin, L. (2020). Use HiResCAM instead of Grad-CAM for faithful explanations.

What that leaves over (it comes from the convolutions' biases) is spread evenly, so that the mean over all positions
plus the head's bias is the logit, as with the class activation map. Source: Zhou, B., Khosla, A., Lapedriza, A.,
Oliva, A., and Torralba, A. (2016). Learning Deep Features for Discriminative Localization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gafas.learn.backward import Backward, UnknownGraphError
from gafas.runtime.backends import ASK_EVIDENCE, EVIDENCE

_OPSET = 13  # the first whose sums and squeezes are written as here
_AFTER_DENSE = {"Sigmoid", "Add"}
_BEFORE_DENSE = {"Squeeze", "Flatten", "Reshape", "QuantizeLinear", "DequantizeLinear"}
_DENSE = {"MatMul", "Gemm"}


def add_evidence(model: Any) -> Any:
    """Return the graph with a second output ``evidence`` (n, h, w, outputs), or as it is where it is built otherwise.

    Known are graphs that end in global average pooling, one dense layer and a sigmoid, above convolutions with ReLU,
    ReLU6, norms and residual sums, in float32 or as `gafas.learn.int8` quantises them. The first output and the way
    to it stay as they were.

    Parameters
    ----------
    model : onnx.ModelProto
        One image input of fixed height and width.
    """
    import onnx

    opset = next(entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"})
    if opset < _OPSET or any(output.name == EVIDENCE for output in model.graph.output):
        return model
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    try:
        _extend(extended)
    except UnknownGraphError:
        return model
    onnx.checker.check_model(extended)
    return extended


def drop_evidence(model: Any) -> Any:
    """Return the graph without what `add_evidence` added."""
    import onnx

    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    graph = plain.graph
    for parts in (graph.node, graph.input, graph.output, graph.initializer):
        kept = [part for part in parts if part.name not in {EVIDENCE, ASK_EVIDENCE}]
        del parts[:]
        parts.extend(kept)
    return plain


@dataclass(frozen=True, slots=True)
class _Head:
    """The end of the graph, by the names of its tensors.

    Attributes
    ----------
    features : str
        (n, channels, h, w), what is pooled.
    pooled : str
        (n, channels), what the dense layer gets.
    weights : str
        (channels, outputs), of the dense layer.
    """

    features: str
    pooled: str
    weights: str


def _extend(model: Any) -> None:
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    branch = Backward(model)
    head = _find_head(branch, graph.output[0].name)
    place = _find_place(branch, head.features)
    shares = _shares(branch, head, place)
    size = [*branch.shape(place)[2:], branch.shape(head.weights)[1]]

    def value(name: str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *size])

    asked = helper.make_graph(branch.nodes, "asked", [], [value(shares)], branch.constants)
    nothing = numpy_helper.from_array(np.zeros((0, *size), dtype=np.float32), "nothing")
    constant = helper.make_node("Constant", [], ["no_evidence"], value=nothing)
    not_asked = helper.make_graph([constant], "not_asked", [], [value("no_evidence")])
    # An input with a stored value need not be given: who does not ask gets nothing, and pays nothing.
    graph.input.append(helper.make_tensor_value_info(ASK_EVIDENCE, TensorProto.BOOL, []))
    graph.initializer.append(numpy_helper.from_array(np.array(False), ASK_EVIDENCE))
    graph.node.append(
        helper.make_node("If", [ASK_EVIDENCE], [EVIDENCE], then_branch=asked, else_branch=not_asked, name=EVIDENCE)
    )
    graph.output.append(value(EVIDENCE))


def _shares(branch: Backward, head: _Head, place: str) -> str:
    """Add what calculates the evidence (n, h, w, outputs) and return its name."""
    channels, outputs = branch.shape(head.weights)
    (rows, columns), (height, width) = branch.shape(head.features)[2:], branch.shape(place)[2:]
    # By this the sum over the features' positions becomes a mean over the map's.
    scale = branch.constant(height * width / (rows * columns))
    features = branch.repeat(place, head.features)
    shares = []
    for number in range(outputs):
        picked = branch.add("Gather", head.weights, branch.constant(number, np.int64), axis=1)
        weights = branch.add("Reshape", picked, branch.constant([1, channels, 1, 1], np.int64))
        gradient = branch.gradient(place, features, branch.add("Mul", weights, scale))
        share = branch.add("Mul", place, gradient)
        shares.append(branch.add("ReduceSum", share, branch.constant([1], np.int64), keepdims=1))
    stacked = branch.add("Concat", *shares, axis=1)
    logits = branch.add("MatMul", head.pooled, head.weights)
    whole = branch.add("Unsqueeze", logits, branch.constant([2, 3], np.int64))
    rest = branch.add("Sub", whole, branch.add("GlobalAveragePool", stacked))
    return branch.add("Transpose", branch.add("Add", stacked, rest), perm=[0, 2, 3, 1])


def _find_head(graph: Backward, output: str) -> _Head:
    pooled = weights = ""
    for node in graph.back_from(output):
        if node.op_type == "GlobalAveragePool" and pooled:
            return _Head(node.input[0], pooled, weights)
        if node.op_type in _DENSE and not pooled:
            if any(entry.name in {"transA", "transB"} and entry.i for entry in node.attribute):
                break
            pooled, weights = node.input[0], node.input[1]
        elif node.op_type not in (_BEFORE_DENSE if pooled else _AFTER_DENSE):
            break
    raise UnknownGraphError("expected global average pooling, one dense layer and a sigmoid at the end")


def _find_place(graph: Backward, features: str) -> str:
    """Return the map before the last step down, behind all that does not look beyond its own position."""
    down = False
    for node in graph.back_from(features):
        if node.op_type == "Conv":
            wide = max(graph.shape(node.input[1])[2:]) > 1
            if down and wide:
                return str(node.output[0])
            down = down or max(graph.attribute(node, "strides", [1])) > 1
            last = str(node.input[0])
        elif down and len(graph.inner_inputs(node)) > 1:
            return last
    raise UnknownGraphError("expected convolutions that step down")
