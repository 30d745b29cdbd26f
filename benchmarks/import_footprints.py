"""Measures what imports take in memory and CPU time, and writes ``slugcheck/memory``'s table.

    python -m benchmarks.import_footprints install    # the environments, from the package index
    python -m benchmarks.import_footprints measure    # each distribution, alone and beside others
    python -m benchmarks.import_footprints table      # writes slugcheck/memory/footprints.json
    python -m benchmarks.import_footprints pythons    # adds other Pythons to the table
    python -m benchmarks.import_footprints check      # holds floors against real processes

Another Python has a work folder of its own, which ``install --python PATH`` makes; ``pythons`` and
``check`` take several. Everything but the table stays in a work folder (``--work``); what was
measured is kept there, and measured again only when it is deleted. Needs Linux (/proc/self/statm),
8 GB of disk and an hour of two cores, and half of that for another Python. The method is in
docs/memory.md.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import datetime
import hashlib
import json
import marshal
import os
import platform
import random
import statistics
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from benchmarks.import_check import Case, case, random_sets, rows, summaries, summary
from benchmarks.import_environments import Environment
from benchmarks.import_fit import regression, samples
from benchmarks.import_graph import Graph
from benchmarks.import_pythons import STANDARD, fit
from benchmarks.import_sets import ALIASES, CHECKED, CODE, DEEPER, ERRORS, HELD, REQUIREMENTS
from benchmarks.import_table import standard_names, table
from slugcheck.memory import footprints
from slugcheck.memory.footprints import Regression
from slugcheck.reading import minor_key

_NOTHING = Regression(**dict.fromkeys(Regression.__struct_fields__, 0.0))
_TABLE = Path(__file__).parent.parent / "slugcheck" / "memory" / "footprints.json"
_PROBE = Path(__file__).with_name("import_probe.py")
_SECONDS = 240
_PROCESSES = 4
Result = dict[str, Any]


class Work:
    """The work folder: environments, parts of them, and what was measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts = folder / "parts"
        self.raw = folder / "raw"
        self.truth = folder / "truth"
        for made in (self.parts, self.raw, self.truth):
            made.mkdir(parents=True, exist_ok=True)
        self.python = folder / "bare" / "bin" / "python"  # an environment with nothing in it

    def bare(self) -> tuple[int, int, int]:
        """Return what a bare interpreter takes: anonymous and file-backed KiB, 10 us of CPU."""
        code = (
            "import time\ncpu = time.process_time_ns()\nfile = open('/proc/self/statm', 'rb', 0)\n"
            "fields = file.read().split()\nprint(fields[1].decode(), fields[2].decode(), cpu)"
        )
        command = [str(self.python), "-E", "-s", "-c", code]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        resident, shared, cpu = (int(field) for field in said.split())
        return 4 * (resident - shared), 4 * shared, round(cpu / 1e4)

    def middle(self) -> list[int]:
        """Return the medians of nine bare interpreters, as ``bare`` has them."""
        bare = [self.bare() for _ in range(9)]
        return [round(statistics.median(values)) for values in zip(*bare, strict=True)]

    def version(self) -> str:
        """Return the version of Python."""
        command = [str(self.python), "-c", "import platform; print(platform.python_version())"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def file(self, packages: Path, names: Sequence[str], run: str) -> Path:
        """Return where the result of a process is kept."""
        key = " ".join(["book", str(packages), run, *names])
        return self.raw / hashlib.sha256(key.encode()).hexdigest()[:24]

    def saved(self, packages: Path, names: Sequence[str], run: str) -> Result | None:
        """Return what a process measured earlier; None where it died, or never ran."""
        file = self.file(packages, names, run)
        return (marshal.loads(file.read_bytes()) or None) if file.exists() else None

    def probe(self, packages: Path, names: Sequence[str], run: str) -> Result | None:
        """Return what a fresh process measured, or None where it died; kept on disk."""
        file = self.file(packages, names, run)
        if file.exists():
            return self.saved(packages, names, run)
        reading, writing = os.pipe()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "PROBE_FD": str(writing),
            "LANG": "C.UTF-8",
            "MPLBACKEND": "agg",
        }
        command = [str(self.python), "-E", "-s", str(_PROBE), "book", str(packages), *names]
        child = subprocess.Popen(
            command,
            pass_fds=[writing],
            env=environment,
            cwd=self.folder / "home",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            content = pool.submit(_all, reading)
            try:
                child.wait(timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            data = content.result()
        file.write_bytes(data or marshal.dumps({}))
        return marshal.loads(data) if data else None


def _all(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def asked(environment: Environment, name: str) -> list[str]:
    """Return the distributions that an environment was asked for."""
    wanted = dict.fromkeys(map(_name, REQUIREMENTS[name]))
    return [one for one in wanted if one in environment.distributions]


def _name(requirement: str) -> str:
    return str(canonicalize_name(Requirement(requirement).name))


def tops(environment: Environment, name: str) -> list[str]:
    """Return the names that an app imports of a distribution: no private ones, and no tests."""
    return [top for top in environment.import_names(name) if top in environment.public(name)]


def deeper(name: str) -> list[str]:
    """Return what an app imports of a distribution besides, as the probe is told."""
    code = [f"exec:{text}" for text in CODE.get(name, {}).values()]
    return [*DEEPER.get(name, "").split(), *code]


# --------------------------------------------------------------------------- measuring


Run = tuple[list[str] | None, list[str], str]  # distributions (None: all), names, label


def runs_alone(environment: Environment, name: str) -> list[Run]:
    """Return the processes that show what a distribution loads and takes by itself."""
    everything = [*environment.public(name), *deeper(name)]
    random.Random(name).shuffle(everything)
    runs: list[Run] = [([name], everything, "all")]
    return runs + [([name], [one], "one") for one in deeper(name)]


def runs_beside(environment: Environment, name: str) -> list[Run]:
    """Return the processes that show what it imports of all that it does not require."""
    runs: list[Run] = [(None, list(environment.public(name)), "all")]
    return runs + [(None, [one], "one") for one in deeper(name)]


def fallbacks(environment: Environment, name: str) -> list[Run]:
    """Return what is measured in place of a process that died: fewer names."""
    few = [*tops(environment, name), *deeper(name)]
    return [([name], few, "few"), (None, few, "few")]


def measure_runs(work: Work, environment: Environment, name: str, runs: Sequence[Run]) -> str:
    """Import a distribution: which module asks for which, and what each takes."""
    said = []
    for run in runs:
        result = probe(work, environment, run)
        if result is None and run[-1] == "all":
            said.append("its modules died")
            for other in fallbacks(environment, name):
                if other[0] == run[0]:
                    probe(work, environment, other)
        elif run[0] and run[-1] != "all" and (result is None or result["failed"]):
            said.append(str(result["failed"] if result else "died")[-200:])
    return f"{name}: {'; '.join(said) or 'ok'}"


def looks_around(work: Work, environment: Environment, name: str) -> bool:
    """Tell whether something that is installed was asked for by a distribution, and missing."""
    tops_there = {
        top.partition(".")[0]
        for one in environment.distributions
        for top in environment.import_names(one)
    }
    results = [saved(work, environment, run) for run in runs_alone(environment, name)]
    results += [saved(work, environment, run) for run in fallbacks(environment, name)]
    return any(
        target.partition(".")[0] in tops_there
        for result in results
        if result
        for targets in result["missing"].values()
        for target in targets
    )


def probe(work: Work, environment: Environment, run: Run) -> Result | None:
    some, names, label = run
    folder = environment.packages if some is None else environment.part(some, work.parts)
    return work.probe(folder, names, label)


def saved(work: Work, environment: Environment, run: Run) -> Result | None:
    some, names, label = run
    part = environment.part_folder(some, work.parts) if some is not None else environment.packages
    return work.saved(part, names, label)


def each(tasks: Iterable[concurrent.futures.Future[str]]) -> None:
    for number, task in enumerate(concurrent.futures.as_completed(tasks)):
        print(number, task.result(), flush=True)


def measure(work: Work, only: Sequence[str]) -> None:
    """Measure every distribution alone, then beside all others."""
    (work.folder / "home").mkdir(exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(_PROCESSES) as pool:
        for label in REQUIREMENTS:
            environment = Environment(work.folder / label)
            names = [n for n in asked(environment, label) if not only or n in only]
            _ = environment.owners
            for runs_of in (runs_alone, runs_beside):
                some = names
                if runs_of is runs_beside:
                    some = [n for n in names if looks_around(work, environment, n)]
                tasks = [
                    pool.submit(measure_runs, work, environment, n, runs_of(environment, n))
                    for n in some
                ]
                each(tasks)


# --------------------------------------------------------------------------- the table


def gather(work: Work) -> tuple[Graph, dict[str, Environment]]:
    """Return all that was measured as one graph, and each distribution's environment."""
    graph, where = Graph(), dict[str, Environment]()
    for label in REQUIREMENTS:
        environment = Environment(work.folder / label)
        names = asked(environment, label)
        plans = [
            run
            for n in names
            for make in (runs_alone, runs_beside, fallbacks)
            for run in make(environment, n)
        ]
        for run in plans:
            result = saved(work, environment, run)
            if result is not None:
                present = (
                    environment.distributions if run[0] is None else environment.closure(run[0])
                )
                graph.add(environment, result, present)
        for name in environment.distributions:
            if name in graph.versions:
                where.setdefault(name, environment)
    codes = {f"=exec:{code}": n for some in CODE.values() for n, code in some.items()}
    for code, name in codes.items():
        if code in graph.modules:
            graph.modules[f"={name}"] = graph.modules.pop(code)
    graph.finish()
    return graph, where


def build(work: Work) -> dict[str, object]:
    """Return the content of the table."""
    graph, where = gather(work)
    names = dict.fromkeys(standard_names(graph))
    mains, requires = {}, {}
    for name, environment in where.items():
        requires[name] = environment.closure([name])
        mains[name] = tops(environment, name)
        names |= dict.fromkeys(environment.public(name))
        names |= dict.fromkeys(n for n in deeper(name) if not n.startswith("exec:"))
        names |= dict.fromkeys(CODE.get(name, {}))
    known = [name for name in names if graph.start(name) in graph.modules]
    data = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "interpreter": work.middle(),
        **table(graph, known, mains, graph.needs(requires)),
        "aliases": ALIASES,
        "pythons": msgspec.to_builtins(footprints.load().pythons),
        "errors": ERRORS,
        "regression": msgspec.to_builtins(_NOTHING),
    }
    fitted = regression(samples(footprints.parse(json.dumps(data).encode()), where))
    return {**data, "regression": msgspec.to_builtins(fitted)}


# --------------------------------------------------------------------------- other Pythons


def pythons(works: Sequence[Work]) -> dict[str, object]:
    """Return what other Pythons take, by minor version, from processes with random sets."""
    known, found = footprints.load(), {}
    for work in works:
        bare = Environment(work.folder / "bare")
        standard = case(work.python, bare, STANDARD, work.parts, work.truth, minor=known.minor)
        if standard is None:
            raise SystemExit(f"{work.folder}: the standard library cannot be imported")
        some = random_cases(work, known.minor)
        found[bare.minor] = fit(known, work.version(), work.middle(), standard, some)
    return dict(sorted(found.items(), key=lambda item: minor_key(item[0])))


def random_cases(work: Work, minor: str | None = None) -> list[Case]:
    """Return random sets of what is installed, with what is said of them for a Python."""
    environment = Environment(work.folder / "main")
    known = [t for name in asked(environment, "main") for t in tops(environment, name)[:1]]
    cases = [
        case(work.python, environment, names, work.parts, work.truth, minor=minor)
        for names in random_sets(known, 40, 7)
    ]
    return [one for one in cases if one is not None]


# --------------------------------------------------------------------------- the check


def check(works: Sequence[Work]) -> None:
    """Print floors of held-out sets beside what real processes take, as docs/memory.md has them."""
    every: dict[str, list[Case]] = {}
    for work in works:
        for label, sets in CHECKED.items():
            environment = Environment(work.folder / label)
            cases = [
                case(work.python, environment, names.split(), work.parts, work.truth)
                for names in sets
            ]
            every.setdefault(environment.minor, []).extend(one for one in cases if one)
        print(f"{work.version()}, random sets: {summary(random_cases(work))}")
    print("\n".join(["", *rows(every), "", *summaries(every)]))


def install(
    work: Work, requirements: Mapping[str, Sequence[str]], python: str, without: Collection[str]
) -> None:
    """Make the environments with uv, compiled as pip would; and one with nothing in it.

    Libraries for graphics cards and the opencv that needs a display are left out, and so are the
    requirements ``without``. For another Python than the running one no sources are built.
    """
    uv = find_uv_bin()
    venv = [uv, "venv", "--quiet", "--python", python]
    subprocess.run([*venv, str(work.folder / "bare")], check=True)
    options = [f"--find-links={folder}" for folder in os.environ.get("PIP_FIND_LINKS", "").split()]
    if python != sys.executable:
        options.append("--only-binary=:all:")
    for label, wanted in requirements.items():
        folder, lock = work.folder / label, work.folder / f"{label}.lock"
        if folder.exists():
            continue
        subprocess.run([*venv, str(folder)], check=True)
        into = ["--python", str(folder / "bin" / "python")]
        texts = [text for text in wanted if _name(text) not in without]
        compiled = subprocess.run(
            [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", *options, *into, "-"],
            input="\n".join(texts),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        left = ["nvidia-", "cuda-", "triton"]
        if "\nopencv-python==" in compiled:
            left.append("opencv-python-headless==")
        lines = [
            line.replace("opencv-python==", "opencv-python-headless==")
            for line in compiled.splitlines()
            if not line.startswith(tuple(left))
        ]
        lock.write_text("\n".join(lines) + "\n")
        target = [uv, "pip", "install", "--no-deps", "--compile-bytecode", *options, *into]
        subprocess.run([*target, "--requirements", str(lock)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("install", "measure", "table", "pythons", "check"))
    parser.add_argument("names", nargs="*", help="only these distributions (measure)")
    parser.add_argument("--work", type=Path, required=True, action="append")
    parser.add_argument("--python", default=sys.executable, help="of the environments (install)")
    parser.add_argument("--without", default="", help="requirements to leave out (install)")
    given = parser.parse_args()
    works = [Work(folder.absolute()) for folder in given.work]
    if given.step == "install":
        left_out = frozenset(map(canonicalize_name, given.without.split()))
        install(works[0], REQUIREMENTS | {"held": HELD}, given.python, left_out)
    elif given.step == "measure":
        measure(works[0], given.names)
    elif given.step == "table":
        write(build(works[0]))
    elif given.step == "pythons":
        write({**json.loads(_TABLE.read_bytes()), "pythons": pythons(works), "errors": ERRORS})
    else:
        check(works)


def write(table: Mapping[str, object]) -> None:
    _TABLE.write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
