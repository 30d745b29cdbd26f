"""The model that comes with ``slugcheck bench``: a small detector, as ONNX and for PyTorch.

``detector.json`` has its layers and ``detector.onnx.gz`` its ONNX file without the weights
(``benchmarks/bench_model.py`` writes both). The weights are made here: they are pseudo-random, so
its detections mean nothing, memory and time do, and 4 MB of them would not compress.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path

from slugcheck.benching.plan import Form
from slugcheck.model.bench import Runtime
from slugcheck.running.spawner import WORKERS

_SEED = 20_261_126
_LAYERS = Path(__file__).with_name("detector.json")
_NAME = "built-in detector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where its forms are."""

    onnx: Path
    weights: Path  # float32, little-endian, in the order of the layers


def write(folder: Path) -> Files:
    """Write its forms into a folder."""
    onnx = bytearray(gzip.decompress(_LAYERS.with_name("detector.onnx.gz").read_bytes()))
    weights = b""
    source = random.Random(_SEED)  # noqa: S311 - the same on every machine, no secret
    for layer in json.loads(_LAYERS.read_bytes()):
        if layer["kind"] == "conv":
            fan_in = layer["before"] * layer["side"] ** 2
            kernel = _uniform(source, layer["after"] * fan_in, (4.5 / fan_in) ** 0.5)
            bias = _uniform(source, layer["after"], 0.05)
            for at, values in zip(layer["weights_at"], (kernel, bias), strict=True):
                onnx[at : at + len(values)] = values
            weights += kernel + bias
    files = Files(onnx=folder / "detector.onnx", weights=folder / "detector.weights")
    files.onnx.write_bytes(onnx)
    files.weights.write_bytes(weights)
    return files


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
        model=_NAME,
        job={
            "model": None,
            "factory": "bench_default:load",
            "path": [str(WORKERS)],
            "arguments": {"layers": str(_LAYERS), "weights": str(files.weights)},
        },
        files=(files.weights,),
        optional=True,
    )
    onnx = Form(
        runtime=Runtime.ONNX,
        label="ONNX Runtime",
        model=_NAME,
        job={"model": str(files.onnx)},
        files=(files.onnx,),
    )
    return torch, onnx
