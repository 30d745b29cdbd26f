"""How many small faults the tests notice: mutants of each package, drawn at random from a seed.

Needs ``python -m pip install -e '.[dev,mutation]'``, Linux and git. cosmic-ray makes the mutants;
each one is tested in a copy of the committed tree, so the checkout is never changed:

    python -m benchmarks.mutation record                  once: which tests run which lines
    python -m benchmarks.mutation record tests/test_x.py  again, for tests that changed
    python -m benchmarks.mutation run --each 30 --seed 1  a sample of every package
    python -m benchmarks.mutation run --package policy    of one package
    python -m benchmarks.mutation run --package policy/tiers  of one module
    python -m benchmarks.mutation again                   the survivors, with the tests of today
    python -m benchmarks.mutation table                   the results so far, and the survivors

A mutant is tested by the tests that run its line, the fastest first and at most ``--seconds`` of
them as recorded, so a survivor here may still be killed by the whole suite. One that hangs counts
as killed. Only one process runs at a time, at the lowest priority but four. Test files named with
``--last`` run after the others, and the table says how many mutants the others had let through.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import ctypes
import difflib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

PACKAGE = "slugcheck"
_NICE = 15
_SHORTEST_LIMIT_SECONDS = 40.0  # imports and collection on a busy machine
_SLOWER = 4.0  # than recorded, before a mutant counts as hanging
_ADDRESS_SPACE_BYTES = 8 << 30
_RECORD_SECONDS = 1800.0  # of one file of tests
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

# modules at the top of the package, by what they do; others go by their folder
_TOP = {
    "bench": "benching", "compare": "compare", "against": "compare", "why": "compare",
    "text": "text", "sizer": "sizing", "reading": "project", "check": "commands",
    "matrix": "commands", "api": "commands", "terminal": "commands", "cli": "commands",
}  # fmt: skip
_NO_VERDICT = {"__init__", "__main__", "version", "extras", "errors"}

# what runs in child processes leaves no trace in the record: whole files that start them
_CHILDREN = {
    "running": ("tests/hostile/test_subprocesses.py", "tests/hostile/test_endings.py"),
    "running/workers": ("tests/test_bench_workers.py", "tests/test_bench.py"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One small change of one file."""

    package: str
    path: str
    line: int  # from 1
    place: str  # the function, and the line inside it: stays while the rest of the file changes
    operator: str
    diff: str
    outcome: str = ""  # "killed", "hung", "survived", "untested"; "gone" and "broken" do not count
    killer: str = ""  # the test that failed
    late: bool = False  # only a test of the files that run last noticed it
    seed: int = 0

    @property
    def counts_as_killed(self) -> bool:
        """Whether a test noticed it."""
        return self.outcome in ("killed", "hung")


# --- the mutants ----------------------------------------------------------------------------------


def package_of(path: str) -> str | None:
    """Return the package that a module of slugcheck counts for, or None."""
    parts = Path(path).with_suffix("").parts[1:]
    if parts[-1] in _NO_VERDICT:
        return None
    if len(parts) == 1:
        return _TOP.get(parts[0])
    if parts[0] == "packages":
        return "/".join(parts[:-1])
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def belongs(path: str, name: str) -> bool:
    """Whether a module counts for a package, or is the module that the name says."""
    return name in (package_of(path), Path(path).with_suffix("").as_posix().partition("/")[2])


class DeleteStatement:
    """An operator that cosmic-ray lacks: a call, an addition or a ``yield`` that never happens."""

    _KINDS = ("atom_expr", "power", "yield_expr", "raise_stmt", "expr_stmt")

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Return where a statement can go."""
        if node.type == "simple_stmt" and self._can_go(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def _can_go(self, statement: Any) -> bool:
        if statement.type == "expr_stmt":  # x += y, and x[k] = y; other names would be undefined
            return bool(
                statement.children[1].type == "operator"
                and (statement.children[1].value != "=" or statement.children[0].type != "name")
            )
        return statement.type in self._KINDS

    def mutate(self, node: Any, index: int) -> Any:
        """Put ``pass`` there."""
        from parso.python.tree import Name

        assert index == 0
        statement = node.children[0]
        gone = Name("pass", statement.start_pos, prefix=statement.get_first_leaf().prefix)
        node.children[0] = gone
        return node


def operators() -> dict[str, Any]:
    """Return every operator that needs no arguments, by its name."""
    from cosmic_ray import plugins

    known = {name: plugins.get_operator(name) for name in plugins.operator_names()}
    usable = {
        name.partition("/")[2]: kind() for name, kind in known.items() if not kind.arguments()
    }
    return {**usable, "DeleteStatement": DeleteStatement()}


def _family(operator: str) -> str:
    """Return the part of an operator's name that says what it replaces: one draw for all of it."""
    return "_".join(operator.split("_")[:2])


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the functions of a module are, and what of it changes nothing."""

    functions: tuple[tuple[int, int, str], ...]  # first and last line, qualified name
    ignored: tuple[tuple[int, int, int, int], ...]  # line and column, from and to

    @classmethod
    def of(cls, source: str) -> Layout:
        """Read a module's text."""
        tree = ast.parse(source)
        functions: list[tuple[int, int, str]] = []
        ignored: list[ast.AST] = []

        def walk(node: ast.AST, names: tuple[str, ...]) -> None:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.ClassDef):
                    walk(child, (*names, child.name))
                elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                    first = min([child.lineno, *(item.lineno for item in child.decorator_list)])
                    name = ".".join((*names, child.name))
                    functions.append((first, child.end_lineno or first, name))

        walk(tree, ())
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
                ignored.append(node.annotation)
            elif isinstance(node, ast.FunctionDef) and node.returns:
                ignored.append(node.returns)
            elif isinstance(node, ast.ClassDef):  # frozen and the like change nothing that runs
                ignored += node.keywords
                ignored += [d for d in node.decorator_list if "dataclass" in ast.unparse(d)]
            elif isinstance(node, ast.keyword) and node.arg == "strict":
                ignored.append(node.value)
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                ignored.append(node)
        spans = tuple(_span(node) for node in ignored)
        return cls(tuple(functions), spans)

    def place(self, path: str, line: int) -> str:
        """Return the function that a line is in and its number inside it."""
        for first, last, name in self.functions:
            if first <= line <= last:
                return f"{path}::{name}+{line - first}"
        return f"{path}::+{line}"

    def changes_nothing(self, line: int, column: int) -> bool:
        """Whether a place is in a type, or in what only guards against programming errors."""
        return any(
            (first, left - 1) <= (line, column) <= (last, right)  # with the "@" of a decorator
            for first, left, last, right in self.ignored
        )


def _span(node: Any) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def sample(root: Path, package: str, count: int, seed: int) -> list[Mutant]:
    """Draw mutants of a package or module, each place and kind of change as likely as any."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code

    paths = sorted(str(p.relative_to(root)) for p in (root / PACKAGE).rglob("*.py"))
    known = operators()
    sources: dict[str, str] = {}
    layouts: dict[str, Layout] = {}
    groups: dict[tuple[str, int, int, str], list[tuple[str, int]]] = defaultdict(list)
    for path in paths:
        if not belongs(path, package):
            continue
        source = sources[path] = (root / path).read_text(encoding="utf-8")
        layout = layouts[path] = Layout.of(source)
        nodes = list(ast_nodes(get_ast(source)))
        for name, operator in known.items():
            starts = [start for node in nodes for start, _ in operator.mutation_positions(node)]
            for occurrence, (line, column) in enumerate(starts):
                if not layout.changes_nothing(line, column):
                    key = path, line, column, _family(name)
                    groups[key].append((name, occurrence))
    chance = random.Random(f"{seed} {package}")
    drawn: list[Mutant] = []
    keys = sorted(groups)
    chance.shuffle(keys)
    for key in keys:
        path, line, _, _ = key
        name, occurrence = chance.choice(groups[key])
        mutated = mutate_code(sources[path], known[name], occurrence)
        if mutated is None or not _differs(sources[path], mutated):
            continue
        place = layouts[path].place(path, line)
        diff = _diff(sources[path], mutated)
        drawn.append(
            Mutant(package=package, path=path, line=line, place=place, operator=name, diff=diff,
                   seed=seed)
        )  # fmt: skip
        if len(drawn) == count:
            break
    return drawn


def _differs(source: str, mutated: str) -> bool:
    """Whether a change is one, and Python takes it."""
    try:
        return ast.dump(ast.parse(source)) != ast.dump(ast.parse(mutated))
    except SyntaxError:
        return False


def _diff(source: str, mutated: str) -> str:
    lines = difflib.unified_diff(source.splitlines(), mutated.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def applied(source: str, mutant: Mutant) -> str | None:
    """Return a module with a mutant in it; None if the lines it changes are no more, or two."""
    changed = mutant.diff.splitlines()
    before = [line[1:] for line in changed if line.startswith("-")]
    after = [line[1:] for line in changed if line.startswith("+")]
    lines = source.splitlines()
    starts = [
        index
        for index in range(len(lines) - len(before) + 1)
        if lines[index : index + len(before)] == before
    ]
    if not starts or not before:
        return None
    layout = Layout.of(source)
    function = mutant.place.partition("+")[0]
    inside = [at for at in starts if layout.place(mutant.path, at + 1).startswith(function + "+")]
    nearest = min(inside or starts, key=lambda at: abs(at + 1 - mutant.line))
    lines[nearest : nearest + len(before)] = after
    return "\n".join(lines) + "\n"


# --- where they are tested ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ground:
    """The folder that holds the copy, its environment, the record and the results."""

    folder: Path

    @property
    def tree(self) -> Path:
        """The copy of the committed tree."""
        return self.folder / "tree"

    @property
    def python(self) -> Path:
        """An interpreter that imports slugcheck from the copy, in child processes too."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def record(self) -> Path:
        """Which tests run which lines."""
        return self.folder / "record.json"

    @property
    def results(self) -> Path:
        """The outcome of each mutant, one on a line."""
        return self.folder / "results.jsonl"

    def prepare(self, checkout: Path) -> None:
        """Clone the checkout's commit, and make the environment around it."""
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.rmtree(self.folder / "venv", ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", str(checkout), str(self.tree)], check=True)
        create = [sys.executable, "-m", "venv", "--without-pip", str(self.folder / "venv")]
        subprocess.run(create, check=True)
        programs = self.python.parent
        own = {p.name for p in programs.iterdir()}
        for program in Path(sys.executable).parent.iterdir():
            if program.name not in own and program.name != PACKAGE:
                (programs / program.name).symlink_to(program)
        script = programs / PACKAGE
        script.write_text(
            f"#!{self.python}\nimport sys\nfrom slugcheck.__main__ import main\nsys.exit(main())\n"
        )
        script.chmod(0o755)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        site = self.folder / "venv" / "lib" / version / "site-packages"
        others = [p for p in sys.path if Path(p).name == "site-packages" or "tools" in Path(p).name]
        lines = [str(self.tree), *others]
        (site / "mutation.pth").write_text("\n".join(lines) + "\n")

    def outcomes(self) -> list[Mutant]:
        """Return the last outcome of each mutant."""
        if not self.results.exists():
            return []
        latest: dict[tuple[str, str, int], Mutant] = {}
        for line in self.results.read_text(encoding="utf-8").splitlines():
            mutant = Mutant(**json.loads(line))
            latest[mutant.place, mutant.diff, mutant.seed] = mutant
        return list(latest.values())


def _as_users_do() -> None:
    """Give Ctrl-C its usual meaning: a shell's background job ignores it, and tests send it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


# --- which tests run a line -----------------------------------------------------------------------


class Recorder:
    """A plugin of pytest: coverage's context is the test, or the file for what its tests share."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()
        self._test = ""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin a test."""
        self._test = nodeid
        self.coverage.switch_context(nodeid)

    def pytest_fixture_setup(self, fixturedef: Any) -> None:
        """Begin what a file's tests share."""
        if fixturedef.scope != "function":
            self.coverage.switch_context(self._test.partition("::")[0])

    def pytest_runtest_call(self) -> None:
        """Begin the test itself."""
        self.coverage.switch_context(self._test)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how long it took, and whether it passed."""
        self.seconds[report.nodeid] += report.duration
        if report.outcome != "passed":
            self.failed.add(report.nodeid)


def record(ground: Ground, files: Sequence[str]) -> None:
    """Run tests of the copy file by file, and keep which lines each runs."""
    chosen = files or sorted(
        str(p.relative_to(ground.tree)) for p in (ground.tree / "tests").rglob("test_*.py")
    )
    for file in chosen:
        began = time.monotonic()
        report = ground.folder / "recorded.json"
        report.unlink(missing_ok=True)
        code = _forked(partial(_record_file, ground, file, report), ground, _RECORD_SECONDS)
        if not report.exists():
            print(f"{file}: nothing recorded (exit {code})", flush=True)
            continue
        kept = json.loads(ground.record.read_text()) if ground.record.exists() else {}
        kept[file] = json.loads(report.read_text())
        ground.record.write_text(json.dumps(kept))
        tests = len(kept[file]["seconds"])
        print(f"{file}: {tests} tests, {time.monotonic() - began:.0f} s", flush=True)


def _record_file(ground: Ground, file: str, report: Path) -> int:
    import coverage
    import pytest

    data = str(ground.folder / "coverage")
    tracer = coverage.Coverage(data_file=data, source=[PACKAGE], config_file=False)
    recorder = Recorder(tracer)
    tracer.start()
    # every test, and coverage's own warnings are no errors
    usual = [argument for argument in _PYTEST if argument != "-x"]
    code = pytest.main([*usual, "-W", "ignore", "-m", "not network", file], plugins=[recorder])
    tracer.stop()
    places: dict[str, list[str]] = {}
    traced = tracer.get_data()
    for path in traced.measured_files():
        relative = str(Path(path).relative_to(ground.tree))
        layout = Layout.of(Path(path).read_text(encoding="utf-8"))
        for line, contexts in traced.contexts_by_lineno(path).items():
            tests = [c for c in contexts if c and c not in recorder.failed]
            if tests:
                places[layout.place(relative, line)] = tests
    seconds = {t: s for t, s in recorder.seconds.items() if t not in recorder.failed}
    report.write_text(json.dumps({"seconds": seconds, "places": places}))
    return int(code)


class Record:
    """Which tests run which lines, and how long they take."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        self.seconds: dict[str, float] = {}
        self._lines: dict[str, set[str]] = defaultdict(set)
        self._functions: dict[str, set[str]] = defaultdict(set)
        self._modules: dict[str, set[str]] = defaultdict(set)
        self._files = {file: list(entry["seconds"]) for file, entry in kept.items()}
        self.files = tuple(kept)
        for entry in kept.values():
            self.seconds |= entry["seconds"]
            for place, tests in entry["places"].items():
                function = place.partition("+")[0]
                self._lines[place] |= set(tests)
                self._functions[function] |= set(tests)
                self._modules[place.partition("::")[0]] |= set(tests)

    def tests(
        self, mutant: Mutant, budget: float, last: Collection[str]
    ) -> tuple[list[str], float]:
        """Return the tests that matter for a mutant, and how long they took in all.

        Those of the files ``last`` come last, and have seconds of their own.
        """
        function = mutant.place.partition("+")[0]
        line = self._lines.get(mutant.place, set())
        near = line or self._functions.get(function, set())
        if function.endswith("::"):  # at the top of the module: whoever uses the module
            near = self._modules[mutant.path]
        singles = {test for test in near if "::" in test}
        shared = {t for file in near - singles for t in self._files.get(file, ())}
        files = _CHILDREN.get(mutant.package, ())
        far = {t for file in files for t in self._files.get(file, ())}
        groups = (singles, shared - singles, far - shared - singles)
        chosen: list[str] = []
        whole = 0.0
        for late in (False, True):
            total = 0.0
            for group in groups:
                own = [t for t in group if (t.partition("::")[0] in last) is late]
                for test in sorted(own, key=lambda t: self.seconds.get(t, 1.0)):
                    seconds = self.seconds.get(test, 1.0)
                    if total + seconds <= budget or not chosen:
                        chosen.append(test)
                        total += seconds
            whole += total
        return chosen, whole


# --- one mutant -----------------------------------------------------------------------------------

_PYTEST = [
    "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "--tb=line", "-o", "addopts=",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # of plugins that are loaded before
]  # fmt: skip


class Only:
    """A plugin of pytest: some tests of the files, and which one failed."""

    def __init__(self, tests: Collection[str], told: Path) -> None:
        self._tests = set(tests)
        self._told = told

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave the other tests out."""
        items[:] = [item for item in items if item.nodeid in self._tests]

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Name the test that failed."""
        if report.outcome == "failed":
            self._told.write_text(report.nodeid)


def _forked(job: Callable[[], int], ground: Ground, limit: float) -> int | None:
    """Run something in a child with a session of its own; None if it took longer than the limit.

    What it leaves behind, sessions of their own included, is ended.
    """
    scratch = Path(tempfile.mkdtemp(prefix="mutant-"))
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE_BYTES, _ADDRESS_SPACE_BYTES))
            out = os.open(ground.folder / "output.txt", os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.chdir(ground.tree)
            os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
            code = job()
        except BaseException as error:
            print(repr(error), flush=True)
        finally:
            os._exit(code)
    code_of_child: int | None = None
    ends = time.monotonic() + limit
    while time.monotonic() < ends:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code_of_child = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.02)
    _end_children()
    shutil.rmtree(scratch, ignore_errors=True)
    return code_of_child


def _end_children() -> None:
    """End every process that a mutant left: orphans come to this process, their subreaper."""
    for _ in range(100):
        children = [
            int(p.name)
            for p in Path("/proc").iterdir()
            if p.name.isdigit() and _parent(p) == os.getpid()
        ]
        if not children:
            return
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def _parent(folder: Path) -> int | None:
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which tests may run for a mutant: so many seconds of them, some files after the others."""

    known: Record
    seconds: float
    last: tuple[str, ...] = ()


def tested(ground: Ground, mutant: Mutant, choice: Choice, stamp: int) -> Mutant:
    """Put a mutant into the copy, run its tests, and take it out again."""
    path = ground.tree / mutant.path
    source = path.read_text(encoding="utf-8")
    mutated = applied(source, mutant)
    if mutated is None:
        return replace(mutant, outcome="gone")
    tests, seconds = choice.known.tests(mutant, choice.seconds, choice.last)
    if not tests:
        return replace(mutant, outcome="untested")
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    told = ground.folder / "killer.txt"
    told.unlink(missing_ok=True)

    def job() -> int:
        import pytest

        return int(pytest.main([*_PYTEST, *files], plugins=[Only(tests, told)]))

    path.write_text(mutated, encoding="utf-8")
    os.utime(path, (stamp, stamp))  # bytecode is kept by the second and the size
    try:
        code = _forked(job, ground, _SHORTEST_LIMIT_SECONDS + _SLOWER * seconds)
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, (stamp + 1, stamp + 1))
    # what pytest's codes mean: all passed, some failed, collection failed, there was none
    known = {None: "hung", 0: "survived", 1: "killed", 2: "killed", 5: "untested"}
    outcome = known.get(code, "broken")
    killer = told.read_text() if told.exists() else ""
    late = killer.partition("::")[0] in choice.last
    return replace(mutant, outcome=outcome, killer=killer, late=late)


def run(ground: Ground, mutants: Iterable[Mutant], choice: Choice) -> None:
    """Test mutants one by one, and append what became of each."""
    _load_what_tests_import(ground, choice.known.files)
    stamp = int(time.time())
    for number, mutant in enumerate(mutants):
        began = time.monotonic()
        result = tested(ground, mutant, choice, stamp + 2 * number)
        with ground.results.open("a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(result)) + "\n")
        took = time.monotonic() - began
        print(f"{result.outcome:9} {took:5.1f} s  {result.path}:{result.line}", flush=True)
        if result.outcome in ("survived", "untested"):
            print(result.diff, flush=True)


def _load_what_tests_import(ground: Ground, files: Collection[str]) -> None:
    """Load what the tests import once, so that each fork has it; nothing of slugcheck."""
    import importlib

    names = ground.folder / "modules.json"

    def collect() -> int:
        import pytest

        code = pytest.main([*_PYTEST, "--collect-only", *files])
        names.write_text(json.dumps(sorted(sys.modules)))
        return int(code)

    names.unlink(missing_ok=True)
    _forked(collect, ground, _RECORD_SECONDS)
    own = (PACKAGE, "tests", "benchmarks", "__main__")
    for name in json.loads(names.read_text()):
        if name.partition(".")[0] not in own:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


# --- what came out --------------------------------------------------------------------------------


def table(outcomes: Sequence[Mutant]) -> str:
    """Return the table of packages, and the survivors below it."""
    packages: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in outcomes:
        if mutant.outcome not in ("gone", "broken"):
            packages[mutant.package].append(mutant)
    lines = ["| package | mutants | before, % | killed | survived | killed, % |"]
    lines.append("|---|--:|--:|--:|--:|--:|")
    for name, mutants in [*sorted(packages.items()), ("total", [*chain(*packages.values())])]:
        if mutants:
            killed = sum(mutant.counts_as_killed for mutant in mutants)
            rest = len(mutants) - killed
            late = sum(mutant.counts_as_killed and mutant.late for mutant in mutants)
            before, after = (100 * count / len(mutants) for count in (killed - late, killed))
            row = f"| {name} | {len(mutants)} | {before:.0f} | {killed} | {rest} | {after:.0f} |"
            lines.append(row)
    for name in sorted(packages):
        for mutant in packages[name]:
            if not mutant.counts_as_killed:
                lines += ["", f"{mutant.path}:{mutant.line} ({mutant.operator})", mutant.diff]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=("record", "run", "again", "table"))
    parser.add_argument("tests", nargs="*", help="for record: the test files; all if none is given")
    parser.add_argument("--package", action="append", default=[], help="or a module")
    parser.add_argument("--each", type=int, default=30, help="mutants of each package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=40.0, help="of tests for each mutant")
    default = Path(tempfile.gettempdir()) / "slugcheck-mutation"
    parser.add_argument("--work", type=Path, default=default, help="folder of the copy and results")
    parser.add_argument("--last", action="append", default=[], help="test file that runs last")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_intermixed_args()  # options before the files too


def main() -> int:
    """Prepare the copy, then do the work with the copy's own interpreter."""
    chosen = _arguments()
    ground = Ground(chosen.work.resolve())

    def chosen_package(name: str) -> bool:
        return not chosen.package or name in chosen.package

    if chosen.command == "table":
        print(
            table(
                [m for m in ground.outcomes() if m.package in chosen.package or not chosen.package]
            )
        )
        return 0
    _as_users_do()
    if not chosen.inside:
        ground.prepare(Path.cwd())
        command = [str(ground.python), "-m", "benchmarks.mutation", *sys.argv[1:], "--inside"]
        with contextlib.suppress(KeyboardInterrupt):
            environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
            return subprocess.call(command, cwd=ground.tree, env=environment)
        return 130
    os.nice(_NICE)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.environ["PATH"] = f"{ground.python.parent}{os.pathsep}{os.environ['PATH']}"
    if chosen.command == "record":
        record(ground, chosen.tests)
        return 0
    choice = Choice(
        known=Record(json.loads(ground.record.read_text())),
        seconds=chosen.seconds,
        last=tuple(chosen.last),
    )
    if chosen.command == "again":
        left = [m for m in ground.outcomes() if m.outcome in ("survived", "untested")]
        run(ground, [m for m in left if chosen_package(m.package)], choice)
        return 0
    paths = [str(p.relative_to(ground.tree)) for p in (ground.tree / PACKAGE).rglob("*.py")]
    names = chosen.package or sorted({name for p in paths if (name := package_of(p))})
    done = {(mutant.place, mutant.diff, mutant.seed) for mutant in ground.outcomes()}
    for name in names:
        drawn = sample(ground.tree, name, chosen.each, chosen.seed)
        # a run that was ended goes on where it stopped
        run(ground, [m for m in drawn if (m.place, m.diff, m.seed) not in done], choice)
    return 0


if __name__ == "__main__":
    sys.exit(main())
