"""The least RAM that an app's processes take together."""

from __future__ import annotations

from dataclasses import dataclass

from slugcheck.model.figures import Estimate
from slugcheck.model.imports import Scan, When
from slugcheck.model.memory import Footprint
from slugcheck.model.platform import Dyno


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

    worker: Footprint
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
        return (*unread, *missing)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why all may take more than is counted."""
        return (*self.worker_doubts, *self.import_doubts)
