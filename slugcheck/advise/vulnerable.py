"""A finding for each known vulnerability, with the line that mends it."""

from __future__ import annotations

from packaging.version import InvalidVersion

from slugcheck import syntax
from slugcheck.model import Audit, Finding, FindingSeverity, SizeReport, Vulnerability

_SEVERITIES = {
    "critical": FindingSeverity.ERROR,
    "high": FindingSeverity.ERROR,
    "medium": FindingSeverity.WARNING,
    "low": FindingSeverity.INFO,
    "none": FindingSeverity.INFO,
}
CODE = "vulnerability"


def findings(audit: Audit | None, sizes: SizeReport) -> tuple[Finding, ...]:
    """Return the findings; one whose severity nobody gives counts as a warning."""
    return tuple(_finding(one, sizes) for one in audit.vulnerabilities) if audit else ()


def _finding(one: Vulnerability, sizes: SizeReport) -> Finding:
    cves = [alias for alias in one.aliases if alias.startswith("CVE-")]
    also = f" ({', '.join(cves[:2])})" if cves else ""
    grave = f", severity {one.severity}" if one.severity else ", severity not given"
    about = f": {one.summary}" if one.summary else ""
    return Finding(
        code=CODE,
        severity=_SEVERITIES.get(one.severity or "", FindingSeverity.WARNING),
        subject=one.name,
        sentence=f"{one.name} {one.version} has {one.id}{also}{grave}{about}",
        fix=_fix(one, sizes),
        origin=sizes.line_of(one.name),
        ids=(one.id, *one.aliases),
    )


def _fix(one: Vulnerability, sizes: SizeReport) -> str:
    version = _next(one)
    if version is None:
        return f"# no release of {one.name} mends it yet"
    own = next((d for d in sizes.distributions if d.name == one.name), None)
    line = f"{one.name}>={version}"
    if own is None or own.distribution.direct:
        return line
    return f"# {', '.join(own.required_by[:3])} brings it; add the line\n{line}"


def _next(one: Vulnerability) -> str | None:
    """Return the smallest version that mends it and is newer than the present one."""
    try:
        present = syntax.version(one.version)
    except InvalidVersion:
        return next(iter(one.fixed_versions), None)
    newer = []
    for text in one.fixed_versions:
        try:
            version = syntax.version(text)
        except InvalidVersion:
            continue
        if version > present:
            newer.append(version)
    return str(min(newer)) if newer else None
