"""Gradients inside an ONNX graph: a branch that takes the gradient of one tensor back to an earlier one.

ONNX Runtime for inference knows no gradients, but those of a convolutional network are made of what it does know:
the gradient of a convolution is a transposed convolution with the same weights. The graph itself is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

_PREFIX = "backward/"


class UnknownGraphError(Exception):
    """The graph has a node whose gradient is not known here, or is built in another way than expected."""


class Backward:
    """A branch beside one graph, whose tensors it may use by their names.

    Parameters
    ----------
    model : onnx.ModelProto
        Of fixed height and width; opset 13 or newer.

    Attributes
    ----------
    nodes, constants : list
        What the branch is made of so far: NodeProto in their order, TensorProto.
    """

    def __init__(self, model: Any) -> None:
        import onnx

        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._nodes = list(model.graph.node)
        self._made_by = {name: node for node in self._nodes for name in node.output}
        self._stored = {tensor.name: tensor for tensor in model.graph.initializer}
        inferred = onnx.shape_inference.infer_shapes(model).graph
        self._shapes = {
            value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
            for value in (*inferred.value_info, *inferred.input, *inferred.output)
        }
        self._shapes |= {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
        self._constant: dict[str, bool] = dict.fromkeys(self._stored, True)
        self._masks: dict[str, str] = {}
        self._count = 0

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape, 0 for a size that is open."""
        if not (shape := self._shapes.get(name, ())):
            raise UnknownGraphError(f"{name}: expected a known shape")
        return shape

    def attribute(self, node: Any, name: str, default: Any) -> Any:
        """Return a node's attribute as a Python value."""
        from onnx import helper

        return next((helper.get_attribute_value(entry) for entry in node.attribute if entry.name == name), default)

    def inner_inputs(self, node: Any) -> list[str]:
        """Return the inputs of a node that depend on the image."""
        return [name for name in node.input if name and not self._is_constant(name)]

    def back_from(self, name: str) -> Iterator[Any]:
        """Yield the nodes that make a tensor, the last first; where there are several ways, the first input's."""
        while (node := self._made_by.get(name)) is not None and (inputs := self.inner_inputs(node)):
            yield node
            name = inputs[0]

    def constant(self, value: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """Store a constant and return its name."""
        from onnx import numpy_helper

        name = self._name()
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        output = self._name()
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def repeat(self, early: str, late: str) -> str:
        """Calculate `late` from `early` once more, inside the branch, and return the name of its copy.

        The graph then has to keep nothing but `early` for the branch, and stays as fast as it was without.

        Raises
        ------
        UnknownGraphError
            `late` is made from something else too.
        """
        nodes = self._between(early, late)
        # Weights are unpacked (from float16, from integers) in the branch as well.
        waiting, unpacking = [name for node in nodes for name in node.input], set()
        while waiting:
            name = waiting.pop()
            if name in self._made_by and name not in unpacking and self._is_constant(name):
                unpacking.add(name)
                waiting += self._made_by[name].input
        nodes = [node for node in self._nodes if node in nodes or node.output[0] in unpacking]
        renamed = {name: _PREFIX + name for node in nodes for name in node.output}
        for node in nodes:
            copy = type(node)()
            copy.CopyFrom(node)
            copy.name = ""
            copy.input[:] = [renamed.get(name, name) for name in node.input]
            copy.output[:] = [renamed[name] for name in node.output]
            self.nodes.append(copy)
            self._made_by |= dict.fromkeys(copy.output, copy)
        self._nodes += self.nodes
        self._shapes |= {new: self._shapes[old] for old, new in renamed.items() if old in self._shapes}
        return str(renamed[late])

    def gradient(self, early: str, late: str, given: str) -> str:
        """Take a gradient back and return the name of what it is at `early`.

        Parameters
        ----------
        early, late : str
            Tensors, `late` made from `early` alone.
        given : str
            The gradient at `late`, of a shape that broadcasts to it.

        Raises
        ------
        UnknownGraphError
            On the way lies a node whose gradient is not known.
        """
        gradients: dict[str, str] = {late: given}
        for node in reversed(self._between(early, late)):
            for name, part in self._back_through(node, gradients[node.output[0]]):
                gradients[name] = self.add("Add", gradients[name], part) if name in gradients else part
        return gradients[early]

    def _between(self, early: str, late: str) -> list[Any]:
        """Return the nodes from `early` to `late` in their order."""
        wanted, waiting = set(), [late]
        while waiting:
            name = waiting.pop()
            if name == early or name in wanted:
                continue
            if name not in self._made_by:
                raise UnknownGraphError(f"{late}: expected to be made from {early} alone, got {name} too")
            wanted.add(name)
            waiting += self.inner_inputs(self._made_by[name])
        return [node for node in self._nodes if node.output[0] in wanted]

    def _back_through(self, node: Any, gradient: str) -> list[tuple[str, str]]:
        """Return the node's inputs that depend on the image, each with its gradient."""
        inputs = self.inner_inputs(node)
        if node.op_type == "Conv":
            return [(inputs[0], self._back_through_convolution(node, gradient))]
        if node.op_type == "Mul" and len(inputs) == 1:
            factor = next(name for name in node.input if name != inputs[0])
            return [(inputs[0], self.add("Mul", gradient, factor))]
        if node.op_type == "Add":
            return [(name, gradient) for name in inputs]
        if node.op_type in {"Clip", "Relu"}:
            bounds = list(node.input[1:]) if node.op_type == "Clip" else [self.constant(0.0)]
            return [(inputs[0], self._masked(gradient, node.output[0], bounds))]
        if node.op_type == "DequantizeLinear" and (rounded := self._made_by.get(inputs[0])) is not None:
            # Rounding is passed over; the ends of the range stop a gradient as those of ReLU6 do.
            return [(rounded.output[0], self._masked(gradient, node.output[0], self._range(node)))]
        if node.op_type == "QuantizeLinear":
            return [(inputs[0], gradient)]
        if node.op_type == "Pad" and node.input[1] in self._stored:
            return [(inputs[0], self._cut(gradient, self._value(node.input[1])))]
        raise UnknownGraphError(f"{node.name}: {node.op_type} with {len(inputs)} inputs has no known gradient")

    def _back_through_convolution(self, node: Any, gradient: str) -> str:
        if self.attribute(node, "auto_pad", b"NOTSET") != b"NOTSET":
            raise UnknownGraphError(f"{node.name}: expected explicit pads")
        taken, given = self.shape(node.input[0])[2:], self.shape(node.output[0])[2:]
        kernel = self.shape(node.input[1])[2:]
        strides = self.attribute(node, "strides", [1] * len(kernel))
        pads = self.attribute(node, "pads", [0] * 2 * len(kernel))
        dilations = self.attribute(node, "dilations", [1] * len(kernel))
        # Border that a step left out at the end.
        border = [
            taken[i] - ((given[i] - 1) * strides[i] - pads[i] - pads[i + 2] + dilations[i] * (kernel[i] - 1) + 1)
            for i in range(2)
        ]
        return self.add(
            "ConvTranspose", gradient, node.input[1], group=self.attribute(node, "group", 1), kernel_shape=kernel,
            strides=strides, pads=pads, dilations=dilations, output_padding=border,
        )  # fmt: skip

    def _cut(self, gradient: str, pads: NDArray[Any]) -> str:
        """Take a border off that was put around."""
        before, after = np.split(pads, 2)
        ends = np.where(after > 0, -after, np.iinfo(np.int64).max)
        return self.add("Slice", gradient, self.constant(before, np.int64), self.constant(ends, np.int64))

    def _range(self, node: Any) -> list[str]:
        """Store the values just inside the ends of a quantised tensor's range."""
        scale, zero = (self._value(name) for name in node.input[1:3])
        least, most = np.iinfo(zero.dtype).min, np.iinfo(zero.dtype).max
        inside = (least + 0.5, most - 0.5)
        return [self.constant((end - float(zero)) * float(scale)) for end in inside]

    def _masked(self, gradient: str, value: str, bounds: list[str]) -> str:
        """Stop the gradient where a value lies at a bound: [lower] or [lower, upper]."""
        if value not in self._masks:
            inside = self.add("Greater", value, bounds[0])
            if len(bounds) > 1:
                inside = self.add("And", inside, self.add("Less", value, bounds[1]))
            self._masks[value] = self.add("Cast", inside, to=1)
        return self.add("Mul", gradient, self._masks[value])

    def _value(self, name: str) -> NDArray[Any]:
        from onnx import numpy_helper

        return np.asarray(numpy_helper.to_array(self._stored[name]))

    def _is_constant(self, name: str) -> bool:
        if name not in self._constant:
            node = self._made_by.get(name)
            self._constant[name] = node is not None and all(self._is_constant(given) for given in node.input if given)
        return self._constant[name]

    def _name(self) -> str:
        self._count += 1
        return f"{_PREFIX}{self._count}"
