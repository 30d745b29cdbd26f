"""What gates: findings less the ignored ones, packages denied or limited, increases over a base.

Ignored findings are listed apart with their reason, never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import floor

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from slugcheck.model import (
    Audit,
    BaseTotals,
    Change,
    CountLimit,
    Denied,
    Difference,
    DistributionSize,
    Estimate,
    Finding,
    Ignore,
    Ignored,
    IncreaseLimit,
    PackageLimit,
    PartChange,
    Report,
    Rules,
    SizeReport,
    Source,
    Status,
    Verdict,
)
from slugcheck.policy import budgets
from slugcheck.policy.budgets import status_of, with_message
from slugcheck.text import Scale, listed, plural, scale_for

_NAMED = 3
_NO_BASE = "not judged: no base to compare with (--against)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedFindings:
    """Open findings, ignored ones, and notes on the rules themselves."""

    kept: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    notes: tuple[str, ...]


def sort_ignored(
    findings: Iterable[Finding], rules: Sequence[Ignore], today: date
) -> SortedFindings:
    """Sort findings by the rules in force on a day; expired and unused rules become notes."""
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    used: set[Ignore] = set()
    expired: dict[Ignore, None] = {}
    for finding in findings:
        matching = [rule for rule in rules if _ignores(rule, finding)]
        used |= set(matching)
        rule = next((rule for rule in matching if today <= rule.expires), None)
        if rule is None:
            kept.append(finding)
            expired |= dict.fromkeys(matching)
        else:
            until = rule.expires.isoformat()
            ignored.append(Ignored(finding=finding, reason=rule.reason, expires=until))
    notes = [
        f"{rule.place}: {_shown(rule)} is no longer ignored: the rule expired on "
        f"{rule.expires.isoformat()} ({rule.reason})"
        for rule in expired
    ]
    notes += [
        f"{rule.place}: unused ignore rule: {_shown(rule)}" for rule in rules if rule not in used
    ]
    return SortedFindings(kept=tuple(kept), ignored=tuple(ignored), notes=tuple(notes))


def _ignores(rule: Ignore, finding: Finding) -> bool:
    if rule.code != finding.code and rule.code not in finding.ids:
        return False
    wanted = rule.subject
    return wanted is None or canonicalize_name(wanted) == canonicalize_name(finding.subject)


def _shown(rule: Ignore) -> str:
    return f"{rule.code} of {rule.subject}" if rule.subject else rule.code


# --------------------------------------------------------------------------- verdicts


def of_packages(rules: Rules, sizes: SizeReport) -> tuple[Verdict, ...]:
    """Return the verdicts on packages with a limit of their own, and on denied packages."""
    verdicts = [_of_package(limit, sizes) for limit in rules.packages]
    if rules.denied:
        verdicts.append(_of_denied(rules.denied, sizes))
    return tuple(verdicts)


def of_audit(
    rules: Rules, audit: Audit | None, count: int, *, accepted: Callable[[str], bool]
) -> tuple[Verdict, ...]:
    """Return the verdict on known vulnerabilities, of which ``count`` are not ignored.

    A requested audit that failed gives UNKNOWN, whatever the limit. ``accepted`` tells whether a
    distribution may stay unaudited.
    """
    limit = rules.vulnerabilities
    source = limit.source if limit else Source(text="requested with --audit", date="")
    most, text = (limit.value, limit.text) if limit else (0, "none")
    if audit is None:
        return (_without_audit(limit),) if limit else ()
    if audit.problem is not None:
        sentence = f"not audited: {audit.problem}"
        status, figure = Status.UNKNOWN, None
        return (
            _verdict("vulnerabilities", status, figure, most, text, sentence, source, unit="count"),
        )
    if limit is None:
        return ()
    unaudited = [package.name for package in audit.unaudited if not accepted(package.name)]
    figure = Estimate[int].measured(count)
    status = status_of(figure, most, open_ended=bool(unaudited))
    known = plural(count, "known vulnerability", "known vulnerabilities")
    sentence = f"{known}; {most} allowed"
    if status is Status.FAIL:
        sentence = with_message(sentence, limit.message)
    elif unaudited:
        sentence = f"{sentence}; could not audit {listed(unaudited, _NAMED)}"
    return (
        _verdict("vulnerabilities", status, figure, most, text, sentence, source, unit="count"),
    )


def _without_audit(limit: CountLimit) -> Verdict:
    sentence = "not judged: nothing was audited (--audit)"
    return _verdict(
        "vulnerabilities", Status.UNKNOWN, None, limit.value, limit.text, sentence, limit.source,
        unit="count", gates=False,
    )  # fmt: skip


def with_increase(report: Report, rules: Rules, difference: Difference | None) -> Report:
    """Return the report with its difference from the base, judged; None: there is no base."""
    verdicts = [
        _increase(name, limit, difference, per_package=per_package)
        for name, limit, per_package in (
            ("increase", rules.increase, False),
            ("package_increase", rules.package_increase, True),
        )
        if limit is not None
    ]
    return replace(report, difference=difference, verdicts=(*report.verdicts, *verdicts))


# --------------------------------------------------------------------------- packages


def _of_package(limit: PackageLimit, sizes: SizeReport) -> Verdict:
    package = next((d for d in sizes.distributions if d.name == limit.name), None)
    unsized = any(u.name == limit.name for u in sizes.unsized)
    figure = _figure_of(package, limit.figure) if package else Estimate[int].measured(0)
    status = Status.UNKNOWN if unsized and not package else status_of(figure, limit.value)
    if package is None:
        sentence = "could not be sized" if unsized else "not installed"
    else:
        sentence = budgets.size_sentence(
            figure, limit.value, status, figure_name=limit.figure, message=limit.message
        )
    name = f"package.{limit.name}"
    return _verdict(
        name, status, figure, limit.value, limit.text, sentence, limit.source, subject=limit.name
    )


def _figure_of(package: DistributionSize, figure: str) -> Estimate[int]:
    return {"slug": package.slug, "bundle": package.bundle}.get(figure, package.installed)


def _of_denied(denied: Iterable[Denied], sizes: SizeReport) -> Verdict:
    rules = tuple(denied)
    matches = [(rule, d) for d in sizes.distributions for rule in rules if _matches(rule, d)]
    unsized = [u for u in sizes.unsized for rule in rules if rule.name == u.name]
    if matches:
        status, sentence = Status.FAIL, "; ".join(_denied_sentence(*pair) for pair in matches)
    elif unsized:
        names = ", ".join(dict.fromkeys(package.name for package in unsized))
        status, sentence = Status.FAIL, f"{names} is denied and could not be sized"
    else:
        status = Status.PASS
        sentence = f"not installed: {', '.join(f'{rule.name}{rule.specifier}' for rule in rules)}"
    figure = Estimate[int].measured(len(matches) + len(unsized))
    source = Source(text=f"set by {rules[0].place}", date="")
    subject = matches[0][1].name if matches else ""
    return _verdict(
        "deny", status, figure, 0, "none", sentence, source, unit="count", subject=subject
    )


def _matches(rule: Denied, package: DistributionSize) -> bool:
    if package.name != rule.name:
        return False
    return SpecifierSet(rule.specifier, prereleases=True).contains(package.distribution.version)


def _denied_sentence(rule: Denied, package: DistributionSize) -> str:
    parents = () if package.distribution.direct else package.required_by[:_NAMED]
    by = f" (required by {', '.join(parents)})" if parents else ""
    version = package.distribution.version
    return with_message(f"{package.name} {version}{by} is denied", rule.reason, ": ")


# --------------------------------------------------------------------------- increases


def _increase(
    name: str, limit: IncreaseLimit, difference: Difference | None, *, per_package: bool
) -> Verdict:
    if difference is None:
        return _verdict(
            name, Status.UNKNOWN, None, 0, limit.text, _NO_BASE, limit.source, gates=False
        )
    base = difference.base
    if base is None:
        problem = f"not judged: {difference.problem}"
        return _verdict(name, Status.UNKNOWN, None, 0, limit.text, problem, limit.source)
    before = _bytes(base, limit.figure)
    bounds = [] if limit.value is None else [limit.value]
    bounds += [] if limit.percent is None else [floor(before * limit.percent / 100)]
    most = max(bounds)  # an increase fails only when it is over both bounds
    grown = _largest(difference, limit.figure) if per_package else _whole(difference, limit.figure)
    status = status_of(grown, most)
    if per_package:
        sentence = _package_sentence(difference, grown, most, status, limit)
    else:
        sentence = _whole_sentence(difference, grown, before, most, status, limit)
    return _verdict(
        name, status, grown, most, limit.text, sentence, limit.source,
        subject=_largest_contributor(difference, limit.figure),
    )  # fmt: skip


def _largest_contributor(difference: Difference, figure: str) -> str:
    grown = [change for change in difference.changes if _bytes(change, figure) > 0]
    return max(grown, key=lambda change: _bytes(change, figure)).name if grown else ""


def _whole(difference: Difference, figure: str) -> Estimate[int]:
    doubts = {
        "slug": difference.slug_doubt_bytes, "bundle": difference.bundle_doubt_bytes,
        "installed": difference.installed_doubt_bytes,
    }  # fmt: skip
    value, doubt = _bytes(difference, figure), doubts[figure]
    return Estimate[int].predicted(value, value - doubt, value + doubt)


def _largest(difference: Difference, figure: str) -> Estimate[int]:
    most = max((_bytes(change, figure) for change in difference.changes), default=0)
    return Estimate[int].measured(max(most, 0))


def _bytes(sums: BaseTotals | Change | Difference | PartChange, figure: str) -> int:
    return {"slug": sums.slug_bytes, "bundle": sums.bundle_bytes}.get(figure, sums.installed_bytes)


def _whole_sentence(
    difference: Difference,
    grown: Estimate[int],
    before: int,
    most: int,
    status: Status,
    limit: IncreaseLimit,
) -> str:
    scale = scale_for(grown.value, most)
    percent = f" ({100 * grown.value / before:+.1f} %)" if before and grown.value else ""
    growth = f"{limit.figure} {_grows(grown.value, scale)}{percent} against {difference.label}"
    if status is Status.PASS:
        return f"{growth}, within {limit.text}"
    contributors = _contributors(difference, limit.figure, scale)
    if status is Status.UNKNOWN:
        span = budgets.interval_sentence(scale.down(grown.low), scale.up(grown.high))
        return f"{growth}, too close to {limit.text} to call: {span}{contributors}"
    return with_message(f"{growth}, over {limit.text}{contributors}", limit.message)


def _package_sentence(
    difference: Difference, grown: Estimate[int], most: int, status: Status, limit: IncreaseLimit
) -> str:
    scale = scale_for(grown.value, most)
    if status is Status.PASS:
        return f"no package adds more than {limit.text} against {difference.label}"
    over = [change for change in difference.changes if _bytes(change, limit.figure) > most]
    names = listed([f"{c.name} {scale.up(_bytes(c, limit.figure))}" for c in over], _NAMED)
    sentence = f"{limit.figure} over {limit.text} against {difference.label}: {names}"
    return with_message(sentence, limit.message)


def _grows(value: int, scale: Scale) -> str:
    if not value:
        return "does not change"
    return f"grows by {scale.up(value)}" if value > 0 else f"shrinks by {scale.down(-value)}"


def _contributors(difference: Difference, figure: str, scale: Scale) -> str:
    """Name what adds most."""
    added = [(c.name, _bytes(c, figure)) for c in difference.changes]
    added += [(p.name, _bytes(p, figure)) for p in difference.parts]
    grown = sorted(((name, size) for name, size in added if size > 0), key=lambda pair: -pair[1])
    if not grown:
        return ""
    least = grown[0][1] / 100  # beside the largest, less says nothing
    names = listed([f"{name} {scale.up(size)}" for name, size in grown if size >= least], _NAMED)
    return f"; largest contributors: {names}"


def _verdict(
    name: str,
    status: Status,
    figure: Estimate[int] | None,
    limit: int,
    text: str,
    sentence: str,
    source: Source,
    *,
    unit: str = "bytes",
    gates: bool = True,
    subject: str = "",
) -> Verdict:
    return Verdict(
        budget=name, status=status, gates=gates, figure=figure, limit=limit, unit=unit,
        subject=subject,
        limit_text=text, sentence=sentence, source=source,
    )  # fmt: skip
