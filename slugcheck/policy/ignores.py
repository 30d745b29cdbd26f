"""Findings that a project's settings ignore: set aside with their reason, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from packaging.utils import canonicalize_name

from slugcheck.model import Finding, Ignore, Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The findings that count, those that are ignored, and notes on the rules themselves."""

    kept: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    notes: tuple[str, ...]


def sort(findings: Iterable[Finding], rules: Sequence[Ignore], today: date) -> Sorted:
    """Return the findings by what the rules say of them on a day.

    A rule that has expired ignores nothing, and one that nothing answers to is told.
    """
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    used: set[Ignore] = set()
    expired: dict[Ignore, None] = {}
    for finding in findings:
        matching = [rule for rule in rules if _matches(rule, finding)]
        used |= set(matching)
        rule = next((rule for rule in matching if today <= rule.expires), None)
        if rule is None:
            kept.append(finding)
            expired |= dict.fromkeys(matching)
        else:
            until = rule.expires.isoformat()
            ignored.append(Ignored(finding=finding, reason=rule.reason, expires=until))
    notes = [
        f"{rule.place}: {_shown(rule)} is not ignored any more, since {rule.expires.isoformat()} "
        f"has passed ({rule.reason})"
        for rule in expired
    ]
    notes += [
        f"{rule.place}: nothing here is {_shown(rule)}, so the entry can go"
        for rule in rules
        if rule not in used
    ]
    return Sorted(kept=tuple(kept), ignored=tuple(ignored), notes=tuple(notes))


def _matches(rule: Ignore, finding: Finding) -> bool:
    if rule.code != finding.code and rule.code not in finding.ids:
        return False
    wanted = rule.subject
    return wanted is None or canonicalize_name(wanted) == canonicalize_name(finding.subject)


def _shown(rule: Ignore) -> str:
    return f"{rule.code} of {rule.subject}" if rule.subject else rule.code
