"""Stacks side by side as a screen of text for a terminal. A pure function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from slugcheck.model import Comparison, Migration, Setup
from slugcheck.render import comparewords as said
from slugcheck.render.screen import advice, bare_table, marked, print_sections
from slugcheck.render.signs import STATUS_STYLE, Signs
from slugcheck.text import printable

_ROOMY = 100


def render(
    comparison: Comparison, *, width: int, color: bool, all_rows: bool = False, unicode: bool = True
) -> str:
    """Return the comparison in ``width`` columns; ``all_rows`` shows every distribution."""
    signs = Signs(unicode=unicode)
    sections = _sections(comparison, signs, width, all_rows=all_rows)
    return print_sections(sections, width=width, color=color)


def _sections(
    found: Comparison, signs: Signs, width: int, *, all_rows: bool
) -> Iterator[list[RenderableType]]:
    yield [signs.text(said.heading(found), "bold"), *_targets(found, signs)]
    for setup in found.stacks:
        yield [_breakdown(found, setup, signs, everything=all_rows)]
    yield [_comparison(found, signs, width), *_sentences(found, signs)]
    yield [_differences(found, signs, everything=all_rows)]
    yield [_summary(found, signs)]
    if found.footprints:
        yield [_footprints(found, signs)]
    for migration in found.migrations:
        yield _migration(migration, signs)
    if found.notes:
        dot = signs.pick("·", "-")
        yield [marked(Text(dot, style="dim"), signs.text(note)) for note in found.notes]
    yield [Text(signs.joined(said.LEGEND), style="dim")]
    taken = found.recommendation
    yield [*advice(taken.label, taken.because, signs, otherwise="no recommendation")]


def _targets(found: Comparison, signs: Signs) -> list[RenderableType]:
    return [signs.text(line, "dim") for line in said.targets(found)]


# --------------------------------------------------------------------------- tables


def _table(title: Text, heads: Sequence[str], *, last_left: bool = False) -> Table:
    table = bare_table()
    title.stylize("not dim")
    table.add_column(title, overflow="fold")
    for number, head in enumerate(heads):
        left = last_left and number == len(heads) - 1
        table.add_column(
            Text(printable(head)), justify="left" if left else "right", no_wrap=not left,
            overflow="fold" if left else "ellipsis",
        )  # fmt: skip
    return table


def _breakdown(found: Comparison, setup: Setup, signs: Signs, *, everything: bool) -> Table:
    title = signs.text(f"{setup.label}, MB", "bold")
    table = _table(title, ("installed", said.packed(found)))
    for row in said.breakdown(found, setup, everything=everything):
        name = signs.text(row.name, row.style)
        if row.version:
            name.append(f" {signs.clean(row.version)}", style="dim")
        table.add_row(name, Text(row.installed, style=row.style), Text(row.slug, style=row.style))
    return table


def _comparison(found: Comparison, signs: Signs, width: int) -> Table:
    heads = list(said.comparison_heads(found))
    rows = said.comparison_rows(found)
    # what a narrow screen has no room for is in the size summary below
    keep = range(len(heads)) if width >= _ROOMY else (0, 1, 2, 3, 4, 6)
    table = _table(Text(heads[0], style="bold"), [heads[n] for n in keep if n])
    for setup, row in zip(found.stacks, rows, strict=True):
        cells = [signs.text(row[n]) for n in keep]
        cells[0].stylize("bold")
        cells[3].stylize(f"bold {STATUS_STYLE[setup.status]}")
        table.add_row(*cells)
    return table


def _sentences(found: Comparison, signs: Signs) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for setup in found.stacks:
        sign = Text(signs.status(setup.status), style=STATUS_STYLE[setup.status])
        lines.append(marked(sign, signs.text(f"{setup.label}: {setup.sentence}", "dim")))
    return lines


def _differences(found: Comparison, signs: Signs, *, everything: bool) -> Table:
    labels = [signs.clean(setup.label) for setup in found.stacks]
    table = bare_table()
    table.add_column(
        Text(f"distributions, {said.packed(found)}", style="bold not dim"), overflow="fold"
    )
    for label in labels:
        table.add_column(Text(label), overflow="fold")
    for row in said.difference_rows(found, everything=everything):
        style = "dim" if row.alike else ""
        cells = [
            Text(signs.none, style="dim") if cell is None else signs.text(cell, style)
            for cell in row.cells
        ]
        table.add_row(signs.text(row.name, style), *cells)
    return table


def _summary(found: Comparison, signs: Signs) -> Table:
    table = _table(
        Text(f"size summary, MB of {said.packed(found)}", style="bold"), said.SUMMARY_HEADS
    )
    for row in said.summary_rows(found):
        table.add_row(*(signs.text(cell) for cell in row))
    return table


def _footprints(found: Comparison, signs: Signs) -> Table:
    heads = said.footprint_heads(found)
    table = _table(Text("worker, MiB", style="bold"), heads[1:])
    for row in said.footprint_rows(found):
        table.add_row(*(signs.text(cell or signs.none) for cell in row))
    return table


def _migration(migration: Migration, signs: Signs) -> list[RenderableType]:
    title = signs.text(said.migration_title(migration), "bold")
    if migration.steps is None:
        return [title, Text("a lock file has no lines of requirements to compare", style="dim")]
    if not migration.steps:
        return [title, Text("no line is different", style="dim")]
    styles = {"-": "red", "+": "green"}
    return [
        title,
        *(signs.text(line, styles.get(line[:1], "")) for line in said.diff_lines(migration)),
    ]
