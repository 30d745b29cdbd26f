"""A real limit on a worker's memory, by what the system has for it.

In this order: a cgroup of version 2 with the memory controller, one of version 1, systemd's user
manager, and where there is none of them a watchdog, which is reported as emulated. Never rlimits:
RLIMIT_AS counts addresses, so that 512 MB stop a PyTorch of 320 MB, and RLIMIT_RSS does nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Optional

    Job = dict[str, Any]

_REMOVE_SECONDS = 5


def probe(name: str) -> Any:
    """Return {"kind", "folder"} of the first way that works here; it is tried, then undone."""
    for kind, base in (("cgroup-v2", _v2_bases()), ("cgroup-v1", _v1_bases())):
        for place in base:
            request = {"kind": kind, "folder": os.path.join(place, name), "bytes": 1 << 30}
            try:
                limit = make(request)
            except OSError:
                continue
            limit.remove()
            return {"kind": kind, "folder": request["folder"]}
    if _systemd_works():
        return {"kind": "systemd", "folder": ""}
    return {"kind": "watchdog", "folder": ""}


def make(request: Job) -> Any:
    """Return a limit that is in force.

    :raises OSError: it cannot be had.
    """
    kinds = {"cgroup-v2": _V2, "cgroup-v1": _V1, "systemd": _Systemd, "watchdog": _Watchdog}
    return kinds[request["kind"]](request)


def _own(controller: str, pid: object = "self") -> Any:
    """Return a process's path in a hierarchy, by default this one's: "" is version 2."""
    try:
        with open(f"/proc/{pid}/cgroup") as lines:
            for line in lines:
                _, names, path = line.rstrip("\n").split(":", 2)
                if controller in names.split(","):
                    return path
    except (OSError, ValueError):
        pass
    return None


def _mounts(kind: str, option: str) -> Iterator[Any]:
    try:
        with open("/proc/self/mounts") as lines:
            for line in lines:
                _, place, filesystem, options = line.split()[:4]
                if filesystem == kind and (not option or option in options.split(",")):
                    yield place
    except (OSError, ValueError):
        return


def _v2_bases() -> Iterator[Any]:
    """Yield folders whose child may limit memory: beside this process's cgroup, and below it."""
    own = _own("")
    for place in _mounts("cgroup2", ""):
        if own is not None:
            below = os.path.join(place, own.lstrip("/"))
            yield below
            if own != "/":
                yield os.path.dirname(below.rstrip("/"))


def _v1_bases() -> Iterator[Any]:
    own = _own("memory")
    for place in _mounts("cgroup", "memory"):
        if own is not None and own != "/":
            yield os.path.join(place, own.lstrip("/"))
        yield place


def _systemd_works() -> bool:
    if not shutil.which("systemd-run"):
        return False
    command = [*_scope(1 << 30), "true"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _scope(size: int) -> Any:
    return [
        "systemd-run", "--user", "--scope", "--quiet", "--collect",
        "-p", f"MemoryMax={size}", "-p", "MemorySwapMax=0", "--",
    ]  # fmt: skip


def _number(path: str) -> Any:
    with contextlib.suppress(OSError, ValueError), open(path) as stream:
        return int(stream.read())
    return None


def _table(path: str) -> Any:
    table = {}
    with contextlib.suppress(OSError, ValueError), open(path) as lines:
        for line in lines:
            name, value = line.split()
            table[name] = int(value)
    return table


def _write(path: str, value: object) -> None:
    with open(path, "w") as stream:
        stream.write(str(value))


def _kill_all(folder: str) -> None:
    """Kill the processes in a cgroup."""
    with contextlib.suppress(OSError), open(os.path.join(folder, "cgroup.procs")) as lines:
        for line in lines:
            with contextlib.suppress(OSError):
                os.kill(int(line), signal.SIGKILL)


def _sweep(folder: str, kill: Callable[[], None]) -> None:
    """Kill what is in a cgroup until it can be removed."""
    end = time.monotonic() + _REMOVE_SECONDS
    while os.path.isdir(folder) and time.monotonic() < end:
        kill()
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # busy for some milliseconds after the last process
            return
        time.sleep(0.02)


class _Limit:
    """What all have: the last sight of the process, since a killed one cannot tell its peak."""

    interval = 0.02
    enter: Optional[Callable[[], None]] = None

    def __init__(self, request: Job) -> None:
        self.kind = request["kind"]
        self.bytes = request["bytes"]
        self.seen = {"peak": 0, "anon": 0, "faults": 0}

    def wrapped(self, argv: list[str]) -> Any:
        return argv

    def watch(self, pid: int) -> bool:
        """Look at the process; return whether it is to be killed."""
        try:
            with open(f"/proc/{pid}/status") as stream:
                fields = dict(line.split(":", 1) for line in stream)
            with open(f"/proc/{pid}/stat") as stream:
                faults = int(stream.read().rpartition(")")[2].split()[9])
        except (OSError, ValueError, IndexError):
            return False
        for key, name in (("peak", "VmHWM"), ("anon", "RssAnon")):
            if name in fields:
                self.seen[key] = max(self.seen[key], int(fields[name].split()[0]) * 1024)
        self.seen["faults"] = max(self.seen["faults"], faults)
        return False

    def follow(self, pid: int) -> None:
        """Learn where a process under it is counted."""

    def figures(self) -> Any:
        return dict(self.seen)

    def anonymous(self) -> Any:
        """Return the anonymous memory of all processes under it now; None if it keeps no count."""
        return None

    def kill(self) -> None:
        """Kill what is under it, where that can be done in one go."""

    def remove(self) -> None:
        """Undo it."""


class _Group(_Limit):
    """A cgroup, made here and removed here."""

    def __init__(self, request: Job) -> None:
        super().__init__(request)
        self.folder = request["folder"]
        os.mkdir(self.folder)
        try:
            self._restrict()
        except OSError:
            os.rmdir(self.folder)
            raise

    def _restrict(self) -> None:
        raise NotImplementedError

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def enter(self) -> None:
        """Move the new process in, before it becomes the worker."""
        _write(self._path("cgroup.procs"), "0")

    def kill(self) -> None:
        _kill_all(self.folder)

    def remove(self) -> None:
        _sweep(self.folder, self.kill)


class _V1(_Group):
    def _restrict(self) -> None:
        _write(self._path("memory.limit_in_bytes"), self.bytes)
        swap = self._path("memory.memsw.limit_in_bytes")
        if os.path.exists(swap):
            _write(swap, self.bytes)

    def anonymous(self) -> Any:
        return _table(self._path("memory.stat")).get("rss")

    def figures(self) -> Any:
        return dict(
            self.seen,
            usage_peak=_number(self._path("memory.max_usage_in_bytes")),
            failures=_number(self._path("memory.failcnt")),
            kills=_table(self._path("memory.oom_control")).get("oom_kill", 0),
        )


class _V2(_Group):
    def _restrict(self) -> None:
        _write(self._path("memory.max"), self.bytes)
        swap = self._path("memory.swap.max")
        if os.path.exists(swap):
            _write(swap, 0)

    def anonymous(self) -> Any:
        return _table(self._path("memory.stat")).get("anon")

    def kill(self) -> None:
        try:
            _write(self._path("cgroup.kill"), 1)  # Linux 5.14
        except OSError:
            super().kill()

    def figures(self) -> Any:
        events = _table(self._path("memory.events"))
        return dict(
            self.seen,
            usage_peak=_number(self._path("memory.peak")),
            failures=events.get("max", 0),
            kills=events.get("oom_kill", 0),
        )


class _Systemd(_Limit):
    """A scope of systemd, which is a cgroup of version 2 that is gone with its last process."""

    def __init__(self, request: Job) -> None:
        super().__init__(request)
        self._group = ""
        self._kills: Any = None  # not known before it was found

    def wrapped(self, argv: list[str]) -> Any:
        return [*_scope(self.bytes), *argv]

    def follow(self, pid: int) -> None:
        if not self._group:
            path = _own("", pid)
            places = list(_mounts("cgroup2", ""))
            if path and places and path.endswith(".scope") and path != _own(""):
                self._group = os.path.join(places[0], path.lstrip("/"))
        if self._group:  # what was read last stays when the scope is gone
            events = _table(os.path.join(self._group, "memory.events"))
            self._kills = events.get("oom_kill", self._kills)

    def anonymous(self) -> Any:
        return _table(os.path.join(self._group, "memory.stat")).get("anon") if self._group else None

    def figures(self) -> Any:
        return dict(self.seen, kills=self._kills)


class _Watchdog(_Limit):
    """Kills a process whose anonymous memory is beyond the limit; file pages could be dropped."""

    interval = 0.003

    def watch(self, pid: int) -> bool:
        super().watch(pid)
        return bool(self.seen["anon"] > self.bytes)


if __name__ == "__main__":  # a cgroup whose supervisor was killed
    _sweep(sys.argv[1], lambda: _kill_all(sys.argv[1]))
