"""Flags and settings together: what a flag says counts, and the settings for the rest."""

from __future__ import annotations

from dataclasses import replace

from slugcheck import limits
from slugcheck.model import Budget, Platform, Rules, Settings
from slugcheck.options import DEFAULT_PLATFORM, Options

_QUOTED = 60  # characters of an argument that a message repeats


def merged(options: Options, own: Settings) -> Options:
    """Return the options with the settings in the place of what was not given."""
    platform = options.platform or own.platform or DEFAULT_PLATFORM
    # what belongs to another platform than the one that counts says nothing of this one
    alike = options.platform in (None, own.platform or DEFAULT_PLATFORM)
    return replace(
        options,
        platform=platform,
        stack=options.stack or (own.stack if alike else None),
        dyno=options.dyno or (own.dyno if alike else None),
        python=options.python or own.python,
        python_origin=options.python_origin if options.python or not own.origin else _place(own),
        allow_unsized=(*options.allow_unsized, *own.allow_unsized),
    )


def _place(own: Settings) -> str:
    return own.origin.name if own.origin is not None and own.python else "--python"


def rules(options: Options, own: Settings, platform: Platform) -> Rules:
    """Return what is to be judged: the platform's limits, the settings' and the flags'.

    :raises UsageError: a limit of a flag is wrong.
    """
    flags = (
        Budget(name=name, text=text, place=f"--limit {name[:_QUOTED]}={text[:_QUOTED]}")
        for name, text in options.limits
    )
    return limits.rules(platform, [*own.budgets, *flags], denied=own.denied, ignores=own.ignores)
