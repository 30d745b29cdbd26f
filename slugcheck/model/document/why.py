"""The document of ``why``."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

from slugcheck.model.document.report import (
    Distribution,
    Finding,
    MemoryPart,
    Subject,
    Target,
    Tool,
    Totals,
    Transfer,
)
from slugcheck.model.numbers import Integer
from slugcheck.model.report import Change
from slugcheck.model.sizes import Origin
from slugcheck.model.why import FileLine, Freed, RemedyKind, Standing


class UnsizedReason(Struct, frozen=True, kw_only=True):
    """Why the distribution has no size."""

    version: str | None
    reason: str
    origin: Origin | None


class Need(Struct, frozen=True, kw_only=True):
    """What requires the distribution; ``by`` is null for a line of the file."""

    by: str | None
    version: str | None
    extra: str | None
    asks: str
    lines: tuple[str, ...]
    origin: Origin | None
    unmet: str | None


class RootPaths(Struct, frozen=True, kw_only=True):
    """A direct requirement that leads to the distribution, with the shortest paths."""

    name: str
    version: str | None
    lines: tuple[FileLine, ...]
    paths: tuple[tuple[str, ...], ...]
    more_paths: Integer


class Brings(Struct, frozen=True, kw_only=True):
    """What the distribution requires; ``exclusive`` would be removed with it."""

    exclusive: tuple[str, ...]
    shared: tuple[str, ...]
    unsized: tuple[str, ...]
    freed: Freed


class MeasuredSaving(Struct, frozen=True, kw_only=True):
    """The sizes of the changed file and what they save; ``left_version`` is null if it is gone."""

    saves_installed_bytes: Integer
    saves_slug_bytes: Integer
    saves_bundle_bytes: Integer
    installed_doubt_bytes: Integer
    slug_doubt_bytes: Integer
    bundle_doubt_bytes: Integer
    left_version: str | None
    changes: tuple[Change, ...]
    unsized_gone: tuple[str, ...]
    all_installed_bytes: Integer
    all_installed_low_bytes: Integer
    all_installed_high_bytes: Integer
    slug_bytes: Integer
    slug_low_bytes: Integer
    slug_high_bytes: Integer
    bundle_bytes: Integer
    bundle_low_bytes: Integer
    bundle_high_bytes: Integer


class Remedy(Struct, frozen=True, kw_only=True):
    """A change of the file; ``reason`` says why it was not measured."""

    kind: RemedyKind
    roots: tuple[str, ...]
    before: tuple[FileLine, ...]
    after: tuple[FileLine, ...]
    graph: Freed | None
    measured: MeasuredSaving | None
    tried: bool
    reason: str | None


class WhyDocument(Struct, frozen=True, kw_only=True):
    """An answer of ``slugcheck why``."""

    QUOTES: ClassVar[bool] = True  # lines of files, and the resolver, as they are

    schema: Literal[1]
    tool: Tool
    subject: Subject
    target: Target
    totals: Totals
    transfer: Transfer | None
    name: str
    extras: tuple[str, ...]
    standing: Standing
    distribution: Distribution | None
    unsized: UnsizedReason | None
    needs: tuple[Need, ...]
    roots: tuple[RootPaths, ...]
    brings: Brings | None
    memory: MemoryPart | None = None
    remedies: tuple[Remedy, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
