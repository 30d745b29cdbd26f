"""Statistics of samples: medians with distribution-free intervals, differences, and doubts.

The interval of a median is taken from order statistics: of n samples, the range from the k-th
smallest to the k-th largest misses the true median with probability 2 * P(B < k), B binomial with
n trials of 1/2. Six samples are the fewest whose whole range holds it with 95 %.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from statistics import median

from slugcheck.model.bench import (
    STAGES,
    ColdStart,
    Contrast,
    Latency,
    Memory,
    Sample,
    Spread,
    StackResult,
    Summary,
)

CONFIDENCE = 0.95
ENOUGH = 6  # processes
SIGNIFICANT = 0.05
# Half the interval, in percent of the median, beyond which a figure is called unstable. Measured on
# a busy machine: memory 1 to 4, CPU time 4 to 17, cold starts 10 to 50.
UNSTABLE_PERCENT = {"memory": 5.0, "cpu": 10.0, "cold": 25.0}
_CLEAN_SHARE = 0.97  # CPU time in wall time of one thread that has its core to itself
_FOREIGN_CORES = 0.25
_ENOUGH_TIMES = 100  # timed inferences below which p99 is the worst of a few
_Values = Callable[[StackResult], list[float]]


def spread(values: Sequence[float]) -> Spread:
    """Return the median of one value or more, with the narrowest interval of 95 %.

    With fewer than six values the interval is their range, and ``confidence`` says how little.
    """
    ordered = sorted(values)
    count = len(ordered)
    depth = max((k for k in range(1, count // 2 + 1) if _held(count, k) >= CONFIDENCE), default=1)
    return Spread(
        median=median(ordered),
        low=ordered[depth - 1],
        high=ordered[count - depth],
        count=count,
        confidence=_held(count, depth) if count > 1 else 0.0,
    )


def _held(count: int, depth: int) -> float:
    """Return how surely the interval between the two values of that depth holds the median."""
    below = sum(math.comb(count, hits) for hits in range(depth))
    return float(1 - 2 * below / 2**count)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of the sorted values that no more than ``1 - share`` of them exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


_EXACT = 30  # samples: the orders of two groups of more take seconds to count, or for ever


def differ(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether two groups of samples differ significantly (Mann-Whitney).

    It is exact up to 30 samples in each, whose orders can be counted; beyond that the normal
    distribution stands for them. Fewer than four samples in each group never differ significantly.
    """
    if not first or not second:
        return False
    ordered = sorted(second)
    higher = sum(bisect_left(ordered, a) + bisect_right(ordered, a) for a in first) / 2
    extreme = min(higher, len(first) * len(second) - higher)
    if max(len(first), len(second)) > _EXACT:
        pairs = len(first) * len(second)
        deviation = math.sqrt(pairs * (len(first) + len(second) + 1) / 12)
        return math.erfc((pairs / 2 - extreme) / deviation / math.sqrt(2)) < SIGNIFICANT
    ways = sum(_ways(len(first), len(second), u) for u in range(math.floor(extreme) + 1))
    return 2 * ways / math.comb(len(first) + len(second), len(first)) < SIGNIFICANT


@cache
def _ways(first: int, second: int, above: int) -> int:
    """Return in how many orders of two groups a number of pairs stand in a given order."""
    if above < 0:
        return 0
    if first == 0 or second == 0:
        return 1 if above == 0 else 0
    return _ways(first - 1, second, above - second) + _ways(first, second - 1, above)


# --------------------------------------------------------------------------- one runtime


def summarise(
    samples: Sequence[Sample], cold_starts: Sequence[ColdStart], *, threads: int
) -> Summary:
    """Return the summary of one sample or more."""
    return Summary(
        rss=_by_stage(samples, "rss"),
        anon=_by_stage(samples, "anon"),
        pss=_steady(samples, "pss"),
        uss=_steady(samples, "uss"),
        import_seconds=spread([sample.import_seconds for sample in samples]),
        load_seconds=spread([sample.load_seconds for sample in samples]),
        first_seconds=spread([sample.first_seconds for sample in samples]),
        cold_seconds=_cold(cold_starts, evicted=False),
        evicted_seconds=_cold(cold_starts, evicted=True),
        cpu_ms=spread([sample.cpu_ms for sample in samples]),
        latency=_latency(samples, threads),
        threads=max((sample.threads for sample in samples if sample.threads), default=None),
    )


def _by_stage(samples: Sequence[Sample], kind: str) -> dict[str, Spread]:
    spreads = {}
    for stage in STAGES:
        values = [
            getattr(sample.memory[stage], kind) for sample in samples if stage in sample.memory
        ]
        if values and None not in values:
            spreads[stage] = spread(values)
    peaks = [peak(sample, kind) for sample in samples]
    known = [value for value in peaks if value is not None]
    return spreads | {"peak": spread(known)} if known else spreads


def peak(sample: Sample, kind: str) -> int | None:
    """Return a process's largest RSS, or its largest anonymous memory, in bytes.

    The kernel keeps the largest RSS only. Pages of files come and stay, so the largest anonymous
    memory is what the largest RSS leaves beside the pages of files at the end of a stage.
    """
    seen = sample.memory.values()
    if kind == "rss":
        return max((memory.peak for memory in seen if memory.peak is not None), default=None)
    return max((anon for memory in seen if (anon := _anonymous(memory)) is not None), default=None)


def _anonymous(memory: Memory) -> int | None:
    if memory.anon is None:
        return None
    if memory.peak is None or memory.rss is None:
        return memory.anon
    return max(memory.anon, memory.peak - (memory.rss - memory.anon))


def _steady(samples: Sequence[Sample], kind: str) -> Spread | None:
    values = [getattr(sample.memory["steady"], kind) for sample in samples]
    return None if None in values else spread(values)


def _cold(cold_starts: Sequence[ColdStart], *, evicted: bool) -> Spread | None:
    values = [start.seconds for start in cold_starts if start.evicted is evicted]
    return spread(values) if values else None


def _latency(samples: Sequence[Sample], threads: int) -> Latency:
    wall = sorted(value / 1e6 for sample in samples for value in sample.wall_ns)
    return Latency(
        p50_ms=percentile(wall, 0.5),
        p95_ms=percentile(wall, 0.95),
        p99_ms=percentile(wall, 0.99),
        per_second=1000 * len(wall) / sum(wall),
        count=len(wall),
        noisy=_noise(samples, threads),
    )


def _noise(samples: Sequence[Sample], threads: int) -> str:
    """Return why wall times are unreliable, or ""."""
    share = median(sample.cpu_share for sample in samples)
    if threads == 1 and share < _CLEAN_SHARE:
        return f"CPU time was {100 * share:.0f} % of wall time: other processes used the core"
    foreign = [sample.foreign_cores for sample in samples if sample.foreign_cores is not None]
    if threads != 1 and foreign and median(foreign) > _FOREIGN_CORES:
        return f"other processes kept {median(foreign):.1f} cores busy"
    return ""


# --------------------------------------------------------------------------- doubts


def doubts(summary: Summary, *, processes: int) -> tuple[str, ...]:
    """Return the doubts about a runtime's figures, one sentence each."""
    sentences = []
    if processes == 1:
        sentences.append(f"1 process gives no interval; 95 % confidence needs {ENOUGH}")
    elif processes < ENOUGH:
        sentences.append(
            f"{processes} processes: {100 * summary.cpu_ms.confidence:.0f} % confidence interval "
            f"of the median; 95 % needs {ENOUGH}"
        )
    for name, kind, figure in (
        ("peak RSS", "memory", summary.rss.get("peak")),
        ("steady RSS", "memory", summary.rss.get("steady")),
        ("CPU time", "cpu", summary.cpu_ms),
        ("cold start", "cold", summary.cold_seconds),
    ):
        if figure is not None and figure.count > 1 and figure.percent > UNSTABLE_PERCENT[kind]:
            sentences.append(
                f"{name} is unstable: ±{figure.percent:.0f} % over {figure.count} processes"
            )
    if summary.latency.noisy:
        sentences.append(f"latency is noisy: {summary.latency.noisy}")
    if summary.latency.count < _ENOUGH_TIMES:
        sentences.append(f"p99 is based on only {summary.latency.count} inferences")
    return tuple(sentences)


# --------------------------------------------------------------------------- differences

_KINDS: tuple[tuple[str, _Values], ...] = (
    ("peak RSS", lambda stack: [v for s in stack.samples if (v := peak(s, "rss")) is not None]),
    ("import", lambda stack: [s.import_seconds for s in stack.samples]),
    ("CPU time", lambda stack: [s.cpu_ms for s in stack.samples]),
    ("cold start", lambda stack: [c.seconds for c in stack.cold_starts if not c.evicted]),
)


def contrasts_of(stacks: Sequence[StackResult]) -> tuple[Contrast, ...]:
    """Return the contrasts of two measured runtimes; none for any other number."""
    both = [stack for stack in stacks if stack.summary]
    if len(both) != 2:
        return ()
    first, second = both
    return tuple(
        Contrast(
            figure=name,
            first=spread(values(first)).median,
            second=spread(values(second)).median,
            significant=differ(values(first), values(second)),
        )
        for name, values in _KINDS
        if values(first) and values(second)
    )
