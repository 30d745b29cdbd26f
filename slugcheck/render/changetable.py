"""The section of a terminal's screen about what changed against a base."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from slugcheck.model import Report
from slugcheck.render import changes, figures
from slugcheck.render.screen import bare_table
from slugcheck.render.signs import Signs

_STYLES = {"+": "red", "-": "green", "^": "yellow", "v": "yellow", "~": "dim"}
_REASONS = 2
_ROOMY = 76


def section(report: Report, signs: Signs, width: int) -> list[RenderableType]:
    """Return the section; empty where the report has no base."""
    found = report.difference
    if found is None:
        return []
    title = signs.text(changes.head(found), "bold")
    if found.base is None:
        return [title, signs.text(found.problem or "it was not measured", "magenta")]
    rows = changes.rows(found)
    notes: list[RenderableType] = [
        Text(signs.pick("· ", "- ")).append(signs.clean(note)) for note in found.notes
    ]
    if not rows:
        return [title.append(": nothing changed", style="not bold"), *notes]
    return [_table(report, rows, signs, width), *notes]


def _table(
    report: Report, rows: tuple[changes.Row, ...], signs: Signs, width: int
) -> RenderableType:
    found = report.difference
    assert found is not None  # noqa: S101 - the caller looked
    table = bare_table()
    table.add_column("", width=1, no_wrap=True)
    table.add_column(signs.text(f"{changes.head(found)}, MB", "bold not dim"), overflow="fold")
    slug = "slug" if figures.counts_slug(report.sizes) else "gzipped"
    for column in ("installed", slug, ""):
        table.add_column(column, justify="right", no_wrap=True)
    if width >= _ROOMY:
        table.add_column("because of", overflow="fold")
    for row in rows:
        table.add_row(*_cells(row, signs)[: len(table.columns)])
    last = changes.total(found, report.sizes)
    bold = [cell.copy() for cell in _cells(last, signs)]
    for cell in bold:
        cell.stylize("bold")
    table.add_row(*bold[: len(table.columns)])
    return table


def _cells(row: changes.Row, signs: Signs) -> list[Text]:
    name = signs.text(row.name)
    if row.versions:
        name.append(f" {signs.clean(row.versions)}", style="dim")
    more = len(row.because) - _REASONS
    reasons = ", ".join([*row.because[:_REASONS], *([f"+{more}"] if more > 0 else [])])
    return [
        Text(row.sign, style=_STYLES.get(row.sign, "")),
        name,
        Text(row.installed),
        Text(row.slug),
        Text(row.percent, style="dim"),
        signs.text(reasons, "dim"),
    ]
