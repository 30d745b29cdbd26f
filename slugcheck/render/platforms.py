"""The platforms slugcheck knows, as text: limits, each with its source and date."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from slugcheck.model import Platform, Severity
from slugcheck.units import heroku_m, mb

_MEANING = {Severity.FAIL: "gates", Severity.WARN: "warns", Severity.NOTE: "is noted"}


def render(
    platforms: Sequence[Platform], *, width: int, color: bool, detailed: bool = False
) -> str:
    """Return the platforms' limits; with ``detailed`` also stacks, Pythons and machine sizes."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=color, no_color=not color,
        color_system="standard" if color else None, highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    for platform in platforms:
        console.print(Text(f"{platform.name}  {platform.title}", style="bold"))
        console.print(Text(f"  {platform.about}", style="dim"))
        console.print(_limits(platform))
        if detailed:
            for table in (_stacks(platform), _pythons(platform), _dynos(platform)):
                console.print(table)
        console.print()
    hint = "" if detailed else "slugcheck platforms NAME shows stacks, Pythons and machine sizes\n"
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + f"\n{hint}"


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=True)
    for number, title in enumerate(titles):
        table.add_column(title, no_wrap=number == 0, overflow="fold")
    return table


def _row(table: Table, *cells: str) -> None:
    rendered: list[RenderableType] = [Text(cell) for cell in cells]
    table.add_row(*rendered)


def _limits(platform: Platform) -> Table:
    table = _table("limit", "value", "", "source")
    for limit in platform.limits:
        value = f"{limit.value:,} {'B' if limit.unit == 'bytes' else 's'}"
        source = f"{limit.source.text} ({limit.source.date})"
        _row(table, limit.name, f"{limit.text} = {value}", _MEANING[limit.severity], source)
    return table


def _stacks(platform: Platform) -> Table:
    table = _table("stack", "glibc", "status", "source")
    for stack in platform.stacks:
        default = " (default)" if stack.name == platform.default_stack else ""
        glibc = "{}.{}".format(*stack.glibc)
        source = f"{stack.source.text} ({stack.source.date})"
        _row(table, stack.name, glibc, f"{stack.status}{default}", source)
    return table


def _pythons(platform: Platform) -> Table:
    table = _table("Python", "newest", "status", "in the slug beside the app's own")
    for release in platform.pythons:
        default = " (default)" if release.minor == platform.default_python else ""
        parts = ", ".join(
            f"{p.name} {mb(p.installed_bytes)} MB, gzip {mb(p.slug_bytes)} MB ±{p.error_percent:.0f} %"
            for p in release.parts
        )
        _row(table, release.minor, release.version, f"{release.status}{default}", parts or "–")
    return table


def _dynos(platform: Platform) -> Table:
    table = _table("machine", "memory", "killed at", "workers", "$/month")
    for dyno in platform.dynos:
        price = "–" if dyno.usd_per_month is None else f"{dyno.usd_per_month:.0f}"
        default = " *" if dyno.name == platform.default_dyno else ""
        cells = (f"{dyno.name}{default}", heroku_m(dyno.ram_bytes), heroku_m(dyno.r15_bytes))
        _row(table, *cells, str(dyno.workers), price)
    return table
