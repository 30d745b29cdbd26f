"""Stacks side by side: what each comes to, what they share, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model.figures import Estimate
from slugcheck.model.verdicts import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupRow:
    """One line of a stack's sizes: a distribution with its version, or a part without one."""

    name: str
    version: str
    installed_bytes: int
    slug_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One of the stacks. Sums in bytes; ``installed`` and ``slug`` count everything.

    ``status`` is that of all its gating verdicts, ``sentence`` the one on its size. ``room_bytes``
    is what the size limit leaves (negative: what is beyond it), None without a limit. ``saved_*``
    is how much smaller it is than the first stack (negative: larger).
    """

    label: str
    path: str
    target: str  # "Heroku · heroku-24 · Python 3.11.16"
    distributions: int
    dependencies_bytes: int
    dependencies_slug_bytes: int
    model_files: int
    model_bytes: int
    model_slug_bytes: int
    installed_bytes: int
    slug: Estimate[int]
    counted: Estimate[int]  # of the two sums, the one that the platform's limit is about
    rows: tuple[SetupRow, ...]  # distributions, the largest first, then the parts
    status: Status
    sentence: str
    room_bytes: int | None
    unsized: tuple[str, ...]
    saved_installed_bytes: int
    saved_slug_bytes: int
    saved_percent: float | None  # of the first stack's sum that counts


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRow:
    """A distribution in each stack, in their order; None where a stack does not have it."""

    name: str
    versions: tuple[str | None, ...]
    installed_bytes: tuple[int | None, ...]
    slug_bytes: tuple[int | None, ...]

    @property
    def everywhere(self) -> bool:
        """Whether every stack has it."""
        return None not in self.versions

    @property
    def alike(self) -> bool:
        """Whether every stack has it in the same version."""
        return self.everywhere and len(set(self.versions)) == 1


class StepKind(StrEnum):
    """What becomes of a requirement line."""

    REMOVE = "remove"
    ADD = "add"
    CHANGE = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a requirements file that is not the same: as it is, and as it should be."""

    kind: StepKind
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """The lines that make one stack's requirements another's; None: one of them has no lines."""

    from_label: str
    to_label: str
    steps: tuple[Step, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What follows from the numbers. ``label`` is None where they do not decide."""

    label: str | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """How much smaller the smallest stack is than the largest, in bytes."""

    from_label: str
    to_label: str
    installed_bytes: int
    slug_bytes: int
    percent: float  # of the sum that counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a bench run measured of a stack's runtime: medians of fresh processes.

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
    """Two stacks or more, the first of them the one the others are held against."""

    title: str  # of the platform
    size_figure: str
    limit_text: str  # "500M", "" without a limit
    stacks: tuple[Setup, ...]
    shared: tuple[SharedRow, ...]  # the largest first
    migrations: tuple[Migration, ...]
    savings: Savings | None
    recommendation: Recommendation
    notes: tuple[str, ...]
    tool_version: str = ""
    footprints: tuple[Footprint | None, ...] = ()  # of the stacks, in their order; or none at all
