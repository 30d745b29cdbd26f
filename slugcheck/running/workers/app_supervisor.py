"""Runs an app's processes under a limit, reads their memory, and ends them with all they started.

A small process of its own, asked by lines of JSON on standard input; it answers each with one. It
is the reaper of everything below it, so that a process which leaves its parent is still found. When
the requests end, for whatever reason, all processes are killed and the folders removed: nothing is
left behind even when slugcheck itself is killed. Runs by path, and imports psutil alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import time

import memory_limit

sys.path += sys.argv[1:]  # where psutil is
import psutil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    Job = dict[str, Any]

_ENDING_SECONDS = 10.0  # that a killed process takes to end on a busy machine
_SAMPLE_SECONDS = 0.1
_FULL_SHARE = 0.05  # of the time that readings of shared memory may take
_LEAST_FULL_SECONDS = 0.2
_MOST_SAMPLES = 2000  # then every other one goes, and the next come half as often
_TAIL = 1 << 16  # bytes of the log that are kept
_READ = 1 << 16
_READS = 16  # of the log between two looks at everything else
_MOST_PROCESSES = 512  # a small dyno allows 256, with their threads
_LOOK_AT_DISK_SECONDS = 0.5
_KILL_SECONDS = 10.0
_NAME_LENGTH = 2000
_DEATH, _REAPER = 1, 36  # of prctl: PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER
_WANTED = ("Rss", "Pss_Anon", "Pss_Shmem", "Anonymous")
_SHARED = (b"/dev/shm/", b"/memfd:", b"/dev/zero", b"/SYSV")  # no file is behind them

_SELF = psutil.Process()
_HAS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")
_libc: Any = ctypes.CDLL(None, use_errno=True)


class Ended(Exception):
    """Whoever gives the requests is gone."""


def _fields(path: str, wanted: tuple[str, ...]) -> dict[str, int]:
    """Return some fields of a file of /proc that gives kB, in bytes."""
    found = {}
    with open(path, "rb") as lines:
        for line in lines:
            name, _, value = line.partition(b":")
            key = name.decode("ascii", "replace")
            if key in wanted:
                found[key] = int(value.split()[0]) * 1024
    return found


def _files(pid: int) -> dict[str, int]:
    """Return how much of each file a process has mapped into memory, in bytes."""
    found: dict[str, int] = {}
    name, resident = "", 0
    with open(f"/proc/{pid}/smaps", "rb") as lines:
        for line in lines:
            first = line[:4]
            if first == b"Rss:":
                resident = int(line.split()[1]) * 1024
            elif first == b"Anon" and line[:10] == b"Anonymous:":
                if name:
                    found[name] = found.get(name, 0) + resident - int(line.split()[1]) * 1024
            elif b"-" in line[:20] and line[:1].islower() | line[:1].isdigit():
                parts = line.split(None, 5)
                path = parts[5].strip() if len(parts) > 5 and parts[4] != b"0" else b""
                name = "" if path.startswith(_SHARED) else os.fsdecode(path)
    return found


def _together(reading: Job) -> int:
    """Return what all processes have in memory, each page counted once."""
    return int(reading["anon"] + reading["files"])


def _name(process: Any) -> str:
    """Return what a process is called: its program with the first words of its arguments."""
    with contextlib.suppress(psutil.Error):
        return " ".join(filter(None, process.cmdline()[:4]))[:_NAME_LENGTH]
    return ""


def _children(pid: int) -> list[int]:
    """Return the children of a process, in one glance that a process which forks rarely escapes."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as stream:
                found += map(int, stream.read().split())
    return found


def _below() -> list[tuple[int, int]]:
    """Return every process below this one with its parent, parents before their children."""
    if not _HAS_CHILDREN:
        return [(process.pid, process.ppid()) for process in _SELF.children(recursive=True)]
    found: list[tuple[int, int]] = []
    parents = [_SELF.pid]
    while parents and len(found) <= 2 * _MOST_PROCESSES:
        found += (below := [(pid, parent) for parent in parents for pid in _children(parent)])
        parents = [pid for pid, _ in below]
    return found


def _cpu(process: Any) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class App:
    """One process with all that it starts."""

    def __init__(self, request: Job, limit: Any) -> None:
        self.limit = limit
        self.code: Optional[int] = None
        self.killed = ""
        self.tail = b""
        self.log_bytes = 0
        self.samples: list[list[float]] = []
        self.peak: Any = None
        self.cpu: dict[int, float] = {}
        self.gone = False  # nothing lives any more, not even what has left its parent
        self._tree: dict[Any, int] = {}
        self._own_share = 1.0  # of what looks anonymous: forks count shared pages several times
        self._interval = _SAMPLE_SECONDS
        self._next_sample = self._next_full = self._next_disk = 0.0
        self._last_full: Any = None
        self._places: list[str] = request.get("places") or []
        self._most_disk: int = request.get("disk") or 0
        # held open, since the app may move or remove its own folder
        self._disk = os.open(self._places[0], os.O_RDONLY) if self._places else None
        self._free = self._free_bytes()
        cores = request.get("cores")

        def enter() -> None:
            _libc.prctl(_DEATH, signal.SIGKILL)
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            if limit.enter is not None:
                limit.enter()
            if cores:
                with contextlib.suppress(OSError, AttributeError):
                    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])

        self.spawned = time.monotonic()
        self.process: Any = subprocess.Popen(
            limit.wrapped(request["argv"]), env=request["env"], cwd=request["cwd"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=enter,
        )  # fmt: skip
        self._listen()

    # ----------------------------------------------------------------- what it says

    def _listen(self) -> None:
        self.output = self.process.stdout
        os.set_blocking(self.output.fileno(), False)

    def hear(self) -> bool:
        """Take in a part of the log; return whether there may be more."""
        try:
            chunk = os.read(self.output.fileno(), _READ)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.log_bytes += len(chunk)
        self.tail = (self.tail + chunk)[-_TAIL:]
        return bool(chunk)

    # ----------------------------------------------------------------- readings

    def tree(self) -> dict[Any, int]:
        """Return the living processes with their depth; the first has 0, strays have 1."""
        found: dict[Any, int] = {}
        depths: dict[int, int] = {}
        known = {process.pid: process for process in self._tree}
        for pid, parent in _below():
            with contextlib.suppress(psutil.Error):
                process = known.get(pid) or psutil.Process(pid)
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                depth = 0 if pid == self.process.pid else depths.get(parent, 0) + 1
                found[process] = depths[pid] = depth
        self._tree = found
        return found

    def look(self, now: float) -> None:
        """Take a sample where one is due; kill what takes more than it may."""
        if now < self._next_sample:
            return
        self._next_sample = now + self._interval
        self.limit.follow(self.process.pid)
        tree = self.tree()
        if len(tree) > _MOST_PROCESSES:
            self.kill(f"it started more than {_MOST_PROCESSES} processes")
            return
        rss = anon = count = 0
        for process in tree:
            try:
                memory = process.memory_info()
                self.cpu[process.pid] = _cpu(process)
            except psutil.Error:
                continue
            count += 1
            rss += memory.rss
            anon += max(0, memory.rss - memory.shared)
        if self.limit.kind == "watchdog" and anon > self.limit.bytes:
            anon = min(anon, self.measure(tree)["anon"])  # forks count shared pages several times
            if anon > self.limit.bytes:
                self.kill("memory")
        if now >= self._next_full and count:
            started = time.monotonic()
            self._last_full = self.measure(tree)
            self._own_share = min(1.0, self._last_full["anon"] / anon) if anon else 1.0
            cost = time.monotonic() - started
            self._next_full = now + max(_LEAST_FULL_SECONDS, cost / _FULL_SHARE)
        if self._last_full is not None:
            files = self._last_full["files"]
            exact = self.limit.anonymous() or round(anon * self._own_share)
            self.samples.append([now - self.spawned, rss, files, exact, count])
        if len(self.samples) > _MOST_SAMPLES:
            self.samples = self.samples[::2]
            self._interval *= 2
        if now >= self._next_disk:
            self._next_disk = now + _LOOK_AT_DISK_SECONDS
            self._look_at_disk()

    def measure(self, tree: Optional[dict[Any, int]] = None) -> Any:
        """Return a full reading of every process, and keep it where it is the highest."""
        processes: list[Any] = []
        files: dict[str, int] = {}
        for process, depth in (self.tree() if tree is None else tree).items():
            try:
                seen = _fields(f"/proc/{process.pid}/smaps_rollup", _WANTED)
                own = _files(process.pid)
            except (OSError, ValueError, IndexError):
                continue
            if not seen.get("Rss"):
                continue  # a zombie
            for name, size in own.items():
                files[name] = max(files.get(name, 0), size)
            anon = seen.get("Pss_Anon", seen.get("Anonymous", 0)) + seen.get("Pss_Shmem", 0)
            processes.append(
                {"name": _name(process), "depth": depth, "rss": seen["Rss"], "anon": anon}
            )
        reading: dict[str, Any] = {"processes": processes, "files": sum(files.values())}
        reading |= {key: sum(one[key] for one in processes) for key in ("rss", "anon")}
        if self.peak is None or _together(reading) > _together(self.peak):
            self.peak = reading
        return reading

    def cpu_seconds(self) -> float:
        """Return the CPU time that the processes took so far, those that have ended included."""
        for process in self.tree():
            with contextlib.suppress(psutil.Error):
                self.cpu[process.pid] = _cpu(process)
        return sum(self.cpu.values())

    def listening(self) -> list[Any]:
        """Return the addresses and ports that the processes listen on."""
        found = set()
        for process in self.tree():
            with contextlib.suppress(psutil.Error):
                for socket in process.net_connections("tcp"):
                    if socket.status == psutil.CONN_LISTEN:
                        found.add((socket.laddr.ip, socket.laddr.port))
        return sorted(found)

    # ----------------------------------------------------------------- the disk

    def _free_bytes(self) -> int:
        if self._disk is None:
            return 0
        status = os.fstatvfs(self._disk)
        return status.f_bavail * status.f_frsize

    def _look_at_disk(self) -> None:
        """Kill what fills the disk: looked at closely only where much has gone."""
        if not self._most_disk or self._disk is None:
            return
        if self._free - self._free_bytes() < self._most_disk // 4:
            return
        self._free = self._free_bytes() + self._most_disk // 8
        if sum(map(_size, self._places)) + self._unlinked(self._disk) > self._most_disk:
            self.kill("disk")

    def _unlinked(self, disk: int) -> int:
        """Return the bytes of files on that disk which have no name any more, but are open."""
        device = os.fstat(disk).st_dev
        found = {}
        for process in self._tree:
            with contextlib.suppress(OSError):
                for name in os.listdir(f"/proc/{process.pid}/fd"):
                    with contextlib.suppress(OSError):
                        status = os.stat(f"/proc/{process.pid}/fd/{name}")
                        if stat.S_ISREG(status.st_mode) and not status.st_nlink:
                            found[status.st_dev, status.st_ino] = status.st_blocks * 512
        return sum(size for (where, _), size in found.items() if where == device)

    # ----------------------------------------------------------------- the end

    def close(self) -> None:
        """Let go of what is open for it."""
        with contextlib.suppress(OSError):
            self.output.close()
        if self._disk is not None:
            os.close(self._disk)
            self._disk = None

    def signal(self, number: int) -> None:
        """Send a signal to every process, as a dyno manager does."""
        for process in self.tree():
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)

    def kill(self, why: str) -> None:
        """Kill every process, and keep why.

        The children of a killed one become ours, so killing ours until there is none is enough,
        however fast they fork.
        """
        self.killed = self.killed or why
        end = time.monotonic() + _KILL_SECONDS
        while time.monotonic() < end:
            self.limit.kill()
            for pid in _children(_SELF.pid) if _HAS_CHILDREN else [pid for pid, _ in _below()]:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.reap()
            if self.gone:
                return

    def reap(self) -> None:
        """Take note of what has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.gone = True  # what lives has an ancestor that lives: this process in the end
                return
            if pid == 0:
                return
            if pid == self.process.pid:
                self.code = self.process.returncode = os.waitstatus_to_exitcode(status)


def _size(place: str) -> int:
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(folder, name))
                total += status.st_blocks * 512 if stat.S_ISREG(status.st_mode) else 0
    return total


def _is_ending(pid: int) -> bool:
    """Return whether a process is on its way out (PF_EXITING in proc_pid_stat(5)), or is gone."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return fields[0] in (b"Z", b"X") or bool(int(fields[6]) & 4)
    except OSError:
        return True


def _remove(folder: str) -> None:
    """Remove a folder, with those in it that the app has closed to its own user."""
    for place, names, _ in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with contextlib.suppress(OSError):
                if not os.path.islink(path):
                    os.chmod(path, stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


class Supervisor:
    """What is asked for, one request after another; one app at a time."""

    def __init__(self) -> None:
        self._rest = b""
        self._app: Optional[App] = None
        self._folders: list[str] = []
        self._master = os.getppid()
        self._ears = selectors.DefaultSelector()
        self._ears.register(0, selectors.EVENT_READ)

    def serve(self) -> None:
        try:
            while True:
                while b"\n" in self._rest:
                    line, _, self._rest = self._rest.partition(b"\n")
                    request = json.loads(line)
                    answer = getattr(self, "do_" + request.pop("do"))(**request)
                    os.write(1, json.dumps(answer).encode() + b"\n")
                self._listen()
        except (Ended, BrokenPipeError):
            return
        finally:
            self._end()
            for folder in self._folders:
                _remove(folder)
            if self._folders and self._is_orphan():
                self._remove_run(os.path.dirname(self._folders[0]))

    def _is_orphan(self) -> bool:
        """Return whether slugcheck was killed.

        Its end of the pipe closes some time before its children get another parent.
        """
        end = time.monotonic() + _ENDING_SECONDS
        while os.getppid() == self._master:
            if not _is_ending(self._master) or time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def _remove_run(self, place: str) -> None:
        """Remove the run's own folder as well, since slugcheck was killed."""
        with contextlib.suppress(OSError):
            for entry in os.scandir(place):
                if entry.is_symlink() and os.readlink(entry.path) in self._folders:
                    os.unlink(entry.path)
            os.rmdir(place)
            os.rmdir(os.path.dirname(place))

    def _listen(self) -> None:
        app = self._app
        for key, _ in self._ears.select(_SAMPLE_SECONDS / 4 if app else None):
            if key.fd == 0:
                chunk = os.read(0, 1 << 16)
                if not chunk:
                    raise Ended
                self._rest += chunk
            elif app is not None and not self._hear(app):
                self._ears.unregister(key.fd)
        if app is not None:
            app.reap()
            if not app.gone:
                app.look(time.monotonic())

    def _hear(self, app: App) -> bool:
        for _ in range(_READS):
            before = app.log_bytes
            if not app.hear():
                return False
            if app.log_bytes == before:
                break
        return True

    def do_own(self, folders: list[str]) -> Any:
        """Remove those folders in the end."""
        self._folders += folders
        return {}

    def do_probe(self, folder: str) -> Any:
        """Say which kind of limit can be had here."""
        return {"kind": memory_limit.probe(folder)}

    def do_start(self, **request: Any) -> Any:
        """Start an app; the one before it is ended first."""
        self._end()
        try:
            limit = memory_limit.make(request["limit"])
        except OSError as error:
            return {"outcome": "unlimited", "reason": error.strerror or str(error)}
        try:
            app = App(request, limit)
        except OSError as error:
            limit.remove()
            return {"outcome": "unstarted", "reason": error.strerror or str(error)}
        self._app = app
        self._ears.register(app.output.fileno(), selectors.EVENT_READ)
        return {"outcome": "started"}

    def do_state(self, *, listening: bool = False, cpu: bool = False) -> Any:
        """Say whether the app runs, and what it listens on where that is asked for."""
        app = self._known()
        app.reap()
        return {
            "seconds": time.monotonic() - app.spawned,
            "code": app.code,
            "killed": app.killed,
            "processes": 0 if app.gone else max(1, len(app.tree())),
            "listening": app.listening() if listening else [],
            "log_bytes": app.log_bytes,
            "cpu": app.cpu_seconds() if cpu else None,
            "limit": app.limit.figures(),
        }

    def do_measure(self) -> Any:
        """Return a full reading of the memory."""
        return self._known().measure()

    def do_signal(self, number: int) -> Any:
        """Send a signal to every process."""
        self._known().signal(number)
        return {}

    def do_left(self) -> Any:
        """Return the names of the processes that live, without the first."""
        app = self._known()
        return {"names": [_name(process) for process, depth in app.tree().items() if depth]}

    def _hear_rest(self, app: App) -> None:
        """Take in what is there now, and no more than the part that is kept."""
        before, end = -1, app.log_bytes + _TAIL
        while before < app.log_bytes < end:
            before = app.log_bytes
            app.hear()

    def do_stop(self) -> Any:
        """Kill what is left, and return what was seen."""
        app = self._known()
        app.kill("the end")
        self._hear_rest(app)
        answer = {
            "code": app.code,
            "samples": app.samples,
            "peak": app.peak,
            "limit": app.limit.figures(),
            "tail": app.tail.decode("utf-8", "replace"),
            "bytes": app.log_bytes,
            "cut": app.log_bytes > len(app.tail),
        }
        self._end()
        return answer

    def _known(self) -> App:
        if self._app is None:
            raise Ended  # nobody asks that before it started one
        return self._app

    def _end(self) -> None:
        app, self._app = self._app, None
        if app is None:
            return
        app.kill("the end")
        with contextlib.suppress(KeyError, ValueError):
            self._ears.unregister(app.output.fileno())
        app.close()
        app.limit.remove()


def main() -> None:
    """Serve until the requests end."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the end of the requests is the sign
    _libc.prctl(_REAPER, 1, 0, 0, 0)
    Supervisor().serve()


if __name__ == "__main__":
    main()
