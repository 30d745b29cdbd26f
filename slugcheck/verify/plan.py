"""What is to be verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from slugcheck.model import Estimate, IndexOptions, Manager, SizeReport
from slugcheck.packed import Member
from slugcheck.variables import Variables


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A build to be done for real, and what was predicted of it.

    ``path`` is the requirements file or the lock. ``files`` are the app's files and its models, as
    they are in the slug. ``index`` is what the command line and the environment say of indexes:
    what the file itself says, the package manager reads.
    """

    sizes: SizeReport
    manager: Manager
    path: Path
    files: tuple[Member, ...]
    index: IndexOptions
    seconds: Estimate[float]  # predicted, for installing and compressing alone
    variables: Variables = field(default_factory=Variables)  # that its lines may use
    pinned: bool = True  # whether the resolved versions may be given to pip as constraints

    @property
    def pins(self) -> tuple[str, ...]:
        """The resolved versions, as lines of a constraints file."""
        return tuple(
            f"{one.name}=={one.distribution.version}"
            for one in self.sizes.distributions
            if not one.distribution.direct_url
        )
