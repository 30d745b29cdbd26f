"""Writes the files of ``slugcheck bench``'s own model: ``python -m benchmarks.bench_model``.

A one-stage detector: residual blocks, three scales, a box and a score for each class at every
place. The layers go to ``detector.json``, which the PyTorch worker builds its module from, and the
ONNX file to ``detector.onnx.gz``, with zeros for the weights: real ones do not compress and are
made at run time (``slugcheck/benching/model.py``).
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent.parent / "slugcheck" / "benching"
OPSET, IR = 17, 8  # read by ONNX Runtime 1.12 and later
SIDE, CLASSES, STRIDES = 320, 6, (8, 16, 32)


class Net:
    """Collects layers: each has a kind, inputs, an output, and what its kind needs."""

    def __init__(self) -> None:
        self.layers: list[dict[str, Any]] = []

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
    net = Net()
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


def weights(layer: dict[str, Any]) -> list[TensorProto]:
    """Return a convolution's kernel and bias as zeros; none for another layer."""
    if layer["kind"] != "conv":
        return []
    kernel = (layer["after"], layer["before"], layer["side"], layer["side"])
    return [
        numpy_helper.from_array(numpy.zeros(shape, "float32"), f"{layer['output']}.{name}")
        for name, shape in (("kernel", kernel), ("bias", kernel[:1]))
    ]


def nodes(layer: dict[str, Any]) -> list[NodeProto]:
    """Return a layer's ONNX operators."""
    inputs, output = layer["inputs"], layer["output"]

    def node(kind: str, inputs: list[str], to: str = output, **more: Any) -> NodeProto:
        made = helper.make_node(kind, inputs, [to], name=to)
        # as given: make_node would sort them, and the file would be another one
        made.attribute.extend(helper.make_attribute(name, value) for name, value in more.items())
        return made

    match layer["kind"]:
        case "conv":
            side, stride = [layer["side"]] * 2, [layer["stride"]] * 2
            named = [*inputs, f"{output}.kernel", f"{output}.bias"]
            pads = [layer["side"] // 2] * 4
            return [node("Conv", named, kernel_shape=side, strides=stride, pads=pads)]
        case "silu":
            gate = f"{output}.gate"
            return [node("Sigmoid", inputs, gate), node("Mul", [*inputs, gate])]
        case "larger":
            how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
            return [node("Resize", [*inputs, "", "double"], **how, nearest_mode="floor")]
        case "flatten":  # the places of a map in a row
            return [node("Reshape", [*inputs, "rows"])]
        case "concat":
            return [node("Concat", inputs, axis=layer["axis"])]
        case kind:
            return [node(kind.capitalize(), inputs)]


def as_onnx(network: list[dict[str, Any]]) -> ModelProto:
    """Return the network as ONNX; the weights are zeros and stand in the order of the layers."""
    network = [*network[:-1], {**network[-1], "output": "detections"}]
    count = sum((SIDE // stride) ** 2 for stride in STRIDES)
    constants = [
        numpy_helper.from_array(numpy.array([1, 1, 2, 2], "float32"), "double"),
        numpy_helper.from_array(numpy.array([0, 0, -1]), "rows"),
    ]
    images, detections = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (
            ("images", [1, 3, SIDE, SIDE]),
            ("detections", [1, 4 + CLASSES, count]),
        )
    )
    graph = helper.make_graph(
        [node for layer in network for node in nodes(layer)],
        "detector",
        [images],
        [detections],
        constants + [tensor for layer in network for tensor in weights(layer)],
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, producer_name="slugcheck", ir_version=IR, opset_imports=[opset])


def main() -> None:
    network = layers()
    content = as_onnx(network).SerializeToString()
    end = 0
    for layer in network:
        places = []
        for tensor in weights(layer):  # its bytes are what a tensor ends with
            part = tensor.SerializeToString()
            end = content.index(part, end) + len(part)
            places.append(end - len(tensor.raw_data))
        if places:
            layer["weights_at"] = places
    (FOLDER / "detector.json").write_text(json.dumps(network) + "\n", encoding="utf-8")
    (FOLDER / "detector.onnx.gz").write_bytes(gzip.compress(content, mtime=0))


if __name__ == "__main__":
    main()
