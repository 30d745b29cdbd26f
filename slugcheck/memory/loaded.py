"""What the model files that an app loads at its start take in memory. Bytes.

A share of the file's size, by the call that loads it. ``benchmarks/loaded_models.py`` measured the
shares on 2026-11-28 (docs/memory.md); where nothing was measured the low end is nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from slugcheck.model import Estimate, LoadedModel, When
from slugcheck.model.memory import LoadedFile, WorkerFloor

# Low end, value and high end as shares of the file's size. The low ends are below all that was
# measured, the high ends above nine in ten.
_UNKNOWN = (0.0, 0.0, 3.0)
_MAPPED = (0.0, 0.0, 1.0)
_PICKLE = (0.25, 0.9, 8.0)  # with protocol 0 a file has up to four times what it holds
_JOBLIB = (0.5, 0.9, 10.0)  # which may compress it
_SHARES: dict[str, tuple[float, float, float]] = {
    "onnxruntime.InferenceSession": (0.9, 1.0, 3.4),
    # of a training checkpoint two thirds are of the optimizer, and may be dropped
    "torch.load": (0.3, 1.0, 1.2),
    "torch.jit.load": (0.9, 1.0, 1.3),
    "joblib.load": _JOBLIB,
    "sklearn.externals.joblib.load": _JOBLIB,
    "pickle.load": _PICKLE,
    "pickle.loads": _PICKLE,
    "lightgbm.Booster": (0.5, 0.6, 2.0),
    "xgboost.Booster": (0.5, 0.8, 2.5),
}
# What a loader sets up with the first file, at most.
_FIRST = {
    "onnxruntime.InferenceSession": 15 * 2**20,
    "torch.load": 2 * 2**20,
    "torch.jit.load": 7 * 2**20,
}


def files(models: Iterable[LoadedModel], sizes: Mapping[str, int]) -> tuple[LoadedFile, ...]:
    """Return what each model takes that is among the app's files, the largest first.

    ``sizes`` are of the app's files in bytes, by their paths; a folder stands for all below it.
    """
    found = []
    first = dict(_FIRST)
    for model in models:
        size = _size(model.path, sizes)
        if size is None or model.when is When.LATER:
            continue
        shares = _MAPPED if model.mapped else _SHARES.get(model.loader, _UNKNOWN)
        low, value, high = (share * size for share in shares)
        high += first.pop(model.loader, 0)
        found.append(
            LoadedFile(
                model=model,
                file_bytes=size,
                resident=Estimate[int].predicted(round(value), math.floor(low), math.ceil(high)),
                measured=model.loader in _SHARES and not model.mapped,
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.resident.high, one.model.path)))


def _size(path: str, sizes: Mapping[str, int]) -> int | None:
    if path in sizes:
        return sizes[path]
    below = [size for name, size in sizes.items() if path and name.startswith(f"{path}/")]
    return sum(below) if below else None


def added(worker: WorkerFloor, loaded: tuple[LoadedFile, ...]) -> WorkerFloor:
    """Return the floor of a worker that has loaded models; what they take is anonymous memory."""
    if not loaded:
        return worker
    return replace(
        worker,
        resident=_sum(worker.resident, loaded),
        anonymous=_sum(worker.anonymous, loaded),
        models=loaded,
    )


def _sum(base: Estimate[int], loaded: tuple[LoadedFile, ...]) -> Estimate[int]:
    """Return a sum; errors of the imports and of each model are independent of each other."""
    parts = [one.resident for one in loaded]
    value = base.value + sum(part.value for part in parts)
    low = math.hypot(base.value - base.low, *(part.value - part.low for part in parts))
    high = math.hypot(base.high - base.value, *(part.high - part.value for part in parts))
    return Estimate[int].predicted(value, max(0, math.floor(value - low)), math.ceil(value + high))
