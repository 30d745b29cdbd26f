"""Which stack the figures speak for, in sentences that have the figures in them."""

from __future__ import annotations

from collections.abc import Iterator

from slugcheck.model.bench import StackResult, Summary
from slugcheck.model.benchresult import BenchResult, Conclusion, Contrast, Fit
from slugcheck.model.verdicts import Status
from slugcheck.units import mib

_RANK = {Status.PASS: 0, Status.WARN: 1, Status.UNKNOWN: 2, Status.FAIL: 3}


def of(result: BenchResult) -> Conclusion:
    """Return the conclusion; without a label where stacks cannot be compared or are alike."""
    measured = [one for one in result.stacks if one.summary]
    if result.agreement is not None and result.agreement.status is Status.FAIL:
        reason = "the two do not compute the same, so their figures are of different work"
        return Conclusion(label=None, because=(reason, *_fits(result)))
    if len(measured) != 2:
        return Conclusion(label=None, because=tuple(_fits(result)))
    better, other = sorted(measured, key=lambda one: _order(result, one))
    if _alike(result, better, other):
        reason = "no figure tells them apart by more than chance"
        return Conclusion(label=None, because=(reason, *_fits(result)))
    reasons = (*_fits(result), *_reasons(result, better, other))
    return Conclusion(label=better.stack.label, because=reasons)


def _order(result: BenchResult, one: StackResult) -> tuple[int, int, float]:
    fit = _fit(result, one.stack.label)
    assert one.summary is not None  # noqa: S101 - only measured ones are ordered
    return (
        _RANK[fit.status] if fit else 0,
        one.summary.peak_rss or 0,
        one.summary.cpu_ms.median,
    )


def _fit(result: BenchResult, label: str) -> Fit | None:
    chosen = result.chosen
    return next((one for one in chosen.fits if one.label == label), None) if chosen else None


def _alike(result: BenchResult, one: StackResult, other: StackResult) -> bool:
    fits = {fit.status for s in (one, other) if (fit := _fit(result, s.stack.label))}
    told = [contrast for contrast in result.contrasts if contrast.significant]
    return len(fits) <= 1 and not told and not (result.ratio and result.ratio.significant)


def _fits(result: BenchResult) -> Iterator[str]:
    chosen = result.chosen
    if chosen is None:
        return
    workers = chosen.dyno.workers
    many = "1 worker" if workers == 1 else f"{workers} workers"
    for fit in chosen.fits:
        yield (
            f"{fit.label} on {result.dyno} with {many}: {fit.sentence}; {fit.workers_fit} would fit"
        )


def _reasons(result: BenchResult, better: StackResult, other: StackResult) -> Iterator[str]:
    """Yield what each figure says of the one that is taken, also where it speaks against it."""
    one, two = better.summary, other.summary
    assert one is not None  # noqa: S101 - both were measured
    assert two is not None  # noqa: S101
    names = better.stack.label, other.stack.label
    yield _memory(result, one, two, names)
    if result.ratio is not None:
        yield _ratio(result, names)
    starts = _contrast(result, "cold start")
    if starts is not None and one.cold_seconds and two.cold_seconds:
        own, its = one.cold_seconds.median, two.cold_seconds.median
        if starts.significant:
            yield f"its cold start takes {own:.2f} s, that of {names[1]} {its:.2f} s"
        else:
            yield "cold starts: no significant difference"


def _memory(result: BenchResult, one: Summary, two: Summary, names: tuple[str, str]) -> str:
    own, its = one.peak_rss, two.peak_rss
    found = _contrast(result, "peak RSS")
    if own is None or its is None or found is None or not found.significant:
        return "peak RSS: no significant difference"
    apart, saves = abs(its - own), own <= its
    word = "less" if saves else "more"
    shown = mib(apart, down=saves)
    return f"its peak RSS is {shown} MiB ({100 * apart / its:.0f} %) {word} than {names[1]}'s"


def _ratio(result: BenchResult, names: tuple[str, str]) -> str:
    ratio = result.ratio
    assert ratio is not None  # noqa: S101 - asked for by the caller
    if not ratio.significant:
        return "CPU time of an inference: no significant difference"
    turned = ratio.labels[0] != names[0]
    share = 1 / ratio.cpu.median if turned else ratio.cpu.median
    ends = sorted((1 / ratio.cpu.low, 1 / ratio.cpu.high)) if turned else (
        ratio.cpu.low, ratio.cpu.high,
    )  # fmt: skip
    return (
        f"it needs {share:.2f} times the CPU time of {names[1]} for an inference "
        f"({ends[0]:.2f} to {ends[1]:.2f}, the two in turn)"
    )


def _contrast(result: BenchResult, figure: str) -> Contrast | None:
    return next((one for one in result.contrasts if one.figure == figure), None)
