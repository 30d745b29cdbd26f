"""The command line: what commands there are, and the way out.

Exit codes: 0 every budget holds; 1 a budget is exceeded; 2 usage or configuration; 3 could not
measure; 130 interrupted. click's own defaults would use 1 for crashes and for Ctrl-C, so ``main``
converts them.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import click

from slugcheck import __version__
from slugcheck.errors import SlugcheckError, UsageError
from slugcheck.terminal import Terminal

_INTERRUPTED = 130
_UNEXPECTED = 3
_QUOTED = 60  # characters of a name that is too long
_COMMANDS = (
    "check",
    "compare",
    "bench",
    "why",
    "comment",
    "init",
    "platforms",
)  # each a module of slugcheck.commands


class _Commands(click.Group):
    """A group that loads a command when it is asked for.

    Its first word may be a path: ``slugcheck PATH`` is ``slugcheck check PATH``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``check`` in front of words that are neither a command nor a group option."""
        own = {"--help", "-h", "--version", "-V"}
        if args and args[0] not in _COMMANDS and args[0] not in own:
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of their use."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return a command, None where there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        found = import_module(f"slugcheck.commands.{cmd_name}").command
        assert isinstance(found, click.Command)  # noqa: S101 - a slip of our own
        return found


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]},
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
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            return _bug(terminal)
        name = str(error.filename)[:_QUOTED]
        terminal.error(f"this name is longer than a file's can be: {name}…", None)
        return UsageError.exit_code
    except Exception:
        return _bug(terminal)
    return result if isinstance(result, int) else 0


def _bug(terminal: Terminal) -> int:
    """Show the exception that is being handled, which nobody expected."""
    terminal.error("a bug in slugcheck; please report it with the lines below", None)
    terminal.trace(traceback.format_exc())
    return _UNEXPECTED
