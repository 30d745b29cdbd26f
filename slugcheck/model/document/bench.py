"""The document of ``bench``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from slugcheck.model.bench import (
    BootFit,
    BudgetVerdict,
    ColdStart,
    Conclusion,
    Conditions,
    Contrast,
    Fit,
    Host,
    Latency,
    Outcome,
    Ratio,
    Sample,
    Spread,
    Variant,
)
from slugcheck.model.document.report import Finding, Memory, Tool
from slugcheck.model.numbers import Integer, Number
from slugcheck.model.report import Status


class Summary(Struct, frozen=True, kw_only=True):
    """The summary of a runtime's samples; memory in bytes, by stage and ``peak``."""

    rss_bytes: Mapping[str, Spread]
    anon_bytes: Mapping[str, Spread]
    pss_bytes: Spread | None = None
    uss_bytes: Spread | None = None
    import_seconds: Spread
    load_seconds: Spread | None = None
    first_seconds: Spread | None = None
    cold_start_seconds: Spread | None
    cold_start_evicted_seconds: Spread | None = None
    cpu_ms: Spread
    latency: Latency
    threads: Integer | None = None


class Runtime(Struct, frozen=True, kw_only=True):
    """A runtime in its environment, with what was measured; ``failure`` says what is missing."""

    label: str
    runtime: str
    model: str
    model_bytes: Integer | None = None
    python: str = ""
    version: str
    versions: Mapping[str, str] = field(default_factory=dict)
    environment_bytes: Integer | None = None
    failure: str | None = None
    doubts: tuple[str, ...] = ()
    summary: Summary | None
    samples: tuple[Sample, ...] = ()
    cold_starts: tuple[ColdStart, ...] = ()


class OutputDifference(Struct, frozen=True, kw_only=True):
    """The largest differences of one output; null where they are infinite."""

    name: str
    absolute: Number | None
    relative: Number | None
    agrees: bool


class Agreement(Struct, frozen=True, kw_only=True):
    """Whether the runtimes compute the same outputs."""

    status: Status
    labels: tuple[str, ...] = ()
    outputs: tuple[OutputDifference, ...] = ()
    sentence: str
    max_abs: Number | None = None
    max_rel: Number | None = None


class DynoFit(Struct, frozen=True, kw_only=True):
    """Machine sizes with equal limits, and how each runtime fits them."""

    names: tuple[str, ...]
    ram_bytes: Integer
    killed_at_bytes: Integer
    workers_started: Integer
    fits: tuple[Fit, ...]


class Trial(Struct, frozen=True, kw_only=True):
    """A worker under a memory limit; ``emulated``: a watchdog enforced it, not the kernel."""

    label: str
    limit_bytes: Integer
    method: str
    outcome: Outcome
    reached: str
    seconds: Number
    peak_rss: Integer | None
    peak_anon: Integer | None
    faults: Integer
    sentence: str
    emulated: bool


class BenchDocument(Struct, frozen=True, kw_only=True):
    """A result of ``slugcheck bench``."""

    kind: Literal["bench"]
    stacks: tuple[Runtime, ...]
    agreement: Agreement | None
    host: Host
    schema: Literal[1]
    tool: Tool
    platform: str = ""
    dyno: str | None = None
    ratio: Ratio | None = None
    contrasts: tuple[Contrast, ...] = ()
    dynos: tuple[DynoFit, ...] = ()
    boots: tuple[BootFit, ...] = ()
    trials: tuple[Trial, ...] = ()
    variants: tuple[Variant, ...] = ()
    findings: tuple[Finding, ...] = ()
    conclusion: Conclusion | None = None
    conditions: Conditions | None = None
    budgets: tuple[BudgetVerdict, ...] = ()
    app: Memory | None = None
    notes: tuple[str, ...] = ()
