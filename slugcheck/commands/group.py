"""All commands under one name, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

from slugcheck.version import __version__

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
