"""The command line: parse, call, render, exit. No arithmetic, and little imported at start.

Exit codes: 0 every budget holds; 1 a budget is exceeded; 2 usage or configuration; 3 could not
measure; 130 interrupted. click's own defaults would use 1 for crashes and for Ctrl-C, so ``main``
converts them.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slugcheck import __version__
from slugcheck.errors import SlugcheckError, UsageError
from slugcheck.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slugcheck.model import IndexOptions, Report
    from slugcheck.options import Options

_INTERRUPTED = 130
_UNEXPECTED = 3
_FORMATS = ("table", "json", "markdown")


class _DefaultToCheck(click.Group):
    """A group whose first word may be a path: ``slugcheck PATH`` is ``slugcheck check PATH``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``check`` in front of words that are neither a command nor a group option."""
        own = {"--help", "-h", "--version", "-V"}
        if args and args[0] not in self.commands and args[0] not in own:
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_DefaultToCheck, context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`slugcheck FILE` is short for `slugcheck check FILE`, and `slugcheck .` sizes the "
    "project in this folder.",
)  # fmt: skip
@click.version_option(__version__, "-V", "--version", message="slugcheck %(version)s")
def cli() -> None:
    """Does this app fit the place it is deployed to? Say so before the push.

    Reads a project folder or a requirements file, resolves it for the target platform, measures
    every package without installing or downloading it, adds the app's own files and its models,
    and holds the total against the platform's limits.
    """


@cli.command(short_help="Size a project or a requirements file and hold it against the limits.")
@click.argument("path", type=click.Path(path_type=Path), metavar="[FILE|FOLDER]", default=".")
@click.option(
    "--platform",
    default="heroku",
    metavar="NAME",
    show_default=True,
    help="Where it is deployed; `slugcheck platforms` lists the names.",
)
@click.option("--stack", metavar="NAME", help="Operating system image, such as heroku-24.")
@click.option(
    "--python",
    metavar="VERSION",
    help="Python of the target, such as 3.12 or 3.12.4. Default: .python-version or "
    "runtime.txt beside the file, else the platform's default.",
)
@click.option("--dyno", metavar="SIZE", help="Machine size, such as standard-1x.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="PATH|GLOB|URL",
    help="A model file that goes into the slug: a file, a folder, a glob, or an s3://, gs:// or "
    "https:// address. Repeatable.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Measure for real: install and compress in a temporary folder, as the platform's build "
    "does. Downloads everything and RUNS code of the packages that are built from source.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another budget, such as slug=300M or build=10m. Repeatable.",
)
@click.option(
    "--allow-unsized",
    "allow_unsized",
    multiple=True,
    metavar="NAME|all",
    help="Accept that this distribution could not be sized. Repeatable.",
)
@click.option(
    "--index-url", "-i", metavar="URL", help="The package index, in place of the default."
)
@click.option(
    "--extra-index-url", multiple=True, metavar="URL", help="A further index. Repeatable."
)
@click.option(
    "--find-links",
    "-f",
    multiple=True,
    metavar="PLACE",
    help="A folder or page with wheels. Repeatable.",
)
@click.option("--exclude-newer", metavar="DATE", help="As if today were that date (2026-11-01).")
@click.option("--offline", is_flag=True, help="Use what is in the caches only.")
@click.option("--no-cache", is_flag=True, help="Neither read nor write any cache.")
@click.option(
    "--build",
    is_flag=True,
    help="Allow building source archives, which RUNS code of the packages under check.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
    help="What to write.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it to a file, whole or not at all.",
)
@click.option("--all", "all_rows", is_flag=True, help="Show every distribution in the table.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no notes.")
@click.option("--verbose", "-v", is_flag=True, help="Say what the build time assumes.")
@click.pass_context
def check(
    ctx: click.Context,
    /,
    path: Path,
    format_: str,
    output: Path | None,
    all_rows: bool,
    quiet: bool,
    verbose: bool,
    **settings: Any,
) -> None:
    """Size FILE or FOLDER and hold the total against the platform's limits.

    FOLDER (by default the current one) is a project, read as the platform's build would read it:
    its dependencies, its own files and its models. FILE is a requirements file, a pylock.toml,
    a uv.lock, poetry.lock or Pipfile.lock: dependencies only. Exit code: 0 it fits, 1 a budget is
    exceeded, 2 usage, 3 could not measure.
    """
    terminal = Terminal(quiet=quiet, verbose=verbose)
    report = _run(_options(path, settings), terminal)
    for assumption in report.assumptions:
        terminal.detail(f"build time assumes: {assumption}")
    text = _rendered(report, format_, terminal, all_rows=all_rows, to_file=output is not None)
    if output is None:
        terminal.artefact(text)
    else:
        terminal.write_file(output, text)
    from slugcheck.budget import exit_code

    ctx.exit(exit_code(report))


@cli.command(short_help="The platforms and limits that slugcheck knows.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def platforms(names: Sequence[str]) -> None:
    """Show the limits slugcheck knows, each with its source and date."""
    from slugcheck import platforms as known
    from slugcheck.render.platforms import render

    terminal = Terminal()
    shown = tuple(known.load(name) for name in (names or known.names()))
    terminal.artefact(
        render(shown, width=terminal.width, color=terminal.color, detailed=bool(names))
    )


# --------------------------------------------------------------------------- steps


def _options(path: Path, given: dict[str, Any]) -> Options:
    from slugcheck.options import Options

    allow = tuple(given["allow_unsized"])
    return Options(
        path=path,
        platform=str(given["platform"]),
        stack=_text(given["stack"]),
        python=_text(given["python"]),
        dyno=_text(given["dyno"]),
        index=_index(given),
        exclude_newer=_text(given["exclude_newer"]),
        offline=bool(given["offline"]),
        use_cache=not given["no_cache"],
        allow_unsized=tuple(name for name in allow if name != "all"),
        allow_all_unsized="all" in allow,
        limits=tuple(_pair(text) for text in given["limits"]),
        build=bool(given["build"]),
        models=tuple(given["models"]),
        verify=bool(given["verify"]),
    )


def _index(given: dict[str, Any]) -> IndexOptions:
    from slugcheck.model import IndexOptions

    places = tuple(given["find_links"])
    return IndexOptions(
        index_url=_text(given["index_url"]),
        extra_index_urls=tuple(given["extra_index_url"]),
        find_links=tuple(p if "://" in p else str(Path(p).resolve()) for p in places),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        message = f"--limit {text}: a limit is written NAME=VALUE"
        raise UsageError(message, hint="for example --limit slug=300M")
    return name.strip(), value.strip()


def _run(options: Options, terminal: Terminal) -> Report:
    from slugcheck.check import Check

    with Check(options) as run:
        with terminal.status("resolving for the target"):
            run.resolve()
        with terminal.progress("reading wheel directories") as bar:
            for done, total in run.read():
                bar.update(done, total)
        if options.verify:
            with terminal.steps() as say:
                run.verify(say)
        with terminal.status("judging"):
            return run.report()


def _rendered(
    report: Report, format_: str, terminal: Terminal, *, all_rows: bool, to_file: bool
) -> str:
    if format_ == "json":
        from slugcheck.document import dumps

        return dumps(report)
    if format_ == "markdown":
        from slugcheck.render import markdown

        return markdown.render(report)
    from slugcheck.render import table

    return table.render(
        report,
        width=terminal.width,
        color=terminal.color and not to_file,
        all_rows=all_rows,
        unicode=terminal.unicode,
    )


# --------------------------------------------------------------------------- the way out


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with slugcheck's own codes."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    terminal = Terminal()
    try:
        result = cli.main(
            None if arguments is None else list(arguments),
            prog_name="slugcheck",
            standalone_mode=False,
        )
    except SlugcheckError as error:
        terminal.error(str(error), error.hint)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        terminal.artefact(error.ctx.get_help())
        return UsageError.exit_code
    except click.UsageError as error:
        where = f"; see {error.ctx.command_path} --help" if error.ctx else ""
        terminal.error(error.format_message().rstrip(".") + where, None)
        return UsageError.exit_code
    except (click.Abort, KeyboardInterrupt):
        terminal.error("interrupted", None)
        return _INTERRUPTED
    except Exception:
        terminal.error("a bug in slugcheck; please report it with the lines below", None)
        terminal.trace(traceback.format_exc())
        return _UNEXPECTED
    return result if isinstance(result, int) else 0
