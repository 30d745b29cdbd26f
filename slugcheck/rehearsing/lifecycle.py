"""One process of the app from its start to its end: boot, first request, load, SIGTERM."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio

from slugcheck.model import Dyno
from slugcheck.model.rehearsal import (
    Boot,
    Load,
    MemoryLimit,
    ProcessRun,
    Shutdown,
    Stage,
    TreeMemory,
)
from slugcheck.rehearsing import judgement, load
from slugcheck.rehearsing.judgement import Seen
from slugcheck.rehearsing.load import Answer, Traffic
from slugcheck.rehearsing.plan import RELEASE, WATCH_SECONDS, ProcessType, RehearseOptions
from slugcheck.rehearsing.requests import Request
from slugcheck.rehearsing.supervisor import State, Stopped, Supervisor
from slugcheck.text import printable, without_credentials

Say = Callable[[str], None]
_POLL_SECONDS = 0.05
# Where the platform names no limit: waited as long, and nothing is judged by it.
_BOOT_WAIT_SECONDS = 300.0
_FIRST_SECONDS = 60.0  # for the first answer
_BEFORE_SIGTERM_SECONDS = 0.5  # of requests
# What was sent later may wait where no worker has seen it yet, and is lost by the best of servers.
_ACCEPTED_SECONDS = 0.05
_ORPHAN_SECONDS = 1.0  # that others may live on after the first process
_LOG_LINES = 20
_LINE = 500  # characters of a line of the log
_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what a router reaches


@dataclass(slots=True, kw_only=True)
class Lifecycle:
    """One process while it runs, and what was seen of it."""

    supervisor: Supervisor
    process: ProcessType
    port: int | None
    options: RehearseOptions
    say: Say
    boot_limit: float | None
    grace: float
    concurrency: int
    app: str  # its folder
    app_there: str = "/app"  # what the platform calls it
    stages: dict[Stage, TreeMemory] = field(default_factory=dict)
    boot: Boot | None = None
    load: Load | None = None
    shutdown: Shutdown | None = None
    state: State = field(init=False)
    stopped: Stopped = field(init=False)
    began: float = 0.0  # of the load, after the start
    ended: float = 0.0
    moments: tuple[float, ...] = ()  # of its answers
    left: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """Where the app answers."""
        return f"http://127.0.0.1:{self.port}"

    def run(self) -> None:
        """Run it until it has ended: boot, first request, load, SIGTERM."""
        try:
            self._stages()
        finally:
            self.stopped = self.supervisor.stop()

    def _stages(self) -> None:
        if self.process.name == RELEASE:
            self._to_its_end()
        elif self.process.serves:
            self._serve()
        else:
            self._watch()

    def _look(self, *, listening: bool = False, cpu: bool = False) -> State:
        self.state = self.supervisor.state(listening=listening, cpu=cpu)
        return self.state

    def _runs(self) -> bool:
        state = self._look()
        return state.running and not state.oom_kills

    def _read(self, moment: Stage) -> None:
        memory = self.supervisor.measure()
        if memory.processes:
            self.stages[moment] = memory

    # ----------------------------------------------------------------- with a port

    def _serve(self) -> None:
        self.boot = self._booted()
        if self.boot.bound_seconds is None:
            return
        self._read(Stage.BOOT)
        self.boot = self._answered(self.boot)
        if self.boot.answered_seconds is None or not self._runs():
            return
        self._read(Stage.FIRST)
        self._apply_load()
        if self._runs():
            self._read(Stage.STEADY)
            self._end()

    def _booted(self) -> Boot:
        """Wait until the port is bound, for as long as the platform does."""
        wait = self.boot_limit or _BOOT_WAIT_SECONDS
        bound = None
        while True:
            state = self._look(listening=True)
            if any(port == self.port and at in _ANYWHERE for at, port in state.listening):
                bound = state.seconds
                break
            if not state.running or state.oom_kills or state.seconds > wait:
                break
            time.sleep(_POLL_SECONDS)
        return Boot(
            bound_seconds=bound, answered_seconds=None, status=None, limit_seconds=self.boot_limit
        )

    def _answered(self, boot: Boot) -> Boot:
        """Send the first request, again and again until it is answered."""
        self.say("first request")
        traffic = Traffic()
        requests = self.options.requests[:1]
        until = time.monotonic() + _FIRST_SECONDS
        while time.monotonic() < until and self._runs():
            traffic = self._send(requests, concurrency=1, count=1, seconds=_FIRST_SECONDS)
            if traffic.answers and traffic.answers[-1].status is not None:
                break
            time.sleep(_POLL_SECONDS)
        answers = [answer for answer in traffic.answers if answer.status is not None]
        if not answers:
            return boot
        seconds = self._look().seconds
        return replace(boot, answered_seconds=seconds, status=answers[-1].status)

    def _send(
        self, requests: tuple[Request, ...], *, concurrency: int, count: int, seconds: float,
        least: float = 0.0, traffic: Traffic | None = None,
    ) -> Traffic:  # fmt: skip
        traffic = traffic or Traffic()

        async def run() -> None:
            await load.send(
                self.base, requests, traffic, concurrency=concurrency, count=count,
                seconds=seconds, least_seconds=least, alive=self._runs,
            )  # fmt: skip

        anyio.run(run)
        return traffic

    def _apply_load(self) -> None:
        """Send the requests of the load, and keep how they were answered."""
        asked, requests = self.options.load, self.options.requests
        self.say(f"{asked.requests} requests or more, {self.concurrency} at a time")
        self._measure_load(
            requests,
            lambda: self._send(
                requests, concurrency=self.concurrency, count=asked.requests,
                seconds=asked.seconds, least=asked.least_seconds,
            ).answers,
        )  # fmt: skip

    def _measure_load(
        self, requests: Sequence[Request], send: Callable[[], Sequence[Answer]]
    ) -> None:
        before = self._look(cpu=True)
        start = time.monotonic()
        answers = send()
        taken = time.monotonic() - start
        after = self._look(cpu=True)
        good = sum(1 for answer in answers if not answer.trouble)
        self.began, self.ended = before.seconds, before.seconds + taken
        self.moments = tuple(before.seconds + answer.ended - start for answer in answers)
        cpu = None
        if before.cpu_seconds is not None and after.cpu_seconds is not None and answers:
            cpu = max(0.0, after.cpu_seconds - before.cpu_seconds) / len(answers)
        self.load = Load(
            requests=len(answers),
            answered=good,
            concurrency=self.concurrency,
            seconds=taken,
            per_second=good / taken,
            cpu_seconds_per_request=cpu,
            times=load.times(answers),
            by_request=load.by_request(requests, answers),
        )

    # ----------------------------------------------------------------- without a port

    def _watch(self) -> None:
        """Let it run for a while."""
        self.say(f"watching {self.process.name} for {WATCH_SECONDS:.0f} s")
        until = time.monotonic() + WATCH_SECONDS
        while time.monotonic() < until and self._runs():
            time.sleep(_POLL_SECONDS)
        if self._runs():
            self._read(Stage.STEADY)
            self._end()

    def _to_its_end(self) -> None:
        """Let it do its job, as a release phase does."""
        self.say("waiting for the release phase")
        while self._runs():
            time.sleep(_POLL_SECONDS)

    # ----------------------------------------------------------------- the end

    def _end(self) -> None:
        """Tell every process to end, with requests on their way, and wait."""
        self.say("SIGTERM")
        traffic, thread = Traffic(), None
        if self.port is not None:
            thread = threading.Thread(target=self._background, args=(traffic,), daemon=True)
            thread.start()
            time.sleep(_BEFORE_SIGTERM_SECONDS)
        traffic.stop()
        told = time.monotonic()
        self.supervisor.signal(signal.SIGTERM)
        taken: float | None = None
        first_gone: float | None = None
        left: tuple[str, ...] = ()
        while True:
            state = self._look()
            now = time.monotonic()
            if state.code is not None and first_gone is None:
                first_gone = now
            if state.code is not None and not state.processes:
                taken = now - told
                break
            if first_gone is not None and now > first_gone + _ORPHAN_SECONDS:
                taken, left = now - told, self.supervisor.left()
                break
            if now > told + self.grace:
                break
            time.sleep(_POLL_SECONDS / 5)
        if thread is not None:
            thread.join(self.grace)
        taken_up = told - _ACCEPTED_SECONDS
        caught = [one for one in traffic.answers if one.started <= taken_up and told < one.ended]
        lost = sum(1 for one in caught if one.status is None) + traffic.open
        self.shutdown = Shutdown(
            seconds=taken, code=state.code, in_flight=len(caught) + traffic.open, unanswered=lost,
            left=left, limit_seconds=self.grace,
        )  # fmt: skip

    def _background(self, traffic: Traffic) -> None:
        async def run() -> None:
            await load.send(
                self.base, self.options.requests, traffic, concurrency=self._in_flight(),
                count=10**9, seconds=self.grace,
            )  # fmt: skip

        anyio.run(run)

    def _in_flight(self) -> int:
        """Return how many requests to have on their way: what waits for a worker may be refused."""
        steady = self.stages.get(Stage.STEADY)
        workers = len(steady.workers) if steady else 1
        return max(1, min(workers, self.concurrency))

    # ----------------------------------------------------------------- what was seen

    def result(self, limit: MemoryLimit, dyno: Dyno | None, *, codes: bool) -> ProcessRun:
        """Return the whole run, judged; ``codes`` as for ``judgement.judge``."""
        run = self._seen(limit)
        seen = Seen(
            run=run,
            serves=self.process.serves,
            killed=self.state.killed,
            listening=self.state.listening,
            port=self.port,
        )
        return replace(run, judgements=judgement.judge(seen, dyno, codes=codes))

    def _seen(self, limit: MemoryLimit) -> ProcessRun:
        """Return the run without a judgement."""
        state, stopped = self.state, self.stopped
        if stopped.peak is not None:
            self.stages[Stage.PEAK] = stopped.peak
        grown = None
        if self.load is not None:
            grown = judgement.growth(
                stopped.series, self.moments, began=self.began, stopped=self.ended
            )
            self.load = replace(self.load, growth=grown)
        killed = bool(state.oom_kills) or state.killed == "memory"
        limit = replace(limit, killed=killed)
        log = tuple(map(self._shown, stopped.log.last(_LOG_LINES)))
        return ProcessRun(
            name=self.process.name,
            command=self.process.command,
            place=self.process.place,
            workers=len(stopped.peak.workers) if stopped.peak else 0,
            boot=self.boot,
            stages=self.stages,
            series=stopped.series,
            load=self.load,
            shutdown=self.shutdown,
            limit=limit,
            judgements=(),
            code=state.code,
            log=log,
            log_bytes=stopped.log.bytes,
        )

    def _shown(self, text: str) -> str:
        """Return a line of the log as the platform would have it: the app is elsewhere there."""
        shown = printable(without_credentials(text.replace(self.app, self.app_there)))
        return shown if len(shown) <= _LINE else f"{shown[:_LINE]}\N{HORIZONTAL ELLIPSIS}"
