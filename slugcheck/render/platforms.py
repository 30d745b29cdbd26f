"""The platforms slugcheck knows, as text: every limit with its source and date.

A platform may come from a user's own file, so its texts are shown as they are and steer nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from slugcheck.model import Limit, Platform, PythonRelease, Severity, Source, Stack
from slugcheck.text import MIB, mb, printable

_MEANING = {
    Severity.FAIL: "beyond it the check fails",
    Severity.WARN: "beyond it the platform warns",
    Severity.NOTE: "told beside the budget",
}
_INDENT = 2
# A name, the lines beside it, and the source that is shown below them.
Entry = tuple[str, tuple[str, ...], Source]


def render(
    platforms: Sequence[Platform], *, width: int, color: bool, detailed: bool = False
) -> str:
    """Return the platforms' limits; with ``detailed`` also stacks, Pythons and machine sizes."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=color, no_color=not color,
        color_system="standard" if color else None, highlight=False, markup=False, emoji=False,
        legacy_windows=False, _environ={},
    )  # fmt: skip
    for platform in platforms:
        for block in _platform(platform, detailed=detailed):
            console.print(block)
    if not detailed:
        console.print(Text("slugcheck platforms NAME shows stacks, Pythons and machine sizes"))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _platform(platform: Platform, *, detailed: bool) -> Iterable[RenderableType]:
    head = _text(platform.name, "bold")
    yield head.append("  ").append(_text(platform.title))
    yield Padding(_text(platform.about, "dim"), (0, 0, 0, _INDENT))
    yield Text()
    yield _entries("limits", [_limit(limit) for limit in platform.limits])
    yield Text()
    if not detailed:
        return
    yield _entries("stacks", [_stack(stack, platform) for stack in platform.stacks])
    yield Text()
    yield _entries("Pythons", [_python(release, platform) for release in platform.pythons])
    yield Text()
    if platform.dynos:
        yield _machines(platform)
        yield from _machine_sources(platform)
        yield Text()


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)


def _said(source: Source) -> str:
    return f"{source.text} ({source.date})"


# --------------------------------------------------------------------------- name, facts, source


def _entries(title: str, entries: Sequence[Entry]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=True, header_style="bold")
    table.add_column(title, no_wrap=True)
    table.add_column(overflow="fold")
    for name, lines, source in entries:
        cell = Text("\n").join([*map(_text, lines), _text(_said(source), "dim")])
        table.add_row(_text(name, "cyan"), cell)
    return table


def _limit(limit: Limit) -> Entry:
    exact = f"{limit.value:,} {'bytes' if limit.unit == 'bytes' else 's'}"
    value = limit.text if limit.text == exact else f"{limit.text} ({exact})"
    figure = "" if limit.name == limit.figure else f" of {limit.figure}"
    meaning = "told, since it takes running the app"
    if limit.figure not in ("boot", "ram"):
        meaning = _MEANING[limit.severity]
    return limit.name, (f"{value}{figure}: {meaning}",), limit.source


def _stack(stack: Stack, platform: Platform) -> Entry:
    default = ", the default" if stack.name == platform.default_stack else ""
    lines = [f"glibc {stack.glibc[0]}.{stack.glibc[1]}, {stack.arch}, {stack.status}{default}"]
    if stack.missing_libraries:
        lines.append(f"without {', '.join(stack.missing_libraries)}")
    return stack.name, tuple(lines), stack.source


def _python(release: PythonRelease, platform: Platform) -> Entry:
    default = ", the default" if release.minor == platform.default_python else ""
    parts = (
        f"{part.name}: {mb(part.installed_bytes)} MB, gzip {mb(part.slug_bytes)} MB "
        f"±{part.error_percent:g} %{f', {part.note}' if part.note else ''}"
        for part in release.parts
    )
    return release.minor, (f"{release.version}, {release.status}{default}", *parts), release.source


# --------------------------------------------------------------------------- machines


def _machines(platform: Platform) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=True, header_style="bold")
    table.add_column("machine", no_wrap=True)
    for title in ("memory, MiB", "killed at, MiB", "workers", "$/month"):
        table.add_column(title, justify="right", no_wrap=True)
    for dyno in platform.dynos:
        default = " (default)" if dyno.name == platform.default_dyno else ""
        price = "" if dyno.usd_per_month is None else f"{dyno.usd_per_month:g}"
        cells = (f"{size // MIB:,}" for size in (dyno.ram_bytes, dyno.r15_bytes))
        table.add_row(_text(f"{dyno.name}{default}", "cyan"), *cells, str(dyno.workers), price)
    return table


def _machine_sources(platform: Platform) -> Iterable[RenderableType]:
    for source in dict.fromkeys(dyno.source for dyno in platform.dynos):
        yield Padding(_text(_said(source), "dim"), (0, 0, 0, 1))
