"""The document of a check of several targets."""

from __future__ import annotations

from slugcheck.model.document import matrix as matrix_json
from slugcheck.model.document import report as report_json
from slugcheck.model.document import saved
from slugcheck.model.matrix import Matrix, TargetResult
from slugcheck.model.to_document.fields import copied
from slugcheck.model.to_document.report import report_document
from slugcheck.text import without_credentials


def matrix_document(matrix: Matrix) -> matrix_json.MatrixDocument:
    """Return the document of several targets."""
    return matrix_json.MatrixDocument(
        schema=saved.SCHEMA,
        tool=report_json.Tool(name="slugcheck", version=matrix.tool_version),
        path=matrix.path,
        exit_code=matrix.exit_code,
        matrix=tuple(map(_matrix_row, matrix.targets)),
        targets=tuple(map(_target_report, matrix.targets)),
        transfer=copied(report_json.Transfer, matrix.transfer, seconds=round(matrix.seconds, 3)),
    )


def _target_report(target: TargetResult) -> matrix_json.TargetReport:
    return matrix_json.TargetReport(
        target=copied(matrix_json.TargetName, target),
        outcome=target.outcome,
        exit_code=target.exit_code,
        problem=without_credentials(target.problem) if target.problem else None,
        hint=without_credentials(target.hint) if target.hint else None,
        report=report_document(target.report) if target.report is not None else None,
    )


def _matrix_row(target: TargetResult) -> matrix_json.MatrixRow:
    named = {name: getattr(target, name) for name in ("platform", "python", "outcome", "exit_code")}
    if target.report is None:
        return matrix_json.MatrixRow(**named)
    sizes, verdict, build = target.report.sizes, target.size_verdict, target.build_seconds
    return matrix_json.MatrixRow(
        **named,
        size_figure=sizes.target.platform.size_figure,
        bundle_bytes=sizes.bundle.value,
        bundle_low_bytes=sizes.bundle.low,
        bundle_high_bytes=sizes.bundle.high,
        limit_bytes=verdict.limit if verdict is not None else None,
        installed_bytes=sizes.installed.value,
        build_seconds=None if build is None else round(build, 3),
    )
