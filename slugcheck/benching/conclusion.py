"""Which stack the figures speak for, in sentences that have the figures in them."""

from __future__ import annotations

from collections.abc import Iterator

from slugcheck.model.bench import Summary
from slugcheck.model.benchresult import BenchResult, Conclusion, Contrast, Fit, Ratio
from slugcheck.model.verdicts import Status
from slugcheck.units import mib

_RANK = {Status.PASS: 0, Status.WARN: 1, Status.UNKNOWN: 2, Status.FAIL: 3}


def of(result: BenchResult) -> Conclusion:
    """Return the conclusion; without a label where stacks cannot be compared or are alike."""
    measured = [(one.stack.label, one.summary) for one in result.stacks if one.summary]
    if result.agreement is not None and result.agreement.status is Status.FAIL:
        reason = "the two do not compute the same, so their figures are of different work"
        return Conclusion(label=None, because=(reason, *_fits(result)))
    if len(measured) != 2:
        return Conclusion(label=None, because=tuple(_fits(result)))
    better, other = sorted(measured, key=lambda one: _order(result, *one))
    if _alike(result):
        reason = "no figure tells them apart by more than chance"
        return Conclusion(label=None, because=(reason, *_fits(result)))
    reasons = (*_fits(result), *_reasons(result, better, other))
    return Conclusion(label=better[0], because=reasons)


def _order(result: BenchResult, label: str, summary: Summary) -> tuple[int, int, float]:
    fit = _fit(result, label)
    return (_RANK[fit.status] if fit else 0, summary.peak_rss or 0, summary.cpu_ms.median)


def _fit(result: BenchResult, label: str) -> Fit | None:
    chosen = result.chosen
    return next((one for one in chosen.fits if one.label == label), None) if chosen else None


def _alike(result: BenchResult) -> bool:
    statuses = {fit.status for fit in result.chosen.fits} if result.chosen else set()
    told = any(contrast.significant for contrast in result.contrasts)
    return len(statuses) <= 1 and not told and not (result.ratio and result.ratio.significant)


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


def _reasons(
    result: BenchResult, better: tuple[str, Summary], other: tuple[str, Summary]
) -> Iterator[str]:
    """Yield what each figure says of the one that is taken, also where it speaks against it."""
    (label, own), (name, its) = better, other
    yield _memory(result, own, its, name)
    if result.ratio is not None:
        yield _ratio(result.ratio, label, name)
    starts = _contrast(result, "cold start")
    if starts is not None and own.cold_seconds and its.cold_seconds:
        if starts.significant:
            taken = own.cold_seconds.median, its.cold_seconds.median
            yield f"its cold start takes {taken[0]:.2f} s, that of {name} {taken[1]:.2f} s"
        else:
            yield "cold starts: no significant difference"


def _memory(result: BenchResult, one: Summary, two: Summary, name: str) -> str:
    own, its = one.peak_rss, two.peak_rss
    found = _contrast(result, "peak RSS")
    if own is None or its is None or found is None or not found.significant:
        return "peak RSS: no significant difference"
    apart, saves = abs(its - own), own <= its
    word = "less" if saves else "more"
    shown = mib(apart, down=saves)
    return f"its peak RSS is {shown} MiB ({100 * apart / its:.0f} %) {word} than {name}'s"


def _ratio(ratio: Ratio, label: str, name: str) -> str:
    if not ratio.significant:
        return "CPU time of an inference: no significant difference"
    shares = (ratio.cpu.low, ratio.cpu.median, ratio.cpu.high)
    if ratio.labels[0] != label:
        shares = (1 / shares[2], 1 / shares[1], 1 / shares[0])
    return (
        f"it needs {shares[1]:.2f} times the CPU time of {name} for an inference "
        f"({shares[0]:.2f} to {shares[2]:.2f}, the two in turn)"
    )


def _contrast(result: BenchResult, figure: str) -> Contrast | None:
    return next((one for one in result.contrasts if one.figure == figure), None)
