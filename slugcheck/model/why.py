"""Why a distribution is installed: what requires it, through which paths, and what changes save.

Savings are in bytes, positive if the change makes the slug smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model.figures import Estimate
from slugcheck.model.report import Change, Finding, Report
from slugcheck.model.sizes import DistributionSize, Origin, Unsized


class Standing(StrEnum):
    """Whether the distribution is installed on this target."""

    INSTALLED = "installed"
    UNSIZED = "unsized"
    ABSENT = "not-installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """A line of the file, without hashes; ``origin`` is None for one that is only proposed."""

    text: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What requires the distribution: lines of one Requires-Dist, or a line of the file.

    ``asks`` is the only line with its marker, or several combined; ``lines`` are all of them.
    ``by`` is "" for a line of the file. ``extra`` is the extra of ``by`` that requires it.
    ``unmet`` says why it does not apply on this target; "" if it does.
    """

    by: str
    version: str
    extra: str
    asks: str
    lines: tuple[str, ...]
    origin: Origin | None = None
    unmet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RootPaths:
    """A direct requirement from which the distribution is reached.

    ``paths`` are shortest ones, each from the root to the distribution, with extras as in
    ``uvicorn[standard]``; ``more_paths`` is how many further ones are as short.
    """

    name: str
    version: str
    lines: tuple[FileLine, ...]  # none in a lock
    paths: tuple[tuple[str, ...], ...]
    more_paths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What a removal frees by the graph of the present resolution; shared paths count once."""

    names: tuple[str, ...]
    installed_bytes: int
    slug_bytes: int
    bundle_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brings:
    """What the distribution requires, directly and through others, the largest first.

    ``exclusive`` are those that would be removed with it, ``shared`` those that something else
    requires too. ``freed`` is the distribution with its exclusive ones.
    """

    exclusive: tuple[DistributionSize, ...]
    shared: tuple[DistributionSize, ...]
    unsized: tuple[str, ...]
    freed: Freed


class RemedyKind(StrEnum):
    """How the file is changed."""

    REMOVE = "remove"
    REMOVE_ALL = "remove-all"  # every line that leads to the distribution
    NEWEST = "newest"  # the specifier dropped
    NEWEST_ALL = "newest-all"  # of every line that has one and leads to the distribution
    EQUIVALENT = "twin"  # the same library without what the platform cannot use


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSaving:
    """The sizes of the changed file, resolved and sized.

    The doubts are half the width of the savings' intervals. ``changes`` are relative to the file as
    it is, the largest first. ``left`` is the version of the distribution afterwards, None if it is
    gone. ``unsized_gone`` have no size; removing them saves more than the figures show.
    """

    installed_bytes: int
    slug_bytes: int
    bundle_bytes: int
    installed_doubt_bytes: int
    slug_doubt_bytes: int
    bundle_doubt_bytes: int
    installed: Estimate[int]  # everything, afterwards
    slug: Estimate[int]
    bundle: Estimate[int]
    changes: tuple[Change, ...]
    left: str | None
    unsized_gone: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmeasuredSaving:
    """Why a changed file has no figures. ``tried`` is False if it was not attempted."""

    reason: str
    tried: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One change of the file, and what it saves. ``graph`` is None for a replacement."""

    kind: RemedyKind
    roots: tuple[str, ...]
    before: tuple[FileLine, ...]
    after: tuple[FileLine, ...]
    graph: Freed | None
    outcome: MeasuredSaving | UnmeasuredSaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer to ``slugcheck why NAME``; ``report`` is that of the file as it is.

    ``size`` is None unless the distribution is installed and sized, ``unsized`` unless it has no
    size. ``requested_extras`` are the extras of the question.
    """

    report: Report
    name: str
    requested_extras: tuple[str, ...]
    standing: Standing
    size: DistributionSize | None
    unsized: Unsized | None
    needs: tuple[Need, ...]
    roots: tuple[RootPaths, ...]
    brings: Brings | None
    remedies: tuple[Remedy, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
