"""One sample: import the runtime, load the model, infer, and tell what each step took.

Run by path; reads its job as one line of JSON and tells what happens as further lines. Standard
output is kept for that alone: what libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time

import bench_answer
import bench_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    Job = dict[str, Any]

_BEAT_SECONDS = 5


class Worker:
    """One job."""

    def __init__(self, job: Job, channel: TextIO) -> None:
        self._job = job
        self._channel = channel
        self._light = job.get("mode") == "cold"  # nothing is read that takes time

    def tell(self, event: str, **values: Any) -> None:
        self._channel.write(json.dumps(dict(values, event=event)) + "\n")
        self._channel.flush()

    def stage(self, name: str, **values: Any) -> None:
        if not self._light:
            values["memory"] = bench_memory.now()
        values["faults"] = bench_memory.major_faults()
        self.tell(name, **values)

    def start(self) -> Any:
        """Import, load and infer once; return the runner."""
        self.stage("baseline")
        runner = _runner(self._job)
        self.stage("import", seconds=_timed(runner.load_runtime)[0], version=runner.version())
        load, _ = _timed(runner.load)
        prepare, _ = _timed(runner.prepare)
        self.stage("load", seconds=load, prepare=prepare)
        first, _ = _timed(runner.run)
        since = time.monotonic() - self._job["spawned"]
        self.stage("first", seconds=first, since_spawn=since, cpu=time.process_time())
        return runner

    def measure(self, runner: Any) -> None:
        """Warm up, infer in a timed loop, and tell the raw times."""
        self._loop(runner, self._job["warmups"], self._job["warmup_seconds"])
        faults, busy = bench_memory.major_faults(), bench_memory.busy_seconds()
        began = time.perf_counter()
        wall, cpu = self._loop(runner, self._job["runs"], self._job["seconds"])
        lasted = time.perf_counter() - began
        busy_now = bench_memory.busy_seconds()
        foreign = None
        if busy is not None and busy_now is not None and lasted > 0:
            foreign = max(0.0, (busy_now - busy - sum(cpu) / 1e9) / lasted)
        self.stage(
            "steady", wall_ns=wall, cpu_ns=cpu, foreign_cores=foreign,
            loop_faults=bench_memory.major_faults() - faults, threads=bench_memory.threads(),
        )  # fmt: skip
        if self._job.get("ask_gradients"):
            self.tell("gradients", on=runner.gradients())
        self._keep(runner)

    def _loop(self, runner: Any, runs: int, seconds: float) -> Any:
        wall: list[int] = []
        cpu: list[int] = []
        end = time.perf_counter() + seconds
        beat = time.perf_counter() + _BEAT_SECONDS
        least = self._job["least"]
        while len(wall) < runs and (len(wall) < least or time.perf_counter() < end):
            cpu_began, began = time.process_time_ns(), time.perf_counter_ns()
            runner.run()
            wall.append(time.perf_counter_ns() - began)
            cpu.append(time.process_time_ns() - cpu_began)
            if time.perf_counter() > beat:
                beat = time.perf_counter() + _BEAT_SECONDS
                self.tell("beat")
        return wall, cpu

    def _keep(self, runner: Any) -> None:
        """Write the outputs of one more inference, after the last figure of memory was read."""
        if not self._job.get("outputs"):
            return
        kept = []
        for number, (name, dtype, shape, raw) in enumerate(runner.outputs(runner.run())):
            path = os.path.join(self._job["outputs"], f"{number}.bin")
            with open(path, "wb") as stream:
                stream.write(raw)
            kept.append({"name": name, "dtype": dtype, "shape": shape, "path": path})
        self.tell("outputs", outputs=kept)

    def serve(self, runner: Any) -> None:
        """Infer once for every line that comes, until none does."""
        self._loop(runner, self._job["warmups"], self._job["warmup_seconds"])
        self.tell("ready")
        while sys.stdin.readline():
            cpu_began, began = time.process_time_ns(), time.perf_counter_ns()
            runner.run()
            wall = time.perf_counter_ns() - began
            self.tell("served", wall_ns=wall, cpu_ns=time.process_time_ns() - cpu_began)


def _runner(job: Job) -> Any:
    if job["runtime"] == "torch":
        import bench_torch as backend
    else:
        import bench_onnx as backend  # type: ignore[no-redef, unused-ignore]
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) != own]
    return backend.Runner(job)


def _timed(step: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    value = step()
    return time.perf_counter() - began, value


def main() -> None:
    """Do the job of the first line."""
    job = json.loads(sys.stdin.readline())
    worker = Worker(job, bench_answer.channel())
    try:
        runner = worker.start()
        if job["mode"] == "full":
            worker.measure(runner)
        elif job["mode"] == "serve":
            worker.serve(runner)
    except (Exception, SystemExit) as error:
        lines = str(error).strip().splitlines() or [""]
        worker.tell("failed", kind=type(error).__name__, reason=lines[0], all=str(error)[-2000:])
        sys.stdout.flush()
        os._exit(1)
    worker.tell("end")
    # what some runtimes do at exit takes long, and is no part of any figure
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
