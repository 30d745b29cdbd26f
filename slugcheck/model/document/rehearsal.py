"""The documents of ``rehearse``, and of ``compare`` on several rehearsals."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from slugcheck.model import rehearsal
from slugcheck.model.document.report import Tool
from slugcheck.model.numbers import Integer, Number


class RehearsalDocument(Struct, frozen=True, kw_only=True):
    """A result of ``slugcheck rehearse``: see ``model.rehearsal``.

    ``pins`` are the versions that ran. ``floor_bytes`` is what ``check`` predicts that the web
    process takes at least.
    """

    kind: Literal["rehearsal"]
    schema: Literal[1]
    tool: Tool
    path: str
    platform: str
    title: str
    dyno: str | None
    ram_bytes: Integer | None
    python: str
    cores: Integer
    build: rehearsal.Build | None
    processes: tuple[rehearsal.ProcessRun, ...]
    pins: dict[str, str]
    variables: tuple[str, ...] = ()
    floor_bytes: Integer | None = None
    floor_low_bytes: Integer | None = None
    floor_high_bytes: Integer | None = None
    predicted_slug_bytes: Integer | None = None
    breaking_points: tuple[rehearsal.BreakingPoint, ...] = ()
    budgets: tuple[rehearsal.Judgement, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: Number = 0.0


class RehearsalsDocument(Struct, frozen=True, kw_only=True):
    """Rehearsals beside each other, as ``slugcheck compare`` writes them."""

    kind: Literal["rehearsals"]
    schema: Literal[1]
    tool: Tool
    labels: tuple[str, ...]
    rehearsals: tuple[RehearsalDocument, ...]
