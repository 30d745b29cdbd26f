"""Predicts a distribution's share of the slug: the gzip -6 tar of the installed tree.

A wheel's members are deflated one by one, nearly always as gzip -6 would; in a tar they share a
window of 32 KiB, so small neighbours shrink further, and a header comes before each. What lies
beyond the first window of a large file keeps its deflated size, which the directory states. So the
model is the deflated bytes, less what small files gain from their neighbours, plus headers, plus
the share of the bytecode; and its error is one of all this but the large files' rests.
``benchmarks/calibrate.py`` fits it; ``calibration.json`` holds the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slugcheck import reading
from slugcheck.model import Entry, Estimate
from slugcheck.sizing import calibration
from slugcheck.sizing.kinds import SlugGroup, slug_group

# Deflate looks back no further: a file's bytes beyond it share nothing with its neighbours.
_WINDOW = 32 * 1024
# What the program gzip -6 writes over zlib's level 6, which wheels are deflated with: measured on
# three environments of 36,000 files and 379 MB gzipped (2026-11-24), 0.05 to 0.07 %.
GZIP = 1.0005
GZIP_SAMPLE = 1.003  # the same for sources and their bytecode, which are about as much
# Deflated bytes from which on a file's gain from its neighbours hardly grows; of 500, 1000, 2000
# and 4000 the best by cross-validation.
_SATURATION = 500.0
_RECORD = ".dist-info/RECORD"
# A sample below this part of the model has files much like each other; how much like the others of
# the distribution, which it does not see, is less certain.
ALIKE = 0.98
# From as many bytes of bytecode on, a sample is a small part of the sources: what another version
# showed of all of its own then counts as much (7.5 instead of 8.5 % rms).
_SEEN_IN_PART = 3_000_000
# Bytecode takes at least and at most this part of its bytes.
_LEAST_SHARE, _MOST_SHARE = 0.1, 0.5


def predict(
    files: Iterable[Entry],
    bytecode_bytes: Estimate[int],
    *,
    minor: str,
    name: str | None = None,
    version: str | None = None,
    model_bytecode: int | None = None,
    factor: float | None = None,
) -> Estimate[int]:
    """Return the compressed bytes of installed ``files`` and their bytecode.

    ``files`` are all that the installer leaves but the bytecode it compiles, which is
    ``bytecode_bytes`` on Python ``minor``. ``name`` and
    ``version`` let a measured factor of that distribution count; ``model_bytecode`` is then the
    bytecode without any factor (``BytecodePrediction.model_bytes``). ``factor`` is what a sample
    of its sources showed with the running Python (``sizing.sampled``); it counts where sources and
    bytecode are most of what is in doubt. Files that the wheel stores undeflated are taken at their
    group's usual ratio, with a wider interval.
    """
    files = tuple(files)
    weight = weigh(files)
    entry, same = calibration.load().find(name, version)
    errors = calibration.load().slug["error_percent"]
    far = GZIP * weight.far
    known = entry.slug if entry else 1.0
    measured = bytecode_bytes
    if entry and model_bytecode:
        measured = _halfway(bytecode_bytes, model_bytecode)
    ends = [known * (weight.near + share) for share in _shares(weight, measured, minor)]
    python = None
    if factor and not same:
        python = mostly_python(weight, files, bytecode_bytes.value, minor)
    if factor and python:
        shares = _shares(weight, bytecode_bytes, minor)
        shown = [weight.near + (factor - 1) * python.near + factor * share for share in shares]
        if entry and bytecode_bytes.value >= _SEEN_IN_PART:
            shown = [math.sqrt(one * other) for one, other in zip(shown, ends, strict=True)]
        low, near, high = shown
        evidence = "alike" if factor < ALIKE else "sample"
        usual = least = calibration.by_size(errors[evidence], bytecode_bytes.value)
    else:
        low, near, high = ends
        evidence = ("same_version" if same else "other_version") if entry else "model"
        usual = calibration.by_size(errors[evidence], 0)
        # What has thousands of sources and little else is often generated, each file like the
        # next: it may be much less, and is never more.
        alike = calibration.by_size(errors[evidence], weight.source_files if far < near else 0)
        least = max(100 - 100 / (1 + alike / 100), usual)
    others = math.hypot(
        near * (_python(minor)[2] if bytecode_bytes.value else 0.0) / 100,
        far * calibration.by_size(errors["far"], far) / 100,
        weight.stored * errors["stored"] / 100,
    )
    value = far + near
    below = math.hypot(near * least / 100, others, near - low)
    above = math.hypot(near * usual / 100, others, high - near)
    return Estimate.predicted(
        round(value), math.floor(max(value - below, 0.0)), math.ceil(value + above)
    )


def _shares(weight: Weight, bytecode_bytes: Estimate[int], minor: str) -> list[float]:
    ends = (bytecode_bytes.low, bytecode_bytes.value, bytecode_bytes.high)
    return [weight.bytecode_share(end, minor) for end in ends]


def mostly_python(
    weight: Weight, files: Iterable[Entry], bytecode_bytes: int, minor: str
) -> Weight | None:
    """Return the weight of the sources where they and bytecode are half or more, else None.

    Of all but the large files' rests; ``weight`` is that of all ``files``. What a sample of the
    sources showed then says more than another version, or nothing.
    """
    python = weigh(file for file in files if file.path.endswith(".py"))
    share = weight.bytecode_share(bytecode_bytes, minor)
    return python if 2 * (python.near + share) >= weight.near + share else None


def _halfway(corrected: Estimate[int], model: int) -> Estimate[int]:
    """Return the geometric mean of the bytecode with and without its factor.

    Bytecode that is large for its sources is repetitive and deflates better. A factor measured
    against the mean moves less from one version to the next (4.9 % instead of 7.8 % rms).
    """
    low, value, high = (
        round(math.sqrt(size * model)) for size in (corrected.low, corrected.value, corrected.high)
    )
    return Estimate(value=value, low=low, high=high, basis=corrected.basis)


def systematic_percent() -> float:
    """Return the doubt that the predictions of one run share, in percent of their sum."""
    return float(calibration.load().slug["systematic_percent"])


# --------------------------------------------------------------------------- the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What the sizes of a distribution's files say about their compressed bytes.

    ``deflated`` is their sum in the archive, ``far`` the part of it beyond the first window of each
    file, and ``stored`` what was not deflated there, at the usual ratio. ``features`` are what the
    coefficients without bytecode multiply, on top of the deflated bytes: by group of file (Python,
    text, the rest) the deflated bytes where no file counts more than 500,
    negative (what small files gain from their neighbours); the number of files (their headers);
    and that of RECORDs (lists of hashes, which share nothing).
    """

    deflated: float
    far: float
    stored: float
    features: tuple[float, ...]
    source_bytes: int
    source_deflated: float
    source_files: int

    @property
    def near(self) -> float:
        """Compressed bytes of all but ``far``, without bytecode."""
        gained = _dot(calibration.load().slug["plain"], self.features)
        return max(GZIP * (self.deflated - self.far) + gained, 0.0)

    @property
    def whole(self) -> float:
        """Compressed bytes without bytecode."""
        return self.near + GZIP * self.far

    def bytecode_share(self, bytecode_bytes: int, minor: str) -> float:
        """Return the compressed bytes of the bytecode: between a tenth and half of its bytes.

        The coefficients are Python 3.11's. Another Python's bytecode is brought to what 3.11 would
        have compiled, and the share from there to that Python.
        """
        if not bytecode_bytes:
            return 0.0
        bytes_factor, share_factor, _ = _python(minor)
        there = bytecode_bytes * bytes_factor
        coefficients = calibration.load().slug["bytecode"]
        part = math.exp(_dot(coefficients, self.bytecode_features()))
        return min(max(part, _LEAST_SHARE), _MOST_SHARE) * there * share_factor

    def bytecode_features(self) -> tuple[float, float, float]:
        """Return what the logarithm of the bytecode's ratio is linear in.

        One, and the logarithms of the sources' ratio and of their mean size: bytecode deflates as
        its sources do.
        """
        size = max(self.source_bytes, 1)
        deflated = max(self.source_deflated, 1.0)
        return (1.0, math.log(deflated / size), math.log(size / max(self.source_files, 1)))


def weigh(files: Iterable[Entry]) -> Weight:
    """Return the weight of installed files without their bytecode."""
    saturated = dict.fromkeys((SlugGroup.PYTHON, SlugGroup.TEXT, SlugGroup.REST), 0.0)
    deflated = far = stored = source_deflated = 0.0
    count = records = source_bytes = source_files = 0
    for entry in files:
        group = slug_group(entry.path)
        packed = calibration.deflated_bytes(entry, group)
        saturated[group] += _SATURATION * packed / (packed + _SATURATION)
        deflated += packed
        count += 1
        records += entry.path.endswith(_RECORD)
        if entry.size > _WINDOW:
            far += packed * (1 - _WINDOW / entry.size)
        if entry.stored:
            stored += packed
        if entry.path.endswith(".py"):
            source_bytes += entry.size
            source_deflated += packed
            source_files += 1
    return Weight(
        deflated=deflated,
        far=far,
        stored=stored,
        features=(*(-value for value in saturated.values()), float(count), float(records)),
        source_bytes=source_bytes,
        source_deflated=source_deflated,
        source_files=source_files,
    )


def _python(minor: str) -> Sequence[float]:
    """Return a Python's factors (bytecode to 3.11's, share from 3.11's) and error in percent."""
    pythons: dict[str, list[float]] = calibration.load().slug["pythons"]
    return pythons[reading.nearest_minor(pythons, minor)]


def _dot(coefficients: Sequence[float], values: Sequence[float]) -> float:
    return sum(map(float.__mul__, map(float, coefficients), values))
