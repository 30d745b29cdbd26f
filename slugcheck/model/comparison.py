"""Candidates compared: the sizes of each, what they share, and which one to take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model.figures import Estimate
from slugcheck.model.platform import BundleKind
from slugcheck.model.report import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupRow:
    """One line of a candidate's sizes: a distribution, or a part without a version."""

    name: str
    version: str
    installed_bytes: int
    slug_bytes: int
    bundle_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One candidate. Sums in bytes; ``installed``, ``slug`` and ``bundle`` count everything.

    ``status`` is that of all its gating verdicts, ``sentence`` that of its size. ``room_bytes`` is
    what the size limit leaves (negative: what is over it), None without a limit. ``saved_*`` is how
    much smaller it is than the first candidate (negative: larger).
    """

    label: str
    path: str
    target: str  # "Heroku · heroku-24 · Python 3.11.16"
    distributions: int
    dependencies_bytes: int
    dependencies_slug_bytes: int
    dependencies_bundle_bytes: int
    model_files: int
    model_bytes: int
    model_slug_bytes: int
    model_bundle_bytes: int
    installed_bytes: int
    slug: Estimate[int]
    bundle: Estimate[int]  # what the platform counts against its limit
    rows: tuple[SetupRow, ...]  # distributions, the largest first, then the parts
    status: Status
    sentence: str
    room_bytes: int | None
    unsized: tuple[str, ...]
    worker: Estimate[int] | None  # RAM of one worker after its imports, where that is known
    saved_installed_bytes: int
    saved_slug_bytes: int
    saved_bundle_bytes: int
    saved_percent: float | None  # of the first candidate's bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRow:
    """A distribution in each candidate, in their order; None where a candidate lacks it."""

    name: str
    versions: tuple[str | None, ...]
    installed_bytes: tuple[int | None, ...]
    slug_bytes: tuple[int | None, ...]
    bundle_bytes: tuple[int | None, ...]

    @property
    def everywhere(self) -> bool:
        """Whether every candidate has it."""
        return None not in self.versions

    @property
    def alike(self) -> bool:
        """Whether every candidate has it in the same version."""
        return self.everywhere and len(set(self.versions)) == 1


class StepKind(StrEnum):
    """How a requirement line changes."""

    REMOVE = "remove"
    ADD = "add"
    CHANGE = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a requirements file to change: as it is, and as it should be."""

    kind: StepKind
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """The lines to change from one candidate to another; None if one of them has no lines."""

    from_label: str
    to_label: str
    steps: tuple[Step, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The candidate to take, with reasons. ``label`` is None if the figures do not decide."""

    label: str | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """How much smaller the smallest candidate is than the largest, in bytes."""

    from_label: str
    to_label: str
    installed_bytes: int
    slug_bytes: int
    bundle_bytes: int
    percent: float  # of the larger bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Figures of a candidate's runtime from a bench run: medians of fresh processes.

    Memory is bytes of one worker at its peak, ``anon`` without the pages of files.
    """

    runtime: str  # "PyTorch 2.13.0+cpu"
    model: str
    rss_bytes: int | None
    anon_bytes: int | None
    import_seconds: float
    cold_start_seconds: float | None
    cpu_ms: float
    p50_ms: float
    noisy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two candidates or more; the others are compared with the first."""

    title: str  # of the platform
    bundle_kind: BundleKind
    limit_text: str  # "500M", "" without a limit
    stacks: tuple[Setup, ...]
    shared: tuple[SharedRow, ...]  # the largest first
    migrations: tuple[Migration, ...]
    savings: Savings | None
    recommendation: Recommendation
    notes: tuple[str, ...]
    tool_version: str = ""
    footprints: tuple[
        Footprint | None, ...
    ] = ()  # of the candidates, in their order; or none at all

    @property
    def size_figure(self) -> str:
        """The name of the figure that the platform's limit is about: ``slug`` or ``bundle``."""
        return self.bundle_kind.figure
