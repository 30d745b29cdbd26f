"""The target to deploy to, chosen by flags, version files and the platform's defaults."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import BuildError, PlatformError
from slugcheck.model import Dyno, Manager, Platform, PythonRelease, Stack, Target
from slugcheck.project import python_version
from slugcheck.project.python_version import Present

_VERSION = re.compile(r"3\.[0-9]{1,3}(?:\.[0-9]{1,2})?")
_QUOTED = 40  # characters of an invalid text that a message repeats
# A patch release comes about every two months: one this far ahead of the newest known one cannot be
# out yet. A nearer one may be, and gets a note.
_PATCHES_AHEAD = 10


def choose(
    platform: Platform,
    *,
    stack: str | None = None,
    python: str | None = None,
    python_origin: str = "--python",
    dyno: str | None = None,
    folder: Path | None = None,
    manager: Manager | None = None,
    present: Present | None = None,
    top: Path | None = None,
) -> Target:
    """Return the target. ``folder`` is where ``runtime.txt`` and ``.python-version`` may be.

    A minor version means its newest patch release on the platform; an exact one is kept, since
    markers depend on it. ``python_origin`` says where ``python`` comes from. ``manager`` is the
    project's package manager; ``present`` says which files of the folder will be in the build (by
    default all). ``top`` is the folder that files may be read from.

    :raises PlatformError: the platform has no such stack, Python or dyno.
    :raises BuildError: the platform's build would refuse a version file.
    """
    wanted = (
        _given(python, python_origin)
        if python is not None
        else _of_project(platform, folder, manager, present, top)
    )
    release, full = _release(platform, wanted)
    return Target(
        platform=platform,
        stack=_stack(platform, stack or platform.default_stack),
        python=release,
        python_version=full,
        python_origin=wanted.origin,
        dyno=_dyno(platform, dyno or platform.default_dyno),
    )


# --------------------------------------------------------------------------- Python


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A requested version, its origin, and its place for messages."""

    version: str
    origin: str
    place: str
    by_project: bool = False


def _given(python: str, origin: str) -> _Wanted:
    if not _VERSION.fullmatch(python.strip()):
        message = f"{origin} {python[:_QUOTED]!r} is not a Python version"
        raise PlatformError(message, hint="write it as 3.12 or 3.12.4")
    return _Wanted(version=python.strip(), origin=origin, place=origin)


def _of_project(
    platform: Platform,
    folder: Path | None,
    manager: Manager | None,
    present: Present | None,
    top: Path | None,
) -> _Wanted:
    title, default = platform.title, platform.default_python
    if folder is not None:
        own = python_version.read(
            folder,
            title=title,
            default=default,
            manager=manager,
            present=present,
            offered=[release.minor for release in platform.pythons],
            buildpack=platform.buildpack,
            top=top,
        )
        if own is not None:
            return _Wanted(version=own.version, origin=own.origin, place=own.place, by_project=True)
    return _Wanted(version=default, origin=f"{title}'s default", place=f"{title}'s default")


def _release(platform: Platform, wanted: _Wanted) -> tuple[PythonRelease, str]:
    """Return the platform's release of a version's minor, and the full version."""
    minor = ".".join(wanted.version.split(".")[:2])
    offered = {release.minor: release for release in platform.pythons}
    if minor in offered:
        release = offered[minor]
        exact = wanted.version.count(".") == 2
        if exact and wanted.by_project:
            _check_patch(platform, wanted, release)
        return release, wanted.version if exact else release.version
    near = _closest(minor, offered)
    if wanted.by_project:
        raise _build_error(platform, minor, wanted, near)
    dates = max(release.source.date for release in platform.pythons)
    message = (
        f"{platform.title} does not offer Python {minor} ({wanted.place}); "
        f"as of {dates} it offers {', '.join(offered)}"
    )
    raise PlatformError(message, hint=f"use {near}, the closest one")


def _build_error(platform: Platform, minor: str, wanted: _Wanted, near: str) -> BuildError:
    oldest, newest = platform.pythons[0].minor, platform.pythons[-1].minor
    fix = _fix(near, wanted.origin)
    hint = f"{fix}; {platform.title} offers {oldest} to {newest}"
    if not platform.buildpack:
        what = f"{platform.title} does not offer Python {minor} ({wanted.place})"
        return BuildError(what, hint=hint)
    if _numbers(minor) < _numbers(oldest):
        what = f"Python {minor} has reached end-of-life and is no longer supported"
    else:
        what = f"The requested Python version isn't recognised: {minor} is not supported yet"
    return BuildError(f"{platform.title}'s build would fail: {what} ({wanted.place})", hint=hint)


def _check_patch(platform: Platform, wanted: _Wanted, release: PythonRelease) -> None:
    ahead = int(wanted.version.rpartition(".")[2]) - int(release.version.rpartition(".")[2])
    if ahead > _PATCHES_AHEAD and platform.buildpack:
        what = f"The requested Python version isn't available: {wanted.version} ({wanted.place})"
        known = f"the newest on {release.source.date} was {release.version}"
        raise BuildError(
            f"{platform.title}'s build would fail: {what}",
            hint=f"{_fix(release.minor, wanted.origin)}; {known}",
        )


def _fix(minor: str, origin: str) -> str:
    """Return the fix that replaces the version of a project's file by a minor version."""
    if origin == "Pipfile.lock":
        return f'set python_version = "{minor}" in the Pipfile, and run pipenv lock'
    if origin == "runtime.txt":
        return f"delete runtime.txt and write a .python-version that contains only: {minor}"
    return f"write {minor} into {origin}"


def _numbers(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))


def _closest(minor: str, offered: Iterable[str]) -> str:
    wanted = _numbers(minor)
    ordered = sorted(offered, key=_numbers)
    later = [other for other in ordered if _numbers(other) >= wanted]
    return later[0] if later else ordered[-1]


# --------------------------------------------------------------------------- stack and dyno


def _stack(platform: Platform, name: str) -> Stack:
    known = {stack.name: stack for stack in platform.stacks}
    if name not in known:
        raise _unknown("stack", name, known, platform)
    return known[name]


def _dyno(platform: Platform, name: str | None) -> Dyno | None:
    if name is None:
        return None
    known = {dyno.name: dyno for dyno in platform.dynos}
    if name.lower() not in known:
        raise _unknown("machine size", name, known, platform)
    return known[name.lower()]


def _unknown(kind: str, name: str, known: Iterable[str], platform: Platform) -> PlatformError:
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=1)
    suggestion = f"did you mean {near[0]}? " if near else ""
    message = f"{platform.title} has no {kind} {name[:_QUOTED]!r}"
    return PlatformError(message, hint=f"{suggestion}choose from {', '.join(names) or 'none'}")
