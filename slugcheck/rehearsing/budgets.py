"""The team's own limits on a rehearsal, and its growth over a saved one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slugcheck.model.document import saved as documents
from slugcheck.model.document.rehearsal import RehearsalDocument
from slugcheck.model.rehearsal import Judgement, ProcessRun, RehearsalResult
from slugcheck.model.report import Status
from slugcheck.model.to_document.rehearsal import rehearsed
from slugcheck.policy.limits import of_measurements
from slugcheck.text import mib, printable, seconds

_UNITS = {
    "ram": "bytes", "boot": "seconds", "p95_ms": "milliseconds", "increase_percent": "percent",
}  # fmt: skip
_REHEARSAL = "make one with: slugcheck rehearse --output rehearsal.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Limits in bytes, seconds, milliseconds and percent; ``baseline`` is a saved rehearsal."""

    limits: dict[str, float] = field(default_factory=dict)
    baseline: RehearsalResult | None = None
    label: str = ""


def parse(texts: Sequence[str], baseline: Path | None) -> Budgets:
    """Return the budgets of ``--limit NAME=VALUE`` and ``--baseline FILE``.

    :raises UsageError: names everything that is wrong.
    """
    limits = of_measurements(texts, _UNITS, has_baseline=baseline is not None)
    return Budgets(
        limits=limits,
        baseline=load(baseline) if baseline is not None else None,
        label=printable(str(baseline)) if baseline is not None else "",
    )


def load(path: Path) -> RehearsalResult:
    """Return a saved rehearsal.

    :raises UsageError: the file cannot be read, or holds something else.
    """
    text = documents.content_of(path, hint=_REHEARSAL).decode("utf-8-sig", "replace")
    label = printable(str(path))
    return rehearsed(documents.loads(RehearsalDocument, text, label, hint=_REHEARSAL))


def are_saved(paths: Sequence[Path]) -> bool:
    """Whether files are saved rehearsals, the first of them at least."""
    if len(paths) < 2 or paths[0].suffix.lower() != ".json" or not paths[0].is_file():
        return False
    return b'"kind": "rehearsal"' in documents.content_of(paths[0])


def judge(result: RehearsalResult, budgets: Budgets) -> tuple[Judgement, ...]:
    """Return the verdict on each limit, for every process that has the figure."""
    return tuple(
        judgement
        for run in result.processes
        for judgement in (*_limited(run, budgets), *_grown(run, result, budgets))
    )


def _limited(run: ProcessRun, budgets: Budgets) -> Iterator[Judgement]:
    for name, most in budgets.limits.items():
        match name:
            case "ram" if run.peak_bytes is not None:
                shown = f"{mib(run.peak_bytes)} of {mib(round(most), down=True)} MiB"
                yield _verdict(name, f"{run.name} takes {shown}", over=run.peak_bytes > most)
            case "boot" if run.boot is not None and run.boot.bound_seconds is not None:
                taken = run.boot.bound_seconds
                verb = "starts in" if run.is_function else "listens after"
                sentence = f"{run.name} {verb} {seconds(taken)} of {seconds(most)}"
                yield _verdict(name, sentence, over=taken > most)
            case "p95_ms" if run.load is not None and run.load.times is not None:
                taken = run.load.times.p95_ms
                sentence = f"95 % of the answers within {taken:,.0f} of {most:,.0f} ms"
                yield _verdict(name, sentence, over=taken > most)
            case _:
                pass


def _verdict(code: str, sentence: str, *, over: bool) -> Judgement:
    return Judgement(code=code, status=Status.FAIL if over else Status.PASS, sentence=sentence)


def _grown(run: ProcessRun, result: RehearsalResult, budgets: Budgets) -> Iterator[Judgement]:
    base, most = budgets.baseline, budgets.limits.get("increase_percent")
    before = next((one for one in base.processes if one.name == run.name), None) if base else None
    if base is None or before is None:
        return
    figures: list[tuple[str, float | None, float | None]] = [
        ("memory", before.peak_bytes, run.peak_bytes),
        ("anonymous memory", before.peak_anonymous_bytes, run.peak_anonymous_bytes),
    ]
    if base.cores == result.cores:  # of another machine, CPU time says nothing
        figures.append(("CPU time of a request", _cpu(before), _cpu(run)))
    for title, then, now in figures:
        if then and now is not None:
            percent = 100 * (now - then) / then
            allowed = f" of at most {most:+.0f} %" if most is not None else ""
            sentence = f"{run.name}: {title} {percent:+.1f} %{allowed} over {budgets.label}"
            over = most is not None and percent > most
            yield _verdict("increase", sentence, over=over)


def _cpu(run: ProcessRun) -> float | None:
    return run.load.cpu_seconds_per_request if run.load is not None else None
