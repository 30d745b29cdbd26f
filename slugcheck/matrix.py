"""One project checked for several targets: every combination of some platforms and Pythons.

What does not depend on the target is read once (``project.shared``), and targets with the same
Python on the same system share a resolution. A combination that cannot be, since its platform has
no such Python, stack or machine, is a result with its reason; whatever else is wrong with the
command line, the settings or the project ends the run before anything is measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace

from slugcheck import platforms, reading
from slugcheck.against import Base
from slugcheck.check import SILENT, Check
from slugcheck.errors import (
    MeasureError,
    PlatformError,
    ResolutionError,
    SlugcheckError,
    UsageError,
)
from slugcheck.model import Platform, Report, Settings, Transfer
from slugcheck.model.matrix import Matrix, Outcome, TargetResult
from slugcheck.model.options import DEFAULT_PLATFORM, Options
from slugcheck.packages.shared import SharedPackages
from slugcheck.policy import gates, settings
from slugcheck.policy.budgets import exit_code
from slugcheck.project import target as targets
from slugcheck.project.shared import SharedProject
from slugcheck.text import printable
from slugcheck.version import __version__

MOST = 24
_AT_ONCE = 4  # resolving is the work of one processor: more at once only wait for each other
_OUTCOMES = {0: Outcome.FITS, 1: Outcome.FAILS, 3: Outcome.UNKNOWN}
_QUOTED = 60  # characters of a wrong argument that a message repeats


def combinations(
    options: Options, named: Sequence[str], pythons: Sequence[str]
) -> tuple[Options, ...]:
    """Return the options of each combination, by platform and then by Python, each once.

    Without a platform the settings say it, without a Python the project or the platform.

    :raises UsageError: there are too many, a platform is unknown, or a Python is not a version.
    """
    for name in named:
        platforms.load(name)
    for python in pythons:
        if not reading.PYTHON_VERSION.fullmatch(python.strip()):
            message = f"--python {printable(python[:_QUOTED])!r} is not a Python version"
            raise UsageError(message, hint="write it as 3.12 or 3.12.4")
    every = [
        replace(options, platform=platform, python=python)
        for platform in dict.fromkeys(named) or (options.platform,)
        for python in dict.fromkeys(text.strip() for text in pythons) or (options.python,)
    ]
    if len(every) > MOST:
        message = f"{len(every)} combinations of platform and Python are too many"
        raise UsageError(message, hint=f"name at most {MOST} at a time")
    return tuple(every)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One target that can be measured."""

    check: Check
    base: Base | None


class Targets:
    """The checks of one run, used as a context manager; ``measure`` yields how many are done."""

    def __init__(self, options: Sequence[Options], against: str | None = None) -> None:
        """Read the project and choose every target; nothing touches the network yet.

        :raises UsageError: something is wrong, or none of the targets can be.
        """
        self._started = time.perf_counter()
        self._options = tuple(options)
        self._results: dict[int, TargetResult] = {}
        self._runs: dict[int, _Run] = {}
        self._transfers: list[Transfer] = []
        with ExitStack() as stack:
            packages = stack.enter_context(SharedPackages())
            shared = stack.enter_context(SharedProject(packages))
            stack.callback(self._close_runs)
            errors: list[tuple[str, UsageError]] = []
            for number, own in enumerate(self._options):
                try:
                    self._prepare(number, own, against, shared)
                except UsageError as error:
                    errors.append((_label(own), error))
            self._refuse(errors)
            self._stack = stack.pop_all()

    def _refuse(self, errors: Sequence[tuple[str, UsageError]]) -> None:
        """Raise what is wrong with a target, or why none of them is possible.

        An error that all of them have in common names none of them.
        """
        if errors:
            name, error = errors[0]
            of_all = not self._runs and len({str(other) for _, other in errors}) == 1
            raise type(error)(str(error) if of_all else f"{name}: {error}", hint=error.hint)
        if self._runs or any(r.outcome is not Outcome.IMPOSSIBLE for r in self._results.values()):
            return
        problems = dict.fromkeys((r.problem, r.hint) for r in self._results.values())
        if len(problems) > 1:
            raise PlatformError("\n".join("; ".join(problem) for problem in problems))
        for problem, hint in problems:
            raise PlatformError(problem, hint=hint)

    def _prepare(
        self,
        number: int,
        options: Options,
        against: str | None,
        shared: SharedProject,
    ) -> None:
        there = options.path == reading.STDIN or options.path.exists()
        base = Base(options, against, shared.packages) if against is not None and there else None
        if base is not None and base.is_saved:
            message = f"--against {base.label}: a saved report is for one target"
            hint = "name a git revision, a file or a folder, which is measured for each"
            raise UsageError(message, hint=hint)
        ruling = base.ruling() if base is not None else None
        platform = _platform(options, ruling)
        try:
            _check_possible(platform, options)
        except PlatformError as error:
            self._results[number] = _without_report(platform, options, error, Outcome.IMPOSSIBLE)
            return
        try:
            check = Check(options, ruling=ruling, shared=shared)
        except MeasureError as error:
            self._results[number] = _without_report(platform, options, error)
            return
        self._runs[number] = _Run(check=check, base=base)

    def _close_runs(self) -> None:
        """Close the checks that were not begun."""
        for run in self._runs.values():
            run.check.__exit__()

    def __enter__(self) -> Targets:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # ----------------------------------------------------------------- measuring

    def measure(self) -> Iterator[int]:
        """Measure every target, yielding how many are done.

        The first of those that ask for the same packages goes ahead of the others.
        """
        yield len(self._results)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            running: dict[Future[Report], tuple[int, list[int]]] = {}
            for first, *others in self._groups():
                running[pool.submit(self._report, first)] = first, others
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    number, others = running.pop(future)
                    like = self._take(number, future)
                    for other in others:
                        running[pool.submit(self._report, other, like)] = other, []
                    yield len(self._results)

    def _groups(self) -> list[list[int]]:
        groups: list[list[int]] = []
        for number, run in self._runs.items():
            for group in groups:
                if run.check.asks_the_same(self._runs[group[0]].check):
                    group.append(number)
                    break
            else:
                groups.append([number])
        return groups

    def _report(self, number: int, like: Check | None = None) -> Report:
        check, base = self._runs[number].check, self._runs[number].base
        with check, base or nullcontext():
            report = check.run(SILENT, like=like)
            if base is None:
                return gates.with_increase(report, check.rules, None)
            return base.compared(report, check)

    def _take(self, number: int, future: Future[Report]) -> Check | None:
        """Keep what came of a target; return its check if others may use what it has found."""
        options, check = self._options[number], self._runs.pop(number).check
        platform = check.target.platform
        self._transfers.append(check.transfer)
        try:
            report = future.result()
        except SlugcheckError as error:
            self._results[number] = _without_report(platform, options, error)
            return None
        code = exit_code(report)
        self._results[number] = TargetResult(
            platform=platform.name,
            title=platform.title,
            python=options.python or report.sizes.target.minor,
            outcome=_OUTCOMES[code],
            exit_code=code,
            report=report,
        )
        return check

    @property
    def matrix(self) -> Matrix:
        """What came of all targets, in their order; ``measure`` has been exhausted."""
        results = tuple(self._results[number] for number in range(len(self._options)))
        decisive = {r.exit_code for r in results if r.outcome is not Outcome.IMPOSSIBLE}
        return Matrix(
            path=self._options[0].shown_path,
            targets=results,
            exit_code=next((code for code in (1, 3, 2) if code in decisive), 0),
            transfer=Transfer(
                requests=sum(transfer.requests for transfer in self._transfers),
                bytes=sum(transfer.bytes for transfer in self._transfers),
                cached=sum(transfer.cached for transfer in self._transfers),
            ),
            seconds=time.perf_counter() - self._started,
            tool_version=__version__,
        )


# --------------------------------------------------------------------------- what has no report


def _platform(options: Options, ruling: Settings | None) -> Platform:
    """Return the platform of the command line, else that of the settings.

    :raises UsageError: the settings are wrong.
    """
    own = ruling or settings.of(options)
    if options.platform is None and own.described is not None:
        return own.described
    return platforms.load(options.platform or own.platform or DEFAULT_PLATFORM)


def _check_possible(platform: Platform, options: Options) -> None:
    """Check whether the values of the command line can be together.

    What the settings and the project ask for is left out: no change of theirs takes a target out of
    the matrix.

    :raises PlatformError: the platform has no such stack, Python or machine.
    """
    targets.choose(
        platform,
        stack=options.stack,
        python=options.python,
        python_origin=options.python_origin,
        dyno=options.dyno,
    )


def _without_report(
    platform: Platform,
    options: Options,
    error: SlugcheckError,
    outcome: Outcome = Outcome.UNKNOWN,
) -> TargetResult:
    return TargetResult(
        platform=platform.name,
        title=platform.title,
        python=options.python or "",
        outcome=outcome,
        exit_code=error.exit_code,
        problem=str(error),
        hint=error.hint or "",
        detail=error.detail if isinstance(error, ResolutionError) else "",
    )


def _label(options: Options) -> str:
    python = f"Python {options.python}" if options.python else ""
    return printable(", ".join(filter(None, (options.platform, python))))
