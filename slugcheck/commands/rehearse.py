"""``slugcheck rehearse``: the deploy before the deploy, under the platform's limits."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slugcheck import extras
from slugcheck.commands import options
from slugcheck.errors import UsageError
from slugcheck.render.formats import FORMATS, outputs
from slugcheck.terminal import Terminal

if TYPE_CHECKING:
    from slugcheck.rehearsing.plan import LoadOptions, RehearseOptions

_SECONDS = 3600
_LEAST_BYTES = 16 * 2**20  # Python alone takes 10
_MOST_REQUESTS = 10**6

APP = (
    click.option(
        "--platform",
        metavar="NAME",
        help="Platform to deploy to; `slugcheck platforms` lists them.  [default: heroku]",
    ),
    click.option("--stack", metavar="NAME", help="Operating system image, such as heroku-24."),
    click.option("--dyno", metavar="SIZE", help="Machine size, such as standard-1x."),
    click.option(
        "--python",
        metavar="VERSION|INTERPRETER",
        help="Python to build with, such as 3.12; or the interpreter of an environment that has "
        "the packages, such as .venv/bin/python: then nothing is built.",
    ),
    click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Settings file to use instead of the project's slugcheck.toml or pyproject.toml.",
    ),
    click.option(
        "--process",
        "types",
        multiple=True,
        metavar="TYPE",
        help="Process type of the Procfile, such as worker. Repeatable.  [default: web]",
    ),
    click.option(
        "--command", metavar="COMMAND", help="Start this instead, such as 'gunicorn app:app'."
    ),
    click.option(
        "--handler",
        metavar="MODULE.FUNCTION",
        help="Function that AWS Lambda calls, such as app.handler.  [default: the Dockerfile's "
        "CMD, or lambda_function.lambda_handler where it is there]",
    ),
    click.option("--release", is_flag=True, help="Run the Procfile's release phase first."),
    click.option(
        "--env",
        multiple=True,
        metavar="NAME[=VALUE]",
        help="Config var for the app; without a value, the one that is set here. Nothing else of "
        "your environment reaches it. Values are never shown. Repeatable.",
    ),
    click.option(
        "--env-file",
        "env_files",
        multiple=True,
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Config vars, one NAME=VALUE a line. Repeatable.",
    ),
)
LOAD = (
    click.option(
        "--request",
        "requests",
        multiple=True,
        metavar="REQUEST",
        help="What to ask: '[3x] METHOD PATH [@FILE | NAME=@FILE | JSON | HEADER:VALUE] "
        "[=> STATUS [TEXT]]'. Repeatable.  [default: GET /]",
    ),
    click.option(
        "--event",
        "events",
        multiple=True,
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Event to call the function with, as JSON. Repeatable: one after the other.  "
        "[default: {}]",
    ),
    click.option(
        "--function-timeout",
        "function_timeout",
        type=click.IntRange(1),
        metavar="SECONDS",
        help="Timeout of the function.  [default: Lambda's, 3]",
    ),
    click.option(
        "--requests",
        "count",
        type=click.IntRange(1, _MOST_REQUESTS),
        metavar="N",
        help="How many requests.  [default: 200, and as many more as take 5 s]",
    ),
    click.option(
        "--for",
        "duration",
        metavar="DURATION",
        help="Ask for this long, such as 60s, however many requests that makes.",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 1000),
        help="Requests at the same time.  [default: 4; a function gets one]",
    ),
    click.option(
        "--memory",
        metavar="SIZE",
        help="Kill the app above this, such as 300M. Default: where the platform kills it.",
    ),
    *options.budgets("ram (400M), boot (20s), p95_ms", "rehearsal"),
    click.option(
        "--until-it-breaks",
        type=click.Choice(("workers", "concurrency")),
        help="Look for the most workers, or requests at the same time, that hold.",
    ),
)


@click.command("rehearse", short_help="Build, boot and load the app under the platform's limits.")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@options.with_options(
    APP, LOAD, options.MODELS, options.plots("memory over time"), options.FROM, options.NETWORK,
    options.WRITING,
)  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context,
    /,
    folder: Path,
    format_: str | None,
    files: tuple[str, ...],
    plots: tuple[Path, ...],
    all_rows: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Deploy FOLDER to a place of its own on this machine, and measure it there.

    RUNS THE APP'S CODE, and code of packages that are built from source: use it for projects that
    you trust. It builds the app as the platform does, starts its processes as the Procfile says,
    under the machine's memory limit, waits for the port, sends requests, and ends it with SIGTERM.
    For AWS Lambda it calls the function with events instead.

    Exit code: 0 everything held; 1 the platform would refuse, kill or time out something; 2 wrong
    usage; 3 it could not be measured, or is too close to call.
    """
    terminal = Terminal(quiet=quiet)
    options.require_linux("rehearse")
    extras.require("rehearse", "slugcheck rehearse")
    options.check_plots(plots)
    options.start_clock(given, usual=_SECONDS)
    wanted = outputs(format_, files, FORMATS)
    from slugcheck import rehearse
    from slugcheck.model.to_document.rehearsal import rehearsal_document
    from slugcheck.rehearsing import budgets
    from slugcheck.render import plot
    from slugcheck.render.views import rehearse as views

    limits = budgets.parse(given["budgets"], given["baseline"])
    with rehearse.Rehearsal(_options(folder, given)) as run:
        result = run.run(terminal)
    result = replace(result, budgets=budgets.judge(result, limits))
    shown, document = partial(views.view, result), partial(rehearsal_document, result)
    options.write_view(wanted, terminal, shown, document, all_rows=all_rows)
    for path in plots:
        terminal.write_file(path, plot.draw_memory(result, path.suffix), option="--plot")
    ctx.exit(rehearse.exit_code(result))


def _options(folder: Path, given: dict[str, Any]) -> RehearseOptions:
    from slugcheck.rehearsing import plan, requests

    interpreter = _interpreter(given["python"])
    version = None if interpreter is not None else given["python"]
    variables = plan.variables(given["env"], given["env_files"])
    names = tuple(text for text in given["env"] if "=" not in text)
    checked = options.options(folder, {**given, "python": version, "env": names})
    return plan.RehearseOptions(
        check=replace(checked, python_origin="--python"),
        interpreter=interpreter,
        types=given["types"],
        command=given["command"],
        requests=requests.parse(given["requests"]),
        load=_load(given),
        memory=options.size_of(given["memory"], "--memory", least=_LEAST_BYTES)
        if given["memory"] is not None
        else None,
        variables=variables,
        release=given["release"],
        until_it_breaks=given["until_it_breaks"],
        handler=given["handler"],
        events=tuple(map(requests.event, given["events"])),
        timeout=given["function_timeout"],
    )


def _interpreter(text: str | None) -> Path | None:
    """Return the interpreter that is named in place of a version."""
    if text is None or not (os.sep in text or text.startswith("python")):
        return None
    return Path(text)


def _load(given: dict[str, Any]) -> LoadOptions:
    from slugcheck.rehearsing.plan import LoadOptions
    from slugcheck.text import parse_seconds

    concurrency, count, text = given["concurrency"], given["count"], given["duration"]
    if text is None and count is None:
        return LoadOptions(concurrency=concurrency)
    if text is None:
        return LoadOptions(
            requests=count, least_seconds=0.0, seconds=3600.0, concurrency=concurrency
        )
    if count is not None:
        raise UsageError("--requests and --for are two ways to say how long", hint="give one")
    try:
        seconds = float(parse_seconds(text))
    except ValueError as error:
        raise UsageError(f"--for: {error}", hint="for example --for 60s") from None
    return LoadOptions(requests=1, least_seconds=seconds, seconds=seconds, concurrency=concurrency)
