"""Findings with fixes that were tried: the first that resolves and solves the problem is shown."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.advice.edits import Edit
from slugcheck.advice.trial import AT_ONCE, Measured, Outcome, Trial, Trials
from slugcheck.model import AfterFix, Finding, FindingSeverity, SizeReport, Status
from slugcheck.policy.budgets import COMPILES, FAILS, MAY_FAIL

# Of one finding: a resolution each.
_MOST_CANDIDATES = 4
_SHOWN = 160  # characters of a reason
_WIDTH = 70  # characters of a comment line


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A fix to try. ``text`` is what is printed for it; "": the edit in the manager's syntax.

    ``note`` is a comment to print above it, of one line or more.
    """

    edit: Edit
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A finding without its fix, and the fixes to try in order of preference.

    ``saves``: its fix must make the project smaller. ``uncertain``: whether it is a problem at all
    shows in the trials, so it is dropped unless a fix is accepted. ``estimate_bytes`` is what the
    fix saves at least of the figure that the platform limits, shown where it cannot be measured.
    ``otherwise`` is printed where no fix was found, in place of a line that says so.
    ``when_tight``: it is worth its trial only where a budget on sizes does not hold.
    """

    finding: Finding
    candidates: tuple[Candidate, ...] = ()
    saves: bool = False
    uncertain: bool = False
    estimate_bytes: int = 0
    otherwise: str = ""
    when_tight: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same problem in another state of the project."""
        return self.finding.code, self.finding.subject


# What is wrong with a state of the project, found without the network.
Detect = Callable[[Measured], Sequence[Problem]]


def solved(
    problems: Iterable[Problem],
    *,
    before: SizeReport,
    status: Status,
    trials: Trials,
    detect: Detect,
    write: Callable[[Edit], str],
) -> tuple[Finding, ...]:
    """Return the findings of problems with the fix of each, the most severe first.

    ``status`` is the worst of the gating budgets on ``before``. ``write`` gives the text of an
    edit, in the syntax of the project's manager.
    """
    order = list(FindingSeverity)
    ordered = sorted(
        (p for p in problems if not (p.when_tight and status is Status.PASS)),
        key=lambda problem: order.index(problem.finding.severity),
    )
    if not ordered:
        return ()
    choice = _Choice(
        before=before,
        status=status,
        known=frozenset(problem.key for problem in ordered),
        trials=trials,
        detect=detect,
        write=write,
    )
    with ThreadPoolExecutor(AT_ONCE) as pool:
        chosen = list(zip(ordered, pool.map(choice.of, ordered), strict=True))

    def rank(solution: tuple[Problem, Finding | None]) -> tuple[int, int]:
        problem, finding = solution
        measured = finding.saves_bytes if finding is not None else None
        return order.index(problem.finding.severity), -(measured or problem.estimate_bytes)

    return tuple(finding for _, finding in sorted(chosen, key=rank) if finding is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    before: SizeReport
    status: Status
    known: Collection[tuple[str, str]]
    trials: Trials
    detect: Detect
    write: Callable[[Edit], str]

    def of(self, problem: Problem) -> Finding | None:
        """Return the finding with the best fix, None where it is no problem after all."""
        unmeasured: tuple[Candidate, Trial] | None = None
        reasons: list[str] = []
        untried = ""
        for candidate in problem.candidates[:_MOST_CANDIDATES]:
            trial = self.trials.run(candidate.edit)
            if trial.measured is not None and trial.after is not None:
                reason = self._objection(problem, candidate.edit, trial.measured, trial.after)
                if not reason:
                    return self._measured(problem, candidate, trial.measured.sizes, trial.after)
                reasons.append(reason)
            elif trial.outcome is Outcome.NOT_MEASURED:
                if candidate.edit.wheels_only or candidate.edit.python or _is_open(candidate.edit):
                    untried = untried or trial.problem
                    continue  # which versions or which Python it takes, only trying tells
                unmeasured = unmeasured or (candidate, trial)
            else:
                reasons.append(trial.problem)
        if problem.uncertain:
            return None
        if unmeasured is not None:
            return self._not_measured(problem, *unmeasured)
        if not problem.candidates:
            return replace(problem.finding, fix=problem.otherwise)
        found = "no fix tried" if untried and not reasons else "no fix found"
        reason = f": {_short([*reasons, untried][0])}" if reasons or untried else ""
        return replace(problem.finding, fix=problem.otherwise or comment(f"{found}{reason}"))

    def _objection(self, problem: Problem, edit: Edit, measured: Measured, after: AfterFix) -> str:
        """Return why a change that resolves is no fix, "" if it is one."""
        sizes = measured.sizes
        if problem.saves and sizes.bundle.value >= self.before.bundle.value:
            return "the change saves nothing"
        if after.status is Status.FAIL and self.status is not Status.FAIL:
            return "the change is over budget"
        for left in self.detect(measured):
            if left.uncertain or left.finding.severity is FindingSeverity.INFO:
                continue
            compiles = problem.finding.code == FAILS and left.finding.code == COMPILES
            if compiles and not edit.wheels_only:
                continue  # what is compiled is better than what cannot be built
            known = left.key in self.known and not self._is_chosen(left, sizes)
            if left.key == problem.key or not known:
                return left.finding.sentence
        lost = {package.name for package in sizes.unsized} - {
            package.name for package in self.before.unsized
        }
        return f"{sorted(lost)[0]} could not be sized" if lost else ""

    def _is_chosen(self, left: Problem, sizes: SizeReport) -> bool:
        """Whether a build fails of a version that the change itself has brought."""
        if left.finding.code not in (FAILS, MAY_FAIL):
            return False
        before, after = (
            {size.name: size.distribution.version for size in state.distributions}
            for state in (self.before, sizes)
        )
        name = left.finding.subject
        return before.get(name) != after.get(name)

    def _measured(
        self, problem: Problem, candidate: Candidate, sizes: SizeReport, after: AfterFix
    ) -> Finding:
        installed = self.before.installed.value - sizes.installed.value
        slug = self.before.slug.value - sizes.slug.value
        bundle = self.before.bundle.value - sizes.bundle.value
        less = installed > 0
        return replace(
            problem.finding,
            fix=self._text(candidate, sizes),
            saves_bytes=installed if less else None,
            saves_slug_bytes=slug if less and slug > 0 else None,
            saves_bundle_bytes=bundle if less and bundle > 0 else None,
            after=after,
        )

    def _not_measured(self, problem: Problem, candidate: Candidate, trial: Trial) -> Finding:
        place = candidate.edit.index_url
        host = urlsplit(place).hostname if place else None
        reason = f"the index {host} cannot be used" if host else _short(trial.problem)
        untried = "saving not measured" if problem.saves else "the fix was not tried"
        sentence = f"{problem.finding.sentence}; {untried} ({reason})"
        if problem.estimate_bytes:
            sentence = (
                f"{sentence}: at least {self._amount(problem.estimate_bytes)} less, estimated"
            )
        return replace(problem.finding, sentence=sentence, fix=self._text(candidate))

    def _amount(self, size: int) -> str:
        return f"{self.before.unit.down(size)} of {self.before.target.platform.size_figure}"

    def _text(self, candidate: Candidate, sizes: SizeReport | None = None) -> str:
        edit = candidate.edit if sizes is None else _exact(candidate.edit, sizes)
        text = candidate.text or self.write(edit)
        notes = [f"# {line}" for line in candidate.note.splitlines()]
        return "\n".join([*notes, text])


def _is_open(edit: Edit) -> bool:
    """Whether a line takes versions that may not exist: those above or below one."""
    clauses = [one for line in edit.lines for one in reading.requirement(line).specifier]
    return any(clause.operator in (">", "<") for clause in clauses)


def comment(text: str) -> str:
    """Return text as comment lines that fit a narrow terminal."""
    return "\n".join(f"# {line}" for line in textwrap.wrap(text, _WIDTH))


def _exact(edit: Edit, sizes: SizeReport) -> Edit:
    """Return the edit with each range of versions narrowed to the one that was resolved.

    A line that is added gets its version too.
    """
    versions = {d.name: d.distribution.version for d in sizes.distributions}

    def exact(line: str, *, added: bool = False) -> str:
        wanted = reading.requirement(line)
        version = versions.get(canonicalize_name(wanted.name))
        is_open = bool(wanted.specifier) or added
        if version is None or not is_open or reading.is_exact(wanted.specifier):
            return line
        extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
        return f"{wanted.name}{extras}=={version}"

    return replace(
        edit,
        replace=tuple((old, exact(line)) for old, line in edit.replace),
        add=tuple(exact(line, added=True) for line in edit.add),
    )


def _short(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
