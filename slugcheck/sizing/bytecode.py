"""Predicts the bytecode that an installer writes beside the sources of a distribution.

A file's ``.pyc`` follows from its size, its deflated size and the class of its path (tests compile
to more, ``__init__.py`` to less); what remains is a trait of the distribution, not of the file, so
it does not average out. It is corrected by a factor: the one that this version measured when the
models were calibrated, else the one that a sample of its sources shows, else that of another
version. ``benchmarks/calibrate.py`` fits all numbers; ``calibration.json`` holds them.

Bytes throughout.
"""

from __future__ import annotations

import bisect
import itertools
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from slugcheck import reading
from slugcheck.model import Entry, Estimate
from slugcheck.model.figures import around
from slugcheck.sizing import calibration
from slugcheck.sizing.kinds import SlugGroup, SourceClass, source_class

# A .pyc starts with magic number, flags, and the source's time and size (PEP 552).
_HEADER = 16
# Deflated bytes beyond half the size mean data in a source (base64, tables), for which the
# quadratic term would run away.
_DENSEST = 0.5
# Sampling, chosen by simulation over the corpus (benchmarks/README.md): neighbours are alike, so
# many short runs say more than few long ones, and those near each other are read in one request
# (packages.index.wheel). Number and bytes of the archive, by predicted bytecode.
_RUNS = (
    (3_000_000, 12, 16 * 1024),
    (15_000_000, 24, 16 * 1024),
    (None, 32, 32 * 1024),
)
_LOCAL_HEADER = 100  # about what precedes a member's data: 30 bytes and its name
_LONGEST_FILE = 1024 * 1024
WORTH_A_SAMPLE = 300_000  # predicted bytecode of a distribution not measured in this version
# A sample nearer than this to the factor of another version confirms it; both then count half.
_AGREE = 0.04
_OLD = "3.10"


class Evidence(StrEnum):
    """What a prediction stands on, the best first."""

    SAME_VERSION = "same_version"  # this version was measured for the calibration
    SAMPLE = "sample"  # some of its sources were compiled
    OTHER_VERSION = "other_version"  # another version was measured
    MODEL = "model"  # names and sizes alone


@dataclass(frozen=True, slots=True, kw_only=True)
class BytecodePrediction:
    """The bytecode of one distribution: its bytes, and the number of ``.pyc`` files.

    ``model_bytes`` is what names and sizes alone say, before any factor.
    """

    estimate: Estimate[int]
    files: int
    evidence: Evidence
    model_bytes: int


def predict(
    name: str,
    files: Iterable[Entry],
    *,
    minor: str,
    prefix: str,
    factor: float | None,
    version: str | None = None,
) -> BytecodePrediction:
    """Return the bytes of ``.pyc`` that an installer writes for ``files`` on Python ``minor``.

    Only ``.py`` files count; their paths are relative to ``prefix``, the absolute folder on the
    target: each ``.pyc`` holds its source's path once. ``factor`` is what a sample showed
    (``sizing.sampled``) with the running Python; ``version`` makes a measured factor of
    that version count.
    """
    sources = tuple(entry for entry in files if entry.path.endswith(".py"))
    if not sources:
        none = Estimate[int].measured(0)
        return BytecodePrediction(
            estimate=none, files=0, evidence=Evidence.SAME_VERSION, model_bytes=0
        )
    model = _model_bytes(sources, minor)
    ratio, evidence, python = _factor(name, version, minor, factor)
    percent = _error_percent(evidence, minor, python, model)
    spread = around(model * ratio, percent)
    paths = _path_bytes(sources, prefix)
    estimate = Estimate.predicted(spread.value + paths, spread.low + paths, spread.high + paths)
    return BytecodePrediction(
        estimate=estimate, files=len(sources), evidence=evidence, model_bytes=round(model) + paths
    )


def systematic_percent(minor: str | None = None) -> float:
    """Return the doubt that the predictions of one run share, in percent of their sum."""
    shared: dict[str, float] = calibration.load().bytecode["systematic_percent"]
    return float(shared.get(minor or "", shared[""]))


def class_prediction(entries: Iterable[Entry], *, minor: str, prefix: str) -> int:
    """Return what the model says without any factor of the distribution."""
    sources = tuple(entry for entry in entries if entry.path.endswith(".py"))
    return round(_model_bytes(sources, minor)) + _path_bytes(sources, prefix)


def _path_bytes(sources: Sequence[Entry], prefix: str) -> int:
    start = len(prefix.rstrip("/")) + 1
    return sum(start + len(entry.path) for entry in sources)


def features(entry: Entry) -> tuple[float, ...]:
    """Return what the model's coefficients multiply for one source.

    In order: one, the size, the deflated size, the size of a test, the size of an ``__init__.py``,
    and the square of the deflated size over the size (dense code compiles to less).
    """
    size = float(entry.size)
    deflated = min(calibration.deflated_bytes(entry, SlugGroup.PYTHON), _DENSEST * size)
    group = source_class(entry.path)
    return (
        1.0,
        size,
        deflated,
        size if group is SourceClass.TESTS else 0.0,
        size if group is SourceClass.INIT else 0.0,
        deflated * deflated / max(size, 1.0),
    )


def _coefficients(minor: str) -> Sequence[float]:
    """Return the coefficients for a Python, those of the nearest one where it was not fitted."""
    fitted: dict[str, list[float]] = calibration.load().bytecode["coefficients"]
    return fitted[reading.nearest_minor(fitted, minor)]


def _one_file(entry: Entry, coefficients: Sequence[float]) -> float:
    return max(sum(map(float.__mul__, coefficients, features(entry))), float(_HEADER))


def _model_bytes(sources: Iterable[Entry], minor: str) -> float:
    coefficients = _coefficients(minor)
    return sum(_one_file(entry, coefficients) for entry in sources)


# --------------------------------------------------------------------------- factor and its doubt


def _factor(
    name: str, version: str | None, minor: str, sampled: float | None
) -> tuple[float, Evidence, str]:
    """Return the factor, what it stands on, and the Python that it was measured with."""
    known, same = calibration.load().find(name, version)
    measured, python = _measured(known.bytecode, minor) if known else (None, minor)
    if measured is not None and same:
        return measured, Evidence.SAME_VERSION, python
    running = running_minor()
    # bytecode before 3.11 has so little in common with later that a sample says nothing of it
    if sampled is None or _OLD in (minor, running):
        evidence = Evidence.MODEL if measured is None else Evidence.OTHER_VERSION
        return measured or 1.0, evidence, python
    if known is None or measured is None:
        return sampled, Evidence.SAMPLE, running
    if _lazy(minor) != _lazy(running):
        here, _ = _measured(known.bytecode, running)
        sampled, running = sampled * measured / (here or measured), minor
    agrees = abs(math.log(sampled / measured)) < _AGREE
    return math.sqrt(sampled * measured) if agrees else sampled, Evidence.SAMPLE, running


def _lazy(minor: str) -> bool:
    """Say whether annotations are code of their own (PEP 649): 10 % more or less bytecode.

    Across that line a sample is moved by what the distribution itself showed; within 3.11 to 3.13
    Pythons differ less than a distribution's versions do.
    """
    return reading.minor_key(minor) >= (3, 14)


def _measured(factors: Mapping[str, float], minor: str) -> tuple[float | None, str]:
    """Return the factor measured with a Python, else with the one nearest below it."""
    usable = [python for python in factors if (python == _OLD) == (minor == _OLD)]
    if not usable:
        return None, minor
    python = reading.nearest_minor(usable, minor)
    return factors[python], python


def running_minor() -> str:
    """Return the Python that samples are compiled with."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _error_percent(evidence: Evidence, minor: str, measured_with: str, model_bytes: float) -> float:
    """Return the half width of the interval, which 90 of 100 distributions stay within."""
    errors = calibration.load().bytecode["error_percent"]
    if evidence is Evidence.MODEL:
        model = errors["model"]
        return calibration.by_size(model[reading.nearest_minor(model, minor)], model_bytes)
    own = calibration.by_size(errors[evidence], model_bytes)
    if minor == measured_with:
        return own
    transfer = errors["transfer"]  # of a factor from Python 3.11 to another, or back
    moved = (transfer[reading.nearest_minor(transfer, m)] for m in (minor, measured_with))
    return math.hypot(own, float(max(moved)))


# --------------------------------------------------------------------------- sampling


def sample_runs(
    name: str, entries: Sequence[Entry], *, minor: str, version: str | None = None
) -> tuple[tuple[Entry, ...], ...]:
    """Return the sources worth reading: runs of neighbours in the archive.

    ``entries`` are all files in archive order. Empty when a sample would not pay: this version's
    factor is known, the distribution is small, or the target's Python compiles too differently.
    Runs start where equal shares of the predicted bytecode lie, so each counts the same, and hold
    whole files up to 16 or 32 KiB of archive, at least one.
    """
    sources = [entry for entry in entries if entry.path.endswith(".py")]
    predicted = _model_bytes(sources, minor)
    if _factor(name, version, minor, None)[1] is Evidence.SAME_VERSION or minor == _OLD:
        return ()
    if predicted < WORTH_A_SAMPLE:
        return ()
    return tuple(spread_runs(entries, minor=minor))


def spread_runs(entries: Sequence[Entry], *, minor: str) -> list[tuple[Entry, ...]]:
    """Return the runs of sources that a sample takes, spread evenly over the predicted bytecode."""
    coefficients = _coefficients(minor)
    weights = [
        _one_file(entry, coefficients) if entry.path.endswith(".py") else 0.0 for entry in entries
    ]
    reached = list(itertools.accumulate(weights))
    predicted = reached[-1]
    count, longest = next(
        (runs, size) for below, runs, size in _RUNS if below is None or predicted < below
    )
    runs: list[tuple[Entry, ...]] = []
    free = 0
    for step in range(count):
        start = bisect.bisect_left(reached, reached[-1] * (step + 0.5) / count)
        if start < free or entries[start].compressed > _LONGEST_FILE:
            continue
        run = _run_from(entries, start, longest)
        free = start + len(run)
        runs.append(tuple(entry for entry in run if entry.path.endswith(".py")))
    return runs


def _run_from(entries: Sequence[Entry], start: int, longest: int) -> Sequence[Entry]:
    end, used = start, 0
    while end < len(entries):
        used += entries[end].compressed + _LOCAL_HEADER
        if end > start and used > longest:
            break
        end += 1
    while end > start + 1 and not entries[end - 1].path.endswith(".py"):
        end -= 1  # nothing is fetched for a tail that is not compiled
    return entries[start:end]


def factor_from_sizes(
    entries: Iterable[Entry],
    runs: Iterable[Iterable[tuple[Entry, int | None]]],
    *,
    minor: str,
    shrink: float | None = None,
) -> float | None:
    """Return the factor from the sampled files' bytecode sizes (None: does not compile).

    What was sampled counts as it is; the rest is taken to be as far from the model as the runs
    are on average. The average is of the runs' ratios, not of their bytes: one huge file would
    drown the others. A run that one file fills says less than one of many, so each counts by
    n / (n + 1), where n is how many files of equal size would vary as much. The average is shrunk
    towards 1 as if ``shrink`` further runs had shown 1.
    """
    coefficients = _coefficients(minor)
    measured = [
        [(size, _one_file(entry, coefficients)) for entry, size in run if size is not None]
        for run in runs
    ]
    ratios = [_ratio(files) for files in measured if files]
    if not ratios:
        return None
    if shrink is None:
        shrink = float(calibration.load().bytecode["shrinkage_runs"])
    weight = sum(weight for _, weight in ratios) + shrink
    mean = (sum(ratio * weight for ratio, weight in ratios) + shrink) / weight
    whole = sum(_one_file(e, coefficients) for e in entries if e.path.endswith(".py"))
    files = list(itertools.chain.from_iterable(measured))
    true, seen = sum(size for size, _ in files), sum(predicted for _, predicted in files)
    return (true + max(whole - seen, 0.0) * mean) / whole


def _ratio(files: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return the bytecode of a run over the model's, and how much the run counts."""
    predicted = [model for _, model in files]
    whole = sum(predicted)
    alike = whole * whole / sum(model * model for model in predicted)
    return sum(size for size, _ in files) / whole, alike / (alike + 1)
