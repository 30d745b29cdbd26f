"""What changed against a base: distributions, parts and totals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What became of a distribution."""

    ADDED = "added"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    SAME_VERSION = "same-version"  # another size all the same: another wheel, another Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One distribution that is not what it was in the base.

    ``installed_bytes`` and ``slug_bytes`` are what it adds (negative: what it takes away);
    ``percent`` is that of its own former size on the platform's figure, None when it is new.
    ``because`` names what needs it: ``direct`` and distributions.
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
    """What is no distribution and changed: the runtime, app files, models."""

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
    """A report against its base. ``problem`` says why there is none; ``base`` is None then."""

    label: str  # what the base is: "origin/main", "base.json", "old.txt"
    base: BaseTotals | None
    changes: tuple[Change, ...]  # the largest first
    parts: tuple[PartChange, ...]
    installed_bytes: int  # the whole change
    slug_bytes: int
    # half the width of their intervals: what did not change is alike on both sides and in neither
    installed_doubt_bytes: int = 0
    slug_doubt_bytes: int = 0
    notes: tuple[str, ...] = ()
    problem: str | None = None
