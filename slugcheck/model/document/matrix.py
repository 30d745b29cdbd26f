"""The document of a check of several targets."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from slugcheck.model.document.report import ReportDocument, Tool, Transfer
from slugcheck.model.matrix import Outcome as TargetOutcome
from slugcheck.model.numbers import Integer, Number


class TargetName(Struct, frozen=True, kw_only=True):
    """A target; ``title`` is the platform's.

    ``python`` is empty where there is no report and no Python was named.
    """

    platform: str
    title: str
    python: str


class TargetReport(Struct, frozen=True, kw_only=True):
    """A target: its report, or in ``problem`` and ``hint`` why it has none.

    ``exit_code`` is that of a check for it alone, and 2 where it is impossible.
    """

    target: TargetName
    outcome: TargetOutcome
    exit_code: Integer
    problem: str | None
    hint: str | None
    report: ReportDocument | None


class MatrixRow(Struct, frozen=True, kw_only=True):
    """A target in figures; what was not measured or is not limited is null.

    ``bundle_bytes`` is what its platform counts against ``limit_bytes``.
    """

    platform: str
    python: str
    outcome: TargetOutcome
    exit_code: Integer
    size_figure: str | None = None
    bundle_bytes: Integer | None = None
    bundle_low_bytes: Integer | None = None
    bundle_high_bytes: Integer | None = None
    limit_bytes: Integer | None = None
    installed_bytes: Integer | None = None
    build_seconds: Number | None = None


class MatrixDocument(Struct, frozen=True, kw_only=True):
    """Several targets of ``slugcheck check``: ``matrix`` in figures, ``targets`` in whole."""

    schema: Literal[1]
    tool: Tool
    path: str
    exit_code: Integer
    matrix: tuple[MatrixRow, ...]
    targets: tuple[TargetReport, ...]
    transfer: Transfer
