"""The document of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slugcheck.model.comparison import Comparison, Migration, Setup, SharedRow
from slugcheck.model.document import comparison as comparison_json
from slugcheck.model.document import report as report_json
from slugcheck.model.document import saved
from slugcheck.model.to_document.fields import clean, copied
from slugcheck.text import without_credentials


def comparison_document(
    comparison: Comparison, reports: Sequence[report_json.ReportDocument]
) -> comparison_json.ComparisonDocument:
    """Return the document of a comparison; ``reports`` are those that it compares."""
    labels = [setup.label for setup in comparison.stacks]
    return comparison_json.ComparisonDocument(
        schema=saved.SCHEMA,
        tool=report_json.Tool(name="slugcheck", version=comparison.tool_version),
        target=reports[0].target,
        stacks=tuple(
            _candidate(setup, report)
            for setup, report in zip(comparison.stacks, reports, strict=True)
        ),
        differences=tuple(_difference_row(row, labels) for row in comparison.shared),
        migrations=tuple(_migration(migration) for migration in comparison.migrations),
        savings=comparison.savings,
        recommendation=comparison.recommendation,
        footprints=dict(zip(labels, comparison.footprints, strict=False)),
        notes=clean(comparison.notes),
    )


def _candidate(setup: Setup, report: report_json.ReportDocument) -> comparison_json.Candidate:
    return copied(
        comparison_json.Candidate,
        setup,
        totals=report.totals,
        verdicts=report.verdicts,
        models=report.models,
        unsized=report.unsized,
        memory=report.memory,
    )


def _difference_row(row: SharedRow, labels: Sequence[str]) -> comparison_json.DifferenceRow:
    return comparison_json.DifferenceRow(
        name=row.name,
        versions=dict(zip(labels, row.versions, strict=True)),
        installed_bytes=dict(zip(labels, row.installed_bytes, strict=True)),
        slug_bytes=dict(zip(labels, row.slug_bytes, strict=True)),
        bundle_bytes=dict(zip(labels, row.bundle_bytes, strict=True)),
    )


def _migration(migration: Migration) -> comparison_json.Migration:
    steps = None if migration.steps is None else tuple(
        replace(
            step, before=without_credentials(step.before), after=without_credentials(step.after)
        )
        for step in migration.steps
    )  # fmt: skip
    return comparison_json.Migration(from_=migration.from_label, to=migration.to_label, steps=steps)
