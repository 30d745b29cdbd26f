"""What follows from the samples of a bench run: agreement, ratios, judgements, and all of it.

Memory is bytes, time seconds or, where the name says so, milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slugcheck.model.bench import Fed, Sample, Spread, StackResult
from slugcheck.model.platform import Dyno
from slugcheck.model.verdicts import Finding, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The largest differences of one output; ``relative`` is to its channel's largest value."""

    name: str
    absolute: float
    relative: float
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whether two runtimes agree: PASS, FAIL, or UNKNOWN if one has no outputs."""

    status: Status
    labels: tuple[str, str]
    outputs: tuple[Difference, ...]
    sentence: str

    @property
    def max_abs(self) -> float | None:
        """The largest absolute difference."""
        return max((one.absolute for one in self.outputs), default=None)

    @property
    def max_rel(self) -> float | None:
        """The largest difference in relation to its channel."""
        return max((one.relative for one in self.outputs), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The ratio of the first runtime's time to the second's, from alternating workers.

    ``blocks`` are CPU time, ``wall_blocks`` wall time, a value for each block of inferences.
    """

    labels: tuple[str, str]
    cpu: Spread
    wall: Spread
    blocks: tuple[float, ...]
    wall_blocks: tuple[float, ...]
    significant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One figure of two runtimes; ``significant`` is whether chance rarely explains it."""

    figure: str
    first: float
    second: float
    significant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One runtime on one dyno: the workers started there, and how many fit.

    ``anon`` and ``rss`` are bytes of all started workers together.
    """

    label: str
    status: Status
    anon: int
    rss: int
    workers_fit: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DynoFit:
    """A machine size, and how each runtime fits it. ``names`` lists all equal sizes."""

    dyno: Dyno
    names: tuple[str, ...]
    fits: tuple[Fit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BootFit:
    """A runtime's cold start and the limit for the first answer, both in seconds."""

    label: str
    status: Status
    seconds: float
    limit: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The runtime to take, and why; ``label`` is None if the figures do not decide."""

    label: str | None
    because: tuple[str, ...]


class Outcome(StrEnum):
    """How a worker under a memory limit ended."""

    OK = "ok"
    SLOW = "slow"  # it answers, but waits for pages that had to go
    STALLED = "stalled"  # no answer within the time
    KILLED = "killed"
    FAILED = "failed"  # for a reason that is not the limit's


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One worker under a memory limit. ``reached`` is the last stage that it got to."""

    label: str
    limit_bytes: int
    method: str  # "cgroup-v2", "cgroup-v1", "systemd", "watchdog"
    outcome: Outcome
    reached: str
    seconds: float
    peak_rss: int | None
    peak_anon: int | None
    faults: int
    sentence: str

    @property
    def emulated(self) -> bool:
        """Whether a watchdog enforced the limit, not the kernel."""
        return self.method == "watchdog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A variant of one runtime. Differences are relative to the runtime without it."""

    label: str  # of the stack
    name: str
    advice: str  # how an app does the same
    samples: tuple[Sample, ...]
    rss: Spread | None  # steady, bytes
    peak: Spread | None
    cpu_ms: Spread | None
    saves_bytes: int | None  # of the peak
    significant: bool
    cpu_percent: float | None
    error: float | None  # largest output difference, relative to its channel
    reason: str = ""  # why it was not measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine that measured. ``identity`` tells machines apart without naming them."""

    identity: str
    system: str
    machine: str
    processor: str
    cores: int
    memory_bytes: int | None
    load: float | None  # of the last minute, when the run began


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How it was measured."""

    threads: int
    processes: int
    runs: int
    inputs: tuple[Fed, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """All of one run."""

    tool_version: str
    platform: str
    dyno: str | None  # the machine it is judged for
    dyno_asked: bool  # by name, so that the run fails where no stack fits it
    stacks: tuple[StackResult, ...]
    agreement: Agreement | None
    ratio: Ratio | None
    contrasts: tuple[Contrast, ...]
    dynos: tuple[DynoFit, ...]
    boots: tuple[BootFit, ...]
    trials: tuple[Trial, ...]
    variants: tuple[Variant, ...]
    findings: tuple[Finding, ...]
    conclusion: Conclusion
    host: Host
    conditions: Conditions
    notes: tuple[str, ...]

    @property
    def chosen(self) -> DynoFit | None:
        """The chosen machine size, with how each runtime fits it."""
        return next((one for one in self.dynos if self.dyno in one.names), None)
