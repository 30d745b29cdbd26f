"""The terminal writer: a view as text with signs and bars, with and without Unicode and colour."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from slugcheck.model import Estimate, FindingSeverity, Status
from slugcheck.render import view
from slugcheck.render.view import DASH, Kind, Style
from slugcheck.text import printable, printable_lines

# Bare yellow cannot be read on a light background.
STATUS_STYLE = {
    Status.PASS: "green",
    Status.WARN: "black on yellow",
    Status.FAIL: "red",
    Status.UNKNOWN: "magenta",
}
SEVERITY_STYLE = {
    FindingSeverity.ERROR: "red",
    FindingSeverity.WARNING: "black on yellow",
    FindingSeverity.INFO: "cyan",
}
_ASCII = {"±": "+-", "→": "->", "…": "...", DASH: "-", "·": "-", "†": "*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a stream can carry. Text from outside passes through ``text`` or ``clean``."""

    unicode: bool

    def pick(self, sign: str, plain: str) -> str:
        """Return a sign, or what stands for it in ASCII."""
        return sign if self.unicode else plain

    def clean(self, text: str) -> str:
        """Return text made safe for one line of this stream."""
        safe = printable(text)
        if self.unicode:
            return safe
        for sign, plain in _ASCII.items():
            safe = safe.replace(sign, plain)
        return safe.encode("ascii", "backslashreplace").decode("ascii")

    def text(self, text: str, style: str = "") -> Text:
        """Return text made safe, never read as markup."""
        return Text(self.clean(text), style=style)

    def joined(self, parts: tuple[str, ...]) -> str:
        """Return parts with dots between."""
        return self.pick(" · ", " - ").join(self.clean(part) for part in parts)

    def status(self, status: Status) -> str:
        """Return the sign of a verdict."""
        signs = {
            Status.PASS: ("✓", "+"),
            Status.WARN: ("!", "!"),
            Status.FAIL: ("✗", "x"),
            Status.UNKNOWN: ("?", "?"),
        }
        return self.pick(*signs[status])

    def severity(self, severity: FindingSeverity) -> str:
        """Return the sign of a finding."""
        signs = {
            FindingSeverity.ERROR: ("✗", "x"),
            FindingSeverity.WARNING: ("!", "!"),
            FindingSeverity.INFO: ("·", "-"),
        }
        return self.pick(*signs[severity])


# Cells are filled up with blanks, some of them styled.
_BLANKS = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)
_RESET = "\x1b[0m"
_KEPT_BLANK = "\N{BRAILLE PATTERN BLANK}"  # rich drops white space at the end of a cell


# --------------------------------------------------------------------------- rich


class Verbatim(Text):
    """A line that the reader copies, and so never wrapped."""


def marked(sign: Text, text: Text) -> RenderableType:
    """Return a sign, and text that wraps beside it."""
    grid = RichTable.grid(padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column(no_wrap=True, width=max(1, sign.cell_len))
    grid.add_column(overflow="fold")
    grid.add_row(sign, text)
    return grid


def bare_table() -> RichTable:
    """Return a table without lines, whose columns stand two blanks apart."""
    return RichTable(
        box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False
    )


def print_sections(sections: Iterable[list[RenderableType]], *, width: int, color: bool) -> str:
    """Return the sections in ``width`` columns, an empty line between them."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, height=100, force_terminal=color, no_color=not color,
        color_system="standard" if color else None, legacy_windows=False, force_jupyter=False,
        markup=False, emoji=False, highlight=False, _environ={},
    )  # fmt: skip
    for number, section in enumerate(sections):
        if number:
            console.print()
        for block in section:
            console.print(block, soft_wrap=isinstance(block, Verbatim))
    text = stream.getvalue().replace(_KEPT_BLANK, " ")
    return _BLANKS.sub(lambda end: _RESET if "\x1b" in end[0] else "", text)


# --------------------------------------------------------------------------- bars


_EIGHTHS = " ▏▎▍▌▋▊▉█"


def budget_bar(
    figure: Estimate[int] | Estimate[float],
    limit: int,
    status: Status,
    *,
    columns: int,
    unicode: bool,
) -> Text:
    """Return a bar of ``columns`` cells: what is used, what is doubtful, what is left.

    Beyond the limit the whole bar is the figure, and a line in it shows where the limit lies.
    """
    used, doubt, left, mark = "█▒░┃" if unicode else "#?.|"
    scale = max(limit, figure.value, 1)
    style = "bold" if status is Status.WARN else STATUS_STYLE[status]
    filled = _bar_cells(figure.value / scale, columns)
    if figure.value > limit:
        within = min(_bar_cells(limit / scale, columns), columns - 1)
        bar = Text(used * within, style=style)
        bar.append(mark, style=f"bold {style}")
        return bar.append(used * (columns - within - 1), style=f"bold {style}")
    # too little was sized for a verdict: what is missing may fill it
    open_ended = status is Status.UNKNOWN and figure.high <= limit
    reached = (
        columns if open_ended else max(filled, _bar_cells(min(figure.high, limit) / scale, columns))
    )
    bar = Text(used * filled, style=style)
    bar.append(doubt * (reached - filled), style=style)
    return bar.append(left * (columns - reached), style="dim")


def _bar_cells(share: float, columns: int) -> int:
    """At least one cell for anything at all, and all of them only for the whole."""
    if share <= 0:
        return 0
    return columns if share >= 1 else max(1, min(round(share * columns), columns - 1))


def share_bar(share: float, *, columns: int, unicode: bool) -> str:
    """Return a bar for a share of a whole, to an eighth of a cell; blank for next to nothing."""
    share = min(max(share, 0.0), 1.0)
    if not unicode:
        return ("#" * round(share * columns)).ljust(columns)
    whole, rest = divmod(round(share * columns * 8), 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(columns)


def nested_bar(part: float, whole: float, *, columns: int, unicode: bool) -> Text:
    """Return a bar for a share of all, with a part of it marked, in whole cells."""
    used, rest, left = "█▒ " if unicode else "#- "
    reached, filled = _bar_cells(min(whole, 1.0), columns), _bar_cells(min(part, 1.0), columns)
    bar = Text(used * filled, style="cyan")
    bar.append(rest * max(reached - filled, 0), style="cyan")
    return bar.append(left * (columns - max(reached, filled)))


# --------------------------------------------------------------------------- writing


_GAP = 2
_LEAST_NAME = 16
_LEAST_NAMES, _ENOUGH_NAMES = 11, 14  # columns of a cell of names
_SHARE_COLUMNS = 10
_LEAST_BAR, _MOST_BAR = 12, 30
# A line below the head and one above the total; rich's box is eight lines of four signs.
_LINES = Box("    \n    \n ── \n    \n ── \n    \n    \n    \n")
_ASCII_LINES = Box("    \n    \n -- \n    \n -- \n    \n    \n    \n", ascii=True)
_STYLES = {
    Style.PLAIN: "",
    Style.STRONG: "bold",
    Style.DIM: "dim",
    Style.GOOD: "green",
    Style.WARNING: "bold",
    Style.BAD: "red",
    Style.DOUBT: "magenta",
    Style.ACCENT: "cyan",
}


_DIFF = {"-": "red", "+": "green"}


def write(shown: view.View, *, width: int, color: bool, unicode: bool = True) -> str:
    """Return the view in ``width`` columns; only the lines of a fix may be longer.

    Without ``unicode`` the text is ASCII.
    """
    signs = Signs(unicode=unicode)
    outcomes = [
        block
        for section in shown.sections
        for block in section.blocks
        if isinstance(block, view.Verdict)
    ]
    verdicts = [_verdict(outcome, signs) for outcome in outcomes]
    sections = [list(_section(section, signs, width)) for section in shown.sections]
    # a verdict alone is said once
    again = [_verdict(o, signs, last=True) for o in outcomes] if any(sections) else []
    written = [section for section in (verdicts, *sections, again) if section]
    return print_sections(written, width=width, color=color)


def _section(section: view.Section, signs: Signs, width: int) -> Iterator[RenderableType]:
    heading = () if section.quiet else section.heading
    blocks = [block for block in section.blocks if not isinstance(block, view.Verdict)]
    for number, block in enumerate(blocks):
        if isinstance(block, view.Table):
            yield from _table(block, heading, signs, width)
            heading = ()
            continue
        if heading:
            yield _line(heading, signs, "bold")
            heading = ()
        if number and isinstance(block, view.Fix):
            yield Text()
        yield from _block(block, signs, width)


def _block(block: view.Block, signs: Signs, width: int) -> Iterator[RenderableType]:
    match block:
        case view.Subject():
            yield from _subject(block, signs, width)
        case view.Bars():
            yield from _bars(block, signs, width)
        case view.Items():
            for item in block.items:
                yield from _item(item, signs)
        case view.Paragraph():
            yield from (_line(line, signs) for line in block.lines)
        case view.MissingList():
            yield from _missing(block, signs)
        case view.Fix():
            yield from _fix(block, signs)
        case view.Listing():
            yield from (
                signs.text(line, _DIFF.get(line[:1], "")) for line in block.lines.split("\n")
            )
        case view.Verdict() | view.Table():
            pass


# --------------------------------------------------------------------------- text


def _line(line: view.Line, signs: Signs, style: str = "") -> Text:
    text = Text(style=style)
    for span in line:
        own = _STYLES[span.style]
        text.append(_clean(span.text, signs), style=f"not bold {own}" if style and own else own)
    return text


def _clean(text: str, signs: Signs) -> str:
    """Return a part of a line made safe, with the blank that joins it to its neighbours."""
    before, after = " " * text.startswith(" "), " " * (text.strip() != "" and text.endswith(" "))
    return f"{before}{signs.clean(text)}{after}"


def _verdict(verdict: view.Verdict, signs: Signs, *, last: bool = False) -> RenderableType:
    style = STATUS_STYLE[verdict.status]
    text = Text().append(signs.clean(verdict.word), style=f"bold {style}")
    parts = [verdict.sentence, verdict.next_step if last else ""]
    if said := "; ".join(signs.clean(part) for part in parts if part):
        text.append(f": {said}")
    return _grid((1,), (Text(signs.status(verdict.status), style=style), text), gap=1)


def _subject(subject: view.Subject, signs: Signs, width: int) -> Iterator[RenderableType]:
    name = signs.text(subject.name, "bold")
    facts = f"{signs.pick('→', '->')} {signs.joined(subject.facts)}"
    if name.cell_len + len(facts) + 1 <= width:
        yield name.append(f" {facts}", style="not bold")
    else:
        yield name
        yield Text(facts)
    if subject.run:
        yield Text(signs.joined(subject.run), style="dim")


def _item(item: view.Item, signs: Signs) -> Iterator[RenderableType]:
    if isinstance(item.mark, Status):
        sign = Text(signs.status(item.mark), style=STATUS_STYLE[item.mark])
    else:
        sign = signs.text(item.mark, _STYLES[item.style])
    yield marked(sign, _line(item.text, signs))
    blank = Text(" " * sign.cell_len)
    yield from (marked(blank, _line(line, signs)) for line in item.below)


def _missing(missing: view.MissingList, signs: Signs) -> Iterator[RenderableType]:
    for reason in dict.fromkeys(row.reason for row in missing.rows):
        text = Text()
        for row in missing.rows:
            if row.reason != reason:
                continue
            text.append(", " if text else "").append(signs.clean(row.name), style="bold")
            text.append(f" ({signs.clean(row.place)})" if row.place else "")
            text.append(f" {signs.clean(row.remark)}" if row.remark else "", style="dim")
        yield marked(Text("?", style="magenta"), text)
        yield marked(Text(), signs.text(reason, "dim"))


def _fix(fix: view.Fix, signs: Signs) -> Iterator[RenderableType]:
    style = SEVERITY_STYLE[fix.severity]
    sentence = Text(f"{fix.severity}:", style=style)
    text = Text().append(sentence).append(f" {signs.clean(fix.sentence)}")
    yield marked(Text(signs.severity(fix.severity), style=f"bold {style}"), text)
    facts = signs.joined(tuple(span.text for span in fix.facts))
    yield marked(Text(), Text(facts, style="dim"))
    for line in printable_lines(fix.lines) if fix.lines else ():
        yield Verbatim(f"      {line}", style="cyan")


# --------------------------------------------------------------------------- budgets


def _bars(bars: view.Bars, signs: Signs, width: int) -> Iterator[RenderableType]:
    name = max((cell_len(signs.clean(bar.name)) for bar in bars.bars), default=0)
    columns = max(_LEAST_BAR, min(_MOST_BAR, (width - name) // 4))
    word = max((len(bar.status) for bar in bars.bars if bar.status), default=0)
    for bar in bars.bars:
        if bar.status is None:
            cells = signs.text(bar.name, "dim"), signs.text(bar.sentence, "dim")
            yield _grid((name,), cells)
            continue
        yield _grid((name, columns, word), _bar(bar, bar.status, signs, columns))
        yield from (_grid((name,), (Text(), _beside(more, signs))) for more in bar.beside)


def _bar(bar: view.Bar, status: Status, signs: Signs, columns: int) -> tuple[Text, ...]:
    figure = bar.figure or Estimate[int].measured(0)
    drawn = budget_bar(figure, bar.limit, status, columns=columns, unicode=signs.unicode)
    word = Text(str(status).upper(), style=f"bold {STATUS_STYLE[status]}")
    return signs.text(bar.name, "bold"), drawn, word, signs.text(bar.sentence)


def _beside(bar: view.Bar, signs: Signs) -> Text:
    status = bar.status or Status.UNKNOWN
    if status is Status.PASS:
        return Text(f"{signs.status(status)} {signs.clean(bar.sentence)}", style="dim")
    text = Text().append(signs.status(status), style=STATUS_STYLE[status])
    return text.append(f" {signs.clean(bar.sentence)}")


def _grid(columns: tuple[int, ...], cells: tuple[Text, ...], *, gap: int = _GAP) -> RichTable:
    """Return cells of given widths, and a last one that takes the rest and wraps."""
    grid = RichTable.grid(padding=(0, gap, 0, 0), pad_edge=False)
    for wide in columns:
        grid.add_column(width=wide, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(*cells)
    return grid


# --------------------------------------------------------------------------- tables


def _table(
    table: view.Table, heading: view.Line, signs: Signs, width: int
) -> Iterator[RenderableType]:
    kept = [number for number, column in enumerate(table.columns) if column.wide_only <= width]
    columns = [table.columns[number] for number in kept]
    within = [
        max((_within(row.cells[number], signs) for row in table.rows), default=0) for number in kept
    ]
    rows = [_cells(row, kept, within, signs) for row in table.rows]
    titled = next((n for n, c in enumerate(columns) if c.kind is not Kind.MARK), 0)
    heads = [Text(signs.clean(column.head), style="dim") for column in columns]
    if heading:
        heads[titled] = _line(heading, signs, "bold not dim")
    widths = _widths(columns, heads, rows, width)
    rows = [_shortened(row, widths, rows) for row in rows]
    if any(row.notes for row in table.rows):
        yield from _rows_with_notes(table, columns, heads, rows, widths, signs)
        return
    shown = _ruled_table(signs) if any(row.rule for row in table.rows) else bare_table()
    names = any(column.kind is Kind.NAMES for column in columns)
    for column, head, wide in zip(columns, heads, widths, strict=True):
        _add(shown, column, wide if names else None, head)
    for number, row in enumerate(rows):
        below = table.rows[number + 1].rule if number + 1 < len(rows) else False
        cells = [_fitted(cell, columns[n], widths[n], signs) for n, cell in enumerate(row)]
        shown.add_row(*cells, end_section=below)
    yield shown


def _rows_with_notes(
    table: view.Table,
    columns: Sequence[view.Column],
    heads: Sequence[Text],
    rows: Sequence[Sequence[Text | view.Names]],
    widths: Sequence[int],
    signs: Signs,
) -> Iterator[RenderableType]:
    """Yield each row in columns with its notes below, in the whole width."""
    for number, row in enumerate([heads, *rows]):
        grid = RichTable.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        for column, wide in zip(columns, widths, strict=True):
            _add(grid, column, wide)
        cells = [_fitted(cell, columns[n], widths[n], signs) for n, cell in enumerate(row)]
        grid.add_row(*cells)
        yield grid
        notes = table.rows[number - 1].notes if number else ()
        yield from (marked(Text("  "), _line(note, signs)) for note in notes)


def _add(table: RichTable, column: view.Column, wide: int | None, head: Text | str = "") -> None:
    justify: JustifyMethod = "right" if column.kind is Kind.FIGURE else "left"
    folds = column.kind is Kind.TEXT or (column.kind is Kind.NAMES and wide is None)
    table.add_column(head, justify=justify, no_wrap=not folds, overflow="fold", width=wide)


def _ruled_table(signs: Signs) -> RichTable:
    return RichTable(
        box=_LINES if signs.unicode else _ASCII_LINES, border_style="dim", header_style="dim",
        padding=(0, _GAP - 1, 0, 0), pad_edge=False, show_edge=False,
    )  # fmt: skip


def _widths(
    columns: Sequence[view.Column],
    heads: Sequence[Text],
    rows: Sequence[Sequence[Text | view.Names]],
    width: int,
) -> list[int]:
    """Return each column's width: figures get what they need, names share what is left."""
    wide = [
        max([heads[n].cell_len, *(_length(row[n]) for row in rows)]) for n in range(len(columns))
    ]
    name = next((n for n, column in enumerate(columns) if column.kind is Kind.TEXT), 0)
    last = len(columns) - 1
    free = width - sum(wide) + wide[name] - _GAP * (len(columns) - 1)
    if columns[last].kind is not Kind.NAMES or last == name:
        wide[name] = min(wide[name], max(free, _LEAST_NAME))
        return wide
    free += wide[last]
    total = _length(rows[-1][last]) if rows and isinstance(rows[-1][last], Text) else 0
    kept = max(_LEAST_NAMES, total, min(wide[last], _ENOUGH_NAMES))
    wide[name] = max(min(max(wide[name], _LEAST_NAME), free - kept), _LEAST_NAME)
    wide[last] = max(free - wide[name], 1)
    return wide


def _length(cell: Text | view.Names) -> int:
    if isinstance(cell, view.Names):
        return cell_len(", ".join(cell.names))
    return max((line.cell_len for line in cell.split("\n")), default=0)


def _within(cell: view.Cell, signs: Signs) -> int:
    """Return the columns that the interval beside a figure takes."""
    return cell_len(signs.clean(cell.within)) if isinstance(cell, view.Figure) else 0


def _cells(
    row: view.Row, kept: Sequence[int], within: Sequence[int], signs: Signs
) -> list[Text | view.Names]:
    cells = [
        _cell(row.cells[number], row.style, signs, wide)
        for number, wide in zip(kept, within, strict=True)
    ]
    if row.depth and isinstance(cells[0], Text):
        cells[0] = Text("  " * row.depth).append_text(cells[0])
    if row.hint and cells:
        cells[-1] = Text(row.hint, style="dim")
    return cells


def _cell(cell: view.Cell, row: Style, signs: Signs, within: int) -> Text | view.Names:
    match cell:
        case view.Names():
            names = tuple(signs.clean(name) for name in cell.names)
            return view.Names(names, cell.first, signs.clean(cell.short))
        case view.Share(part=None):
            bar = share_bar(cell.whole, columns=_SHARE_COLUMNS, unicode=signs.unicode)
            return Text(bar, style="cyan").append(f"{100 * cell.whole:4.0f} %", style="dim")
        case view.Share():
            drawn = nested_bar(
                cell.part or 0, cell.whole, columns=_SHARE_COLUMNS, unicode=signs.unicode
            )
            return drawn.append(f"{100 * cell.whole:4.0f} %")
        case view.Mark():
            return Text(cell.sign, style=_STYLES[cell.style])
        case view.Figure():
            # what follows a figure is as wide in every row, so that figures are aligned
            beside = f" {signs.clean(cell.within):{_KEPT_BLANK}>{within}}" if within else ""
            beside = beside.replace(" ", _KEPT_BLANK)
            text = signs.text(cell.text, _STYLES[row]) if cell.text else _line(view.ABSENT, signs)
            return Text().append_text(text).append(beside, style="dim")
        case view.Graded():
            sign = Text(signs.status(cell.status), style=STATUS_STYLE[cell.status])
            return Text().append_text(sign).append(f" {signs.clean(cell.text)}")
        case view.Stacked():
            return Text("\n").join([_line(line, signs) for line in cell.lines])
        case _:
            text = _line(cell, signs)
            if row is not Style.PLAIN:
                text.stylize_before(_STYLES[row])
            return text


def _shortened(
    row: Sequence[Text | view.Names],
    widths: Sequence[int],
    rows: Sequence[Sequence[Text | view.Names]],
) -> list[Text | view.Names]:
    """Return a row whose first names are short ones, where the long ones do not fit every row."""
    cells = list(row)
    for n, cell in enumerate(cells):
        if not isinstance(cell, view.Names) or not cell.short:
            continue
        column = (other[n] for other in rows)
        if any(_least(names) > widths[n] for names in column if isinstance(names, view.Names)):
            cells[n] = view.Names((cell.short, *cell.names[1:]), cell.first)
    return cells


def _least(cell: view.Names) -> int:
    """Return the columns of the first name and of the count of the others."""
    return cell_len(_joined(cell.names[:1], len(cell.names) - 1)) if cell.short else 0


def _fitted(cell: Text | view.Names, column: view.Column, wide: int, signs: Signs) -> Text:
    """Return the names that fit, and other text of their column cut; elsewhere rich folds text."""
    if isinstance(cell, Text):
        return _cut(cell, wide, signs) if column.kind is Kind.NAMES else cell
    shown = _cut(Text(_fitting(cell.names, wide), style="dim"), wide, signs)
    if cell.first is not Style.DIM and cell.names:
        shown.stylize("not dim bold", 0, min(len(cell.names[0]), len(shown)))
    return shown


def _fitting(names: tuple[str, ...], columns: int) -> str:
    """As many names as fit, at least one, and how many more there are."""
    lines = [_joined(names[:count], len(names) - count) for count in range(1, len(names) + 1)]
    return next((line for line in reversed(lines) if cell_len(line) <= columns), "".join(lines[:1]))


def _joined(names: tuple[str, ...], more: int) -> str:
    return ", ".join([*names, *([f"+{more}"] if more else [])])


def _cut(text: Text, columns: int, signs: Signs) -> Text:
    """A text that is too long loses its end, or what stands before its last comma ("…, +2")."""
    if text.cell_len <= columns:
        return text
    head, comma, tail = text.plain.rpartition(", +")
    end = f"{comma}{tail}" if comma and head.isprintable() and tail.isdigit() else ""
    dots = signs.pick("…", "...")
    kept = text.copy() if not end else Text(head, style=text.style)
    kept.truncate(max(columns - cell_len(dots + end), 0))
    return kept.append(dots + end)
