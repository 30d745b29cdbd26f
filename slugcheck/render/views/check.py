"""What ``slugcheck check`` shows of a report: sections, rows and their order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath

from slugcheck.model import (
    AppFiles,
    Audit,
    Basis,
    BundleKind,
    Cause,
    Change,
    ChangeKind,
    Difference,
    DistributionSize,
    Finding,
    FindingSeverity,
    Ignored,
    ModelFile,
    Obstacle,
    Overlap,
    PartChange,
    Report,
    Scan,
    SizeReport,
    Status,
    Storage,
    StorageOption,
    Unaudited,
    Verdict,
    Verification,
    breakdown,
)
from slugcheck.model import Kind as FileKind
from slugcheck.model.memory import LoadedFile, MemoryPart, RamFloor
from slugcheck.render import wording
from slugcheck.render.view import (
    ABSENT,
    Bar,
    Bars,
    Block,
    Cell,
    Column,
    Fix,
    Item,
    Items,
    Kind,
    Line,
    Mark,
    Missing,
    MissingList,
    Names,
    Paragraph,
    Row,
    Section,
    Share,
    Span,
    Style,
    Subject,
    Table,
    View,
    line,
)
from slugcheck.text import HEROKU_M, clock, listed, mb, mib, plural

_DOWNLOAD, _BYTECODE, _SHARE, _NAMES = 70, 96, 112, 70  # from which width on these are shown
_MOST_FOOTNOTES = 6
_MOST_CHANGES = 12
_MOST_MODELS = 12
_NAMED = 5
_MOST_PARTS, _LEAST_PART = 5, 2**20  # of the RAM floor
_NOTABLE_BYTES = 100_000  # a folder below it says nothing about where the megabytes are
_FIGURE = Kind.FIGURE
_KINDS = {
    FileKind.NATIVE: "native", FileKind.PYTHON: "Python", FileKind.BYTECODE: "bytecode",
    FileKind.TESTS: "tests", FileKind.METADATA: "metadata", FileKind.DATA: "data",
}  # fmt: skip
# The row's label says what these are.
_NAMED_GROUPS = ("app", "models", "layers", "static", "nltk", "other", "base", "cache")
_SIGNS = {
    ChangeKind.ADDED: ("+", Style.BAD),
    ChangeKind.REMOVED: ("-", Style.GOOD),
    ChangeKind.UPGRADED: ("^", Style.ACCENT),
    ChangeKind.DOWNGRADED: ("v", Style.ACCENT),
    ChangeKind.SAME_VERSION: ("~", Style.DIM),
}


def view(report: Report, *, all_rows: bool = False, verbose: bool = False) -> View:
    """Return what to show of a report; ``all_rows`` lists every distribution.

    ``verbose`` adds what is fine and needs nothing from the reader.
    """
    sections = _sections(report, all_rows=all_rows, verbose=verbose)
    return View(tuple(filter(_has_blocks, sections)))


def _has_blocks(section: Section) -> bool:
    return bool(section.blocks)


def _sections(report: Report, *, all_rows: bool, verbose: bool) -> Iterator[Section]:
    folded = report.difference is not None  # readers of a change rarely need all sizes
    yield _head(report)
    yield _sizes(report, all_rows=all_rows, folded=folded, verbose=verbose)
    if report.app is not None and report.app.files:
        yield _app(report.app, wording.compressed(report.sizes), folded=folded)
    if report.models:
        yield _models(report.models, wording.compressed(report.sizes), folded=folded)
    if report.storage and (verbose or _models_matter(report)):
        yield _storage(report)
    if report.verification is not None:
        yield _verification(report.verification, wording.compressed(report.sizes))
    if report.difference is not None:
        yield _changes(report, report.difference)
    bars = tuple(_bars(report.verdicts, verbose=verbose))
    yield Section(blocks=(Bars(bars),), rank=1)
    if report.ram is not None:
        yield _ram(report.ram, folded=folded)
    yield _obstacles(report)
    yield _unsized(report)
    yield _contributors(report.sizes, folded=folded)
    if report.audit is not None:
        yield _audit(report.audit)
    yield _fixes(report)
    yield _notes(report)


def _second(sizes: SizeReport) -> str:
    return wording.second(wording.kind_of(sizes))


def _head(report: Report) -> Section:
    outcome = wording.conclusion(report)
    subject = Subject(
        name=report.path, facts=wording.target_words(report), run=wording.run_words(report)
    )
    return Section(blocks=(outcome, subject), rank=0)


# --------------------------------------------------------------------------- sizes


def _sizes(report: Report, *, all_rows: bool, folded: bool, verbose: bool) -> Section:
    sizes = report.sizes
    guessed = _all_predicted(sizes, all_rows=all_rows)
    columns = (
        Column(head="distribution"),
        Column(head="download", kind=_FIGURE, wide_only=_DOWNLOAD),
        Column(head="~installed" if guessed else "installed", kind=_FIGURE),
        Column(head="~bytecode", kind=_FIGURE, wide_only=_BYTECODE),
        Column(head=_marked(sizes), kind=_FIGURE),
        Column(head=f"of the {_whole(sizes)}", kind=Kind.SHARE, wide_only=_SHARE),
        Column(head="required by", kind=Kind.NAMES),
    )
    rows = tuple(_size_rows(report, all_rows=all_rows, mark=not guessed))
    table = Table(columns=columns, rows=rows)
    notes = tuple(_footnotes(sizes, verbose=verbose))
    blocks: tuple[Block, ...] = (table, *notes)
    return Section(heading=line("sizes, MB"), blocks=blocks, rank=6, folded=folded)


def _marked(sizes: SizeReport) -> str:
    """Return the head of the second column, marked unless every figure in it is measured."""
    measured = wording.kind_of(sizes) is BundleKind.SITE_PACKAGES and not _is_predicted(sizes)
    return _second(sizes) if measured else f"~{_second(sizes)}"


def _size_rows(report: Report, *, all_rows: bool, mark: bool) -> Iterator[Row]:
    sizes = report.sizes
    shown = breakdown.fold(sizes, everything=all_rows)
    yield from (_distribution(size, report, mark=mark) for size in shown.shown)
    if shown.rest:
        yield _rest(shown.rest, report, mark=mark)
    yield from (_overlap(overlap, sizes) for overlap in breakdown.notable_overlaps(sizes))
    yield from _provided(sizes, all_rows=all_rows)
    if breakdown.has_more(sizes):
        yield _dependencies(sizes, mark=mark)
    parts = breakdown.part_rows(sizes, everything=all_rows)
    yield from (_part(part, sizes, mark=mark) for part in parts)
    total = _figures(breakdown.total(sizes), sizes, predicted=mark and _is_predicted(sizes))
    cells = (line("total"), *total, (), line(wording.doubt(sizes)))
    yield Row(cells=cells, style=Style.STRONG, rule=True)


def _all_predicted(sizes: SizeReport, *, all_rows: bool) -> bool:
    """Whether every row's installed size is predicted, so that the head can say it once."""
    shown = breakdown.fold(sizes, everything=all_rows)
    rest = not shown.rest or any(size.basis is Basis.PREDICTED for size in shown.rest)
    parts = breakdown.part_rows(sizes, everything=all_rows)
    rows = all(size.basis is Basis.PREDICTED for size in shown.shown)
    return rows and rest and all(part.predicted for part in parts) and _is_predicted(sizes)


def _is_predicted(sizes: SizeReport) -> bool:
    return sizes.installed.basis is Basis.PREDICTED


def _figures(sums: breakdown.Sums, sizes: SizeReport, *, predicted: bool) -> tuple[Line, ...]:
    """Return download, installed, bytecode and the second; ``predicted`` marks the installed."""
    tilde = "~" if predicted else ""
    second = breakdown.second(wording.kind_of(sizes), slug=sums.slug, bundle=sums.bundle)
    return (
        ABSENT if sums.download is None else line(mb(sums.download)),
        line(f"{tilde}{mb(sums.installed)}"),
        line(mb(sums.bytecode)) if sums.bytecode else ABSENT,
        line(mb(second)),
    )


def _whole(sizes: SizeReport) -> str:
    """Return what a share is of, in a word."""
    second = _second(sizes)
    return second if second in ("slug", "bundle") else "total"


def _distribution(size: DistributionSize, report: Report, *, mark: bool) -> Row:
    version = size.distribution.version
    name: Line = (Span(wording.label(size), code=True), Span(f" {version}", Style.DIM))
    if size.distribution.source_build is not None:
        name = (*name, Span(" †", Style.ACCENT))
    predicted = mark and size.basis is Basis.PREDICTED
    share = _share(size.bundle.value, report.sizes)
    cells: tuple[Cell, ...] = (
        name,
        *_figures(breakdown.sums([size]), report.sizes, predicted=predicted),
        share,
        _required_by(wording.reasons(size), _file(report)),
    )
    return Row(cells=cells)


def _required_by(reasons: Sequence[str], file: str) -> Names:
    """Return the file itself, where it names the distribution, and those that need it."""
    direct = reasons[:1] == ("direct",)
    own = (file,) if direct else ()
    names = (*own, *reasons[len(own) :])
    return Names(names, Style.STRONG, short="direct") if direct else Names(names)


def _file(report: Report) -> str:
    if report.project is not None and report.kind == "project":
        return report.project.dependency_file.name
    return PurePath(report.path).name or "the file"


def _share(value: int, sizes: SizeReport) -> Share:
    return Share(value / (sizes.bundle.value or 1))


def _rest(rest: tuple[DistributionSize, ...], report: Report, *, mark: bool) -> Row:
    sizes = report.sizes
    predicted = mark and any(size.basis is Basis.PREDICTED for size in rest)
    share = _share(sum(size.bundle.value for size in rest), sizes)
    name = line(f"… {len(rest):,} more")
    cells: tuple[Cell, ...] = (
        name,
        *_figures(breakdown.sums(rest), sizes, predicted=predicted),
        share,
        (),
    )
    members = tuple(_distribution(size, report, mark=mark) for size in rest)
    return Row(cells=cells, style=Style.DIM, members=members, hint="see --all")


def _overlap(overlap: Overlap, sizes: SizeReport) -> Row:
    name = line(f"overlap: {plural(overlap.files, 'file')}", Style.ACCENT)
    kind = wording.kind_of(sizes)
    second = breakdown.second(kind, slug=overlap.slug_bytes, bundle=overlap.bundle_bytes)
    figures = (line(f"-{mb(size)}") for size in (overlap.bytes, second))
    counted = line("counted once", Style.DIM)
    return Row(cells=(name, ABSENT, next(figures), ABSENT, next(figures), (), counted))


def _provided(sizes: SizeReport, *, all_rows: bool) -> Iterator[Row]:
    """Yield what the runtime provides, which counts nothing: one row unless all are asked for."""
    provided = sizes.provided
    if not provided:
        return
    rows = tuple(
        _uncounted(
            (Span(size.name, code=True), Span(f" {size.distribution.version}", Style.DIM)),
            line("in the runtime", Style.DIM),
        )
        for size in provided
    )
    if all_rows:
        yield from rows
        return
    own = sum(size.provided_bytes or 0 for size in provided)
    names = Names(tuple(size.name for size in provided))
    row = _uncounted(line(f"in the runtime: {len(provided)}", Style.ACCENT), names)
    note = line(f"not counted: {mb(own)} MB that the platform's runtime provides", Style.DIM)
    yield replace(row, notes=(note,), members=rows)


def _uncounted(name: Line, reason: Cell) -> Row:
    return Row(cells=(name, ABSENT, ABSENT, ABSENT, ABSENT, (), reason), style=Style.DIM)


def _dependencies(sizes: SizeReport, *, mark: bool) -> Row:
    sums = breakdown.dependencies(sizes)
    predicted = mark and any(size.basis is Basis.PREDICTED for size in sizes.distributions)
    share = _share(sums.bundle, sizes)
    cells: tuple[Cell, ...] = (
        line("dependencies"),
        *_figures(sums, sizes, predicted=predicted),
        share,
        (),
    )
    return Row(cells=cells, rule=True)


def _part(part: breakdown.PartRow, sizes: SizeReport, *, mark: bool) -> Row:
    sums = breakdown.Sums(
        download=None, installed=part.installed, bytecode=0, slug=part.slug, bundle=part.bundle
    )
    share = _share(part.bundle, sizes)
    own = _figures(sums, sizes, predicted=mark and part.predicted)
    note = line(_part_note(part), Style.DIM)
    return Row(cells=(line(part.label, Style.ACCENT), *own, share, note))


def _part_note(part: breakdown.PartRow) -> str:
    group = "" if part.group in _NAMED_GROUPS else part.group
    within = f" ±{part.percent:.0f} %" if part.percent >= 1 else ""
    if part.percent >= 100:  # a note says from where to where
        within = " uncertain"
    note = f": {part.note}" if part.note else ""
    return f"{group}{within}{note}".strip()


def _footnotes(sizes: SizeReport, *, verbose: bool) -> Iterator[Block]:
    kinds = " · ".join(f"{_KINDS[kind]} {share} %" for kind, share in breakdown.kinds(sizes))
    if kinds and verbose:
        yield Paragraph((line(f"installed: {kinds}", Style.DIM),))
    builds = wording.source_builds(sizes, most=_MOST_FOOTNOTES)
    items = [Item(mark="†", text=line(text, Style.DIM), style=Style.ACCENT) for text in builds]
    items += [
        Item(mark=Status.WARN, text=line(wording.overlap(overlap), Style.DIM))
        for overlap in breakdown.notable_overlaps(sizes)
    ]
    if items:
        yield Items(tuple(items))


# --------------------------------------------------------------------------- budgets


def _bars(verdicts: Sequence[Verdict], *, verbose: bool) -> Iterator[Bar]:
    """Yield the verdicts that have a figure, each with the platform's own on the same figure."""
    groups: list[tuple[Verdict, list[Verdict]]] = []
    for verdict in verdicts:
        if verdict.figure is None:
            continue
        same = next((beside for own, beside in groups if own.figure == verdict.figure), None)
        if same is not None and (verdict.rejects or not verdict.gates):
            same.append(verdict)
        else:
            groups.append((verdict, []))
    for verdict, beside in groups:
        if not verdict.gates and verdict.status is Status.PASS and not verbose:
            continue
        if not verdict.gates and verdict.status is Status.UNKNOWN:
            if verdict.unit == "bytes" or verbose:
                yield Bar(name=verdict.budget, sentence=verdict.sentence)
            continue
        shown = [v for v in beside if verbose or _tells_more(v, [verdict, *beside])]
        bars = tuple(_bar(v, v.sentence) for v in shown)
        yield _bar(verdict, wording.sentence(verdict), bars)
    for verdict in verdicts:
        if verdict.figure is None:
            yield Bar(name=verdict.budget, sentence=verdict.sentence)


def _tells_more(verdict: Verdict, group: Sequence[Verdict]) -> bool:
    """Whether a verdict beside a budget tells the reader something that its budget does not."""
    if verdict.status is group[0].status is Status.UNKNOWN:
        return False  # for the same reason
    if verdict.rejects:  # what it allows is news where the budget is exceeded
        return verdict.status is not Status.PASS or group[0].status is not Status.PASS
    rejected = any(v.rejects and v.status is Status.FAIL for v in group)
    return verdict.status is not Status.PASS and not rejected  # what is rejected never boots


def _bar(verdict: Verdict, sentence: str, beside: tuple[Bar, ...] = ()) -> Bar:
    return Bar(
        name=verdict.budget,
        sentence=sentence,
        status=verdict.status,
        figure=verdict.figure,
        limit=verdict.limit,
        gates=verdict.gates,
        beside=beside,
    )


# --------------------------------------------------------------------------- RAM


def _ram(ram: RamFloor, *, folded: bool) -> Section:
    """Return what a worker has in memory after its imports, the largest parts first."""
    worker = ram.worker
    columns = (
        Column(head="after its imports"),
        Column(head="MiB", kind=_FIGURE),
        Column(head="imported by"),
    )
    shown = [part for part in worker.parts[:_MOST_PARTS] if part.resident.value >= _LEAST_PART]
    rows = [_ram_part(part, ram.scan) for part in shown]
    rest = worker.parts[len(shown) :]
    if rest:
        size = sum(part.resident.value for part in rest)
        rows.append(_ram_row(line(f"… {len(rest)} more"), size, style=Style.DIM))
    rows += [_ram_model(one) for one in worker.models[:_MOST_PARTS]]
    if more := worker.models[_MOST_PARTS:]:
        size = sum(one.resident.value for one in more)
        rows.append(_ram_row(line(f"… {len(more)} more models"), size, style=Style.DIM))
    own = worker.interpreter_bytes + worker.standard_library_bytes
    rows.append(_ram_row(line("Python", Style.ACCENT), own))
    name = "one worker" if ram.workers > 1 else "total"
    within = line(wording.percent(worker.resident))
    rows.append(
        replace(_ram_row(line(name), worker.resident.value, within), style=Style.STRONG, rule=True)
    )
    if ram.workers > 1:
        total = _ram_row(line(f"{ram.workers} workers"), ram.total.value, line(_workers(ram)))
        rows.append(replace(total, style=Style.STRONG))
    notes = [Item(text=line(text, Style.DIM)) for text in wording.about_ram(ram)]
    blocks = (Table(columns=columns, rows=tuple(rows)), Items(tuple(notes)))
    return Section(heading=line("RAM floor"), blocks=blocks, rank=6, folded=folded)


def _ram_row(name: Line, size: int, note: Line = (), *, style: Style = Style.PLAIN) -> Row:
    return Row(cells=(name, line(mib(size)), note), style=style)


def _ram_part(part: MemoryPart, scan: Scan) -> Row:
    mark = "" if part.measured else "~"
    name: Line = (Span(part.name, code=True), Span(f" {part.version}", Style.DIM))
    size = line(f"{mark}{mib(part.resident.value)}")
    return Row(cells=(name, size, line(" → ".join(wording.import_chain(part, scan)))))


def _ram_model(one: LoadedFile) -> Row:
    figure = mib(one.resident.value) if one.measured else f"0 to {mib(one.resident.high)}"
    where = line(f"loaded at {one.model.place}")
    return Row(cells=(line(one.model.path, code=True), line(figure), where))


def _workers(ram: RamFloor) -> str:
    shared = "loaded before they start" if ram.preload else ""
    return "; ".join(filter(None, (ram.origin, shared)))


# --------------------------------------------------------------------------- the app


def _app(app: AppFiles, packed: str, *, folded: bool) -> Section:
    """Return the app's biggest folders, the largest first, and the rest in one row.

    There is no table where all of them are small.
    """
    shown = [folder for folder in app.folders if folder.bytes >= _NOTABLE_BYTES]
    rows = [
        _file_row(line(folder.path, code=True), folder.files, folder.bytes, folder.slug_bytes)
        for folder in shown
    ]
    rest = app.files - sum(folder.files for folder in shown)
    if rows and rest > 0:
        size = app.bytes - sum(folder.bytes for folder in shown)
        slug = app.slug_bytes - sum(folder.slug_bytes for folder in shown)
        rows.append(_file_row(line("elsewhere"), rest, size, max(slug, 0)))
    columns = (
        Column(head="folder"),
        *(Column(head=head, kind=_FIGURE) for head in ("files", "size", packed)),
    )
    table = [Table(columns=columns, rows=tuple(rows))] if rows else []
    blocks: tuple[Block, ...] = (*table, Paragraph((line(_app_summary(app), Style.DIM),)))
    heading = line("app files, MB")
    return Section(heading=heading, blocks=blocks, rank=7, folded=folded, quiet=not rows)


def _file_row(name: Line, files: int, size: int, slug: int) -> Row:
    return Row(cells=(name, line(f"{files:,}"), line(mb(size)), line(mb(slug))))


def _app_summary(app: AppFiles) -> str:
    kind = "tracked by git" if app.tracked else "in the folder (no git checkout)"
    parts = [f"app files: {plural(app.files, 'file')} {kind}, {mb(app.bytes)} MB"]
    if app.ignored_files:
        left = f"{plural(app.ignored_files, 'file')} ({mb(app.ignored_bytes)} MB)"
        parts.append(f"{app.left_out_by} {left}")
    return "; ".join(parts)


def _models(models: Sequence[ModelFile], packed: str, *, folded: bool) -> Section:
    ordered = sorted(models, key=lambda model: (-model.bytes, model.path))
    shown = ordered[:_MOST_MODELS] if len(ordered) > _MOST_MODELS + 1 else ordered
    rows = [_model_row(model) for model in shown]
    if rest := ordered[len(shown) :]:
        size, slug = sum(model.bytes for model in rest), sum(model.slug.value for model in rest)
        cells = (
            line(f"… {len(rest)} more"),
            line(mb(size)),
            line(f"~{mb(slug)}"),
            (),
        )
        rows.append(Row(cells=cells))
    columns = (
        Column(head="file"),
        Column(head="size", kind=_FIGURE),
        Column(head=packed, kind=_FIGURE),
        Column(),
    )
    table = Table(columns=columns, rows=tuple(rows))
    return Section(heading=line("models, MB"), blocks=(table,), rank=8, folded=folded)


def _model_row(model: ModelFile) -> Row:
    tilde = "~" if model.slug.basis is Basis.PREDICTED else ""
    slug = line(f"{tilde}{mb(model.slug.value)}")
    name, note = line(model.path, code=True), line(model.method, Style.DIM)
    return Row(cells=(name, line(mb(model.bytes)), slug, note))


# Models below 10 MB are fetched in about a second at the slowest rate assumed, and far below
# what GitHub warns of (50 MiB); below 5 % of the slug, moving them changes no verdict that the
# interval of the sizes does not change as well.
_LEAST_MODELS = 10_000_000
_LEAST_MODELS_SHARE = 0.05


def _models_matter(report: Report) -> bool:
    """Whether the models are large enough for where they are kept to matter."""
    sizes = report.sizes
    own = sum(sizes.part_bundle(p).value for p in sizes.parts if p.group == "models")
    if sum(model.bytes for model in report.models) < _LEAST_MODELS:
        return False
    in_git = next(o.status for o in report.storage if o.storage is Storage.SLUG)
    helps = in_git is not Status.PASS and any(o.status is not in_git for o in report.storage)
    return helps or own >= _LEAST_MODELS_SHARE * sizes.bundle.value


def _storage(report: Report) -> Section:
    total = sum(model.bytes for model in report.models)
    count = plural(len(report.models), "model file")
    heading = line(f"where to keep {count}, {mb(total)} MB")
    items = tuple(_storage_item(option) for option in report.storage)
    return Section(heading=heading, blocks=(Items(items),), rank=9)


def _storage_item(option: StorageOption) -> Item:
    """Return a way to store models, and what it means, the decisive fact first."""
    title = line(option.title, Style.STRONG)
    if option.recommended:
        title = (*title, Span(" (recommended)", Style.GOOD))
    facts = option.reasons
    if option.downloads:
        rates = ", ".join(
            f"{_duration(download.seconds)} at {download.bytes_per_second / 1e6:g} MB/s"
            for download in option.downloads
        )
        facts = (*facts, f"download at assumed rates: {rates}")
    return Item(mark=option.status, text=title, below=(line("; ".join(facts), Style.DIM),))


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


# --------------------------------------------------------------------------- --verify


def _verification(measured: Verification, packed: str) -> Section:
    heads = ("measured", "predicted", "error")
    columns = (Column(), *(Column(head=head, kind=_FIGURE) for head in heads))
    rows = tuple(_verified_rows(measured, packed))
    how = f"installed with {measured.installer} on Python {measured.python}: {measured.command}"
    tar = "the tar holds distributions, app files and models, without the platform's Python"
    lines = Paragraph((line(how, Style.DIM), line(tar, Style.DIM)))
    blocks = (Table(columns=columns, rows=rows), lines)
    return Section(heading=line("verified by a real install"), blocks=blocks, rank=10)


def _verified_rows(verified: Verification, packed: str) -> Iterator[Row]:
    errors = verified.error_percent()
    sizes: tuple[tuple[str, int, int, str], ...] = (
        ("installed", verified.installed_bytes, verified.predicted_installed.value, "installed"),
        ("without bytecode", verified.plain_bytes, verified.predicted_plain_bytes, "plain"),
        ("bytecode", verified.bytecode_bytes, verified.predicted_bytecode.value, "bytecode"),
        (packed, verified.slug_bytes, verified.predicted_slug.value, "slug"),
    )
    if verified.zipped_bytes is not None and (archive := verified.predicted_zipped) is not None:
        sizes = (*sizes, ("zipped", verified.zipped_bytes, archive.value, "zipped"))
    for name, measured, predicted, key in sizes:
        if key in ("plain", "bytecode") and not verified.bytecode_bytes:
            continue
        error = _error(errors[key], predicted - measured)
        yield _verified_row(
            f"{name}, MB", f"{measured / 1e6:,.3f}", f"{predicted / 1e6:,.3f}", error
        )
    seconds = f"{verified.seconds:.1f}", f"{verified.predicted_seconds.value:.1f}"
    yield _verified_row("seconds", *seconds, f"{errors['seconds']:+.0f} %")


def _verified_row(name: str, measured: str, predicted: str, error: str) -> Row:
    cells = line(name), line(measured, Style.STRONG), line(predicted), line(error)
    return Row(cells=cells)


def _error(percent: float, difference: int) -> str:
    if not difference:
        return "exact"
    if abs(percent) < 0.005:
        return f"{difference:+,} B"
    return f"{percent:+.2f} %"


# --------------------------------------------------------------------------- --against


def _changes(report: Report, difference: Difference) -> Section:
    label = Span(difference.label, code=True)
    if difference.base is None:
        problem = line(difference.problem or "it could not be measured", Style.DOUBT)
        items: tuple[Block, ...] = (Items((Item(mark=Status.UNKNOWN, text=problem),)),)
        return Section(heading=(Span("against "), label), blocks=items, rank=3)
    summary = Paragraph((line(change_summary(difference, report.sizes)),))
    rows = tuple(_change_rows(report, difference))
    heads = ("installed", _second(report.sizes), "%")
    columns = (
        Column(kind=Kind.MARK),
        Column(head="distribution"),
        *(Column(head=head, kind=_FIGURE) for head in heads),
        Column(head="required by", kind=Kind.NAMES, wide_only=_NAMES),
    )
    notes = tuple(Item(text=line(note)) for note in difference.notes)
    blocks: tuple[Block, ...] = (
        *([Table(columns=columns, rows=rows)] if rows else []),
        summary,
        *([Items(notes)] if notes else []),
    )
    return Section(heading=(Span("against "), label, Span(", MB")), blocks=blocks, rank=3)


def _change_rows(report: Report, difference: Difference) -> Iterator[Row]:
    """Yield the changes, the largest first, many small ones in one row, parts and the total."""
    changes = difference.changes
    if not changes and not difference.parts:
        return
    shown = changes if len(changes) <= _MOST_CHANGES + 1 else changes[:_MOST_CHANGES]
    yield from (_change_row(change, report) for change in shown)
    if rest := changes[len(shown) :]:
        installed = sum(change.installed_bytes for change in rest)
        second = sum(_second_bytes(change, report.sizes) for change in rest)
        name = line(f"… {len(rest)} more")
        members = tuple(_change_row(change, report) for change in rest)
        own = line(signed(installed)), line(signed(second))
        yield Row(cells=(Mark("~", "", Style.DIM), name, *own, (), ()), members=members)
    for part in difference.parts:
        second = _second_bytes(part, report.sizes)
        sizes = line(signed(part.installed_bytes)), line(signed(second))
        yield Row(cells=(Mark("~", "", Style.DIM), line(part.name), *sizes, (), ()))
    yield _change_total(report.sizes, difference)


def _second_bytes(change: Change | PartChange | Difference, sizes: SizeReport) -> int:
    kind = wording.kind_of(sizes)
    return breakdown.second(kind, slug=change.slug_bytes, bundle=change.bundle_bytes)


def _change_row(change: Change, report: Report) -> Row:
    sign, style = _SIGNS[change.kind]
    base = report.difference.label if report.difference else ""  # it alone names what is removed
    name = (Span(change.name, code=True), *line(_versions(change), Style.DIM))
    percent = "" if change.percent is None else f"{change.percent:+.1f} %"
    cells: tuple[Cell, ...] = (
        Mark(sign, str(change.kind).replace("-", " "), style),
        name,
        line(signed(change.installed_bytes)),
        line(signed(_second_bytes(change, report.sizes))),
        line(percent, Style.DIM),
        _required_by(change.because, base if change.after is None else _file(report)),
    )
    return Row(cells=cells)


def _versions(change: Change) -> str:
    if change.before == change.after:
        return f" {change.after}" if change.after else ""
    return " " + " → ".join(filter(None, (change.before, change.after)))


def signed(value: int) -> str:
    """Return MB that are added (+) or taken away (-)."""
    shown = mb(abs(value))
    return shown if not value else f"{'+' if value > 0 else '-'}{shown}"


def _change_total(sizes: SizeReport, difference: Difference) -> Row:
    before = difference.base.bundle_bytes if difference.base is not None else 0
    percent = line(f"{100 * difference.bundle_bytes / before:+.1f} %" if before else "")
    figure = sizes.target.platform.size_figure
    total = line(f"{figure} {mb(before)} → {mb(sizes.bundle.value)} MB")
    second = _second_bytes(difference, sizes)
    own = line(signed(difference.installed_bytes)), line(signed(second))
    return Row(cells=((), line("total"), *own, percent, total), style=Style.STRONG)


def change_summary(difference: Difference, sizes: SizeReport) -> str:
    """Return the change in a sentence: "2 added, 1 upgraded: slug +12.3 MB"."""
    counts = {
        kind: sum(1 for change in difference.changes if change.kind is kind) for kind in ChangeKind
    }
    parts = [f"{count} {str(kind).replace('-', ' ')}" for kind, count in counts.items() if count]
    if difference.parts:
        parts.append(f"{plural(len(difference.parts), 'other part')} changed")
    figure, grown = sizes.target.platform.size_figure, signed(difference.bundle_bytes)
    return f"{', '.join(parts) or 'nothing changed'}: {figure} {grown} MB"


# --------------------------------------------------------------------------- what is in the way


def _obstacles(report: Report) -> Section:
    blocks = tuple(map(obstacle, report.obstacles))
    return Section(heading=line(f"obstacles: {len(blocks)}"), blocks=blocks, rank=2)


def obstacle(obstacle: Obstacle) -> Fix:
    """Return what is in the way, with its fix, which is a sentence or several lines to paste."""
    lines = obstacle.fix if "\n" in obstacle.fix else ""
    facts = (
        Span(str(obstacle.origin) if obstacle.origin else "", code=True),
        Span(f"fix: {obstacle.fix}" if obstacle.fix and not lines else ""),
        Span(obstacle.instead),
    )
    return Fix(
        severity=FindingSeverity.ERROR,
        sentence=obstacle.sentence,
        facts=tuple(fact for fact in facts if fact.text),
        lines=lines,
    )


def _unsized(report: Report) -> Section:
    missing = [
        Missing(
            name=f"{unsized.name} {unsized.version}" if unsized.version else unsized.name,
            place=str(unsized.origin) if unsized.origin else "",
            remark="accepted" if unsized.name in report.allowed_unsized else "",
            reason=unsized.reason,
        )
        for unsized in report.sizes.unsized
    ]
    blocks = (MissingList(tuple(missing)),) if missing else ()
    return Section(heading=line(f"could not be sized: {len(missing)}"), blocks=blocks, rank=2)


def _contributors(sizes: SizeReport, *, folded: bool) -> Section:
    contributors = breakdown.contributors(sizes)
    blocks: tuple[Block, ...]
    total_name = _whole(sizes)
    heading = line("largest contributors, MB")
    if not contributors:
        least = f"no requirement accounts for {breakdown.LEAST_PERCENT} % of the {total_name}"
        blocks = (Paragraph((line(least, Style.DIM),)),) if sizes.roots else ()
        return Section(heading=line("largest contributors"), blocks=blocks, rank=11)
    columns = (
        Column(head="requirement"),
        Column(head=f"of the {total_name}", kind=Kind.SHARE),
        Column(head="total", kind=_FIGURE),
        Column(head="freed", kind=_FIGURE),
        Column(kind=Kind.NAMES, wide_only=_NAMES),
    )
    causes = breakdown.causes(sizes)
    shared = [cause for cause in causes if cause.shared]
    rows = tuple(
        [_cause(cause, sizes) for cause in shared]
        + [row for contributor in contributors for row in _lines(contributor, causes, sizes)]
    )
    meaning = "total = freed + shared with other lines; freed: gone if you delete the line"
    if shared:
        meaning += ", shared: gone only with the last line that requires it"
    blocks = (Table(columns=columns, rows=rows), Paragraph((line(meaning, Style.DIM),)))
    return Section(heading=heading, blocks=blocks, rank=11, folded=folded)


def _lines(
    contributor: breakdown.Contributor, causes: Sequence[Cause], sizes: SizeReport
) -> Iterator[Row]:
    """Yield the row of a line, and those of the causes that it alone has."""
    yield _contributor(contributor, sizes.bundle.value or 1)
    for cause in causes:
        if not cause.shared and cause.roots == (contributor.name,):
            yield _cause(cause, sizes)


def _cause(cause: Cause, sizes: SizeReport) -> Row:
    size = cause.bundle_bytes
    share = Share(size / (sizes.bundle.value or 1), 0 if cause.shared else None)
    itself = " itself" if cause.name in cause.roots else ""
    cells: tuple[Cell, ...] = line(cause.name + itself), share, line(mb(size)), ABSENT
    if not cause.shared:
        return Row(cells=(*cells, Names(("included",))), depth=1)
    others = [name for name in cause.roots if name != cause.name]
    lines = ["its own line", *others] if itself else others
    by = line(f"required by {listed(lines, _NAMED)}", Style.DIM)
    return Row(cells=(*cells, Names(("shared",))), notes=(by,))


def _contributor(contributor: breakdown.Contributor, whole: int) -> Row:
    more = f"and {contributor.others:,} more"
    packages = f"{more} package{'s' if contributor.others > 1 else ''}"
    others = Names((packages,), short=more) if contributor.others else ()
    freed = line(mb(contributor.freed)) if contributor.freed else ABSENT
    share = Share(contributor.total / whole, contributor.freed / whole)
    name = line(contributor.name, code=True)
    return Row(cells=(name, share, line(mb(contributor.total)), freed, others))


# --------------------------------------------------------------------------- what would help


def _audit(audit: Audit) -> Section:
    """Return the outcome; what could not be looked up is never called clean."""
    style = Style.DOUBT if audit.problem else Style.PLAIN
    items = [Item(text=line(_audit_summary(audit), style))]
    groups: dict[str, list[Unaudited]] = {}
    for unaudited in audit.unaudited:
        groups.setdefault(unaudited.reason, []).append(unaudited)
    for reason, members in groups.items():
        names = [
            f"{member.name} {member.version}" if member.version else member.name
            for member in members
        ]
        text = line(f"not audited: {listed(names, _NAMED)} ({reason})", Style.DOUBT)
        items.append(Item(mark=Status.UNKNOWN, text=text))
    return Section(heading=line("audit"), blocks=(Items(tuple(items)),), rank=4)


def _audit_summary(audit: Audit) -> str:
    if audit.problem is not None:
        return f"not audited: {audit.problem}"
    whole = audit.audited + len(audit.unaudited)
    count = len(audit.vulnerabilities)
    known = plural(count, "known vulnerability", "known vulnerabilities")
    known = known if count else f"no {known.removeprefix('0 ')}"
    names = {vulnerability.name for vulnerability in audit.vulnerabilities}
    where = f" in {listed(sorted(names))}" if names else ""
    of_all = f"{audit.audited} of {plural(whole, 'distribution')} audited by {audit.service}"
    return f"{of_all}: {known}{where}"


def _fixes(report: Report) -> Section:
    fixes = tuple(fix(finding, report.sizes) for finding in report.findings)
    return Section(heading=line("to fix"), blocks=fixes, rank=5)


def fix(finding: Finding, sizes: SizeReport) -> Fix:
    """Return a finding with what its fix saves."""
    facts = (
        Span(wording.saving(finding, sizes)),
        Span(wording.after_fix(finding, sizes)),
        Span(str(finding.origin) if finding.origin else "", code=True),
        Span(finding.code, code=True),
    )
    return Fix(
        severity=finding.severity,
        sentence=finding.sentence,
        facts=tuple(fact for fact in facts if fact.text),
        lines=finding.fix,
    )


def _notes(report: Report) -> Section:
    notes = [*map(ignored, report.ignored), *report.notes]
    items = tuple(Item(text=line(note)) for note in notes)
    legend = Paragraph((line(" · ".join(_legend(report.sizes)), Style.DIM),))
    blocks: tuple[Block, ...] = (Items(items), legend) if items else (legend,)
    heading = line("notes") if items else ()
    return Section(heading=heading, blocks=blocks, rank=12, quiet=True)


def ignored(ignoring: Ignored) -> str:
    """Return which finding the settings ignore, why, and until when."""
    finding, reason = ignoring.finding, ignoring.reason
    until = f", until {ignoring.expires}" if ignoring.expires else ""
    return f"ignored: {finding.code} of {finding.subject} ({reason}{until})"


def _legend(sizes: SizeReport) -> tuple[str, ...]:
    bundle, unit = sizes.bundle.value, sizes.unit
    same = f" ({mb(bundle)} MB = {unit.up(bundle)})" if unit is HEROKU_M else ""
    return "~ predicted", "MB = 10^6 bytes", f"M = MiB{same}"
