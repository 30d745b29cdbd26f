"""What the renderings of a bench run say alike: rows of text, in their order.

Nothing here is escaped: each rendering makes text safe for its own place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from slugcheck.model import Status
from slugcheck.model.bench import (
    STAGES,
    BenchResult,
    DynoFit,
    Fit,
    Outcome,
    Spread,
    StackResult,
    Summary,
    Trial,
    Variant,
)
from slugcheck.text import mb, mib

LEGEND = (
    "± half the interval that holds the median with 95 %",
    "MB = 10^6 bytes",
    "MiB = 2^20 bytes",
    "RSS with the pages of files, anonymous without",
)
OUTCOME_STATUS = {
    Outcome.OK: Status.PASS,
    Outcome.SLOW: Status.WARN,
    Outcome.STALLED: Status.FAIL,
    Outcome.KILLED: Status.FAIL,
    Outcome.FAILED: Status.UNKNOWN,
}
_THOUSANDTHS_BELOW = 0.1  # seconds
_LEAST_SHOWN = 1.0  # percent: a narrower interval is not printed
_STAGE_HEADS = {
    "baseline": "Python", "import": "import", "load": "load", "first": "first", "steady": "steady",
    "peak": "peak",
}  # fmt: skip
_METHODS = {
    "cgroup-v2": "a cgroup (v2)",
    "cgroup-v1": "a cgroup (v1)",
    "systemd": "systemd-run",
    "watchdog": "a watchdog (emulated: no kernel held it)",
}
VARIANT_HEADS = ("peak, MiB", "saves", "steady", "CPU ms", "CPU", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of every stack. ``saved`` is what the second saves against the first."""

    name: str
    cells: tuple[str, ...]
    saved: str = ""
    minor: bool = False
    noisy: bool = False


def measured(found: BenchResult) -> list[StackResult]:
    """Return the stacks that have figures."""
    return [one for one in found.stacks if one.summary]


def figures(found: BenchResult) -> list[tuple[StackResult, Summary]]:
    """Return the stacks that have figures, with them."""
    return [(one, one.summary) for one in found.stacks if one.summary]


def name(stack: StackResult) -> str:
    """Return a stack with its runtime's version."""
    return f"{stack.stack.label} {stack.stack.version}".strip()


def heading(found: BenchResult) -> str:
    """Return what was measured on what."""
    models = list(dict.fromkeys(one.stack.model for one in found.stacks))
    return " against ".join(one.stack.label for one in found.stacks) + f": {', '.join(models)}"


def circumstances(found: BenchResult) -> Iterator[str]:
    """Yield how it was measured, a line each."""
    how, host = found.conditions, found.host
    for fed in how.inputs:
        yield f"input {fed.name}: {'x'.join(map(str, fed.shape))} {fed.dtype}, {fed.origin}"
    threads = {0: "the runtime's own number of threads", 1: "1 thread"}
    many = threads.get(how.threads, f"{how.threads} threads")
    each = f"{how.processes} fresh processes" if how.processes != 1 else "1 fresh process"
    yield f"{many}, {each} for each stack, {how.runs} timed inferences in each"
    memory = f", {host.memory_bytes / 1e9:.1f} GB" if host.memory_bytes else ""
    pythons = ", ".join(dict.fromkeys(one.stack.python for one in measured(found)))
    yield f"Python {pythons} on {host.processor}, {host.cores} cores{memory}, {host.system}"


# --------------------------------------------------------------------------- the comparison


def rows(found: BenchResult) -> Iterator[Row]:
    """Yield the comparison: size, memory, times."""
    stacks = figures(found)

    def row(
        label: str, value: Callable[[Summary, StackResult], tuple[float | None, str]],
        *, less: Callable[[float], str] | None = None, minor: bool = False, noisy: bool = False,
    ) -> Row:  # fmt: skip
        values = [value(summary, one) for one, summary in stacks]
        saved = _saved([number for number, _ in values], less) if less else ""
        return Row(
            name=label, cells=tuple(text or "" for _, text in values), saved=saved, minor=minor,
            noisy=noisy,
        )  # fmt: skip

    yield row("environment, MB", lambda _, one: _size(one.stack.environment_bytes), less=_mb)
    yield row("model, MB", lambda _, one: _size(one.stack.model_bytes))
    yield row("peak RSS, MiB", lambda s, _: _memory(s.rss.get("peak")), less=_mib)
    yield row("  of it anonymous", lambda s, _: _memory(s.anon.get("peak")), less=_mib, minor=True)
    if any(summary.pss for _, summary in stacks):
        yield row("  PSS, steady", lambda s, _: _memory(s.pss), less=_mib, minor=True)
    yield row("import, s", lambda s, _: _time(s.import_seconds), less=_seconds)
    yield row("load the model, s", lambda s, _: _time(s.load_seconds), minor=True)
    yield row("first inference, s", lambda s, _: _time(s.first_seconds), minor=True)
    yield row("cold start, s", lambda s, _: _time(s.cold_seconds), less=_seconds)
    if any(summary.evicted_seconds for _, summary in stacks):
        yield row("  with files on disk", lambda s, _: _time(s.evicted_seconds), minor=True)
    yield row("CPU ms an inference", lambda s, _: _milliseconds(s.cpu_ms), less=_ms)
    noisy = any(summary.latency.noisy for _, summary in stacks)
    yield row("latency p50, ms", lambda s, _: _plain(s.latency.p50_ms), less=_ms, noisy=noisy)
    yield row("  p95 / p99", lambda s, _: _tail(s), minor=True, noisy=noisy)
    yield row("inferences a second", lambda s, _: _plain(s.latency.per_second), noisy=noisy)


def _saved(values: Sequence[float | None], less: Callable[[float], str]) -> str:
    if len(values) != 2 or None in values:
        return ""
    first, second = (value or 0.0 for value in values)
    gone = first - second
    percent = f"{100 * gone / first:.0f} %" if first else ""
    return f"{less(gone)}  {percent:>5}"


def _mb(value: float) -> str:
    return f"-{mb(round(-value))}" if value < 0 else mb(round(value))


def _mib(value: float) -> str:
    return f"-{mib(round(-value))}" if value < 0 else mib(round(value), down=True)


def _seconds(value: float) -> str:
    return f"{value:.2f}"


def _ms(value: float) -> str:
    return f"{value:.1f}"


def _size(value: int | None) -> tuple[float | None, str]:
    return value, mb(value) if value is not None else ""


def _memory(one: Spread | None) -> tuple[float | None, str]:
    return (one.median, mib(round(one.median)) + _plus_minus(one)) if one else (None, "")


def _time(one: Spread | None) -> tuple[float | None, str]:
    return (one.median, f"{_short(one.median)}{_plus_minus(one)}") if one else (None, "")


def _short(value: float) -> str:
    return f"{value:.3f}" if value < _THOUSANDTHS_BELOW else f"{value:.2f}"


def _milliseconds(one: Spread) -> tuple[float | None, str]:
    return one.median, f"{one.median:.1f}{_plus_minus(one)}"


def _plain(value: float) -> tuple[float | None, str]:
    return value, f"{value:,.1f}"


def _tail(summary: Summary) -> tuple[float | None, str]:
    late = summary.latency
    return None, f"{late.p95_ms:,.1f} / {late.p99_ms:,.1f}"


def _plus_minus(one: Spread) -> str:
    if one.count < 2 or one.percent < _LEAST_SHOWN:
        return ""
    return f" ±{one.percent:.0f} %"


# --------------------------------------------------------------------------- memory by stage


def stage_heads() -> tuple[str, ...]:
    """Return the heads of the table of stages."""
    return tuple(_STAGE_HEADS[stage] for stage in (*STAGES, "peak"))


def stage_rows(found: BenchResult) -> Iterator[Row]:
    """Yield RSS and anonymous memory of each stack after every stage, in MiB."""
    for one, summary in figures(found):
        for title, kind in (
            (one.stack.label, summary.rss),
            ("  of it anonymous", summary.anon),
        ):
            cells = [_memory(kind.get(stage)) for stage in (*STAGES, "peak")]
            texts = tuple(text.partition(" ±")[0] for _, text in cells)
            yield Row(name=title, cells=texts, minor=title.startswith(" "))


# --------------------------------------------------------------------------- what follows


def agreement(found: BenchResult) -> tuple[Status, str] | None:
    """Return whether the stacks compute the same, None where one was measured."""
    one = found.agreement
    return (one.status, one.sentence) if one else None


def ratio(found: BenchResult) -> str | None:
    """Return what workers that took turns showed."""
    one = found.ratio
    if one is None:
        return None
    if not one.significant:
        return f"in turn, {' and '.join(one.labels)} take alike: no significant difference"
    ends = f"{one.cpu.low:.2f} to {one.cpu.high:.2f}"
    return (
        f"in turn, {one.labels[0]} takes {one.cpu.median:.2f} times the CPU time of "
        f"{one.labels[1]} ({ends}; wall time {one.wall.median:.2f})"
    )


def dyno_rows(found: BenchResult, *, everything: bool) -> tuple[list[DynoFit], int]:
    """Return the machine sizes to show, and how many larger ones fit every stack as well."""
    rows = list(found.dynos)
    if everything:
        return rows, 0
    last = max(
        (n for n, one in enumerate(rows) if not _all_fit(one) or one is found.chosen), default=0
    )
    shown = rows[: last + 2]
    return shown, sum(len(one.names) for one in rows[last + 2 :])


def _all_fit(one: DynoFit) -> bool:
    return all(fit.status is Status.PASS for fit in one.fits)


def dyno_legend(sign: Callable[[Status], str]) -> str:
    """Return what the figures and signs of the table of machines mean."""
    meanings = ((Status.WARN, "less than 15 % free"), (Status.UNKNOWN, "may swap"),
                (Status.FAIL, "swaps, or is killed"))  # fmt: skip
    signs = ", ".join(f"{sign(status)} {words}" for status, words in meanings)
    return f"MiB of all workers there, and how many would fit; {signs}"


def dyno_name(one: DynoFit, most: int = 3) -> str:
    """Return the names of machines that are alike."""
    more = f" +{len(one.names) - most}" if len(one.names) > most else ""
    return ", ".join(one.names[:most]) + more


def dyno_figure(one: Fit) -> str:
    """Return the MiB of all workers: without and with file pages where that decides."""
    anon, rss = mib(one.anon), mib(one.rss)
    if one.status is Status.UNKNOWN:
        return f"{anon}\N{EN DASH}{rss}"
    return anon if one.status is Status.FAIL else rss


def trial_words(one: Trial) -> str:
    """Return what became of a worker under a limit."""
    peak = f"; peak RSS {mib(one.peak_rss)} MiB" if one.peak_rss else ""
    return (
        f"{one.label} at {mib(one.limit_bytes, down=True)} MiB: {one.outcome}: {one.sentence}{peak}"
    )


def trial_method(found: BenchResult) -> str:
    """Return how the limit was held."""
    methods = dict.fromkeys(one.method for one in found.trials)
    return "limit held by " + ", ".join(_METHODS.get(method, method) for method in methods)


def variant_rows(found: BenchResult) -> Iterator[tuple[str, list[Variant]]]:
    """Yield each stack with its variants."""
    for stack in found.stacks:
        own = [one for one in found.variants if one.label == stack.stack.label]
        if own:
            yield stack.stack.label, own


def variant_cells(one: Variant) -> tuple[str, ...]:
    """Return the figures of a variant, or an empty tuple where there are none."""
    if one.reason or one.peak is None or one.cpu_ms is None:
        return ()
    saves = "" if one.saves_bytes is None else _mib(one.saves_bytes)
    return (
        mib(round(one.peak.median)),
        saves if one.significant else "~",
        mib(round(one.rss.median)) if one.rss else "",
        f"{one.cpu_ms.median:.1f}",
        "" if one.cpu_percent is None else f"{one.cpu_percent:+.0f} %",
        "" if one.error is None else f"{one.error:.1g}",
    )
