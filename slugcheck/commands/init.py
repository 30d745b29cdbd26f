"""``slugcheck init``: a first settings file, with limits by today's size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from slugcheck.commands import options
from slugcheck.errors import MeasureError, UsageError
from slugcheck.terminal import Terminal


@click.command("init", short_help="Write a settings file with limits just above today's size.")
@click.argument("path", type=click.Path(path_type=Path), metavar="[FILE|FOLDER]", default=".")
@options.with_options(options.SELECTION, options.TARGET, options.MODELS, options.INDEXES)
@click.option("--force", is_flag=True, help="Overwrite an existing slugcheck.toml.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress and no notes.")
def command(path: Path, force: bool, quiet: bool, **given: Any) -> None:
    """Measure FILE or FOLDER and write a commented slugcheck.toml beside it.

    Its limits are today's size plus 25 %, but no more than the platform allows.
    """
    from slugcheck.api import run_check
    from slugcheck.model import Settings
    from slugcheck.policy import settings

    terminal = Terminal(quiet=quiet)
    options.start_clock(given)
    folder = path if path.is_dir() else path.parent
    place = folder / settings.OWN
    if place.exists() and not force:
        message = f"{place} already exists"
        raise UsageError(message, hint="edit it, or overwrite it with --force")
    own = settings.load(folder, top=folder.resolve()) if not force else Settings()
    if own.origin is not None:
        message = f"{own.origin} already has settings"
        raise UsageError(message, hint="edit its [tool.slugcheck]")
    report = run_check(options.options(path, given), progress=terminal)
    if report.sizes.unsized:
        names = ", ".join(unsized.name for unsized in report.sizes.unsized[:3])
        message = f"the size is unknown: {names} could not be sized"
        raise MeasureError(
            message, hint="run slugcheck check to see why, then fix or remove these lines"
        )
    choices = {key: given[key] for key in ("platform", "stack", "python", "dyno")}
    terminal.write_file(place, settings.settings_text(report, given=choices).encode())
