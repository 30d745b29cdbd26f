"""The built-in detector as a PyTorch module, from its layers and the weights slugcheck wrote."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Job = dict[str, Any]


def load(layers: str, weights: str) -> Any:
    """Return the module; ``layers`` is a JSON file, ``weights`` one of little-endian float32."""
    import torch

    class Detector(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            with open(layers) as stream:
                self.plan = json.load(stream)
            with open(weights, "rb") as stream:
                values = torch.frombuffer(bytearray(stream.read()), dtype=torch.float32)
            self.convolutions = torch.nn.ModuleDict()
            self.fill(values)

        def fill(self, values: Any) -> None:
            at = 0
            for layer in self.plan:
                if layer["kind"] == "conv":
                    side = layer["side"]
                    made = torch.nn.Conv2d(
                        layer["before"], layer["after"], side, layer["stride"], side // 2
                    )
                    for parameter in (made.weight, made.bias):
                        count = parameter.numel()
                        parameter.data.copy_(values[at : at + count].reshape(parameter.shape))
                        at += count
                    self.convolutions[layer["output"]] = made

        def forward(self, images: Any) -> Any:
            held = {"images": images}
            last = {name: at for at, step in enumerate(self.plan) for name in step["inputs"]}
            for at, layer in enumerate(self.plan):
                held[layer["output"]] = self.step(layer, [held[name] for name in layer["inputs"]])
                for name in layer["inputs"]:
                    if last[name] == at:
                        held.pop(name, None)  # as a hand-written forward would let it go
            return held[self.plan[-1]["output"]]

        def step(self, layer: Job, given: Any) -> Any:
            kind = layer["kind"]
            if kind == "conv":
                return self.convolutions[layer["output"]](given[0])
            if kind == "silu":
                return torch.nn.functional.silu(given[0])
            if kind == "add":
                return given[0] + given[1]
            if kind == "sigmoid":
                return torch.sigmoid(given[0])
            if kind == "concat":
                return torch.cat(given, layer["axis"])
            if kind == "larger":
                return torch.nn.functional.interpolate(given[0], scale_factor=2.0, mode="nearest")
            return given[0].flatten(2)

    return Detector()
