"""The difference between a report and its base: distributions, parts and totals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """How a distribution changed."""

    ADDED = "added"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    SAME_VERSION = "same-version"  # but another size: another wheel or Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One distribution that differs from the base.

    ``installed_bytes`` and ``slug_bytes`` are what it adds (negative: removes); ``percent`` is
    relative to its former size in the platform's figure, None if it is new. ``because`` names what
    requires it: ``direct`` and distributions.
    """

    name: str
    kind: ChangeKind
    before: str | None  # version
    after: str | None
    installed_bytes: int
    slug_bytes: int
    percent: float | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartChange:
    """A change of the runtime, the app files or the models."""

    name: str
    installed_bytes: int
    slug_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseTotals:
    """The sums of the base, in bytes; ``installed`` counts everything that is in the slug."""

    distributions: int
    installed_bytes: int
    slug_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A report against its base. ``problem`` says why ``base`` is None."""

    label: str  # what the base is: "origin/main", "base.json", "old.txt"
    base: BaseTotals | None
    changes: tuple[Change, ...]  # the largest first
    parts: tuple[PartChange, ...]
    installed_bytes: int  # the whole change
    slug_bytes: int
    # half the width of their intervals; what did not change cancels out
    installed_doubt_bytes: int = 0
    slug_doubt_bytes: int = 0
    notes: tuple[str, ...] = ()
    problem: str | None = None
