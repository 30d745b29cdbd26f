"""Predicts a distribution's share of the slug: the gzip -6 tar of the installed tree.

A wheel's members are deflated one by one; in a tar they share a window of 32 KiB, so many small
neighbours shrink further and tar headers come on top. The model is linear in the deflated bytes by
group of file, less a saturating part (what a small file gains from its neighbours), plus the share
of the bytecode. ``benchmarks/calibrate.py`` fits it; ``calibration.json`` holds the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from slugcheck.model import Entry, Estimate
from slugcheck.model.figures import around
from slugcheck.sizing import calibration
from slugcheck.sizing.kinds import SlugGroup, slug_group


def predict(
    files: Iterable[Entry],
    bytecode_bytes: Estimate[int],
    *,
    minor: str,
    name: str | None = None,
    version: str | None = None,
    model_bytecode: int | None = None,
) -> Estimate[int]:
    """Return the compressed bytes of installed ``files`` and their bytecode.

    ``files`` are all that the installer leaves but the bytecode it compiles, which is
    ``bytecode_bytes`` on Python ``minor``. ``name`` and
    ``version`` let a measured factor of that distribution count; ``model_bytecode`` is then the
    bytecode without any factor (``BytecodePrediction.model_bytes``). Files that the wheel stores
    undeflated are taken at their group's usual ratio, with a wider interval.
    """
    known = tuple(files)
    numbers = calibration.load().slug
    base = _dot(numbers["plain"], plain_features(known, numbers["saturation_bytes"]))
    entry, same = calibration.load().find(name, version)
    if entry and model_bytecode:
        bytecode_bytes = _halfway(bytecode_bytes, model_bytecode)
    packed = base + _bytecode_share(known, bytecode_bytes.value, minor)
    factor = entry.slug if entry else 1.0
    evidence = ("same_version" if same else "other_version") if entry else "model"
    errors = numbers["error_percent"]
    transfer = _python(minor)[2] if bytecode_bytes.value else 0.0
    percent = math.hypot(errors[evidence], errors["stored"] * _stored_part(known), transfer)
    own = around(max(packed, 0.0) * factor, percent)
    ends = (bytecode_bytes.low, bytecode_bytes.value, bytecode_bytes.high)
    low, middle, high = (_bytecode_share(known, end, minor) * factor for end in ends)
    return _widened(own, below=middle - low, above=high - middle)


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


def _widened(own: Estimate[int], *, below: float, above: float) -> Estimate[int]:
    """Widen by what the slug would be with the bytecode at either end of its own interval."""
    low = own.value - math.hypot(own.value - own.low, below)
    high = own.value + math.hypot(own.high - own.value, above)
    return Estimate.predicted(own.value, max(math.floor(low), 0), math.ceil(high))


def plain_features(files: Iterable[Entry], constant: float) -> tuple[float, ...]:
    """Return what the coefficients without bytecode multiply, in bytes.

    In order: deflated bytes of the rest (native code, images, archives), of Python, of text, and
    the sums of Python and of text where no file counts more than ``constant``, negative.
    """
    deflated = dict.fromkeys(SlugGroup, 0.0)
    saturated = dict.fromkeys(SlugGroup, 0.0)
    for entry in files:
        group = slug_group(entry.path)
        packed = calibration.deflated_bytes(entry, group)
        deflated[group] += packed
        saturated[group] += constant * packed / (packed + constant)
    return (
        deflated[SlugGroup.REST],
        deflated[SlugGroup.PYTHON],
        deflated[SlugGroup.TEXT],
        -saturated[SlugGroup.PYTHON],
        -saturated[SlugGroup.TEXT],
    )


def bytecode_features(files: Iterable[Entry], bytecode_bytes: float) -> tuple[float, ...]:
    """Return what the coefficients of the bytecode's share multiply.

    In order: bytes of bytecode, deflated bytes of the sources, their size (negative: sources that
    deflate well compile to bytecode that does), and their number, negative.
    """
    sources = [entry for entry in files if entry.path.endswith(".py")]
    deflated = sum(calibration.deflated_bytes(entry, SlugGroup.PYTHON) for entry in sources)
    size = sum(entry.size for entry in sources)
    return (float(bytecode_bytes), deflated, -float(size), -float(len(sources)))


def _bytecode_share(files: Sequence[Entry], bytecode_bytes: int, minor: str) -> float:
    """Return the compressed bytes of the bytecode: between a tenth and half of its bytes.

    The coefficients are Python 3.11's. Another Python's bytecode is brought to what 3.11 would
    have compiled, and the share from there to that Python.
    """
    if not bytecode_bytes:
        return 0.0
    bytes_factor, share_factor, _ = _python(minor)
    there = bytecode_bytes * bytes_factor
    share = _dot(calibration.load().slug["bytecode"], bytecode_features(files, there))
    return min(max(share, 0.1 * there), 0.5 * there) * share_factor


def _python(minor: str) -> Sequence[float]:
    """Return a Python's factors (bytecode to 3.11's, share from 3.11's) and error in percent."""
    pythons: dict[str, list[float]] = calibration.load().slug["pythons"]
    return pythons[calibration.nearest_minor(pythons, minor)]


def _stored_part(files: Iterable[Entry]) -> float:
    """Return the part of the bytes, 0 to 1, that the archive holds undeflated."""
    sizes = [(entry.size, entry.stored) for entry in files]
    whole = sum(size for size, _ in sizes)
    return sum(size for size, stored in sizes if stored) / whole if whole else 0.0


def _dot(coefficients: Sequence[float], values: Sequence[float]) -> float:
    return sum(map(float.__mul__, map(float, coefficients), values))
