"""How exact slugcheck is: sets predicted, then really installed and compressed by ``--verify``.

    python -m benchmarks.accuracy [SET[@MINOR] ...] [--python MINOR=PATH ...] [--corpus FOLDER]

A set never helps to predict itself: for each one the calibration is used without the versions that
the set installs, and with --corpus (the cache folder of benchmarks/calibrate.py) the coefficients
are fitted anew without their wheels. The column "strict" goes further: nothing at all is known of
the set's distributions, in any version. Errors are predicted against measured, in percent; figures
are MB = 10**6 bytes.

With --exclude-newer (2025-12-01 unless another is given) an older resolution is taken, as a real
requirements file pins it; "none" means today's.

Needs the package index, and a Python of each minor version: on PATH or given with --python. A set
that cannot be had here (torch needs its CPU wheels among pip's find-links) is skipped with its
reason. --refit writes the calibration anew in the end (benchmarks/calibrate.py).
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.sets import SETS
from slugcheck.check import Check
from slugcheck.errors import SlugcheckError
from slugcheck.model import Estimate, IndexOptions, Verification, figures
from slugcheck.model.options import Options
from slugcheck.sizing import calibration

Data = dict[str, Any]
# Every set on 3.11, and some of each kind on the other Pythons.
RUNS = (
    *((name, "3.11") for name in SETS),
    ("flask", "3.10"), ("onnx", "3.10"), ("cloud", "3.10"),
    ("onnx", "3.12"), ("api", "3.12"), ("data", "3.12"),
    ("django", "3.13"), ("science", "3.13"), ("bot", "3.13"),
)  # fmt: skip
DATE = "2025-12-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One set on one Python. ``strict_*`` are errors with nothing known of its distributions."""

    name: str
    minor: str
    packages: int
    exact: int
    seen: int  # packages that the shipped calibration has measured in that very version
    verification: Verification
    strict_installed: float
    strict_slug: float
    strict_estimate: Estimate[int]  # of the slug

    @property
    def intervals(self) -> dict[str, tuple[Estimate[int], int]]:
        """Intervals with what was measured."""
        found = self.verification
        return {
            "bytecode": (found.predicted_bytecode, found.bytecode_bytes),
            "slug": (found.predicted_slug, found.slug_bytes),
            "strict, slug": (self.strict_estimate, found.slug_bytes),
        }

    @property
    def errors(self) -> dict[str, float]:
        """Errors in percent."""
        return self.verification.error_percent()


# --------------------------------------------------------------------------- leaving out


def shipped() -> Data:
    """Return the calibration that slugcheck ships with, as plain values."""
    text = resources.files("slugcheck.sizing").joinpath("calibration.json").read_text("utf-8")
    data: Data = json.loads(text)
    return data


class Leaver:
    """Makes calibrations in which some distributions had no part."""

    def __init__(self, corpus: Path | None) -> None:
        self._shipped = shipped()
        self._wheels = _measured(corpus) if corpus else ()

    def without(self, pins: dict[str, str], *, every_version: bool) -> calibration.Calibration:
        """Return the calibration without these versions, or without any of these names."""
        data = copy.deepcopy(self._shipped)
        for name, version in pins.items():
            known = data["known"].get(name, {})
            for known_version in list(known):
                if every_version or known_version == version.partition("+")[0]:
                    del known[known_version]
            if not known:
                data["known"].pop(name, None)
        if self._wheels:
            self._refit(data, pins, every_version=every_version)
        return calibration.parse(data)

    def _refit(self, data: Data, pins: dict[str, str], *, every_version: bool) -> None:
        from benchmarks.calibration_fit import assemble

        kept = [
            wheel
            for wheel in self._wheels
            if wheel.name not in pins or not (every_version or pins[wheel.name] == wheel.version)
        ]
        minors = ["3.10", "3.11", "3.12", "3.13"]
        fitted = assemble(kept, [m for m in minors if any(m in w.bytecode for w in kept)])
        data["bytecode"]["coefficients"] |= fitted["bytecode"]["coefficients"]
        data["slug"] |= {key: fitted["slug"][key] for key in ("plain", "bytecode")}
        data["deflate_ratios"] = fitted["deflate_ratios"]

    def seen(self, pins: dict[str, str]) -> int:
        """Return how many of these versions the shipped calibration has measured."""
        known = self._shipped["known"]
        return sum(version in known.get(name, {}) for name, version in pins.items())


def _measured(corpus: Path) -> tuple[Any, ...]:
    """Return one wheel of each distribution, from the cache of benchmarks/calibrate.py."""
    from benchmarks.corpus import measure

    paths = sorted((corpus / "wheels" / "corpus").glob("*.whl"))
    return tuple(measure(paths, corpus, {}))


@contextmanager
def checking(options: Options) -> Iterator[Check]:
    """A run that remembers nothing: which sources are sampled depends on what is known."""
    with (
        tempfile.TemporaryDirectory(prefix="slugcheck-accuracy-") as cache,
        mock.patch.dict(os.environ, {"SLUGCHECK_CACHE_DIR": cache}),
        Check(options) as run,
    ):
        yield run


def using(known: calibration.Calibration) -> AbstractContextManager[object]:
    """Let slugcheck predict with another calibration."""
    return mock.patch.object(calibration, "load", return_value=known)


# --------------------------------------------------------------------------- one set


def run_set(name: str, minor: str, leaver: Leaver, exclude_newer: str | None) -> Row:
    """Predict a set, install it, and predict it once more strictly.

    :raises SlugcheckError: it cannot be resolved or installed here.
    """
    with tempfile.TemporaryDirectory(prefix="slugcheck-accuracy-") as folder:
        path = Path(folder) / "requirements.txt"
        path.write_text("\n".join(SETS[name]) + "\n", encoding="utf-8")
        options = Options(
            path=path,
            python=minor,
            exclude_newer=exclude_newer,
            index=_links() if name == "torch" else IndexOptions(),
            verify=True,
        )
        with checking(options) as run:
            run.resolve()
            pins = run.pins
            with using(leaver.without(pins, every_version=False)):
                _exhaust(run)
                sizes = run.sizes()
                verification = run.verify(lambda _: None)
        with using(leaver.without(pins, every_version=True)), checking(options) as again:
            again.resolve()
            _exhaust(again)
            strict = again.sizes()
    plain = dict(verification.plain_by_name)
    wrong = [d for d in sizes.distributions if d.plain.value != plain.get(d.name)]
    installed = strict.plain_bytes + strict.bytecode_bytes
    return Row(
        name=name,
        minor=minor,
        packages=len(sizes.distributions),
        exact=len(sizes.distributions) - len(wrong),
        seen=leaver.seen(pins),
        verification=verification,
        strict_installed=_percent(installed, verification.installed_bytes),
        strict_slug=_percent(strict.dependencies_slug_bytes, verification.slug_bytes),
        strict_estimate=figures.without(strict.slug, [part.slug for part in strict.parts]),
    )


def _exhaust(run: Check) -> None:
    for _ in run.read():
        pass


def _percent(predicted: float, true: float) -> float:
    return 100.0 * (predicted - true) / true if true else 0.0


def _links() -> IndexOptions:
    """Return pip's own find-links, where a machine may keep the CPU builds of torch."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return IndexOptions(find_links=tuple(done.stdout.split()))


# --------------------------------------------------------------------------- the table

_HEAD = (
    "| set | Python | packages | exact | installed MB | plain | bytecode | ± | installed | "
    "slug MB | slug | ± | strict: installed | slug | ± |"
)


def line(row: Row) -> str:
    """Return a row of the table."""
    verification, errors = row.verification, row.errors
    width = {title: _width(*pair) for title, pair in row.intervals.items()}
    return (
        f"| {row.name} | {row.minor} | {row.packages} | {row.exact} | "
        f"{verification.installed_bytes / 1e6:.1f} | {errors['plain']:+.5f} | "
        f"{errors['bytecode']:+.2f} | {width['bytecode']} | {errors['installed']:+.2f} | "
        f"{verification.slug_bytes / 1e6:.1f} | {errors['slug']:+.2f} | {width['slug']} | "
        f"{row.strict_installed:+.2f} | {row.strict_slug:+.2f} | {width['strict, slug']} |"
    )


def _width(estimate: Estimate[int], measured: int) -> str:
    """Return half the width of an interval in percent, marked where it misses the truth."""
    return f"{estimate.percent:.1f}{'' if holds(estimate, measured) else ' !'}"


def holds(estimate: Estimate[int], measured: int) -> bool:
    """Return whether an interval holds what was measured."""
    return estimate.low <= measured <= estimate.high


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the means and the worst."""
    packages, exact = sum(row.packages for row in rows), sum(row.exact for row in rows)
    yield f"exact to the byte: {exact} of {packages} packages ({100 * exact / packages:.1f} %)"
    known = sum(row.seen for row in rows)
    yield f"{known} of them are in the calibration in that very version, and were left out of it"
    for title in ("plain", "bytecode", "installed", "slug"):
        yield _spread(title, [abs(row.errors[title]) for row in rows])
    yield _spread("strict, installed", [abs(row.strict_installed) for row in rows])
    yield _spread("strict, slug", [abs(row.strict_slug) for row in rows])
    for title in rows[0].intervals:
        pairs = [row.intervals[title] for row in rows]
        inside = sum(holds(*pair) for pair in pairs)
        width = statistics.median(estimate.percent for estimate, _ in pairs)
        yield f"interval, {title}: holds {inside} of {len(rows)}, median ±{width:.1f} %"


def _spread(title: str, errors: Sequence[float]) -> str:
    digits = 5 if title == "plain" else 2
    mean, worst = sum(errors) / len(errors), max(errors)
    return f"{title}: mean {mean:.{digits}f} %, worst {worst:.{digits}f} %"


def main() -> None:
    """Run the sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", nargs="*", metavar="SET[@MINOR]")
    parser.add_argument("--python", action="append", default=[], metavar="MINOR=PATH")
    parser.add_argument("--corpus", type=Path, metavar="FOLDER")
    parser.add_argument("--exclude-newer", default=DATE, metavar="DATE")
    parser.add_argument("--refit", action="store_true")
    options = parser.parse_args()
    pythons = dict(pair.split("=", 1) for pair in options.python)
    folders = [str(Path(path).parent) for path in pythons.values()]
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])
    date = None if options.exclude_newer == "none" else options.exclude_newer
    leaver = Leaver(options.corpus)
    how = "coefficients fitted without the set" if options.corpus else "coefficients as shipped"
    print(f"resolved as of {date or 'today'}; {how}\n\n{_HEAD}\n|{'---|' * 15}", flush=True)
    rows, skipped = [], []
    for name, minor in _wanted(options.sets):
        try:
            rows.append(run_set(name, minor, leaver, date))
        except SlugcheckError as error:
            skipped.append(f"{name} on {minor}: {' '.join(str(error).split())[:200]}")
            continue
        print(line(rows[-1]), flush=True)
    print("\n" + "\n".join(f"- {text}" for text in summary(rows)) if rows else "")
    print("".join(f"- skipped: {text}\n" for text in skipped), end="")
    if options.refit:
        more = [word for pair in options.python for word in ("--python", pair)]
        cache = ["--cache", str(options.corpus)] if options.corpus else []
        subprocess.run([sys.executable, "-m", "benchmarks.calibrate", *cache, *more], check=True)


def _wanted(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, _, minor = text.partition("@")
        if name not in SETS:
            sys.exit(f"{name}: there is no such set; there are {', '.join(SETS)}")
        yield name, minor or "3.11"
    if not texts:
        yield from RUNS


if __name__ == "__main__":
    main()
