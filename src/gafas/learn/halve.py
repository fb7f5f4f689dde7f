"""Store an ONNX model's weights as float16: half the file, the same float32 arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from gafas.errors import ExportError

_SMALL = 256
"""Values; tensors up to this size (biases, scales) stay float32: they weigh nothing and matter more."""


def halve_weights(model: Any) -> Any:
    """Return the model with large float32 weights as float16, each cast back to float32 when it is loaded.

    ONNX Runtime folds the casts once, when it opens the file: the speed stays as it was.

    Parameters
    ----------
    model : onnx.ModelProto

    Raises
    ------
    ExportError
        A weight does not fit float16.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    halved = onnx.ModelProto()
    halved.CopyFrom(model)
    graph = halved.graph
    kept, casts = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= _SMALL:
            kept.append(tensor)
            continue
        half = values.astype(np.float16)
        if not np.isfinite(half).all():
            raise ExportError(f"{tensor.name}: a weight does not fit float16 (largest {np.abs(values).max():.3g})")
        kept.append(numpy_helper.from_array(half, tensor.name + "_half"))
        casts.append(helper.make_node("Cast", [tensor.name + "_half"], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    for field in (graph.node, graph.initializer):
        del field[:]
    graph.node.extend([*casts, *nodes])
    graph.initializer.extend(kept)
    return halved
