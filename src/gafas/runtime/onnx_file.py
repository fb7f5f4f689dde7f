"""What an ONNX file must not ask for, read from its bytes before ONNX Runtime opens it. Needs no package of ONNX.

An ONNX file may keep its tensors in other files, by any path. The hash in a bundle's manifest covers none of them.
"""

from __future__ import annotations

from pathlib import Path

from gafas.errors import BundleError

MAX_MODEL_BYTES = 2**29
"""Bytes of a model file, 512 MiB; the largest that gafas makes has 10 MB."""

_MODEL, _GRAPH, _FUNCTION, _NODE, _ATTRIBUTE, _SPARSE, _TENSOR = range(7)
_INSIDE: dict[int, dict[int, int]] = {
    _MODEL: {7: _GRAPH, 25: _FUNCTION},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {},
}
"""Which fields of ONNX's messages hold messages in which a tensor may be. Source: onnx/onnx.proto3."""

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_LOCATION = b"location"
"""The key under which every such tensor names its file: a file without the word needs no closer look."""

_DEEPEST = 50


def check_onnx_file(path: Path) -> None:
    """Refuse an ONNX file that keeps tensors in other files.

    Raises
    ------
    BundleError
        It does. A damaged file is left to ONNX Runtime.
    """
    try:
        data = path.read_bytes()
        outside = _LOCATION in data and _keeps_data_outside(memoryview(data), _MODEL, 0)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (IndexError, ValueError):
        return  # no messages: ONNX Runtime has better words
    if outside:
        raise BundleError(f"{path}: keeps tensors in another file, which no hash covers; expected one whole file")


def _keeps_data_outside(data: memoryview, kind: int, depth: int) -> bool:
    """Go over the fields of one message (protobuf's wire format)."""
    if depth > _DEEPEST:
        raise BundleError("an ONNX file of graphs in graphs without end; do not trust it")
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        field, wire = key >> 3, key & 7
        if kind == _TENSOR and field in (_EXTERNAL_DATA, _DATA_LOCATION):
            value = _varint(data, position)[0] if wire == 0 else 1
            if value:
                return True
        if wire == 2:
            length, position = _varint(data, position)
            inner = _INSIDE[kind].get(field)
            if inner is not None and _keeps_data_outside(data[position : position + length], inner, depth + 1):
                return True
            position += length
        elif wire == 0:
            _, position = _varint(data, position)
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        else:
            raise ValueError(wire)
    return False


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError(value)
