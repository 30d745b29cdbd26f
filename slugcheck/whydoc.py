"""The answer to ``slugcheck why`` as JSON: the stable names of a report, and what is its own."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from slugcheck import document
from slugcheck.credentials import without_credentials
from slugcheck.model import (
    Brings,
    FileLine,
    Freed,
    MeasuredSaving,
    Need,
    Origin,
    Remedy,
    RootPaths,
    Standing,
    Why,
)
from slugcheck.wholedoc import interval

Json = dict[str, Any]


def dumps(why: Why) -> str:
    """Return the answer as JSON text."""
    text = json.dumps(to_document(why), indent=2, sort_keys=True, allow_nan=False)
    return without_credentials(text)  # blanks end what it takes out, so never more than a string


def to_document(why: Why) -> Json:
    """Return the answer as plain values."""
    report = document.to_document(why.report)
    found = [one for one in report["distributions"] if one["name"] == why.name]
    return {
        "schema": report["schema"],
        "tool": report["tool"],
        "subject": report["subject"],
        "target": report["target"],
        "totals": report["totals"],
        "transfer": report["transfer"],
        "name": why.name,
        "extras": list(why.asked_extras),
        "standing": str(why.standing),
        "distribution": found[0] if found else None,
        "unsized": _unsized(why),
        "needs": [_need(one) for one in why.needs],
        "roots": [_root(root) for root in why.roots],
        "brings": _brings(why.brings),
        "remedies": [_remedy(one) for one in why.remedies],
        "findings": [
            shown
            for finding, shown in zip(why.report.findings, report["findings"], strict=True)
            if finding in why.findings
        ],
        "notes": list(why.notes),
    }


def _unsized(why: Why) -> Json | None:
    if why.standing is not Standing.UNSIZED or why.unsized is None:
        return None
    one = why.unsized
    return {
        "version": one.version,
        "reason": one.reason,
        "origin": _origin(one.origin),
    }


def _need(one: Need) -> Json:
    return {
        "by": one.by or None,
        "version": one.version or None,
        "extra": one.extra or None,
        "asks": one.asks,
        "lines": list(one.lines),
        "origin": _origin(one.origin),
        "unmet": one.unmet or None,
    }


def _root(root: RootPaths) -> Json:
    return {
        "name": root.name,
        "version": root.version or None,
        "lines": [_line(line) for line in root.lines],
        "paths": [list(path) for path in root.paths],
        "more_paths": root.more_paths,
    }


def _line(line: FileLine) -> Json:
    return {"text": line.text, "origin": _origin(line.origin)}


def _origin(origin: Origin | None) -> Json | None:
    return asdict(origin) if origin is not None else None


def _brings(brings: Brings | None) -> Json | None:
    if brings is None:
        return None
    return {
        "exclusive": [one.name for one in brings.exclusive],
        "shared": [one.name for one in brings.shared],
        "unsized": list(brings.unsized),
        "freed": _freed(brings.freed),
    }


def _freed(freed: Freed) -> Json:
    return asdict(freed) | {"names": list(freed.names)}


def _remedy(one: Remedy) -> Json:
    return {
        "kind": str(one.kind),
        "roots": list(one.roots),
        "before": [_line(line) for line in one.before],
        "after": [_line(line) for line in one.after],
        "graph": _freed(one.graph) if one.graph is not None else None,
        **_outcome(one),
    }


def _outcome(one: Remedy) -> Json:
    found = one.outcome
    if not isinstance(found, MeasuredSaving):
        return {
            "measured": None,
            "tried": found.tried,
            "reason": found.reason,
        }
    measured = {
        "saves_installed_bytes": found.installed_bytes,
        "saves_slug_bytes": found.slug_bytes,
        "installed_doubt_bytes": found.installed_doubt_bytes,
        "slug_doubt_bytes": found.slug_doubt_bytes,
        "left_version": found.left,
        "changes": [
            asdict(change) | {"because": list(change.because), "kind": str(change.kind)}
            for change in found.changes
        ],
        "unsized_gone": list(found.unsized_gone),
        **interval("all_installed", found.installed),
        **interval("slug", found.slug),
    }
    return {"measured": measured, "tried": True, "reason": None}
