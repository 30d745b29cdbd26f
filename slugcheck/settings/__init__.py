"""A project's own settings: ``slugcheck.toml``, or ``[tool.slugcheck]`` of ``pyproject.toml``.

They are those of the nearest folder that has some, from the one that is checked up to the top of
its git checkout. Every mistake is told at once, each with its path, before anything touches the
network.

A project's settings may come from a stranger's pull request. So what they name is read only inside
the checkout, and no server is asked for a model of theirs unless ``--remote-models`` says so. A
file that ``--config`` names outside of the checkout is the user's own, and may name anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slugcheck import limits, platforms, reading, syntax
from slugcheck.errors import PlatformError, UsageError
from slugcheck.escape import printable
from slugcheck.model import Author, Platform, Settings
from slugcheck.models.find import is_remote
from slugcheck.options import DEFAULT_PLATFORM, Options
from slugcheck.settings import values
from slugcheck.settings.values import Mistakes, Wrong

OWN, SHARED = "slugcheck.toml", "pyproject.toml"


def of(options: Options) -> Settings:
    """Return the project's own settings, or those of the file that was named; see ``load``."""
    return load(
        options.path if options.is_folder else options.path.parent,
        named=options.config,
        within=options.within,
        top=options.top,
        platform=options.platform,
    )


def local_models(own: Settings) -> Settings:
    """Return the settings with nothing but their models of this machine."""
    local = tuple(one for one in own.models if not is_remote(one))
    return Settings(origin=own.origin, author=own.author, models=local)


def load(
    folder: Path,
    *,
    named: Path | None = None,
    within: Path | None = None,
    top: Path | None = None,
    platform: str | None = None,
) -> Settings:
    """Return the settings for a folder; the defaults where there are none.

    ``named`` is a file to read them from. ``within`` is the folder that files may be read from, by
    default ``top`` or the checkout's. ``top`` is the last folder to look in, by default that of the
    git checkout, and ``folder`` itself where there is none. ``platform`` is one that counts for
    more than theirs.

    :raises UsageError: a file is no TOML, both files have settings, or a setting is wrong.
    :raises Refused: a file is a link out of the checkout, no regular file, or too large.
    """
    within = within or (top.resolve() if top else reading.top_of(folder))
    if named is not None:
        if reading.belongs(named, within):
            return _named(named, _Ground(within, platform))
        return replace(_named(named, _Ground(Path("/"), platform)), author=Author.USER)
    folder = reading.real(folder, within)
    last = (top or _top(folder)).resolve()
    above = [one for one in folder.parents if one == last or last in one.parents]
    for place in (folder, *above):
        found = _in(place, _Ground(within, platform))
        if found is not None:
            return found
    return Settings()


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where files may be read from, and the platform that counts for more than the settings'."""

    within: Path
    platform: str | None


def _named(path: Path, ground: _Ground) -> Settings:
    if not reading.is_file(path, ground.within):
        message = f"{_shown(path)}: there is no such settings file"
        raise UsageError(message, hint="name a slugcheck.toml or a pyproject.toml")
    if path.name != SHARED:
        return _settings(_read(path, ground.within), path, "", ground)
    table = _table(_read(path, ground.within), path)
    if table is None:
        message = f"{_shown(path)} has no [tool.slugcheck]"
        raise UsageError(message, hint="add the table, or name another file")
    return _settings(table, path, "tool.slugcheck.", ground)


def _top(folder: Path) -> Path:
    found = (one for one in (folder, *folder.parents) if os.path.lexists(one / ".git"))
    return next(found, folder)


def _in(folder: Path, ground: _Ground) -> Settings | None:
    own, shared = folder / OWN, folder / SHARED
    within = ground.within
    # a link that leads nowhere, or a folder of that name, is told: settings were meant
    of_own = _read(own, within) if os.path.lexists(own) else None
    there = reading.is_file(shared, within)
    of_shared = _table(_read(shared, within), shared) if there else None
    if of_own is not None and of_shared is not None:
        message = f"{_shown(own)} and [tool.slugcheck] of {_shown(shared)} both have settings"
        raise UsageError(message, hint="keep them in one of the two")
    if of_own is not None:
        return _settings(of_own, own, "", ground)
    if of_shared is not None:
        return _settings(of_shared, shared, "tool.slugcheck.", ground)
    return None


# --------------------------------------------------------------------------- values

_PLAIN: Mapping[str, Callable[[object], Any]] = {
    "platform": values.text,
    "stack": values.text,
    "python": values.python,
    "dyno": values.text,
    "models": values.texts,
    "allow_unsized": values.texts,
}
_TABLES: Mapping[str, tuple[str, Callable[[object, Mistakes], Any]]] = {
    "budgets": ("budgets", values.budgets),
    "deny": ("denied", values.denied),
    "ignore": ("ignores", values.ignores),
}


def _settings(table: Mapping[str, object], path: Path, prefix: str, ground: _Ground) -> Settings:
    mistakes = Mistakes(place=f"{_shown(path)}: {prefix}")
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key in _PLAIN:
            try:
                found[key] = _PLAIN[key](value)
            except Wrong as wrong:
                mistakes.add(key, f" must be {wrong}")
        elif key in _TABLES:
            name, parse = _TABLES[key]
            found[name] = parse(value, mistakes.below(key))
        else:
            mistakes.unknown(key, {**_PLAIN, **_TABLES}, _misplaced(key, path))
    settings = Settings(origin=path, **found)
    try:
        settings = _described(settings, path, ground)
        mistakes.said.extend(_of_the_platform(settings, mistakes, ground.platform))
    except PlatformError as error:
        mistakes.add("platform", f": {error}; {error.hint}")
    if mistakes.said:
        known = ", ".join([*_PLAIN, *_TABLES])
        raise UsageError("\n".join(mistakes.said), hint=f"settings are: {known}")
    return settings


def _described(settings: Settings, path: Path, ground: _Ground) -> Settings:
    """Return the settings with the platform of the file that they name, from their own folder."""
    name = settings.platform
    if name is None or not name.endswith(".toml") or ground.platform is not None:
        return settings
    place = platforms.load_file(path.parent / name, within=ground.within)
    return replace(settings, described=place)


def _misplaced(key: str, path: Path) -> str:
    if key == "tool" and path.name != SHARED:
        return f"; in {OWN} settings stand by themselves, without [tool.slugcheck]"
    return ""


def _of_the_platform(settings: Settings, mistakes: Mistakes, platform: str | None) -> Iterator[str]:
    """Yield what the platform does not have."""
    name = platform or settings.platform or DEFAULT_PLATFORM
    try:
        place = settings.described or platforms.load(name)
    except PlatformError as error:
        if platform is None:  # else the flag is wrong, which is told when it is read
            yield f"{mistakes.place}platform: {error}; {error.hint}"
        return
    yield from limits.mistakes(place, settings.budgets)
    if platform is None or platform == settings.platform:
        yield from _not_there(settings, mistakes, place)


def _not_there(settings: Settings, mistakes: Mistakes, place: Platform) -> Iterator[str]:
    for key, value, known in (
        ("stack", settings.stack, [stack.name for stack in place.stacks]),
        ("dyno", settings.dyno, [dyno.name for dyno in place.dynos]),
    ):
        if value is not None and value.lower() not in known:
            has = ", ".join(known) or "none"
            quoted = repr(printable(value[: values.QUOTED]))
            yield f"{mistakes.place}{key}: {place.title} has no {key} {quoted}; it has {has}"


# --------------------------------------------------------------------------- files


def _read(path: Path, within: Path) -> dict[str, Any]:
    try:
        data = reading.read(path, within=within, limit=reading.SETTINGS)
        # editors on Windows write a mark at the start, which TOML takes for a key
        return syntax.toml(data.decode("utf-8-sig"))
    except OSError as error:
        message = f"{_shown(path)} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check its permissions") from None
    except ValueError as error:  # of the encoding, of TOML, and of a number with too many digits
        message = f"{_shown(path)} is not valid TOML: {printable(str(error))}"
        raise UsageError(message, hint="correct the line, or remove the file") from None


def _table(document: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
    tool = document.get("tool")
    table = tool.get("slugcheck") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        message = f"{_shown(path)}: tool.slugcheck must be a table"
        raise UsageError(message, hint="write it as [tool.slugcheck]")
    return table


def _shown(path: Path) -> str:
    return printable(str(path))
