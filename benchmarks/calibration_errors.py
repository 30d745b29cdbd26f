"""The errors of the fitted models, by cross-validation; part of benchmarks/calibrate.py."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from benchmarks.calibration_fit import (
    KNOWN_BYTECODE,
    LEAST_SHARED,
    PREFIX,
    Data,
    assemble,
    factor,
    model_bytecode,
    true_bytecode,
    using,
    weight_of,
    without,
)
from benchmarks.corpus import Wheel
from slugcheck.model import Entry, Estimate
from slugcheck.model import figures as intervals
from slugcheck.sizing import bytecode, calibration, compression, sampled
from slugcheck.sizing.kinds import slug_group

FOLDS = 10
_INSIDE = 90  # percent of the true figures that an interval is to hold
_BINS: tuple[int | None, ...] = (50_000, 200_000, 1_000_000, None)
# the smaller are read nearly whole
_SAMPLE_BINS: tuple[int | None, ...] = (1_000_000, 3_000_000, None)
_FAR_BINS: tuple[int | None, ...] = (5_000_000, None)  # bytes
_SOURCE_BINS: tuple[int | None, ...] = (
    1_000,
    None,
)  # generated clients have more
# Percent: another wheel of the same version, another order in the tar. Assumed.
SAME_VERSION = 1.0
Sets = dict[str, list[Wheel]]


def quantile_percent(logs: Sequence[float]) -> float:
    """Return the error, in percent, that 90 of 100 stay within."""
    if not len(logs):
        return 0.0
    inside = np.percentile(np.abs(np.array(logs, float)), _INSIDE)
    return round(100 * float(np.exp(inside) - 1), 1)


def sampled_factor(wheel: Wheel, shrink: float | None = None) -> float | None:
    """Return what the reader's sample would show on Python 3.11, whatever is known already."""
    runs = sample(wheel)
    if not runs:
        return None
    return bytecode.factor_from_sizes(wheel.sources, runs, minor="3.11", shrink=shrink)


def sampled_slug(wheel: Wheel) -> float | None:
    """Return what the reader's sample would show of its compressed bytes, on Python 3.11."""
    if wheel.packed is None:
        return None
    return sampled.slug_factor(wheel.entries, wheel.packed, minor="3.11")


def sample(wheel: Wheel) -> list[list[tuple[Entry, int | None]]]:
    """Return the sources that the reader would sample, and their bytecode; none if it is small."""
    if model_bytecode(wheel, "3.11") < bytecode.WORTH_A_SAMPLE:
        return []
    sizes = wheel.bytecode["3.11"]
    runs = bytecode.spread_runs(wheel.entries, minor="3.11")
    return [[(entry, sizes.get(entry.path)) for entry in run] for run in runs]


def bytecode_errors(wheels: Sequence[Wheel], folds: Folds, data: Data) -> Data:
    """Return the half widths of the intervals, by what a prediction stands on."""
    model = {}
    for minor in data["bytecode"]["coefficients"]:
        some = [w for w in wheels if w.bytecode.get(minor) and model_bytecode(w, minor)]
        logs = [(model_bytecode(w, minor), folds.log_factor(w, minor)) for w in some]
        model[minor] = by_size(logs, _BINS)
    large = [w for w in wheels if model_bytecode(w, "3.11") > KNOWN_BYTECODE]
    samples = [
        (model_bytecode(w, "3.11"), log_ratio(factor(w, "3.11"), found))
        for w in large
        if (found := sampled_factor(w))
    ]
    return {
        "same_version": [[None, SAME_VERSION]],
        "sample": by_size(samples, _SAMPLE_BINS),
        "other_version": [
            [None, quantile_percent([e for _, e in drifts(large, data, "bytecode")])]
        ],
        "model": model,
        "transfer": {m: transfer(large, m) for m in model if m != "3.10"},
    }


def by_size(
    errors: Sequence[tuple[float, float]], bins: Sequence[int | None]
) -> list[list[float | None]]:
    """Return the error that 90 of 100 stay within, in percent, by the size beside each error."""
    table: list[list[float | None]] = []
    low = 0
    for high in bins:
        inside = [error for size, error in errors if low <= size < (high or np.inf)]
        table.append([high, quantile_percent(inside)])
        low = high or 0
    return table


def slug_errors(wheels: Sequence[Wheel], folds: Folds, data: Data) -> Data:
    """Return the half widths of the slug's intervals, in percent of what each is stated of.

    The bytecode is taken as known: its own doubt comes on top. ``far``: of the bytes beyond the
    first window of large files; ``stored``: of what the archive holds undeflated; the others of
    everything else, by what the prediction stands on (``alike``: a sample of files much alike).
    """
    samples = [
        (true_bytecode(w), *found)
        for w in wheels
        if sample(w) and (found := sampled_error(w, folds.of(w)))
    ]
    near = [(weight_of(w).source_files, near_error(w, folds.of(w))) for w in wheels]
    far = [(packed, log_ratio(true, packed)) for true, packed in map(alone, wheels) if packed]
    stored = [log_ratio(*as_if_stored(w, data)) for w in wheels]
    return {
        "same_version": [[None, SAME_VERSION]],
        "other_version": [[None, quantile_percent([e for _, e in drifts(wheels, data, "slug")])]],
        "sample": by_size([(n, e) for n, k, e in samples if k >= compression.ALIKE], _SAMPLE_BINS),
        "alike": by_size([(n, e) for n, k, e in samples if k < compression.ALIKE], _SAMPLE_BINS),
        "model": by_size([(n, e) for n, e in near if e is not None], _SOURCE_BINS),
        "far": [[high, max(error or 0.0, LEAST_SHARED)] for high, error in by_size(far, _FAR_BINS)],
        "stored": quantile_percent(stored),
    }


def near_error(wheel: Wheel, data: Data) -> float | None:
    """Return the error of what the model says of the near bytes; None where they are few."""
    with using(data):
        weight = weight_of(wheel)
        near = weight.near + weight.bytecode_share(true_bytecode(wheel), "3.11")
    true = wheel.gzip_full - compression.GZIP * weight.far
    return log_ratio(true, near) if near > weight.far else None


def sampled_error(wheel: Wheel, data: Data) -> tuple[float, float] | None:
    """Return a sample's factor and the error of the same with it; None where it does not count."""
    weight = weight_of(wheel)
    with using(data):
        whole = true_bytecode(wheel)
        factor = sampled_slug(wheel)
        if not factor or not compression.mostly_python(weight, wheel.entries, whole, "3.11"):
            return None
        known = Estimate[int].measured(whole)
        found = compression.predict(wheel.entries, known, minor="3.11", factor=factor)
    far = compression.GZIP * weight.far
    return factor, log_ratio(wheel.gzip_full - far, found.value - far)


def alone(wheel: Wheel) -> tuple[int, int]:
    """Return what large binaries deflate to at zlib's level 6, and what the archive made of them.

    Tools written in Rust (maturin) deflate 2 to 3 % worse; all others do the same as zlib.
    """
    files = [
        entry
        for entry in wheel.entries
        if entry.path in wheel.alone and not entry.stored and not entry.path.endswith("/RECORD")
    ]
    return sum(wheel.alone[e.path] for e in files), sum(e.compressed for e in files)


def as_if_stored(wheel: Wheel, data: Data) -> tuple[float, float]:
    """Return the deflated bytes of a wheel, and what they would be taken for had it stored them."""
    deflated = [e for e in wheel.entries if not e.stored]
    ratios = data["deflate_ratios"]
    guessed = sum(e.size * ratios[slug_group(e.path).value] for e in deflated)
    return sum(e.compressed for e in deflated), guessed


def transfer(wheels: Iterable[Wheel], minor: str) -> float:
    """Return how far a factor of Python 3.11 is off on another Python."""
    both = [w for w in wheels if minor in w.bytecode and minor != "3.11"]
    return quantile_percent([log_ratio(factor(w, minor), factor(w, "3.11")) for w in both])


def drifts(wheels: Iterable[Wheel], data: Data, figure: str) -> list[tuple[Wheel, float]]:
    """Return how far the factor of another version is off, for versions that differ."""
    errors = []
    for wheel in wheels:
        other, _ = calibration.parse(without(data, wheel)).find(wheel.name, wheel.version)
        if other is None:
            continue
        own = data["known"][wheel.name].get(wheel.version)
        if own:
            factors = (own[1]["3.11"], other.bytecode["3.11"])
            pair = factors if figure == "bytecode" else (own[0], other.slug)
            errors.append((wheel, log_ratio(*pair)))
    return errors


def slug_pythons(wheels: Sequence[Wheel], minors: Iterable[str]) -> dict[str, list[float]]:
    """Return, by Python, the factors of slug._python: means, and the error that is left."""
    factors = {"3.11": [1.0, 1.0, 0.0]}
    for minor in minors:
        both = [w for w in wheels if minor in w.other_shares and has_sources(w, minor)]
        if not both:
            continue
        ratios = [true_bytecode(w) / true_bytecode(w, minor) for w in both]
        shares = [w.other_shares[minor] / (w.gzip_full - w.gzip_plain) for w in both]
        mean = float(np.mean(shares))
        parts = [(w.gzip_full - w.gzip_plain) / w.gzip_full for w in both]
        left = [part * np.log(share / mean) for part, share in zip(parts, shares, strict=True)]
        values = (float(np.mean(ratios)), mean)
        factors[minor] = [*(round(value, 3) for value in values), quantile_percent(left)]
    return dict(sorted(factors.items()))


def log_ratio(true: float | None, predicted: float | None) -> float:
    return float(np.log((true or 1.0) / (predicted or 1.0)))


def has_sources(wheel: Wheel, minor: str) -> bool:
    """Say whether a wheel has sources to speak of, measured on this Python."""
    return minor in wheel.bytecode and sum(e.size for e in wheel.sources) > 20_000


class Folds:
    """The models fitted with a tenth of the distributions left out, for those that were."""

    def __init__(self, wheels: Sequence[Wheel], minors: Sequence[str]) -> None:
        names = sorted({wheel.name for wheel in wheels})
        random.Random(1).shuffle(names)
        self.fold = {name: index % FOLDS for index, name in enumerate(names)}
        self.data = [
            assemble([w for w in wheels if self.fold[w.name] != fold], minors)
            for fold in range(FOLDS)
        ]

    def of(self, wheel: Wheel) -> Data:
        """Return the numbers that this distribution had no part in."""
        return self.data[self.fold[wheel.name]]

    def log_factor(self, wheel: Wheel, minor: str) -> float:
        """Return the logarithm of true over predicted bytecode."""
        with using(self.of(wheel)):
            return log_ratio(factor(wheel, minor), 1.0)


# --------------------------------------------------------------------------- sets

Figures = tuple[Estimate[int], Estimate[int]]
Predict = Callable[[Wheel], Figures]


def predict_with(data: Data, wheel: Wheel, *, sample: bool, minor: str = "3.11") -> Figures:
    """Return the bytecode and slug estimates that slugcheck would give."""
    with using(data):
        _, same = calibration.load().find(wheel.name, wheel.version)
        large = model_bytecode(wheel, "3.11") >= bytecode.WORTH_A_SAMPLE
        wanted = sample and not same and large
        predicted = bytecode.predict(
            wheel.name, wheel.sources, minor=minor, prefix=PREFIX, version=wheel.version,
            factor=sampled_factor(wheel) if wanted else None,
        )  # fmt: skip
        share = compression.predict(
            wheel.entries, predicted.estimate, minor=minor, name=wheel.name,
            version=wheel.version, model_bytecode=predicted.model_bytes,
            factor=sampled_slug(wheel) if wanted else None,
        )  # fmt: skip
        return predicted.estimate, share


SAMPLED = ("model and samples", "other versions and samples")


def modes(data: Data, folds: Folds) -> dict[str, Predict]:
    """Return the ways to predict, from the least to the most that is known."""
    with_errors = [
        {**fold, "bytecode": {**fold["bytecode"],
            "error_percent": data["bytecode"]["error_percent"]},
         "slug": {**fold["slug"], "error_percent": data["slug"]["error_percent"]}}
        for fold in folds.data
    ]  # fmt: skip
    fold = folds.fold
    return {
        "model only": lambda w: predict_with(with_errors[fold[w.name]], w, sample=False),
        "model and samples": lambda w: predict_with(with_errors[fold[w.name]], w, sample=True),
        "other versions known": lambda w: predict_with(without(data, w), w, sample=False),
        "other versions and samples": lambda w: predict_with(without(data, w), w, sample=True),
        "as shipped": lambda w: predict_with(data, w, sample=True),
    }


def true_figure(wheel: Wheel, which: int, minor: str = "3.11") -> int:
    """Return what was measured: bytecode bytes (``which`` is 0) or slug bytes (1)."""
    return wheel.gzip_full if which else true_bytecode(wheel, minor)


def pseudo_sets(wheels: Sequence[Wheel], count: int) -> Sets:
    """Return random sets of 40 distributions."""
    rng = random.Random(3)
    return {f"R{index}": rng.sample(list(wheels), 40) for index in range(count)}


def set_errors(sets: Sets, figures: dict[str, Figures], which: int) -> dict[str, float]:
    """Return the error of each set's sum in percent; ``which`` is 0 for bytecode, 1 for slug."""
    errors = {}
    for name, wheels in sets.items():
        true = sum(true_figure(w, which) for w in wheels)
        errors[name] = 100 * (sum(figures[w.filename][which].value for w in wheels) / true - 1)
    return errors


def coverage(
    sets: Iterable[Sequence[Wheel]], figures: dict[str, Figures], which: int, percent: float
) -> Data:
    """Return how many sets lie within their interval, and the median half width, in percent."""
    inside, widths = [], []
    for wheels in sets:
        parts = [figures[w.filename][which] for w in wheels]
        whole = intervals.total(parts, systematic_percent=percent)
        true = sum(true_figure(w, which) for w in wheels)
        if true:
            inside.append(whole.low <= true <= whole.high)
            widths.append(whole.percent)
    if not inside:
        return {"sets": 0}
    return {
        "sets": len(inside),
        "within": round(100 * float(np.mean(inside)), 1),
        "median half width": round(float(np.median(widths)), 2),
    }


def systematic(sets: Sets, figures: dict[str, Figures], which: int, minor: str = "3.11") -> float:
    """Return the shared doubt with which 90 of 100 sets lie within their interval."""
    for step in range(40):
        percent = step / 4
        inside = 0
        for wheels in sets.values():
            parts = [figures[w.filename][which] for w in wheels]
            whole = intervals.total(parts, systematic_percent=percent)
            true = sum(true_figure(w, which, minor) for w in wheels)
            inside += whole.low <= true <= whole.high
        if inside >= len(sets) * _INSIDE / 100:
            return percent
    return 10.0
