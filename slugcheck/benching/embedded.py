"""The model that ``slugcheck bench`` has with it: a small detector, in both forms.

A one-stage detector by hand: residual blocks, three scales, a box and a score for each class at
every place. Weights are pseudo-random, so its detections mean nothing; memory and time do. One list
of layers and one file of weights make the ONNX file here and the PyTorch module in
``workers/bench_default.py``, neither of which needs the other's packages.
"""

from __future__ import annotations

import json
import random
import sys
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slugcheck.benching import protobuf
from slugcheck.benching.launcher import WORKERS
from slugcheck.benching.plan import Form
from slugcheck.model.bench import Runtime

SIDE = 320
CLASSES = 6
_SEED = 20_261_126
_STRIDES = (8, 16, 32)
NAME = "embedded detector"


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
    tensors = [protobuf.tensor("double", [4], array("f", [1, 1, 2, 2]).tobytes())]
    tensors.append(protobuf.whole_numbers("rows", [0, 0, -1]))
    rest = iter(weights)
    for layer in found:
        if layer["kind"] == "conv":
            kernel, bias = f"{layer['output']}.kernel", f"{layer['output']}.bias"
            shape = [layer["after"], layer["before"], layer["side"], layer["side"]]
            tensors.append(protobuf.tensor(kernel, shape, next(rest)))
            tensors.append(protobuf.tensor(bias, shape[:1], next(rest)))
        nodes += _nodes(layer)
    given = protobuf.value("images", [1, 3, SIDE, SIDE])
    return protobuf.model(
        nodes, tensors, given, protobuf.value("detections", [1, 4 + CLASSES, count])
    )


def _nodes(layer: dict[str, Any]) -> list[bytes]:
    inputs, output = layer["inputs"], layer["output"]
    match layer["kind"]:
        case "conv":
            side = layer["side"]
            attributes = [
                protobuf.integers("kernel_shape", [side, side]),
                protobuf.integers("strides", [layer["stride"]] * 2),
                protobuf.integers("pads", [side // 2] * 4),
            ]
            named = [*inputs, f"{output}.kernel", f"{output}.bias"]
            return [protobuf.node("Conv", named, output, attributes)]
        case "silu":
            gate = f"{output}.gate"
            return [
                protobuf.node("Sigmoid", inputs, gate),
                protobuf.node("Mul", [*inputs, gate], output),
            ]
        case "add":
            return [protobuf.node("Add", inputs, output)]
        case "sigmoid":
            return [protobuf.node("Sigmoid", inputs, output)]
        case "concat":
            return [
                protobuf.node("Concat", inputs, output, [protobuf.integer("axis", layer["axis"])])
            ]
        case "larger":
            how = [
                protobuf.word("mode", "nearest"),
                protobuf.word("coordinate_transformation_mode", "asymmetric"),
                protobuf.word("nearest_mode", "floor"),
            ]
            return [protobuf.node("Resize", [*inputs, "", "double"], output, how)]
        case _:  # flatten: the places of a map in a row
            return [protobuf.node("Reshape", [*inputs, "rows"], output)]
