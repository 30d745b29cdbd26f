"""ONNX models as bytes: the few messages of onnx.proto that the embedded network needs.

The ``onnx`` package would do it, but takes 30 MB in every environment that has slugcheck for a file
of forty nodes. Field numbers: onnx/onnx.proto3, which never change.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

FLOAT, INT64 = 1, 7  # TensorProto.DataType
_OPSET, _IR = 17, 8  # read by ONNX Runtime 1.12 and later


def model(nodes: Iterable[bytes], weights: Iterable[bytes], given: bytes, result: bytes) -> bytes:
    """Return a ModelProto with one input and one output."""
    graph = _each(1, nodes) + _text(2, "detector") + _each(5, weights)
    graph += _field(11, given) + _field(12, result)
    opset = _text(1, "") + _number(2, _OPSET)
    return _number(1, _IR) + _text(2, "slugcheck") + _field(7, graph) + _field(8, opset)


def node(kind: str, inputs: Sequence[str], output: str, attributes: Iterable[bytes] = ()) -> bytes:
    """Return a NodeProto."""
    named = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(3, output)
    return named + _text(4, kind) + _each(5, attributes)


def integers(name: str, values: Sequence[int]) -> bytes:
    """Return an AttributeProto of whole numbers."""
    return _text(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7)


def integer(name: str, value: int) -> bytes:
    """Return an AttributeProto of one whole number."""
    return _text(1, name) + _number(3, value) + _number(20, 2)


def word(name: str, value: str) -> bytes:
    """Return an AttributeProto of text."""
    return _text(1, name) + _field(4, value.encode()) + _number(20, 3)


def tensor(name: str, shape: Sequence[int], raw: bytes, kind: int = FLOAT) -> bytes:
    """Return a TensorProto; ``raw`` is little-endian."""
    dims = b"".join(_number(1, size) for size in shape)
    return dims + _number(2, kind) + _text(8, name) + _field(9, raw)


def whole_numbers(name: str, values: Sequence[int]) -> bytes:
    """Return a TensorProto of int64 in one dimension."""
    return tensor(name, [len(values)], struct.pack(f"<{len(values)}q", *values), INT64)


def value(name: str, shape: Sequence[int | str]) -> bytes:
    """Return a ValueInfoProto of floats; a name in the shape is an axis that may vary."""
    dims = (_text(2, size) if isinstance(size, str) else _number(1, size) for size in shape)
    typed = _number(1, FLOAT) + _field(2, _each(1, dims))
    return _text(1, name) + _field(2, _field(1, typed))


# --------------------------------------------------------------------------- the wire


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1  # negative ones are two's complement
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode())


def _each(field: int, contents: Iterable[bytes]) -> bytes:
    return b"".join(_field(field, content) for content in contents)
