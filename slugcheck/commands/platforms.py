"""``slugcheck platforms``: the limits that slugcheck knows."""

from __future__ import annotations

from collections.abc import Sequence

import click

from slugcheck.terminal import Terminal
from slugcheck.text import inert


@click.command("platforms", short_help="List the platforms, or show the limits and sources of one.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def command(names: Sequence[str]) -> None:
    """List the platforms, or show all that is known of the named ones, with sources."""
    from slugcheck import platforms as known
    from slugcheck.render import terminal as screen
    from slugcheck.render.views import platforms as views

    terminal = Terminal()
    shown = tuple(known.load(name) for name in (names or known.names()))
    view = views.view(shown, detailed=bool(names))
    text = screen.write(view, width=terminal.width, color=terminal.color, unicode=terminal.unicode)
    terminal.artefact(inert(text, "table"))
