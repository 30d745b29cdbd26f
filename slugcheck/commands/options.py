"""Options that several commands have, and what they write."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from slugcheck.commands.group import EVERY_PROVIDED
from slugcheck.errors import UsageError
from slugcheck.render.formats import FORMATS
from slugcheck.text import inert

if TYPE_CHECKING:
    from slugcheck.model.document.saved import Document
    from slugcheck.model.options import Options
    from slugcheck.render.formats import Look, Output, Shown
    from slugcheck.render.place import Place
    from slugcheck.render.view import View
    from slugcheck.terminal import Terminal

F = TypeVar("F", bound=Callable[..., Any])
_QUOTED = 60  # characters of a wrong argument that a message repeats


def _one(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Return the only value of an option that ``check`` takes several times."""
    if len(values) > 1:
        message = f"{parameter.opts[0]} is given {len(values)} times"
        raise UsageError(message, hint="only slugcheck check takes several targets")
    return values[0] if values else None


def target(*, several: bool = False) -> tuple[Callable[[F], F], ...]:
    """Return the options on what is deployed to; with ``several`` two of them are repeatable."""
    repeatable = " Repeatable: checks every combination." if several else ""
    callback = None if several else _one
    return (
        click.option(
            "--platform",
            multiple=True,
            callback=callback,
            metavar="NAME",
            help=f"Platform to deploy to; `slugcheck platforms` lists them.{repeatable}  "
            "[default: heroku]",
        ),
        click.option("--stack", metavar="NAME", help="Operating system image, such as heroku-24."),
        click.option(
            "--python",
            multiple=True,
            callback=callback,
            metavar="VERSION",
            help="Python version on the platform, such as 3.12 or 3.12.4. Default: "
            f".python-version or runtime.txt beside the file, else the platform's default."
            f"{repeatable}",
        ),
        click.option("--dyno", metavar="SIZE", help="Machine size, such as standard-1x."),
        click.option(
            "--arch", metavar="ARCH", help="Processor: x86_64 or arm64, where both exist."
        ),
        click.option(
            "--bytecode/--no-bytecode",
            "bytecode",
            default=None,
            help="Whether installed packages have bytecode. Default: as on the platform.",
        ),
        click.option(
            "--provided",
            is_flag=False,
            flag_value=EVERY_PROVIDED,
            multiple=True,
            metavar="[NAME]",
            help="Leave out this distribution, which the platform's runtime has; without NAME, all "
            "that slugcheck knows of, such as boto3 on AWS Lambda. Repeatable.",
        ),
        click.option(
            "--layer",
            "layers",
            multiple=True,
            metavar="ZIP|FOLDER|SIZE",
            help="Count a layer of AWS Lambda: an archive, a folder, or its unpacked size. "
            "Repeatable.",
        ),
        click.option(
            "--base",
            metavar="IMAGE",
            help="Base image of a container, such as python:3.12-slim. Default: the Dockerfile's "
            "FROM.",
        ),
        click.option(
            "--base-size",
            metavar="SIZE",
            help="Size on disk of a base image that slugcheck does not know, such as 120MB.",
        ),
        click.option(
            "--dockerfile",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Dockerfile to read. Default: the one in the folder.",
        ),
        click.option(
            "--entry",
            metavar="MODULE|FILE|COMMAND",
            help="What the web process runs, such as app:app, main.py or 'gunicorn app:app', for "
            "the RAM floor. Default: what the Procfile says.",
        ),
        click.option(
            "--tier",
            metavar="NAME",
            help="Tier of the platform's size limit, such as Vercel's large. Default: what the "
            "project's files say.",
        ),
        click.option(
            "--config",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Settings file to use instead of the project's slugcheck.toml or pyproject.toml.",
        ),
    )


TARGET = target()
SELECTION = (
    click.option(
        "--extra",
        "extras",
        multiple=True,
        metavar="NAME",
        help="Include this extra of a pyproject.toml. Repeatable.",
    ),
    click.option(
        "--group",
        "groups",
        multiple=True,
        metavar="NAME",
        help="Include this dependency group of a pyproject.toml. Repeatable.",
    ),
)
LIMITS = (
    click.option(
        "--limit",
        "limits",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a limit, such as slug=300M or build=10m. Repeatable.",
    ),
    click.option(
        "--allow-unsized",
        "allow_unsized",
        multiple=True,
        metavar="NAME|all",
        help="Pass even if this distribution, or any, cannot be sized. Repeatable.",
    ),
)
_ENV = click.option(
    "--env",
    multiple=True,
    metavar="NAME",
    help="Let the file use ${NAME} from the environment. The value is never shown, but the file "
    "decides where it is sent. Repeatable.",
)
FROM = (
    click.option(
        "--index-url", "-i", metavar="URL", help="Package index to use instead of the default."
    ),
    click.option(
        "--extra-index-url",
        "extra_index_urls",
        multiple=True,
        metavar="URL",
        help="Additional package index. Repeatable.",
    ),
    click.option(
        "--find-links",
        "-f",
        multiple=True,
        metavar="PLACE",
        help="Folder or web page with wheels. Repeatable.",
    ),
)
NETWORK = (
    click.option(
        "--exclude-newer",
        metavar="DATE",
        help="Ignore files uploaded after this date, such as 2026-11-01.",
    ),
    click.option("--offline", is_flag=True, help="Use only what is cached; no network."),
    click.option(
        "--refresh",
        is_flag=True,
        help="Ask every index again. By default, what one said is trusted for 10 minutes.",
    ),
    click.option(
        "--no-cache",
        "cache",
        flag_value=False,
        default=True,
        help="Do not read or write any cache.",
    ),
    click.option(
        "--timeout",
        metavar="DURATION",
        help="Stop after this long with exit code 3, such as 90s or 5m.  [default: 10m; 1h with "
        "--verify or --build; 3h for bench]",
    ),
)
PLACES = (*FROM, _ENV, *NETWORK)
INDEXES = (
    *PLACES,
    click.option(
        "--build",
        is_flag=True,
        help="Allow source distributions to be built, which RUNS their code.",
    ),
)
MODELS = (
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="PATH|GLOB|URL",
        help="Model file to include in the slug: a file, a folder, a glob, or an s3://, gs:// or "
        "https:// URL. Repeatable.",
    ),
    click.option(
        "--remote-models",
        is_flag=True,
        help="Let the project's settings name models on servers, which are then contacted. Do "
        "not use it for untrusted pull requests.",
    ),
)
_USUAL_SECONDS = 600
_RUNNING_SECONDS = 3600  # what installs, builds or compresses for real
_LEAST_SECONDS = 1


def writing(
    row: str,
    *,
    formats: Sequence[str] = FORMATS,
    quiet: str = "Show no progress and no notes.",
) -> tuple[Callable[[F], F], ...]:
    """Return the options on what is written; ``row`` is what --all shows every one of."""
    return (
        click.option(
            "--format",
            "format_",
            type=click.Choice(formats),
            help="Format of the report on stdout.  [default: table]",
        ),
        click.option(
            "--output",
            "-o",
            "files",
            multiple=True,
            metavar="[FORMAT=]FILE",
            help="Write to FILE as well, in the format of its suffix (.txt, .json, .md, …) or "
            "in FORMAT. Repeatable.",
        ),
        click.option("--all", "all_rows", is_flag=True, help=f"Show every {row} in the table."),
        click.option("--quiet", "-q", is_flag=True, help=quiet),
    )


WRITING = writing("distribution")


def with_options(*groups: tuple[Callable[[Any], Any], ...]) -> Callable[[F], F]:
    """Return a decorator that gives a command the options of some groups, in their order."""

    def decorate(function: F) -> F:
        for option in reversed([decorator for group in groups for decorator in group]):
            function = option(function)
        return function

    return decorate


# --------------------------------------------------------------------------- the time


def start_clock(given: dict[str, Any], *, usual: int = _USUAL_SECONDS) -> None:
    """Let the run end by itself when its time is over; ``usual`` seconds if none was given.

    :raises UsageError: --timeout is not a duration.
    """
    from slugcheck.running import deadline
    from slugcheck.text import parse_seconds

    text = given.get("timeout")
    if text is None:
        runs_for_real = given.get("verify") or given.get("build")
        deadline.begin(max(usual, _RUNNING_SECONDS) if runs_for_real else usual)
        return
    try:
        seconds = parse_seconds(text)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from None
    if seconds < _LEAST_SECONDS:
        message = f"--timeout {text}: must be at least 1 second"
        raise UsageError(message, hint="leave it out for the default")
    deadline.begin(seconds)


# --------------------------------------------------------------------------- steps


def require_linux(feature: str) -> None:
    """Refuse what measures with the tools and files of Linux.

    :raises UsageError: slugcheck runs on another system.
    """
    if not str(sys.platform).startswith("linux"):
        message = f"{feature} needs Linux"
        raise UsageError(message, hint="run it in CI, in a container, or in WSL")


def budgets(names: str, saved: str) -> tuple[Callable[[F], F], ...]:
    """Return ``--limit`` and ``--baseline`` of a command that measures for real.

    ``names`` are its limits, ``saved`` is what a baseline is.
    """
    return (
        click.option(
            "--limit",
            "budgets",
            multiple=True,
            metavar="NAME=VALUE",
            help=f"Exit with 1 above it: {names}, increase_percent over --baseline. Repeatable.",
        ),
        click.option(
            "--baseline",
            type=click.Path(path_type=Path),
            metavar="FILE.json",
            help=f"A saved {saved} to compare memory and CPU time with.",
        ),
    )


def plots(of: str) -> tuple[Callable[[F], F], ...]:
    """Return ``--plot``; ``of`` is what is drawn."""
    return (
        click.option(
            "--plot",
            "plots",
            multiple=True,
            type=click.Path(path_type=Path),
            metavar="FILE.svg|FILE.png",
            help=f"Plot {of}. Needs slugcheck[plot]. Repeatable.",
        ),
    )


def size_of(text: str, option: str, *, least: int = 0) -> int:
    """Return the bytes of an option; ``least`` is what a process takes that it limits.

    :raises UsageError: it is no size, or too small.
    """
    from slugcheck.text import MIB, parse_size

    try:
        size = parse_size(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if size < least:
        raise UsageError(f"{option} {text}: no Python app runs in less than {least // MIB}M")
    return size


def check_plots(plots: tuple[Path, ...]) -> None:
    """Refuse what cannot be drawn, before anything is measured for nothing.

    :raises UsageError: matplotlib is not installed, or a suffix is not supported.
    """
    from slugcheck import extras
    from slugcheck.render import plot

    for path in plots:
        if path.suffix.lower() not in plot.SUFFIXES:
            message = f"--plot {path}: a plot is a {' or '.join(plot.SUFFIXES)} file"
            raise UsageError(message, hint="for example --plot memory.svg")
    if plots:
        extras.require("plot", "--plot")


def options(path: Path, given: dict[str, Any]) -> Options:
    """Return what the options of the groups above come to; a group left out has its defaults.

    :raises UsageError: a limit is not written NAME=VALUE, or another option is wrong.
    """
    from slugcheck import api

    known = api.CheckArguments.__annotations__
    arguments = {name: value for name, value in given.items() if name in known}
    arguments["limits"] = tuple(_pair(text) for text in given.get("limits", ()))
    return replace(
        api.options_of(path, **arguments), python_origin="--python", tier_origin="--tier"
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        message = f"--limit {text[:_QUOTED]}: expected NAME=VALUE"
        raise UsageError(message, hint="for example --limit slug=300M")
    return name.strip(), value.strip()


def _place() -> Place:
    """Where the run stands in its repository, as the CI system or git says."""
    from slugcheck.reading import dot_git
    from slugcheck.render.place import Place

    here = Path.cwd()
    named = os.environ.get("GITHUB_WORKSPACE", "")
    git_path = dot_git(here)
    root = Path(named) if named else git_path.parent if git_path else here
    return Place(cwd=str(here.resolve()), root=str(root.resolve()))


def write_view(
    wanted: Sequence[Output],
    terminal: Terminal,
    shown: Shown,
    document: Callable[[], Document],
    *,
    all_rows: bool,
) -> None:
    """Write a result in every form that is wanted; ``document`` makes what JSON holds.

    :raises UsageError: a file cannot be written.
    """
    from slugcheck.render.formats import render

    write(
        wanted, terminal, lambda form, look: render(form, shown, document, look), all_rows=all_rows
    )


def write(
    wanted: Sequence[Output],
    terminal: Terminal,
    form: Callable[[str, Look], str],
    *,
    all_rows: bool,
    verdict_only: bool = False,
    verbose: bool = False,
) -> None:
    """Write each form to its place, made inert; ``form`` returns the text of one.

    ``verdict_only`` reduces a table on stdout to its verdict; a file gets the whole of it.
    ``verbose`` adds what is fine and needs nothing from the reader.

    :raises UsageError: a file cannot be written.
    """
    from slugcheck.render.formats import Look

    place = _place()
    for output in wanted:
        look = Look(
            width=terminal.width,
            color=terminal.color and output.path is None,
            unicode=terminal.unicode or output.path is not None,
            all_rows=all_rows,
            place=place,
            verdict_only=verdict_only and output.path is None,
            verbose=verbose,
        )
        text = inert(form(output.format, look), output.format)
        if output.path is None:
            terminal.artefact(text)
        else:
            terminal.write_file(output.path, text)


def add_step_summary(
    view: Callable[[], View], terminal: Terminal, wanted: Sequence[Output]
) -> None:
    """Add the Markdown form to the summary of a GitHub job, where annotations were asked for.

    :raises UsageError: the summary cannot be written.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if path and any(output.format == "github" for output in wanted):
        from slugcheck.render import markdown

        text = markdown.write(view(), most=markdown.MOST_OF_SUMMARY)
        terminal.append_file(Path(path), text)
