"""The user's budgets for memory and time, and what a run has grown since a saved one.

A limit is held against the interval of the median. A growth counts where chance rarely explains it
(``statistics.differ``), so one process more or less never turns a run red.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from slugcheck.benching import statistics
from slugcheck.errors import UsageError
from slugcheck.model.bench import (
    BenchResult,
    BudgetVerdict,
    ColdStart,
    Conditions,
    Host,
    Sample,
    StackResult,
)
from slugcheck.model.document import saved as documents
from slugcheck.model.document.bench import BenchDocument
from slugcheck.model.report import Status
from slugcheck.policy.limits import PERCENT as INCREASE
from slugcheck.policy.limits import of_measurements
from slugcheck.text import mib, printable

_LEAST = 4  # processes on each side, below which no difference is significant
_MOST_PROCESSES = 1_000  # of one runtime in a saved run
_HINT = "make it anew: slugcheck bench -o FILE.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """A figure that can be limited: how it is read from samples, written, and called."""

    title: str
    unit: str
    values: Callable[[Sequence[Sample], Sequence[ColdStart]], list[float]]
    is_time: bool = False  # so that it depends on the machine

    def shown(self, value: float, *, down: bool = False) -> str:
        if self.unit == "MiB":
            return f"{mib(round(value), down=down)} MiB"
        return f"{value:,.{1 if self.unit == 'ms' else 2}f} {self.unit}"


def _peaks(kind: str) -> Callable[[Sequence[Sample], Sequence[ColdStart]], list[float]]:
    def values(samples: Sequence[Sample], _: Sequence[ColdStart]) -> list[float]:
        found = [statistics.peak(sample, kind) for sample in samples]
        return [float(value) for value in found if value is not None]

    return values


_FIGURES: Mapping[str, _Figure] = {
    "peak_rss": _Figure(title="peak RSS", unit="MiB", values=_peaks("rss")),
    "peak_anon": _Figure(title="peak anonymous memory", unit="MiB", values=_peaks("anon")),
    "cpu_ms": _Figure(
        title="CPU per inference", unit="ms", is_time=True,
        values=lambda samples, _: [sample.cpu_ms for sample in samples],
    ),
    "import": _Figure(
        title="import", unit="s", is_time=True,
        values=lambda samples, _: [sample.import_seconds for sample in samples],
    ),
    "cold_start": _Figure(
        title="cold start", unit="s", is_time=True,
        values=lambda _, starts: [start.seconds for start in starts if not start.evicted],
    ),
}  # fmt: skip
_UNITS = {"MiB": "bytes", "ms": "milliseconds", "s": "seconds"}
_COMPARED = ("peak_rss", "peak_anon", "cpu_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A saved run. ``runtimes`` are its samples and cold starts by runtime."""

    label: str
    runtimes: Mapping[str, tuple[Sequence[Sample], Sequence[ColdStart]]]
    host: Host
    conditions: Conditions | None
    models: Mapping[str, str]  # what each runtime ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """What the user allows: limits by figure, in bytes, milliseconds or seconds."""

    limits: Mapping[str, float]
    increase_percent: float | None = None
    baseline: Baseline | None = None


def parse(texts: Sequence[str], baseline: Path | None) -> Budgets:
    """Return the budgets of ``--limit NAME=VALUE`` and ``--baseline FILE``.

    :raises UsageError: names everything that is wrong.
    """
    units = {name: _UNITS[figure.unit] for name, figure in _FIGURES.items()}
    limits = of_measurements(
        texts, units | {INCREASE: "percent"}, has_baseline=baseline is not None
    )
    increase = limits.pop(INCREASE, None)
    read = None if baseline is None else _read(baseline)
    return Budgets(limits=limits, increase_percent=increase, baseline=read)


def _read(path: Path) -> Baseline:
    """Return a saved run.

    :raises UsageError: it cannot be read, or is not one.
    """
    text = documents.content_of(path).decode("utf-8-sig", "replace")
    saved = documents.loads(BenchDocument, text, str(path), hint=_HINT)
    for place, one in enumerate(saved.stacks):
        where = f"{path}: stacks[{place}]"
        if max(len(one.samples), len(one.cold_starts)) > _MOST_PROCESSES:
            message = f"{where} has more than {_MOST_PROCESSES:,} processes"
            raise UsageError(printable(message), hint=_HINT)
        figures = (figure.values(one.samples, one.cold_starts) for figure in _FIGURES.values())
        if any(value < 0 for values in figures for value in values):
            raise UsageError(printable(f"{where} has figures below zero"), hint=_HINT)
    return Baseline(
        label=path.name,
        runtimes={one.runtime: (one.samples, one.cold_starts) for one in saved.stacks},
        host=saved.host,
        conditions=saved.conditions,
        models={one.runtime: one.model for one in saved.stacks},
    )


# --------------------------------------------------------------------------- judging


def judge(result: BenchResult, budgets: Budgets) -> tuple[BudgetVerdict, ...]:
    """Return a verdict for each measured runtime and budget, and each growth over the baseline."""
    return tuple(
        verdict
        for stack in result.stacks
        if stack.summary
        for verdict in (*_limited(stack, budgets), *_grown(stack, budgets, result))
    )


def _limited(stack: StackResult, budgets: Budgets) -> Iterator[BudgetVerdict]:
    for name, limit in budgets.limits.items():
        figure = _FIGURES[name]
        values = figure.values(stack.samples, stack.cold_starts)
        if not values:
            yield _verdict(stack, name, Status.UNKNOWN, f"{figure.title} is not known here")
            continue
        spread = statistics.spread(values)
        most = figure.shown(limit, down=True)
        shown = f"{figure.title} {figure.shown(spread.median)}"
        if spread.low > limit:
            over = figure.shown(spread.median - limit)
            status, sentence = Status.FAIL, f"{shown} of {most}, {over} over"
        elif spread.high <= limit:
            left = figure.shown(limit - spread.median, down=True)
            status, sentence = Status.PASS, f"{shown} of {most}, {left} left"
        else:
            ends = f"between {figure.shown(spread.low, down=True)} and {figure.shown(spread.high)}"
            status, sentence = Status.UNKNOWN, f"{shown} of {most} is too close to call: {ends}"
        yield _verdict(stack, name, status, sentence, value=spread.median, limit=limit)


def _grown(stack: StackResult, budgets: Budgets, result: BenchResult) -> Iterator[BudgetVerdict]:
    baseline, most = budgets.baseline, budgets.increase_percent
    if baseline is None:
        return
    gates = most is not None
    former = baseline.runtimes.get(stack.stack.runtime)
    other = _other_work(stack, baseline, result)
    if former is None or other:
        why = other or f"{baseline.label} has not measured {stack.stack.label}"
        yield _verdict(stack, INCREASE, Status.UNKNOWN, why, gates=gates)
        return
    for name in _COMPARED:
        figure = _FIGURES[name]
        if figure.is_time and baseline.host.identity != result.host.identity:
            sentence = f"{figure.title} is not compared: {baseline.label} is of another machine"
            yield _verdict(stack, name, Status.UNKNOWN, sentence, gates=False)
            continue
        values, base = (
            figure.values(*samples) for samples in ((stack.samples, stack.cold_starts), former)
        )
        yield _growth(stack, name, values, base, most)


def _growth(
    stack: StackResult, name: str, values: list[float], base: list[float], most: float | None
) -> BudgetVerdict:
    figure, gates = _FIGURES[name], most is not None
    if not values or not base or not median(base):
        sentence = f"{figure.title} is not known on both sides"
        return _verdict(stack, name, Status.UNKNOWN, sentence, gates=gates)
    now, then = median(values), median(base)
    percent = 100 * (now / then - 1)
    shown = f"{figure.title} {figure.shown(now)}, {percent:+.1f} % from {figure.shown(then)}"
    allowed = "" if most is None else f"; {most:g} % are allowed"
    if most is not None and percent > most and min(len(values), len(base)) < _LEAST:
        few = f"too few processes to tell, measure at least {_LEAST} on both sides"
        status, sentence = Status.UNKNOWN, f"{shown}{allowed}: {few}"
    elif not statistics.differ(values, base):
        status, sentence = Status.PASS, f"{shown}, no significant difference"
    else:
        status = Status.FAIL if most is not None and percent > most else Status.PASS
        sentence = f"{shown}{allowed}"
    return _verdict(
        stack, name, status, sentence, gates=gates, value=now, base=then, percent=percent
    )


def _other_work(stack: StackResult, baseline: Baseline, result: BenchResult) -> str:
    """Return why the saved run did something else, "" if it did the same."""
    then, now = baseline.conditions, result.conditions
    if baseline.models.get(stack.stack.runtime, stack.stack.model) != stack.stack.model:
        return f"{baseline.label} is of another model"
    if then is None:
        return f"{baseline.label} does not say how it was measured"
    if [(fed.name, fed.dtype, fed.shape) for fed in then.inputs] != [
        (fed.name, fed.dtype, fed.shape) for fed in now.inputs
    ]:
        return f"{baseline.label} is of other inputs"
    if then.threads != now.threads:
        return f"{baseline.label} was measured with another number of threads"
    return ""


def _verdict(
    stack: StackResult,
    figure: str,
    status: Status,
    sentence: str,
    *,
    gates: bool = True,
    value: float | None = None,
    limit: float | None = None,
    base: float | None = None,
    percent: float | None = None,
) -> BudgetVerdict:
    return BudgetVerdict(
        label=stack.stack.label, figure=figure, status=status, gates=gates, sentence=sentence,
        value=value, limit=limit, base=base, percent=percent,
    )  # fmt: skip
