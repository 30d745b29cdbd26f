"""What ``slugcheck bench`` measures: samples of processes, and their summaries.

Memory is bytes, time seconds or, where the name says so, milliseconds and nanoseconds. A sample is
one fresh process; nothing is averaged before it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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

    rss: int | None
    anon: int | None
    pss: int | None
    uss: int | None
    peak: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One process that imported, loaded, inferred once, and then in a timed loop.

    ``wall_ns`` and ``cpu_ns`` have one value for each timed inference. ``foreign_cores``: how many
    cores others kept busy meanwhile, None where it is not known.
    """

    memory: Mapping[str, Memory]  # by stage
    import_seconds: float
    load_seconds: float
    first_seconds: float
    wall_ns: tuple[int, ...]
    cpu_ns: tuple[int, ...]
    foreign_cores: float | None
    threads: int | None

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

    seconds: float
    cpu_seconds: float
    faults: int
    evicted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median of some samples and the interval that holds the true one.

    The interval is of order statistics and assumes no distribution; ``confidence`` says how surely
    it holds the median (0.969 for the range of six samples).
    """

    median: float
    low: float
    high: float
    count: int
    confidence: float

    @property
    def percent(self) -> float:
        """Half the width of the interval, in percent of the median."""
        return 50.0 * (self.high - self.low) / self.median if self.median else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Wall milliseconds of the timed inferences of all samples together, and how many a second."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    per_second: float
    count: int
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
    shape: tuple[int, ...]
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
