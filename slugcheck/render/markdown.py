"""Views as GitHub Markdown, fit for a comment on a pull request.

The verdict first, long lists folded, everything escaped, and never longer than what GitHub takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from slugcheck.model import FindingSeverity, Status
from slugcheck.render import view
from slugcheck.render.bounded import MOST_CHARACTERS, Limits, bounded, clipped
from slugcheck.render.marktable import MARKS, NONE, table
from slugcheck.render.view import Kind, Style
from slugcheck.text import Inert, code, fenced, markdown

_SEVERITY = {
    FindingSeverity.ERROR: "❌ error",
    FindingSeverity.WARNING: "⚠️ warning",
    FindingSeverity.INFO: "💡 info",
}
_MOST_OF_TITLE = 1_000  # characters; a message of the settings is part of it
_WIDTH = 100  # characters that a comment shows in a line of a table
_OPEN_ROWS = 15  # more rows than these are folded
_MOST_NAMES = 4
_SUFFIX = {Kind.FIGURE: ":", Kind.SHARE: ":"}


def write(shown: view.View, *, most: int = MOST_CHARACTERS) -> Inert:
    """Return the view as Markdown of at most ``most`` characters."""
    sections = sorted(shown.sections, key=lambda section: section.rank)

    def blocks(limits: Limits) -> Iterator[str]:
        for section in sections:
            yield from _section(section, limits)

    return bounded(blocks, most)


def _section(section: view.Section, limits: Limits) -> Iterator[str]:
    verdicts = [block for block in section.blocks if isinstance(block, view.Verdict)]
    yield from (_verdict(verdict) for verdict in verdicts)
    section = clipped(replace(section, blocks=_others(section)), limits.text)
    if section.folded:
        yield f"<details>\n<summary>{_capital(_line(section.heading))}</summary>"
    elif section.heading:
        yield f"### {_capital(_line(section.heading))}"
    if any(isinstance(block, view.Fix) for block in section.blocks):
        yield from _fixes(section.blocks, limits.rows)
    else:
        for block in section.blocks:
            yield from _block(block, limits.rows)
    if section.folded:
        yield "</details>"


def _others(section: view.Section) -> tuple[view.Block, ...]:
    return tuple(block for block in section.blocks if not isinstance(block, view.Verdict))


def _block(block: view.Block, most_rows: int | None) -> Iterator[str]:
    match block:
        case view.Subject():
            yield _subject(block)
        case view.Bars():
            yield _bars(block, most_rows)
        case view.Table():
            yield from _table(block, most_rows)
        case view.Items():
            yield "\n".join(_item(item) for item in block.items)
        case view.Paragraph():
            yield "<br>\n".join(_line(line) for line in block.lines)
        case view.MissingList():
            yield _missing(block, most_rows)
        case view.Listing():
            yield fenced(block.lines, block.language)
        case view.Verdict() | view.Fix():
            pass


# --------------------------------------------------------------------------- text


def _line(line: view.Line) -> str:
    return "".join(_span(span) for span in line)


def _span(span: view.Span) -> str:
    text = code(span.text) if span.code else markdown(span.text)
    if span.style is Style.STRONG and text.strip() and not span.code:
        text = f"**{text}**"
    before = " " * span.text.startswith(" ")
    after = " " * (span.text.strip() != "" and span.text.endswith(" "))
    return f"{before}{text}{after}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _verdict(verdict: view.Verdict) -> str:
    title = clipped(f"{verdict.word}: {verdict.sentence}".removesuffix(": "), _MOST_OF_TITLE)
    return f"## {MARKS[verdict.status]} {markdown(title)}"  # a package's name has no capital


def _subject(subject: view.Subject) -> str:
    facts = " · ".join(map(markdown, subject.facts))
    run = " · ".join(map(markdown, subject.run))
    return "<br>\n".join(filter(None, (f"{code(subject.name)} → {facts}", run)))


def _item(item: view.Item) -> str:
    mark = MARKS[item.mark] if isinstance(item.mark, Status) else item.mark.strip("·")
    text = "<br>".join(map(_line, (item.text, *item.below)))
    return f"- {mark} {text}" if mark else f"- {text}"


def _missing(missing: view.MissingList, most_rows: int | None) -> str:
    rows = [
        (
            code(row.name) + (f" ({markdown(row.remark)})" if row.remark else ""),
            code(row.place) if row.place else NONE,
            markdown(row.reason),
        )
        for row in missing.rows
    ]
    return table(("what", "where", "why"), _cut(rows, most_rows, 3))


# --------------------------------------------------------------------------- fixes


def _fixes(blocks: Sequence[view.Block], most_rows: int | None) -> Iterator[str]:
    fixes = [block for block in blocks if isinstance(block, view.Fix)]
    for fix in fixes[:most_rows]:
        facts = " · ".join(_span(span) for span in fix.facts)
        yield f"**{_SEVERITY[fix.severity]}:** {markdown(fix.sentence)}<br>\n{facts}"
        yield fenced(fix.lines, "text")
    if more := len(fixes[most_rows:]) if most_rows is not None else 0:
        yield f"*{more:,} more*"


# --------------------------------------------------------------------------- budgets


def _bars(bars: view.Bars, most_rows: int | None) -> str:
    shown: Iterable[view.Bar] = bars.bars
    if most_rows is not None:
        shown = sorted(shown, key=_weight)  # what fails is not what is cut off
    rows: list[Sequence[str]] = []
    for bar in shown:
        rows += [_bar(one) for one in (bar, *bar.beside)]
    return table(("budget", "verdict", ""), _cut(rows, most_rows, 3))


def _weight(bar: view.Bar) -> int:
    order = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS)
    return order.index(bar.status) if bar.gates and bar.status else len(order)


def _bar(bar: view.Bar) -> tuple[str, str, str]:
    if bar.status is None:
        return code(bar.name), NONE, markdown(bar.sentence)
    word = str(bar.status).upper() if bar.gates else str(bar.status)
    return code(bar.name), f"{MARKS[bar.status]} {word}", markdown(bar.sentence)


def _cut(rows: Sequence[Sequence[str]], most: int | None, columns: int) -> Sequence[Sequence[str]]:
    if most is None or len(rows) <= most:
        return rows
    return [*rows[:most], (f"*{len(rows) - most:,} more*", *([""] * (columns - 1)))]


# --------------------------------------------------------------------------- tables


def _table(shown: view.Table, most_rows: int | None) -> Iterator[str]:
    kept = [number for number, column in enumerate(shown.columns) if column.wide_only <= _WIDTH]
    columns = [shown.columns[number] for number in kept]
    noted = any(row.notes for row in shown.rows)
    heads = [f"{markdown(one.head)}{_SUFFIX.get(one.kind, '')}" for one in columns]
    heads += [""] if noted else []
    rows, folded = _opened(shown.rows)
    yield table(heads, [_row(row, kept, noted=noted) for row in rows])
    if folded and (most_rows is None or most_rows > _OPEN_ROWS):
        yield f"<details>\n<summary>{len(folded):,} more</summary>"
        yield table(heads, [_row(row, kept, noted=noted) for row in folded])
        yield "</details>"


def _opened(rows: Sequence[view.Row]) -> tuple[list[view.Row], list[view.Row]]:
    """Return the rows, those that one stands for in its place if they are few, else apart."""
    members = [member for row in rows for member in row.members]
    if len(rows) + len(members) > _OPEN_ROWS + 5 and len(members) > 1:
        return list(rows), members
    return [one for row in rows for one in (row.members or (row,))], []


def _row(row: view.Row, kept: Sequence[int], *, noted: bool) -> tuple[str, ...]:
    cells = [_cell(row.cells[number]) for number in kept]
    if row.style is Style.STRONG:
        cells = [f"**{cell}**" if cell and cell != NONE else cell for cell in cells]
    notes = ["<br>".join(map(_line, row.notes))] if noted else []
    return (*cells, *notes)


def _cell(cell: view.Cell) -> str:
    match cell:
        case view.Names():
            more = len(cell.names) - _MOST_NAMES
            names = [markdown(name) for name in cell.names[:_MOST_NAMES]]
            return ", ".join([*names, *([f"+{more}"] if more > 0 else [])])
        case view.Share():
            return f"{100 * cell.whole:.0f} %"
        case view.Mark():
            return markdown(cell.word)
        case view.Stacked():
            return "<br>".join(map(_line, cell.lines))
        case _:
            return _line(cell)
