"""The sections of a terminal's screen about the app's files, models, storage and --verify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from slugcheck.model import Report, StorageOption
from slugcheck.render import figures, whole
from slugcheck.render.screen import bare_table
from slugcheck.render.signs import STATUS_STYLE, Signs


def sections(report: Report, signs: Signs) -> Iterator[list[RenderableType]]:
    """Yield the sections that the report has something for."""
    if report.app is not None and report.app.files:
        head = signs.text(whole.app_summary(report.app), "dim")
        rows = whole.app_rows(report.app)
        table = [_files("app files, MB", rows, signs, counted=True)] if rows else []
        yield [*table, head]
    if report.models:
        yield [_files("models, MB", whole.model_rows(report.models), signs, counted=False)]
    if report.storage:
        yield _storage(report, signs)
    if report.verification is not None:
        yield _verification(report, signs)


def _files(title: str, rows: Sequence[whole.Row], signs: Signs, *, counted: bool) -> Table:
    table = bare_table()
    table.add_column(Text(title, style="bold not dim"), overflow="fold")
    heads = (("files",) if counted else ()) + ("size", "in the slug")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    if any(row.note for row in rows):
        table.add_column(overflow="fold")
    for row in rows:
        cells = [signs.text(row.name), *([Text(row.files)] if counted else [])]
        cells += [Text(row.installed), Text(row.slug), signs.text(row.note, "dim")]
        table.add_row(*cells[: len(table.columns)])
    return table


# --------------------------------------------------------------------------- storage


def _storage(report: Report, signs: Signs) -> list[RenderableType]:
    head = Text(whole.storage_title(report.models), style="bold")
    return [head, *(_option(option, signs) for option in report.storage)]


def _option(option: StorageOption, signs: Signs) -> Table:
    style = STATUS_STYLE[option.status]
    grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column(width=1, no_wrap=True)
    grid.add_column(overflow="fold")
    title = signs.text(option.title, "bold")
    if option.recommended:
        title.append("  recommended", style="bold green")
    grid.add_row(Text(signs.status(option.status), style=style), title)
    grid.add_row(Text(), signs.text("; ".join(whole.storage_facts(option)), "dim"))
    return grid


# --------------------------------------------------------------------------- --verify


def _verification(report: Report, signs: Signs) -> list[RenderableType]:
    found = report.verification
    assert found is not None  # noqa: S101 - the caller looked
    table = bare_table()
    table.add_column(Text("verified", style="bold not dim"), no_wrap=True)
    for head in ("measured", "predicted", "error"):
        table.add_column(head, justify="right", no_wrap=True)
    slug = "slug" if figures.counts_slug(report.sizes) else "gzipped"
    for row in whole.compared(found, slug=slug):
        table.add_row(row.name, Text(row.measured, style="bold"), row.predicted, row.error)
    lines = [signs.text(whole.verified_words(found), "dim")]
    beside = "the tar holds distributions, app files and models, without the platform's Python"
    return [table, *lines, Text(beside, style="dim")]
