"""``slugcheck check``: check a project or a requirements file against the limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from slugcheck.commands import options
from slugcheck.render.formats import CHECK_FORMATS, outputs, render_report
from slugcheck.terminal import Terminal


@click.command("check", short_help="Check a project or requirements file against the limits.")
@click.argument("path", type=click.Path(path_type=Path), metavar="[FILE|FOLDER]", default=".")
@options.with_options(options.SELECTION, options.TARGET, options.MODELS)
@click.option(
    "--verify",
    is_flag=True,
    help="Measure for real: install and compress in a temporary folder, as the platform's build "
    "does. Downloads everything, and RUNS code of packages that are built from source.",
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

    Exit code: 0 it fits; 1 it is over budget, or the build or boot will fail; 2 wrong usage;
    3 it could not be measured.
    """
    from slugcheck.api import run_check
    from slugcheck.errors import ResolutionError

    terminal = Terminal(quiet=quiet, verbose=verbose)
    if given["verify"]:
        options.require_linux("--verify")
    options.start_clock(given)
    wanted = outputs(format_, files, CHECK_FORMATS)
    try:
        report = run_check(options.options(path, given), against, terminal)
    except ResolutionError as error:
        terminal.details("the resolver's reason", error.detail)
        raise
    for reason in report.reasons:
        terminal.details("the resolver's reason", reason)
    for assumption in report.assumptions:
        terminal.detail(f"build time assumes: {assumption}")
    options.write(
        wanted,
        terminal,
        lambda form, look: render_report(form, report, look),
        all_rows=all_rows,
        verdict_only=quiet,
        verbose=verbose,
    )
    options.add_step_summary(report, terminal, wanted)
    from slugcheck.policy.budgets import exit_code

    ctx.exit(exit_code(report))
