"""Records of a bench: what is run, each sample, and the result.

Those that a saved result embeds as they are have the numbers of a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from slugcheck.model.memory import RamFloor
from slugcheck.model.numbers import Integer, Number
from slugcheck.model.platform import Dyno
from slugcheck.model.report import Finding, Status

STAGES = ("baseline", "import", "load", "first", "steady")


class Runtime(StrEnum):
    """What runs a model."""

    ONNX = "onnxruntime"
    TORCH = "torch"


# The distributions that a runtime comes in, the usual one first.
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    Runtime.ONNX: ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-rocm"),
    Runtime.TORCH: ("torch",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A process's memory in bytes at one moment; None if the system does not report it.

    ``peak`` is the largest ``rss`` so far (VmHWM, read inside the process). ``pss`` divides shared
    pages among their users; ``uss`` is what the process alone uses.
    """

    rss: Integer | None
    anon: Integer | None
    pss: Integer | None
    uss: Integer | None
    peak: Integer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One process that imported, loaded, inferred once, and then in a timed loop.

    ``wall_ns`` and ``cpu_ns`` have one value for each timed inference. ``foreign_cores``: how many
    cores others kept busy meanwhile, None where it is not known.
    """

    memory: Mapping[str, Memory]  # by stage
    import_seconds: Number
    load_seconds: Number
    first_seconds: Number
    wall_ns: tuple[Integer, ...]
    cpu_ns: tuple[Integer, ...]
    foreign_cores: Number | None
    threads: Integer | None

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of one inference, the mean of the timed ones."""
        return sum(self.cpu_ns) / len(self.cpu_ns) / 1e6

    @property
    def cpu_share(self) -> float:
        """CPU time in wall time; near 1 for one thread that had a core to itself."""
        return sum(self.cpu_ns) / max(sum(self.wall_ns), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """One process timed from its start to its first result; ``evicted``: from the disk."""

    seconds: Number
    cpu_seconds: Number
    faults: Integer
    evicted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median of some samples and the interval that holds the true one.

    The interval is of order statistics and assumes no distribution; ``confidence`` says how surely
    it holds the median (0.969 for the range of six samples).
    """

    median: Number
    low: Number
    high: Number
    count: Integer
    confidence: Number

    @property
    def percent(self) -> float:
        """Half the width of the interval, in percent of the median."""
        return 50.0 * (self.high - self.low) / self.median if self.median else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Wall milliseconds of the timed inferences of all samples together, and how many a second."""

    p50_ms: Number
    p95_ms: Number
    p99_ms: Number
    per_second: Number
    count: Integer
    noisy: str  # why the wall times are unreliable; "" if they are not


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The summary of one runtime's samples. Memory is bytes, by stage and ``peak``."""

    rss: Mapping[str, Spread]
    anon: Mapping[str, Spread]
    pss: Spread | None
    uss: Spread | None
    import_seconds: Spread
    load_seconds: Spread
    first_seconds: Spread
    cold_seconds: Spread | None
    evicted_seconds: Spread | None
    cpu_ms: Spread
    latency: Latency
    threads: int | None

    @property
    def peak_rss(self) -> int | None:
        """The median of the largest RSS, in bytes."""
        return round(self.rss["peak"].median) if "peak" in self.rss else None

    @property
    def peak_anon(self) -> int | None:
        """The median of the largest anonymous memory, in bytes."""
        return round(self.anon["peak"].median) if "peak" in self.anon else None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """One input of a model. ``shape`` has a number, or a name (None if it has none), per axis."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """One input of a model; ``origin`` says where its values come from."""

    name: str
    dtype: str
    shape: tuple[Integer, ...]
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A runtime in its environment, with a model. ``model`` is what to call it."""

    label: str
    runtime: Runtime
    model: str
    model_bytes: int | None
    python: str
    version: str  # of the runtime; "" if it was not found
    versions: Mapping[str, str] = field(default_factory=dict)
    environment_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackResult:
    """One runtime's samples. ``failure`` says why some or all are missing."""

    stack: Stack
    samples: tuple[Sample, ...]
    cold_starts: tuple[ColdStart, ...]
    summary: Summary | None
    doubts: tuple[str, ...] = ()
    failure: str | None = None


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
        return max((output.absolute for output in self.outputs), default=None)

    @property
    def max_rel(self) -> float | None:
        """The largest difference in relation to its channel."""
        return max((output.relative for output in self.outputs), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The ratio of the first runtime's time to the second's, from alternating workers.

    ``blocks`` are CPU time, ``wall_blocks`` wall time, a value for each block of inferences.
    """

    labels: tuple[str, str]
    cpu: Spread
    wall: Spread
    blocks: tuple[Number, ...]
    wall_blocks: tuple[Number, ...]
    significant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One figure of two runtimes; ``significant`` is whether chance rarely explains it."""

    figure: str
    first: Number
    second: Number
    significant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One runtime on one dyno: the workers started there, and how many fit.

    ``anon`` and ``rss`` are bytes of all started workers together.
    """

    label: str
    status: Status
    anon: Integer
    rss: Integer
    workers_fit: Integer
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
    seconds: Number
    limit: Integer
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
    saves_bytes: Integer | None  # of the peak
    significant: bool
    cpu_percent: Number | None
    error: Number | None  # largest output difference, relative to its channel
    reason: str = ""  # why it was not measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine that measured. ``identity`` tells machines apart without naming them."""

    identity: str
    system: str
    machine: str
    processor: str
    cores: Integer
    memory_bytes: Integer | None
    load: Number | None  # of the last minute, when the run began


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How it was measured."""

    threads: Integer
    processes: Integer
    runs: Integer
    inputs: tuple[Fed, ...]
    seconds: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetVerdict:
    """A runtime's figure held against a limit of the user, or against a saved run.

    ``figure`` is ``peak_rss`` or ``peak_anon`` (bytes), ``cpu_ms``, ``import`` or ``cold_start``
    (seconds); ``value`` and ``base`` are medians, None where they are not known. ``gates``: FAIL
    and UNKNOWN decide the exit code.
    """

    label: str
    figure: str
    status: Status
    gates: bool
    sentence: str
    value: Number | None = None
    limit: Number | None = None
    base: Number | None = None  # of the saved run
    percent: Number | None = None  # from there


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
    budgets: tuple[BudgetVerdict, ...] = ()
    app: RamFloor | None = None  # of the app that loads the model

    @property
    def chosen(self) -> DynoFit | None:
        """The chosen machine size, with how each runtime fits it."""
        return next((fit for fit in self.dynos if self.dyno in fit.names), None)
