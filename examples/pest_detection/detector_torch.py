"""The detector of make_models.py as a PyTorch module: the same layers in the same order.

``slugcheck bench --torch detector_torch.py:pests`` runs it as written here, layer by layer;
``models_torch/pests.torchscript`` is the same, recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(__file__).parent / "models_torch"


class Conv(nn.Module):
    """A convolution with its activation."""

    def __init__(self, before: int, after: int, side: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, side, stride, side // 2)
        self.act = nn.SiLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run it."""
        return self.act(self.conv(x))


class Block(nn.Module):
    """A residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(Conv(channels, channels), Conv(channels, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run it."""
        return x + self.inner(x)


class Detector(nn.Module):
    """Images (1, 3, 640, 640) to rows of box and scores (1, 8400, 4 + n)."""

    def __init__(self, classes: int = 6) -> None:
        super().__init__()
        # modules are made in the order of make_models.py: the weights come in that order
        self.stem = nn.Sequential(
            Conv(3, 40, stride=2), Block(40), Conv(40, 48, stride=2), Block(48)
        )
        self.to_third = nn.Sequential(Conv(48, 64, stride=2), Block(64), Block(64))
        self.to_fourth = nn.Sequential(Conv(64, 128, stride=2), Block(128), Block(128))
        self.to_fifth = nn.Sequential(Conv(128, 256, stride=2), Block(256))
        self.down_fifth = Conv(256, 128, side=1)
        self.mix_fourth = Conv(256, 128)
        self.down_fourth = Conv(128, 64, side=1)
        self.mix_third = Conv(128, 64)
        self.heads = nn.ModuleList(
            nn.Sequential(Conv(channels, 64), nn.Conv2d(64, 4 + classes, 1))
            for channels in (64, 128, 256)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Run it."""
        third = self.to_third(self.stem(images))
        fourth = self.to_fourth(third)
        fifth = self.to_fifth(fourth)
        fourth = self.mix_fourth(torch.cat([fourth, larger(self.down_fifth(fifth))], 1))
        third = self.mix_third(torch.cat([third, larger(self.down_fourth(fourth))], 1))
        levels = (third, fourth, fifth)
        rows = [head(level).flatten(2) for head, level in zip(self.heads, levels, strict=True)]
        return torch.cat(rows, 2).transpose(1, 2)


def larger(x: torch.Tensor) -> torch.Tensor:
    """Double height and width."""
    return nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")


def filled(weights: Iterable[torch.Tensor], classes: int) -> Detector:
    """Return a detector with the weights of make_models.py, in their order."""
    detector = Detector(classes)
    with torch.no_grad():
        for parameter, value in zip(detector.parameters(), weights, strict=True):
            parameter.copy_(value)
    return detector.eval()


def pests() -> Detector:
    """Return the detector of pests, as an app would load it."""
    detector = Detector()
    state = torch.load(FOLDER / "pests.pt", map_location="cpu", weights_only=True)
    detector.load_state_dict(state)
    return detector.eval()
