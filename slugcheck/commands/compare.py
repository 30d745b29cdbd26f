"""``slugcheck compare``: several candidates side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slugcheck.commands import options as shared
from slugcheck.render.formats import FORMATS, outputs
from slugcheck.terminal import Terminal

if TYPE_CHECKING:
    from slugcheck.render.formats import Output
    from slugcheck.render.view import View


@click.command("compare", short_help="Compare sets of dependencies: sizes, savings, changes.")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    metavar="A B [C]...",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME",
    help="Name of a candidate; once for each, in order.",
)
@click.option(
    "--bench",
    "benches",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="RESULT.json",
    help="Add what `slugcheck bench` measured of the runtimes. Repeatable.",
)
@shared.with_options(shared.TARGET, shared.MODELS, shared.LIMITS, shared.INDEXES, shared.WRITING)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    labels: tuple[str, ...],
    benches: tuple[Path, ...],
    format_: str | None,
    files: tuple[str, ...],
    all_rows: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Compare two or more candidates with the first one.

    Each is a requirements file, a project folder, or a report saved with --format json. A --model
    counts in every candidate that is measured. Results of slugcheck rehearse are shown beside each
    other: boot, memory by stage, and the times of answers.

    Exit code: 0 all were measured, whether they fit or not; 2 wrong usage; 3 one could not be
    measured.
    """
    from slugcheck.api import run_compare
    from slugcheck.model.to_document.comparison import comparison_document
    from slugcheck.render.views import compare as views

    terminal = Terminal(quiet=quiet)
    shared.start_clock(options)
    wanted = outputs(format_, files, FORMATS)
    from slugcheck.rehearsing.budgets import are_saved

    if are_saved(paths):
        _rehearsals(paths, labels, wanted, terminal)
        ctx.exit(0)
    candidates = [shared.options(path, options) for path in paths]
    comparison, reports = run_compare(candidates, labels=labels, bench=benches, progress=terminal)
    shown = partial(views.view, comparison)
    document = partial(comparison_document, comparison, reports)
    shared.write_view(wanted, terminal, shown, document, all_rows=all_rows)
    ctx.exit(0)


def _rehearsals(
    paths: Sequence[Path], labels: Sequence[str], wanted: Sequence[Output], terminal: Terminal
) -> None:
    from slugcheck.compare import labels as labels_of
    from slugcheck.model.to_document.rehearsal import rehearsals_document
    from slugcheck.rehearsing.budgets import load
    from slugcheck.render.views import rehearse as views

    results = [load(path) for path in paths]
    names = labels_of(paths, tuple(labels))

    def shown(**_: bool) -> View:  # nothing is folded
        return views.comparison(results, names)

    document = partial(rehearsals_document, results, names)
    shared.write_view(wanted, terminal, shown, document, all_rows=False)
