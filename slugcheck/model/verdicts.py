"""Verdicts on budgets, and findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model.figures import Estimate
from slugcheck.model.packages import Origin
from slugcheck.model.platform import Source


class Status(StrEnum):
    """The outcome of one budget."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on one budget. ``figure`` is None if it was not measured."""

    budget: str
    status: Status
    gates: bool  # whether FAIL or UNKNOWN decides the exit code
    figure: Estimate[int] | Estimate[float] | None
    limit: int
    unit: str
    limit_text: str
    sentence: str
    source: Source
    subject: str = ""  # the distribution it is about, or the largest contributor; "" for none


class FindingSeverity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # the deploy would break
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong or wasteful, with the exact lines that fix it.

    ``saves_bytes`` (installed) and ``saves_slug_bytes`` are None if the saving was not measured.
    """

    code: str
    severity: FindingSeverity
    subject: str
    sentence: str
    fix: str
    saves_bytes: int | None = None
    saves_slug_bytes: int | None = None
    origin: Origin | None = None
    ids: tuple[str, ...] = ()  # of a vulnerability: its own and its aliases


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A finding that the project's settings ignore, with their reason.

    ``expires`` is the last day on which it is ignored (``YYYY-MM-DD``), None without an end.
    """

    finding: Finding
    reason: str
    expires: str | None
