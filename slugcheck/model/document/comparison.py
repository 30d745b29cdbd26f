"""The document of ``compare``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from slugcheck.model.comparison import Footprint, Recommendation, Savings, Step
from slugcheck.model.document.report import Memory, Model, Target, Tool, Totals, Unsized, Verdict
from slugcheck.model.numbers import Integer, Number
from slugcheck.model.report import Status


class Candidate(Struct, frozen=True, kw_only=True):
    """One candidate; what it saves is compared with the first one (negative: it is larger)."""

    label: str
    path: str
    totals: Totals
    status: Status
    room_bytes: Integer | None
    saved_installed_bytes: Integer
    saved_slug_bytes: Integer
    saved_bundle_bytes: Integer
    saved_percent: Number | None
    verdicts: tuple[Verdict, ...]
    models: tuple[Model, ...]
    unsized: tuple[Unsized, ...]
    memory: Memory | None = None


class DifferenceRow(Struct, frozen=True, kw_only=True):
    """A distribution in each candidate, by label; null where a candidate lacks it."""

    name: str
    versions: Mapping[str, str | None]
    installed_bytes: Mapping[str, Integer | None]
    slug_bytes: Mapping[str, Integer | None]
    bundle_bytes: Mapping[str, Integer | None]


class Migration(Struct, frozen=True, kw_only=True):
    """The lines to change from one candidate to another; null if one of them has no lines."""

    from_: str = field(name="from")
    to: str
    steps: tuple[Step, ...] | None


class ComparisonDocument(Struct, frozen=True, kw_only=True):
    """A comparison of ``slugcheck compare``."""

    schema: Literal[1]
    tool: Tool
    target: Target
    stacks: tuple[Candidate, ...]
    differences: tuple[DifferenceRow, ...]
    migrations: tuple[Migration, ...]
    savings: Savings | None
    recommendation: Recommendation
    footprints: Mapping[str, Footprint | None]
    notes: tuple[str, ...]
