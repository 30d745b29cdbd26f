"""A team's own rules held against a report: single packages, denied ones, what a change adds.

The same rule as in budget.py decides: PASS when even the high end of a figure is within, FAIL when
even its low end is beyond, UNKNOWN between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import floor

from packaging.specifiers import SpecifierSet

from slugcheck.model import (
    Audit,
    Change,
    CountLimit,
    Denied,
    Difference,
    DistributionSize,
    Estimate,
    IncreaseLimit,
    PackageLimit,
    Report,
    Rules,
    SizeReport,
    Source,
    Status,
    Verdict,
)
from slugcheck.policy.budgets import status_of
from slugcheck.text import Scale, against, scale_for

_NAMED = 3
_NO_BASE = "not judged, since there is nothing to compare with (--against)"


def of_packages(rules: Rules, sizes: SizeReport) -> tuple[Verdict, ...]:
    """Return the verdicts on single distributions: those with a budget, and those denied."""
    verdicts = [_of_package(limit, sizes) for limit in rules.packages]
    if rules.denied:
        verdicts.append(_of_denied(rules.denied, sizes))
    return tuple(verdicts)


def of_audit(
    rules: Rules, audit: Audit | None, count: int, *, accepted: Callable[[str], bool]
) -> tuple[Verdict, ...]:
    """Return the verdict on known vulnerabilities, of which ``count`` are not ignored.

    An audit that was asked for and did not run cannot be judged, whatever the budget. ``accepted``
    says of a distribution that nobody need know about it.
    """
    limit = rules.vulnerabilities
    source = limit.source if limit else Source(text="asked for with --audit", date="")
    most, text = (limit.value, limit.text) if limit else (0, "none")
    if audit is None:
        return (_not_asked(limit),) if limit else ()
    if audit.problem is not None:
        said = f"not audited: {audit.problem}"
        found = _verdict("vulnerabilities", Status.UNKNOWN, None, most, text, said, source)
        return (replace(found, unit="count"),)
    if limit is None:
        return ()
    open_ones = [one.name for one in audit.unaudited if not accepted(one.name)]
    status = status_of(Estimate[int].measured(count), most, open_ended=bool(open_ones))
    said = f"{count} known, and {most} may be"
    if status is Status.FAIL:
        said = _with(said, limit.message)
    elif open_ones:
        said = f"{said}; {len(open_ones)} could not be audited: {', '.join(open_ones[:_NAMED])}"
    figure = Estimate[int].measured(count)
    found = _verdict("vulnerabilities", status, figure, most, text, said, source)
    return (replace(found, unit="count"),)


def _not_asked(limit: CountLimit) -> Verdict:
    said = "not judged, since nothing was audited (--audit)"
    found = _verdict(
        "vulnerabilities", Status.UNKNOWN, None, limit.value, limit.text, said, limit.source
    )
    return replace(found, unit="count", gates=False)


def with_increase(report: Report, rules: Rules, difference: Difference | None) -> Report:
    """Return the report with what it adds to its base, judged; ``None``: there is no base."""
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
    one = next((d for d in sizes.distributions if d.name == limit.name), None)
    unsized = any(u.name == limit.name for u in sizes.unsized)
    figure = _figure_of(one, limit.figure) if one else Estimate[int].measured(0)
    status = Status.UNKNOWN if unsized and not one else status_of(figure, limit.value)
    if one is None:
        sentence = "could not be sized" if unsized else "it is not among the distributions"
    else:
        sentence = _size_sentence(figure, limit.value, status, limit.figure, limit.message)
    name = f"package.{limit.name}"
    found = _verdict(name, status, figure, limit.value, limit.text, sentence, limit.source)
    return replace(found, subject=limit.name)


def _figure_of(one: DistributionSize, figure: str) -> Estimate[int]:
    return one.slug if figure == "slug" else one.installed


def _size_sentence(
    figure: Estimate[int], limit: int, status: Status, what: str, message: str
) -> str:
    scale = scale_for(figure.value, limit)
    shown, cap = against(figure.value, limit)
    if status is Status.PASS:
        return f"{shown} {what} of {cap}, {scale.down(limit - figure.value)} left"
    if status is Status.UNKNOWN:
        span = f"between {scale.down(figure.low)} and {scale.up(figure.high)}"
        return f"{shown} {what} of {cap} is too close to call: {span}"
    return _with(f"{shown} {what} is {scale.up(figure.value - limit)} over {cap}", message)


def _of_denied(denied: Iterable[Denied], sizes: SizeReport) -> Verdict:
    rules = tuple(denied)
    found = [(rule, d) for d in sizes.distributions for rule in rules if _matches(rule, d)]
    unsized = [u for u in sizes.unsized for rule in rules if rule.name == u.name]
    if found:
        status, sentence = Status.FAIL, "; ".join(_denied_sentence(*pair) for pair in found)
    elif unsized:
        names = ", ".join(dict.fromkeys(one.name for one in unsized))
        status, sentence = Status.FAIL, f"{names} is denied, and could not be sized"
    else:
        status = Status.PASS
        sentence = f"none of {', '.join(f'{one.name}{one.specifier}' for one in rules)}"
    figure = Estimate[int].measured(len(found) + len(unsized))
    source = Source(text=f"given with {rules[0].place}", date="")
    found_one = _verdict("deny", status, figure, 0, "none", sentence, source)
    subject = found[0][1].name if found else ""
    return replace(found_one, unit="count", subject=subject)


def _matches(rule: Denied, one: DistributionSize) -> bool:
    if one.name != rule.name:
        return False
    return SpecifierSet(rule.specifier, prereleases=True).contains(one.distribution.version)


def _denied_sentence(rule: Denied, one: DistributionSize) -> str:
    cause = [] if one.distribution.direct else [*one.required_by[:_NAMED]]
    by = f", needed by {', '.join(cause)}," if cause else ""
    return _with(f"{one.name} {one.distribution.version}{by} is denied", rule.reason, ": ")


# --------------------------------------------------------------------------- increases


def _increase(
    name: str, limit: IncreaseLimit, difference: Difference | None, *, per_package: bool
) -> Verdict:
    if difference is None:
        found = _verdict(name, Status.UNKNOWN, None, 0, limit.text, _NO_BASE, limit.source)
        return replace(found, gates=False)
    base = difference.base
    if base is None:
        said = f"not judged: {difference.problem}"
        return _verdict(name, Status.UNKNOWN, None, 0, limit.text, said, limit.source)
    before = base.slug_bytes if limit.figure == "slug" else base.installed_bytes
    bounds = [] if limit.value is None else [limit.value]
    bounds += [] if limit.percent is None else [floor(before * limit.percent / 100)]
    most = max(bounds)  # beyond one bound alone is within the other
    grown = _largest(difference, limit.figure) if per_package else _whole(difference, limit.figure)
    status = status_of(grown, most)
    if per_package:
        sentence = _package_sentence(difference, grown, most, status, limit)
    else:
        sentence = _whole_sentence(difference, grown, before, most, status, limit)
    found = _verdict(name, status, grown, most, limit.text, sentence, limit.source)
    return replace(found, subject=_most_added(difference, limit.figure))


def _most_added(difference: Difference, figure: str) -> str:
    grown = [change for change in difference.changes if _of(change, figure) > 0]
    return max(grown, key=lambda change: _of(change, figure)).name if grown else ""


def _whole(difference: Difference, figure: str) -> Estimate[int]:
    by_slug = figure == "slug"
    value = difference.slug_bytes if by_slug else difference.installed_bytes
    doubt = difference.slug_doubt_bytes if by_slug else difference.installed_doubt_bytes
    return Estimate[int].predicted(value, value - doubt, value + doubt)


def _largest(difference: Difference, figure: str) -> Estimate[int]:
    most = max((_of(change, figure) for change in difference.changes), default=0)
    return Estimate[int].measured(max(most, 0))


def _of(change: Change, figure: str) -> int:
    return change.slug_bytes if figure == "slug" else change.installed_bytes


def _whole_sentence(
    difference: Difference,
    grown: Estimate[int],
    before: int,
    most: int,
    status: Status,
    limit: IncreaseLimit,
) -> str:
    scale = scale_for(grown.value, most)
    percent = f" ({100 * grown.value / before:+.1f} %)" if before else ""
    said = f"{limit.figure} {_grows(grown.value, scale)}{percent} against {difference.label}"
    if status is Status.PASS:
        return f"{said}, within {limit.text}"
    blame = _blame(difference, limit.figure, scale)
    if status is Status.UNKNOWN:
        span = f"between {scale.down(grown.low)} and {scale.up(grown.high)}"
        return f"{said}, too close to {limit.text} to call: {span}{blame}"
    return _with(f"{said}, more than {limit.text}{blame}", limit.message)


def _package_sentence(
    difference: Difference, grown: Estimate[int], most: int, status: Status, limit: IncreaseLimit
) -> str:
    scale = scale_for(grown.value, most)
    if status is Status.PASS:
        return f"no distribution adds more than {limit.text} against {difference.label}"
    over = [change for change in difference.changes if _of(change, limit.figure) > most]
    names = ", ".join(f"{c.name} {scale.up(_of(c, limit.figure))}" for c in over[:_NAMED])
    more = f" and {len(over) - _NAMED} more" if len(over) > _NAMED else ""
    said = f"{names}{more}: more {limit.figure} than {limit.text} against {difference.label}"
    return _with(said, limit.message)


def _grows(value: int, scale: Scale) -> str:
    if not value:
        return "does not change"
    return f"grows by {scale.up(value)}" if value > 0 else f"shrinks by {scale.down(-value)}"


def _blame(difference: Difference, figure: str, scale: Scale) -> str:
    """Name what adds most."""
    found = [(c.name, _of(c, figure)) for c in difference.changes]
    by_slug = figure == "slug"
    found += [(p.name, p.slug_bytes if by_slug else p.installed_bytes) for p in difference.parts]
    grown = sorted(((name, size) for name, size in found if size > 0), key=lambda one: -one[1])
    if not grown:
        return ""
    shown = ", ".join(f"{name} {scale.up(size)}" for name, size in grown[:_NAMED])
    more = f" and {len(grown) - _NAMED} more" if len(grown) > _NAMED else ""
    return f"; it comes from {shown}{more}"


# --------------------------------------------------------------------------- values


def _with(sentence: str, message: str, between: str = ". ") -> str:
    return f"{sentence}{between}{message}" if message else sentence


def _verdict(
    name: str,
    status: Status,
    figure: Estimate[int] | None,
    limit: int,
    text: str,
    sentence: str,
    source: Source,
) -> Verdict:
    return Verdict(
        budget=name, status=status, gates=True, figure=figure, limit=limit, unit="bytes",
        limit_text=text, sentence=sentence, source=source,
    )  # fmt: skip
