"""What ``slugcheck bench`` shows: runtimes side by side, and how each fits the machine. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from slugcheck.model import Finding, Status
from slugcheck.model.bench import (
    BenchResult,
    BudgetVerdict,
    DynoFit,
    Fit,
    Outcome,
    Ratio,
    Spread,
    StackResult,
    Summary,
    Trial,
    Variant,
)
from slugcheck.render import wording
from slugcheck.render.view import (
    Block,
    Cell,
    Column,
    Figure,
    Fix,
    Graded,
    Item,
    Items,
    Kind,
    Line,
    Paragraph,
    Row,
    Section,
    Span,
    Style,
    Subject,
    Table,
    Verdict,
    View,
    line,
)
from slugcheck.text import MIB, mb, mib, plural, seconds

_FIGURE = Kind.FIGURE
_NOISY = Span(" †", Style.ACCENT)
_OUTCOMES = {
    Outcome.OK: Status.PASS,
    Outcome.SLOW: Status.WARN,
    Outcome.STALLED: Status.FAIL,
    Outcome.KILLED: Status.FAIL,
    Outcome.FAILED: Status.UNKNOWN,
}
_THOUSANDTHS_BELOW = 0.1  # seconds
_LEAST_SHOWN = 1.0  # percent: a narrower interval is not printed
_CONFIDENCE = 0.95  # which fewer than six processes do not reach
_MOST_NAMES = 3  # of machine sizes that are alike
_ROOMY, _WIDE = 64, 74  # from which width on some columns are shown
_STAGES = {
    "baseline": "Python", "import": "import", "load": "load", "first": "first", "steady": "steady",
    "peak": "peak",
}  # fmt: skip
_FIT_WORDS = {
    Status.PASS: "FITS {}",
    Status.WARN: "JUST FITS {}",
    Status.UNKNOWN: "MAY SWAP on {}",
    Status.FAIL: "DOES NOT FIT {}",
}
_FIT_MEANINGS = {
    Status.WARN: "fits, with less than 15 % to spare",
    Status.UNKNOWN: "may swap: between anonymous memory and RSS",
    Status.FAIL: "swaps or is killed: anonymous memory alone is too much",
}
_VARIANT_HEADS = ("peak, MiB", "saves", "steady", "CPU ms", "CPU", "error")


def view(result: BenchResult, *, all_rows: bool = False) -> View:
    """Return what to show of a run; ``all_rows`` shows every machine size."""
    sections = _sections(result, all_rows=all_rows)
    return View(tuple(section for section in sections if section.blocks))


def _sections(result: BenchResult, *, all_rows: bool) -> Iterator[Section]:
    yield _head(result)
    yield _comparison(result)
    yield _stages(result)
    if result.dynos:
        yield _machines(result, all_rows=all_rows)
    yield _budgets(result)
    yield _trials(result)
    for runtime in result.stacks:
        yield _variants(runtime, result.variants)
    fixes = tuple(map(_fix, result.findings))
    yield Section(heading=line("to fix"), blocks=fixes, rank=5)
    yield _notes(result)
    if len(_measured(result)) > 1:  # of one runtime the verdict says it all
        reasons = tuple(Item(text=line(reason)) for reason in result.conclusion.because)
        blocks = (Items(reasons),) if reasons else ()
        yield Section(heading=line("reasons"), blocks=blocks, rank=1)


def _measured(result: BenchResult) -> list[tuple[StackResult, Summary]]:
    """Return the runtimes that have figures, with them."""
    return [(runtime, runtime.summary) for runtime in result.stacks if runtime.summary]


def _name(runtime: StackResult) -> str:
    return f"{runtime.stack.label} {runtime.stack.version}".strip()


# --------------------------------------------------------------------------- head


def _head(result: BenchResult) -> Section:
    how, host = result.conditions, result.host
    models = dict.fromkeys(runtime.stack.model for runtime in result.stacks)
    threads = plural(how.threads, "thread") if how.threads else "default number of threads"
    pythons = dict.fromkeys(runtime.stack.python for runtime, _ in _measured(result))
    subject = Subject(
        name=", ".join(models),
        facts=(" against ".join(map(_name, result.stacks)), threads),
        run=(
            f"{plural(how.processes, 'process', 'processes')} per runtime",
            f"{plural(how.runs, 'timed inference')} in each",
            seconds(how.seconds),
        ),
    )
    memory = f", {host.memory_bytes / 1e9:.1f} GB" if host.memory_bytes else ""
    machine = f"on {host.processor}, {plural(host.cores, 'core')}{memory}, {host.system}"
    lines = [
        f"input {fed.name}: {'x'.join(map(str, fed.shape))} {fed.dtype}, {fed.origin}"
        for fed in how.inputs
    ]
    lines.append(f"Python {', '.join(pythons)} {machine}" if pythons else machine)
    where = Paragraph(tuple(line(text, Style.DIM) for text in lines))
    return Section(blocks=(_verdict(result), subject, where), rank=0)


def _verdict(result: BenchResult) -> Verdict:
    """Return the outcome; it fails or is unknown where the exit code says so."""
    failed = [runtime for runtime in result.stacks if runtime.failure]
    if failed:
        return Verdict(status=Status.UNKNOWN, word="NOT MEASURED", sentence=_failure(failed[0]))
    if result.agreement is not None and result.agreement.status is Status.FAIL:
        sentence = result.agreement.sentence
        return Verdict(status=Status.FAIL, word="OUTPUTS DIFFER", sentence=sentence)
    gating = [verdict for verdict in result.budgets if verdict.gates]
    for status, word in ((Status.FAIL, "OVER BUDGET"), (Status.UNKNOWN, "UNKNOWN")):
        if decisive := [verdict for verdict in gating if verdict.status is status]:
            more = f"; and {len(decisive) - 1} more" if len(decisive) > 1 else ""
            return Verdict(status=status, word=word, sentence=f"{_budget(decisive[0])}{more}")
    chosen, label = result.chosen, result.conclusion.label
    fits = {fit.label: fit for fit in chosen.fits} if chosen else {}
    best = fits.get(label or "") or min(fits.values(), key=_doubt, default=None)
    word = f"take {label}" if label else ""
    if chosen is None or best is None:
        sentence = "" if label else "there is no machine size to compare with"
        return Verdict(status=Status.PASS, word=word or "MEASURED", sentence=sentence)
    fails = best.status in (Status.FAIL, Status.UNKNOWN)
    if label and not fails:
        sentence = _fit_sentence(best, chosen, f" on {result.dyno}")
        return Verdict(status=best.status, word=word, sentence=sentence)
    word = _FIT_WORDS[best.status].format(result.dyno)
    if len(fits) > 1 and not fails:
        word = "NO SIGNIFICANT DIFFERENCE"
    # without --dyno the size is the platform's default, and decides nothing
    status = Status.WARN if fails and not result.dyno_asked else best.status
    sentence = f"{best.label}, {_fit_sentence(best, chosen)}"
    return Verdict(status=status, word=word, sentence=sentence)


def _doubt(fit: Fit) -> int:
    return list(_FIT_WORDS).index(fit.status)


def _fit_sentence(fit: Fit, chosen: DynoFit, where: str = "") -> str:
    workers = plural(chosen.dyno.workers, "worker")
    quota = f"{mib(chosen.dyno.r14_bytes, down=True)} MiB"
    return f"{workers}{where}: {_used(fit)} of {quota}, {fit.workers_fit} would fit"


def _failure(runtime: StackResult) -> str:
    count = plural(len(runtime.samples), "process", "processes")
    after = f" after {count}" if runtime.samples else ""
    return f"{runtime.stack.label} was not measured{after}: {runtime.failure}"


# --------------------------------------------------------------------------- comparison


def _comparison(result: BenchResult) -> Section:
    measured = _measured(result)
    columns: tuple[Column, ...] = (
        Column(),
        *(Column(head=_name(runtime), kind=_FIGURE) for runtime, _ in measured),
    )
    if len(measured) == 2:
        saves = Column(head="saves", kind=_FIGURE, wide_only=_WIDE)
        columns = (*columns, saves, Column(kind=_FIGURE, wide_only=_WIDE))
    rows = tuple(_rows(measured))
    blocks: list[Block] = [Table(columns=columns, rows=rows)] if measured else []
    items = [
        Item(mark=Status.FAIL, text=line(_failure(runtime)))
        for runtime in result.stacks
        if runtime.failure
    ]
    if result.agreement is not None:
        agreement = result.agreement
        style = Style.PLAIN if agreement.status is Status.PASS else Style.STRONG
        items.append(Item(mark=agreement.status, text=line(agreement.sentence, style)))
    if result.ratio is not None and result.conclusion.label is None:
        items.append(Item(text=line(_ratio(result.ratio))))
    if items:
        blocks.append(Items(tuple(items)))
    return Section(heading=line("comparison"), blocks=tuple(blocks), rank=2)


Reading = tuple[float | None, Cell]  # a figure, and how it is shown


def _rows(measured: Sequence[tuple[StackResult, Summary]]) -> Iterator[Row]:
    """Yield size, memory and times, a row each with what the second runtime saves."""

    def row(
        name: str, value: Callable[[Summary, StackResult], Reading],
        *, less: Callable[[float], str] | None = None, depth: int = 0, minor: bool = False,
        noisy: bool = False,
    ) -> Row:  # fmt: skip
        readings = [value(summary, runtime) for runtime, summary in measured]
        style = Style.DIM if minor else Style.GOOD
        saved: tuple[Cell, ...] = ()
        if len(readings) == 2:
            saved = _saved([number for number, _ in readings], less, style)
        head = (*line(name), *((_NOISY,) if noisy else ()))
        cells = (head, *(cell for _, cell in readings), *saved)
        return Row(cells=cells, style=Style.DIM if minor else Style.PLAIN, depth=depth)

    def part(
        name: str,
        value: Callable[[Summary, StackResult], Reading],
        less: Callable[[float], str] | None = None,
    ) -> Row:
        return row(name, value, less=less, depth=1, minor=True)

    summaries = [summary for _, summary in measured]
    yield row(
        "environment, MB", lambda _, runtime: _size(runtime.stack.environment_bytes), less=_less_mb
    )
    yield row("model, MB", lambda _, runtime: _size(runtime.stack.model_bytes))
    yield row("peak RSS, MiB", lambda s, _: _memory(s.rss.get("peak")), less=_less_mib)
    yield part("anonymous", lambda s, _: _memory(s.anon.get("peak")), _less_mib)
    if any(summary.pss for summary in summaries):
        yield part("PSS, steady", lambda s, _: _memory(s.pss))
    yield row("import, s", lambda s, _: _time(s.import_seconds), less="{:.2f}".format)
    yield row("load the model, s", lambda s, _: _time(s.load_seconds), minor=True)
    yield row("first inference, s", lambda s, _: _time(s.first_seconds), minor=True)
    yield row("cold start, s", lambda s, _: _time(s.cold_seconds), less="{:.2f}".format)
    if any(summary.evicted_seconds for summary in summaries):
        yield part("with files on disk", lambda s, _: _time(s.evicted_seconds))
    yield row(
        "CPU per inference, ms", lambda s, _: _spread(s.cpu_ms, "{:.1f}".format),
        less="{:.1f}".format,
    )  # fmt: skip
    noisy = any(summary.latency.noisy for summary in summaries)
    yield row(
        "latency p50, ms", lambda s, _: _plain(s.latency.p50_ms), less="{:.1f}".format, noisy=noisy
    )
    yield row("p95 / p99", lambda s, _: _tail(s), depth=1, minor=True, noisy=noisy)
    yield row("inferences per second", lambda s, _: _plain(s.latency.per_second), noisy=noisy)


def _saved(
    values: Sequence[float | None], less: Callable[[float], str] | None, style: Style
) -> tuple[Cell, Cell]:
    first, second = values
    if less is None or first is None or second is None:
        return (), ()
    gone = first - second
    percent = f"{100 * gone / first:.0f} %" if first else ""
    return line(less(gone), style), line(percent, style)


def _less_mb(value: float) -> str:
    return f"-{mb(round(-value))}" if value < 0 else mb(round(value))


def _less_mib(value: float) -> str:
    return f"-{mib(round(-value))}" if value < 0 else mib(round(value), down=True)


def _size(value: int | None) -> Reading:
    return value, Figure(mb(value) if value is not None else "")


def _memory(spread: Spread | None) -> Reading:
    return _spread(spread, lambda value: mib(round(value)))


def _time(spread: Spread | None) -> Reading:
    return _spread(
        spread, lambda value: f"{value:.3f}" if value < _THOUSANDTHS_BELOW else f"{value:.2f}"
    )


def _spread(spread: Spread | None, shown: Callable[[float], str]) -> Reading:
    """Return a median with its interval, where that is wide enough to matter."""
    if spread is None:
        return None, Figure("")
    narrow = spread.count < 2 or spread.percent < _LEAST_SHOWN
    return spread.median, Figure(shown(spread.median), "" if narrow else f"±{spread.percent:.0f} %")


def _plain(value: float) -> Reading:
    return value, Figure(f"{value:,.1f}")


def _tail(summary: Summary) -> Reading:
    late = summary.latency
    return None, Figure(f"{late.p95_ms:,.1f} / {late.p99_ms:,.1f}")


def _ratio(ratio: Ratio) -> str:
    if not ratio.significant:
        return f"alternating, {' and '.join(ratio.labels)} do not differ significantly in CPU time"
    ends = f"{ratio.cpu.low:.2f} to {ratio.cpu.high:.2f}"
    return (
        f"alternating, {ratio.labels[0]} takes {ratio.cpu.median:.2f} times the CPU time of "
        f"{ratio.labels[1]} ({ends}; wall time {ratio.wall.median:.2f})"
    )


# --------------------------------------------------------------------------- memory by stage


def _stages(result: BenchResult) -> Section:
    columns = Column(), *(Column(head=head, kind=_FIGURE) for head in _STAGES.values())
    rows = []
    for runtime, summary in _measured(result):
        rows.append(_stage_row(runtime.stack.label, summary.rss))
        if summary.anon:
            rows.append(_stage_row("anonymous", summary.anon, part=True))
    blocks = (Table(columns=columns, rows=tuple(rows)),) if rows else ()
    return Section(heading=line("RSS by stage, MiB"), blocks=blocks, rank=4)


def _stage_row(name: str, memory: Mapping[str, Spread], *, part: bool = False) -> Row:
    spreads = [memory.get(stage) for stage in _STAGES]
    cells = [Figure(mib(round(spread.median)) if spread else "") for spread in spreads]
    style = Style.DIM if part else Style.PLAIN
    return Row(cells=(line(name), *cells), style=style, depth=int(part))


# --------------------------------------------------------------------------- machine sizes


def _machines(result: BenchResult, *, all_rows: bool) -> Section:
    shown = _shown(result, all_rows=all_rows)
    columns = [
        Column(),
        Column(head="MiB", kind=_FIGURE, wide_only=_ROOMY),
        Column(head="workers", kind=_FIGURE),
    ]
    for fit in shown[0].fits:
        columns.append(Column(head=fit.label, kind=Kind.STATE))
        columns.append(Column(head="fit", kind=_FIGURE, wide_only=_WIDE))
    rows = [_machine(machine, chosen=machine is result.chosen) for machine in shown]
    if rest := result.dynos[len(shown) :]:
        rows.append(_larger(rest))
    statuses = {fit.status for machine in shown for fit in machine.fits}
    items = [
        Item(mark=status, text=line(meaning, Style.DIM))
        for status, meaning in _FIT_MEANINGS.items()
        if status in statuses
    ]
    items += [
        Item(mark=boot.status, text=line(f"{boot.label}: {boot.sentence}", Style.DIM))
        for boot in result.boots
    ]
    table = Table(columns=tuple(columns), rows=tuple(rows))
    meaning = line("MiB of all workers together, and how many workers would fit", Style.DIM)
    blocks: tuple[Block, ...] = (table, Paragraph((meaning,)))
    if items:
        blocks = (*blocks, Items(tuple(items)))
    return Section(heading=line(f"{result.platform} sizes"), blocks=blocks, rank=3)


def _shown(result: BenchResult, *, all_rows: bool) -> Sequence[DynoFit]:
    """Return the machine sizes up to the first above which every runtime fits."""
    tight = (
        number
        for number, machine in enumerate(result.dynos)
        if machine is result.chosen or any(fit.status is not Status.PASS for fit in machine.fits)
    )
    count = max(tight, default=0) + 2
    # a row for one other is no shorter than that one
    return result.dynos if all_rows or len(result.dynos) <= count + 1 else result.dynos[:count]


def _machine(machine: DynoFit, *, chosen: bool = False) -> Row:
    more = len(machine.names) - _MOST_NAMES
    name = ", ".join(machine.names[:_MOST_NAMES]) + (f" +{more}" if more > 0 else "")
    style = Style.STRONG if chosen else Style.PLAIN
    cells: list[Cell] = [line(name, style), line(str(machine.dyno.ram_bytes // MIB))]
    cells.append(line(str(machine.dyno.workers)))
    for fit in machine.fits:
        cells += [Graded(fit.status, _used(fit)), line(str(fit.workers_fit))]
    return Row(cells=tuple(cells))


def _larger(rest: Sequence[DynoFit]) -> Row:
    """Return one row for the larger machine sizes, which every runtime fits."""
    name = line(f"… {sum(len(machine.names) for machine in rest)} larger")
    fits = [cell for fit in rest[0].fits for cell in (Graded(fit.status, "fits"), ())]
    members = tuple(map(_machine, rest))
    return Row(cells=(name, (), (), *fits), style=Style.DIM, members=members, hint="see --all")


def _used(fit: Fit) -> str:
    """Return the MiB of all workers: without and with file pages where that decides."""
    anon, rss = mib(fit.anon), mib(fit.rss)
    if fit.status is Status.UNKNOWN:
        return f"{anon}\N{EN DASH}{rss}"
    return anon if fit.status is Status.FAIL else rss


# --------------------------------------------------------------------------- the rest


def _budgets(result: BenchResult) -> Section:
    items = tuple(Item(mark=v.status, text=line(_budget(v))) for v in result.budgets)
    blocks = (Items(items),) if items else ()
    return Section(heading=line("budgets"), blocks=blocks, rank=2)


def _budget(verdict: BudgetVerdict) -> str:
    return f"{verdict.label}: {verdict.sentence}"


def _trials(result: BenchResult) -> Section:
    words = wording.LIMIT_METHODS
    methods = dict.fromkeys(words.get(trial.method, trial.method) for trial in result.trials)
    enforced = line(f"limit enforced by {', '.join(methods)}", Style.DIM)
    items = Items(tuple(Item(mark=_OUTCOMES[o.outcome], text=_trial(o)) for o in result.trials))
    blocks = (items, Paragraph((enforced,))) if result.trials else ()
    return Section(heading=line("under a memory limit"), blocks=blocks, rank=6)


def _trial(trial: Trial) -> Line:
    peak = f"; peak RSS {mib(trial.peak_rss)} MiB" if trial.peak_rss else ""
    limit = f"{mib(trial.limit_bytes, down=True)} MiB"
    return line(f"{trial.label} at {limit}: {trial.outcome}: {trial.sentence}{peak}")


def _variants(stack: StackResult, variants: Sequence[Variant]) -> Section:
    label = stack.stack.label
    columns = Column(), *(Column(head=head, kind=_FIGURE) for head in _VARIANT_HEADS)
    rows = tuple(_variant(variant) for variant in variants if variant.label == label)
    blocks = (Table(columns=columns, rows=rows),) if rows else ()
    return Section(heading=line(f"{label} settings"), blocks=blocks, rank=7)


def _variant(variant: Variant) -> Row:
    if variant.reason or variant.peak is None or variant.cpu_ms is None:
        note = line(f"not measured: {variant.reason}", Style.DIM)
        return Row(cells=(line(variant.name), *((),) * len(_VARIANT_HEADS)), notes=(note,))
    saves = "" if variant.saves_bytes is None else _less_mib(variant.saves_bytes)
    figures = (
        mib(round(variant.peak.median)),
        saves if variant.significant else "~",
        mib(round(variant.rss.median)) if variant.rss else "",
        f"{variant.cpu_ms.median:.1f}",
        "" if variant.cpu_percent is None else f"{variant.cpu_percent:+.0f} %",
        "" if variant.error is None else f"{variant.error:.1g}",
    )
    how = line(variant.advice, Style.DIM, code=True)
    return Row(cells=(line(variant.name), *map(line, figures)), notes=(how,) if how else ())


def _fix(finding: Finding) -> Fix:
    sentence = f"{finding.subject}: {finding.sentence}"
    code = Span(finding.code, code=True)
    return Fix(severity=finding.severity, sentence=sentence, facts=(code,), lines=finding.fix)


def _app(result: BenchResult) -> str:
    """Return what the app needs beside the model's process, which is all that was measured."""
    if result.app is None:
        return "only the model's process was measured: --app FOLDER adds what the app imports"
    own = result.app.worker.resident
    place = result.app.scan.process
    command = f" ({place.command})" if place is not None else ""
    return (
        f"only the model's process was measured: the app's imports{command} alone take "
        f"{mib(own.value)} MiB {wording.percent(own)} a worker, its model not included"
    )


def _notes(result: BenchResult) -> Section:
    items = [Item(text=line(note)) for note in (_app(result), *result.notes)]
    for runtime in result.stacks:
        noisy = runtime.summary.latency.noisy if runtime.summary else ""
        for doubt in runtime.doubts:
            mark = "†" if noisy and noisy in doubt else Status.WARN
            text = line(f"{runtime.stack.label}: {doubt}")
            items.append(Item(mark=mark, text=text, style=Style.ACCENT))
    spreads = [summary.cpu_ms for _, summary in _measured(result)]
    sure = "95 % " if all(spread.confidence >= _CONFIDENCE for spread in spreads) else ""
    interval = (f"± {sure}confidence interval of the median",)
    legend = (
        *(interval if any(spread.count > 1 for spread in spreads) else ()),
        "RSS includes file pages, anonymous memory does not",
        *(("~ no significant difference",) if result.variants else ()),
        "MB = 10^6 bytes",
        "MiB = 2^20 bytes",
    )
    paragraph = Paragraph((line(" · ".join(legend), Style.DIM),))
    blocks: tuple[Block, ...] = (Items(tuple(items)), paragraph) if items else (paragraph,)
    heading = line("notes") if items else ()
    return Section(heading=heading, blocks=blocks, rank=8, quiet=True)
