"""The problems in a report for CI systems, each with its place.

The formats for CI systems (github, junit, sarif) say the same things; this is where they get them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from slugcheck.model import (
    Finding,
    FindingSeverity,
    Obstacle,
    Origin,
    Report,
    SizeReport,
    Status,
    Unsized,
    Verdict,
)
from slugcheck.model.matrix import Matrix, Outcome, TargetResult
from slugcheck.render import targets
from slugcheck.text import printable, printable_lines

# What a verdict is called, beside its sentence.
STATUS_WORDS = {
    Status.FAIL: "over budget", Status.UNKNOWN: "cannot say", Status.WARN: "soft limit passed",
    Status.PASS: "fits",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to say. ``code`` is a rule's name, ``subject`` a distribution or ""."""

    code: str
    level: FindingSeverity
    title: str
    text: str
    fix: str
    subject: str
    origin: Origin | None

    @property
    def lines(self) -> tuple[str, ...]:
        """The text and the lines of the fix, made safe to print."""
        return printable(self.text), *(printable_lines(self.fix) if self.fix else ())


def remarks(report: Report) -> tuple[Remark, ...]:
    """Return what there is to say, the gravest first."""
    return _ordered([*_of_verdicts(report), *package_remarks(report)])


def matrix_remarks(matrix: Matrix) -> tuple[Remark, ...]:
    """Return what there is to say of several targets, each once, its title led by the targets."""
    about: dict[Remark, list[TargetResult]] = {}
    for target, report in matrix.reports:
        for remark in dict.fromkeys(remarks(report)):
            about.setdefault(remark, []).append(target)
    for target in matrix.targets:
        if target.report is None:
            about.setdefault(of_missing(target), []).append(target)
    led = [
        replace(remark, title=f"{targets.about(matrix, own)}: {remark.title}")
        for remark, own in about.items()
    ]
    return _ordered(led)


def of_missing(target: TargetResult) -> Remark:
    """Return why a target has no report."""
    impossible = target.outcome is Outcome.IMPOSSIBLE
    return Remark(
        code="target",
        level=FindingSeverity.INFO if impossible else FindingSeverity.ERROR,
        title="not offered" if impossible else "not measured",
        text=target.problem,
        fix=target.hint,
        subject="",
        origin=None,
    )


def package_remarks(report: Report) -> tuple[Remark, ...]:
    """Return what there is to say beside the verdicts, the gravest first."""
    unsized = [_of_unsized(distribution, report) for distribution in report.sizes.unsized]
    obstacles = map(_of_obstacle, report.obstacles)
    return _ordered([*obstacles, *unsized, *map(_of_finding, report.findings)])


def _ordered(unordered: list[Remark]) -> tuple[Remark, ...]:
    order = list(FindingSeverity)
    return tuple(sorted(unordered, key=lambda remark: order.index(remark.level)))


def _of_verdicts(report: Report) -> Iterator[Remark]:
    for verdict in report.verdicts:
        level = _level(verdict)
        if level is None:
            continue
        subject = verdict.subject or _largest_line(verdict, report.sizes)
        yield Remark(
            code=f"budget-{verdict.budget.partition('.')[0]}",
            level=level,
            title=f"{verdict.budget}: {STATUS_WORDS[verdict.status]}",
            text=verdict.sentence,
            fix="",
            subject=subject,
            origin=report.sizes.line_of(subject),
        )


def _level(verdict: Verdict) -> FindingSeverity | None:
    """Return how grave a verdict is, None when there is nothing to say."""
    if verdict.gates and verdict.status in (Status.FAIL, Status.UNKNOWN):
        return FindingSeverity.ERROR
    return FindingSeverity.WARNING if verdict.status is Status.WARN else None


def _largest_line(verdict: Verdict, sizes: SizeReport) -> str:
    """Return the requirement that is behind most of a size; "" if no line is."""
    by_figure = {
        "slug": lambda root: root.exclusive_slug_bytes + root.shared_slug_bytes,
        "bundle": lambda root: root.exclusive_bundle_bytes + root.shared_bundle_bytes,
        "installed": lambda root: root.closure_bytes,
        "download": lambda root: root.closure_bytes,
    }
    if verdict.budget not in by_figure:
        return ""
    whole = {root.name: by_figure[verdict.budget](root) for root in sizes.roots}
    return max(whole, key=lambda name: whole[name], default="")


def _of_unsized(unsized: Unsized, report: Report) -> Remark:
    allowed = unsized.name in report.allowed_unsized
    shown = f"{unsized.name} {unsized.version}" if unsized.version else unsized.name
    return Remark(
        code="unsized",
        level=FindingSeverity.INFO if allowed else FindingSeverity.ERROR,
        title=f"{shown}: could not be sized",
        text=f"{unsized.reason} (accepted)" if allowed else unsized.reason,
        fix="",
        subject=unsized.name,
        origin=unsized.origin,
    )


def _of_obstacle(obstacle: Obstacle) -> Remark:
    return Remark(
        code="obstacle",
        level=FindingSeverity.ERROR,
        title="the build will fail" if obstacle.refused else "not measured as it is",
        text=obstacle.text,
        fix=obstacle.fix,
        subject="",
        origin=obstacle.origin,
    )


def _of_finding(finding: Finding) -> Remark:
    return Remark(
        code=finding.code,
        level=finding.severity,
        title=f"{finding.subject}: {finding.code}",
        text=finding.sentence,
        fix=finding.fix,
        subject=finding.subject,
        origin=finding.origin,
    )
