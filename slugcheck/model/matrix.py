"""One project checked for several targets: a report for each, or why it has none."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from slugcheck.model.report import Finding, Ignored, Obstacle, Report, Verdict
from slugcheck.model.sizes import Transfer, Unsized

T = TypeVar("T")


class Outcome(StrEnum):
    """What came of one target."""

    FITS = "fits"
    FAILS = "fails"  # a budget is exceeded, or the build or the boot will fail
    UNKNOWN = "unknown"  # it could not be measured as it is
    IMPOSSIBLE = "impossible"  # the platform has no such Python, stack or machine


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """One target. ``platform`` and ``title`` are the platform's; ``python`` is a version.

    ``python`` is "" where there is no report and none was named. ``report`` is None if it could not
    be measured at all or cannot be; ``problem`` and ``hint`` say why then, and ``detail`` is the
    resolver's own reason, whole. ``exit_code`` is that of a check for this target alone: 0, 1 or 3;
    2 if the target is impossible.
    """

    platform: str
    title: str
    python: str
    outcome: Outcome
    exit_code: int
    report: Report | None = None
    problem: str = ""
    hint: str = ""
    detail: str = ""

    @property
    def size_verdict(self) -> Verdict | None:
        """The verdict on what the platform counts; None without a limit or a report."""
        if self.report is None:
            return None
        figure = self.report.sizes.target.platform.size_figure
        return self._verdict(figure)

    @property
    def build_seconds(self) -> float | None:
        """The duration of the build; None where the platform has no limit of it."""
        verdict = self._verdict("build")
        return float(verdict.figure.value) if verdict and verdict.figure else None

    def _verdict(self, budget: str) -> Verdict | None:
        verdicts = self.report.verdicts if self.report is not None else ()
        return next((v for v in verdicts if v.budget == budget and v.gates), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Generic[T]):
    """Something that reports say, and the targets whose reports say it.

    ``each`` is how each of them says it. ``what`` is how all of them do; where they ``differ``, how
    the first does.
    """

    what: T
    targets: tuple[TargetResult, ...]
    each: tuple[T, ...]
    differ: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """One project for several targets, in the order in which they were named.

    ``transfer`` is the traffic of all, ``seconds`` the wall time of the run. ``exit_code``: 1 if a
    target fails, else 3 if one is unknown, else 0. A target that is impossible decides nothing.
    """

    path: str
    targets: tuple[TargetResult, ...]
    exit_code: int
    transfer: Transfer
    seconds: float
    tool_version: str

    def of(self, outcome: Outcome) -> tuple[TargetResult, ...]:
        """Return the targets with an outcome."""
        return tuple(target for target in self.targets if target.outcome is outcome)

    @property
    def reports(self) -> Iterator[tuple[TargetResult, Report]]:
        """The targets that were measured, with their reports."""
        for target in self.targets:
            if target.report is not None:
                yield target, target.report

    def named(self, targets: Iterable[TargetResult]) -> tuple[str, ...]:
        """Return names for targets that tell them from the others: "heroku (3.11, 3.12)".

        A platform with all its Pythons is "heroku", a Python on all its platforms "Python 3.12".
        """
        chosen = list(targets)
        pythons = list(dict.fromkeys(target.python for target in chosen))
        possible = [t for t in self.targets if t.outcome is not Outcome.IMPOSSIBLE]
        of_pythons = [target for target in possible if target.python in pythons]
        several = len({target.platform for target in chosen}) > 1
        if several and chosen == of_pythons and len(chosen) < len(possible):
            return tuple(f"Python {python}" for python in pythons)
        if len({target.platform for target in self.targets}) == 1:
            return tuple(f"Python {target.python}" for target in chosen)
        names = []
        for platform in dict.fromkeys(target.platform for target in chosen):
            every = [target.python for target in self.targets if target.platform == platform]
            own = [target.python for target in chosen if target.platform == platform]
            names.append(platform if own == every else f"{platform} ({', '.join(own)})")
        return tuple(names)

    # ----------------------------------------------------------------- what reports say

    def findings(self) -> tuple[Said[Finding], ...]:
        """Return the findings, each once: those with the same fix."""
        return _texts_alike(
            self._said(
                lambda report: report.findings,
                lambda f: (f.code, f.severity, f.subject, f.fix, f.origin),
            )
        )

    def obstacles(self) -> tuple[Said[Obstacle], ...]:
        """Return what is in the way, each once: what has the same fix."""
        return _texts_alike(
            self._said(
                lambda report: report.obstacles,
                lambda o: (o.fix or o.sentence, o.instead, o.origin),
            )
        )

    def unsized(self) -> tuple[Said[Unsized], ...]:
        """Return what could not be sized, each once."""
        return self._said(lambda report: report.sizes.unsized, lambda unsized: unsized)

    def notes(self, ignored: Callable[[Ignored], str]) -> tuple[Said[str], ...]:
        """Return the notes, each once; ``ignored`` writes that of an ignored finding."""
        return self._said(
            lambda report: (*map(ignored, report.ignored), *report.notes), lambda note: note
        )

    def _said(
        self, parts: Callable[[Report], Iterable[T]], key: Callable[[T], Hashable]
    ) -> tuple[Said[T], ...]:
        groups: dict[Hashable, list[tuple[T, TargetResult]]] = {}
        for target, report in self.reports:
            for part in parts(report):
                group = groups.setdefault(key(part), [])
                if not group or group[-1][1] is not target:
                    group.append((part, target))
        return tuple(
            Said(
                what=group[0][0],
                targets=tuple(target for _, target in group),
                each=tuple(part for part, _ in group),
            )
            for group in groups.values()
        )


_PLATFORM = "the platform"
P = TypeVar("P", Finding, Obstacle)


def _texts_alike(every: Iterable[Said[P]]) -> tuple[Said[P], ...]:
    """Return them with one sentence for all, which names no platform, where there is one."""
    return tuple(_text_alike(said) for said in every)


def _text_alike(said: Said[P]) -> Said[P]:
    sentences = {part.sentence for part in said.each}
    if len(sentences) == 1:
        return said
    plain = {
        part.sentence.replace(target.title, _PLATFORM)
        for part, target in zip(said.each, said.targets, strict=True)
    }
    if len(plain) > 1:
        return replace(said, differ=True)
    return replace(said, what=replace(said.what, sentence=plain.pop()))
