"""What ``slugcheck why`` shows: who requires a distribution, what it costs, what removes it.

Pure: nothing here is escaped, and nothing is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from slugcheck.model import DistributionSize, Status, Verdict, breakdown
from slugcheck.model.breakdown import Sums, sums
from slugcheck.model.why import (
    Freed,
    MeasuredSaving,
    Need,
    Remedy,
    RemedyKind,
    RootPaths,
    Standing,
    Why,
)
from slugcheck.render import wording
from slugcheck.render.view import (
    ABSENT,
    Block,
    Cell,
    Column,
    Item,
    Items,
    Kind,
    Line,
    Mark,
    Paragraph,
    Row,
    Section,
    Span,
    Stacked,
    Style,
    Subject,
    Table,
    View,
    line,
)
from slugcheck.render.view import Verdict as Outcome
from slugcheck.render.views.check import fix
from slugcheck.text import listed, mb, mib, plural

_NAMED = 3
_MOST_ROWS = 8
_MOST_CHANGES = 10
_LONGEST_HEAD = 16
_LONGEST = 200  # characters of the reason of a failure
_NOTABLE_BYTES = 50_000  # below, a change of the resolution prints as nothing
_WITHOUT, _NEWEST = Mark("-", "without", Style.BAD), Mark("^", "newest", Style.GOOD)
_REPLACED = Mark("~", "replaced", Style.GOOD)
_MARKS = {
    RemedyKind.REMOVE: _WITHOUT,
    RemedyKind.REMOVE_ALL: _WITHOUT,
    RemedyKind.NEWEST: _NEWEST,
    RemedyKind.NEWEST_ALL: _NEWEST,
    RemedyKind.EQUIVALENT: _REPLACED,
}
_MEANINGS = {
    _WITHOUT: "- without the line",
    _NEWEST: "^ its newest version that fits",
    _REPLACED: "~ the same without a GUI or GPU",
}


def view(why: Why, *, all_rows: bool = False) -> View:
    """Return what to show of an answer; ``all_rows`` leaves nothing out."""
    fixes = tuple(fix(finding, why.report.sizes) for finding in why.findings)
    sections = (
        _head(why),
        _needs(why, all_rows=all_rows),
        _paths(why, all_rows=all_rows),
        _sizes(why, all_rows=all_rows),
        _memory(why),
        _changes(why, all_rows=all_rows),
        Section(heading=line("known fixes"), blocks=fixes, rank=5),
        _notes(why),
    )
    return View(tuple(section for section in sections if section.blocks))


def _head(why: Why) -> Section:
    # what has no size may have no name of a distribution, but the text of its line
    name = why.unsized.name if why.unsized is not None else why.name
    version = why.size.distribution.version if why.size else ""
    if why.unsized is not None:
        version = why.unsized.version or ""
    extras = f"[{','.join(why.requested_extras)}]" if why.requested_extras else ""
    word = f"{f'{name}{extras} {version}'.strip()} is in {why.report.path}"
    if why.standing is Standing.ABSENT:
        target = why.report.sizes.target
        word = f"{name} is not installed on {target.platform.title} with Python {target.minor}"
        sentence = _unmet(why.needs)
    elif why.unsized is not None:
        sentence = f"{name} could not be sized: {why.unsized.reason}"
    else:
        sentence = _conclusion(why)
    outcome = Outcome(
        status=Status.PASS if why.standing is Standing.INSTALLED else Status.UNKNOWN,
        word=word,
        sentence=sentence,
    )
    facts = wording.target_words(why.report)
    subject = Subject(name=why.report.path, facts=facts, run=_run_words(why))
    return Section(blocks=(outcome, subject), rank=0)


def _unmet(needs: Sequence[Need]) -> str:
    """Return why the first of those that name a distribution does not install it."""
    if not needs:
        return ""
    first = needs[0]
    return f"{first.by}: {first.unmet}" if first.by else first.unmet


def _run_words(why: Why) -> tuple[str, ...]:
    """Return what was looked at, and what it took."""
    sizes = why.report.sizes
    direct = sum(1 for size in sizes.distributions if size.distribution.direct)
    tried = sum(1 for remedy in why.remedies if not _is_untried(remedy))
    words = [f"{plural(len(sizes.distributions), 'distribution')}, {direct} direct"]
    if tried:
        words.append(f"{plural(tried, 'changed file')} resolved and sized")
    return (*words, f"{why.report.seconds:.1f} s")


def _folded(
    columns: tuple[Column, ...], rows: Sequence[Row], all_rows: bool, most: int = _MOST_ROWS
) -> tuple[Block, ...]:
    """Return a table of at most so many rows; one row stands for the others."""
    if not rows:
        return ()
    rest = () if all_rows or len(rows) <= most + 1 else tuple(rows[most:])
    shown = tuple(rows[: len(rows) - len(rest)])
    if rest:
        at = next(n for n, column in enumerate(columns) if column.kind is not Kind.MARK)
        cells: list[Cell] = [()] * len(columns)
        cells[at] = line(f"… {len(rest)} more")
        more = Row(cells=tuple(cells), style=Style.DIM, members=rest, hint="see --all")
        shown = (*shown, more)
    return (Table(columns=columns, rows=shown),)


# --------------------------------------------------------------------------- who requires it


def _needs(why: Why, *, all_rows: bool) -> Section:
    absent = why.standing is Standing.ABSENT
    heads = ("named by", "requirement", "why not") if absent else ("distribution", "requirement")
    rows = []
    for need in why.needs:
        cells = line(_need_by(need), code=True), line(need.asks, code=True)
        rows.append(Row(cells=(*cells, line(need.unmet, Style.DIM)) if absent else cells))
    blocks = _folded(tuple(Column(head=head) for head in heads), rows, all_rows)
    return Section(heading=line("named by" if absent else "required by"), blocks=blocks, rank=1)


def _need_by(need: Need) -> str:
    """Return what requires it: a distribution with its extra and version, or a line of the file."""
    if not need.by:
        return str(need.origin) if need.origin else "the file"
    extra = f"[{need.extra}]" if need.extra else ""
    return f"{need.by}{extra} {need.version}".strip()


def _paths(why: Why, *, all_rows: bool) -> Section:
    columns = Column(head="from"), Column(head="shortest path")
    rows = [Row(cells=(_root(root, why.report.path), _walks(root))) for root in why.roots]
    heading = line("from the file" if any(root.lines for root in why.roots) else "from")
    return Section(heading=heading, blocks=_folded(columns, rows, all_rows), rank=2)


def _root(root: RootPaths, path: str) -> Cell:
    if not root.lines:
        return line(f"{root.name} {root.version}".strip(), code=True)
    lines: list[Line] = []
    for file_line in root.lines:
        where = str(file_line.origin or "")
        if file_line.origin is not None and file_line.origin.file == path:
            where = f":{file_line.origin.line}"
        lines.append((Span(file_line.text, code=True), *line(f" {where}".rstrip(), Style.DIM)))
    return Stacked(tuple(lines))


def _walks(root: RootPaths) -> Cell:
    if len(root.paths[0]) == 1:
        return line("its own line" if root.lines else "itself", Style.DIM)
    walks = [line(" → ".join(steps)) for steps in root.paths]
    if root.more_paths:
        walks.append(line(f"and {root.more_paths:,} more of the same length", Style.DIM))
    return Stacked(tuple(walks))


# --------------------------------------------------------------------------- what it costs


def _figure_columns(why: Why, *more: str) -> tuple[Column, ...]:
    second = wording.second(wording.kind_of(why.report.sizes))
    return tuple(Column(head=head, kind=Kind.FIGURE) for head in ("installed", second, *more))


def _second(why: Why, saving: Freed | MeasuredSaving | Sums) -> int:
    kind = wording.kind_of(why.report.sizes)
    if isinstance(saving, Sums):
        return breakdown.second(kind, slug=saving.slug, bundle=saving.bundle)
    return breakdown.second(kind, slug=saving.slug_bytes, bundle=saving.bundle_bytes)


def _sizes(why: Why, *, all_rows: bool) -> Section:
    columns = (Column(head="distribution"), *_figure_columns(why, "files"), Column())
    rows = tuple(_size_rows(why, everything=all_rows))
    blocks = (Table(columns=columns, rows=rows),) if rows else ()
    return Section(heading=line("size with its dependencies, MB"), blocks=blocks, rank=3)


def _size_rows(why: Why, *, everything: bool) -> Iterator[Row]:
    """Yield the distribution, what goes with it, the sum that goes, and what stays for others."""
    if why.size is None or why.brings is None:
        return
    yield _size_row(why, [why.size])
    alone, shared = why.brings.exclusive, why.brings.shared
    count = len(alone) if everything or len(alone) <= _MOST_ROWS + 1 else _MOST_ROWS
    yield from (_size_row(why, [size], "required only by it") for size in alone[:count])
    if rest := alone[count:]:
        yield _size_rest(why, rest, "required only by it")
    if alone:
        freed = why.brings.freed
        figures = line(mb(freed.installed_bytes)), line(mb(_second(why, freed))), ABSENT
        cells = (line("freed in total"), *figures, line(_share(why, freed), Style.DIM))
        yield Row(cells=cells, style=Style.STRONG)
    if everything or len(shared) <= _NAMED:
        yield from (_size_row(why, [size], "shared with others") for size in shared)
    else:
        yield _size_rest(why, shared, "shared with others")


def _size_rest(why: Why, sizes: Sequence[DistributionSize], remark: str) -> Row:
    """Return one row for several distributions."""
    members = tuple(_size_row(why, [size], remark) for size in sizes)
    return replace(_size_row(why, sizes, remark), members=members)


def _size_row(why: Why, sizes: Sequence[DistributionSize], remark: str = "") -> Row:
    name = line(listed([size.name for size in sizes], _NAMED))
    if len(sizes) == 1:
        version = line(f" {sizes[0].distribution.version}", Style.DIM)
        name = (Span(sizes[0].name, code=True), *version)
    total = sums(sizes)
    files = line(f"{sum(size.files + size.bytecode_files for size in sizes):,}")
    figures = line(mb(total.installed)), line(mb(_second(why, total))), files
    return Row(cells=(name, *figures, line(remark, Style.DIM)))


def _share(why: Why, freed: Freed) -> str:
    sizes = why.report.sizes
    total, figure = sizes.bundle.value, sizes.target.platform.size_figure
    return f"{100 * freed.bundle_bytes / total:.1f} % of the {figure}" if total else ""


# --------------------------------------------------------------------------- RAM


def _memory(why: Why) -> Section:
    """Return what it adds to a worker's memory, and which imports load it."""
    ram = why.report.ram
    if ram is None or why.size is None:
        return Section(blocks=(), rank=3)
    part = next((part for part in ram.worker.parts if part.name == why.name), None)
    if part is not None:
        steps = " → ".join((*wording.own_files(part, ram.scan), *part.chain[1:]))
        columns = (
            Column(head="distribution"),
            Column(head="MiB", kind=Kind.FIGURE),
            Column(head="imported by"),
        )
        name = (Span(part.name, code=True), Span(f" {part.version}", Style.DIM))
        size = line(f"{'' if part.measured else '~'}{mib(part.resident.value)}")
        share = 100 * part.resident.value / (ram.worker.resident.value or 1)
        note = line(f"{share:.0f} % of a worker's {mib(ram.worker.resident.value)} MiB", Style.DIM)
        table = Table(columns=columns, rows=(Row(cells=(name, size, line(steps)), notes=(note,)),))
        return Section(heading=line("RAM after imports"), blocks=(table,), rank=3)
    later = next((one for one in ram.scan.imports if one.distribution == why.name), None)
    where = f", but later, in {later.place}" if later is not None else ""
    text = f"not in the RAM floor: nothing imports it when the app starts{where}"
    return Section(blocks=(Paragraph((line(text, Style.DIM),)),), rank=3)


# --------------------------------------------------------------------------- what a change saves


def _changes(why: Why, *, all_rows: bool) -> Section:
    limit = _limit(why)
    columns = (
        Column(kind=Kind.MARK),
        Column(head="change"),
        *_figure_columns(why, f"then of {limit.limit_text}" if limit else "then"),
        Column(head=why.name if len(why.name) <= _LONGEST_HEAD else "it", kind=Kind.STATE),
    )
    rows = [_change_row(remedy, why) for remedy in _shown(why)]
    if rows:
        now = _total(why, why.report.sizes.bundle.value)
        own = line("the file as it is", Style.DIM), ABSENT, ABSENT, line(now, Style.DIM)
        rows.insert(0, Row(cells=((), *own, ())))
    blocks = _folded(columns, rows, all_rows, _MOST_CHANGES + 1)
    if lines := tuple(line(text, Style.DIM) for text in (_idle(why), _untried(why)) if text):
        blocks = (*blocks, Paragraph(lines))
    return Section(heading=line("savings by change, MB"), blocks=blocks, rank=4)


def _limit(why: Why) -> Verdict | None:
    """Return the verdict on the size that gates, which the changes are compared with."""
    figure = why.report.sizes.target.platform.size_figure
    return next((v for v in why.report.verdicts if v.gates and v.budget == figure), None)


def _total(why: Why, value: int) -> str:
    return why.report.sizes.unit.up(value)


def _shown(why: Why) -> list[Remedy]:
    """Return the changes that do something or failed, those first that save most.

    A line that is deleted, but needed by others, comes back in its newest version: the same change
    is not shown twice. What was not tried has no row, unless the graph tells something of it.
    """
    removals = [_versions(remedy) for remedy in why.remedies if remedy.kind is RemedyKind.REMOVE]
    kept = [
        remedy
        for remedy in why.remedies
        if not _is_idle(remedy)
        and not (remedy.kind is RemedyKind.NEWEST and _versions(remedy) in removals)
        and not (_is_untried(remedy) and remedy.graph is None)
    ]

    def rank(remedy: Remedy) -> tuple[int, int, str]:
        if isinstance(remedy.outcome, MeasuredSaving):
            return 0, -remedy.outcome.bundle_bytes, remedy.roots[0]
        if remedy.graph is not None and not remedy.outcome.tried:
            return 1, -remedy.graph.bundle_bytes, remedy.roots[0]
        return 2, 0, remedy.roots[0]

    return sorted(kept, key=rank)


def _versions(remedy: Remedy) -> object:
    """Return what a change does to versions; what was not measured is like nothing else."""
    if not isinstance(remedy.outcome, MeasuredSaving):
        return remedy
    return [(change.name, change.after) for change in remedy.outcome.changes]


def _is_untried(remedy: Remedy) -> bool:
    """Whether a change was left out, and did not fail."""
    return not isinstance(remedy.outcome, MeasuredSaving) and not remedy.outcome.tried


def _is_idle(remedy: Remedy) -> bool:
    """Whether the search for a newer version that fits found nothing."""
    outcome = remedy.outcome
    same = isinstance(outcome, MeasuredSaving) and not (outcome.changes or outcome.unsized_gone)
    return remedy.kind in (RemedyKind.NEWEST, RemedyKind.NEWEST_ALL) and same


def _idle(why: Why) -> str:
    names = dict.fromkeys(
        name for remedy in why.remedies if _is_idle(remedy) for name in remedy.roots
    )
    return f"no newer version fits: {listed(tuple(names), 8)}" if names else ""


def _untried(why: Why) -> str:
    """Return which changes were not measured, and why; "" where all were."""
    left = [remedy for remedy in why.remedies if _is_untried(remedy)]
    reasons = [
        remedy.outcome.reason for remedy in left if not isinstance(remedy.outcome, MeasuredSaving)
    ]
    if not left or len(left) == len(why.remedies):
        return reasons[0] if reasons else ""
    return f"{reasons[0]}: {listed(list(map(_short, left)), 6)}"


def _short(remedy: Remedy) -> str:
    names = _all(remedy) if len(remedy.roots) > 1 else remedy.roots[0]
    if _MARKS[remedy.kind] is _WITHOUT:
        return f"without {names}"
    return (
        f"the newest {names}" if _MARKS[remedy.kind] is _NEWEST else f"the replacement of {names}"
    )


def _change_row(remedy: Remedy, why: Why) -> Row:
    outcome = remedy.outcome
    first = _MARKS[remedy.kind], line(_change(remedy), code=True)
    if isinstance(outcome, MeasuredSaving):
        bundle = outcome.bundle
        verdict = _limit(why)
        style = Style.PLAIN
        if verdict is not None:
            style = Style.GOOD if bundle.high <= verdict.limit else Style.BAD
        figures = line(saved(outcome.installed_bytes)), line(saved(_second(why, outcome)))
        then = line(_total(why, bundle.value), style)
        notes = tuple(line(note, Style.DIM) for note in _consequences(remedy, outcome, why))
        return Row(cells=(*first, *figures, then, _fate(outcome, why)), notes=notes)
    if outcome.tried or remedy.graph is None:
        # a resolver's proof can be a page long
        reason = outcome.reason
        if len(reason) > _LONGEST:
            reason = f"{reason[:_LONGEST].rpartition(' ')[0]} … (all of it with --format json)"
        notes = (line(reason, Style.DOUBT),) if outcome.tried else ()
        return Row(cells=(*first, ABSENT, ABSENT, (), ()), notes=notes)
    goes = why.name in remedy.graph.names
    fate = line("removed", Style.GOOD) if goes else line("stays", Style.DIM)
    freed = remedy.graph
    figures = line(saved(freed.installed_bytes)), line(saved(_second(why, freed)))
    others = [name for name in remedy.graph.names if name not in (why.name, *remedy.roots)]
    notes = (line(f"also removed: {listed(others, _NAMED)}", Style.DIM),) if others else ()
    return Row(cells=(*first, *figures, (), fate), notes=notes)


def saved(value: int) -> str:
    """Return MB that are saved; what is added instead has a plus."""
    if value >= 0:
        return mb(value)
    return f"+{mb(-value)}" if value <= -_NOTABLE_BYTES else "0.0"


def _change(remedy: Remedy) -> str:
    if remedy.kind is RemedyKind.REMOVE_ALL:
        return f"{_all(remedy)} lines: {listed(remedy.roots, _NAMED)}"
    if remedy.kind is RemedyKind.NEWEST_ALL:
        return f"{_all(remedy)} → newest: {listed(remedy.roots, _NAMED)}"
    before = " and ".join(dict.fromkeys(line.text for line in remedy.before)) or remedy.roots[0]
    if remedy.kind is RemedyKind.REMOVE:
        return before
    after = " and ".join(line.text for line in remedy.after)
    if remedy.kind is RemedyKind.NEWEST:
        changes = remedy.outcome.changes if isinstance(remedy.outcome, MeasuredSaving) else ()
        after = next((c.after for c in changes if c.name in remedy.roots and c.after), "newest")
    return f"{before} → {after}"


def _all(remedy: Remedy) -> str:
    return "both" if len(remedy.roots) == 2 else f"all {len(remedy.roots)}"


def _fate(outcome: MeasuredSaving, why: Why) -> Line:
    if outcome.left is None:
        return line("removed", Style.GOOD)
    here = why.size.distribution.version if why.size else None
    if not outcome.left or outcome.left == here:
        return line("stays", Style.DIM)
    return line(f"then {outcome.left}")


def _consequences(remedy: Remedy, outcome: MeasuredSaving, why: Why) -> Iterator[str]:
    """Yield what else changes: what goes, what is new, and what gets another version."""
    in_row = {why.name, *(() if remedy.kind is RemedyKind.EQUIVALENT else remedy.roots)}
    others = [change for change in outcome.changes if change.name not in in_row]
    if gone := [change.name for change in others if change.after is None]:
        yield f"also removed: {listed(gone, _NAMED)}"
    if new := [f"{change.name} {change.after}" for change in others if change.before is None]:
        yield f"new: {listed(new, _NAMED)}"
    moved = [f"{c.name} {c.before} → {c.after}" for c in others if c.before and c.after]
    if moved:
        yield f"also changed: {listed(moved, _NAMED)}"
    root = remedy.roots[0]
    if remedy.kind is RemedyKind.REMOVE and root != why.name:
        change = next((change for change in outcome.changes if change.name == root), None)
        if change is None and root not in outcome.unsized_gone:
            yield f"{root} stays: others require it"
        elif change is not None and change.after is not None:
            yield f"others require {root} and get {change.after}"
    if outcome.unsized_gone:
        yield f"also removed: {listed(outcome.unsized_gone)} (size unknown)"


# --------------------------------------------------------------------------- notes and conclusion


def _notes(why: Why) -> Section:
    notes = tuple(Item(text=line(note)) for note in why.notes)
    blocks: tuple[Block, ...] = (Items(notes),) if notes else ()
    if why.size is not None or why.remedies:
        used = {_MARKS[remedy.kind] for remedy in _shown(why)}
        marks = tuple(text for mark, text in _MEANINGS.items() if mark in used)
        legend = (*marks, "sizes are predicted", "MB = 10^6 bytes", "M = MiB")
        blocks = (*blocks, Paragraph((line(" · ".join(legend), Style.DIM),)))
    return Section(heading=line("notes") if notes else (), blocks=blocks, rank=6, quiet=True)


def _conclusion(why: Why) -> str:
    """Return in one sentence what requires the distribution, and what removes it."""
    if why.size is None:
        return ""
    if not why.roots:
        return f"nothing in the file requires {why.name}"
    others = [root.name for root in why.roots if root.name != why.name]
    names = listed(others, _NAMED)
    if len(others) < len(why.roots):
        return (
            f"required by its own line and by {names}"
            if others
            else "required only by its own line"
        )
    if len(others) > 1:
        return f"required by {plural(len(others), 'line')}: {names}; {_removal(why)}"
    for remedy, outcome in _removing(why):
        new = next((c for c in outcome.changes if c.name in remedy.roots and c.after), None)
        if new is not None:
            return f"required only by {names}; {new.name} {new.after} no longer requires it"
    return f"required only by {names}"


def _removal(why: Why) -> str:
    """Return which change of less than all lines removes it and saves something."""
    for remedy, outcome in _removing(why):
        if remedy.kind is not RemedyKind.REMOVE_ALL and outcome.bundle_bytes > 0:
            if remedy.kind is RemedyKind.REMOVE:
                return f"removed if you delete {remedy.roots[0]}"
            newest = f"the newest of {_all(remedy)}"
            means = newest if remedy.kind is RemedyKind.NEWEST_ALL else _change(remedy)
            return f"removed with {means}"
    return f"removed only if you delete {'both' if len(why.roots) == 2 else 'all of them'}"


def _removing(why: Why) -> Iterator[tuple[Remedy, MeasuredSaving]]:
    for remedy in why.remedies:
        if isinstance(remedy.outcome, MeasuredSaving) and remedy.outcome.left is None:
            yield remedy, remedy.outcome
