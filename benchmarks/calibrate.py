"""Fits the size models to the corpus, states their error, and writes data/calibration.json.

    python benchmarks/calibrate.py --python 3.10=PATH --python 3.12=PATH --python 3.13=PATH

Run with Python 3.11. Other Pythons are asked for bytecode sizes only; one that is not given keeps
the results of an earlier run, or is left out of the file and said so. Needs numpy, about 1 GB of
disk for the wheels, and about 25 minutes of CPU the first time. README.md tells the method.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import platformdirs

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.corpus import Wheel, download, measure, read_sections
from slugcheck import bytecode, calibration, intervals, slug
from slugcheck.kinds import SlugGroup, slug_group
from slugcheck.model import Estimate

DATE = "2026-11-23"
MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PREFIX = "/app/.heroku/python/lib/python3.11/site-packages"
SATURATION = 1000  # of 1000, 2000, 3000 and 6000 bytes the best by cross-validation
FOLDS = 10
KNOWN_BYTECODE = 200_000
KNOWN_SLUG = 500_000
_LEAST_SHARED = 0.5  # percent: what a corpus cannot show about an app unlike any in it
_LARGE = 1_000_000.0  # beyond this a distribution's sources count no more in the fit
_INSIDE = 90  # percent of the true figures that an interval is to hold
_BINS: tuple[int | None, ...] = (200_000, 1_000_000, None)
_NOTE = (
    "3.10.13, 3.12.1 and 3.13.0 compiled the wheels natively, 3.14.2 in Pyodide 314.0.7"
    " (benchmarks/pyodide.mjs); a Python that is not listed is taken for the nearest below it"
)
Data = dict[str, Any]
Sets = dict[str, list[Wheel]]


# --------------------------------------------------------------------------- fits


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
        values = slug.plain_features(wheel.entries, SATURATION)
        plain.append([weight * value for value in values])
        plain_true.append(weight * wheel.gzip_plain)
        values = slug.bytecode_features(wheel.entries, true_bytecode(wheel))
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
            "systematic_percent": _LEAST_SHARED,
        },
        "slug": {
            "saturation_bytes": SATURATION,
            "plain": plain,
            "bytecode": share,
            "error_percent": {
                "same_version": 0.0, "other_version": 0.0, "model": 0.0, "stored": 13.0,
            },
            "systematic_percent": _LEAST_SHARED,
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
        bare = slug.predict(wheel.entries, Estimate[int].measured(halfway), minor="3.11").value
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


# --------------------------------------------------------------------------- errors


def quantile_percent(logs: Sequence[float]) -> float:
    """Return the error, in percent, that 90 of 100 stay within."""
    if not len(logs):
        return 0.0
    inside = np.percentile(np.abs(np.array(logs, float)), _INSIDE)
    return round(100 * float(np.exp(inside) - 1), 1)


def sampled_factor(wheel: Wheel, shrink: float | None = None) -> float | None:
    """Return what the reader's sample would show on Python 3.11, whatever is known already."""
    predicted = model_bytecode(wheel, "3.11")
    if predicted < bytecode.WORTH_A_SAMPLE:
        return None
    count = bytecode.run_count(predicted)
    runs = bytecode.spread_runs(wheel.entries, count=count, minor="3.11")
    sizes = wheel.bytecode["3.11"]
    pairs = [[(e, sizes.get(e.path)) for e in run] for run in runs]
    return bytecode.factor_from_sizes(wheel.sources, pairs, minor="3.11", shrink=shrink)


def bytecode_errors(wheels: Sequence[Wheel], folds: Folds, data: Data) -> Data:
    """Return the half widths of the intervals, by what a prediction stands on."""
    model: dict[str, list[list[float | None]]] = {}
    for minor in data["bytecode"]["coefficients"]:
        logs = [(w, folds.log_factor(w, minor)) for w in wheels if has_sources(w, minor)]
        model[minor] = []
        for low, high in zip((0, 200_000, 1_000_000), _BINS, strict=True):
            sized = [e for w, e in logs if low <= true_bytecode(w) < (high or np.inf)]
            model[minor].append([high, quantile_percent(sized)])
    large = [w for w in wheels if model_bytecode(w, "3.11") > KNOWN_BYTECODE]
    samples = [(w, sampled_factor(w)) for w in large]
    return {
        "same_version": 1.0,
        "sample": quantile_percent([_log(factor(w, "3.11"), f) for w, f in samples if f]),
        "other_version": quantile_percent([e for _, e in drifts(large, data, "bytecode")]),
        "model": model,
        "transfer": {m: transfer(large, m) for m in model if m != "3.10"},
    }


def transfer(wheels: Iterable[Wheel], minor: str) -> float:
    """Return how far a factor of Python 3.11 is off on another Python."""
    both = [w for w in wheels if minor in w.bytecode and minor != "3.11"]
    return quantile_percent([_log(factor(w, minor), factor(w, "3.11")) for w in both])


def drifts(wheels: Iterable[Wheel], data: Data, what: str) -> list[tuple[Wheel, float]]:
    """Return how far the factor of another version is off, for versions that differ."""
    found = []
    for wheel in wheels:
        other, _ = calibration.parse(without(data, wheel)).find(wheel.name, wheel.version)
        if other is None:
            continue
        own = data["known"][wheel.name].get(wheel.version)
        if own:
            factors = (own[1]["3.11"], other.bytecode["3.11"])
            pair = factors if what == "bytecode" else (own[0], other.slug)
            found.append((wheel, _log(*pair)))
    return found


def slug_pythons(wheels: Sequence[Wheel], minors: Iterable[str]) -> dict[str, list[float]]:
    """Return, by Python, the factors of slug._python: means, and the error that is left."""
    found = {"3.11": [1.0, 1.0, 0.0]}
    for minor in minors:
        both = [w for w in wheels if minor in w.other_shares and minor in w.bytecode]
        if not both:
            continue
        ratios = [true_bytecode(w) / true_bytecode(w, minor) for w in both]
        shares = [w.other_shares[minor] / (w.gzip_full - w.gzip_plain) for w in both]
        mean = float(np.mean(shares))
        parts = [(w.gzip_full - w.gzip_plain) / w.gzip_full for w in both]
        left = [part * np.log(share / mean) for part, share in zip(parts, shares, strict=True)]
        values = (float(np.mean(ratios)), mean)
        found[minor] = [*(round(value, 3) for value in values), quantile_percent(left)]
    return dict(sorted(found.items()))


def _log(true: float | None, predicted: float | None) -> float:
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
            return _log(factor(wheel, minor), 1.0)


# --------------------------------------------------------------------------- sets

Figures = tuple[Estimate[int], Estimate[int]]
Predict = Callable[[Wheel], Figures]


def predict_with(data: Data, wheel: Wheel, *, sample: bool, minor: str = "3.11") -> Figures:
    """Return the bytecode and slug estimates that slugcheck would give."""
    with using(data):
        known, same = calibration.load().find(wheel.name, wheel.version)
        worth = bytecode.WORTH_A_CHECK if known else bytecode.WORTH_A_SAMPLE
        wanted = sample and not same and model_bytecode(wheel, "3.11") >= worth
        found = bytecode.predict(
            wheel.name, wheel.sources, minor=minor, prefix=PREFIX, version=wheel.version,
            factor=sampled_factor(wheel) if wanted else None,
        )  # fmt: skip
        share = slug.predict(
            wheel.entries, found.estimate, minor=minor, name=wheel.name,
            version=wheel.version, model_bytecode=found.model_bytes,
        )  # fmt: skip
        return found.estimate, share


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


def pseudo_sets(wheels: Sequence[Wheel], count: int) -> Sets:
    """Return random sets of 40 distributions."""
    rng = random.Random(3)
    return {f"R{index}": rng.sample(list(wheels), 40) for index in range(count)}


def set_errors(sets: Sets, figures: dict[str, Figures], which: int) -> dict[str, float]:
    """Return the error of each set's sum in percent; ``which`` is 0 for bytecode, 1 for slug."""
    errors = {}
    for name, wheels in sets.items():
        true = sum(w.gzip_full if which else true_bytecode(w) for w in wheels)
        errors[name] = 100 * (sum(figures[w.filename][which].value for w in wheels) / true - 1)
    return errors


def systematic(sets: Sets, figures: dict[str, Figures], which: int, minor: str = "3.11") -> float:
    """Return the shared doubt with which 90 of 100 sets lie within their interval."""
    for step in range(40):
        percent = step / 4
        inside = 0
        for wheels in sets.values():
            parts = [figures[w.filename][which] for w in wheels]
            whole = intervals.total(parts, systematic_percent=percent)
            true = sum(w.gzip_full if which else true_bytecode(w, minor) for w in wheels)
            inside += whole.low <= true <= whole.high
        if inside >= len(sets) * _INSIDE / 100:
            return percent
    return 10.0


# --------------------------------------------------------------------------- the whole


def calibrate(corpus: Sequence[Wheel], everything: Sequence[Wheel], sets: Sets) -> Data:
    """Return the whole data file. ``corpus`` has one version of each distribution."""
    minors = [minor for minor in MINORS if any(minor in wheel.bytecode for wheel in corpus)]
    data = assemble(corpus, minors)
    with using(data):
        data["known"] = known_factors(everything)
    data["slug"]["pythons"] = slug_pythons(everything, minors)
    folds = Folds(corpus, minors)
    folds.fold |= {w.name: 0 for w in everything if w.name not in folds.fold}
    with using({**data, "known": {}}):
        data["bytecode"]["shrinkage_runs"] = best_shrinkage(corpus)
    with using(data):
        data["bytecode"]["error_percent"] = bytecode_errors(everything, folds, data)
        logs = [e for _, e in drifts(everything, data, "slug")]
    slug_errors = data["slug"]["error_percent"]
    slug_errors |= {"same_version": 1.0, "other_version": quantile_percent(logs)}
    slug_errors["model"] = quantile_percent([slug_log(w, folds.of(w)) for w in corpus])
    return {**data, "errors": evaluate(data, folds, corpus, everything, sets)}


def best_shrinkage(wheels: Sequence[Wheel]) -> float:
    """Return the number of runs that count as having shown 1 with the least squared error."""

    def loss(shrink: float) -> float:
        pairs = [(w, sampled_factor(w, shrink)) for w in wheels]
        return sum(_log(factor(w, "3.11"), found) ** 2 for w, found in pairs if found)

    return min((0.0, 0.25, 0.5, 1.0, 2.0), key=loss)


def slug_log(wheel: Wheel, data: Data) -> float:
    """Return the logarithm of true over predicted slug share, the bytecode being known."""
    with using(data):
        bytes_ = Estimate[int].measured(true_bytecode(wheel))
        return _log(wheel.gzip_full, slug.predict(wheel.entries, bytes_, minor="3.11").value)


def evaluate(
    data: Data, folds: Folds, corpus: Sequence[Wheel], everything: Sequence[Wheel], sets: Sets
) -> Data:
    """Return the errors of sets by mode, and set the shared doubt that they show."""
    table: Data = {}
    pseudo = pseudo_sets(corpus, 200)
    for mode, predict in modes(data, folds).items():
        figures = {wheel.filename: predict(wheel) for wheel in everything}
        table[mode] = {}
        for which, figure in enumerate(("bytecode", "slug")):
            real, made = (set_errors(s, figures, which) for s in (sets, pseudo))
            table[mode][figure] = {
                "sets": {name: round(error, 2) for name, error in real.items()},
                "random sets, mean": round(float(np.mean(np.abs(list(made.values())))), 2),
                "random sets, 95 of 100": round(
                    float(np.percentile(np.abs(list(made.values())), 95)), 2
                ),
            }
            if mode.endswith("samples"):
                shared = systematic({**sets, **pseudo}, figures, which)
                table[mode][figure]["shared doubt"] = shared
                data[figure]["systematic_percent"] = max(shared, data[figure]["systematic_percent"])
    usual = data["bytecode"]["systematic_percent"]
    data["bytecode"]["systematic_percent"] = {"3.10": shared_310(data, everything, sets), "": usual}
    return table


def shared_310(data: Data, everything: Sequence[Wheel], sets: Sets) -> float:
    """Return the shared doubt for Python 3.10, where no sample helps."""
    some = [w for w in everything if "3.10" in w.bytecode]
    figures = {
        w.filename: predict_with(without(data, w), w, sample=False, minor="3.10") for w in some
    }
    return systematic({**sets, **pseudo_sets(some, 200)}, figures, 0, "3.10")


def dump(data: Data) -> str:
    """Return the file's text: one line for each known distribution."""
    known = data["known"]
    rest = {key: value for key, value in data.items() if key != "known"}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known))
    head = json.dumps(rest, indent=1).removesuffix("\n}")
    return f'{head},\n "known": {{\n{lines}\n }}\n}}\n'


def main() -> None:
    """Calibrate and write the data file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=platformdirs.user_cache_path("slugcheck-cal"))
    parser.add_argument("--python", action="append", default=[], metavar="MINOR=PATH")
    default = Path(__file__).parent.parent / "slugcheck/data/calibration.json"
    parser.add_argument("--output", type=Path, default=default)
    options = parser.parse_args()
    found = download(read_sections(), options.cache)
    paths = [path for some in found.values() for path in some]
    wheels = measure(paths, options.cache, dict(p.split("=", 1) for p in options.python))
    by_file = {wheel.filename: wheel for wheel in wheels}
    corpus = [by_file[path.name] for path in found["corpus"]]
    sets = {s: [by_file[p.name] for p in ps] for s, ps in found.items() if s.startswith("S")}
    data = calibrate(corpus, wheels, sets)
    data["corpus"] = {
        "wheels": len(wheels), "distributions": len({w.name for w in wheels}),
        "unpacked_bytes": sum(e.size for w in wheels for e in w.entries),
        "sources": sum(len(w.sources) for w in wheels),
        "python": sys.version.split()[0],
        "wheels by Python": {m: sum(m in w.bytecode for w in wheels) for m in MINORS},
    }  # fmt: skip
    data["corpus"]["note"] = _NOTE
    options.output.write_text(dump(data), "utf-8")
    print(json.dumps({key: value for key, value in data.items() if key != "known"}, indent=1))
    print("not measured:", [m for m in MINORS if m not in data["bytecode"]["coefficients"]])


if __name__ == "__main__":
    main()
