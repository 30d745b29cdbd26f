"""Why a distribution is there as a screen of text for a terminal. A pure function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from slugcheck.model import Finding, RootPaths, Standing, Why
from slugcheck.render import figures
from slugcheck.render import whychanges as changes
from slugcheck.render import whywords as said
from slugcheck.render.screen import Verbatim, bare_table, marked, print_sections
from slugcheck.render.signs import SEVERITY_STYLE, Signs
from slugcheck.render.words import saving, target_words
from slugcheck.text import printable_lines

_MOST_NEEDS = 8
_MOST_ROOTS = 8
_MOST_CHANGES = 10
_LONGEST_HEAD = 16
_LEAST_CHANGE = 20
_STYLES = {"-": "red", "^": "green", "~": "green"}
_FATES = {"goes": "green", "stays": "dim"}


def render(
    why: Why, *, width: int, color: bool, all_rows: bool = False, unicode: bool = True
) -> str:
    """Return the answer in ``width`` columns; ``all_rows`` leaves nothing out."""
    signs = Signs(unicode=unicode)
    sections = [section for section in _sections(why, signs, width, everything=all_rows) if section]
    return print_sections(sections, width=width, color=color)


def _sections(
    why: Why, signs: Signs, width: int, *, everything: bool
) -> Iterator[list[RenderableType]]:
    yield _header(why, signs)
    yield _standing(why, signs)
    yield _needs(why, signs, everything=everything)
    yield _paths(why, signs, everything=everything)
    yield _sizes(why, signs, everything=everything)
    yield _remedies(why, signs, width, everything=everything)
    yield _findings(why, signs)
    yield [*_notes(why, signs), *_legend(why, signs)]
    if conclusion := changes.conclusion(why):
        yield [marked(Text(signs.pick("→", "->"), style="bold"), signs.text(conclusion, "bold"))]


def _header(why: Why, signs: Signs) -> list[RenderableType]:
    name, place = said.title(why)
    head = signs.text(name, "bold").append(f" {signs.clean(place)}", style="not bold")
    target = f"{signs.pick('→', '->')} {signs.joined(target_words(why.report))}"
    return [head, Text(target), Text(signs.joined(said.run_words(why)), style="dim")]


def _standing(why: Why, signs: Signs) -> list[RenderableType]:
    if why.standing is Standing.ABSENT:
        return [signs.text(said.absence(why), "bold magenta")]
    if why.unsized is None:
        return []
    head = signs.text(f"{said.shown_name(why)} could not be sized", "bold magenta")
    return [head, signs.text(why.unsized.reason)]


# --------------------------------------------------------------------------- who asks


def _needs(why: Why, signs: Signs, *, everything: bool) -> list[RenderableType]:
    if not why.needs:
        return []
    absent = why.standing is Standing.ABSENT
    shown = why.needs if everything else why.needs[:_MOST_NEEDS]
    table = _table("named by" if absent else "needed by", signs)
    table.add_column("which asks for", overflow="fold")
    if absent:
        table.add_column("but", overflow="fold")
    for need in shown:
        cells = [signs.text(said.need_by(need)), signs.text(need.asks)]
        table.add_row(*cells, *([signs.text(need.unmet, "dim")] if absent else []))
    return [table, *_more(len(why.needs) - len(shown), signs)]


def _paths(why: Why, signs: Signs, *, everything: bool) -> list[RenderableType]:
    if not why.roots:
        return []
    shown = why.roots if everything else why.roots[:_MOST_ROOTS]
    table = _table("from the file" if any(root.lines for root in why.roots) else "from", signs)
    table.add_column("by the shortest path", overflow="fold")
    for root in shown:
        table.add_row(_lines(root, why, signs), _walks(root, signs))
    return [table, *_more(len(why.roots) - len(shown), signs)]


def _lines(root: RootPaths, why: Why, signs: Signs) -> Text:
    if not root.lines:
        return signs.text(f"{root.name} {root.version}".strip())
    text = Text()
    for number, line in enumerate(root.lines):
        text.append("\n" if number else "").append(signs.clean(line.text))
        if line.origin is not None:
            text.append(f" {signs.clean(said.place(line.origin, why))}", style="dim")
    return text


def _walks(root: RootPaths, signs: Signs) -> Text:
    if len(root.paths[0]) == 1:
        own = "its own line" if root.lines else "itself"
        return Text(own, style="dim")
    arrow = signs.pick("→", "->")
    text = Text()
    for number, steps in enumerate(root.paths):
        text.append("\n" if number else "").append(signs.clean(said.path(steps, arrow)))
    if root.more_paths:
        text.append(f"\n{said.more_paths(root.more_paths)}", style="dim")
    return text


# --------------------------------------------------------------------------- sizes


def _sizes(why: Why, signs: Signs, *, everything: bool) -> list[RenderableType]:
    rows = tuple(said.size_rows(why, everything=everything))
    if not rows:
        return []
    table = _table("its size and what it brings, MB", signs)
    for head in ("installed", said.packed(why), "files"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        name = signs.text(row.name, "bold" if row.total else "")
        if row.version:
            name.append(f" {signs.clean(row.version)}", style="dim")
        style = "bold" if row.total else ""
        cells = [Text(cell, style=style) for cell in (row.installed, row.slug, row.files)]
        table.add_row(name, *cells, signs.text(row.remark, "dim"))
    return [table]


# --------------------------------------------------------------------------- changes


def _remedies(why: Why, signs: Signs, width: int, *, everything: bool) -> list[RenderableType]:
    rows = changes.remedy_rows(why)
    shown = rows if everything or len(rows) <= _MOST_CHANGES + 1 else rows[:_MOST_CHANGES]
    blocks: list[RenderableType] = []
    if rows:
        blocks = [*_change_lines(why, shown, signs, width), *_more(len(rows) - len(shown), signs)]
    lines = [changes.idle(why), changes.untried(why)]
    return [*blocks, *(signs.text(line, "dim") for line in lines if line)]


def _change_lines(
    why: Why, rows: Sequence[changes.RemedyRow], signs: Signs, width: int
) -> Iterator[RenderableType]:
    """Yield a head, then each change in columns with its notes below, in the whole width."""
    fate = why.name if len(why.name) <= _LONGEST_HEAD else "it"
    heads = (
        "",
        "a change would save, MB",
        "installed",
        said.packed(why),
        changes.then_head(why),
        fate,
    )
    none = signs.none
    own = ("", "the file as it is", none, none, changes.now(why), "")
    cells = [tuple(signs.text(cell, "dim") for cell in row) for row in (heads, own)]
    cells[0][1].stylize("bold not dim")
    cells += [_change_cells(row, signs) for row in rows]
    wide = [max(row[column].cell_len for row in cells) for column in range(len(heads))]
    wide[1] = min(wide[1], max(_LEAST_CHANGE, width - sum(wide) + wide[1] - 2 * len(wide) + 2))
    notes: list[Sequence[Text]] = [(), (), *(_change_notes(row, signs) for row in rows)]
    for row, below in zip(cells, notes, strict=True):
        grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        for column, columns in enumerate(wide):
            left = column in (0, 1, len(wide) - 1)
            grid.add_column(
                width=columns,
                justify="left" if left else "right",
                overflow="fold",
                no_wrap=not left,
            )
        grid.add_row(*row)
        yield grid
        yield from (marked(Text("  "), note) for note in below)


def _change_notes(row: changes.RemedyRow, signs: Signs) -> tuple[Text, ...]:
    failed = (signs.text(row.failed, "magenta"),) if row.failed else ()
    return (*failed, *(signs.text(note, "dim") for note in row.notes))


def _change_cells(row: changes.RemedyRow, signs: Signs) -> tuple[Text, ...]:
    then = "" if row.fits is None else ("green" if row.fits else "red")
    return (
        Text(row.sign, style=_STYLES[row.sign]),
        signs.text(row.change),
        Text(row.installed or signs.none),
        Text(row.slug or signs.none),
        Text(row.then, style=then),
        signs.text(row.fate, _FATES.get(row.fate, "")),
    )


# --------------------------------------------------------------------------- the rest


def _findings(why: Why, signs: Signs) -> list[RenderableType]:
    blocks: list[RenderableType] = []
    for finding in why.findings:
        blocks += [Text()] if blocks else [Text("known remedies", style="bold")]
        blocks += _finding(finding, why, signs)
    return blocks


def _finding(finding: Finding, why: Why, signs: Signs) -> Iterator[RenderableType]:
    sign = Text(signs.severity(finding.severity), style=SEVERITY_STYLE[finding.severity])
    yield marked(sign, signs.text(finding.sentence))
    saves = saving(finding, by_slug=figures.counts_slug(why.report.sizes))
    yield marked(Text(), Text(signs.joined(tuple(filter(None, (saves, finding.code)))), "dim"))
    for line in printable_lines(finding.fix):
        yield Verbatim(f"      {line}", style="cyan")


def _notes(why: Why, signs: Signs) -> list[RenderableType]:
    dot = Text(signs.pick("·", "-"), style="dim")
    return [marked(dot, signs.text(note)) for note in why.notes]


def _legend(why: Why, signs: Signs) -> list[RenderableType]:
    if why.size is None and not why.remedies:
        return []
    used = {row.sign for row in changes.remedy_rows(why)}
    kinds = tuple(text for text in changes.SIGNS if text[0] in used)
    words = (*kinds, "sizes are predicted", "MB = 10^6 bytes", "M = MiB")
    return [Text(signs.joined(words), style="dim")]


def _table(title: str, signs: Signs) -> Table:
    table = bare_table()
    table.add_column(signs.text(title, "bold not dim"), overflow="fold")
    return table


def _more(count: int, signs: Signs) -> list[RenderableType]:
    return [signs.text(f"… {count} more: see --all", "dim")] if count > 0 else []
