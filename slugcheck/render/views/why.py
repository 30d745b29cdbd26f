"""What ``slugcheck why`` shows: who requires a distribution, what it costs, what removes it.

Pure: nothing here is escaped, and nothing is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slugcheck.model import (
    DistributionSize,
    MeasuredSaving,
    Need,
    Origin,
    Remedy,
    RemedyKind,
    RootPaths,
    Standing,
    Status,
    UnmeasuredSaving,
    Verdict,
    Why,
)
from slugcheck.render import wording
from slugcheck.render.view import (
    ABSENT,
    Block,
    Cell,
    Column,
    Fix,
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
from slugcheck.render.wording import saving, target_words
from slugcheck.text import heroku_m, listed, mb, plural

_NAMED = 3
_MOST_ROWS = 8
_MOST_NEEDS = 8
_MOST_ROOTS = 8
_MOST_CHANGES = 10
_LONGEST_HEAD = 16
_LONGEST = 200  # characters of the reason of a failure
_NOTABLE_BYTES = 50_000  # below, a change of the resolution prints as nothing
_SIGNS = {
    RemedyKind.REMOVE: "-",
    RemedyKind.REMOVE_ALL: "-",
    RemedyKind.NEWEST: "^",
    RemedyKind.NEWEST_ALL: "^",
    RemedyKind.EQUIVALENT: "~",
}
_WORDS = {"-": "without", "^": "newest", "~": "replaced"}
_MEANINGS = (
    "- without the line",
    "^ its newest version that fits",
    "~ the same without a GUI or GPU",
)
_MARKS = {"-": Style.BAD, "^": Style.GOOD, "~": Style.GOOD}
_FATES = {"removed": Style.GOOD, "stays": Style.DIM}


def view(why: Why, *, all_rows: bool = False) -> View:
    """Return what to show of an answer; ``all_rows`` leaves nothing out."""
    sections = (
        _head(why),
        _needs(why, all_rows=all_rows),
        _paths(why, all_rows=all_rows),
        _sizes(why, all_rows=all_rows),
        _remedies(why, all_rows=all_rows),
        _fixes(why),
        _notes(why),
    )
    return View(tuple(section for section in sections if section.blocks))


def _head(why: Why) -> Section:
    name, place = title(why)
    there = "is not" if why.standing is Standing.ABSENT else "is"
    outcome = Outcome(status=Status.PASS, word=f"{name} {there} {place}", sentence=_answer(why))
    if why.standing is Standing.ABSENT or why.unsized is not None:
        outcome = Outcome(
            status=Status.UNKNOWN, word=f"{name} {there} {place}", sentence=_answer(why)
        )
    subject = Subject(name=why.report.path, facts=target_words(why.report), run=run_words(why))
    return Section(blocks=(outcome, subject), rank=0)


def _answer(why: Why) -> str:
    if why.standing is Standing.ABSENT:
        return absence(why)
    if why.unsized is not None:
        return f"{shown_name(why)} could not be sized: {why.unsized.reason}"
    return conclusion(why)


# --------------------------------------------------------------------------- who requires it


def _needs(why: Why, *, all_rows: bool) -> Section:
    absent = why.standing is Standing.ABSENT
    heads = ("named by" if absent else "distribution", "requirement", *(("but",) if absent else ()))
    columns = tuple(Column(head=head) for head in heads)
    rows = [
        Row(
            cells=(
                line(need_by(need), code=True),
                line(need.asks, code=True),
                *((line(need.unmet, Style.DIM),) if absent else ()),
            )
        )
        for need in why.needs
    ]
    heading = line("named by" if absent else "required by")
    return Section(heading=heading, blocks=_listed(columns, rows, _MOST_NEEDS, all_rows), rank=1)


def _listed(
    columns: tuple[Column, ...], rows: Sequence[Row], most: int, all_rows: bool
) -> tuple[Block, ...]:
    """Return a table of at most so many rows; one row stands for the others."""
    if not rows:
        return ()
    rest = () if all_rows or len(rows) <= most + 1 else tuple(rows[most:])
    shown = rows[: len(rows) - len(rest)]
    blank: tuple[Cell, ...] = ((),) * (len(columns) - 1)
    at = next((n for n, column in enumerate(columns) if column.kind is not Kind.MARK), 0)
    name = line(f"… {len(rest)} more")
    cells = (*blank[:at], name, *blank[at:])
    more = (Row(cells=cells, style=Style.DIM, members=rest, hint="see --all"),) if rest else ()
    return (Table(columns=columns, rows=(*shown, *more)),)


def _paths(why: Why, *, all_rows: bool) -> Section:
    columns = Column(head="from"), Column(head="shortest path")
    rows = [Row(cells=(_root(root, why), _walks(root))) for root in why.roots]
    heading = line("from the file" if any(root.lines for root in why.roots) else "from")
    return Section(heading=heading, blocks=_listed(columns, rows, _MOST_ROOTS, all_rows), rank=2)


def _root(root: RootPaths, why: Why) -> Cell:
    if not root.lines:
        return line(f"{root.name} {root.version}".strip(), code=True)
    lines: list[Line] = []
    for one in root.lines:
        where = f" {place(one.origin, why)}" if one.origin is not None else ""
        lines.append((Span(one.text, code=True), *line(where, Style.DIM)))
    return Stacked(tuple(lines))


def _walks(root: RootPaths) -> Cell:
    if len(root.paths[0]) == 1:
        return line("its own line" if root.lines else "itself", Style.DIM)
    walks = [line(" → ".join(steps)) for steps in root.paths]
    if root.more_paths:
        walks.append(line(f"and {root.more_paths:,} more of the same length", Style.DIM))
    return Stacked(tuple(walks))


# --------------------------------------------------------------------------- what it costs


def _sizes(why: Why, *, all_rows: bool) -> Section:
    heads = ("installed", packed(why), "files")
    columns = (
        Column(head="distribution"),
        *(Column(head=head, kind=Kind.FIGURE) for head in heads),
        Column(),
    )
    rows = []
    for row in size_rows(why, everything=all_rows):
        version = line(f" {row.version}" if row.version else "", Style.DIM)
        name = (Span(row.name, code=bool(row.version)), *version)
        own = (line(row.installed), line(row.slug), line(row.files) or ABSENT)
        style = Style.STRONG if row.total else Style.PLAIN
        rows.append(Row(cells=(name, *own, line(row.remark, Style.DIM)), style=style))
    blocks = (Table(columns=columns, rows=tuple(rows)),) if rows else ()
    return Section(heading=line("size with its dependencies, MB"), blocks=blocks, rank=3)


# --------------------------------------------------------------------------- what a change saves


def _remedies(why: Why, *, all_rows: bool) -> Section:
    heads = ("installed", packed(why), then_head(why))
    columns = (
        Column(kind=Kind.MARK),
        Column(head="change"),
        *(Column(head=head, kind=Kind.FIGURE) for head in heads),
        Column(head=why.name if len(why.name) <= _LONGEST_HEAD else "it", kind=Kind.STATE),
    )
    rows = [_change_row(row) for row in remedy_rows(why)]
    own = line("the file as it is", Style.DIM), ABSENT, ABSENT, line(now(why), Style.DIM)
    first = [Row(cells=((), *own, ()))] if rows else []
    lines = tuple(line(text, Style.DIM) for text in (idle(why), untried(why)) if text)
    blocks: tuple[Block, ...] = _listed(columns, [*first, *rows], _MOST_CHANGES + 1, all_rows)
    if lines:
        blocks = (*blocks, Paragraph(lines))
    return Section(heading=line("a change would save, MB"), blocks=blocks, rank=4)


def _change_row(row: RemedyRow) -> Row:
    then = Style.PLAIN if row.fits is None else (Style.GOOD if row.fits else Style.BAD)
    cells: tuple[Cell, ...] = (
        Mark(row.sign, _WORDS[row.sign], _MARKS[row.sign]),
        line(row.change, code=True),
        line(row.installed) or ABSENT,
        line(row.slug) or ABSENT,
        line(row.then, then),
        line(row.fate, _FATES.get(row.fate, Style.PLAIN)),
    )
    failed = line(row.failed, Style.DOUBT)
    notes = tuple(line(note, Style.DIM) for note in row.notes)
    return Row(cells=cells, notes=(failed, *notes) if failed else notes)


# --------------------------------------------------------------------------- the rest


def _fixes(why: Why) -> Section:
    by = why.report.sizes.counts_slug
    fixes = tuple(
        Fix(
            severity=finding.severity,
            sentence=finding.sentence,
            facts=tuple(
                span
                for span in (Span(saving(finding, by_slug=by)), Span(finding.code, code=True))
                if span.text
            ),
            lines=finding.fix,
        )
        for finding in why.findings
    )
    return Section(heading=line("known fixes"), blocks=fixes, rank=5)


def _notes(why: Why) -> Section:
    notes = tuple(Item(text=line(note)) for note in why.notes)
    blocks: tuple[Block, ...] = (Items(notes),) if notes else ()
    if why.size is not None or why.remedies:
        used = {row.sign for row in remedy_rows(why)}
        kinds = tuple(text for text in _MEANINGS if text[0] in used)
        legend = (*kinds, "sizes are predicted", "MB = 10^6 bytes", "M = MiB")
        blocks = (*blocks, Paragraph((line(" · ".join(legend), Style.DIM),)))
    return Section(heading=line("notes") if notes else (), blocks=blocks, rank=6, quiet=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """One line of what the distribution takes with what it brings."""

    name: str
    version: str
    installed: str
    slug: str
    files: str
    remark: str
    total: bool = False


# --------------------------------------------------------------------------- the distribution


def by_slug(why: Why) -> bool:
    """Whether the platform's limit is about the slug."""
    return why.report.sizes.counts_slug


def packed(why: Why) -> str:
    """Return what the second column of sizes is called."""
    return wording.packed(counts_slug=by_slug(why))


def title(why: Why) -> tuple[str, str]:
    """Return the distribution with its version, and where it is."""
    version = why.size.distribution.version if why.size else ""
    if why.unsized is not None:
        version = why.unsized.version or ""
    extras = f"[{','.join(why.asked_extras)}]" if why.asked_extras else ""
    return f"{shown_name(why)}{extras} {version}".strip(), f"in {why.report.path}"


def shown_name(why: Why) -> str:
    """Return the name; one without a size may have one that is no name of a distribution."""
    return why.unsized.name if why.unsized is not None else why.name


def run_words(why: Why) -> tuple[str, ...]:
    """Return what was looked at, and what it took."""
    sizes = why.report.sizes
    direct = sum(1 for one in sizes.distributions if one.distribution.direct)
    tried = sum(1 for one in why.remedies if not is_untried(one))
    said = [f"{plural(len(sizes.distributions), 'distribution')}, {direct} direct"]
    if tried:
        said.append(f"{plural(tried, 'changed file')} resolved and sized")
    return (*said, f"{why.report.seconds:.1f} s")


def is_untried(one: Remedy) -> bool:
    """Whether a change was left out, and did not fail."""
    return not isinstance(one.outcome, MeasuredSaving) and not one.outcome.tried


def absence(why: Why) -> str:
    """Return that it is not installed, in words."""
    target = why.report.sizes.target
    return f"{why.name} is not installed on {target.platform.title} with Python {target.minor}"


# --------------------------------------------------------------------------- places


def need_by(need: Need) -> str:
    """Return what requires it: a distribution with its extra and version, or a line of the file."""
    if not need.by:
        return str(need.origin) if need.origin else "the file"
    extra = f"[{need.extra}]" if need.extra else ""
    return f"{need.by}{extra} {need.version}".strip()


def place(origin: Origin, why: Why) -> str:
    """Return where a line is: ":3", with the file where it is an included one."""
    own = origin.file == why.report.path
    return f":{origin.line}" if own else str(origin)


# --------------------------------------------------------------------------- what it brings


def size_rows(why: Why, *, everything: bool) -> Iterator[SizeRow]:
    """Yield the distribution, what goes with it, what stays for others, and the sum that goes."""
    if why.size is None or why.brings is None:
        return
    yield _size_row(why.size, "")
    alone = why.brings.exclusive
    shown = alone if everything or len(alone) <= _MOST_ROWS + 1 else alone[:_MOST_ROWS]
    yield from (_size_row(one, "required only by it") for one in shown)
    if rest := alone[len(shown) :]:
        yield _rest_row(rest, "required only by it")
    freed = why.brings.freed
    if alone:
        yield SizeRow(
            name="freed in total", version="", installed=mb(freed.installed_bytes),
            slug=mb(freed.slug_bytes), files="", remark=share(why), total=True,
        )  # fmt: skip
    if why.brings.shared:
        remark = "shared with others"
        few = everything or len(why.brings.shared) <= _NAMED
        if few:
            yield from (_size_row(one, remark) for one in why.brings.shared)
        else:
            yield _rest_row(why.brings.shared, remark)


def share(why: Why) -> str:
    """Return what goes with the distribution as a share of all that counts."""
    if why.brings is None:
        return ""
    sizes = why.report.sizes
    freed = why.brings.freed
    own = freed.slug_bytes if by_slug(why) else freed.installed_bytes
    whole = sizes.counted.value
    what = "the slug" if by_slug(why) else "all that is installed"
    return f"{100 * own / whole:.1f} % of {what}" if whole else ""


def _size_row(one: DistributionSize, remark: str) -> SizeRow:
    return SizeRow(
        name=one.name,
        version=one.distribution.version,
        installed=mb(one.installed_bytes),
        slug=mb(one.slug.value),
        files=f"{one.files + one.bytecode_files:,}",
        remark=remark,
    )


def _rest_row(rest: Sequence[DistributionSize], remark: str) -> SizeRow:
    names = listed([one.name for one in rest], _NAMED)
    return SizeRow(
        name=names,
        version="",
        installed=mb(sum(one.installed_bytes for one in rest)),
        slug=mb(sum(one.slug.value for one in rest)),
        files=f"{sum(one.files + one.bytecode_files for one in rest):,}",
        remark=remark,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyRow:
    """One change of the file. ``then`` is the size that counts afterwards, ``fits`` its verdict.

    ``failed`` says why there are no figures, ``notes`` what else is to know.
    """

    sign: str
    change: str
    installed: str
    slug: str
    then: str
    fits: bool | None
    fate: str
    notes: tuple[str, ...]
    failed: str = ""


def limit(why: Why) -> Verdict | None:
    """Return the verdict on the size that gates, which the changes are compared with."""
    figure = why.report.sizes.target.platform.size_figure
    found = (v for v in why.report.verdicts if v.gates and v.budget == figure)
    return next(found, None)


def then_head(why: Why) -> str:
    """Return the head of the column of what is there afterwards."""
    verdict = limit(why)
    return f"then of {verdict.limit_text}" if verdict else "then"


def now(why: Why) -> str:
    """Return the size that counts as it is, beside which the others stand."""
    return _total(why, why.report.sizes.counted.value)


def _total(why: Why, value: int) -> str:
    return heroku_m(value) if by_slug(why) else f"{mb(value)} MB"


def remedy_rows(why: Why) -> tuple[RemedyRow, ...]:
    """Return the changes that do something or failed, those first that save most.

    A line that is deleted, but needed by others, comes back in its newest version: the same change
    is not told twice. What was not tried has no row, unless the graph tells something of it.
    """
    told = [_versions(one) for one in why.remedies if one.kind is RemedyKind.REMOVE]
    kept = [
        one
        for one in why.remedies
        if not is_idle(one)
        and not (one.kind is RemedyKind.NEWEST and _versions(one) in told)
        and not (is_untried(one) and one.graph is None)
    ]
    return tuple(_remedy_row(one, why) for one in sorted(kept, key=lambda one: _rank(one, why)))


def _versions(one: Remedy) -> object:
    """Return what a change does to versions; what was not measured is like nothing else."""
    if not isinstance(one.outcome, MeasuredSaving):
        return one
    return [(change.name, change.after) for change in one.outcome.changes]


def is_idle(one: Remedy) -> bool:
    """Whether the search for a newer version that fits found nothing."""
    found = one.outcome
    same = isinstance(found, MeasuredSaving) and not found.changes and not found.unsized_gone
    return one.kind in (RemedyKind.NEWEST, RemedyKind.NEWEST_ALL) and same


def idle(why: Why) -> str:
    """Return for which lines there is no newer version, in words."""
    names = dict.fromkeys(name for one in why.remedies if is_idle(one) for name in one.roots)
    return f"no newer version fits: {listed(tuple(names), 8)}" if names else ""


def _rank(one: Remedy, why: Why) -> tuple[int, int, str]:
    found = one.outcome
    if isinstance(found, MeasuredSaving):
        return 0, -(found.slug_bytes if by_slug(why) else found.installed_bytes), one.roots[0]
    if one.graph is not None and not found.tried:
        freed = one.graph.slug_bytes if by_slug(why) else one.graph.installed_bytes
        return 1, -freed, one.roots[0]
    return 2, int(not found.tried), one.roots[0]


def _remedy_row(one: Remedy, why: Why) -> RemedyRow:
    found = one.outcome
    if isinstance(found, MeasuredSaving):
        return _measured_row(one, found, why)
    by_graph = one.graph if not found.tried else None
    return RemedyRow(
        sign=_SIGNS[one.kind],
        change=_change(one, None),
        installed=saved(by_graph.installed_bytes) if by_graph else "",
        slug=saved(by_graph.slug_bytes) if by_graph else "",
        then="",
        fits=None,
        fate=("removed" if why.name in by_graph.names else "stays") if by_graph else "",
        notes=_graph_notes(one, why) if by_graph else (),
        failed=_shortened(found.reason) if found.tried else "",
    )


def _shortened(reason: str) -> str:
    """Return a reason that fits a screen: a resolver's proof can be a page long."""
    if len(reason) <= _LONGEST:
        return reason
    return f"{reason[:_LONGEST].rpartition(' ')[0]} … (all of it with --format json)"


def _measured_row(one: Remedy, found: MeasuredSaving, why: Why) -> RemedyRow:
    counted = found.slug if by_slug(why) else found.installed
    verdict = limit(why)
    return RemedyRow(
        sign=_SIGNS[one.kind],
        change=_change(one, found),
        installed=saved(found.installed_bytes),
        slug=saved(found.slug_bytes),
        then=_total(why, counted.value),
        fits=counted.high <= verdict.limit if verdict else None,
        fate=_fate(found, why),
        notes=tuple(_consequences(one, found, why)),
    )


def saved(value: int) -> str:
    """Return MB that are saved; what is added instead has a plus."""
    if value >= 0:
        return mb(value)
    return f"+{mb(-value)}" if value <= -_NOTABLE_BYTES else "0.0"


def _change(one: Remedy, found: MeasuredSaving | None) -> str:
    if one.kind is RemedyKind.REMOVE_ALL:
        return f"{_all(one)} lines: {listed(one.roots, _NAMED)}"
    if one.kind is RemedyKind.NEWEST_ALL:
        return f"{_all(one)} → newest: {listed(one.roots, _NAMED)}"
    before = " and ".join(dict.fromkeys(line.text for line in one.before)) or one.roots[0]
    if one.kind is RemedyKind.REMOVE:
        return before
    return f"{before} → {_after(one, found)}"


def _all(one: Remedy) -> str:
    return "both" if len(one.roots) == 2 else f"all {len(one.roots)}"


def _after(one: Remedy, found: MeasuredSaving | None) -> str:
    if one.kind is not RemedyKind.NEWEST:
        return " and ".join(line.text for line in one.after)
    changes = found.changes if found else ()
    return next((c.after for c in changes if c.name in one.roots and c.after), "newest")


def _fate(found: MeasuredSaving, why: Why) -> str:
    if found.left is None:
        return "removed"
    here = why.size.distribution.version if why.size else None
    return "stays" if not found.left or found.left == here else f"then {found.left}"


def _graph_notes(one: Remedy, why: Why) -> tuple[str, ...]:
    assert one.graph is not None  # noqa: S101 - the caller looked
    others = _others(one.graph.names, one, why)
    return (f"also removed: {listed(others, _NAMED)}",) if others else ()


def _others(names: Sequence[str], one: Remedy, why: Why) -> list[str]:
    return [name for name in names if name != why.name and name not in one.roots]


def _consequences(one: Remedy, found: MeasuredSaving, why: Why) -> Iterator[str]:
    """Yield what else changes: what goes, what is new, and what gets another version."""
    told = {why.name, *(() if one.kind is RemedyKind.EQUIVALENT else one.roots)}
    others = [change for change in found.changes if change.name not in told]
    if gone := [change.name for change in others if change.after is None]:
        yield f"also removed: {listed(gone, _NAMED)}"
    if new := [f"{change.name} {change.after}" for change in others if change.before is None]:
        yield f"new: {listed(new, _NAMED)}"
    moved = [f"{c.name} {c.before} → {c.after}" for c in others if c.before and c.after]
    if moved:
        yield f"also changed: {listed(moved, _NAMED)}"
    if one.kind is RemedyKind.REMOVE and one.roots[0] != why.name:
        yield from _left(one.roots[0], found)
    if found.unsized_gone:
        yield f"also removed: {listed(found.unsized_gone)} (size unknown)"


def _left(root: str, found: MeasuredSaving) -> Iterator[str]:
    """Say that others keep a distribution whose line is deleted, and in which version."""
    change = next((change for change in found.changes if change.name == root), None)
    if change is None and root not in found.unsized_gone:
        yield f"{root} stays: others require it"
    elif change is not None and change.after is not None:
        yield f"others require {root} and get {change.after}"


def untried(why: Why) -> str:
    """Return which changes were not measured, and why; "" where all were."""
    found = [one.outcome for one in why.remedies]
    left = [one for one in found if isinstance(one, UnmeasuredSaving) and not one.tried]
    if not left:
        return ""
    if len(left) == len(found):
        return left[0].reason
    names = [_short(one) for one in why.remedies if is_untried(one)]
    return f"{left[0].reason}: {listed(names, 6)}"


def _short(one: Remedy) -> str:
    names = _all(one) if len(one.roots) > 1 else one.roots[0]
    if one.kind in (RemedyKind.REMOVE, RemedyKind.REMOVE_ALL):
        return f"without {names}"
    return (
        f"the replacement of {names}"
        if one.kind is RemedyKind.EQUIVALENT
        else f"the newest {names}"
    )


# --------------------------------------------------------------------------- the conclusion


def conclusion(why: Why) -> str:
    """Return the answer in one sentence."""
    if why.size is None:
        return ""
    others = [root for root in why.roots if root.name != why.name]
    own = len(others) < len(why.roots)
    if not why.roots:
        return f"nothing in the file requires {why.name}"
    if own and not others:
        return "required only by its own line"
    rest = listed([root.name for root in others], _NAMED)
    if own:
        return f"required by its own line and by {rest}"
    if len(others) == 1:
        return f"required only by {rest}{_newer_without(why)}"
    return f"required by {plural(len(others), 'line')}: {rest}{_goes_with(why)}"


def _newer_without(why: Why) -> str:
    """Say which newer version of the one root does without the distribution, if one does."""
    for one, found in _freeing(why):
        new = next((c for c in found.changes if c.name in one.roots and c.after), None)
        if new is not None:
            return f"; {new.name} {new.after} no longer requires it"
    return ""


def _goes_with(why: Why) -> str:
    """Say which change of less than all lines takes it away and saves something."""
    for one, found in _freeing(why):
        saves = found.slug_bytes if by_slug(why) else found.installed_bytes
        if one.kind is not RemedyKind.REMOVE_ALL and saves > 0:
            return f"; removed {_done(one, found)}"
    return f"; removed only without {'both' if len(why.roots) == 2 else 'all of them'}"


def _done(one: Remedy, found: MeasuredSaving) -> str:
    if one.kind is RemedyKind.REMOVE:
        return f"without {one.roots[0]}"
    if one.kind is RemedyKind.NEWEST_ALL:
        return f"with the newest of {_all(one)}"
    return f"with {_change(one, found)}"


def _freeing(why: Why) -> Iterator[tuple[Remedy, MeasuredSaving]]:
    for one in why.remedies:
        if isinstance(one.outcome, MeasuredSaving) and one.outcome.left is None:
            yield one, one.outcome
