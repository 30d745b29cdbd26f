"""All commands under one name, each loaded when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from slugcheck.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = (
    "check",
    "compare",
    "rehearse",
    "bench",
    "why",
    "comment",
    "init",
    "platforms",
)  # each a module of slugcheck.commands


EVERY_PROVIDED = "runtime"  # model.options.RUNTIME, which would load all records for a help text
_FILES = (".txt", ".in", ".toml", ".lock", ".json")


def _with_bare_options(args: Sequence[str]) -> list[str]:
    """Return the words with ``--provided`` in front of a path written out.

    Its value is optional, so click would take the path of ``--provided requirements.txt`` for it.
    """
    return [
        f"--provided={EVERY_PROVIDED}" if word == "--provided" and _is_path(following) else word
        for word, following in pairwise((*args, ""))
    ]


def _is_path(word: str) -> bool:
    if word in ("-", ".", "..") or word.endswith(_FILES) or "/" in word or os.sep in word:
        return True
    return os.path.isfile(word)  # noqa: PTH113 - a folder may have the name of a package


class _Commands(click.Group):
    """A group that loads a command when it is asked for.

    Its first word may be a path: ``slugcheck PATH`` is ``slugcheck check PATH``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``check`` in front of words that are neither a command nor a group option."""
        own = {"--help", "-h", "--version", "-V"}
        if args and args[0] not in _COMMANDS and args[0] not in own:
            args = ["check", *args]
        return super().parse_args(ctx, _with_bare_options(args))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, and files where no command begins like that."""
        from click.shell_completion import CompletionItem

        return super().shell_complete(ctx, incomplete) or [CompletionItem(incomplete, type="file")]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of their use."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"slugcheck.commands.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a slip of our own
        return command


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`slugcheck PATH` is short for `slugcheck check PATH`; `slugcheck .` checks the project "
    "in the current folder.",
)  # fmt: skip
@click.version_option(__version__, "-V", "--version", message="slugcheck %(version)s")
def cli() -> None:
    """Find out whether an app fits its platform's limits before you deploy it.

    slugcheck resolves the dependencies for the target platform and measures every package
    without downloading or installing it, adds the app's own files and models, and compares the
    total with the platform's limits.
    """
