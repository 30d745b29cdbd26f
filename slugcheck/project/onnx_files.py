"""The files that hold an ONNX model's weights beside it.

A model above 2 GB keeps its weights in other files, by any name: each tensor then names its file
(onnx.proto, TensorProto.external_data). Names are read from the model itself, since a rule for
names would miss ``weights.bin`` and count a stranger's ``model.data``. Only the lengths of fields
are read, and the few bytes of the names: weights inside the model are skipped, however large.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import BinaryIO

_MOST_FIELDS = 300_000  # of one model; real ones have some thousand nodes
_MOST_FILES = 100  # that one model names
_LONGEST = 1_024  # bytes of a name
# The fields that lead to tensors, by kind of message: ModelProto.graph, GraphProto.node and
# .initializer, NodeProto.attribute, AttributeProto.t, .g, .tensors and .graphs.
_INNER = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {13: "entry"},
}
_BYTES = 2  # the wire type of messages and strings


class _Malformed(Exception):
    """It is no ONNX file, or larger than any."""


def external_files(path: Path) -> tuple[str, ...]:
    """Return the files that a model's tensors are in, relative to the model's folder.

    Names that lead out of that folder, which ONNX forbids, are left out. A file that cannot be read
    or is no ONNX model names none.
    """
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            names = _locations(stream, size)
    except (OSError, _Malformed):
        return ()
    return tuple(name for name in names if _is_below(name))


def _locations(stream: BinaryIO, size: int) -> tuple[str, ...]:
    names: dict[str, None] = {}
    budget = _MOST_FIELDS
    messages = [(0, size, "model")]
    while messages:
        place, end, kind = messages.pop()
        entry: dict[int, bytes] = {}
        while place < end:
            budget -= 1
            if budget < 0:
                raise _Malformed
            stream.seek(place)
            tag, wire = divmod(_varint(stream), 8)
            length = _length(stream, wire)
            start = stream.tell()
            place = start + length
            if place > end:
                raise _Malformed
            inner = _INNER.get(kind, {}).get(tag)
            if inner is not None and wire == _BYTES:
                messages.append((start, place, inner))
            elif kind == "entry" and wire == _BYTES and length <= _LONGEST:
                entry[tag] = stream.read(length)
        if entry.get(1) == b"location" and 2 in entry:
            names[entry[2].decode("utf-8", "replace")] = None
            if len(names) >= _MOST_FILES:
                break
    return tuple(names)


def _length(stream: BinaryIO, wire: int) -> int:
    """Return the bytes of a field's value that follow."""
    match wire:
        case 0:
            _varint(stream)
            return 0
        case 1:
            return 8
        case 2:
            return _varint(stream)
        case 5:
            return 4
        case _:
            raise _Malformed


def _varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise _Malformed
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise _Malformed


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    plain = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    return plain and "\0" not in name and "\\" not in name
