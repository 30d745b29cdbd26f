"""Saved documents: reports, comparisons, answers of ``why`` and bench results as JSON.

``*_document`` returns plain values and ``*_dumps`` their JSON text: keys sorted, sizes as int
bytes, seconds as float, text escaped to ASCII, so that a document is safe in any log.
``report_loads`` reads a saved report back into the records that comparisons work on, with every
type checked; ``as_saved`` makes the same records from a report. Schema history:

1. the first.

Everything but ``transfer`` follows from the file, the target, the index and slugcheck's version; a
distribution's ``via`` says how its wheel was read, which a cache changes. Artefacts are named by
filename, never by URL.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.model import (
    AppFiles,
    Audit,
    Basis,
    Brings,
    Change,
    Comparison,
    Difference,
    DistributionSize,
    Estimate,
    FileLine,
    Finding,
    Freed,
    Kind,
    MeasuredSaving,
    Migration,
    ModelFile,
    Need,
    Origin,
    Part,
    Project,
    Remedy,
    Report,
    RootPaths,
    RootSize,
    Setup,
    SizeReport,
    SourceBuild,
    Standing,
    StorageOption,
    Unsized,
    Verdict,
    Verification,
    Why,
)
from slugcheck.model.bench import BenchResult, StackResult, Summary
from slugcheck.text import without_credentials

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
Json = dict[str, Any]

SCHEMA = 1
_PREDICTED = ("installed", "plain", "bytecode", "slug", "seconds")
_HINT = "make one with: slugcheck FILE --format json --output report.json"
_BEYOND = 2**63  # no size, no time
_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


def report_dumps(report: Report) -> str:
    """Return a report as JSON text."""
    return json.dumps(report_document(report), indent=2, sort_keys=True, allow_nan=False)


def as_saved(report: Report, label: str) -> Document:
    """Return a report as the records that a saved one is read into."""
    return _record(Document, report_document(report) | {"label": label}, "")


def distribution_as_saved(size: DistributionSize) -> SavedDistribution:
    """Return a distribution as the record that a saved one is read into."""
    return SavedDistribution(
        name=size.name,
        version=size.distribution.version,
        direct=size.distribution.direct,
        required_by=size.required_by,
        download_bytes=size.download_bytes,
        installed_bytes=size.installed.value,
        installed_low_bytes=size.installed.low,
        installed_high_bytes=size.installed.high,
        bytecode_bytes=size.bytecode.value,
        slug_bytes=size.slug.value,
        slug_low_bytes=size.slug.low,
        slug_high_bytes=size.slug.high,
        files=size.files,
        basis=str(size.basis),
    )


def report_document(report: Report) -> Json:
    """Return a report as plain values: dict, list, str, int, float, bool and None."""
    sizes = report.sizes
    return {
        "schema": SCHEMA,
        "tool": {"name": "slugcheck", "version": report.tool_version},
        "subject": subject(report),
        "target": _target(sizes),
        "requirements": [
            {"name": one.name, "text": without_credentials(one.text), "origin": _origin(one.origin)}
            for one in report.requirements
        ],
        "totals": _totals(report),
        "distributions": [_distribution(one, sizes) for one in sizes.distributions],
        "roots": [_root(root) for root in sizes.roots],
        "parts": [_part(part) for part in sizes.parts],
        "app": app(report.app),
        "models": [model(one) for one in report.models],
        "storage": [storage(option) for option in report.storage],
        "verify": verification(report.verification),
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
        **against(report.difference),
        "audit": audit(report.audit),
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
        **interval("all_installed", sizes.installed),
        **interval("slug", sizes.slug),
        # only the platform's own runtime is still predicted if the rest was measured
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
        **interval("installed", one.installed),
        "exclusive_bytes": alone.get(one.name),
        **interval("bytecode", one.bytecode),
        **interval("slug", one.slug),
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
        **interval("installed", part.installed),
        **interval("slug", part.slug),
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


# --------------------------------------------------------------------------- report: the app


def subject(report: Report) -> Json:
    """Return what was checked."""
    return {
        "path": report.path,
        "kind": report.kind,
        "sha256": report.sha256,
        **_project(report.project),
    }


def _project(project: Project | None) -> Json:
    if project is None:
        return {"manager": None, "dependency_file": None}
    return {"manager": str(project.manager), "dependency_file": project.dependency_file.name}


def app(found: AppFiles | None) -> Json | None:
    """Return the app's own files."""
    if found is None:
        return None
    return {
        "files": found.files,
        "bytes": found.bytes,
        "slug_bytes": found.slug_bytes,
        "checkout_bytes": found.checkout_bytes,
        "ignored_files": found.ignored_files,
        "ignored_bytes": found.ignored_bytes,
        "tracked": found.tracked,
        "folders": [
            {
                "path": folder.path,
                "files": folder.files,
                "bytes": folder.bytes,
                "slug_bytes": folder.slug_bytes,
            }
            for folder in found.folders
        ],
    }


def model(found: ModelFile) -> Json:
    """Return one model file."""
    return {
        "path": without_credentials(found.path),
        "bytes": found.bytes,
        **interval("slug", found.slug),
        "basis": str(found.slug.basis),
        "place": str(found.place),
        "method": found.method,
    }


def storage(option: StorageOption) -> Json:
    """Return one option to store the models."""
    return {
        "storage": str(option.storage),
        "title": option.title,
        "status": str(option.status),
        "recommended": option.recommended,
        **interval("slug", option.slug),
        "downloads": [
            {"bytes_per_second": one.bytes_per_second, "seconds": round(one.seconds, 3)}
            for one in option.downloads
        ],
        "reasons": list(option.reasons),
    }


def verification(found: Verification | None) -> Json | None:
    """Return the sizes of a real install and tar, and the error of the prediction."""
    if found is None:
        return None
    errors = found.error_percent()
    return {
        "python": found.python,
        "installer": found.installer,
        "command": without_credentials(found.command),
        "seconds": round(found.seconds, 3),
        "installed_bytes": found.installed_bytes,
        "plain_bytes": found.plain_bytes,
        "bytecode_bytes": found.bytecode_bytes,
        "slug_bytes": found.slug_bytes,
        "predicted": {
            **interval("installed", found.predicted_installed),
            **interval("bytecode", found.predicted_bytecode),
            **interval("slug", found.predicted_slug),
            "plain_bytes": found.predicted_plain_bytes,
            "seconds": round(found.predicted_seconds.value, 3),
        },
        "error_percent": {name: round(errors[name], 5) for name in _PREDICTED},
        "notes": [without_credentials(note) for note in found.notes],
    }


def interval(name: str, figure: Estimate[int]) -> dict[str, int]:
    """Return a figure in bytes with both ends of its interval."""
    return {
        f"{name}_bytes": figure.value,
        f"{name}_low_bytes": figure.low,
        f"{name}_high_bytes": figure.high,
    }


# --------------------------------------------------------------------------- report: base, audit


def against(found: Difference | None) -> Json:
    """Return the base and the changes from it; null and empty without one."""
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
    """Return the audit; None without one."""
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


# --------------------------------------------------------------------------- comparison


def comparison_dumps(found: Comparison, documents: tuple[Document, ...]) -> str:
    """Return a comparison as JSON text; ``documents`` are the reports that it compares."""
    return json.dumps(
        comparison_document(found, documents), indent=2, sort_keys=True, allow_nan=False
    )


def comparison_document(found: Comparison, documents: tuple[Document, ...]) -> Json:
    """Return a comparison as plain values."""
    labels = [setup.label for setup in found.stacks]
    return {
        "schema": SCHEMA,
        "tool": {"name": "slugcheck", "version": found.tool_version},
        "target": asdict(documents[0].target),
        "stacks": [
            _setup(setup, document) for setup, document in zip(found.stacks, documents, strict=True)
        ],
        "differences": [
            {
                "name": row.name,
                "versions": dict(zip(labels, row.versions, strict=True)),
                "installed_bytes": dict(zip(labels, row.installed_bytes, strict=True)),
                "slug_bytes": dict(zip(labels, row.slug_bytes, strict=True)),
            }
            for row in found.shared
        ],
        "migrations": [_migration(one) for one in found.migrations],
        "savings": asdict(found.savings) if found.savings else None,
        "recommendation": {
            "label": found.recommendation.label,
            "because": list(found.recommendation.because),
        },
        "footprints": {
            label: asdict(one) if one else None
            for label, one in zip(labels, found.footprints, strict=False)
        },
        "notes": [without_credentials(note) for note in found.notes],
    }


def _setup(setup: Setup, document: Document) -> Json:
    return {
        "label": setup.label,
        "path": setup.path,
        "totals": asdict(document.totals),
        "status": str(setup.status),
        "room_bytes": setup.room_bytes,
        "saved_installed_bytes": setup.saved_installed_bytes,
        "saved_slug_bytes": setup.saved_slug_bytes,
        "saved_percent": setup.saved_percent,
        "verdicts": [asdict(verdict) for verdict in document.verdicts],
        "models": [asdict(model) for model in document.models],
        "unsized": [asdict(one) for one in document.unsized],
    }


def _migration(one: Migration) -> Json:
    steps = None if one.steps is None else [
        {
            "kind": str(step.kind),
            "before": without_credentials(step.before),
            "after": without_credentials(step.after),
        }
        for step in one.steps
    ]  # fmt: skip
    return {"from": one.from_label, "to": one.to_label, "steps": steps}


# --------------------------------------------------------------------------- why


def why_dumps(why: Why) -> str:
    """Return the answer as JSON text."""
    text = json.dumps(why_document(why), indent=2, sort_keys=True, allow_nan=False)
    return without_credentials(text)  # it stops at blanks, so never removes more than a string


def why_document(why: Why) -> Json:
    """Return the answer as plain values."""
    report = report_document(why.report)
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
        "unsized": _why_unsized(why),
        "needs": [_need(one) for one in why.needs],
        "roots": [_root_paths(root) for root in why.roots],
        "brings": _brings(why.brings),
        "remedies": [_remedy(one) for one in why.remedies],
        "findings": [
            shown
            for finding, shown in zip(why.report.findings, report["findings"], strict=True)
            if finding in why.findings
        ],
        "notes": list(why.notes),
    }


def _why_unsized(why: Why) -> Json | None:
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


def _root_paths(root: RootPaths) -> Json:
    return {
        "name": root.name,
        "version": root.version or None,
        "lines": [_line(line) for line in root.lines],
        "paths": [list(path) for path in root.paths],
        "more_paths": root.more_paths,
    }


def _line(line: FileLine) -> Json:
    return {"text": line.text, "origin": _origin(line.origin)}


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


# --------------------------------------------------------------------------- bench


def bench_dumps(found: BenchResult) -> str:
    """Return a result as JSON text."""
    return json.dumps(bench_document(found), indent=2, sort_keys=True, allow_nan=False)


def bench_document(found: BenchResult) -> Json:
    """Return a result as plain values."""
    return {
        "schema": SCHEMA,
        "kind": "bench",
        "tool": {"name": "slugcheck", "version": found.tool_version},
        "platform": found.platform,
        "dyno": found.dyno,
        "stacks": [_stack(one) for one in found.stacks],
        "agreement": _agreement(found),
        "ratio": asdict(found.ratio) if found.ratio else None,
        "contrasts": [asdict(one) for one in found.contrasts],
        "dynos": [
            {
                "names": list(one.names),
                "ram_bytes": one.dyno.ram_bytes,
                "killed_at_bytes": one.dyno.r15_bytes,
                "workers_started": one.dyno.workers,
                "fits": [asdict(fit) for fit in one.fits],
            }
            for one in found.dynos
        ],
        "boots": [asdict(one) for one in found.boots],
        "trials": [asdict(one) | {"emulated": one.emulated} for one in found.trials],
        "variants": [asdict(one) for one in found.variants],
        "findings": [asdict(one) for one in found.findings],
        "conclusion": asdict(found.conclusion),
        "host": asdict(found.host),
        "conditions": asdict(found.conditions),
        "notes": [without_credentials(note) for note in found.notes],
    }


def _agreement(found: BenchResult) -> Json | None:
    one = found.agreement
    if one is None:
        return None
    return {**asdict(one), "max_abs": _finite(one.max_abs), "max_rel": _finite(one.max_rel)} | {
        "outputs": [
            asdict(o) | {"absolute": _finite(o.absolute), "relative": _finite(o.relative)}
            for o in one.outputs
        ]
    }


def _finite(value: float | None) -> float | None:
    """Return None for infinity (the distance of NaN to a number), which JSON does not have."""
    return None if value is None or value in (float("inf"), float("-inf")) else value


def _stack(one: StackResult) -> Json:
    return {
        **asdict(one.stack),
        "model": without_credentials(one.stack.model),
        "failure": without_credentials(one.failure) if one.failure else None,
        "doubts": list(one.doubts),
        "summary": _summary(one.summary) if one.summary else None,
        "samples": [asdict(sample) for sample in one.samples],
        "cold_starts": [asdict(start) for start in one.cold_starts],
    }


def _summary(one: Summary) -> Json:
    return {
        "rss_bytes": {stage: asdict(value) for stage, value in one.rss.items()},
        "anon_bytes": {stage: asdict(value) for stage, value in one.anon.items()},
        "pss_bytes": asdict(one.pss) if one.pss else None,
        "uss_bytes": asdict(one.uss) if one.uss else None,
        "import_seconds": asdict(one.import_seconds),
        "load_seconds": asdict(one.load_seconds),
        "first_seconds": asdict(one.first_seconds),
        "cold_start_seconds": asdict(one.cold_seconds) if one.cold_seconds else None,
        "cold_start_evicted_seconds": asdict(one.evicted_seconds) if one.evicted_seconds else None,
        "cpu_ms": asdict(one.cpu_ms),
        "latency": asdict(one.latency),
        "threads": one.threads,
    }


# --------------------------------------------------------------------------- reading back


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTool:
    """What made a saved report."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSubject:
    """What a saved report is about."""

    path: str
    kind: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTarget:
    """The target of a saved report."""

    platform: str
    title: str
    size_figure: str
    stack: str
    python: str
    python_full: str
    arch: str
    dyno: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTotals:
    """The sums of a saved report; ``installed_bytes`` are those of the distributions."""

    distributions: int
    files: int
    download_bytes: int
    installed_bytes: int
    bytecode_bytes: int
    dependencies_slug_bytes: int
    runtime_bytes: int
    runtime_slug_bytes: int
    app_bytes: int
    app_slug_bytes: int
    model_bytes: int
    model_slug_bytes: int
    all_installed_bytes: int
    all_installed_low_bytes: int
    all_installed_high_bytes: int
    slug_bytes: int
    slug_low_bytes: int
    slug_high_bytes: int
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDistribution:
    """One distribution of a saved report."""

    name: str
    version: str
    direct: bool
    required_by: tuple[str, ...]
    download_bytes: int | None
    installed_bytes: int
    installed_low_bytes: int
    installed_high_bytes: int
    bytecode_bytes: int
    slug_bytes: int
    slug_low_bytes: int
    slug_high_bytes: int
    files: int
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedModel:
    """A model file of a saved report."""

    path: str
    bytes: int
    slug_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedVerdict:
    """One verdict of a saved report; ``measured`` is None when there was no figure."""

    budget: str
    status: str
    gates: bool
    measured: int | float | None
    limit: int
    limit_text: str
    unit: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedUnsized:
    """A package that a saved report could not size."""

    name: str
    version: str | None
    reason: str
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRequirement:
    """One line of a saved report's requirements file; ``name`` is "" for a bare URL."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A saved report. Fields are named as in the JSON; ``label`` names it in messages."""

    label: str
    schema: int
    tool: SavedTool
    subject: SavedSubject
    target: SavedTarget
    requirements: tuple[SavedRequirement, ...]
    totals: SavedTotals
    distributions: tuple[SavedDistribution, ...]
    models: tuple[SavedModel, ...]
    unsized: tuple[SavedUnsized, ...]
    verdicts: tuple[SavedVerdict, ...]


def text_of(path: Path) -> str | None:
    """Return the text of a saved report; None where the file is something else.

    :raises UsageError: it cannot be read, is a link out of its checkout, or too large.
    """
    try:
        top = reading.top_of(path)
        content = reading.read(path, within=top, limit=reading.SAVED_REPORT)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check its permissions") from None
    if path.suffix.lower() == ".json" or content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return content.decode("utf-8-sig", "replace")
    return None


def report_loads(text: str, label: str) -> Document:
    """Read a saved report; ``label`` names it in messages.

    :raises UsageError: it is not a report of slugcheck, has another schema or an invalid value.
    """
    return read(Document, text, label, hint=_HINT)


def read(kind: type[T], text: str, label: str, *, hint: str) -> T:
    """Read a saved document of a kind, whose fields are the values of the JSON and ``label``.

    :raises UsageError: it is not from slugcheck, has another schema or an invalid value.
    """
    try:
        raw = reading.json(text)
    except ValueError:
        raise UsageError(f"{label} is not JSON", hint=hint) from None
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if type(schema) is not int:
        raise UsageError(f"{label} is not a report of slugcheck", hint=hint)
    if schema != SCHEMA:
        made = "a newer slugcheck; update this one" if schema > SCHEMA else "an older slugcheck"
        message = f"{label} has schema {schema}; this version reads schema {SCHEMA}"
        raise UsageError(message, hint=f"it was made by {made}, or make the report again")
    try:
        return _record(kind, raw | {"label": label}, "")
    except _Wrong as wrong:
        raise UsageError(f"{label}: {wrong}", hint=hint) from None


# --------------------------------------------------------------------------- checking


class _Wrong(Exception):
    """An invalid value; the sentence contains its path."""


def _record(kind: type[T], value: object, path: str) -> T:
    if not isinstance(value, dict):
        raise _Wrong(f"{path[1:]} is not an object")
    missing = [field.name for field in fields(kind) if field.name not in value]
    if missing:
        raise _Wrong(f"{f'{path}.{missing[0]}'[1:]} is missing")
    hints = get_type_hints(kind)
    return kind(
        **{
            field.name: _value(hints[field.name], value[field.name], f"{path}.{field.name}")
            for field in fields(kind)
        }
    )


def _value(kind: Any, value: object, path: str) -> object:
    """Return a value of exactly its field's type, so no bool for an int."""
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind, value, path)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _Wrong(f"{path[1:]} is not a list")
        member = get_args(kind)[0]
        return tuple(_value(member, one, f"{path}[{n}]") for n, one in enumerate(value))
    allowed = get_args(kind) if get_origin(kind) is UnionType else (kind,)
    record = next((one for one in allowed if is_dataclass(one)), None)
    if record is not None:
        return None if value is None else _value(record, value, path)
    if type(value) not in allowed:
        wanted = " or ".join(_WORDS[one] for one in allowed if one is not NoneType)
        raise _Wrong(f"{path[1:]} is not {wanted}")
    if isinstance(value, int | float) and not abs(value) < _BEYOND:  # NaN is not below it either
        raise _Wrong(f"{path[1:]} is out of range")
    return value
