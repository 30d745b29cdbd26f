"""Fits the size models to the corpus, states their error, and writes sizing/calibration.json.

    python benchmarks/calibrate.py --python 3.10=PATH --python 3.12=PATH --python 3.13=PATH

Run with Python 3.11. Other Pythons are asked for bytecode sizes only; one that is not given keeps
the results of an earlier run, or is left out of the file and said so. Needs numpy, about 1 GB of
disk for the wheels, and about 25 minutes of CPU the first time. The method is in
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import platformdirs

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.calibration_errors import (
    SAMPLED,
    Figures,
    Folds,
    Sets,
    bytecode_errors,
    coverage,
    log_ratio,
    modes,
    predict_with,
    pseudo_sets,
    sample,
    set_errors,
    slug_errors,
    slug_pythons,
    systematic,
    true_figure,
)
from benchmarks.calibration_fit import (
    MINORS,
    Data,
    assemble,
    factor,
    known_factors,
    using,
    without,
)
from benchmarks.corpus import Wheel, download, measure, read_sections, with_samples
from slugcheck.sizing import bytecode

_CLASSES = (0, 0.1, 1, 10, np.inf)  # MB of one distribution
_NOTE = (
    "3.10.13, 3.12.1 and 3.13.0 compiled the wheels natively, 3.14.2 in Pyodide 314.0.7"
    " (benchmarks/pyodide.mjs); a Python that is not listed is taken for the nearest below it"
)


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
        data["slug"]["error_percent"] = slug_errors(everything, folds, data)
    return {**data, "errors": evaluate(data, folds, corpus, everything, sets)}


def best_shrinkage(wheels: Sequence[Wheel]) -> float:
    """Return the number of runs that count as having shown 1 with the least squared error."""

    samples = [(w, runs) for w in wheels if (runs := sample(w))]

    def loss(shrink: float) -> float:
        return sum(
            log_ratio(
                factor(w, "3.11"),
                bytecode.factor_from_sizes(w.sources, runs, minor="3.11", shrink=shrink),
            )
            ** 2
            for w, runs in samples
        )

    return min((0.0, 0.1, 0.25, 0.5, 1.0), key=loss)


def evaluate(
    data: Data, folds: Folds, corpus: Sequence[Wheel], everything: Sequence[Wheel], sets: Sets
) -> Data:
    """Return the errors of sets by mode, and set the shared doubt that they show."""
    made = pseudo_sets(corpus, 200)
    figures = {
        mode: {wheel.filename: predict(wheel) for wheel in everything}
        for mode, predict in modes(data, folds).items()
    }
    for mode in SAMPLED:
        for which, figure in enumerate(("bytecode", "slug")):
            shared = systematic({**sets, **made}, figures[mode], which)
            known = data[figure]["systematic_percent"]
            data[figure]["systematic_percent"] = max(shared, known)
    table: Data = {}
    for mode, said in figures.items():
        table[mode] = {
            figure: {
                **errors_of(sets, made, said, which),
                "intervals": intervals_of(
                    corpus, sets, made, said, which, data[figure]["systematic_percent"]
                ),
            }
            for which, figure in enumerate(("bytecode", "slug"))
        }
    usual = data["bytecode"]["systematic_percent"]
    data["bytecode"]["systematic_percent"] = {"3.10": shared_310(data, everything, sets), "": usual}
    return table


def errors_of(sets: Sets, made: Sets, figures: dict[str, Figures], which: int) -> Data:
    """Return the errors of the fixed and of the random sets, in percent."""
    fixed, random = (set_errors(some, figures, which) for some in (sets, made))
    sizes = np.abs(list(random.values()))
    return {
        "sets": {name: round(error, 2) for name, error in fixed.items()},
        "sets, mean": round(float(np.mean(np.abs(list(fixed.values() or [0.0])))), 2),
        "random sets, mean": round(float(np.mean(sizes)), 2),
        "random sets, 95 of 100": round(float(np.percentile(sizes, 95)), 2),
    }


def intervals_of(
    corpus: Sequence[Wheel],
    sets: Sets,
    made: Sets,
    figures: dict[str, Figures],
    which: int,
    percent: float,
) -> Data:
    """Return how often the intervals hold the truth, and how wide they are, by size in MB."""
    table: Data = {}
    for low, high in itertools.pairwise(_CLASSES):
        some = [[w] for w in corpus if low <= true_figure(w, which) / 1e6 < high]
        title = f"one of {low:g} to {high:g} MB" if high < np.inf else f"one over {low:g} MB"
        table[title] = coverage(some, figures, which, 0.0)
    table["fixed sets"] = coverage(sets.values(), figures, which, percent)
    table["random sets"] = coverage(made.values(), figures, which, percent)
    large = [s for s in made.values() if sum(true_figure(w, which) for w in s) > 100e6]
    table["random sets over 100 MB"] = coverage(large, figures, which, percent)
    return table


def shared_310(data: Data, everything: Sequence[Wheel], sets: Sets) -> float:
    """Return the shared doubt for Python 3.10, where no sample helps."""
    some = [w for w in everything if "3.10" in w.bytecode]
    if not some:
        return 0.0  # an earlier run's is taken
    figures = {
        w.filename: predict_with(without(data, w), w, sample=False, minor="3.10") for w in some
    }
    return systematic({**sets, **pseudo_sets(some, 200)}, figures, 0, "3.10")


def keep_unmeasured(data: Data, shipped: Data) -> None:
    """Take over what an earlier run measured on Pythons that were not given this time."""
    fitted = data["bytecode"]["coefficients"]
    for minor in sorted(set(shipped["bytecode"]["coefficients"]) - set(fitted)):
        fitted[minor] = shipped["bytecode"]["coefficients"][minor]
        for table in ("model", "transfer"):
            old = shipped["bytecode"]["error_percent"][table]
            if minor in old:
                data["bytecode"]["error_percent"][table][minor] = old[minor]
        data["slug"]["pythons"][minor] = shipped["slug"]["pythons"][minor]
        for name, versions in data["known"].items():
            for version, (_, factors) in versions.items():
                before = shipped["known"].get(name, {}).get(version)
                if before and minor in before[1]:
                    factors[minor] = before[1][minor]
        if minor == "3.10":
            doubt = shipped["bytecode"]["systematic_percent"][minor]
            data["bytecode"]["systematic_percent"][minor] = doubt
        data["corpus"]["wheels by Python"][minor] = shipped["corpus"]["wheels by Python"][minor]


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
    default = Path(__file__).parent.parent / "slugcheck/sizing/calibration.json"
    parser.add_argument("--output", type=Path, default=default)
    options = parser.parse_args()
    by_section = download(read_sections(), options.cache)
    paths = [path for some in by_section.values() for path in some]
    wheels = measure(paths, options.cache, dict(p.split("=", 1) for p in options.python))
    wheels = with_samples(wheels, paths, options.cache)
    by_file = {wheel.filename: wheel for wheel in wheels}
    corpus = [by_file[path.name] for path in by_section["corpus"]]
    sets = {s: [by_file[p.name] for p in ps] for s, ps in by_section.items() if s.startswith("S")}
    data = calibrate(corpus, wheels, sets)
    data["corpus"] = {
        "wheels": len(wheels), "distributions": len({w.name for w in wheels}),
        "unpacked_bytes": sum(e.size for w in wheels for e in w.entries),
        "sources": sum(len(w.sources) for w in wheels),
        "python": sys.version.split()[0],
        "wheels by Python": {m: sum(m in w.bytecode for w in wheels) for m in MINORS},
    }  # fmt: skip
    data["corpus"]["note"] = _NOTE
    shipped = json.loads(default.read_text("utf-8"))
    keep_unmeasured(data, shipped)
    options.output.write_text(dump(data), "utf-8")
    print(json.dumps({key: value for key, value in data.items() if key != "known"}, indent=1))
    print("not measured:", [m for m in MINORS if m not in data["bytecode"]["coefficients"]])


if __name__ == "__main__":
    main()
