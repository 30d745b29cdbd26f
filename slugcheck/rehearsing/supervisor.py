"""An app's processes, run under a limit by a supervisor and read from outside."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.model.rehearsal import MemoryLimit, MemorySample, ProcessMemory, TreeMemory
from slugcheck.running.spawner import Json, Spawner, sweep
from slugcheck.text import printable, shown_command

_SHOWN = 200  # characters of a process's command


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start. ``cores`` is how many it may use; None: all. ``disk`` bounds what it writes.

    ``limit_bytes`` is where it is killed. ``places`` are the folders that it may write to.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    cwd: str
    limit_bytes: int
    cores: int | None = None
    places: tuple[str, ...] = ()
    disk: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How an app stands, ``seconds`` after its start.

    ``code`` is None while its first process lives. ``killed`` is why slugcheck ended it, "" if it
    did not: ``memory``, ``disk``, or a sentence. ``listening`` are addresses and ports.
    """

    seconds: float
    code: int | None
    killed: str
    processes: int
    listening: tuple[tuple[str, int], ...]
    log_bytes: int
    cpu_seconds: float | None
    oom_kills: int

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self.code is None and not self.killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The last bytes of what it printed, and how many there were."""

    tail: str
    bytes: int
    cut: bool  # whether there was more before the tail

    def last(self, count: int) -> tuple[str, ...]:
        """Return the last lines, without blank ones; one that is cut at its begin is left out.

        Its missing part may be that by which a secret is known.
        """
        text = self.tail
        if self.cut:
            text = text.partition("\n")[2]
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        return tuple(lines[-count:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What was seen of an app until its end."""

    code: int | None
    series: tuple[MemorySample, ...]
    peak: TreeMemory | None
    log: Log


class Supervisor(Spawner):
    """Runs one app at a time. As a context manager it ends with everything that it started."""

    def __init__(self) -> None:
        """Start it.

        :raises MeasureError: it cannot be started.
        """
        super().__init__("app_supervisor.py", does="runs the app", imports=("psutil",))
        self._limit: Json | None = None

    def close(self) -> None:
        """End it, and what it has left in its cgroup where the app has killed it."""
        super().close()
        group = self._limit["folder"] if self._limit is not None else ""
        if group and Path(group).is_dir():
            sweep(group)

    @property
    def limit_method(self) -> str:
        """What enforces limits here: ``cgroup-v2``, ``cgroup-v1``, ``systemd`` or ``watchdog``."""
        return str(self._kind()["kind"])

    def _kind(self) -> Json:
        if self._limit is None:
            name = f"slugcheck-{os.getpid()}-{secrets.token_hex(4)}"
            self._limit = self.probe_limit(name)
        return self._limit

    def start(self, command: Command) -> MemoryLimit:
        """Start an app; the one before it is ended first.

        :raises MeasureError: it cannot be started, or the limit cannot be set.
        """
        kind = self._kind()
        answer = self._ask(
            do="start", argv=list(command.argv), env=dict(command.environment), cwd=command.cwd,
            limit={**kind, "bytes": command.limit_bytes}, cores=command.cores,
            places=list(command.places), disk=command.disk,
        )  # fmt: skip
        if answer["outcome"] == "unlimited":
            raise MeasureError(f"the memory limit cannot be set: {answer['reason']}")
        if answer["outcome"] != "started":
            raise MeasureError(f"{command.argv[0]} cannot be started: {answer['reason']}")
        return MemoryLimit(method=self.limit_method, bytes=command.limit_bytes)

    def state(self, *, listening: bool = False, cpu: bool = False) -> State:
        """Return how the app stands; what it listens on and its CPU time only where asked for."""
        answer = self._ask(do="state", listening=listening, cpu=cpu)
        return State(
            seconds=answer["seconds"],
            code=answer["code"],
            killed=answer["killed"],
            processes=answer["processes"],
            listening=tuple((address, port) for address, port in answer["listening"]),
            log_bytes=answer["log_bytes"],
            cpu_seconds=answer["cpu"],
            oom_kills=answer["limit"].get("kills") or 0,
        )

    def measure(self) -> TreeMemory:
        """Return the memory of every process now."""
        return _tree(self._ask(do="measure"))

    def signal(self, number: int) -> None:
        """Send a signal to every process of the app, as a dyno manager does."""
        self._ask(do="signal", number=number)

    def left(self) -> tuple[str, ...]:
        """Return the commands of the processes that live beside the first."""
        return tuple(map(_name, self._ask(do="left")["names"]))

    def stop(self) -> Stopped:
        """Kill what is left of the app, and return what was seen."""
        answer = self._ask(do="stop")
        return Stopped(
            code=answer["code"],
            series=tuple(
                MemorySample(
                    seconds=seconds, rss_bytes=rss, resident_bytes=anon + files,
                    anonymous_bytes=anon, processes=count,
                )
                for seconds, rss, files, anon, count in answer["samples"]
            ),
            peak=_tree(answer["peak"]) if answer["peak"] else None,
            log=_log(answer),
        )  # fmt: skip


def _tree(answer: Json) -> TreeMemory:
    return TreeMemory(
        rss_bytes=answer["rss"],
        resident_bytes=answer["anon"] + answer["files"],
        anonymous_bytes=answer["anon"],
        processes=tuple(
            ProcessMemory(
                name=_name(one["name"]),
                depth=one["depth"],
                rss_bytes=one["rss"],
                anonymous_bytes=one["anon"],
            )
            for one in answer["processes"]
        ),
    )


def _name(text: str) -> str:
    """Return what a process is called, cut only where no secret is in it any more."""
    return printable(shown_command(text))[:_SHOWN]


def _log(answer: Json) -> Log:
    return Log(tail=answer["tail"], bytes=answer["bytes"], cut=answer["cut"])
