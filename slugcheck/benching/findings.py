"""What a run shows that an app should do otherwise: gradients kept, threads without cores."""

from __future__ import annotations

from collections.abc import Iterator

from slugcheck.benching import variants
from slugcheck.model.bench import StackResult
from slugcheck.model.benchresult import BenchResult, Variant
from slugcheck.model.platform import Dyno
from slugcheck.model.verdicts import Finding, FindingSeverity
from slugcheck.units import mib

# Below these a saving is not worth a line: the allocator's steps are 8 MiB.
_LEAST_BYTES = 8 * 2**20
_LEAST_CPU_PERCENT = 15.0


def of(result: BenchResult, dyno: Dyno | None) -> tuple[Finding, ...]:
    """Return the findings of a run; ``dyno`` is the machine that it is judged for."""
    return (*_gradients(result), *_threads(result, dyno), *_memory(result))


def _gradients(result: BenchResult) -> Iterator[Finding]:
    for one in result.variants:
        if one.name == variants.GRADIENTS and one.saves_bytes is not None and one.significant:
            more = -one.saves_bytes
            if more >= _LEAST_BYTES and one.peak is not None:
                yield Finding(
                    code="gradients-kept",
                    severity=FindingSeverity.WARNING,
                    subject=one.label,
                    sentence=f"with gradients left on its peak is {mib(round(one.peak.median))} "
                    f"MiB, {mib(more)} MiB more",
                    fix="with torch.inference_mode(): outputs = model(inputs)",
                    saves_bytes=None,
                )


def _threads(result: BenchResult, dyno: Dyno | None) -> Iterator[Finding]:
    """More threads than the machine has cores for: they wait for each other, and spin."""
    if dyno is None or dyno.cores is None:
        return
    asked = result.conditions.threads
    for one in result.stacks:
        if one.summary is None:
            continue
        if asked == 0 or asked > dyno.cores:
            used = f"{asked} threads" if asked else "a thread for each core, the runtime's default"
            yield _too_many(one, dyno, f"measured with {used}")
            continue
        default = _of(result, one.stack.label, variants.DEFAULT_THREADS)
        if default is not None and (default.cpu_percent or 0) >= _LEAST_CPU_PERCENT:
            yield _too_many(
                one, dyno,
                f"with its default of a thread for each core it takes {default.cpu_percent:.0f} % "
                "more CPU time for an inference here",
            )  # fmt: skip


def _too_many(one: StackResult, dyno: Dyno, sentence: str) -> Finding:
    cores = "a share of one core" if dyno.shared else f"{dyno.cores} cores"
    return Finding(
        code="threads-beyond-cores",
        severity=FindingSeverity.WARNING,
        subject=one.stack.label,
        sentence=f"{sentence}; {dyno.name} has {cores}",
        fix=variants.ONE_THREAD[one.stack.runtime],
    )


def _memory(result: BenchResult) -> Iterator[Finding]:
    """The best saving of each stack that costs neither CPU time nor the same output."""
    for stack in result.stacks:
        best = max(
            (one for one in result.variants if one.label == stack.stack.label and _free(one)),
            key=lambda one: one.saves_bytes or 0,
            default=None,
        )
        if best is not None and best.saves_bytes is not None:
            yield Finding(
                code="memory-setting",
                severity=FindingSeverity.INFO,
                subject=stack.stack.label,
                sentence=f"{best.name}: {mib(best.saves_bytes, down=True)} MiB less at its peak, "
                f"{best.cpu_percent or 0:+.0f} % CPU time",
                fix=best.advice,
            )


def _free(one: Variant) -> bool:
    return (
        one.significant
        and (one.saves_bytes or 0) >= _LEAST_BYTES
        and (one.cpu_percent or 0) < _LEAST_CPU_PERCENT
        and one.error is not None
        and one.error <= 1e-3
    )


def _of(result: BenchResult, label: str, name: str) -> Variant | None:
    return next((v for v in result.variants if (v.label, v.name) == (label, name)), None)
