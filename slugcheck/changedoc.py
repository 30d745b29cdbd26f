"""The parts of a report's document that are about its base, and about its audit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from slugcheck.credentials import without_credentials
from slugcheck.model import Audit, Change, Difference

Json = dict[str, Any]


def against(found: Difference | None) -> Json:
    """Return the base and what changed against it; both are null and empty without one."""
    if found is None:
        return {"base": None, "changes": []}
    base = {
        "label": found.label,
        "totals": asdict(found.base) if found.base else None,
        "problem": without_credentials(found.problem) if found.problem else None,
        "installed_bytes": found.installed_bytes if found.base else None,
        "installed_doubt_bytes": found.installed_doubt_bytes if found.base else None,
        "slug_bytes": found.slug_bytes if found.base else None,
        "slug_doubt_bytes": found.slug_doubt_bytes if found.base else None,
        "parts": [asdict(part) for part in found.parts],
        "notes": [without_credentials(note) for note in found.notes],
    }
    return {"base": base, "changes": [_change(one) for one in found.changes]}


def _change(one: Change) -> Json:
    percent = None if one.percent is None else round(one.percent, 3)
    more = {"kind": str(one.kind), "percent": percent, "because": list(one.because)}
    return asdict(one) | more


def audit(found: Audit | None) -> Json | None:
    """Return the audit; null where none was asked for."""
    if found is None:
        return None
    return {
        "service": found.service,
        "problem": found.problem,
        "audited": found.audited,
        "unaudited": [asdict(one) for one in found.unaudited],
        "vulnerabilities": [
            asdict(one) | {"aliases": list(one.aliases), "fixed_versions": list(one.fixed_versions)}
            for one in found.vulnerabilities
        ],
    }
