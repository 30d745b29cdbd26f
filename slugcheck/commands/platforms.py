"""``slugcheck platforms``: the limits that slugcheck knows."""

from __future__ import annotations

from collections.abc import Sequence

import click

from slugcheck.terminal import Terminal
from slugcheck.text import inert


@click.command("platforms", short_help="List the supported platforms and their limits.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def command(names: Sequence[str]) -> None:
    """Show the limits of every platform, or of the named ones with source and date."""
    from slugcheck import platforms as known
    from slugcheck.render.platforms import render

    terminal = Terminal()
    shown = tuple(known.load(name) for name in (names or known.names()))
    text = render(shown, width=terminal.width, color=terminal.color, detailed=bool(names))
    terminal.artefact(inert(text, "table"))
