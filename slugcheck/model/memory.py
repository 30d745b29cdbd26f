"""The least RAM that an app takes, once its imports are done. Bytes of resident memory (RSS)."""

from __future__ import annotations

from dataclasses import dataclass

from slugcheck.model.figures import Estimate
from slugcheck.model.imports import LoadedModel, Scan, When
from slugcheck.model.platform import Dyno


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
class LoadedFile:
    """What a model adds to a worker that loads it when it starts.

    ``file_bytes`` is the size of its file, or of all files of its folder. ``measured`` is False
    where nobody measured what such a file takes; then the low end is 0.
    """

    model: LoadedModel
    file_bytes: int
    resident: Estimate[int]
    measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFloor:
    """The least that one worker needs: resident memory after its imports and with its models.

    ``resident`` is anonymous and file-backed memory together, as ``VmRSS`` says it; ``anonymous``
    is the part that is never shared with other programs. ``interpreter_bytes`` is the bare Python,
    ``standard_library_bytes`` what the imported modules of the standard library add. ``parts`` are
    the distributions, the largest first, ``models`` the model files that are loaded at the start;
    all of these add up to ``resident.value``.
    ``import_seconds`` is CPU time of the machine that the table was measured on.

    ``measured_on`` is the day the table was measured on, ``measured_python`` the Python that the
    figures are of, the nearest that was measured: "3.11.7".
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
    models: tuple[LoadedFile, ...] = ()

    @property
    def estimated_parts(self) -> tuple[MemoryPart, ...]:
        """The distributions whose imports nobody measured."""
        return tuple(part for part in self.parts if not part.measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFloor:
    """The floor on one size of machine, with the workers that it starts there."""

    dyno: Dyno
    workers: int
    total: Estimate[int]

    @property
    def is_too_small(self) -> bool:
        """Whether not even the imports fit."""
        return self.total.low > self.dyno.r14_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RamFloor:
    """What is resident once every worker has its imports. The app's own data come on top.

    ``worker`` is one of them; ``total`` are all, with the server's own process, in bytes: pages of
    files, which they share, count once. ``origin`` says where the number of workers comes from, ""
    where there is one for want of any other. With ``preload`` the workers share what the server
    loaded before them.

    ``doubts`` are reasons for which more may be loaded, or by more workers, than is counted: then
    the figure cannot show that a limit holds. Those of ``import_doubts`` are about one worker.
    """

    worker: WorkerFloor
    scan: Scan
    workers: int
    origin: str
    preload: bool
    total: Estimate[int]
    machines: tuple[MachineFloor, ...] = ()  # of the platform, in its order
    worker_doubts: tuple[str, ...] = ()

    @property
    def of_app(self) -> bool:
        """Whether the imports are those of the app's code, and not its direct requirements."""
        return self.scan.process is not None

    @property
    def import_doubts(self) -> tuple[str, ...]:
        """Why a worker may load more than is counted, once it serves."""
        unread = [
            f"{item.place}: {item.reason}"
            for item in self.scan.unread
            if item.when is not When.LATER
        ]
        missing = [f"{item.place}: nothing installs {item.root}" for item in self.scan.missing]
        models = [
            f"{item.place}: loads {item.path or 'a model whose file is not known'}, which is not "
            "counted"
            for item in self.uncounted_models
        ]
        return (*unread, *missing, *models)

    @property
    def uncounted_models(self) -> tuple[LoadedModel, ...]:
        """The models that are loaded at the start and are not among the app's files."""
        counted = {one.model for one in self.worker.models}
        return tuple(
            one for one in self.scan.models if one.when is not When.LATER and one not in counted
        )

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why all may take more than is counted."""
        return (*self.worker_doubts, *self.import_doubts)
