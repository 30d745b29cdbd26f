"""Make the three detection models of this example, about 12 MB of ONNX each.

    python -m pip install numpy onnx
    python examples/pest_detection/make_models.py

With --torch the same networks with the same weights for PyTorch (takes torch as well), into
``models_torch/``: TorchScript files, and weights alone for detector_torch.py.

A small one-stage detector of our own: residual blocks, three scales, one box and one score for
each class at every place. The weights are random (a seed for each model), so its detections mean
nothing; its size, its memory and its time are those of a model that is in use.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MODELS = {
    "pests": ("aphid", "armyworm", "beetle", "leafhopper", "mite", "whitefly"),
    "diseases": ("blight", "mildew", "mosaic", "rust", "scab", "wilt"),
    "weeds": ("bindweed", "chickweed", "foxtail", "pigweed", "purslane", "thistle"),
}
SIDE = 640
STRIDES = (8, 16, 32)


class Network:
    """Collects the nodes and the weights of a graph."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: list[str], **attributes: object) -> str:
        """Add a node; return the name of what it puts out."""
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: np.ndarray) -> str:
        """Add a weight; return its name."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def linear(self, x: str, channels: tuple[int, int], side: int = 3, stride: int = 1) -> str:
        """Add a convolution from so many channels to so many."""
        before, after = channels
        spread = np.sqrt(2.0 / (before * side * side))
        weight = self._random.normal(0.0, spread, (after, before, side, side)).astype(np.float32)
        bias = np.zeros(after, np.float32)
        pads = [side // 2] * 4
        inputs = [x, self.constant(weight), self.constant(bias)]
        return self.add("Conv", inputs, kernel_shape=[side, side], strides=[stride] * 2, pads=pads)

    def conv(self, x: str, channels: tuple[int, int], side: int = 3, stride: int = 1) -> str:
        """Add a convolution with its activation (x times the sigmoid of x)."""
        found = self.linear(x, channels, side, stride)
        return self.add("Mul", [found, self.add("Sigmoid", [found])])

    def block(self, x: str, channels: int) -> str:
        """Add a residual block."""
        inner = self.conv(self.conv(x, (channels, channels)), (channels, channels))
        return self.add("Add", [x, inner])

    def larger(self, x: str) -> str:
        """Double height and width."""
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.add("Resize", [x, "", scales], mode="nearest")


def detector(classes: int, seed: int) -> onnx.ModelProto:
    """Return a detector: images (1, 3, 640, 640) to rows of box and scores (1, 8400, 4 + n)."""
    net = Network(seed)
    x = net.block(net.conv("images", (3, 40), stride=2), 40)
    x = net.block(net.conv(x, (40, 48), stride=2), 48)
    third = net.block(net.block(net.conv(x, (48, 64), stride=2), 64), 64)
    fourth = net.block(net.block(net.conv(third, (64, 128), stride=2), 128), 128)
    fifth = net.block(net.conv(fourth, (128, 256), stride=2), 256)
    down = net.larger(net.conv(fifth, (256, 128), side=1))
    fourth = net.conv(net.add("Concat", [fourth, down], axis=1), (256, 128))
    down = net.larger(net.conv(fourth, (128, 64), side=1))
    third = net.conv(net.add("Concat", [third, down], axis=1), (128, 64))
    rows = []
    for level, channels in ((third, 64), (fourth, 128), (fifth, 256)):
        head = net.linear(net.conv(level, (channels, 64)), (64, 4 + classes), side=1)
        shape = net.constant(np.array([1, 4 + classes, -1], np.int64))
        rows.append(net.add("Reshape", [head, shape]))
    found = net.add("Concat", rows, axis=2)
    net.nodes.append(helper.make_node("Transpose", [found], ["detections"], perm=[0, 2, 1]))
    count = sum((SIDE // stride) ** 2 for stride in STRIDES)
    graph = helper.make_graph(
        net.nodes,
        "detector",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("detections", TensorProto.FLOAT, [1, count, 4 + classes])],
        net.weights,
    )
    # an opset and a format version that ONNX Runtime 1.17 and later read
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def weights(model: onnx.ModelProto) -> list[np.ndarray]:
    """Return kernel and bias of each convolution, in their order."""
    by_name = {tensor.name: tensor for tensor in model.graph.initializer}
    names = [name for node in model.graph.node if node.op_type == "Conv" for name in node.input[1:]]
    return [numpy_helper.to_array(by_name[name]) for name in names]


def write_torch(model: onnx.ModelProto, classes: int, path: Path) -> None:
    """Write a network with the weights of an ONNX one: TorchScript, and a file of weights."""
    import torch
    from detector_torch import filled

    values = (torch.from_numpy(value.copy()) for value in weights(model))
    network = filled(values, classes)
    torch.save(network.state_dict(), path.with_suffix(".pt"))
    with torch.inference_mode():
        images = torch.zeros(1, 3, SIDE, SIDE)
        # torch would check by tracing once more; the network has no branches to miss
        torch.jit.trace(network, images, check_trace=False).save(str(path))


def main() -> None:
    """Write the models."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=here / "models")
    parser.add_argument("--torch", action="store_true", help="write the PyTorch form as well")
    parser.add_argument("--torch-folder", type=Path, default=here / "models_torch")
    asked = parser.parse_args()
    for seed, (name, classes) in enumerate(MODELS.items()):
        model = detector(len(classes), seed)
        asked.folder.mkdir(parents=True, exist_ok=True)
        path = asked.folder / f"{name}.onnx"
        onnx.save(model, str(path))
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
        if asked.torch:
            asked.torch_folder.mkdir(parents=True, exist_ok=True)
            path = asked.torch_folder / f"{name}.torchscript"
            write_torch(model, len(classes), path)
            print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
