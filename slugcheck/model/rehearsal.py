"""The records of ``slugcheck rehearse``: what the app did under the platform's limits.

Memory is bytes of the whole process tree, times are seconds. The same records are the parts of the
saved document.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model.numbers import Integer, Number
from slugcheck.model.report import Status

WEB = "web"  # the process that listens
FUNCTION = "function"  # the process that a platform calls; the name of its run
SESSIONS = "sessions"  # the judgement that the requests did not reach the app's own code


class Stage(StrEnum):
    """When memory was read."""

    BOOT = "boot"  # the port is bound, nothing was asked yet
    FIRST = "first_request"  # after the first answer
    STEADY = "steady"  # after the last answer of the load
    PEAK = "peak"  # the highest reading of all


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory:
    """One process. ``rss_bytes`` are all pages that it has in memory, shared or not.

    ``anonymous_bytes`` are its own and its share of the pages that no file is behind, which no
    system can drop. ``depth`` is 0 for the process that was started, 1 for its children.
    """

    name: str
    depth: Integer
    rss_bytes: Integer
    anonymous_bytes: Integer


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeMemory:
    """All processes together.

    ``resident_bytes`` counts a page once that several have: anonymous memory, and of each file the
    most that one process has mapped. ``rss_bytes`` is the plain sum.
    """

    rss_bytes: Integer
    resident_bytes: Integer
    anonymous_bytes: Integer
    processes: tuple[ProcessMemory, ...]

    @property
    def workers(self) -> tuple[ProcessMemory, ...]:
        """The processes that answer requests, as far as their sizes tell.

        They are the children of the first process, without helpers of a third of the largest one's
        memory; the first process itself where it has none.
        """
        below = [process for process in self.processes if process.depth > 0]
        most = max((process.anonymous_bytes for process in below), default=0)
        large = tuple(p for p in below if p.depth == 1 and p.anonymous_bytes * 3 > most)
        first = tuple(process for process in self.processes if process.depth == 0)
        if large and first and first[0].anonymous_bytes > 2 * most:
            return first  # it does the work, and what it has started helps
        return large or first


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySample:
    """The tree's memory at a moment; its pages of files are of the last full reading before it."""

    seconds: Number
    rss_bytes: Integer
    resident_bytes: Integer
    anonymous_bytes: Integer
    processes: Integer


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """A command of the build, and the seconds that it took here."""

    command: str
    seconds: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The build that was repeated here.

    ``seconds`` are all of its steps with packing the slug; ``slug_bytes`` is the real gzip -6 tar.
    """

    seconds: Number
    slug_bytes: Integer
    installed_bytes: Integer
    installer: str
    steps: tuple[BuildStep, ...]
    limit_seconds: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """From the start of the process on: until its port was bound, and until it answered.

    A function is bound when it asks for its first event; ``status`` is None then.
    """

    bound_seconds: Number | None
    answered_seconds: Number | None
    status: Integer | None  # of the first answer
    limit_seconds: Number | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Wall times of answers, in milliseconds."""

    p50_ms: Number
    p95_ms: Number
    p99_ms: Number
    max_ms: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Answers that were none, or not the expected ones: how many, and what was wrong."""

    count: Integer
    sentence: str
    code: str = ""  # Heroku's, such as H12


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestResult:
    """One kind of request under load."""

    request: str
    sent: Integer
    answered: Integer  # as expected
    times: Times | None
    answer_sha256: str = ""  # of the first expected answer's body
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How memory grew under load: bytes for each hundred requests, with a 95 % interval.

    ``requests`` are those that it was seen over.
    """

    per_hundred_bytes: Number
    low_bytes: Number
    high_bytes: Number
    requests: Integer

    @property
    def is_leak(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low_bytes > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """All requests of the load."""

    requests: Integer
    answered: Integer
    concurrency: Integer
    seconds: Number
    per_second: Number
    cpu_seconds_per_request: Number | None
    times: Times | None
    by_request: tuple[RequestResult, ...]
    growth: Growth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """What came of SIGTERM. ``seconds`` until the last process was gone; None if it was killed.

    ``in_flight`` requests were being answered then, of which ``unanswered`` got no answer. ``left``
    are names of processes that outlived the one that was started.
    """

    seconds: Number | None
    code: Integer | None
    in_flight: Integer
    unanswered: Integer
    left: tuple[str, ...]
    limit_seconds: Number

    @property
    def clean(self) -> bool:
        """Whether all ended by themselves in time."""
        return self.seconds is not None and not self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the platform would say: a code of its log, such as R14, or a word of ours."""

    code: str
    status: Status
    sentence: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFit:
    """How the measured memory fits a size of machine, with the workers that it starts there.

    ``low_bytes`` is their anonymous memory, ``high_bytes`` all that is resident. ``workers_fit`` is
    how many would fit with some room left; 0: not one. A function has ``vcpus``, and an invocation
    takes ``least_ms`` there or more: its CPU time here, spread over them. It is ``slow`` where that
    is more than the timeout.
    """

    name: str
    ram_bytes: Integer
    kill_bytes: Integer
    usd_per_month: Number | None
    workers: Integer
    low_bytes: Integer
    high_bytes: Integer
    status: Status
    workers_fit: Integer
    vcpus: Number | None = None
    least_ms: Number | None = None
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLimit:
    """The limit that the processes ran under: what enforced it, and the bytes."""

    method: str
    bytes: Integer
    killed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRun:
    """One process type, from its start to its end.

    ``log`` are the last lines that it printed. ``variables`` are the names of the config vars that
    were passed on. ``code`` is the exit code where it ended by itself. ``timeout_seconds`` is what
    an invocation may take, None for a process that is not called as a function.
    """

    name: str
    command: str  # as it is written; it may hold credentials
    place: str
    workers: Integer
    boot: Boot | None
    stages: dict[Stage, TreeMemory]
    series: tuple[MemorySample, ...]
    load: Load | None
    shutdown: Shutdown | None
    limit: MemoryLimit
    judgements: tuple[Judgement, ...]
    machines: tuple[MachineFit, ...] = ()
    web_concurrency: Integer | None = None  # what to set it to; None: as the platform does
    cheapest: str | None = None  # machine that holds
    code: Integer | None = None
    log: tuple[str, ...] = ()
    log_bytes: Integer = 0
    timeout_seconds: Integer | None = None

    @property
    def is_function(self) -> bool:
        """Whether the platform calls it."""
        return self.timeout_seconds is not None

    @property
    def serves(self) -> bool:
        """Whether requests or events reach it."""
        return self.is_function or self.name == WEB

    @property
    def was_cut_short(self) -> bool:
        """Whether it ended before it was told to: then it may need more memory than was seen."""
        ended = self.code is not None and self.shutdown is None
        unanswered = self.boot is not None and self.boot.answered_seconds is None
        return self.limit.killed or ended or unanswered

    @property
    def failed_by_itself(self) -> bool:
        """Whether it crashed, did not boot, or answered wrongly: then its log may say why."""
        not_booted = self.boot is not None and self.boot.bound_seconds is None
        crashed = bool(self.code) and self.shutdown is None
        wrong = self.load is not None and self.load.answered < self.load.requests
        return not_booted or crashed or wrong

    @property
    def peak_anonymous_bytes(self) -> int | None:
        """The most anonymous memory at any moment; None where it was never read."""
        peak = self.stages.get(Stage.PEAK)
        if peak is None:
            return None
        return max([peak.anonymous_bytes, *(sample.anonymous_bytes for sample in self.series)])

    @property
    def peak_bytes(self) -> int | None:
        """That, and the pages of files at the highest reading."""
        anonymous, peak = self.peak_anonymous_bytes, self.stages.get(Stage.PEAK)
        if anonymous is None or peak is None:
            return None
        return anonymous + peak.resident_bytes - peak.anonymous_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakingPoint:
    """The most that held, and what happened with more: workers or requests at the same time."""

    what: str
    holds: Integer
    breaks: Integer | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalResult:
    """A whole rehearsal. ``pins`` are the versions that ran, by distribution.

    ``floor_bytes`` and its bounds are the floor that ``check`` predicts for all processes of the
    web type; ``slug_bytes`` the slug that it predicts.
    """

    path: str
    platform: str
    title: str
    dyno: str | None
    ram_bytes: Integer | None
    python: str
    cores: Integer
    build: Build | None
    processes: tuple[ProcessRun, ...]
    pins: dict[str, str]
    tool_version: str
    variables: tuple[str, ...] = ()
    floor_bytes: Integer | None = None
    floor_low_bytes: Integer | None = None
    floor_high_bytes: Integer | None = None
    predicted_slug_bytes: Integer | None = None
    breaking_points: tuple[BreakingPoint, ...] = ()
    budgets: tuple[Judgement, ...] = ()  # the team's own limits
    notes: tuple[str, ...] = ()
    seconds: Number = 0.0

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """Those of all process types, the gravest first."""
        every = [j for process in self.processes for j in process.judgements] + [*self.budgets]
        order = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS)
        return tuple(sorted(every, key=lambda judgement: order.index(judgement.status)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What a rehearsal says to a later check: figures of the web process, and of the build.

    ``ram_low_bytes`` is its peak of anonymous memory, ``ram_high_bytes`` all that was resident.
    ``changed`` are distributions whose versions are others now, or that were not there.
    """

    file: str
    workers: int
    ram_low_bytes: int
    ram_high_bytes: int
    boot_seconds: float | None
    build_seconds: float | None
    changed: tuple[str, ...] = ()
    doubt: str = ""  # why the app may take more than was measured
