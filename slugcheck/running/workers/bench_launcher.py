"""Starts workers, each a fresh process, and tells what became of them.

A small process of its own: a worker never begins in the shadow of a large parent. Reads requests as
lines of JSON and answers each with one. When the requests end, for whatever reason, everything that
it started is killed, and the folders that it owns are removed: nothing is left behind even when
slugcheck itself is killed. Runs by path and knows the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import time

import memory_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Optional

    Job = dict[str, Any]

_TAIL = 6000  # bytes of a worker's standard error that are kept
_LINE = 1 << 20  # a longer line is no event
_WRITTEN: set[str] = set()  # on the disk as they are: asked for once, since it takes long


class Ended(Exception):
    """Whoever gives the requests is gone."""


class Requests:
    """Lines of JSON on standard input."""

    def __init__(self) -> None:
        self._rest = b""

    def next(self) -> Any:
        while b"\n" not in self._rest:
            self.listen()
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def listen(self) -> None:
        """Take in what has come.

        :raises Ended: nothing will come any more.
        """
        chunk = os.read(0, 1 << 16)
        if not chunk:
            raise Ended
        self._rest += chunk


class Worker:
    """One process, its events and the last it said."""

    def __init__(self, request: Job, limit: Any) -> None:
        self.events: list[Job] = []
        self.garbage: Optional[bytes] = None
        self.output = b""
        self._rest = b""
        self.spawned = time.monotonic()
        enter = limit.enter if limit else None
        self.process: Any = subprocess.Popen(
            limit.wrapped(request["argv"]) if limit else request["argv"],
            env=request["env"], cwd=request.get("cwd"), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            preexec_fn=enter,
        )  # fmt: skip
        self.ears = selectors.DefaultSelector()
        heard: Any = ((self.process.stdout, self.hear), (self.process.stderr, self.overhear))
        for stream, ear in heard:
            self.ears.register(stream, selectors.EVENT_READ, ear)
            os.set_blocking(stream.fileno(), False)
        self.write(json.dumps(dict(request["job"], spawned=self.spawned)))

    def write(self, line: str) -> None:
        with contextlib.suppress(OSError):  # it has ended: its events say why
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def hear(self, stream: IO[Any]) -> bool:
        """Take in events; return whether there may be more."""
        chunk = _read(stream)
        self._rest += chunk or b""
        while b"\n" in self._rest:
            line, _, self._rest = self._rest.partition(b"\n")
            self._take(line)
        if len(self._rest) > _LINE:
            self.garbage, self._rest = self._rest[:80], b""
        return chunk != b""

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            if not isinstance(event, dict) or not isinstance(event.get("event"), str):
                raise ValueError
        except ValueError:
            self.garbage = self.garbage or line[:80]
            return
        self.events.append(event)

    def overhear(self, stream: IO[Any]) -> bool:
        chunk = _read(stream)
        self.output = (self.output + (chunk or b""))[-_TAIL:]
        return chunk != b""

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.ears.close()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                stream.close()


def _read(stream: IO[Any]) -> Optional[bytes]:
    try:
        return os.read(stream.fileno(), 1 << 16)
    except BlockingIOError:
        return None


class Launcher:
    """What is asked for, one request after another."""

    def __init__(self) -> None:
        self._requests = Requests()
        self._workers: list[Worker] = []
        self._limits: list[Any] = []
        self._folders: list[str] = []

    def serve(self) -> None:
        os.set_blocking(0, True)
        try:
            while True:
                request = self._requests.next()
                answer = getattr(self, "do_" + request["do"])(request)
                os.write(1, json.dumps(answer).encode() + b"\n")
        except (Ended, BrokenPipeError):
            return
        finally:
            self._clean()
            for folder in self._folders:
                shutil.rmtree(folder, ignore_errors=True)

    def do_own(self, request: Job) -> Any:
        """Remove those folders in the end."""
        self._folders += request["folders"]
        return {}

    def do_probe(self, request: Job) -> Any:
        """Say which kind of limit can be had here."""
        return {"kind": memory_limit.probe(request["folder"])}

    def do_evict(self, request: Job) -> Any:
        """Take files out of the page cache; return how many bytes they are."""
        return {"bytes": _evict(request["places"])}

    def do_run(self, request: Job) -> Any:
        """Run one worker to its end."""
        try:
            limit = memory_limit.make(request["limit"]) if request.get("limit") else None
        except OSError as error:
            return {"outcome": "unlimited", "reason": str(error)}
        if limit:
            self._limits.append(limit)
        try:
            worker = Worker(request["worker"], limit)
        except OSError as error:
            self._clean()
            return {"outcome": "unstarted", "reason": error.strerror or str(error)}
        self._workers.append(worker)
        try:
            late = self._follow(worker, request, limit)
            return _answer(worker, late, limit)
        finally:
            self._clean()

    def do_pair(self, request: Job) -> Any:
        """Let two live workers infer in turn; return the times of each, block by block."""
        try:
            for worker_request in request["workers"]:
                self._workers.append(Worker(worker_request, None))
            for worker in self._workers:
                self._until(worker, "ready", request["silence"])
            blocks = [self._block(request) for _ in range(request["blocks"])]
        except (_Silent, OSError) as error:
            return {"outcome": "failed", "reason": str(error), "events": _events(self._workers)}
        finally:
            self._clean()
        return {"outcome": "ended", "blocks": blocks}

    def _block(self, request: Job) -> Any:
        times: list[list[list[int]]] = [[] for _ in self._workers]
        for _ in range(request["per_block"]):
            for number, worker in enumerate(self._workers):
                worker.write("go")
                served = self._until(worker, "served", request["silence"])
                times[number].append([served["cpu_ns"], served["wall_ns"]])
        return times

    def _until(self, worker: Worker, name: str, silence: float) -> Any:
        """Return the next event of that name."""
        worker.events.clear()
        end = time.monotonic() + silence
        while time.monotonic() < end:
            more = self._wait(worker, end - time.monotonic())
            for event in worker.events:
                if event["event"] == name:
                    return event
            if not more or any(event["event"] == "failed" for event in worker.events):
                break
        raise _Silent("a worker did not answer")

    def _follow(self, worker: Worker, request: Job, limit: Any) -> Any:
        """Listen until the worker ends; return what ran out of time, "" if nothing did.

        A limited one has a time for all it does, another for each silence between two events.
        """
        total = worker.spawned + request["total"]
        heard, last = 0, time.monotonic()
        while True:
            now = time.monotonic()
            if now > total:
                return "total"
            if now > last + request["silence"]:
                return "silence"
            if limit and limit.watch(worker.process.pid):
                return "limit"
            wait = limit.interval if limit else min(total, last + request["silence"]) - now
            if not self._wait(worker, wait) or worker.garbage:
                return ""
            if len(worker.events) > heard:
                heard, last = len(worker.events), time.monotonic()

    def _wait(self, worker: Worker, seconds: float) -> bool:
        """Take in what comes within some seconds; return whether the worker may say more."""
        with contextlib.suppress(KeyError, ValueError):
            worker.ears.register(0, selectors.EVENT_READ, None)
        for key, _ in worker.ears.select(max(seconds, 0)):
            if key.data is None:
                self._requests.listen()  # no request is due: it is the end
            elif not key.data(key.fileobj):
                worker.ears.unregister(key.fileobj)
        return len(worker.ears.get_map()) > 1

    def _clean(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers = []
        for limit in self._limits:
            limit.remove()
        self._limits = []


class _Silent(Exception):
    """A worker that should answer does not."""


def _events(workers: list[Worker]) -> Any:
    return [event for worker in workers for event in worker.events if event["event"] == "failed"]


def _answer(worker: Worker, late: str, limit: Any) -> Any:
    code = None
    if not late and not worker.garbage:
        # both streams are closed; one that closed them and lives on is killed after a moment
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = worker.process.wait(timeout=5)
    return {
        "outcome": "ended",
        "late": late,
        "code": code,
        "events": worker.events,
        "garbage": worker.garbage.decode("utf-8", "replace") if worker.garbage else None,
        "output": worker.output.decode("utf-8", "replace"),
        "seconds": time.monotonic() - worker.spawned,
        "limit": limit.figures() if limit else None,
    }


def _evict(places: list[str]) -> Any:
    total = 0
    for place in places:
        if os.path.isfile(place):
            total += _evict_file(place)
            continue
        for folder, _, names in os.walk(place):
            for name in names:
                total += _evict_file(os.path.join(folder, name))
    return total


def _evict_file(path: str) -> Any:
    if not hasattr(os, "posix_fadvise"):
        return 0
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return 0
    try:
        size = os.fstat(handle).st_size
        if path not in _WRITTEN:
            os.fdatasync(handle)  # a page that is not written yet stays
            _WRITTEN.add(path)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        return size
    except OSError:
        return 0
    finally:
        os.close(handle)


def main() -> None:
    """Serve until the requests end."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the end of the requests is the sign
    Launcher().serve()


if __name__ == "__main__":
    main()
