"""What an ONNX file must not ask for, and what it need not: its bytes before ONNX Runtime opens it. No package of ONNX.

An ONNX file may keep its tensors in other files, by any path. The hash in a bundle's manifest covers none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

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
_GRAPH_OF_MODEL, _NODE_OF_GRAPH, _OUTPUT_OF_GRAPH, _OUTPUT_OF_NODE, _NAME = 7, 1, 12, 2, 1
_LOCATION = b"location"
"""The key under which every such tensor names its file: a file without the word needs no closer look."""

_DEEPEST = 50


def read_onnx_file(path: Path) -> bytes:
    """Read an ONNX file, and refuse one that keeps tensors in other files.

    Raises
    ------
    BundleError
        It does, or cannot be read. A damaged file is left to ONNX Runtime.
    """
    try:
        data = path.read_bytes()
        outside = _LOCATION in data and _keeps_data_outside(memoryview(data), _MODEL, 0)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (IndexError, ValueError):
        return data  # no messages: ONNX Runtime has better words
    if outside:
        raise BundleError(f"{path}: keeps tensors in another file, which no hash covers; expected one whole file")
    return data


def drop_output(data: bytes, name: str) -> bytes | None:
    """Return an ONNX file without one of its outputs and the node that makes it; ``None`` where it has no such output.

    ONNX Runtime prepares all that a graph may do, also what nobody is going to ask for.
    """
    wanted = name.encode()
    if wanted not in data:
        return None

    def names(message: memoryview, field: int) -> bool:
        return wanted in bytes(message) and any(
            part.field == field and bytes(part.value) == wanted for part in _fields(message)
        )

    dropped = False
    kept: list[memoryview | bytes] = []
    try:
        for part in _fields(memoryview(data)):
            if (part.field, part.wire) != (_GRAPH_OF_MODEL, 2):
                kept.append(part.whole)
                continue
            graph = []
            for inner in _fields(part.value):
                is_node, is_output = inner.field == _NODE_OF_GRAPH, inner.field == _OUTPUT_OF_GRAPH
                if (is_node and names(inner.value, _OUTPUT_OF_NODE)) or (is_output and names(inner.value, _NAME)):
                    dropped |= is_output
                else:
                    graph.append(inner.whole)
            kept += [_encode_varint(_GRAPH_OF_MODEL << 3 | 2), _encode_varint(sum(map(len, graph))), *graph]
    except (IndexError, ValueError):
        return None  # no messages: ONNX Runtime has better words
    return b"".join(kept) if dropped else None


def _keeps_data_outside(data: memoryview, kind: int, depth: int) -> bool:
    if depth > _DEEPEST:
        raise BundleError("an ONNX file of graphs in graphs without end; do not trust it")
    for part in _fields(data):
        if kind == _TENSOR and part.field in (_EXTERNAL_DATA, _DATA_LOCATION) and (part.wire != 0 or part.number):
            return True
        inner = _INSIDE[kind].get(part.field) if part.wire == 2 else None
        if inner is not None and _keeps_data_outside(part.value, inner, depth + 1):
            return True
    return False


class _Field(NamedTuple):
    """A field of a message: its number and form, its bytes with and without what is in front, and its integer."""

    field: int
    wire: int
    whole: memoryview
    value: memoryview
    number: int = 0


def _fields(data: memoryview) -> Iterator[_Field]:
    """Go over the fields of one message (protobuf's wire format).

    Raises
    ------
    IndexError, ValueError
        It is none.
    """
    position = 0
    while position < len(data):
        start = position
        key, position = _varint(data, position)
        field, wire, number = key >> 3, key & 7, 0
        begin = position
        if wire == 2:
            length, begin = _varint(data, position)
            position = begin + length
        elif wire == 0:
            number, position = _varint(data, position)
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        else:
            raise ValueError(wire)
        yield _Field(field, wire, data[start:position], data[begin:position], number)


def _encode_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError(value)
