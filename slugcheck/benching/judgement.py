"""Judges runtimes: the workers that fit each machine size, findings, and a conclusion.

What a dyno counts lies between two measured figures: anonymous memory (Heroku's memory_rss, which
counts for R15) and RSS including file pages (which may count too). A verdict needs both on one side
of the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slugcheck.benching import variants
from slugcheck.errors import PlatformError
from slugcheck.model import Platform
from slugcheck.model.bench import (
    BenchResult,
    BootFit,
    Conclusion,
    Contrast,
    DynoFit,
    Fit,
    Ratio,
    StackResult,
    Summary,
    Variant,
)
from slugcheck.model.platform import Dyno
from slugcheck.model.report import Finding, FindingSeverity, Status
from slugcheck.text import mib, plural, seconds

# Kept free for what bench does not run: the web framework, requests in progress, growth.
HEADROOM = 0.15
_BOOT_WARNING = 0.5  # of the limit: a dyno's processor may be half as fast
# Smaller savings are not worth a line: the allocator works in steps of 8 MiB.
_LEAST_BYTES = 8 * 2**20
_LEAST_CPU_PERCENT = 15.0
_RANK = {Status.PASS: 0, Status.WARN: 1, Status.UNKNOWN: 2, Status.FAIL: 3}


def judge(platform: Platform, stacks: Sequence[StackResult]) -> tuple[DynoFit, ...]:
    """Return how the measured runtimes fit each machine size; equal sizes are merged."""
    measured = [(stack.stack.label, stack.summary) for stack in stacks if stack.summary]
    known = [(label, summary) for label, summary in measured if summary.peak_rss]
    alike: dict[tuple[int, int, int], list[Dyno]] = {}
    for dyno in platform.dynos:
        alike.setdefault((dyno.r14_bytes, dyno.workers, dyno.r15_bytes), []).append(dyno)
    return tuple(
        DynoFit(
            dyno=dynos[0],
            names=tuple(dyno.name for dyno in dynos),
            fits=tuple(fit(label, summary, dynos[0]) for label, summary in known),
        )
        for _, dynos in sorted(alike.items())
        if known
    )


def boots(platform: Platform, stacks: Sequence[StackResult]) -> tuple[BootFit, ...]:
    """Return the cold start of each runtime against the platform's limit, if it has one."""
    limit = platform.limit_seconds("boot")
    if limit is None:
        return ()
    boot_fits = []
    for stack in stacks:
        worst = stack.summary and (stack.summary.evicted_seconds or stack.summary.cold_seconds)
        if stack.summary and worst:
            evicted = stack.summary.evicted_seconds is not None
            boot_fits.append(_boot(stack.stack.label, worst.median, limit, evicted=evicted))
    return tuple(boot_fits)


def _boot(label: str, taken: float, limit: int, *, evicted: bool) -> BootFit:
    status = Status.FAIL if taken > limit else Status.PASS
    if status is Status.PASS and taken > limit * _BOOT_WARNING:
        status = Status.WARN
    where = "files read from disk" if evicted else "files in memory"
    return BootFit(
        label=label,
        status=status,
        seconds=taken,
        limit=limit,
        sentence=f"first result {seconds(taken)} after its start, limit {limit} s ({where}; "
        "without the app's own imports)",
    )


def fit(label: str, summary: Summary, dyno: Dyno) -> Fit:
    """Return how one runtime fits one machine; its peak RSS is known."""
    rss = summary.peak_rss or 0
    anon = summary.peak_anon or rss
    started = dyno.workers
    status, sentence = _status(anon * started, rss * started, dyno)
    room = int(dyno.r14_bytes * (1 - HEADROOM))
    return Fit(
        label=label,
        status=status,
        anon=anon * started,
        rss=rss * started,
        workers_fit=room // rss,
        sentence=sentence,
    )


def _status(anon: int, rss: int, dyno: Dyno) -> tuple[Status, str]:
    quota = f"{mib(dyno.r14_bytes, down=True)} MiB"
    quota15 = f"{mib(dyno.r15_bytes, down=True)} MiB"
    if anon > dyno.r15_bytes:
        return Status.FAIL, f"killed (R15): {mib(anon)} MiB against {quota15}"
    if anon > dyno.r14_bytes:
        return Status.FAIL, f"swaps (R14): {mib(anon)} MiB of anonymous memory against {quota}"
    if rss > dyno.r14_bytes:
        sentence = f"may swap (R14): {mib(anon)} to {mib(rss)} MiB against {quota}"
        return Status.UNKNOWN, sentence
    if rss > dyno.r14_bytes * (1 - HEADROOM):
        return Status.WARN, f"fits, with less than {100 * HEADROOM:.0f} % left of {quota}"
    return Status.PASS, f"fits, {mib(rss)} MiB of {quota}"


def choose(platform: Platform, name: str | None) -> Dyno | None:
    """Return the machine size of a name, or the platform's default; None if it has none.

    :raises PlatformError: the name is unknown.
    """
    wanted = name or platform.default_dyno
    if wanted is None:
        return None
    for dyno in platform.dynos:
        if dyno.name == wanted:
            return dyno
    names = ", ".join(dyno.name for dyno in platform.dynos) or "none"
    raise PlatformError(
        f"{platform.title} has no machine size {wanted!r}", hint=f"choose from {names}"
    )


# --------------------------------------------------------------------------- findings


def findings_of(result: BenchResult, dyno: Dyno | None) -> tuple[Finding, ...]:
    """Return the findings of a run; ``dyno`` is the machine size to judge for."""
    return (*_gradients(result), *_threads(result, dyno), *_memory(result))


def _gradients(result: BenchResult) -> Iterator[Finding]:
    for variant in result.variants:
        if (
            variant.name == variants.GRADIENTS
            and variant.saves_bytes is not None
            and variant.significant
        ):
            more = -variant.saves_bytes
            if more >= _LEAST_BYTES and variant.peak is not None:
                yield Finding(
                    code="gradients-kept",
                    severity=FindingSeverity.WARNING,
                    subject=variant.label,
                    sentence="gradients are on: the peak is "
                    f"{mib(round(variant.peak.median))} MiB, {mib(more)} MiB more than without",
                    fix="with torch.inference_mode(): outputs = model(inputs)",
                    saves_bytes=None,
                )


def _threads(result: BenchResult, dyno: Dyno | None) -> Iterator[Finding]:
    """Yield findings on more threads than cores: they wait for each other, and spin."""
    if dyno is None or dyno.cores is None:
        return
    requested = result.conditions.threads
    for stack in result.stacks:
        if stack.summary is None:
            continue
        if requested == 0 or requested > dyno.cores:
            used = (
                f"{requested} threads"
                if requested
                else "one thread per core, the runtime's default"
            )
            yield _too_many(stack, dyno, f"measured with {used}")
            continue
        default = _of(result, stack.stack.label, variants.DEFAULT_THREADS)
        if default is not None and (default.cpu_percent or 0) >= _LEAST_CPU_PERCENT:
            yield _too_many(
                stack, dyno,
                f"its default of one thread per core takes {default.cpu_percent:.0f} % more CPU "
                "time for an inference",
            )  # fmt: skip


def _too_many(stack: StackResult, dyno: Dyno, sentence: str) -> Finding:
    cores = "a share of one core" if dyno.shared else f"{dyno.cores} cores"
    return Finding(
        code="threads-beyond-cores",
        severity=FindingSeverity.WARNING,
        subject=stack.stack.label,
        sentence=f"{sentence}; {dyno.name} has {cores}",
        fix=variants.ONE_THREAD[stack.stack.runtime],
    )


def _memory(result: BenchResult) -> Iterator[Finding]:
    """Yield the largest saving of each runtime that changes neither CPU time nor outputs."""
    for stack in result.stacks:
        best = max(
            (
                variant
                for variant in result.variants
                if variant.label == stack.stack.label and _free(variant)
            ),
            key=lambda variant: variant.saves_bytes or 0,
            default=None,
        )
        if best is not None and best.saves_bytes is not None:
            yield Finding(
                code="memory-setting",
                severity=FindingSeverity.INFO,
                subject=stack.stack.label,
                sentence=f"{best.name}: a peak {mib(best.saves_bytes, down=True)} MiB lower, "
                f"{best.cpu_percent or 0:+.0f} % CPU time",
                fix=best.advice,
            )


def _free(variant: Variant) -> bool:
    return (
        variant.significant
        and (variant.saves_bytes or 0) >= _LEAST_BYTES
        and (variant.cpu_percent or 0) < _LEAST_CPU_PERCENT
        and variant.error is not None
        and variant.error <= 1e-3
    )


def _of(result: BenchResult, label: str, name: str) -> Variant | None:
    return next((v for v in result.variants if (v.label, v.name) == (label, name)), None)


# --------------------------------------------------------------------------- conclusion


def conclusion_of(result: BenchResult) -> Conclusion:
    """Return the conclusion, without a label if the runtimes do not differ or compare."""
    measured = [(stack.stack.label, stack.summary) for stack in result.stacks if stack.summary]
    if result.agreement is not None and result.agreement.status is Status.FAIL:
        reason = "outputs differ, so the figures cannot be compared"
        return Conclusion(label=None, because=(reason, *_fits(result)))
    if len(measured) != 2:
        return Conclusion(label=None, because=tuple(_fits(result)))
    better, other = sorted(measured, key=lambda pair: _order(result, *pair))
    if _alike(result):
        reason = "no significant difference"
        return Conclusion(label=None, because=(reason, *_fits(result)))
    reasons = (*_fits(result), *_reasons(result, better, other))
    return Conclusion(label=better[0], because=reasons)


def _order(result: BenchResult, label: str, summary: Summary) -> tuple[int, int, float]:
    fit = _fit(result, label)
    return (_RANK[fit.status] if fit else 0, summary.peak_rss or 0, summary.cpu_ms.median)


def _fit(result: BenchResult, label: str) -> Fit | None:
    chosen = result.chosen
    return (
        next((candidate for candidate in chosen.fits if candidate.label == label), None)
        if chosen
        else None
    )


def _alike(result: BenchResult) -> bool:
    statuses = {fit.status for fit in result.chosen.fits} if result.chosen else set()
    significant = any(contrast.significant for contrast in result.contrasts)
    return (
        len(statuses) <= 1 and not significant and not (result.ratio and result.ratio.significant)
    )


def _fits(result: BenchResult) -> Iterator[str]:
    chosen = result.chosen
    if chosen is None:
        return
    workers = chosen.dyno.workers
    for fit in chosen.fits:
        yield (
            f"{fit.label} on {result.dyno} with {plural(workers, 'worker')}: {fit.sentence}; "
            f"{plural(fit.workers_fit, 'worker')} would fit"
        )


def _reasons(
    result: BenchResult, better: tuple[str, Summary], other: tuple[str, Summary]
) -> Iterator[str]:
    """Yield what each figure says about the chosen runtime, for and against it."""
    (label, own), (name, its) = better, other
    yield _peak_memory(result, own, its, name)
    if result.ratio is not None:
        yield _ratio(result.ratio, label, name)
    starts = _contrast(result, "cold start")
    if starts is not None and own.cold_seconds and its.cold_seconds:
        if starts.significant:
            taken = own.cold_seconds.median, its.cold_seconds.median
            yield f"cold start: {taken[0]:.2f} s; {name}: {taken[1]:.2f} s"
        else:
            yield "cold start: no significant difference"


def _peak_memory(result: BenchResult, better: Summary, other: Summary, name: str) -> str:
    own, its = better.peak_rss, other.peak_rss
    contrast = _contrast(result, "peak RSS")
    if own is None or its is None or contrast is None or not contrast.significant:
        return "peak RSS: no significant difference"
    apart, saves = abs(its - own), own <= its
    word = "less" if saves else "more"
    shown = mib(apart, down=saves)
    return f"peak RSS: {shown} MiB ({100 * apart / its:.0f} %) {word} than {name}"


def _ratio(ratio: Ratio, label: str, name: str) -> str:
    if not ratio.significant:
        return "CPU time of an inference: no significant difference"
    shares = (ratio.cpu.low, ratio.cpu.median, ratio.cpu.high)
    if ratio.labels[0] != label:
        shares = (1 / shares[2], 1 / shares[1], 1 / shares[0])
    return (
        f"CPU time of an inference: {shares[1]:.2f} times that of {name} "
        f"({shares[0]:.2f} to {shares[2]:.2f}, alternating)"
    )


def _contrast(result: BenchResult, figure: str) -> Contrast | None:
    return next((contrast for contrast in result.contrasts if contrast.figure == figure), None)


def exit_code(result: BenchResult) -> int:
    """Return 3 if a runtime was not measured or outputs differ, 1 if a budget is exceeded.

    A budget is a limit of the user, or that at least one runtime fits ``--dyno``.
    """
    agreement = result.agreement
    if any(stack.failure for stack in result.stacks):
        return 3
    if agreement is not None and agreement.status is Status.FAIL:
        return 3
    statuses = {verdict.status for verdict in result.budgets if verdict.gates}
    chosen = result.chosen
    if result.dyno_asked and chosen is not None and chosen.fits:
        best = min((fit.status for fit in chosen.fits), key=_RANK.__getitem__)
        statuses.add(best)
    if Status.FAIL in statuses:
        return 1
    return 3 if Status.UNKNOWN in statuses else 0
