"""``slugcheck why``: what pulls a distribution in, and what a change of the file would save."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slugcheck.commands import options
from slugcheck.render.formats import FORMATS, outputs
from slugcheck.terminal import Terminal

if TYPE_CHECKING:
    from slugcheck.model.options import Options
    from slugcheck.model.why import Why
    from slugcheck.packages.graph import Node

_VARIANTS = 12


@click.command("why", short_help="Show what requires a package, and what removing it saves.")
@click.argument("name", metavar="NAME")
@click.argument("path", type=click.Path(path_type=Path), metavar="[FILE|FOLDER]", default=".")
@click.option(
    "--variants",
    type=click.IntRange(min=0),
    default=_VARIANTS,
    metavar="N",
    help="Try up to N changes (one line removed, a newer version, a lighter alternative) by "
    f"resolving and measuring each; 0 tries none.  [default: {_VARIANTS}]",
)
@options.with_options(options.SELECTION, options.TARGET, options.MODELS, options.INDEXES)
@options.with_options(options.WRITING)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    name: str,
    path: Path,
    variants: int,
    format_: str | None,
    files: tuple[str, ...],
    all_rows: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Show why the distribution NAME is installed, and what it costs.

    Shows its size, what requires it, the shortest paths to it from the file, and what it requires
    itself. Then tries changes to the file, in memory only, and shows what each would save.

    Exit code: 0 answered, whether the app fits or not; 2 wrong usage, or NAME is not installed;
    3 it could not be measured.
    """
    from slugcheck.model.to_document.why import why_document
    from slugcheck.render.views import why as views
    from slugcheck.why import wanted

    terminal = Terminal(quiet=quiet)
    options.start_clock(given)
    places = outputs(format_, files, FORMATS)
    answer = _answer(options.options(path, given), wanted(name, path), terminal, variants)
    shown, document = partial(views.view, answer), partial(why_document, answer)
    options.write_view(places, terminal, shown, document, all_rows=all_rows)
    ctx.exit(0)


def _answer(chosen: Options, nodes: tuple[Node, ...], terminal: Terminal, most: int) -> Why:
    from slugcheck.check import Check
    from slugcheck.why import Inquiry

    with ExitStack() as stack:
        run = stack.enter_context(Check(chosen, strict=True))
        report = run.run(terminal)
        inquiry = Inquiry(run, report, nodes, most=most)
        with terminal.progress("trying changes") as bar:
            for done in inquiry.measure():
                bar.update(done, inquiry.count)
        return inquiry.why
