"""The model that comes with ``slugcheck bench``: a small detector, in both forms.

A one-stage detector by hand: residual blocks, three scales, a box and a score for each class at
every place. Weights are pseudo-random, so its detections mean nothing; memory and time do. One list
of layers and one file of weights make the ONNX file here and the PyTorch module in
``workers/bench_default.py``, neither of which needs the other's packages.
"""

from __future__ import annotations

import json
import random
import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slugcheck.benching.plan import Form
from slugcheck.model.bench import Runtime
from slugcheck.running.launcher import WORKERS

FLOAT, INT64 = 1, 7  # TensorProto.DataType
_OPSET, _IR = 17, 8  # read by ONNX Runtime 1.12 and later
SIDE = 320
CLASSES = 6
_SEED = 20_261_126
_STRIDES = (8, 16, 32)
NAME = "embedded detector"


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


# --------------------------------------------------------------------------- the network


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where its forms are."""

    onnx: Path
    layers: Path  # JSON
    weights: Path  # float32, little-endian, in the order of the layers


@dataclass(slots=True)
class _Net:
    """Collects layers: each has a kind, inputs, an output, and what its kind needs."""

    layers: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, inputs: list[str], **more: int) -> str:
        name = f"{kind}_{len(self.layers)}"
        self.layers.append({"kind": kind, "inputs": inputs, "output": name, **more})
        return name

    def conv(self, x: str, before: int, after: int, side: int = 3, stride: int = 1) -> str:
        return self.add("conv", [x], before=before, after=after, side=side, stride=stride)

    def unit(self, x: str, before: int, after: int, side: int = 3, stride: int = 1) -> str:
        return self.add("silu", [self.conv(x, before, after, side, stride)])

    def block(self, x: str, channels: int) -> str:
        inner = self.unit(self.unit(x, channels, channels // 2, 1), channels // 2, channels)
        return self.add("add", [x, inner])

    def down(self, x: str, before: int, after: int) -> str:
        return self.block(self.unit(x, before, after, stride=2), after)

    def head(self, x: str, channels: int) -> str:
        inner = self.unit(x, channels, 48)
        boxes = self.conv(inner, 48, 4, 1)
        scores = self.add("sigmoid", [self.conv(inner, 48, CLASSES, 1)])
        return self.add("flatten", [self.add("concat", [boxes, scores], axis=1)])


def layers() -> list[dict[str, Any]]:
    """Return the network: an image (1, 3, 320, 320) to (1, 10, 2100) boxes and scores."""
    net = _Net()
    x = net.down(net.unit("images", 3, 16, stride=2), 16, 32)
    third = net.down(x, 32, 64)
    fourth = net.down(third, 64, 128)
    fifth = net.down(fourth, 128, 192)
    larger = net.add("larger", [net.unit(fifth, 192, 128, 1)])
    fourth = net.unit(net.add("concat", [fourth, larger], axis=1), 256, 96)
    larger = net.add("larger", [net.unit(fourth, 96, 64, 1)])
    third = net.unit(net.add("concat", [third, larger], axis=1), 128, 64)
    heads = [net.head(third, 64), net.head(fourth, 96), net.head(fifth, 192)]
    net.add("concat", heads, axis=2)
    return net.layers


def write(folder: Path) -> Files:
    """Write its forms into a folder."""
    found = layers()
    weights = _weights(found)
    files = Files(
        onnx=folder / "detector.onnx",
        layers=folder / "detector.json",
        weights=folder / "detector.weights",
    )
    files.onnx.write_bytes(_onnx(found, weights))
    files.layers.write_text(json.dumps(found), encoding="utf-8")
    files.weights.write_bytes(b"".join(weights))
    return files


def _weights(found: list[dict[str, Any]]) -> list[bytes]:
    """Return the kernel of each convolution and its bias, in turn."""
    source = random.Random(_SEED)  # noqa: S311 - the same on every machine, no secret
    kept = []
    for layer in found:
        if layer["kind"] == "conv":
            fan_in = layer["before"] * layer["side"] ** 2
            kept.append(_uniform(source, layer["after"] * fan_in, (4.5 / fan_in) ** 0.5))
            kept.append(_uniform(source, layer["after"], 0.05))
    return kept


def _uniform(source: random.Random, count: int, bound: float) -> bytes:
    whole = array("h", source.randbytes(2 * count))
    floats = array("f", [value * (bound / 32768) for value in whole])
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tobytes()


def forms(folder: Path) -> tuple[Form, ...]:
    """Write it into a folder; return what runs it, PyTorch first and only where there is one."""
    files = write(folder)
    torch = Form(
        runtime=Runtime.TORCH,
        label="PyTorch",
        model=NAME,
        job={
            "model": None,
            "factory": "bench_default:load",
            "path": [str(WORKERS)],
            "arguments": {"layers": str(files.layers), "weights": str(files.weights)},
        },
        files=(files.weights,),
        optional=True,
    )
    onnx = Form(
        runtime=Runtime.ONNX,
        label="ONNX Runtime",
        model=NAME,
        job={"model": str(files.onnx)},
        files=(files.onnx,),
    )
    return torch, onnx


# --------------------------------------------------------------------------- as ONNX


def _onnx(found: list[dict[str, Any]], weights: list[bytes]) -> bytes:
    count = sum((SIDE // stride) ** 2 for stride in _STRIDES)
    found = [*found[:-1], {**found[-1], "output": "detections"}]
    nodes: list[bytes] = []
    tensors = [tensor("double", [4], array("f", [1, 1, 2, 2]).tobytes())]
    tensors.append(whole_numbers("rows", [0, 0, -1]))
    rest = iter(weights)
    for layer in found:
        if layer["kind"] == "conv":
            kernel, bias = f"{layer['output']}.kernel", f"{layer['output']}.bias"
            shape = [layer["after"], layer["before"], layer["side"], layer["side"]]
            tensors.append(tensor(kernel, shape, next(rest)))
            tensors.append(tensor(bias, shape[:1], next(rest)))
        nodes += _nodes(layer)
    given = value("images", [1, 3, SIDE, SIDE])
    return model(nodes, tensors, given, value("detections", [1, 4 + CLASSES, count]))


def _nodes(layer: dict[str, Any]) -> list[bytes]:
    inputs, output = layer["inputs"], layer["output"]
    match layer["kind"]:
        case "conv":
            side = layer["side"]
            attributes = [
                integers("kernel_shape", [side, side]),
                integers("strides", [layer["stride"]] * 2),
                integers("pads", [side // 2] * 4),
            ]
            named = [*inputs, f"{output}.kernel", f"{output}.bias"]
            return [node("Conv", named, output, attributes)]
        case "silu":
            gate = f"{output}.gate"
            return [
                node("Sigmoid", inputs, gate),
                node("Mul", [*inputs, gate], output),
            ]
        case "add":
            return [node("Add", inputs, output)]
        case "sigmoid":
            return [node("Sigmoid", inputs, output)]
        case "concat":
            return [node("Concat", inputs, output, [integer("axis", layer["axis"])])]
        case "larger":
            how = [
                word("mode", "nearest"),
                word("coordinate_transformation_mode", "asymmetric"),
                word("nearest_mode", "floor"),
            ]
            return [node("Resize", [*inputs, "", "double"], output, how)]
        case _:  # flatten: the places of a map in a row
            return [node("Reshape", [*inputs, "rows"], output)]
