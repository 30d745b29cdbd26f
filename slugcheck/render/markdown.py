"""The Markdown writer: a view as Markdown that is never longer than its place allows.

Blocks come in the order of their weight. Where the whole is too long, texts are cut first, then
rows and lines of what matters least, then whole sections from the end. Cuts fall only between
blocks, rows and lines of our own, so that what remains is valid Markdown.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from slugcheck.model import FindingSeverity, Status
from slugcheck.render import view
from slugcheck.render.view import DASH, Kind, Style
from slugcheck.text import Inert, code, fenced, inert, markdown

T = TypeVar("T")

# GitHub takes comments of 65,536 characters; a marker and a heading of others must have room.
MOST_CHARACTERS = 60_000
# A step's summary may have 1 MiB, which is 262,144 of the longest characters.
MOST_OF_SUMMARY = 240_000
# texts of at most so many characters, and lists of at most so many rows: the first that fits
_LEVELS = ((2_000, 100), (500, 25), (200, 8), (100, 3))
_OPENS, _CLOSES = "<details>", "</details>"
_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a subject to show; None is all of it."""

    text: int | None = None
    rows: int | None = None


def bounded(make: Callable[[Limits], Iterable[str]], most: int) -> Inert:
    """Return the blocks that ``make`` yields as inert Markdown of at most ``most`` characters."""
    text = _joined(make(Limits()))
    if size(text) <= most:
        return text
    sections: list[list[str]] = []
    for characters, rows in _LEVELS:
        sections = _sections(make(Limits(text=characters, rows=rows)))
        for number in reversed(range(len(sections))):
            sections[number] = [_cut_text(block, rows) for block in sections[number]]
            if size(text := _of(sections, ())) <= most:
                return text
    left_out: list[str] = []
    while len(sections) > 1:
        left_out.insert(0, _title(sections.pop()))
        if size(text := _of(sections, left_out)) <= most:
            return text
    return _first_that_fit(sections[0] if sections else [], most)


def size(text: str) -> int:
    """Return a text's length as the strictest reader counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clipped(value: T, most: int | None) -> T:
    """Return a value with every text in it cut to ``most`` characters."""
    return value if most is None else _clipped(value, most)


def _clipped(value: Any, most: int) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return value if len(value) <= most else f"{value[: most - 1]}…"
    if isinstance(value, tuple | list):
        return type(value)(_clipped(member, most) for member in value)
    if isinstance(value, dict):
        return {_clipped(key, most): _clipped(member, most) for key, member in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value) if field.init)
        changed = {name: _clipped(getattr(value, name), most) for name in fields}
        if isinstance(value, view.Listing | view.Fix):  # all lines stay: what is cut is counted
            changed["lines"] = "\n".join(_clipped(line, most) for line in value.lines.split("\n"))
        return replace(value, **changed)
    return value


# --------------------------------------------------------------------------- sections


def _sections(blocks: Iterable[str]) -> list[list[str]]:
    """Return blocks by their headings; what is folded away stays in one piece."""
    sections: list[list[str]] = [[]]
    depth = 0
    for block in blocks:
        if depth == 0 and (block.startswith("### ") or block.startswith(_OPENS)):
            sections.append([])
        depth += block.startswith(_OPENS)
        depth -= block == _CLOSES
        sections[-1].append(block)
    return sections


def _title(section: Sequence[str]) -> str:
    """Return a section's name: its heading up to what a stranger may have put into it."""
    head = section[0].removeprefix("### ")
    if head.startswith(_OPENS):
        head = head.partition("<summary>")[2].partition("</summary>")[0]
    return re.split(r"[:`\n]", head, maxsplit=1)[0].strip()[:40]


def _of(sections: Sequence[Sequence[str]], left_out: Sequence[str]) -> Inert:
    return _joined(
        [*(block for section in sections for block in section), _left_out_note(left_out)]
    )


def _left_out_note(left_out: Sequence[str]) -> str:
    without = f", without {', '.join(left_out)}" if left_out else ""
    return f"*Shortened{without}: the whole report is longer than fits here. It is in the JSON.*"


def _joined(blocks: Iterable[str]) -> Inert:
    return inert("\n\n".join(block for block in blocks if block) + "\n", "markdown")


def _first_that_fit(blocks: Sequence[str], most: int) -> Inert:
    """Return the first blocks as far as they fit: the last resort."""
    shown = 0
    while shown < len(blocks) and size(_joined([*blocks[: shown + 1], _left_out_note(())])) <= most:
        shown += 1
    return _joined([*blocks[:shown], _left_out_note(())])


# --------------------------------------------------------------------------- blocks


def _cut_text(block: str, rows: int) -> str:
    """Return a table, a list, a fence or lines with at most ``rows`` of its rows."""
    lines = block.split("\n")
    if lines[0].startswith("| "):
        return "\n".join([*lines[:2], *_table_rows(lines[2:], rows, lines[0].count(" | ") + 1)])
    if fence := _FENCE.match(lines[0]):
        body = lines[1:-1]
        more = [f"… {len(body) - rows:,} more"] if len(body) > rows else []
        return "\n".join([lines[0], *body[:rows], *more, fence[0]])
    if len(lines) <= rows + 2 or block.startswith((_OPENS, "## ")):
        return block
    bullet = "- " if lines[0].startswith("- ") else ""
    return "\n".join([*lines[:rows], f"{bullet}*{len(lines) - rows:,} more*"])


def _table_rows(lines: Sequence[str], rows: int, columns: int) -> Sequence[str]:
    """Return the first rows and the last, which is often the total."""
    if len(lines) <= rows + 1:
        return lines
    more = f"| *{len(lines) - rows:,} more* |{'  |' * (columns - 1)}"
    return [*lines[: rows - 1], more, lines[-1]]


MARKS = {Status.PASS: "✅", Status.WARN: "⚠️", Status.FAIL: "❌", Status.UNKNOWN: "❔"}


def pipe_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a head that ends in a colon stands over figures."""
    lines = ["| " + " | ".join(head.removesuffix(":") for head in heads) + " |"]
    lines.append("|" + "|".join("--:" if head.endswith(":") else "---" for head in heads) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


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
            code(row.place) if row.place else DASH,
            markdown(row.reason),
        )
        for row in missing.rows
    ]
    return pipe_table(("what", "where", "why"), _cut(rows, most_rows, 3))


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
        rows += [_bar(row_bar) for row_bar in (bar, *bar.beside)]
    return pipe_table(("budget", "verdict", ""), _cut(rows, most_rows, 3))


def _weight(bar: view.Bar) -> int:
    order = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS)
    return order.index(bar.status) if bar.gates and bar.status else len(order)


def _bar(bar: view.Bar) -> tuple[str, str, str]:
    if bar.status is None:
        return code(bar.name), DASH, markdown(bar.sentence)
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
    heads = [f"{markdown(column.head)}{_SUFFIX.get(column.kind, '')}" for column in columns]
    heads += [""] if noted else []
    rows, folded = _opened(shown.rows)
    yield pipe_table(heads, [_row(row, kept, noted=noted) for row in rows])
    if folded and (most_rows is None or most_rows > _OPEN_ROWS):
        yield f"<details>\n<summary>{len(folded):,} more</summary>"
        yield pipe_table(heads, [_row(row, kept, noted=noted) for row in folded])
        yield "</details>"


def _opened(rows: Sequence[view.Row]) -> tuple[list[view.Row], list[view.Row]]:
    """Return the rows, those that one stands for in its place if they are few, else apart."""
    members = [member for row in rows for member in row.members]
    if len(rows) + len(members) > _OPEN_ROWS + 5 and len(members) > 1:
        return list(rows), members
    return [opened for row in rows for opened in (row.members or (row,))], []


def _row(row: view.Row, kept: Sequence[int], *, noted: bool) -> tuple[str, ...]:
    cells = [_cell(row.cells[number]) for number in kept]
    if row.depth:
        cells[0] = f"↳ {cells[0]}"
    if row.style is Style.STRONG:
        cells = [f"**{cell}**" if cell and cell != DASH else cell for cell in cells]
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
        case view.Figure():
            return markdown(f"{cell.text} {cell.within}".strip()) or DASH
        case view.Graded():
            return f"{MARKS[cell.status]} {markdown(cell.text)}"
        case view.Stacked():
            return "<br>".join(map(_line, cell.lines))
        case _:
            return _line(cell)
