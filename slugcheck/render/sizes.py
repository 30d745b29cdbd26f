"""The table of sizes: distributions, parts and their total, for a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from rich.box import Box
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from slugcheck.model import Basis, DistributionSize, Overlap, SizeReport
from slugcheck.render import figures, words
from slugcheck.render.bars import share_bar
from slugcheck.render.signs import Signs
from slugcheck.text import mb

_GAP = 2
_LEAST_NAME = 16
_LEAST_REASON, _ENOUGH_REASON = 11, 14  # "direct, +12"
_SHARE_COLUMNS = 10
_DOWNLOAD, _BYTECODE, _SHARE = 70, 96, 112  # from which width on these are shown
# A line below the head and one above the total; rich's box is eight lines of four signs.
_LINES = Box("    \n    \n ── \n    \n ── \n    \n    \n    \n")
_ASCII_LINES = Box("    \n    \n -- \n    \n -- \n    \n    \n    \n", ascii=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line: what it is, its figures in bytes, why it is there."""

    name: Text
    sums: figures.Sums
    why: Text | tuple[str, ...]
    predicted: bool = True  # the installed figure; bytecode and slug always are
    share: float | None = None
    style: str = ""
    subtotal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    head: str
    cells: tuple[Text, ...]
    bars: bool = False

    @property
    def wide(self) -> int:
        return max(cell_len(self.head), *(cell.cell_len for cell in self.cells))


def size_table(sizes: SizeReport, signs: Signs, *, width: int, everything: bool) -> Table:
    """Return the table in ``width`` columns; every figure in MB (10^6 bytes)."""
    rows = _rows(sizes, signs, everything=everything)
    columns = _figures(rows, sizes, signs, width)
    free = width - sum(column.wide + _GAP for column in columns) - _GAP
    name = _name_columns(rows, free)
    reason = max(free - name, 1)
    table = Table(
        box=_LINES if signs.unicode else _ASCII_LINES, border_style="dim", header_style="dim",
        padding=(0, _GAP - 1, 0, 0), pad_edge=False, show_edge=False,
    )  # fmt: skip
    table.add_column("sizes in MB", width=name, overflow="fold")
    for column in columns:
        justify: JustifyMethod = "left" if column.bars else "right"
        table.add_column(column.head, width=column.wide, justify=justify, no_wrap=True)
    table.add_column("because of", width=reason, no_wrap=True)
    for number, row in enumerate(rows):
        cells = [row.name, *(column.cells[number] for column in columns)]
        # a line above the total, and one above what the distributions come to
        line = number == len(rows) - 2 or rows[min(number + 1, len(rows) - 1)].subtotal
        table.add_row(*cells, _why(row, reason, signs), end_section=line)
    return table


# --------------------------------------------------------------------------- columns


def _name_columns(rows: list[_Row], free: int) -> int:
    """Names get what they need, and the reasons, which fold, at least a little."""
    wanted = max(max(row.name.cell_len for row in rows), _LEAST_NAME)
    reasons = max(cell_len(_joined(row.why)) for row in rows)
    total = cell_len(_joined(rows[-1].why))
    kept = max(_LEAST_REASON, total, min(reasons, _ENOUGH_REASON))
    return max(min(wanted, free - kept), _LEAST_NAME)


def _figures(rows: list[_Row], sizes: SizeReport, signs: Signs, width: int) -> list[_Column]:
    none = signs.none
    guessed = all(row.predicted for row in rows)
    by_slug = figures.counts_slug(sizes)
    columns = [
        _Column(
            head="~installed" if guessed else "installed",
            cells=tuple(
                _figure(r.sums.installed, r, none, guess=r.predicted and not guessed) for r in rows
            ),
        ),
        _Column(
            head="~slug" if by_slug else "~gzipped",
            cells=tuple(_figure(row.sums.slug, row, none) for row in rows),
        ),
    ]
    if width >= _DOWNLOAD:
        cells = tuple(_figure(row.sums.download, row, none) for row in rows)
        columns.insert(0, _Column(head="download", cells=cells))
    if width >= _BYTECODE:
        cells = tuple(_figure(row.sums.bytecode or None, row, none) for row in rows)
        columns.insert(2, _Column(head="~bytecode", cells=cells))
    if width >= _SHARE:
        head = f"of the {'slug' if by_slug else 'total'}"
        shares = tuple(_share(row, signs) for row in rows)
        columns.append(_Column(head=head, cells=shares, bars=True))
    return columns


def _figure(value: int | None, row: _Row, none: str, *, guess: bool = False) -> Text:
    if value is None:
        return Text(none, style="dim")
    shown = words.taken_off(-value) if value < 0 else f"{'~' if guess else ''}{mb(value)}"
    return Text(shown, style=row.style)


def _share(row: _Row, signs: Signs) -> Text:
    if row.share is None:
        return Text()
    bar = share_bar(row.share, columns=_SHARE_COLUMNS, unicode=signs.unicode)
    return Text(bar, style="cyan").append(f"{100 * row.share:4.0f} %", style="dim")


# --------------------------------------------------------------------------- reasons


def _why(row: _Row, columns: int, signs: Signs) -> Text:
    if isinstance(row.why, Text):
        return _cut(row.why, columns, signs)
    text = _cut(Text(_fitting(row.why, columns), style="dim"), columns, signs)
    if row.why[:1] == ("direct",):
        text.stylize("not dim bold", 0, len("direct"))
    return text


def _fitting(names: tuple[str, ...], columns: int) -> str:
    """As many names as fit, at least one, and how many more there are."""
    lines = [_joined(names[:count], len(names) - count) for count in range(1, len(names) + 1)]
    return next((line for line in reversed(lines) if cell_len(line) <= columns), "".join(lines[:1]))


def _joined(names: Text | tuple[str, ...], more: int = 0) -> str:
    if isinstance(names, Text):
        return names.plain
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


# --------------------------------------------------------------------------- rows


def _rows(sizes: SizeReport, signs: Signs, *, everything: bool) -> list[_Row]:
    folded = figures.fold(sizes, everything=everything)
    return [
        *(_distribution(one, sizes, signs) for one in folded.shown),
        *([_rest(folded, sizes, signs)] if folded.rest else []),
        *(_overlap(one) for one in figures.notable_overlaps(sizes)),
        *([_dependencies(sizes)] if figures.has_more(sizes) else []),
        *(
            _part(part, sizes, signs)
            for part in figures.part_rows(sizes.parts, everything=everything)
        ),
        _total(sizes, signs),
    ]


def _distribution(one: DistributionSize, sizes: SizeReport, signs: Signs) -> _Row:
    name = signs.text(figures.label(one))
    name.append(f" {signs.clean(one.distribution.version)}", style="dim")
    if one.distribution.source_build is not None:
        name.append(f" {signs.pick('†', '*')}", style="yellow")
    return _Row(
        name=name,
        sums=figures.sums([one]),
        why=tuple(signs.clean(reason) for reason in figures.reasons(one)),
        predicted=one.basis is Basis.PREDICTED,
        share=_share_of(figures.ranked(one, sizes), sizes),
    )


def _share_of(value: int, sizes: SizeReport) -> float:
    return value / (figures.counted(sizes).value or 1)


def _rest(folded: figures.Fold, sizes: SizeReport, signs: Signs) -> _Row:
    return _Row(
        name=Text(f"{signs.pick('…', '...')} {len(folded.rest):,} smaller", style="dim"),
        sums=figures.sums(folded.rest),
        why=Text("see --all", style="dim"),
        predicted=any(one.basis is Basis.PREDICTED for one in folded.rest),
        share=_share_of(sum(figures.ranked(one, sizes) for one in folded.rest), sizes),
        style="dim",
    )


def _overlap(one: Overlap) -> _Row:
    return _Row(
        name=Text(f"{words.plural(one.files, 'file')} written twice", style="yellow"),
        sums=figures.Sums(download=None, installed=-one.bytes, bytecode=0, slug=-one.slug_bytes),
        why=Text("counted once", style="dim"),
    )


def _dependencies(sizes: SizeReport) -> _Row:
    sums = figures.dependencies(sizes)
    return _Row(
        name=Text("dependencies"),
        sums=sums,
        why=Text(),
        predicted=any(one.basis is Basis.PREDICTED for one in sizes.distributions),
        share=_share_of(sums.slug if figures.counts_slug(sizes) else sums.installed, sizes),
        subtotal=True,
    )


def _part(part: figures.PartRow, sizes: SizeReport, signs: Signs) -> _Row:
    return _Row(
        name=signs.text(part.label, style="cyan"),
        sums=figures.Sums(download=None, installed=part.installed, bytecode=0, slug=part.slug),
        why=signs.text(part.note, style="dim"),
        predicted=part.predicted,
        share=_share_of(part.slug if figures.counts_slug(sizes) else part.installed, sizes),
    )


def _total(sizes: SizeReport, signs: Signs) -> _Row:
    return _Row(
        name=Text("total", style="bold"),
        sums=figures.total(sizes),
        why=signs.text(words.doubt(sizes), style="bold"),
        predicted=sizes.installed.basis is Basis.PREDICTED,
        style="bold",
    )
