"""Holds floors against real processes: what a fresh interpreter's RSS is after the same imports."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.import_environments import Environment
from benchmarks.import_sets import CODE
from slugcheck.memory.floor import Installed, floor
from slugcheck.memory.footprints import Table
from slugcheck.model import Entry
from slugcheck.model.memory import WorkerFloor

_READ = "print(*open('/proc/self/statm').read().split()[1:3], __import__('time').process_time())"
_PAGE = 4096


@dataclasses.dataclass(frozen=True)
class Case:
    """A set of imports, the floor that was said of it, and what it really takes in bytes."""

    names: tuple[str, ...]
    said: WorkerFloor
    resident: int
    anonymous: int
    seconds: float

    @property
    def error(self) -> float:
        """Said over real, in percent too much."""
        return 100 * (self.said.resident.value / self.resident - 1)

    @property
    def within(self) -> bool:
        return self.said.resident.low <= self.resident <= self.said.resident.high


def statement(name: str) -> str:
    """Return the code that an app has for one of the table's names."""
    for codes in CODE.values():
        if name in codes:
            return codes[name]
    module, _, last = name.rpartition(".")
    if not module:
        return f"import {name}"
    return f"from {module} import {last}"


def standard(name: str) -> bool:
    """Return whether a name is of the standard library."""
    return name.partition(".")[0] in sys.stdlib_module_names


@functools.cache
def owners(environment: Environment) -> dict[str, str]:
    """Return the distribution of each topmost package."""
    return {
        top: name for name in environment.distributions for top in environment.import_names(name)
    }


def distribution(environment: Environment, name: str) -> str:
    """Return the distribution that holds an imported name.

    :raises KeyError: none of the environment does.
    """
    known = owners(environment)
    top = name
    while top and top not in known:
        top = top.rpartition(".")[0]
    return known[top]


def installed(environment: Environment, names: Iterable[str]) -> list[Installed]:
    """Return distributions as ``floor`` takes them, with their files."""
    return [
        Installed(
            name=name,
            version=environment.version(name),
            requires=environment.requires(name),
            entries=entries(environment, name),
        )
        for name in names
    ]


@functools.cache
def entries(environment: Environment, name: str) -> tuple[Entry, ...]:
    found = []
    for file in environment.files[name]:
        path = environment.packages / file
        if path.is_file():
            size = path.stat().st_size
            found.append(Entry(path=file, size=size, compressed=size))
    return tuple(found)


def truth(
    python: Path, folder: Path, names: Sequence[str], kept: Path, times: int = 3
) -> tuple[int, int, float] | None:
    """Return RSS and anonymous bytes, and CPU seconds, of fresh processes after the imports.

    Bytes are medians, seconds the least. None where an import fails.
    """
    code = "\n".join(
        [f"import sys; sys.path.insert(0, {str(folder)!r})", *map(statement, names), _READ]
    )
    file = kept / hashlib.sha256(code.encode()).hexdigest()[:24]
    if not file.exists():
        said: list[list[str]] = []
        for _ in range(times):
            done = subprocess.run(
                [str(python), "-E", "-s", "-c", code],
                capture_output=True,
                text=True,
                check=False,
                env={"PATH": os.environ["PATH"], "HOME": str(kept), "LANG": "C.UTF-8"},
                cwd=kept,
                timeout=300,
            )
            if done.returncode:
                print(f"{' '.join(names)}: {done.stderr[-200:]}")
                said = []
                break
            said.append(done.stdout.split()[-3:])
        file.write_text("\n".join(" ".join(fields) for fields in said))
    lines = [line.split() for line in file.read_text().splitlines()]
    if not lines:
        return None
    resident = round(statistics.median(int(line[0]) for line in lines)) * _PAGE
    shared = round(statistics.median(int(line[1]) for line in lines)) * _PAGE
    return resident, resident - shared, min(float(line[2]) for line in lines)


def case(
    python: Path,
    environment: Environment,
    names: Sequence[str],
    parts: Path,
    kept: Path,
    table: Table | None = None,
    minor: str | None = None,
) -> Case | None:
    """Return what is said of a set, beside what it takes where only what it needs is installed.

    None where it is not installed here, or an import fails. ``minor`` is the Python that the floor
    is said for, the environment's own unless another is given.
    """
    try:
        wanted = sorted({distribution(environment, name) for name in names if not standard(name)})
    except KeyError:
        print(f"{' '.join(names)}: not installed on Python {environment.minor}")
        return None
    real = truth(python, environment.part(wanted, parts), names, kept)
    if real is None:
        return None
    there = installed(environment, sorted(environment.closure(wanted)))

    def owner(name: str) -> str | None:
        try:
            return distribution(environment, name)
        except KeyError:
            return None

    said = floor(names, there, python=minor or environment.minor, table=table, provider=owner)
    return Case(tuple(names), said, *real)


def random_sets(names: Sequence[str], count: int, seed: int) -> list[list[str]]:
    """Return sets of two to five names."""
    chance = random.Random(seed)
    return [chance.sample(list(names), chance.randint(2, 5)) for _ in range(count)]


def summary(cases: Collection[Case]) -> str:
    """Return the errors of some cases in one line."""
    errors = [abs(case.error) for case in cases]
    widths = [case.said.resident.percent for case in cases]
    within = sum(case.within for case in cases)
    worst = max(errors)
    return (
        f"{len(cases)} sets: median error {statistics.median(errors):.1f} %, largest {worst:.1f} %;"
        f" {within} within their intervals; median width ±{statistics.median(widths):.1f} %"
    )


def summaries(every: Mapping[str, Collection[Case]]) -> list[str]:
    """Return a Markdown table by Python: median errors, sets within intervals, median widths."""
    lines = [
        "| Python | measured distributions | within | ± | with unmeasured ones | within | ± |"
        " all | within | ± |",
        "| --- |" + " ---: |" * 9,
    ]
    for minor, cases in [*every.items(), ("all", [one for some in every.values() for one in some])]:
        estimated = [case for case in cases if case.said.estimated_parts]
        measured = [case for case in cases if not case.said.estimated_parts]
        cells = [_summed(some) for some in (measured, estimated, cases)]
        lines.append(f"| {minor} | {' | '.join(cells)} |")
    return lines


def _summed(cases: Collection[Case]) -> str:
    if not cases:
        return "- | - | -"
    error = statistics.median(abs(case.error) for case in cases)
    width = statistics.median(case.said.resident.percent for case in cases)
    within = sum(case.within for case in cases)
    return f"{error:.1f} % | {within} of {len(cases)} | {width:.1f} %"


def rows(every: Mapping[str, Collection[Case]]) -> list[str]:
    """Return a Markdown table of sets: what is real on each Python, the error and the width."""
    sets = dict.fromkeys(case.names for cases in every.values() for case in cases)
    lines = [
        f"| imports | {' | '.join(every)} |",
        "| --- |" + " ---: |" * len(every),
    ]
    found = {(minor, case.names): case for minor, cases in every.items() for case in cases}
    for names in sets:
        some = [found.get((minor, names)) for minor in every]
        text = " ".join(name.removeprefix("django.core.wsgi.") for name in names)
        if any(one is not None and one.said.estimated_parts for one in some):
            text += " *"
        lines.append(f"| {text} | {' | '.join(map(_cell, some))} |")
    return lines


def _cell(one: Case | None) -> str:
    if one is None:
        return "-"
    mark = "" if one.within else "!"
    return f"{_mib(one.resident)}, {one.error:+.1f}{mark}, ±{one.said.resident.percent:.0f}"


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f}"
