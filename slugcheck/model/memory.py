"""What a worker needs in memory once its imports are done. Bytes of resident memory (RSS)."""

from __future__ import annotations

from dataclasses import dataclass

from slugcheck.model.figures import Basis, Estimate
from slugcheck.model.sizes import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A resolved distribution, as far as its memory depends on it.

    ``name`` is canonical. ``requires`` are canonical names of the distributions that it requires
    on the target, its extras' included. ``entries`` are the files of its wheel; they are needed for
    a distribution that no one has measured, and empty where they are not known.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPart:
    """What one distribution adds to the resident memory of a worker.

    ``measured_version`` is the version in the table of measured imports; None if there is none, and
    ``resident`` was estimated from the sizes of its files. ``chain`` is a shortest path of imports
    that loads it, from a name that the app imports: ``("detector", "ultralytics", "torch")``
    without the app's own modules.
    """

    name: str
    version: str
    resident: Estimate[int]
    anonymous_bytes: int
    import_seconds: float
    measured_version: str | None
    chain: tuple[str, ...]

    @property
    def measured(self) -> bool:
        """Whether its imports were measured, in this version or another one."""
        return self.measured_version is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownImport:
    """An imported name that the table lacks.

    ``distribution`` is the resolved distribution that provides it, and whose memory is estimated;
    None if no resolved distribution provides it, and nothing is counted for it.
    """

    name: str
    distribution: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """The least that one worker needs: resident memory after its imports.

    ``resident`` is anonymous and file-backed memory together, as ``VmRSS`` says it; ``anonymous``
    is the part that is never shared with other programs. ``interpreter_bytes`` is the bare Python,
    ``standard_library_bytes`` what the imported modules of the standard library add. ``parts`` are
    the distributions, the largest first; with both they add up to ``resident.value``.
    ``import_seconds`` is CPU time of the machine that the table was measured on.

    ``measured_on`` is the day the table was measured on, ``measured_python`` the Python it was
    measured with: "3.11.7".
    """

    resident: Estimate[int]
    anonymous: Estimate[int]
    interpreter_bytes: int
    standard_library_bytes: int
    parts: tuple[MemoryPart, ...]
    import_seconds: Estimate[float]
    unknown: tuple[UnknownImport, ...]
    measured_on: str
    measured_python: str

    @property
    def estimated_parts(self) -> tuple[MemoryPart, ...]:
        """The distributions whose imports nobody measured."""
        return tuple(part for part in self.parts if not part.measured)

    @property
    def basis(self) -> Basis:
        """Always predicted: the app itself was not started."""
        return self.resident.basis
