"""The document of an answer of ``why``."""

from __future__ import annotations

from slugcheck.model.document import saved
from slugcheck.model.document import why as why_json
from slugcheck.model.to_document.fields import copied
from slugcheck.model.to_document.report import of_finding, report_document
from slugcheck.model.why import Brings, MeasuredSaving, Need, Remedy, RootPaths, Standing, Why


def why_document(why: Why) -> why_json.WhyDocument:
    """Return the document of an answer."""
    report = report_document(why.report)
    return why_json.WhyDocument(
        schema=saved.SCHEMA,
        tool=report.tool,
        subject=report.subject,
        target=report.target,
        totals=report.totals,
        transfer=report.transfer,
        name=why.name,
        extras=why.requested_extras,
        standing=why.standing,
        distribution=next(
            (installed for installed in report.distributions if installed.name == why.name), None
        ),
        unsized=copied(why_json.UnsizedReason, why.unsized)
        if why.unsized and why.standing is Standing.UNSIZED
        else None,
        needs=tuple(_need(need) for need in why.needs),
        roots=tuple(_root_paths(root) for root in why.roots),
        brings=_brings(why.brings) if why.brings else None,
        memory=next((p for p in report.memory.by_distribution if p.name == why.name), None)
        if report.memory
        else None,
        remedies=tuple(_remedy(remedy) for remedy in why.remedies),
        findings=tuple(map(of_finding, why.findings)),
        notes=why.notes,
    )


def _need(need: Need) -> why_json.Need:
    return copied(
        why_json.Need,
        need,
        by=need.by or None,
        version=need.version or None,
        extra=need.extra or None,
        unmet=need.unmet or None,
    )


def _root_paths(root: RootPaths) -> why_json.RootPaths:
    return copied(why_json.RootPaths, root, version=root.version or None)


def _brings(brings: Brings) -> why_json.Brings:
    return why_json.Brings(
        exclusive=tuple(size.name for size in brings.exclusive),
        shared=tuple(size.name for size in brings.shared),
        unsized=brings.unsized,
        freed=brings.freed,
    )


def _remedy(remedy: Remedy) -> why_json.Remedy:
    outcome = remedy.outcome
    return copied(
        why_json.Remedy,
        remedy,
        measured=_saving(outcome) if isinstance(outcome, MeasuredSaving) else None,
        tried=True if isinstance(outcome, MeasuredSaving) else outcome.tried,
        reason=None if isinstance(outcome, MeasuredSaving) else outcome.reason,
    )


def _saving(saving: MeasuredSaving) -> why_json.MeasuredSaving:
    return why_json.MeasuredSaving(
        saves_installed_bytes=saving.installed_bytes,
        saves_slug_bytes=saving.slug_bytes,
        saves_bundle_bytes=saving.bundle_bytes,
        installed_doubt_bytes=saving.installed_doubt_bytes,
        slug_doubt_bytes=saving.slug_doubt_bytes,
        bundle_doubt_bytes=saving.bundle_doubt_bytes,
        left_version=saving.left,
        changes=saving.changes,
        unsized_gone=saving.unsized_gone,
        all_installed_bytes=saving.installed.value,
        all_installed_low_bytes=saving.installed.low,
        all_installed_high_bytes=saving.installed.high,
        slug_bytes=saving.slug.value,
        slug_low_bytes=saving.slug.low,
        slug_high_bytes=saving.slug.high,
        bundle_bytes=saving.bundle.value,
        bundle_low_bytes=saving.bundle.low,
        bundle_high_bytes=saving.bundle.high,
    )
