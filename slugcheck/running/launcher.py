"""The client of the launcher, which starts bench's workers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slugcheck.running.spawner import WORKERS, Json, Spawner, clean_environment

SILENCE_SECONDS = 180.0  # between two events of a worker; a model may take long to load
TOTAL_SECONDS = 900.0

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


class Launcher(Spawner):
    """Starts workers, each a fresh process, and tells what became of them."""

    def __init__(self) -> None:
        """Start it.

        :raises MeasureError: it cannot be started.
        """
        super().__init__("bench_launcher.py", does="starts workers")

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
