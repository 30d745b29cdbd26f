"""What bench decides from figures: boundaries, findings, reasons, limits that were tried."""

from __future__ import annotations

import math
import os
import random
import struct
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slugcheck.benching import (
    agreement,
    host,
    inputs,
    judgement,
    plan,
    statistics,
    trials,
    variants,
)
from slugcheck.benching.inputs import Given
from slugcheck.benching.plan import BenchOptions, Form, Setup
from slugcheck.errors import PlatformError, UsageError
from slugcheck.model import FindingSeverity, Limit, Platform, Severity, Status
from slugcheck.model.bench import (
    Agreement,
    BenchResult,
    ColdStart,
    Contrast,
    InputSpec,
    Memory,
    Outcome,
    Ratio,
    Runtime,
    Sample,
    Spread,
    StackResult,
    Summary,
    Variant,
)
from slugcheck.model.platform import Dyno
from slugcheck.running.launcher import Ended, Launcher
from tests.support import reports
from tests.support.benches import MIB, heavy, light, result, sample, stack

# --------------------------------------------------------------------------- statistics


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(1, 1, 1), (2, 1, 2), (5, 1, 5), (6, 1, 6), (8, 1, 8), (9, 2, 8), (12, 3, 10), (20, 6, 15)],
)
def test_the_interval_is_the_narrowest_that_holds_the_median(
    count: int, low: int, high: int
) -> None:
    values = [float(number) for number in range(1, count + 1)]
    random.Random(1).shuffle(values)
    computed = statistics.spread(values)
    assert (computed.low, computed.high, computed.count) == (low, high, count)
    assert computed.median == (count + 1) / 2
    below = sum(math.comb(count, hits) for hits in range(low))
    expected = 1 - 2 * below / 2**count if count > 1 else 0.0
    assert computed.confidence == pytest.approx(expected)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.2, 1), (0.21, 2), (0.5, 3), (0.8, 4), (0.81, 5), (1.0, 5)]
)
def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert statistics.percentile([1, 2, 3, 4, 5], share) == value


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ([1, 2, 3, 4], [5, 6, 7, 8], True),  # U = 0: p = 2/70
        ([1, 2, 3, 5], [4, 6, 7, 8], False),  # U = 1: p = 4/70
        ([5, 6, 7, 8], [1, 2, 3, 4], True),
        ([1, 2, 3], [4, 5, 6, 7, 8], True),  # U = 0: p = 2/56
        ([1, 2, 3, 4, 5, 6], [4.5, 7, 8, 9, 10, 11], True),  # U = 2: p = 8/924
        ([1, 2, 3, 4, 5, 6], [3.5, 4.5, 5.5, 8, 9, 10], False),  # U = 6: p > 0.05
        ([1, 2, 3, 4], [4, 6, 7, 8], True),  # a tie counts half
        ([1], [], False),
    ],
)
def test_groups_differ_when_chance_rarely_explains_it(
    first: Sequence[float], second: Sequence[float], differ: bool
) -> None:
    assert statistics.differ(first, second) is differ


def counted(first: int, second: int, u: int) -> int:
    """The number of orders of two groups with so many inversions, counted one by one."""
    if first == 0 or second == 0:
        return int(u == 0)
    return sum(counted(first - 1, second - k, u - (second - k)) for k in range(second + 1))


@pytest.mark.parametrize(("first", "second"), [(2, 3), (3, 3), (4, 2), (1, 5)])
def test_the_orders_of_two_groups_are_all_counted_once(first: int, second: int) -> None:
    ways = [statistics._ways(first, second, u) for u in range(first * second + 1)]
    assert sum(ways) == math.comb(first + second, first)
    assert ways == ways[::-1]
    assert ways[:2] == [1, 1]
    assert statistics._ways(first, second, -1) == 0


def process(**stages: tuple[int | None, int | None, int | None]) -> Sample:
    """A process with (rss, anonymous, largest rss) MiB at each stage."""
    base = sample(steady=10, peak=10, anon=5)

    def size(value: int | None) -> int | None:
        return None if value is None else value * MIB

    memory = {
        stage: Memory(rss=size(rss), anon=size(anon), pss=size(rss), uss=size(anon), peak=size(top))
        for stage, (rss, anon, top) in stages.items()
    }
    return replace(base, memory=memory)


def test_the_largest_anonymous_memory_of_any_stage() -> None:
    measured = process(load=(100, 60, 180), steady=(120, 90, 130))
    assert statistics.peak(measured, "rss") == 180 * MIB
    assert statistics.peak(measured, "anon") == 140 * MIB  # 180 less 40 of files
    assert statistics.peak(process(steady=(50, 30, None)), "anon") == 30 * MIB
    assert statistics.peak(process(steady=(None, 30, 90)), "anon") == 30 * MIB
    assert statistics.peak(process(steady=(50, 40, 45)), "anon") == 40 * MIB
    assert statistics.peak(process(steady=(50, None, 90)), "anon") is None
    assert statistics.peak(process(steady=(50, 30, None)), "rss") is None


def cold(seconds: float, *, evicted: bool) -> ColdStart:
    return ColdStart(seconds=seconds, cpu_seconds=seconds, faults=0, evicted=evicted)


def test_a_summary_keeps_cached_and_evicted_starts_apart_and_counts_per_second() -> None:
    base = sample(steady=100, peak=120, anon=80, runs=4)
    walls = replace(base, wall_ns=(10**6, 2 * 10**6, 3 * 10**6, 4 * 10**6), threads=3)
    fewer = replace(base, wall_ns=(10 * 10**6,), threads=None)
    starts = [cold(1, evicted=False), cold(3, evicted=False), cold(9, evicted=True)]
    made = statistics.summarise([walls, fewer], starts, threads=2)
    assert made.cold_seconds is not None
    assert made.evicted_seconds is not None
    assert (made.cold_seconds.median, made.evicted_seconds.median) == (2, 9)
    assert made.threads == 3
    latency = made.latency
    assert (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.count) == (3, 10, 10, 5)
    assert latency.per_second == pytest.approx(250)
    assert statistics.summarise([fewer], [], threads=1).cold_seconds is None
    assert statistics.summarise([fewer], [], threads=1).threads is None


def test_a_figure_that_one_process_lacks_is_left_out() -> None:
    whole = sample(steady=100, peak=120, anon=80)
    missing = {
        stage: replace(memory, pss=None, anon=None) for stage, memory in whole.memory.items()
    }
    made = statistics.summarise([whole, replace(whole, memory=missing)], [], threads=1)
    assert (made.pss, set(made.anon)) == (None, {"peak"})
    assert made.uss is not None
    assert set(made.rss) == {"baseline", "import", "load", "first", "steady", "peak"}
    assert made.rss["steady"].median == 100 * MIB


@pytest.mark.parametrize(
    ("share", "foreign", "threads", "noise"),
    [
        (0.97, 9.0, 1, ""),
        (0.96, 0.0, 1, "CPU time was 96 % of wall time"),
        (0.5, 0.25, 2, ""),
        (0.5, 0.26, 2, "other processes kept 0.3 cores busy"),
        (0.5, None, 2, ""),
        (0.5, 0.26, 0, "other processes kept 0.3 cores busy"),
    ],
)
def test_wall_times_are_noisy_when_others_had_the_cores(
    share: float, foreign: float | None, threads: int, noise: str
) -> None:
    base = sample(steady=100, peak=100, anon=80, cpu_ms=97)
    first = replace(
        base, wall_ns=(100 * 10**6,), cpu_ns=(int(share * 10**8),), foreign_cores=foreign
    )
    latency = statistics.summarise([first, first], [], threads=threads).latency
    assert latency.noisy.startswith(noise)
    assert bool(latency.noisy) == bool(noise)


def spread_of(percent: float, count: int = 6) -> Spread:
    return Spread(median=100, low=100 - percent, high=100 + percent, count=count, confidence=0.9375)


def summary(**figures: Any) -> Summary:
    base = light().summary
    assert base is not None
    return replace(base, **figures)


@pytest.mark.parametrize(
    ("figures", "doubt"),
    [
        ({"rss": {"peak": spread_of(5)}}, ""),
        ({"rss": {"peak": spread_of(6)}}, "peak RSS is unstable: ±6 % over 6 processes"),
        ({"rss": {"steady": spread_of(6)}}, "steady RSS is unstable"),
        ({"rss": {"peak": spread_of(6, 1)}}, ""),
        ({"rss": {"peak": spread_of(6, 2)}}, "over 2 processes"),
        ({"cpu_ms": spread_of(10)}, ""),
        ({"cpu_ms": spread_of(11)}, "CPU time is unstable: ±11 %"),
        ({"cold_seconds": spread_of(25)}, ""),
        ({"cold_seconds": spread_of(26)}, "cold start is unstable"),
        ({"cold_seconds": None}, ""),
    ],
)
def test_what_is_unstable_is_named(figures: dict[str, Any], doubt: str) -> None:
    computed = statistics.doubts(summary(**figures), processes=6)
    assert doubt in " | ".join(computed)
    assert bool(computed) == bool(doubt)


def test_few_processes_and_few_inferences_are_doubts() -> None:
    six, five = summary(), summary(cpu_ms=spread_of(1, 5))
    assert statistics.doubts(six, processes=6) == ()
    assert statistics.doubts(five, processes=5) == (
        "5 processes: 94 % confidence interval of the median; 95 % needs 6",
    )
    assert statistics.doubts(six, processes=1) == (
        "1 process gives no interval; 95 % confidence needs 6",
    )
    for count, doubts in ((99, 1), (100, 0)):
        few = summary(latency=replace(six.latency, count=count))
        assert len(statistics.doubts(few, processes=6)) == doubts
    noisy = summary(latency=replace(six.latency, noisy="of others"))
    assert statistics.doubts(noisy, processes=6) == ("latency is noisy: of others",)


def test_contrasts_are_of_two_measured_runtimes_in_their_order() -> None:
    by_name = {c.figure: c for c in statistics.contrasts_of([heavy(), light()])}
    assert list(by_name) == ["peak RSS", "import", "CPU time", "cold start"]
    assert by_name["peak RSS"].first == pytest.approx(382.5 * MIB)
    assert by_name["peak RSS"].second == pytest.approx(117.5 * MIB)
    assert by_name["peak RSS"].significant
    assert not by_name["import"].significant  # alike in both
    unmeasured = replace(light(), summary=None)
    assert statistics.contrasts_of([heavy(), unmeasured]) == ()
    assert len(statistics.contrasts_of([heavy(), unmeasured, light()])) == 4
    assert statistics.contrasts_of([heavy(), light(), light()]) == ()
    slow = replace(
        light(), cold_starts=(*light().cold_starts, *(cold(90, evicted=True) for _ in range(6)))
    )
    assert statistics.contrasts_of([slow, light()])[3].first < 1


# --------------------------------------------------------------------------- dynos

DYNO = Dyno(
    name="one", ram_bytes=1000 * MIB, r14_bytes=1000 * MIB, r15_bytes=2000 * MIB, workers=2,
    usd_per_month=None, source=reports.SOURCE, cores=2,
)  # fmt: skip


def memory(rss: int, anon: int | None) -> Summary:
    """A summary with peaks of so many bytes."""

    def exact(value: int) -> Spread:
        return Spread(median=value, low=value, high=value, count=6, confidence=0.97)

    return summary(rss={"peak": exact(rss)}, anon={} if anon is None else {"peak": exact(anon)})


@pytest.mark.parametrize(
    ("rss", "anon", "status", "said"),
    [
        (425 * MIB, 100, Status.PASS, "fits, 850.0 MiB of 1,000.0 MiB"),
        (425 * MIB + 1, 100, Status.WARN, "fits, with less than 15 % left of 1,000.0 MiB"),
        (500 * MIB, 500 * MIB, Status.WARN, "fits, with less"),
        (
            500 * MIB + 1,
            500 * MIB,
            Status.UNKNOWN,
            "may swap (R14): 1,000.0 to 1,000.1 MiB against",
        ),
        (600 * MIB, 500 * MIB + 1, Status.FAIL, "swaps (R14): 1,000.1 MiB of anonymous memory"),
        (9999 * MIB, 1000 * MIB, Status.FAIL, "swaps (R14): 2,000.0 MiB"),
        (9999 * MIB, 1000 * MIB + 1, Status.FAIL, "killed (R15): 2,000.1 MiB against 2,000.0 MiB"),
        (600 * MIB, None, Status.FAIL, "swaps (R14): 1,200.0 MiB"),  # all of it may be anonymous
    ],
)
def test_the_workers_of_a_dyno_are_judged_together(
    rss: int, anon: int | None, status: Status, said: str
) -> None:
    fit = judgement.fit("x", memory(rss, anon), DYNO)
    assert (fit.status, fit.label) == (status, "x")
    assert fit.sentence.startswith(said)
    assert (fit.rss, fit.anon) == (2 * rss, 2 * (anon or rss))


@pytest.mark.parametrize(("rss", "workers"), [(850 * MIB, 1), (851 * MIB, 0), (85 * MIB, 10)])
def test_so_many_workers_fit_with_room_to_spare(rss: int, workers: int) -> None:
    assert judgement.fit("x", memory(rss, 1), DYNO).workers_fit == workers


def platform_of(*dynos: Dyno, boot: int | None = 60) -> Platform:
    limit = Limit(
        name="boot", figure="boot", value=boot or 0, unit="seconds", severity=Severity.FAIL,
        text="", source=reports.SOURCE,
    )  # fmt: skip
    base = reports.target().platform
    limits = (replace(limit, figure="slug"), *((limit,) if boot else ()))
    return replace(base, dynos=dynos, limits=limits)


def test_dynos_stand_by_size_and_those_alike_together() -> None:
    small = replace(DYNO, name="small", r14_bytes=500 * MIB)
    twin = replace(DYNO, name="twin", usd_per_month=5.0)
    more = replace(DYNO, name="more", workers=3)
    rows = judgement.judge(platform_of(more, DYNO, small, twin), [light(), heavy()])
    assert [row.names for row in rows] == [("small",), ("one", "twin"), ("more",)]
    assert [fit.label for fit in rows[0].fits] == ["ONNX Runtime", "PyTorch"]
    unmeasured = replace(light(), summary=None)
    assert judgement.judge(platform_of(DYNO), [unmeasured]) == ()
    unknown = replace(light(), summary=summary(rss={}))
    assert judgement.judge(platform_of(DYNO), [unknown]) == ()
    assert len(judgement.judge(platform_of(DYNO), [unknown, heavy()])[0].fits) == 1


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(30.0, Status.PASS), (30.1, Status.WARN), (60.0, Status.WARN), (60.1, Status.FAIL)],
)
def test_a_start_is_judged_by_the_boot_limit(seconds: float, status: Status) -> None:
    first = replace(light(), summary=summary(cold_seconds=spread_at(seconds), evicted_seconds=None))
    (boot,) = judgement.boots(platform_of(), [first])
    assert (boot.status, boot.seconds, boot.limit, boot.label) == (
        status, seconds, 60, "ONNX Runtime",
    )  # fmt: skip
    assert "files in memory" in boot.sentence
    disk = replace(
        light(), summary=summary(cold_seconds=spread_at(1), evicted_seconds=spread_at(seconds))
    )
    (boot,) = judgement.boots(platform_of(), [disk])
    assert (boot.status, boot.seconds) == (status, seconds)
    assert f"first result {seconds:.1f} s after its start, limit 60 s" in boot.sentence
    assert "files read from disk" in boot.sentence


def spread_at(median: float) -> Spread:
    return Spread(median=median, low=median, high=median, count=6, confidence=0.97)


def test_no_boot_limit_or_no_start_gives_no_verdict_on_it() -> None:
    assert judgement.boots(platform_of(boot=None), [light()]) == ()
    none = replace(light(), summary=summary(cold_seconds=None, evicted_seconds=None))
    assert judgement.boots(platform_of(), [none, replace(light(), summary=None)]) == ()


def test_a_machine_is_chosen_by_name_or_by_default() -> None:
    platform = platform_of(DYNO, replace(DYNO, name="two"))
    assert judgement.choose(platform, "two") == replace(DYNO, name="two")
    default = replace(platform, default_dyno="one")
    assert judgement.choose(default, None) == DYNO
    assert judgement.choose(replace(platform, default_dyno=None), None) is None
    with pytest.raises(PlatformError) as raised:
        judgement.choose(platform, "huge")
    assert str(raised.value) == "Heroku has no machine size 'huge'"
    assert raised.value.hint == "choose from one, two"
    with pytest.raises(PlatformError) as raised:
        judgement.choose(platform_of(), "huge")
    assert raised.value.hint == "choose from none"


# --------------------------------------------------------------------------- findings


def variant(name: str, **more: Any) -> Variant:
    fields: dict[str, Any] = {
        "label": "ONNX Runtime", "name": name, "advice": f"how to {name}", "samples": (),
        "rss": None, "peak": spread_at(200 * MIB), "cpu_ms": spread_at(50), "significant": True,
        "saves_bytes": 8 * MIB, "cpu_percent": 1.4, "error": 0.0,
    }  # fmt: skip
    return Variant(**(fields | more))


def findings(*tried: Variant, threads: int = 1, dyno: Dyno | None = DYNO) -> list[tuple[str, str]]:
    base = result(light())
    measured = replace(base, variants=tried, conditions=replace(base.conditions, threads=threads))
    return [(f.code, f.sentence) for f in judgement.findings_of(measured, dyno)]


@pytest.mark.parametrize(
    "changed",
    [
        {"significant": False}, {"saves_bytes": 8 * MIB - 1}, {"saves_bytes": None},
        {"cpu_percent": 15.0}, {"error": None}, {"error": 1.1e-3}, {"label": "PyTorch"},
    ],
)  # fmt: skip
def test_a_setting_that_costs_or_changes_something_is_not_advised(changed: dict[str, Any]) -> None:
    assert findings(variant("shrink", **changed)) == []


def test_the_largest_free_saving_is_advised() -> None:
    (finding,) = judgement.findings_of(
        replace(
            result(light()),
            variants=(
                variant("small"),
                variant("large", saves_bytes=30 * MIB, cpu_percent=14.9, error=1e-3),
                variant("costly", saves_bytes=90 * MIB, cpu_percent=20.0),
            ),
        ),
        DYNO,
    )
    assert (finding.code, finding.severity) == ("memory-setting", FindingSeverity.INFO)
    assert finding.sentence == "large: a peak 30.0 MiB lower, +15 % CPU time"
    assert (finding.subject, finding.fix) == ("ONNX Runtime", "how to large")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, True),
        ({"saves_bytes": -8 * MIB + 1}, False),
        ({"saves_bytes": 8 * MIB}, False),
        ({"significant": False}, False),
        ({"peak": None}, False),
        ({"name": "no_grad"}, False),
    ],
)
def test_gradients_that_take_memory_are_told(changed: dict[str, Any], told: bool) -> None:
    fields: dict[str, Any] = {"name": variants.GRADIENTS, "saves_bytes": -8 * MIB} | changed
    tried = variant(**fields)
    shown = [sentence for code, sentence in findings(tried) if code == "gradients-kept"]
    assert shown == (
        ["gradients are on: the peak is 200.0 MiB, 8.0 MiB more than without"] if told else []
    )


@pytest.mark.parametrize(
    ("threads", "cpu", "said"),
    [
        (2, None, ""),
        (3, None, "measured with 3 threads; one has 2 cores"),
        (0, None, "measured with one thread per core, the runtime's default; one has 2 cores"),
        (1, 14.9, ""),
        (1, 15.0, "its default of one thread per core takes 15 % more CPU time for an inference"),
    ],
)
def test_more_threads_than_cores_are_told(threads: int, cpu: float | None, said: str) -> None:
    tried = variant(variants.DEFAULT_THREADS, cpu_percent=cpu, saves_bytes=0)
    shown = [text for code, text in findings(tried, threads=threads) if "threads" in code]
    assert [text[: len(said)] for text in shown] == ([said] if said else [])
    other = variant(variants.DEFAULT_THREADS, cpu_percent=90, label="PyTorch", saves_bytes=0)
    assert findings(other) == []
    assert findings(tried, threads=9, dyno=None) == []
    assert findings(tried, threads=9, dyno=replace(DYNO, cores=None)) == []
    shared = findings(threads=3, dyno=replace(DYNO, shared=True))
    assert shared[0][1].endswith("; one has a share of one core")


# --------------------------------------------------------------------------- the conclusion


def ratio(low: float, median: float, high: float, *, first: str = "ONNX Runtime") -> Ratio:
    second = "PyTorch" if first == "ONNX Runtime" else "ONNX Runtime"
    cpu = Spread(median=median, low=low, high=high, count=8, confidence=0.99)
    return Ratio(
        labels=(first, second), cpu=cpu, wall=cpu, blocks=(), wall_blocks=(),
        significant=not low <= 1 <= high,
    )  # fmt: skip


def reasons(measured: BenchResult) -> list[str]:
    return [r for r in judgement.conclusion_of(measured).because if "worker" not in r]


def test_the_reasons_give_each_figure_for_or_against() -> None:
    both = result(heavy(), light(), ratio=ratio(0.4, 0.5, 0.6))
    assert reasons(both) == [
        "peak RSS: 265.0 MiB (69 %) less than PyTorch",
        "CPU time of an inference: 0.50 times that of PyTorch (0.40 to 0.60, alternating)",
        "cold start: 0.12 s; PyTorch: 0.93 s",
    ]
    turned = result(heavy(), light(), ratio=ratio(2.0, 2.5, 4.0, first="PyTorch"))
    assert reasons(turned)[1] == (
        "CPU time of an inference: 0.40 times that of PyTorch (0.25 to 0.50, alternating)"
    )
    unsure = result(heavy(), light(), ratio=ratio(0.9, 1.0, 1.1))
    assert reasons(unsure)[1] == "CPU time of an inference: no significant difference"
    fits = [r for r in both.conclusion.because if "worker" in r]
    assert fits[1].startswith("ONNX Runtime on standard-1x with 2 workers: fits, 235.0 MiB of")
    assert fits[1].endswith("; 3 workers would fit")


def without_cold(stack_result: StackResult) -> StackResult:
    return replace(stack_result, cold_starts=())


def test_what_does_not_differ_is_said_and_what_is_worse_too() -> None:
    alike = [0.5, 0.6] * 3
    samples = [sample(steady=300 + n, peak=380 + n, anon=100) for n in range(6)]
    lighter = [sample(steady=300 + n, peak=370 + n, anon=215) for n in range(6)]
    both = result(
        stack("PyTorch", samples, cold=alike), stack("ONNX Runtime", lighter, cold=alike),
        dyno="standard-1x",
    )  # fmt: skip
    # the one that may swap is better than the one that does, whatever its memory
    assert both.conclusion.label == "PyTorch"
    assert reasons(both) == [
        "peak RSS: 10.0 MiB (3 %) more than ONNX Runtime",
        "cold start: no significant difference",
    ]
    quick = [replace(first, cpu_ns=tuple(ns - 1 for ns in first.cpu_ns)) for first in samples]
    same = stack("ONNX Runtime", quick, cold=[0.1] * 6)
    assert reasons(result(stack("PyTorch", samples, cold=alike), same)) == [
        "peak RSS: no significant difference", "cold start: 0.10 s; PyTorch: 0.55 s",
    ]  # fmt: skip
    assert reasons(result(without_cold(heavy()), light()))[1:] == []


def test_of_two_that_fit_the_smaller_is_taken_and_then_the_faster() -> None:
    def measured(label: str, peak: int, cpu: float) -> StackResult:
        samples = [sample(steady=peak, peak=peak + n, anon=50, cpu_ms=cpu) for n in range(6)]
        return stack(label, samples)

    slow_but_small = result(measured("PyTorch", 90, 80), measured("ONNX Runtime", 120, 20))
    assert slow_but_small.conclusion.label == "PyTorch"
    faster = result(
        measured("PyTorch", 90, 80), measured("ONNX Runtime", 90, 20), ratio=ratio(0.2, 0.2, 0.3)
    )
    assert faster.conclusion.label == "ONNX Runtime"


def test_only_a_difference_recommends() -> None:
    first = stack("PyTorch", [sample(steady=100, peak=110, anon=80)] * 6, cold=[0.5] * 6)
    other = stack("ONNX Runtime", [sample(steady=100, peak=110, anon=80)] * 6, cold=[0.5] * 6)
    assert result(first, other).conclusion.label is None
    assert result(first, other, ratio=ratio(0.4, 0.5, 0.6)).conclusion.label == "PyTorch"
    assert result(first, other, ratio=ratio(0.9, 1.0, 1.1)).conclusion.label is None
    assert result(first, dyno="nowhere").conclusion.because == ()
    significant = Contrast(figure="import", first=1, second=2, significant=True)
    assert judgement.conclusion_of(
        replace(result(first, other), contrasts=(significant,))
    ).label == ("PyTorch")
    large = stack("ONNX Runtime", [sample(steady=240, peak=240, anon=80)] * 6, cold=[0.5] * 6)
    warned = replace(result(first, large), contrasts=())
    assert judgement.conclusion_of(warned).label == "PyTorch"  # one has room, the other little
    assert judgement.conclusion_of(replace(warned, dynos=())).label is None


def test_outputs_that_differ_or_a_failure_decide_the_exit_code() -> None:
    base = result(light(), asked=True)
    agreed = Agreement(status=Status.PASS, labels=("a", "b"), outputs=(), sentence="s")
    assert judgement.exit_code(replace(base, agreement=agreed)) == 0
    assert judgement.exit_code(replace(base, agreement=replace(agreed, status=Status.FAIL))) == 3
    assert judgement.exit_code(replace(base, stacks=(replace(light(), failure="x"),))) == 3
    assert judgement.exit_code(replace(base, dynos=())) == 0
    close = stack("PyTorch", [sample(steady=240, peak=240, anon=200)] * 6)
    assert judgement.exit_code(result(close, asked=True)) == 0  # little room is room


# --------------------------------------------------------------------------- agreement


def arrays(reference: Any, other: Any) -> Any:
    computed = agreement.difference("y", np.asarray(reference), np.asarray(other))
    return computed.absolute, computed.relative, computed.agrees


def test_each_channel_has_its_own_scale() -> None:
    boxes = np.full((1, 2, 50), 1000.0)
    boxes[0, 1] = 0.5  # scores beside pixels
    near, far = boxes.copy(), boxes.copy()
    near[0, 0, 3] += 1.0
    far[0, 1, 3] += 0.01
    assert arrays(boxes, near) == (pytest.approx(1.0), pytest.approx(0.001), True)
    assert arrays(boxes, far) == (pytest.approx(0.01), pytest.approx(0.02), False)
    flat = boxes.reshape(2, 50)  # two axes have no channels: one scale
    assert arrays(flat, far.reshape(2, 50))[2]


def test_the_allowance_is_of_the_value_and_of_its_channel() -> None:
    wanted = np.array([[1000.0, 0.0]])
    assert arrays(wanted, [[1000.0, 0.099]])[2]  # 1e-4 of 1000
    assert not arrays(wanted, [[1000.0, 0.101]])[2]
    assert arrays(wanted, [[1001.0, 0.0]])[2]  # 1e-3 of itself, and 1e-4 of the largest
    assert not arrays(wanted, [[1001.2, 0.0]])[2]


def test_nan_agrees_with_nothing_and_nothing_with_anything() -> None:
    assert arrays([np.nan], [np.nan]) == (math.inf, math.inf, False)
    assert arrays([1.0], [np.nan]) == (math.inf, math.inf, False)
    assert arrays([np.inf, 1.0], [np.inf, 1.0]) == (0.0, 0.0, True)
    assert arrays([], []) == (0.0, 0.0, True)
    assert arrays([0.0, 0.0], [0.0, 0.5]) == (0.5, 0.5, False)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((8, 4), None), ((1, 4, 100), 1), ((1, 100, 4), 2), ((1, 2, 8), 1), ((1, 2, 7), None),
        ((1, 3, 64, 64), 1), ((2, 2, 4), 1),
    ],
)  # fmt: skip
def test_the_channels_are_the_shortest_axis_by_far(
    shape: tuple[int, ...], axis: int | None
) -> None:
    assert agreement._channels(shape) == axis


def written(folder: Path, name: str, values: Any) -> dict[str, Any]:
    array_ = np.asarray(values, np.float32)
    array_.tofile(folder / name)
    return {"name": name, "dtype": "float32", "shape": array_.shape, "path": folder / name}


def test_the_worst_output_is_named(tmp_path: Path) -> None:
    a, b = written(tmp_path, "a", [1.0]), written(tmp_path, "b", [2.0])
    worse = {**written(tmp_path, "b2", [3.0]), "name": "b"}
    failed = agreement.compare(("x", "y"), [a, b], [a, worse])
    assert (failed.status, failed.labels) == (Status.FAIL, ("x", "y"))
    assert failed.sentence == "outputs differ: b is at most 1 apart, 0.5 of the channel's maximum"
    assert failed.max_rel == 0.5
    agreed = agreement.compare(("x", "y"), [a, b], [a, b])
    assert (agreed.status, len(agreed.outputs)) == (Status.PASS, 2)
    assert agreed.sentence == "outputs agree: at most 0 apart, 0 of the channel's maximum"
    assert agreement.compare(("x", "y"), [], []).sentence == "no outputs to compare"


def test_models_of_other_outputs_are_not_the_same(tmp_path: Path) -> None:
    first, two = written(tmp_path, "a", [1.0]), written(tmp_path, "b", [[1.0, 2.0]])
    scalar = written(tmp_path, "c", 1.0)
    counts = agreement.compare(("x", "y"), [first], [first, two])
    assert (counts.status, counts.sentence) == (
        Status.FAIL, "not the same model: x has 1 outputs, y 2",
    )  # fmt: skip
    shapes = agreement.compare(("x", "y"), [first, scalar], [first, two])
    assert shapes.sentence == "not the same model: output c is one number and 1x2"
    assert len(shapes.outputs) == 1


# --------------------------------------------------------------------------- trials


def ended(*events: dict[str, Any], **more: Any) -> Ended:
    fields: dict[str, Any] = {
        "events": events, "problem": "", "late": "", "code": 0, "seconds": 2.0, "limit": None
    }  # fmt: skip
    return Ended(**(fields | more))


FIRST = {"event": "first", "since_spawn": 3.0, "cpu": 1.5, "faults": 7}
STEADY = {"event": "steady", "wall_ns": [1, 2], "loop_faults": 2}


@pytest.mark.parametrize(
    ("how", "usual", "outcome"),
    [
        (ended(FIRST, STEADY), 1.0, Outcome.OK),
        (ended(FIRST, STEADY), 0.99, Outcome.SLOW),  # three times the usual start
        (ended(FIRST, STEADY), None, Outcome.OK),
        (ended(FIRST, {**STEADY, "loop_faults": 3}), 9.0, Outcome.SLOW),  # more than one each
        (ended(FIRST), 9.0, Outcome.OK),
        (ended(problem="x", late="total"), 1.0, Outcome.STALLED),
        (ended(problem="x", late="silence"), 1.0, Outcome.STALLED),
        (ended(problem="x", late="limit"), 1.0, Outcome.KILLED),
        (ended(problem="x", limit={"kills": 1}), 1.0, Outcome.KILLED),
        (ended(problem="x", limit={"kills": 0}, code=1), 1.0, Outcome.FAILED),
        (ended(problem="x", code=-9), 1.0, Outcome.KILLED),
        (ended(problem="x", code=-6), 1.0, Outcome.FAILED),
    ],
)
def test_how_a_worker_under_a_limit_ended(
    how: Ended, usual: float | None, outcome: Outcome
) -> None:
    assert trials.judge(how, usual) is outcome


INTERPRETER = """#!{python} -ESs
import json, os, sys, time
def tell(**event): print(json.dumps(event), flush=True)
job = json.loads(sys.stdin.readline())
{text}
"""


def interpreter(folder: Path, text: str) -> str:
    """A program in an interpreter's place: whatever script it is given, it does this."""
    path = folder / "python"
    path.write_text(INTERPRETER.format(python=sys.executable, text=text), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    with Launcher() as running:
        yield running


def setup_of(python: str = "python", label: str = "ONNX Runtime", **more: Any) -> Setup:
    form = Form(runtime=Runtime.ONNX, label=label, model="m", job={"model": "m.onnx"}, files=())
    return Setup(form=form, python=python, **({"threads": 1} | more))


ANSWERS = "tell(event='first', since_spawn=3.0)\n"
SERVES = "tell(event='steady', wall_ns=[1, 2], loop_faults={0})\ntell(event='end')"


@pytest.mark.parametrize(
    ("text", "outcome", "reached", "sentence"),
    [
        (ANSWERS + SERVES.format(2), Outcome.OK, "end", "first result after 3.0 s"),
        (
            ANSWERS + SERVES.format(9), Outcome.SLOW, "end",
            "it keeps reading pages that do not fit into 100.0 MiB; first result after 3.0 s",
        ),
        (
            "tell(event='load'); time.sleep(60)", Outcome.STALLED, "the first inference",
            "the first inference did not finish within ",
        ),
        (
            "os.kill(os.getpid(), 9)", Outcome.KILLED, "its start", "during its start, after 0.",
        ),
        (
            "tell(event='import'); sys.exit('it broke')", Outcome.FAILED, "loading the model",
            "loading the model: it exited with code 1 before it finished: it broke",
        ),
    ],
)  # fmt: skip
def test_a_trial_says_how_far_it_got(
    launcher: Launcher,
    tmp_path: Path,
    text: str,
    outcome: Outcome,
    reached: str,
    sentence: str,
) -> None:
    trial = trials.run(
        launcher, setup_of(interpreter(tmp_path, text)), limit=100 * MIB,
        how={"kind": "watchdog", "folder": ""}, time_limit=2.0 if "sleep" in text else 20.0,
        usual=None,
    )  # fmt: skip
    assert (trial.outcome, trial.reached) == (outcome, reached)
    assert trial.sentence.startswith(sentence)
    assert (trial.label, trial.limit_bytes, trial.method) == (
        "ONNX Runtime", 100 * MIB, "watchdog",
    )  # fmt: skip
    assert 0 < trial.seconds < 20


def test_the_largest_of_all_readings_is_kept(launcher: Launcher, tmp_path: Path) -> None:
    text = """
for peak, anon, faults in ((9e9, 2e9, 4e9), (4e9, 3e9, 3e9)):
    tell(event="load", memory={"peak": int(peak), "anon": int(anon)}, faults=int(faults))
tell(event="first", since_spawn=1.0 if job["runs"] == 20 and job["mode"] == "full" else 99)
tell(event="end")"""
    how = {"kind": "watchdog", "folder": ""}
    trial = trials.run(
        launcher, setup_of(interpreter(tmp_path, text)), limit=100 * MIB, how=how, time_limit=20,
        usual=1.0,
    )  # fmt: skip
    assert trial.outcome is Outcome.OK
    assert (trial.peak_rss, trial.peak_anon, trial.faults) == (9 * 10**9, 3 * 10**9, 4 * 10**9)


def test_a_sample_needs_the_whole_job() -> None:
    stages = [
        {"event": name, "seconds": 0.5, "memory": dict.fromkeys(
            ("rss", "anon", "pss", "uss", "peak"), size)}
        for size, name in enumerate(("baseline", "import", "load", "first"), 1)
    ]  # fmt: skip
    steady = {
        "event": "steady", "memory": dict.fromkeys(("rss", "anon", "pss", "uss", "peak"), 5),
        "wall_ns": [3, 4], "cpu_ns": [1, 2], "foreign_cores": 0.5, "threads": 7,
    }  # fmt: skip
    made = trials.sample(ended(*stages, steady))
    assert made is not None
    assert [made.memory[stage].rss for stage in made.memory] == [1, 2, 3, 4, 5]
    assert (made.wall_ns, made.cpu_ns, made.foreign_cores, made.threads) == ((3, 4), (1, 2), 0.5, 7)
    assert (made.import_seconds, made.load_seconds, made.first_seconds) == (0.5, 0.5, 0.5)
    assert trials.sample(ended(*stages)) is None
    assert trials.sample(ended(*stages, steady, problem="x")) is None
    start = trials.cold_start(ended(FIRST), evicted=True)
    assert start == ColdStart(seconds=3.0, cpu_seconds=1.5, faults=7, evicted=True)
    assert trials.cold_start(ended(FIRST, problem="x"), evicted=False) is None
    assert trials.cold_start(ended(STEADY), evicted=False) is None


TURNS = """
tell(event="ready")
for line in sys.stdin:
    open({counts!r}, "a").write(job["mode"] + "\\n")
    tell(event="served", cpu_ns={cpu}, wall_ns={wall})"""


@pytest.mark.parametrize(
    ("milliseconds", "runs", "inferences"),
    [(10.0, 30, 40), (400.0, 30, 2), (100.0, 30, 8), (0.0, 30, 40), (9000.0, 30, 2),
     (10.0, 3, 6), (100.0, 3, 6), (400.0, 1, 2)],
)  # fmt: skip
def test_two_take_turns_in_blocks_of_a_second_or_so(
    launcher: Launcher, tmp_path: Path, milliseconds: float, runs: int, inferences: int
) -> None:
    setups = []
    for name, cpu, wall in (("a", 10, 20), ("b", 5, 40)):
        (tmp_path / name).mkdir()
        text = TURNS.format(counts=str(tmp_path / "counts"), cpu=cpu, wall=wall)
        setups.append(setup_of(interpreter(tmp_path / name, text), name))
    times = (milliseconds / 2, milliseconds / 2)
    measured = trials.measure(launcher, (setups[0], setups[1]), times, runs)
    assert isinstance(measured, Ratio)
    assert (measured.labels, measured.significant) == (("a", "b"), True)
    assert (measured.cpu.median, measured.wall.median) == (2.0, 0.5)
    assert (measured.blocks, measured.wall_blocks) == ((2.0,) * 8, (0.5,) * 8)
    assert (tmp_path / "counts").read_text().split() == ["serve"] * (2 * 8 * inferences)


def test_two_that_cannot_run_in_turn_say_why(launcher: Launcher, tmp_path: Path) -> None:
    pair = setup_of(interpreter(tmp_path, "sys.exit(1)"), "a")
    told = trials.measure(launcher, (pair, pair), (1.0, 1.0), 30)
    assert told == "the two could not run in turn: a worker did not answer"


# --------------------------------------------------------------------------- plans


def test_a_worker_gets_its_job_and_its_threads() -> None:
    worker = setup_of(threads=2, environment={"A": "1"}, options={"o": 1}).worker("cold", x=1)
    assert worker.job["threads"] == 2
    assert (worker.job["x"], worker.job["model"], worker.job["options"]) == (1, "m.onnx", {"o": 1})
    assert worker.environment == {
        "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "A": "1",
    }  # fmt: skip
    assert setup_of(threads=0).worker("cold").environment == {}


def test_models_are_recognised_by_their_names(tmp_path: Path) -> None:
    names = ("m.onnx", "m.onnx.data", "m.onnx_data", "m.ort", "m.pt2", "build.py")
    for size, name in enumerate(names, 1):
        (tmp_path / name).write_bytes(b"x" * size)
    (onnx,) = plan.forms(BenchOptions(onnx=tmp_path / "m.onnx"))
    assert [path.name for path in onnx.files] == ["m.onnx", "m.onnx.data", "m.onnx_data"]
    assert onnx.model_bytes == 6
    (ort,) = plan.forms(BenchOptions(onnx=tmp_path / "m.ort"))
    assert (ort.label, ort.model) == ("ONNX Runtime", "m.ort")
    both = plan.forms(BenchOptions(onnx=tmp_path / "m.onnx", torch=str(tmp_path / "m.pt2")))
    assert [form.label for form in both] == ["PyTorch", "ONNX Runtime"]
    (made,) = plan.forms(BenchOptions(torch=f"{tmp_path / 'build.py'}:models.make"))
    assert (made.model_bytes, made.job["factory"]) == (None, "build:models.make")
    assert made.job["path"] == [str(tmp_path)]
    (module,) = plan.forms(BenchOptions(torch="pkg.models:make"))
    assert module.job["factory"] == "pkg.models:make"
    with pytest.raises(UsageError, match="not an ONNX file name"):
        plan.forms(BenchOptions(onnx=tmp_path / "m.pt2"))
    with pytest.raises(UsageError, match="a folder"):
        plan.forms(BenchOptions(onnx=tmp_path))


def test_a_value_can_be_for_one_runtime() -> None:
    assert plan.per_runtime(["a", "torch=b"], "-r") == {None: "a", Runtime.TORCH: "b"}
    assert plan.per_runtime(["x=b"], "-r") == {None: "x=b"}
    assert plan.per_runtime(["onnxruntime=b"], "-r") == {Runtime.ONNX: "b"}
    for twice, whose in ((["a", "b"], "every runtime"), (["torch=a", "torch=b"], "torch")):
        with pytest.raises(UsageError, match=f"-r is given twice for {whose}"):
            plan.per_runtime(twice, "-r")


def test_the_interpreters_to_try(tmp_path: Path) -> None:
    own = sys.executable
    assert plan.interpreters(Runtime.ONNX, []) == (own,)
    assert plan.interpreters(Runtime.ONNX, ["sh"])[1:] == (own,)
    (named,) = plan.interpreters(Runtime.ONNX, ["onnx=sh", "cat"])
    assert named.endswith("/sh")
    common, _ = plan.interpreters(Runtime.TORCH, ["onnx=sh", "cat"])
    assert common.endswith("/cat")
    with pytest.raises(UsageError, match="--python no-such: interpreter not found"):
        plan.interpreters(Runtime.ONNX, ["no-such"])
    options = BenchOptions(pythons=("torch=x",), requirements=("onnx=y",))
    assert options.names(Runtime.TORCH)
    assert options.names(Runtime.ONNX)
    assert not BenchOptions(pythons=("onnx=x",)).names(Runtime.TORCH)
    assert BenchOptions(install=True).names(Runtime.TORCH)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_the_machine_has_the_cores_that_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        before = os.getloadavg()[0]
        described = host.describe()
        assert described.cores == 1
        assert described.load in (before, os.getloadavg()[0])  # of the last minute
    finally:
        os.sched_setaffinity(0, allowed)
    assert host.describe().cores == len(allowed)


# --------------------------------------------------------------------------- variants


@pytest.mark.parametrize(
    ("runtime", "threads", "scripted", "has", "lacks"),
    [
        (Runtime.ONNX, 1, False, {"no memory pattern", "default threads"}, {"one thread"}),
        (Runtime.ONNX, 0, False, {"one thread"}, {"default threads", "gradients left on"}),
        (Runtime.TORCH, 2, False, {"one thread", "default threads", "traced and frozen"}, set()),
        (Runtime.TORCH, 1, True, {"frozen TorchScript"}, {"traced and frozen", ".ort file"}),
    ],
)
def test_the_variants_of_a_runtime(
    runtime: Runtime, threads: int, scripted: bool, has: set[str], lacks: set[str]
) -> None:
    ways = {way.name: way for way in variants.ways(runtime, threads=threads, scripted=scripted)}
    assert has <= set(ways)
    assert not lacks & set(ways)
    expected = {"one thread": 1, "default threads": 0, "2 threads, no spinning": 2}
    assert {n: w.threads for n, w in ways.items() if w.threads is not None} == {
        name: count for name, count in expected.items() if name in ways
    }


def test_a_variant_is_held_against_the_samples_without_it() -> None:
    before = [sample(steady=200 + n, peak=220 + n, anon=90, cpu_ms=50) for n in range(6)]
    after = [sample(steady=150 + n, peak=160 + n, anon=90, cpu_ms=55) for n in range(3)]
    base = variants.Base(setup=setup_of(), samples=before, outputs=())
    made = variants._variant(base, variants.Way(name="w", advice="a"), after, 0.5)
    assert made.saves_bytes == pytest.approx(61.5 * MIB)
    assert made.significant
    assert made.cpu_percent == pytest.approx(10)
    assert (made.error, made.label, made.name) == (0.5, "ONNX Runtime", "w")
    assert made.rss is not None
    assert made.peak is not None
    assert (made.rss.median, made.peak.median) == (151 * MIB, 161 * MIB)
    unknown = process(steady=(None, None, None))
    blind = variants._variant(
        variants.Base(setup=setup_of(), samples=[unknown], outputs=()),
        variants.Way(name="w", advice="a"), [unknown], None,
    )  # fmt: skip
    assert (blind.saves_bytes, blind.peak, blind.rss, blind.significant) == (
        None,
        None,
        None,
        False,
    )


# --------------------------------------------------------------------------- inputs


def spec(name: str, *shape: int | str | None, dtype: str = "float32") -> InputSpec:
    return InputSpec(name=name, dtype=dtype, shape=shape)


def test_axes_come_from_the_model_the_batch_and_the_options() -> None:
    specs = [spec("a", "n", 3), spec("b", 2)]
    shapes = [s.shape for s, _ in inputs.settle(specs, [], None)]
    assert shapes == [(1, 3), (2,)]
    assert inputs.settle([spec("a", "n", 3)], [], 7)[0][0].shape == (7, 3)
    own = Given(name="b", shape=(2,))
    settled = inputs.settle(specs, [own], None)
    assert [given for _, given in settled] == [None, own]
    assert inputs.settle([spec("b", 2)], [], 7)[0][0].shape == (2,)  # one axis is no batch
    assert inputs.settle([spec("a", 4, 3)], [], 4)[0][0].shape == (4, 3)
    with pytest.raises(UsageError, match="--batch 7: the model's input a has a fixed batch of 4"):
        inputs.settle([spec("a", 4, 3)], [], 7)


def test_unknown_axes_are_all_named_with_an_example() -> None:
    specs = [spec("whole", 1, 2), spec("a", "n", None, "w"), spec("b", 1, "h")]
    with pytest.raises(UsageError) as raised:
        inputs.settle(specs, [], None)
    assert str(raised.value) == "input shape unknown: axis 1 of a, axis 2 of a (w), axis 1 of b (h)"
    assert raised.value.hint == "pass --input a=1x640x640"
    array_file = Given(name="a", path=Path("a.npy"))
    picture = Given(name="a", path=Path("a.PNG"))
    assert inputs.settle(specs[:2], [array_file], None)[1][0].shape == (1, 1, 1)
    with pytest.raises(UsageError, match="input shape unknown"):
        inputs.settle(specs[:2], [picture], None)


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        ((1, 3, 8), True),
        ((2, 3, 9), True),
        ((1, 4, 8), False),
        ((1, 3), False),
        ((1, 3, 8, 1), False),
    ],
)
def test_a_shape_must_fit_the_model(shape: tuple[int, ...], fits: bool) -> None:
    given = [Given(name=None, shape=shape)]
    if fits:
        assert inputs.settle([spec("x", "n", 3, None)], given, None)[0][0].shape == shape
        assert inputs.settle([spec("x")], given, None)[0][0].shape == shape  # it says nothing
    else:
        with pytest.raises(UsageError, match=r"the model expects \?x3x\?"):
            inputs.settle([spec("x", "n", 3, None)], given, None)


def test_inputs_are_matched_by_name_then_in_order() -> None:
    specs = [spec("a", 1), spec("b", 1), spec("c", 1)]
    named, first, second = (Given(name=name, shape=(1,)) for name in ("b", None, None))
    settled = inputs.settle(specs, [named, first, second], None)
    assert [given for _, given in settled] == [first, named, second]
    for wrong, said in (
        ([Given(name="z", shape=(1,))], "unknown input 'z'"),
        ([first] * 4, "too many inputs"),
        ([named, named], "b is given twice"),
    ):
        with pytest.raises(UsageError, match=said) as raised:
            inputs.settle(specs, wrong, None)
        assert raised.value.hint == "the model's inputs are a, b, c"


def test_a_model_without_a_signature_takes_what_is_given() -> None:
    given = [Given(name=None, shape=(1, 2)), Given(name="y", shape=(3,), dtype="int64")]
    settled = [s for s, _ in inputs.settle(None, given, None)]
    assert settled == [spec("input 0", 1, 2), spec("y", 3, dtype="int64")]
    with pytest.raises(UsageError, match="does not declare its inputs"):
        inputs.settle(None, [], None)


def test_inputs_are_read_from_the_command_line(tmp_path: Path) -> None:
    picture = tmp_path / "p.JPG"
    picture.write_bytes(b"x")
    assert inputs.parse(["1x3", "a=2x2:int64", f"b={picture}"]) == (
        Given(name=None, shape=(1, 3)), Given(name="a", shape=(2, 2), dtype="int64"),
        Given(name="b", path=picture),
    )  # fmt: skip
    with pytest.raises(UsageError, match="file not found"):
        inputs.parse([str(tmp_path / "no.npy")])


@pytest.mark.parametrize(
    ("name", "dtype", "origin", "least", "most"),
    [
        ("x", "float32", "random in 0 to 1 (seed 0)", 0.0, 1.0),
        ("attention_mask", "int64", "all ones", 1, 1),
        ("flag", "bool", "all ones", 1, 1),
        ("token_type_ids", "int64", "all zeros", 0, 0),
        ("segment", "int32", "all zeros", 0, 0),
        ("ids", "int64", "random, below 100 (seed 0)", 0, 99),
        ("pixels", "uint8", "random, below 256 (seed 0)", 0, 255),
    ],
)
def test_values_are_plausible(
    name: str, dtype: str, origin: str, least: float, most: float
) -> None:
    raw, said = inputs._values(spec(name, dtype=dtype), 500, random.Random(0))
    values = np.frombuffer(raw, dtype)
    assert (said, values.size) == (origin, 500)
    assert least <= values.min()
    assert values.max() <= most
    if most > 1:
        assert values.max() > 0.9 * most
    if dtype.startswith("float"):
        assert 0.9 < values.max() < 1.0


@pytest.mark.parametrize(
    ("dtype", "packed"),
    [
        ("float16", struct.pack("<2e", 1, 2)), ("float32", array("f", [1, 2]).tobytes()),
        ("float64", array("d", [1, 2]).tobytes()), ("int64", array("q", [1, 2]).tobytes()),
        ("int32", array("i", [1, 2]).tobytes()), ("int16", array("h", [1, 2]).tobytes()),
        ("int8", b"\1\2"), ("uint8", b"\1\2"), ("bool", b"\1\2"),
    ],
)  # fmt: skip
def test_numbers_are_packed_as_their_type(dtype: str, packed: bytes) -> None:
    assert inputs._numbers(dtype, [1, 2]) == packed


def test_more_than_two_gib_of_numbers_are_refused(launcher: Launcher) -> None:
    def feed(*shape: int) -> Any:
        return inputs.feed([(spec("x", *shape), None)], launcher)

    with pytest.raises(UsageError, match="more than 2 GiB"):
        feed(2**29 + 1)
    fed, jobs = feed(2, 3)
    assert (fed[0].shape, fed[0].dtype) == ((2, 3), "float32")
    assert jobs[0]["shape"] == [2, 3]
    assert Path(jobs[0]["path"]).stat().st_size == 24
