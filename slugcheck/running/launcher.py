"""The client of the launcher, a small process that starts workers and cleans up after us.

It has its own session, so an interruption reaches it as the end of its requests.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slugcheck.errors import MeasureError
from slugcheck.running import child, ending, temporary

WORKERS = Path(__file__).parent / "workers"
# What a worker gets of our environment. Thread counts, allocators and PYTHON* would change figures.
_KEPT = re.compile(
    r"^(?:PATH|HOME|USER|LOGNAME|LANG|LC_.*|TMPDIR|LD_LIBRARY_PATH|SYSTEMROOT|"
    r"XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS)$"
)
_LAST_SECONDS = 20
SILENCE_SECONDS = 180.0  # between two events of a worker; a model may take long to load
TOTAL_SECONDS = 900.0

Json = dict[str, Any]
_SIGNALS = {
    -4: "an illegal instruction: the runtime was built for another processor",
    -6: "it aborted",
    -7: "a bus error",
    -9: "killed, as happens when the system runs out of memory",
    -11: "a segmentation fault",
}
_AFTER = {
    "": "at its start: ",
    "baseline": "importing the runtime: ",
    "import": "loading the model: ",
    "load": "at the first inference: ",
    "first": "in the timed loop: ",
    "beat": "in the timed loop: ",
    "steady": "after the timed loop: ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A script to run, with its job and the interpreter to run it with."""

    python: str
    script: str
    job: Mapping[str, Any]
    environment: Mapping[str, str]
    cwd: str | None = None

    def request(self) -> Json:
        """Return the request for the launcher."""
        script = str(WORKERS / self.script)
        # resolve() would follow an environment's link to the Python below it
        named = os.path.dirname(self.python)  # noqa: PTH120 - Path drops a leading "./"
        python = os.path.abspath(self.python) if named else self.python  # noqa: PTH100 - as above
        return {
            "argv": [python, "-W", "ignore", script],
            "env": clean_environment(os.environ) | dict(self.environment),
            "cwd": self.cwd or self._users_folder(),
            "job": dict(self.job),
        }

    def _users_folder(self) -> str | None:
        """Return where the user is, for code of theirs; anything else begins in our folder."""
        own_code = "factory" in self.job and bool(self.job.get("path"))
        return str(Path.cwd()) if own_code else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a worker ended. ``problem`` is "" if it did all of its job."""

    events: tuple[Json, ...]
    problem: str
    late: str  # "total", "silence" or "limit": what ran out
    code: int | None
    seconds: float
    limit: Json | None

    def event(self, name: str) -> Json | None:
        """Return the last event of a name."""
        return next((event for event in reversed(self.events) if event["event"] == name), None)


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that every worker begins with."""
    kept = {key: value for key, value in environ.items() if _KEPT.match(key)}
    return kept | ({"PATH": child.safe_path(kept["PATH"])} if "PATH" in kept else {})


class Launcher:
    """Used as a context manager; ``folder`` is for temporary files and gone in the end."""

    def __init__(self) -> None:
        """Start it.

        :raises MeasureError: it cannot be started.
        """
        self._temporary = temporary.Folder()
        self.folder = self._temporary.path
        self._process = self._started()
        self._ask(do="own", folder=str(self.folder))

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-E", "-s", "-S", str(WORKERS / "bench_launcher.py")]
        try:
            with ending.made_known():
                process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                    start_new_session=True, env=clean_environment(os.environ),
                )  # fmt: skip
                ending.processes[process.pid] = lambda: _end(process)
                return process
        except OSError as error:
            self._temporary.close()
            message = f"cannot start the process that starts workers: {error.strerror}"
            raise MeasureError(message) from None

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it: it kills what it started and removes the folder."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                with suppress(OSError):  # what it did not read any more
                    stream.close()
        try:
            self._process.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        ending.processes.pop(self._process.pid, None)
        self._temporary.close()

    def run(
        self, worker: Worker, *, total: float = TOTAL_SECONDS, silence: float = SILENCE_SECONDS,
        limit: Mapping[str, Any] | None = None,
    ) -> Ended:  # fmt: skip
        """Run a worker to its end, or to the end of its time (seconds)."""
        answer = self._ask(
            do="run", worker=worker.request(), total=total, silence=silence, limit=limit
        )
        if answer["outcome"] != "ended":
            problem = f"{worker.python} cannot be started: {answer['reason']}"
            if answer["outcome"] == "unlimited":
                problem = f"the memory limit cannot be set: {answer['reason']}"
            return Ended(events=(), problem=problem, late="", code=None, seconds=0, limit=None)
        return Ended(
            events=tuple(answer["events"]),
            problem=_problem(answer, silence=silence, total=total),
            late=answer["late"],
            code=answer["code"],
            seconds=answer["seconds"],
            limit=answer["limit"],
        )

    def pair(self, workers: Sequence[Worker], *, blocks: int, per_block: int) -> Json:
        """Let two live workers infer in turn; return ``blocks``, or a ``reason``."""
        requests = [worker.request() for worker in workers]
        return self._ask(
            do="pair", workers=requests, blocks=blocks, per_block=per_block, silence=SILENCE_SECONDS
        )

    def evict(self, places: Sequence[str]) -> int:
        """Take files out of the page cache; return how many bytes they are, 0 if it cannot be."""
        return int(self._ask(do="evict", places=list(places))["bytes"])

    def probe_limit(self, name: str) -> Json:
        """Return which kind of memory limit can be had here."""
        return dict(self._ask(do="probe", folder=name)["kind"])

    def _ask(self, **request: Any) -> Json:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - it was asked to be a pipe
        assert stdout is not None  # noqa: S101 - so was this
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            answer = stdout.readline()
        except OSError:
            answer = b""
        if not answer:
            ending.halt()
            message = "the process that starts workers has ended unexpectedly"
            raise MeasureError(message, hint="is the machine out of memory? run it again")
        return dict(json.loads(answer))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the launcher from a signal's handler: its requests end, and it cleans up behind us."""
    if process.stdin is not None:
        os.close(process.stdin.fileno())
    end = time.monotonic() + _LAST_SECONDS
    while not child.has_ended(process):
        if time.monotonic() > end:
            os.killpg(process.pid, signal.SIGKILL)
            return
        time.sleep(0.01)


def _problem(answer: Json, *, silence: float, total: float) -> str:
    """Return in one line why a worker did not finish its job, "" if it did."""
    events: list[Json] = answer["events"]
    last = events[-1]["event"] if events else ""
    if last == "end":
        return ""
    where = _AFTER.get(last, "")
    if last == "failed":
        before = next((e["event"] for e in reversed(events[:-1]) if e["event"] in _AFTER), "")
        return f"{_AFTER.get(before, '')}{_reason(events[-1])}"
    if answer["garbage"] is not None:
        return f"{where}it printed unexpected output: {answer['garbage']!r}"
    if answer["late"] == "silence":
        return f"{where}it hung: no output for {silence:.0f} s"
    if answer["late"] == "total":
        return f"{where}it did not finish within {total:.0f} s"
    return f"{where}{_exit(answer)}"


def _reason(event: Json) -> str:
    kind, reason = event["kind"], event["reason"]
    if kind in ("ModuleNotFoundError", "SystemExit"):
        return str(reason)
    return f"{kind}: {reason}" if reason else str(kind)


def _exit(answer: Json) -> str:
    code = answer["code"]
    lines = [line.strip() for line in answer["output"].splitlines() if line.strip()]
    words = f": {lines[-1]}" if lines else ""
    if code is not None and code < 0:
        return _SIGNALS.get(code, f"ended by signal {-code}") + words
    if code is None:
        return f"it stopped responding{words}"
    return f"it exited with code {code} before it finished{words}"
