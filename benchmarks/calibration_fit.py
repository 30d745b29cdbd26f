"""Fits the models of bytecode and slug to measured wheels; part of benchmarks/calibrate.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.corpus import Wheel
from slugcheck.model import Estimate
from slugcheck.sizing import bytecode, calibration, compression
from slugcheck.sizing.kinds import SlugGroup, slug_group

DATE = "2026-11-24"
MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PREFIX = "/app/.heroku/python/lib/python3.11/site-packages"
SATURATION = 1000  # of 1000, 2000, 3000 and 6000 bytes the best by cross-validation
KNOWN_BYTECODE = 200_000
KNOWN_SLUG = 500_000
LEAST_SHARED = 0.5  # percent: what a corpus cannot show about an app unlike any in it
_LARGE = 1_000_000.0  # beyond this a distribution's sources count no more in the fit
Data = dict[str, Any]


def fit_bytecode(wheels: Iterable[Wheel], minor: str) -> list[float]:
    """Weighted least squares over sources; errors grow with size, and no giant dominates."""
    rows: list[list[float]] = []
    true: list[float] = []
    for wheel in wheels:
        sizes = wheel.bytecode.get(minor, {})
        sources = [entry for entry in wheel.sources if entry.path in sizes]
        large = max(sum(entry.size for entry in sources) / _LARGE, 1.0)
        for entry in sources:
            weight = ((entry.size + 500) * large) ** -0.5
            rows.append([weight * value for value in bytecode.features(entry)])
            true.append(weight * sizes[entry.path])
    return _least_squares(rows, true)


def fit_slug(wheels: Sequence[Wheel]) -> tuple[list[float], list[float]]:
    """Return the coefficients without bytecode, and those of the bytecode's share."""
    plain, share, plain_true, share_true = [], [], [], []
    for wheel in wheels:
        extra = wheel.gzip_full - wheel.gzip_plain
        weight, share_weight = 1 / (wheel.gzip_plain + 20_000), 1 / (extra + 20_000)
        values = compression.plain_features(wheel.entries, SATURATION)
        plain.append([weight * value for value in values])
        plain_true.append(weight * wheel.gzip_plain)
        values = compression.bytecode_features(wheel.entries, true_bytecode(wheel))
        share.append([share_weight * value for value in values])
        share_true.append(share_weight * extra)
    return _least_squares(plain, plain_true), _least_squares(share, share_true)


def _least_squares(rows: list[list[float]], true: list[float]) -> list[float]:
    solved = np.linalg.lstsq(np.array(rows), np.array(true), rcond=None)[0]
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
    grounds = {"same_version": 0.0, "sample": 0.0, "other_version": 0.0}
    errors = {**grounds, "model": model, "transfer": dict.fromkeys(minors, 0.0)}
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
            "saturation_bytes": SATURATION,
            "plain": plain,
            "bytecode": share,
            "error_percent": {
                "same_version": 0.0, "other_version": 0.0, "model": 0.0, "stored": 13.0,
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
        bare = compression.predict(
            wheel.entries, Estimate[int].measured(halfway), minor="3.11"
        ).value
        if new < KNOWN_BYTECODE and bare < KNOWN_SLUG:
            continue
        factors = {minor: factor(wheel, minor) for minor in MINORS if minor in wheel.bytecode}
        row = [round(wheel.gzip_full / bare, 3), factors]
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
