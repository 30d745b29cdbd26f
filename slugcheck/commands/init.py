"""``slugcheck init``: a first settings file, with limits by today's size."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slugcheck.commands import options
from slugcheck.errors import MeasureError, UsageError
from slugcheck.terminal import Terminal
from slugcheck.text import printable

if TYPE_CHECKING:
    from slugcheck.model import Report
    from slugcheck.policy.settings import Proposal


@click.command("init", short_help="Write a settings file with the limits that the team wants.")
@click.argument("path", type=click.Path(path_type=Path), metavar="[FILE|FOLDER]", default=".")
@options.with_options(options.SELECTION, options.TARGET, options.MODELS, options.INDEXES)
@click.option(
    "--budget",
    type=click.Choice(("slugcheck", "platform", "tight")),
    help="Limit to write: slugcheck's default budget, the platform's own limit, or today's size "
    "plus 25 %. Default: asks in a terminal, else slugcheck.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing slugcheck.toml.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress and no notes.")
def command(path: Path, budget: str | None, force: bool, quiet: bool, **given: Any) -> None:
    """Measure FILE or FOLDER and write a commented slugcheck.toml beside it.

    Its size limit is the one that --budget chooses. Growth is limited as well.
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
    platform = _named_by_settings(given["platform"], folder)
    report = run_check(options.options(path, given), progress=terminal)
    if report.sizes.unsized:
        names = ", ".join(unsized.name for unsized in report.sizes.unsized[:3])
        message = f"the size is unknown: {names} could not be sized"
        raise MeasureError(
            message, hint="run slugcheck check to see why, then fix or remove these lines"
        )
    keys = ("stack", "python", "dyno", "tier", "arch", "bytecode", "provided", "layers")
    choices = {"platform": platform} | {key: given[key] for key in keys}
    # paths of the command line start from the current folder, those of settings from their own
    choices["layers"] = [
        os.path.relpath(layer, folder) if os.path.lexists(layer) else layer
        for layer in given["layers"]
    ]
    proposals = settings.proposals(report)
    if budget is None:
        budget = next(iter(proposals))
        if terminal.asks and len(proposals) > 1:
            budget = _asked(terminal, report, proposals)
    # a platform without a stricter default budget has its own limit only
    proposal = proposals.get(budget) or next(iter(proposals.values()))
    text = settings.settings_text(report, given=choices, proposal=proposal)
    terminal.write_file(place, text.encode())


def _named_by_settings(platform: str | None, folder: Path) -> str | None:
    """Return how the settings of a folder name a platform: a file of the user's by its path.

    :raises UsageError: that file is outside of the checkout.
    """
    from slugcheck import reading

    if platform is None or not platform.endswith(".toml"):
        return platform
    if not Path(platform).resolve().is_relative_to(reading.top_of(folder).resolve()):
        message = f"{printable(platform)} is outside of the checkout, so settings cannot name it"
        raise UsageError(message, hint="copy it into the checkout")
    return Path(os.path.relpath(Path(platform).resolve(), folder.resolve())).as_posix()


def _asked(terminal: Terminal, report: Report, proposals: Mapping[str, Proposal]) -> str:
    today = report.sizes.unit.up(report.sizes.bundle.value)
    choices = {name: f"{p.text}: {p.meaning}" for name, p in proposals.items()}
    question = f"Which limit should this project have? Its size today is {today}."
    return terminal.ask(question, choices, next(iter(proposals)))
