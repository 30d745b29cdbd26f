"""Findings that a project's settings ignore: listed apart with their reason, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from packaging.utils import canonicalize_name

from slugcheck.model import Finding, Ignore, Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Open findings, ignored ones, and notes on the rules themselves."""

    kept: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    notes: tuple[str, ...]


def sort(findings: Iterable[Finding], rules: Sequence[Ignore], today: date) -> Sorted:
    """Sort findings by the rules in force on a day; expired and unused rules become notes."""
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
        f"{rule.place}: {_shown(rule)} is no longer ignored: the rule expired on "
        f"{rule.expires.isoformat()} ({rule.reason})"
        for rule in expired
    ]
    notes += [
        f"{rule.place}: unused ignore rule: {_shown(rule)}" for rule in rules if rule not in used
    ]
    return Sorted(kept=tuple(kept), ignored=tuple(ignored), notes=tuple(notes))


def _matches(rule: Ignore, finding: Finding) -> bool:
    if rule.code != finding.code and rule.code not in finding.ids:
        return False
    wanted = rule.subject
    return wanted is None or canonicalize_name(wanted) == canonicalize_name(finding.subject)


def _shown(rule: Ignore) -> str:
    return f"{rule.code} of {rule.subject}" if rule.subject else rule.code
