"""Report to JSON: versioned, keys sorted, sizes as int bytes, seconds as float.

Schema history:

1. the first.

Everything but ``transfer`` depends on the file, the target, the index and slugcheck's version only.
Artefacts are named by filename, never by URL, which may hold credentials.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slugcheck.errors import UsageError
from slugcheck.model import (
    DistributionSize,
    Estimate,
    Finding,
    Origin,
    Part,
    Report,
    SizeReport,
    Verdict,
)

SCHEMA = 1


def dumps(report: Report) -> str:
    """Return a report as JSON text."""
    document = to_document(report)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)


def to_document(report: Report) -> dict[str, Any]:
    """Return a report as plain values."""
    sizes = report.sizes
    return {
        "schema": SCHEMA,
        "tool": {"name": "slugcheck", "version": report.tool_version},
        "subject": {"path": report.path, "kind": report.kind, "sha256": report.sha256},
        "target": _target(sizes),
        "totals": _totals(sizes),
        "distributions": [_distribution(one, sizes) for one in sizes.distributions],
        "roots": [
            {
                "name": root.name,
                "exclusive_bytes": root.exclusive_bytes,
                "shared_bytes": root.shared_bytes,
                "closure_bytes": root.closure_bytes,
                "exclusive_slug_bytes": root.exclusive_slug_bytes,
                "shared_slug_bytes": root.shared_slug_bytes,
                "exclusive": list(root.exclusive_names),
            }
            for root in sizes.roots
        ],
        "parts": [_part(part) for part in sizes.parts],
        "models": [
            {"path": p.name, "bytes": p.installed.value, "slug_bytes": p.slug.value}
            for p in sizes.parts
            if p.group == "models"
        ],
        "overlaps": [
            {
                "names": list(overlap.names),
                "files": overlap.files,
                "bytes": overlap.bytes,
                "slug_bytes": overlap.slug_bytes,
                "example": overlap.example,
            }
            for overlap in sizes.overlaps
        ],
        "unsized": [
            {
                "name": one.name,
                "version": one.version,
                "reason": one.reason,
                "origin": _origin(one.origin),
                "allowed": one.name in report.allowed_unsized,
            }
            for one in sizes.unsized
        ],
        "verdicts": [_verdict(verdict) for verdict in report.verdicts],
        "findings": [_finding(finding) for finding in report.findings],
        "notes": list(report.notes),
        "transfer": {
            "requests": sizes.transfer.requests,
            "bytes": sizes.transfer.bytes,
            "cached": sizes.transfer.cached,
            "seconds": round(report.seconds, 3),
        },
    }


def _target(sizes: SizeReport) -> dict[str, Any]:
    target = sizes.target
    return {
        "platform": target.platform.name,
        "stack": target.stack.name,
        "glibc": "{}.{}".format(*target.stack.glibc),
        "python": target.minor,
        "python_full": target.python_version,
        "python_origin": target.python_origin,
        "arch": target.stack.arch,
        "dyno": target.dyno.name if target.dyno else None,
    }


def _totals(sizes: SizeReport) -> dict[str, Any]:
    runtime = [part for part in sizes.parts if part.group == "runtime"]
    return {
        "distributions": len(sizes.distributions),
        "files": sizes.files,
        "download_bytes": sizes.download_bytes,
        "installed_bytes": sizes.plain_bytes + sizes.bytecode_bytes,
        "bytecode_bytes": sizes.bytecode_bytes,
        "dependencies_slug_bytes": sizes.dependencies_slug_bytes,
        "runtime_bytes": sum(part.installed.value for part in runtime),
        "runtime_slug_bytes": sum(part.slug.value for part in runtime),
        "app_bytes": sizes.group_bytes("app"),
        "model_bytes": sizes.group_bytes("models"),
        "all_installed_bytes": sizes.installed.value,
        "all_installed_low_bytes": sizes.installed.low,
        "all_installed_high_bytes": sizes.installed.high,
        "slug_bytes": sizes.slug.value,
        "slug_low_bytes": sizes.slug.low,
        "slug_high_bytes": sizes.slug.high,
        "basis": str(sizes.slug.basis),
    }


def _distribution(one: DistributionSize, sizes: SizeReport) -> dict[str, Any]:
    distribution = one.distribution
    build = distribution.source_build
    exclusive = {root.name: root.exclusive_bytes for root in sizes.roots}
    return {
        "name": one.name,
        "version": distribution.version,
        "filename": distribution.artifact.filename,
        "sha256": distribution.artifact.sha256,
        "direct": distribution.direct,
        "extras": list(distribution.extras),
        "origins": [_origin(origin) for origin in distribution.origins],
        "required_by": list(one.required_by),
        "download_bytes": one.download_bytes,
        "installed_bytes": one.installed_bytes,
        "bytecode_bytes": one.bytecode.value,
        "bytecode_low_bytes": one.bytecode.low,
        "bytecode_high_bytes": one.bytecode.high,
        "slug_bytes": one.slug.value,
        "slug_low_bytes": one.slug.low,
        "slug_high_bytes": one.slug.high,
        "exclusive_bytes": exclusive.get(one.name),
        "files": one.files,
        "bytecode_files": one.bytecode_files,
        "by_kind": {str(kind): size for kind, size in one.by_kind.items()},
        "via": one.via,
        "basis": str(one.basis),
        "plain_basis": str(one.plain.basis),
        "source_build": None
        if build is None
        else {
            "reason": build.reason,
            "native": build.native,
            "method": build.method,
            "nearest": build.nearest,
            "newest_python_with_wheel": build.newest_python_with_wheel,
        },
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "group": part.group,
        "installed_bytes": part.installed.value,
        "slug_bytes": part.slug.value,
        "slug_low_bytes": part.slug.low,
        "slug_high_bytes": part.slug.high,
        "basis": str(part.slug.basis),
        "note": part.note,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    figure: Estimate[int] | Estimate[float] | None = verdict.figure
    return {
        "budget": verdict.budget,
        "status": str(verdict.status),
        "gates": verdict.gates,
        "measured": _number(figure.value) if figure else None,
        "low": _number(figure.low) if figure else None,
        "high": _number(figure.high) if figure else None,
        "basis": str(figure.basis) if figure else None,
        "limit": verdict.limit,
        "limit_text": verdict.limit_text,
        "unit": verdict.unit,
        "sentence": verdict.sentence,
        "source": verdict.source.text,
        "source_date": verdict.source.date,
    }


def _number(value: float) -> int | float:
    return value if isinstance(value, int) else round(value, 1)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "subject": finding.subject,
        "sentence": finding.sentence,
        "fix": finding.fix,
        "saves_bytes": finding.saves_bytes,
        "saves_slug_bytes": finding.saves_slug_bytes,
        "origin": _origin(finding.origin),
    }


def _origin(origin: Origin | None) -> dict[str, Any] | None:
    return {"file": origin.file, "line": origin.line} if origin else None


# --------------------------------------------------------------------------- reading back


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A saved report, checked for what a comparison needs. ``raw`` is the whole of it."""

    label: str
    target: Mapping[str, Any]
    totals: Mapping[str, Any]
    distributions: tuple[Mapping[str, Any], ...]
    raw: Mapping[str, Any]


def loads(text: str, label: str) -> Document:
    """Read a saved report; ``label`` names it in messages.

    :raises UsageError: it is no report of slugcheck, or of a schema this version does not know.
    """
    try:
        raw = json.loads(text)
    except ValueError:
        raise UsageError(f"{label} is not JSON", hint=_HINT) from None
    if not isinstance(raw, dict) or not isinstance(raw.get("schema"), int):
        raise UsageError(f"{label} is no report of slugcheck", hint=_HINT)
    if raw["schema"] != SCHEMA:
        message = f"{label} has schema {raw['schema']}, and this slugcheck reads {SCHEMA}"
        raise UsageError(message, hint="make it again with this version")
    missing = [key for key, kind in _WANTED.items() if not isinstance(raw.get(key), kind)]
    if missing:
        raise UsageError(f"{label} lacks {', '.join(missing)}", hint=_HINT)
    return Document(
        label=label,
        target=raw["target"],
        totals=raw["totals"],
        distributions=tuple(raw["distributions"]),
        raw=raw,
    )


_HINT = "make one with: slugcheck FILE --format json --output report.json"
_WANTED = {"target": dict, "totals": dict, "distributions": list, "verdicts": list}
