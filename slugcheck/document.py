"""Report to JSON: versioned, keys sorted, sizes as int bytes, seconds as float.

``saved`` reads it back and says which schema is in force. Schema history:

1. the first.

Everything but ``transfer`` follows from the file, the target, the index and slugcheck's version; a
distribution's ``via`` says how its wheel was read, which a cache changes. Artefacts are named by
filename, never by URL. Text is escaped to ASCII, so that a document is safe in any log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from slugcheck import changedoc, wholedoc
from slugcheck.credentials import without_credentials
from slugcheck.model import (
    Basis,
    DistributionSize,
    Estimate,
    Finding,
    Kind,
    Origin,
    Part,
    Report,
    RootSize,
    SizeReport,
    SourceBuild,
    Unsized,
    Verdict,
)
from slugcheck.saved import SCHEMA, Document, loads

Json = dict[str, Any]


def dumps(report: Report) -> str:
    """Return a report as JSON text."""
    return json.dumps(to_document(report), indent=2, sort_keys=True, allow_nan=False)


def as_saved(report: Report, label: str) -> Document:
    """Return a report as it would be read back, so that saved and new ones are treated alike."""
    return loads(dumps(report), label)


def to_document(report: Report) -> Json:
    """Return a report as plain values: dict, list, str, int, float, bool and None."""
    sizes = report.sizes
    return {
        "schema": SCHEMA,
        "tool": {"name": "slugcheck", "version": report.tool_version},
        "subject": wholedoc.subject(report),
        "target": _target(sizes),
        "requirements": [
            {"name": one.name, "text": without_credentials(one.text), "origin": _origin(one.origin)}
            for one in report.requirements
        ],
        "totals": _totals(report),
        "distributions": [_distribution(one, sizes) for one in sizes.distributions],
        "roots": [_root(root) for root in sizes.roots],
        "parts": [_part(part) for part in sizes.parts],
        "app": wholedoc.app(report.app),
        "models": [wholedoc.model(one) for one in report.models],
        "storage": [wholedoc.storage(option) for option in report.storage],
        "verify": wholedoc.verification(report.verification),
        "overlaps": [
            asdict(overlap) | {"names": list(overlap.names)} for overlap in sizes.overlaps
        ],
        "unsized": [_unsized(one, report) for one in sizes.unsized],
        "verdicts": [_verdict(verdict) for verdict in report.verdicts],
        "findings": [_finding(finding) for finding in report.findings],
        "ignored": [
            _finding(one.finding) | {"reason": one.reason, "expires": one.expires}
            for one in report.ignored
        ],
        **changedoc.against(report.difference),
        "audit": changedoc.audit(report.audit),
        "assumptions": list(report.assumptions),
        "notes": [without_credentials(note) for note in report.notes],
        "transfer": asdict(sizes.transfer) | {"seconds": round(report.seconds, 3)},
    }


# --------------------------------------------------------------------------- totals


def _target(sizes: SizeReport) -> Json:
    target = sizes.target
    return {
        "platform": target.platform.name,
        "title": target.platform.title,
        "size_figure": target.platform.size_figure,
        "stack": target.stack.name,
        "glibc": "{}.{}".format(*target.stack.glibc),
        "python": target.minor,
        "python_full": target.python_version,
        "python_origin": target.python_origin,
        "arch": target.stack.arch,
        "dyno": target.dyno.name if target.dyno else None,
    }


def _totals(report: Report) -> Json:
    sizes = report.sizes
    return {
        "distributions": len(sizes.distributions),
        "files": sizes.files,
        "download_bytes": sizes.download_bytes,
        "installed_bytes": sizes.plain_bytes + sizes.bytecode_bytes,
        "bytecode_bytes": sizes.bytecode_bytes,
        "dependencies_slug_bytes": sizes.dependencies_slug_bytes,
        "runtime_bytes": sizes.group_bytes("runtime"),
        "runtime_slug_bytes": sizes.group_slug_bytes("runtime"),
        "app_bytes": sizes.group_bytes("app"),
        "app_slug_bytes": sizes.group_slug_bytes("app"),
        "model_bytes": sizes.group_bytes("models"),
        "model_slug_bytes": sizes.group_slug_bytes("models"),
        "by_kind": _by_kind(sizes.distributions),
        **wholedoc.interval("all_installed", sizes.installed),
        **wholedoc.interval("slug", sizes.slug),
        # only the platform's own runtime is still predicted where the rest was measured
        "basis": str(Basis.MEASURED if report.verification else sizes.slug.basis),
    }


def _by_kind(distributions: Iterable[DistributionSize]) -> dict[str, int]:
    rows = tuple(distributions)
    return {str(kind): sum(one.by_kind.get(kind, 0) for one in rows) for kind in Kind}


# --------------------------------------------------------------------------- sizes


def _distribution(one: DistributionSize, sizes: SizeReport) -> Json:
    distribution = one.distribution
    alone = {root.name: root.exclusive_bytes for root in sizes.roots}
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
        **wholedoc.interval("installed", one.installed),
        "exclusive_bytes": alone.get(one.name),
        **wholedoc.interval("bytecode", one.bytecode),
        **wholedoc.interval("slug", one.slug),
        "files": one.files,
        "bytecode_files": one.bytecode_files,
        "by_kind": _by_kind([one]),
        "via": one.via,
        "basis": str(one.basis),
        "plain_basis": str(one.plain.basis),
        "source_build": _source_build(distribution.source_build),
    }


def _source_build(build: SourceBuild | None) -> Json | None:
    return None if build is None else asdict(build) | {"notes": list(build.notes)}


def _root(root: RootSize) -> Json:
    return {
        "name": root.name,
        "exclusive_bytes": root.exclusive_bytes,
        "shared_bytes": root.shared_bytes,
        "closure_bytes": root.closure_bytes,
        "exclusive_slug_bytes": root.exclusive_slug_bytes,
        "shared_slug_bytes": root.shared_slug_bytes,
        "exclusive": list(root.exclusive_names),
    }


def _part(part: Part) -> Json:
    return {
        "name": part.name,
        "group": part.group,
        **wholedoc.interval("installed", part.installed),
        **wholedoc.interval("slug", part.slug),
        "basis": str(part.slug.basis),
        "note": part.note,
    }


def _unsized(one: Unsized, report: Report) -> Json:
    return {
        "name": without_credentials(one.name),
        "version": one.version,
        "reason": without_credentials(one.reason),
        "origin": _origin(one.origin),
        "allowed": one.name in report.allowed_unsized,
    }


def _origin(origin: Origin | None) -> Json | None:
    return None if origin is None else asdict(origin)


# --------------------------------------------------------------------------- judgement


def _verdict(verdict: Verdict) -> Json:
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
        "subject": verdict.subject,
    }


def _number(value: float) -> int | float:
    return value if isinstance(value, int) else round(value, 3)


def _finding(finding: Finding) -> Json:
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "subject": finding.subject,
        "sentence": without_credentials(finding.sentence),
        "fix": without_credentials(finding.fix),
        "saves_bytes": finding.saves_bytes,
        "saves_slug_bytes": finding.saves_slug_bytes,
        "origin": _origin(finding.origin),
        "ids": list(finding.ids),
    }
