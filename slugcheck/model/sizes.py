"""Every size, with totals that are sums of their parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model.figures import Basis, Estimate
from slugcheck.model.packages import Distribution, Origin, Transfer, Unsized
from slugcheck.model.platform import Target


class Kind(StrEnum):
    """What a file is, for the breakdown."""

    NATIVE = "native"
    PYTHON = "python"
    BYTECODE = "bytecode"
    TESTS = "tests"
    METADATA = "metadata"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionSize:
    """The size of one distribution as installed on the target.

    ``plain`` is what the installer writes without bytecode, ``bytecode`` the ``.pyc`` files,
    ``slug`` the gzip -6 share of both. ``required_by`` names the distributions that need it.
    """

    distribution: Distribution
    via: str
    download_bytes: int | None
    plain: Estimate[int]
    bytecode: Estimate[int]
    slug: Estimate[int]
    files: int
    bytecode_files: int
    by_kind: Mapping[Kind, int]
    required_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """The canonical name."""
        return self.distribution.name

    @property
    def installed_bytes(self) -> int:
        """Bytes on disk with bytecode."""
        return self.plain.value + self.bytecode.value

    @property
    def installed(self) -> Estimate[int]:
        """Bytes on disk with bytecode, with their interval."""
        if self.basis is Basis.MEASURED:
            return Estimate[int].measured(self.installed_bytes)
        low, high = self.plain.low + self.bytecode.low, self.plain.high + self.bytecode.high
        return Estimate[int].predicted(self.installed_bytes, low, high)

    @property
    def basis(self) -> Basis:
        """Measured only when nothing in the installed size was predicted."""
        measured = self.plain.basis is self.bytecode.basis is Basis.MEASURED
        return Basis.MEASURED if measured else Basis.PREDICTED


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSize:
    """A direct requirement's share, installed and slug bytes.

    ``exclusive`` would go if the line went; ``shared`` is the rest of what it reaches;
    ``closure`` is all it reaches (exclusive + shared). Roots are never summed.
    """

    name: str
    exclusive_bytes: int
    shared_bytes: int
    exclusive_slug_bytes: int
    shared_slug_bytes: int
    exclusive_names: tuple[str, ...]

    @property
    def closure_bytes(self) -> int:
        """Installed bytes of all that it reaches, itself included."""
        return self.exclusive_bytes + self.shared_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Paths that two or more distributions write; on disk only one of them remains."""

    names: tuple[str, ...]
    files: int
    bytes: int  # counted once too often by a plain sum
    slug_bytes: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something else in the slug: runtime, package manager, app, models."""

    name: str
    group: str  # "runtime", "app", "models"
    installed: Estimate[int]
    slug: Estimate[int]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeReport:
    """Every size, with totals that are sums of the parts."""

    target: Target
    distributions: tuple[DistributionSize, ...]
    roots: tuple[RootSize, ...]
    parts: tuple[Part, ...]
    overlaps: tuple[Overlap, ...]
    unsized: tuple[Unsized, ...]
    transfer: Transfer
    installed: Estimate[int]  # distributions and parts, with bytecode
    slug: Estimate[int]  # the whole slug

    @property
    def download_bytes(self) -> int:
        """Bytes of the files the target's installer would fetch, where known."""
        return sum(d.download_bytes or 0 for d in self.distributions)

    @property
    def plain_bytes(self) -> int:
        """Installed bytes of the distributions without bytecode, shared paths counted once."""
        return sum(d.plain.value for d in self.distributions) - sum(o.bytes for o in self.overlaps)

    @property
    def bytecode_bytes(self) -> int:
        """Bytes of the distributions' bytecode."""
        return sum(d.bytecode.value for d in self.distributions)

    @property
    def dependencies_slug_bytes(self) -> int:
        """Slug bytes of the distributions, shared paths counted once."""
        both = sum(o.slug_bytes for o in self.overlaps)
        return sum(d.slug.value for d in self.distributions) - both

    @property
    def files(self) -> int:
        """Files of the distributions without bytecode files, shared paths counted once."""
        return sum(d.files for d in self.distributions) - sum(o.files for o in self.overlaps)

    def group_bytes(self, group: str) -> int:
        """Installed bytes of the parts of one group."""
        return sum(p.installed.value for p in self.parts if p.group == group)

    def group_slug_bytes(self, group: str) -> int:
        """Slug bytes of the parts of one group."""
        return sum(p.slug.value for p in self.parts if p.group == group)

    def line_of(self, name: str) -> Origin | None:
        """Return the line of a distribution: its own, or the nearest that requires it."""
        by_name = {one.name: one for one in self.distributions}
        waiting, seen = [name], {name}
        while waiting:
            current = waiting.pop(0)
            one = by_name.get(current)
            if one is None:
                continue
            if one.distribution.origins:
                return one.distribution.origins[0]
            more = [other for other in one.required_by if other not in seen]
            seen.update(more)
            waiting += more
        return None
