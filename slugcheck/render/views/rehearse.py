"""What ``slugcheck rehearse`` shows: the verdict, then each process from boot to SIGTERM. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slugcheck.model.rehearsal import (
    BreakingPoint,
    Build,
    Judgement,
    MachineFit,
    ProcessRun,
    RehearsalResult,
    RequestResult,
    Stage,
)
from slugcheck.model.report import Status
from slugcheck.render import wording
from slugcheck.render.view import (
    Block,
    Column,
    Figure,
    Graded,
    Item,
    Items,
    Kind,
    Line,
    Listing,
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
from slugcheck.text import MIB, clock, heroku_m, mib, millis, plural, seconds, shown_command

_FIGURE = Kind.FIGURE
_STAGES = {
    Stage.BOOT: "listening",
    Stage.FIRST: "first answer",
    Stage.STEADY: "after the load",
    Stage.PEAK: "peak",
}
_OF_FUNCTION = _STAGES | {
    Stage.BOOT: "after init",
    Stage.FIRST: "first invocation",
    Stage.STEADY: "last invocation",
}
_FITS = {
    Status.PASS: "fits",
    Status.WARN: "just fits",
    Status.UNKNOWN: "unclear",
    Status.FAIL: "too small",
}
_WIDE, _ROOMY = 74, 64
_LOG_LINES = 12
_MACHINES = 5
_UNLIMITED = 2**49  # bytes


def view(result: RehearsalResult, *, all_rows: bool = False) -> View:
    """Return what to show of a rehearsal; ``all_rows`` shows every machine size and process."""
    sections = [_head(result)]
    if result.build is not None:
        called = any(process.is_function for process in result.processes)
        sections.append(_build(result.build, called=called))
    for process in result.processes:
        sections += _process(result, process, all_rows=all_rows)
    if result.budgets:
        items = Items(tuple(_judgement(one) for one in result.budgets))
        sections.append(Section(heading=line("limits"), blocks=(items,), rank=1))
    sections += [_breaking(point) for point in result.breaking_points]
    sections.append(_notes(result))
    return View(tuple(section for section in sections if section.blocks))


# --------------------------------------------------------------------------- head


def _head(result: RehearsalResult) -> Section:
    machine = f"{result.dyno} ({(result.ram_bytes or 0) // MIB} MiB)" if result.dyno else ""
    facts = (f"{result.title} {machine}".strip(), f"Python {result.python}")
    run = tuple(process.name for process in result.processes)
    subject = Subject(name=result.path, facts=facts, run=(*run, seconds(result.seconds)))
    return Section(blocks=(_verdict(result), subject), rank=0)


def _verdict(result: RehearsalResult) -> Verdict:
    """Return the gravest of the judgements; what all of it came to where nothing went wrong."""
    grave = [one for one in result.judgements if one.status in (Status.FAIL, Status.UNKNOWN)]
    if grave:
        first = grave[0]
        more = f"; and {len(grave) - 1} more" if len(grave) > 1 else ""
        word = first.code.upper() if first.status is Status.FAIL else "UNKNOWN"
        return Verdict(
            status=first.status, word=word, sentence=f"{first.sentence}{more}", next_step=first.fix
        )
    warnings = [one for one in result.judgements if one.status is Status.WARN]
    parts = [_summary(result, process) for process in result.processes]
    if warnings:
        more = f" and {len(warnings) - 1} more" if len(warnings) > 1 else ""
        parts.append(f"but {warnings[0].sentence}{more}")
    status = Status.WARN if warnings else Status.PASS
    return Verdict(status=status, word="HOLDS", sentence="; ".join(parts))


def _summary(result: RehearsalResult, process: ProcessRun) -> str:
    """Return boot, memory and answers in one line."""
    said = []
    if process.boot is not None and process.boot.bound_seconds is not None:
        verb = "starts in" if process.is_function else "listens after"
        said.append(f"{verb} {seconds(process.boot.bound_seconds)}")
    if (peak := process.peak_bytes) is not None:
        of = f" of {result.ram_bytes // MIB:,}" if result.ram_bytes else ""
        said.append(f"takes {mib(peak)}{of} MiB")
    if process.load is not None and process.load.times is not None:
        answered = plural(process.load.answered, _asked(process))
        said.append(f"answers {answered}, 95 % within {process.load.times.p95_ms:,.0f} ms")
    return f"{process.name} {', '.join(said) or 'ran to its end'}"


def _asked(process: ProcessRun) -> str:
    return "invocation" if process.is_function else "request"


# --------------------------------------------------------------------------- build


def _build(build: Build, *, called: bool) -> Section:
    limit = f" of {clock(build.limit_seconds)} min" if build.limit_seconds else " min"
    sentence = f"{clock(build.seconds)}{limit} here, with {build.installer}"
    items = [Item(mark=_of_time(build), text=line(sentence))]
    items += [
        Item(text=(Span(f"{seconds(step.seconds)}  "), Span(step.command, code=True)))
        for step in build.steps
    ]
    made = f"slug {heroku_m(build.slug_bytes)}, without Heroku's own Python"
    if called:
        made = f"packages {heroku_m(build.installed_bytes)} unzipped"
    items.append(Item(text=line(made)))
    return Section(heading=line("build"), blocks=(Items(tuple(items)),), rank=4)


def _of_time(build: Build) -> Status:
    late = build.limit_seconds is not None and build.seconds > build.limit_seconds
    return Status.FAIL if late else Status.PASS


# --------------------------------------------------------------------------- a process


def _process(result: RehearsalResult, process: ProcessRun, *, all_rows: bool) -> Iterator[Section]:
    command = Span(shown_command(process.command), Style.DIM, code=True)
    where = (command, Span(f"  {process.place}", Style.DIM))
    items = Items(tuple(_judgement(one) for one in process.judgements))
    blocks: list[Block] = [Paragraph((where,)), items]
    if process.failed_by_itself and process.log:
        blocks.append(Paragraph((line("the last lines of its log:", Style.DIM),)))
        blocks.append(Listing("\n".join(process.log[-_LOG_LINES:])))
    yield Section(heading=line(process.name), blocks=tuple(blocks), rank=1)
    yield _memory(result, process, all_rows=all_rows)
    yield _requests(process)
    yield _machines(result, process, all_rows=all_rows)


def _judgement(one: Judgement) -> Item:
    style = Style.STRONG if one.status is Status.FAIL else Style.PLAIN
    below: tuple[Line, ...] = (line(one.fix, Style.DIM),) if one.fix else ()
    return Item(mark=one.status, text=line(f"{one.code}: {one.sentence}", style), below=below)


def _memory(result: RehearsalResult, process: ProcessRun, *, all_rows: bool) -> Section:
    started = process.boot is None or process.boot.bound_seconds is not None
    if not started and not process.limit.killed:
        return Section(blocks=(), rank=2)  # the memory of what has crashed says nothing
    columns = (
        Column(),
        Column(head="resident", kind=_FIGURE),
        Column(head="anonymous", kind=_FIGURE),
        Column(head="sum of RSS", kind=_FIGURE, wide_only=_WIDE),
        Column(head="processes", kind=_FIGURE, wide_only=_ROOMY),
    )
    rows = []
    for stage, name in (_OF_FUNCTION if process.is_function else _STAGES).items():
        if (memory := process.stages.get(stage)) is not None:
            whole, own = memory.resident_bytes, memory.anonymous_bytes
            if stage is Stage.PEAK:  # what is judged: samples between two full readings count
                whole = process.peak_bytes or whole
                own = process.peak_anonymous_bytes or own
            cells = (whole, own, memory.rss_bytes)
            rows.append(
                Row(
                    cells=(
                        line(name),
                        *(Figure(mib(size)) for size in cells),
                        Figure(str(len(memory.processes))),
                    )
                )
            )
    peak = process.stages.get(Stage.PEAK)
    if all_rows and peak is not None:
        for one in peak.processes:
            figures = (Figure(""), Figure(mib(one.anonymous_bytes)), Figure(mib(one.rss_bytes)))
            named = (line(one.name), *figures, Figure(""))
            rows.append(Row(cells=named, style=Style.DIM, depth=1))
    if not rows:
        return Section(blocks=(), rank=2)
    said = "resident: anonymous memory, and the files that are mapped, each page once"
    lines = [line(said, Style.DIM)]
    if floor := _floor(result, process):
        lines.append(line(floor, Style.DIM))
    blocks = (Table(columns=columns, rows=tuple(rows)), Paragraph(tuple(lines)))
    return Section(heading=line(f"memory of {process.name}, MiB"), blocks=blocks, rank=2)


def _floor(result: RehearsalResult, process: ProcessRun) -> str:
    if not process.serves or result.floor_bytes is None:
        return ""
    low, high = result.floor_low_bytes, result.floor_high_bytes
    between = f" ({mib(low)} to {mib(high)})" if low is not None and high is not None else ""
    return f"slugcheck check predicts at least {mib(result.floor_bytes)} MiB{between}"


def _requests(process: ProcessRun) -> Section:
    load = process.load
    if load is None:
        return Section(blocks=(), rank=3)
    columns = (
        Column(),
        Column(head="answered", kind=_FIGURE),
        Column(head="p50", kind=_FIGURE),
        Column(head="p95", kind=_FIGURE),
        Column(head="p99", kind=_FIGURE, wide_only=_ROOMY),
        Column(head="max", kind=_FIGURE),
    )
    rows = tuple(_request(result) for result in load.by_request)
    parts = [
        f"{plural(load.concurrency, _asked(process))} at a time",
        f"{load.per_second:,.1f} answers per second",
    ]
    if load.cpu_seconds_per_request is not None and load.answered:
        parts.append(f"{1000 * load.cpu_seconds_per_request:,.1f} ms of CPU time each")
    blocks = (Table(columns=columns, rows=rows), Paragraph((line(", ".join(parts), Style.DIM),)))
    return Section(heading=line(f"{_asked(process)}s, ms"), blocks=blocks, rank=3)


def _request(result: RequestResult) -> Row:
    times = result.times
    values = (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms) if times else ()
    cells = [Figure(millis(value)) for value in values]
    answered = Figure(f"{result.answered:,} of {result.sent:,}")
    empty = [Figure("")] * (4 - len(cells))
    shown = result.request.partition(" => ")[0]
    return Row(cells=(line(shown, code=True), answered, *cells, *empty))


# --------------------------------------------------------------------------- machines


def _machines(result: RehearsalResult, process: ProcessRun, *, all_rows: bool) -> Section:
    fits = _shown(process.machines, result.dyno, all_rows=all_rows)
    if not fits:
        return Section(blocks=(), rank=3)
    columns: tuple[Column, ...]
    if process.is_function:
        columns = (
            Column(),
            Column(head="MiB", kind=_FIGURE),
            Column(head="takes, MiB", kind=_FIGURE),
            Column(kind=Kind.STATE),
            Column(head="vCPU", kind=_FIGURE),
            Column(head="at least, ms", kind=_FIGURE),
        )
        rows = [_size(fit, chosen=fit.name == result.dyno) for fit in fits]
    else:
        columns = (
            Column(),
            Column(head="MiB", kind=_FIGURE),
            Column(head="$/month", kind=_FIGURE, wide_only=_WIDE),
            Column(head="workers", kind=_FIGURE),
            Column(head="take, MiB", kind=_FIGURE),
            Column(kind=Kind.STATE),
            Column(head="room for", kind=_FIGURE),
        )
        rows = [_machine(fit, chosen=fit.name == result.dyno) for fit in fits]
    blocks: list[Block] = [Table(columns=columns, rows=tuple(rows))]
    lines = []
    if any(fit.least_ms is not None for fit in fits):
        said = "at least: the CPU time of an invocation here, with the share of CPU there"
        lines.append(line(said, Style.DIM))
    if process.web_concurrency is not None:
        lines.append(line(f"set WEB_CONCURRENCY to {process.web_concurrency} on {result.dyno}"))
    if process.cheapest is not None:
        which = "smallest" if process.is_function else "cheapest"
        lines.append(line(f"the {which} that holds: {process.cheapest}"))
    if lines:
        blocks.append(Paragraph(tuple(lines)))
    heading = line("sizes" if len(result.processes) == 1 else f"sizes for {process.name}")
    return Section(heading=heading, blocks=tuple(blocks), rank=3)


def _shown(fits: Sequence[MachineFit], dyno: str | None, *, all_rows: bool) -> Sequence[MachineFit]:
    """Return the first sizes, with the one that was rehearsed on."""
    if all_rows or len(fits) <= _MACHINES + 1:
        return fits
    own = [number for number, fit in enumerate(fits) if fit.name == dyno]
    return fits[: max(_MACHINES, *(number + 1 for number in own), 0)]


def _machine(fit: MachineFit, *, chosen: bool) -> Row:
    price = f"{fit.usd_per_month:,.0f}" if fit.usd_per_month is not None else ""
    takes = f"{fit.high_bytes / MIB:,.0f}"
    return Row(
        cells=(
            line(fit.name, Style.STRONG if chosen else Style.PLAIN),
            Figure(f"{fit.ram_bytes // MIB:,}"),
            Figure(price),
            Figure(str(fit.workers)),
            Figure(takes),
            Graded(fit.status, _FITS[fit.status]),
            Figure(str(fit.workers_fit)),
        )
    )


def _size(fit: MachineFit, *, chosen: bool) -> Row:
    unsure = fit.slow and fit.status is Status.UNKNOWN
    return Row(
        cells=(
            line(fit.name, Style.STRONG if chosen else Style.PLAIN),
            Figure(f"{fit.ram_bytes // MIB:,}"),
            Figure(f"{fit.high_bytes / MIB:,.0f}"),
            Graded(fit.status, "too slow?" if unsure else _FITS[fit.status]),
            Figure(f"{fit.vcpus:.2f}" if fit.vcpus is not None else ""),
            Figure(millis(fit.least_ms) if fit.least_ms is not None else ""),
        )
    )


def _breaking(point: BreakingPoint) -> Section:
    each, more = ("worker", "") if point.what == "workers" else ("request", " at a time")
    holds = f"with {plural(point.holds, each)}{more} it holds"
    items = [Item(mark=Status.PASS, text=line(holds))] if point.holds else []
    if point.breaks is not None:
        text = line(f"with {plural(point.breaks, each)}{more} it does not: {point.sentence}")
        items.append(Item(mark=Status.FAIL, text=text))
    else:
        items.append(Item(text=line(point.sentence or "more were not tried")))
    return Section(heading=line("until it breaks"), blocks=(Items(tuple(items)),), rank=2)


# --------------------------------------------------------------------------- notes


def _notes(result: RehearsalResult) -> Section:
    limits = dict.fromkeys((run.limit.method, run.limit.bytes) for run in result.processes)
    texts = [*result.notes, *(_limit(method, size) for method, size in limits)]
    if result.variables:
        texts.append(f"config vars passed on: {', '.join(result.variables)}")
    items = tuple(Item(text=line(text, Style.DIM)) for text in texts)
    return Section(heading=line("notes"), blocks=(Items(items),), rank=6)


def _limit(method: str, size: int) -> str:
    if size > _UNLIMITED:
        return "no memory limit: the platform names none"
    return f"killed above {mib(size, down=True)} MiB by {wording.LIMIT_METHODS.get(method, method)}"


# --------------------------------------------------------------------------- side by side


def comparison(results: Sequence[RehearsalResult], labels: Sequence[str]) -> View:
    """Return rehearsals beside each other; the first is the reference."""
    runs = [_compared(result) for result in results]
    columns = [Column(), *(Column(head=label, kind=_FIGURE) for label in labels)]
    if len(results) == 2:
        columns.append(Column(head="saves", kind=_FIGURE))
    rows = tuple(_figures(results, runs))
    table = Table(columns=tuple(columns), rows=rows)
    items = []
    for result, label in zip(results, labels, strict=True):
        grave = [one for one in result.judgements if one.status is not Status.PASS]
        items.append(_standing(label, result, grave))
    blocks: tuple[Block, ...] = (table, Items(tuple(items)))
    return View((Section(heading=line("rehearsals"), blocks=blocks, rank=0),))


def _compared(result: RehearsalResult) -> ProcessRun | None:
    """Return the process that rehearsals are compared by: the one that serves, if there is one."""
    serving = (run for run in result.processes if run.serves)
    return next(serving, None) or next(iter(result.processes), None)


def _standing(label: str, result: RehearsalResult, grave: Sequence[Judgement]) -> Item:
    if not grave:
        where = f" on {result.dyno}" if result.dyno else ""
        return Item(mark=Status.PASS, text=line(f"{label}: holds{where}"))
    return Item(mark=grave[0].status, text=line(f"{label}: {grave[0].code}: {grave[0].sentence}"))


def _figures(
    results: Sequence[RehearsalResult], runs: Sequence[ProcessRun | None]
) -> Iterator[Row]:
    def row(name: str, values: Sequence[float | None], shown: str = "{:,.1f}") -> Iterator[Row]:
        if all(value is None for value in values):
            return
        cells = [Figure("" if value is None else shown.format(value)) for value in values]
        if len(values) == 2:
            first, second = values
            if first and second is not None:
                cells.append(Figure(f"{100 * (first - second) / first:.0f} %"))
            else:
                cells.append(Figure(""))
        yield Row(cells=(line(name), *cells))

    def memory(stage: Stage) -> list[float | None]:
        read = [run.stages.get(stage) if run else None for run in runs]
        return [None if one is None else one.resident_bytes / MIB for one in read]

    builds = [result.build for result in results]
    yield from row("slug, M", [b.slug_bytes / MIB if b else None for b in builds])
    yield from row("build, s", [b.seconds if b else None for b in builds], "{:,.0f}")
    boots = [run.boot if run else None for run in runs]
    functions = all(run is not None and run.is_function for run in runs)
    yield from row(
        "init, s" if functions else "listens after, s",
        [b.bound_seconds if b else None for b in boots],
    )
    yield from row("first answer after, s", [b.answered_seconds if b else None for b in boots])
    yield from row("workers", [run.workers if run else None for run in runs], "{:.0f}")
    for stage, name in (_OF_FUNCTION if functions else _STAGES).items():
        if stage is not Stage.PEAK:
            yield from row(f"{name}, MiB", memory(stage))
    peaks = [run.peak_bytes if run else None for run in runs]
    yield from row("peak, MiB", [peak / MIB if peak is not None else None for peak in peaks])
    sure = [run.peak_anonymous_bytes if run else None for run in runs]
    yield from row("peak, anonymous", [size / MIB if size is not None else None for size in sure])
    yield from row(
        "check's floor, MiB",
        [None if r.floor_bytes is None else r.floor_bytes / MIB for r in results],
    )
    loads = [run.load if run else None for run in runs]
    times = [load.times if load else None for load in loads]
    yield from row("p50, ms", [one.p50_ms if one else None for one in times])
    yield from row("p95, ms", [one.p95_ms if one else None for one in times])
    yield from row("p99, ms", [one.p99_ms if one else None for one in times])
    yield from row("answers per second", [one.per_second if one else None for one in loads])
    cpu = [load.cpu_seconds_per_request if load else None for load in loads]
    yield from row("CPU, ms per request", [None if one is None else 1000 * one for one in cpu])
