"""Fits the models of bytecode and slug to measured wheels; part of benchmarks/calibrate.py."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.corpus import Wheel
from slugcheck.sizing import bytecode, calibration, compression
from slugcheck.sizing.kinds import SlugGroup, slug_group

DATE = "2026-11-24"
MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PREFIX = "/app/.heroku/python/lib/python3.11/site-packages"
KNOWN_BYTECODE = 200_000
KNOWN_SLUG = 500_000
LEAST_SHARED = 0.5  # percent: what a corpus cannot show about an app unlike any in it
_SMALL = 20_000  # bytes of slug that a distribution's error may have without counting
_USUAL = 0.1
_LARGE = 1_000_000.0  # beyond this a distribution's sources count no more in the fit
_LEAST, _MOST = 0.2, 2.5  # factors of the slug beyond these are of native code, not of the models
Data = dict[str, Any]


def fit_bytecode(wheels: Iterable[Wheel], minor: str) -> list[float]:
    """Weighted least squares over sources; errors grow with size, and no giant dominates."""
    pairs = [_bytecode_rows(wheel, minor) for wheel in wheels]
    rows = np.concatenate([rows for rows, _ in pairs])
    return _least_squares(rows, np.concatenate([true for _, true in pairs]))


@functools.cache
def _bytecode_rows(wheel: Wheel, minor: str) -> tuple[Any, Any]:
    sizes = wheel.bytecode.get(minor, {})
    sources = [entry for entry in wheel.sources if entry.path in sizes]
    large = max(sum(entry.size for entry in sources) / _LARGE, 1.0)
    weights = [((entry.size + 500) * large) ** -0.5 for entry in sources]
    rows = [[w * v for v in bytecode.features(e)] for w, e in zip(weights, sources, strict=True)]
    true = [w * sizes[e.path] for w, e in zip(weights, sources, strict=True)]
    return np.array(rows).reshape(len(rows), 6), np.array(true)


@functools.cache
def weight_of(wheel: Wheel) -> compression.Weight:
    """Return the weight of a wheel's files, which is the same whatever is fitted."""
    return compression.weigh(wheel.entries)


def fit_slug(wheels: Sequence[Wheel]) -> tuple[list[float], list[float]]:
    """Return the coefficients without bytecode, and those of the logarithm of its ratio.

    Distributions whose files are much alike (one of generated clients is 40 % smaller) must not
    pull all others: see ``_robust``.
    """
    plain, plain_true, ratio, ratio_true = [], [], [], []
    for wheel in wheels:
        weight = weight_of(wheel)
        scale = 1 / (wheel.gzip_plain + _SMALL)
        plain.append([scale * value for value in weight.features])
        plain_true.append(scale * (wheel.gzip_plain - compression.GZIP * weight.deflated))
        extra, whole = wheel.gzip_full - wheel.gzip_plain, true_bytecode(wheel)
        if whole:
            scale = (extra / (extra + _SMALL)) ** 0.5
            ratio.append([scale * value for value in weight.bytecode_features()])
            ratio_true.append(scale * math.log(extra / whole))
    return _robust(plain, plain_true), _robust(ratio, ratio_true)


def _robust(rows: list[list[float]], true: list[float]) -> list[float]:
    """Least squares in which errors above a tenth count with their size, not its square (Huber)."""
    matrix, wanted = np.array(rows), np.array(true)
    weights: Any = np.ones(len(wanted))
    solved = np.zeros(matrix.shape[1])
    for _ in range(30):
        solved = np.linalg.lstsq(matrix * weights[:, None], wanted * weights, rcond=None)[0]
        errors = np.abs(wanted - matrix @ solved)
        weights = np.sqrt(np.minimum(1.0, _USUAL / np.maximum(errors, 1e-9)))
    return [round(float(value), 5) for value in solved]


def _least_squares(rows: Any, true: Any) -> list[float]:
    solved = np.linalg.lstsq(rows, true, rcond=None)[0]
    return [round(float(value), 5) for value in solved]


def true_bytecode(wheel: Wheel, minor: str = "3.11") -> int:
    """Return the bytecode bytes of a wheel, source paths included."""
    sizes = wheel.bytecode[minor]
    return sum(size + len(PREFIX) + 1 + len(path) for path, size in sizes.items())


def assemble(wheels: Sequence[Wheel], minors: Sequence[str]) -> Data:
    """Return the data file's content without errors and without known distributions."""
    plain, share = fit_slug(wheels)
    fitted = {minor: fit_bytecode(wheels, minor) for minor in minors}
    model = {minor: [[None, 0.0]] for minor in minors}
    nothing = [[None, 0.0]]
    grounds = {"same_version": nothing, "other_version": nothing}
    errors = {
        **grounds,
        "sample": [[None, 0.0]],
        "model": model,
        "transfer": dict.fromkeys(minors, 0.0),
    }
    return {
        "date": DATE,
        "deflate_ratios": deflate_ratios(wheels),
        "bytecode": {
            "coefficients": fitted,
            "shrinkage_runs": 0.5,
            "error_percent": errors,
            "systematic_percent": LEAST_SHARED,
        },
        "slug": {
            "plain": plain,
            "bytecode": share,
            "error_percent": {
                **grounds, "sample": nothing, "alike": nothing, "model": nothing, "far": nothing,
                "stored": 0.0,
            },
            "systematic_percent": LEAST_SHARED,
            "pythons": {minor: [1.0, 1.0, 0.0] for minor in minors},
        },
        "known": {},
    }  # fmt: skip


def deflate_ratios(wheels: Iterable[Wheel]) -> dict[str, float]:
    """Return deflated over plain bytes by group, for files that an archive stores plain."""
    packed = dict.fromkeys(SlugGroup, 0)
    plain = dict.fromkeys(SlugGroup, 1)
    for wheel in wheels:
        for entry in wheel.entries:
            packed[slug_group(entry.path)] += entry.compressed
            plain[slug_group(entry.path)] += entry.size
    return {group.value: round(packed[group] / plain[group], 3) for group in SlugGroup}


def using(data: Data) -> AbstractContextManager[object]:
    """Let slugcheck's own functions predict with these numbers, not with the shipped ones."""
    parsed = calibration.parse(data)
    return mock.patch.object(calibration, "load", return_value=parsed)


# --------------------------------------------------------------------------- known factors


def known_factors(wheels: Iterable[Wheel]) -> Data:
    """Return the measured factors of the distributions that weigh enough, by version."""
    known: Data = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.filename):
        new = model_bytecode(wheel, "3.11")
        paths = true_bytecode(wheel) - sum(wheel.bytecode["3.11"].values())
        halfway = round(((new + paths) * true_bytecode(wheel)) ** 0.5)  # as slug.predict does
        weight = weight_of(wheel)
        near = weight.near + weight.bytecode_share(halfway, "3.11")
        if new < KNOWN_BYTECODE and near + weight.far < KNOWN_SLUG:
            continue
        factors = {minor: factor(wheel, minor) for minor in MINORS if minor in wheel.bytecode}
        measured = (wheel.gzip_full - compression.GZIP * weight.far) / near
        row = [round(min(max(measured, _LEAST), _MOST), 3), factors]
        known.setdefault(wheel.name, {})[wheel.version] = row
    return known


def model_bytecode(wheel: Wheel, minor: str) -> int:
    """Return the model's bytecode bytes without paths."""
    return bytecode.class_prediction(wheel.sources, minor=minor, prefix=PREFIX) - sum(
        len(PREFIX) + 1 + len(entry.path) for entry in wheel.sources
    )


def factor(wheel: Wheel, minor: str) -> float | None:
    """Return the true bytecode over the model's; 1 for a distribution without sources."""
    if minor not in wheel.bytecode:
        return None
    predicted = model_bytecode(wheel, minor)
    return round(sum(wheel.bytecode[minor].values()) / predicted, 3) if predicted else 1.0


def without(data: Data, wheel: Wheel) -> Data:
    """Return the numbers as they would be had this very version not been measured."""
    versions = dict(data["known"].get(wheel.name, {}))
    versions.pop(wheel.version, None)
    return {**data, "known": {wheel.name: versions} if versions else {}}
