"""Sections of rich's renderables as plain text for a terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from slugcheck.render.signs import Signs

# Cells are filled up with blanks, some of them styled.
_BLANKS = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)
_RESET = "\x1b[0m"


class Verbatim(Text):
    """A line that the reader copies, and so never wrapped."""


def marked(sign: Text, text: Text) -> RenderableType:
    """Return a sign, and text that wraps beside it."""
    grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    grid.add_column(no_wrap=True, width=max(1, sign.cell_len))
    grid.add_column(overflow="fold")
    grid.add_row(sign, text)
    return grid


def bare_table() -> Table:
    """Return a table without lines, whose columns stand two blanks apart."""
    return Table(
        box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False
    )


def advice(
    label: str | None, because: Iterable[str], signs: Signs, *, otherwise: str
) -> Iterator[RenderableType]:
    """Yield what to take and why; without a label ``otherwise`` heads the reasons."""
    sign = Text(signs.pick("\N{RIGHTWARDS ARROW}", "->"), style="bold")
    head = signs.text(f"take {label}", "bold green") if label else Text(otherwise, style="bold")
    yield marked(sign, head)
    for reason in because:
        yield marked(Text(" " * sign.cell_len), signs.text(reason))


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
    return _BLANKS.sub(lambda end: _RESET if "\x1b" in end[0] else "", stream.getvalue())
