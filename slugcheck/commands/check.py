"""``slugcheck check``: check a project or a requirements file against the limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slugcheck.commands import options
from slugcheck.render.formats import CHECK_FORMATS, Look, Output, outputs, render_report
from slugcheck.terminal import Terminal

if TYPE_CHECKING:
    from slugcheck.model.options import Options
    from slugcheck.render.view import View


@click.command("check", short_help="Check a project or requirements file against the limits.")
@click.argument("path", type=click.Path(path_type=Path), metavar="[FILE|FOLDER]", default=".")
@options.with_options(options.SELECTION, options.target(several=True), options.MODELS)
@click.option(
    "--verify",
    is_flag=True,
    help="Measure for real: install and compress in a temporary folder, as the platform's build "
    "does. Downloads everything, and RUNS code of packages that are built from source.",
)
@click.option(
    "--rehearsal",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Judge RAM, boot and build by this result of slugcheck rehearse, saved as JSON.",
)
@options.with_options(options.LIMITS, options.INDEXES)
@click.option(
    "--against",
    metavar="BASE",
    help="Compare with BASE and limit the increase: a git revision such as origin/main, a file, "
    "a folder, or a saved report.",
)
@click.option(
    "--settings",
    type=click.Choice(("base", "head")),
    default="base",
    show_default=True,
    help="Whose settings apply when BASE is a git revision: those of the base, so that a change "
    "cannot loosen its own limits, or those of the change (head).",
)
@click.option(
    "--audit",
    is_flag=True,
    help="Look up known vulnerabilities of the resolved versions with pip-audit.",
)
@click.option(
    "--audit-service",
    type=click.Choice(("osv", "pypi")),
    help="Vulnerability service to ask.  [default: osv]",
)
@click.option("--audit-url", metavar="URL", help="URL of the OSV service, such as a mirror.")
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning")),
    default="error",
    show_default=True,
    help="Which findings count as a failure when they stop the build or the boot: errors, or "
    "warnings too (such as a package that must be compiled).",
)
@options.with_options(
    options.writing(
        "distribution",
        formats=CHECK_FORMATS,
        quiet="Print the verdict alone, on one line: no table, no progress, no notes.",
    )
)
@click.option(
    "--verbose",
    "-v",
    is_flag=True,
    help="Also show what is fine, what the build time assumes, and reasons in full.",
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    path: Path,
    format_: str | None,
    files: tuple[str, ...],
    against: str | None,
    all_rows: bool,
    quiet: bool,
    verbose: bool,
    **given: Any,
) -> None:
    """Measure FILE or FOLDER and compare the total with the platform's limits.

    FOLDER (by default the current one) is a project, read as the platform's build reads it: its
    dependencies, its own files and its models. FILE holds dependencies only: a requirements file
    ("-" reads it from stdin), a pyproject.toml, pylock.toml, uv.lock, poetry.lock or Pipfile.lock.

    With several --platform or --python, every combination is checked, and shown in one table. The
    exit code is 1 if one of them is over budget, else 3 if one could not be measured; one that its
    platform does not offer decides nothing.

    Exit code: 0 it fits; 1 it is over budget, or the build or boot will fail; 2 wrong usage;
    3 it could not be measured.
    """
    terminal = Terminal(quiet=quiet, verbose=verbose)
    if given["verify"]:
        options.require_linux("--verify")
    options.start_clock(given)
    wanted = outputs(format_, files, CHECK_FORMATS)
    write = partial(
        options.write, wanted, terminal, all_rows=all_rows, verdict_only=quiet, verbose=verbose
    )
    platforms, pythons = (tuple(dict.fromkeys(given.pop(key))) for key in ("platform", "python"))
    if len(platforms) > 1 or len(pythons) > 1:
        chosen = options.options(path, given)
        ctx.exit(_several(chosen, platforms, pythons, against, terminal, wanted, write))
    given |= {"platform": next(iter(platforms), None), "python": next(iter(pythons), None)}
    ctx.exit(_one(options.options(path, given), against, terminal, wanted, write))


Write = Callable[[Callable[[str, Look], str]], None]


def _one(
    chosen: Options,
    against: str | None,
    terminal: Terminal,
    wanted: Sequence[Output],
    write: Write,
) -> int:
    """Check one target, write its report, and return the exit code."""
    from slugcheck.api import run_check
    from slugcheck.errors import ResolutionError

    try:
        report = run_check(chosen, against, terminal)
    except ResolutionError as error:
        terminal.details("the resolver's reason", error.detail)
        raise
    for reason in report.reasons:
        terminal.details("the resolver's reason", reason)
    for assumption in report.assumptions:
        terminal.detail(f"build time assumes: {assumption}")
    write(lambda form, look: render_report(form, report, look))
    from slugcheck.policy.budgets import exit_code

    def summary() -> View:
        from slugcheck.render.views import check

        return check.view(report)

    options.add_step_summary(summary, terminal, wanted)
    return exit_code(report)


def _several(
    chosen: Options,
    platforms: Sequence[str],
    pythons: Sequence[str],
    against: str | None,
    terminal: Terminal,
    wanted: Sequence[Output],
    write: Write,
) -> int:
    """Check several targets, write what came of them, and return the exit code."""
    from slugcheck.api import run_targets
    from slugcheck.render.formats import render_matrix
    from slugcheck.render.views import matrix as views

    matrix = run_targets(chosen, platforms, pythons, against, terminal)
    for target in matrix.targets:
        details = target.report.reasons if target.report is not None else (target.detail,)
        for reason in details:
            where = f"{target.platform}, Python {target.python}"
            terminal.details(f"the resolver's reason ({where})", reason)
    write(lambda form, look: render_matrix(form, matrix, look))
    options.add_step_summary(partial(views.view, matrix), terminal, wanted)
    return matrix.exit_code
