"""The fitted coefficients and errors of the size models, from ``calibration.json``.

``benchmarks/calibrate.py`` writes that file and says how it was measured; nothing else may.
It is read once, when first needed.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from slugcheck import reading
from slugcheck.model import Entry
from slugcheck.sizing.kinds import SlugGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What one version of a distribution measured, against the models.

    ``bytecode`` holds the factors on the bytecode model by Python, ``slug`` the factor on the slug
    model of all but large files' rests (``compression.Weight``).
    """

    version: str
    bytecode: Mapping[str, float]
    slug: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The data file. Errors are half widths of intervals, in percent of what they belong to."""

    date: str
    bytecode: Mapping[str, Any]
    slug: Mapping[str, Any]
    ratios: Mapping[SlugGroup, float]  # deflated bytes over plain bytes, by group
    known: Mapping[str, tuple[Known, ...]]

    def find(self, name: str | None, version: str | None) -> tuple[Known | None, bool]:
        """Return the entry nearest to a distribution, and whether it is of that very version."""
        entries = self.known.get(canonicalize_name(name), ()) if name else ()
        if not entries:
            return None, False
        ordered = sorted(entries, key=lambda entry: reading.version(entry.version))
        try:
            # a local part (+cpu) names a build of the same sources
            wanted = reading.version(reading.version(version or "").public)
        except InvalidVersion:
            return ordered[-1], False
        later = [entry for entry in ordered if reading.version(entry.version) >= wanted]
        nearest = later[0] if later else ordered[-1]
        return nearest, reading.version(nearest.version) == wanted


@functools.cache
def fingerprint() -> str:
    """Return a digest of everything that figures are computed with: these modules and their data.

    What was computed by others is of no use.
    """
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(Path(__file__).parent.glob("*.[pj]*")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@functools.cache
def load() -> Calibration:
    """Return the calibration that this slugcheck ships with."""
    text = resources.files("slugcheck.sizing").joinpath("calibration.json").read_text("utf-8")
    return parse(reading.json(text))


def parse(data: Mapping[str, Any]) -> Calibration:
    """Return a calibration from the content of its data file."""
    return Calibration(
        date=data["date"],
        bytecode=data["bytecode"],
        slug=data["slug"],
        ratios={SlugGroup(group): ratio for group, ratio in data["deflate_ratios"].items()},
        known={
            name: tuple(
                Known(version=version, bytecode=factors, slug=slug)
                for version, (slug, factors) in versions.items()
            )
            for name, versions in data["known"].items()
        },
    )


def by_size(errors: Iterable[Sequence[float | None]], size: float) -> float:
    """Return the error of the first class whose bound ``size`` is below; None is above all."""
    return float(next(error for bound, error in errors if bound is None or size < bound) or 0.0)


def deflated_bytes(entry: Entry, group: SlugGroup) -> float:
    """Return what a file takes when deflated, from its group's ratio if it was stored plain."""
    if not entry.stored:
        return float(entry.compressed)
    return entry.size * load().ratios[group]
