"""What Vercel's Python builder reads of a project folder, beside the files themselves.

Source: vercel/vercel 17d9eba (2026-08-03): packages/python/src (index.ts, install.ts, version.ts,
utils.ts, large-functions.ts), packages/python-analysis/src/manifest (package.ts,
python-selector.ts) and packages/fs-detectors/src/detect-builders.ts. Everything in the folder is a
stranger's: nothing of it is run, and what is not understood is told in a note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from slugcheck import reading
from slugcheck.errors import BuildError, Refuse, UsageError
from slugcheck.model import FunctionRule, Manager, Platform, Project
from slugcheck.project.target import Requested
from slugcheck.project.vercelignore import FunctionFiles
from slugcheck.text import listed, printable

Absent = Callable[[str], str | None]
PythonChoice = tuple[Requested | None, tuple[str, ...]]  # None: the default; notes

_PYPROJECT, _UV_LOCK, _PYLOCK = "pyproject.toml", "uv.lock", "pylock.toml"
_PIPFILE, _PIPFILE_LOCK, _POETRY = "Pipfile", "Pipfile.lock", "poetry.lock"
# In the builder's order; a pyproject.toml and a Pipfile.lock come before them.
_REQUIREMENTS = (
    "requirements.frozen.txt", "requirements-frozen.txt", "requirements.txt", "requirements.in",
    "requirements/prod.txt",
)  # fmt: skip
_PYTHON_FRAMEWORKS = ("fastapi", "flask", "django", "fasthtml", "python")
_SCRIPTS = ("vercel-install", "now-install", "install")  # of [tool.vercel.scripts]
_LARGE = "VERCEL_SUPPORT_LARGE_FUNCTIONS"
_PROGRAMS = tuple(f"vercel.{suffix}" for suffix in ("ts", "mts", "js", "mjs", "cjs"))
_NOT_READ = ("services", "experimentalServices", "experimentalServicesV2")
_MOST_FUNCTIONS = 100  # of vercel.json; it may have 50
_QUOTED = 60
_SHOWN = 3
_VERSION = re.compile(r"(?:(?:cpython|python|cp)@?)?(3\.[0-9]{1,3})(?:\.[0-9]{1,3})?")
_COMPATIBLE = re.compile(r"~=\s*(3\.[0-9]{1,3})(?![.0-9])")  # taken for one minor version


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What ``vercel.json`` and ``pyproject.toml`` say of the build.

    ``install_command`` is the place of a custom one, ``large`` what enables large functions, each
    "" if there is none. ``own_files`` are the functions with ``excludeFiles``.
    """

    install_command: str = ""
    large: str = ""
    own_files: tuple[FunctionFiles, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What the builder makes of a folder, beside its files; ``python`` is None for the default."""

    configuration: Configuration
    python: Requested | None
    notes: tuple[str, ...]


# --------------------------------------------------------------------------- vercel.json


def read_configuration(
    folder: Path, rule: FunctionRule, *, title: str, top: Path, refuse: Refuse
) -> Configuration:
    """Read the configuration of a folder. ``refuse`` is given what the build refuses.

    :raises UsageError: it cannot be read, is too large, or is a link out of ``top``.
    :raises BuildError: it is not valid (if ``refuse`` raises).
    """
    notes: list[str] = []
    place = rule.config
    table = _json(folder / place, place, title, top, refuse)
    programs = [name for name in _PROGRAMS if reading.is_file(folder / name, top)]
    if programs:
        notes.append(f"{programs[0]} is a program and is not run, so its settings do not count")
    if table.keys() & set(_NOT_READ):
        notes.append(f"{place}: services are not read; check each service's folder by itself")
    own_files = tuple(_own_files(table, place, notes))
    command = _install_command(folder, table, place, top, notes)
    large = f"{_LARGE} in {place}" if _enables_large(table) else ""
    return Configuration(
        install_command=command, large=large, own_files=own_files, notes=tuple(notes)
    )


def _json(path: Path, place: str, title: str, top: Path, refuse: Refuse) -> dict[str, Any]:
    if not reading.is_file(path, top):
        return {}
    try:
        table = reading.json(reading.read(path, within=top, limit=reading.SETTINGS))
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check its permissions") from None
    except ValueError as error:
        reason = printable(str(error))[:_QUOTED]
        message = f"{title}'s build will fail: {place} is not valid JSON: {reason}"
        refuse(BuildError(message, hint=f"fix {place}", instead=f"sized without {place}"))
        return {}
    if not isinstance(table, dict):
        message = f"{title}'s build will fail: {place} must be an object"
        refuse(BuildError(message, hint=f"fix {place}", instead=f"sized without {place}"))
        return {}
    return table


def _own_files(table: Mapping[str, Any], place: str, notes: list[str]) -> Iterator[FunctionFiles]:
    """Yield the entries of ``functions``, and of ``builds`` with Vercel's Python."""
    found = [
        (name, entry.get("excludeFiles"))
        for name, entry in list(_table(table.get("functions")).items())[:_MOST_FUNCTIONS]
        if isinstance(entry, dict)
    ]
    builds = table.get("builds")
    for build in builds[:_MOST_FUNCTIONS] if isinstance(builds, list) else ():
        if str(_table(build).get("use", "")).startswith("@vercel/python"):
            source = str(build.get("src", ""))
            found.append((source, _table(build.get("config")).get("excludeFiles")))
    for name, glob in found:
        if isinstance(glob, str) and glob:
            yield FunctionFiles(function=name, glob=glob)
        elif glob is not None:
            shown = printable(name)[:_QUOTED]
            notes.append(f"{place}: excludeFiles of {shown} must be a string, so it is ignored")


def _install_command(
    folder: Path, table: Mapping[str, Any], place: str, top: Path, notes: list[str]
) -> str:
    """Name the custom install command; "" where the builder installs by itself."""
    command = table.get("installCommand")
    if isinstance(command, str) and command.strip():
        framework = table.get("framework")
        if "builds" in table:
            notes.append(f"{place}: installCommand has no effect beside builds")
        elif framework in _PYTHON_FRAMEWORKS or (
            framework is None and not reading.is_file(folder / "package.json", top)
        ):
            return f"installCommand in {place}"
        else:
            notes.append(
                f"{place}: installCommand is taken for that of the frontend; if it installs the "
                "Python packages, pass --tier function"
            )
    tables = _toml(folder, top)
    scripts = _table(_table(_table(tables.get("tool")).get("vercel")).get("scripts"))
    script = next((scripts[name] for name in _SCRIPTS if scripts.get(name)), None)
    if isinstance(script, str) and script.strip():
        return f"[tool.vercel.scripts] in {_PYPROJECT}"
    return ""


def _enables_large(table: Mapping[str, Any]) -> bool:
    variables = _table(_table(table.get("build")).get("env"))
    return variables.get(_LARGE) in ("1", "true")


def _table(value: object) -> dict[str, Any]:
    """Return a value that is a table, or an empty one."""
    return value if isinstance(value, dict) else {}


def _toml(folder: Path, top: Path) -> dict[str, Any]:
    """Return pyproject.toml, empty where there is none or it is not valid."""
    path = folder / _PYPROJECT
    if not reading.is_file(path, top):
        return {}
    try:
        data = reading.read(path, within=top, limit=reading.SETTINGS)
        return reading.toml(data.decode("utf-8"))
    except (OSError, ValueError):
        return {}


# --------------------------------------------------------------------------- dependencies


def project(
    folder: Path, *, title: str, absent: Absent, top: Path, refuse: Refuse
) -> tuple[Project, tuple[str, ...]]:
    """Return the project with the file that the builder installs from, and notes on it.

    ``absent`` says why a file will not be in the build. ``refuse`` is given what the build refuses.

    :raises UsageError: there is no dependency file that slugcheck reads.
    :raises BuildError: there is nothing to size in its place.
    """

    def there(name: str) -> bool:
        return absent(name) is None and reading.is_file(folder / name, top)

    def found(manager: Manager, name: str) -> Project:
        return Project(folder=folder, top=top, manager=manager, dependency_file=folder / name)

    others = [name for name in (_PIPFILE_LOCK, _PIPFILE, *_REQUIREMENTS) if there(name)]
    if there(_PYPROJECT):
        tables = _toml(folder, top)
        notes = list(_pyproject_notes(tables, others, title))
        if there(_UV_LOCK):
            return found(Manager.UV, _UV_LOCK), tuple(notes)
        if "project" not in tables:
            return _without_project(folder, others, found, title, refuse, poetry=there(_POETRY)), ()
        if there(_POETRY):
            notes.append(f"{title} does not read {_POETRY}: uv resolves {_PYPROJECT} anew")
        if there(_PYLOCK):
            message = f"{title}'s build will fail: uv finds a {_PYLOCK}, but no {_UV_LOCK}"
            hint = f"run uv lock and commit {_UV_LOCK}, or delete {_PYLOCK}"
            refuse(BuildError(message, hint=hint, instead=f"sized from {_PYPROJECT}"))
        return found(Manager.PIP, _PYPROJECT), tuple(notes)
    if there(_PIPFILE_LOCK):
        return found(Manager.PIPENV, _PIPFILE_LOCK), ()
    shown = printable(str(folder))
    if there(_PIPFILE):
        message = f"{shown} has a Pipfile without a lock, which slugcheck does not resolve"
        raise UsageError(message, hint="run pipenv lock and commit Pipfile.lock")
    if not others:
        message = f"{shown} has no dependency file that {title} reads"
        hint = f"add a requirements.txt, {_PYPROJECT} or {_PIPFILE_LOCK}; it may be empty"
        raise UsageError(message, hint=hint)
    return found(Manager.PIP, others[0]), ()


def _without_project(
    folder: Path,
    others: Sequence[str],
    found: Callable[[Manager, str], Project],
    title: str,
    refuse: Refuse,
    *,
    poetry: bool,
) -> Project:
    """Return what is sized where pyproject.toml has nothing that uv installs.

    :raises BuildError: there is nothing (always), or ``refuse`` raises.
    """
    managers = {_POETRY: Manager.POETRY, _PIPFILE_LOCK: Manager.PIPENV}
    names = [*([_POETRY] if poetry else []), *(name for name in others if name != _PIPFILE)]
    instead = f", not {names[0]}" if names else ""
    message = (
        f"{title} reads {_PYPROJECT}{instead}, and it has no [project] table: uv fails or installs "
        f"nothing ({printable(str(folder / _PYPROJECT))})"
    )
    hint = f"add [project] with the dependencies to {_PYPROJECT}, or delete the file"
    if not names:
        raise BuildError(message, hint=hint)
    refuse(BuildError(message, hint=hint, instead=f"sized from {names[0]}"))
    return found(managers.get(names[0], Manager.PIP), names[0])


def _pyproject_notes(tables: Mapping[str, Any], others: Sequence[str], title: str) -> Iterator[str]:
    if others and "project" in tables:
        yield f"{title} installs from {_PYPROJECT} and does not read {listed(others, _SHOWN)}"
    uv = _table(_table(tables.get("tool")).get("uv"))
    if "project" in tables and uv.get("package", "build-system" in tables) is True:
        yield (
            f"uv installs the project itself too, since {_PYPROJECT} makes it a package: its "
            "modules are in the function twice, and counted once"
        )


# --------------------------------------------------------------------------- Python


def requested_python(
    folder: Path,
    platform: Platform,
    *,
    dependency_file: str,
    top: Path,
    refuse: Refuse,
    absent: Absent = lambda _: None,
) -> PythonChoice:
    """Return the Python that a folder asks for, None for the default, and notes.

    The builder takes ``.python-version``, else what the dependency file itself says. What it does
    not offer it ignores, and goes on with the default.

    :raises BuildError: ``.python-version`` holds no version, or the project does not allow the
        default (if ``refuse`` raises).
    """
    asked = _asked(folder, dependency_file, platform.title, top, refuse, absent)
    if asked is None:
        return None, ()
    wanted, text, origin, place = asked
    default = platform.default_python
    later = [release.minor for release in platform.pythons if release.minor != default]
    minors = [default, *sorted(later, key=reading.minor_key, reverse=True)]
    for minor in minors:
        if any(_allows(one, minor) for one in wanted):
            return Requested(version=minor, origin=origin, place=place), ()
    shown = printable(text)[:_QUOTED]
    offered = f"{platform.pythons[0].minor} to {platform.pythons[-1].minor}"
    if origin == _PYPROJECT:
        message = (
            f"{platform.title}'s build will fail: it offers Python {offered}, and "
            f"requires-python is {shown} ({place})"
        )
        hint = f"allow {default} in requires-python"
        refuse(BuildError(message, hint=hint, instead=f"sized with Python {default}"))
        return None, ()
    return None, (
        f"{platform.title} ignores Python {shown} ({place}): it offers {offered} and takes "
        f"{default}",
    )


_Asked = tuple[list[SpecifierSet], str, str, str]


def _asked(
    folder: Path, dependency_file: str, title: str, top: Path, refuse: Refuse, absent: Absent
) -> _Asked | None:
    """Return the alternatives, their text, the file's name, and its place for messages."""
    path = folder / ".python-version"
    if absent(path.name) is None and reading.is_file(path, top):
        text = _read(path, top, reading.VERSION_FILE).decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        wanted = [one for one in map(_specifiers, lines) if one is not None]
        place = printable(str(path))
        if not wanted:
            message = f"{title}'s build will fail: no Python version in .python-version ({place})"
            refuse(BuildError(message, hint="write a version such as 3.12 into it"))
            return None
        return wanted, ", ".join(lines[:_SHOWN]), path.name, place
    if dependency_file in (_PYPROJECT, _UV_LOCK):
        text = str(_table(_toml(folder, top).get("project")).get("requires-python", ""))
        origin = _PYPROJECT
    elif dependency_file == _PIPFILE_LOCK:
        text, origin = _of_pipfile(folder / _PIPFILE_LOCK, top), _PIPFILE_LOCK
    else:
        return None
    wanted = [one for one in [_specifiers(text)] if one is not None and text]
    return (wanted, text, origin, printable(str(folder / origin))) if wanted else None


def _specifiers(text: str) -> SpecifierSet | None:
    """Return what a version or a specifier allows; None if it is neither."""
    lower = text.strip().lower()
    if match := _VERSION.fullmatch(lower):
        return reading.specifiers(f"=={match[1]}.*")
    try:
        return reading.specifiers(_COMPATIBLE.sub(r"==\1.*", lower))
    except InvalidSpecifier:
        return None


def _allows(wanted: SpecifierSet, minor: str) -> bool:
    """Whether some patch release of a minor version is allowed; the builder looks no closer."""
    return any(wanted.contains(f"{minor}.{patch}", prereleases=True) for patch in (0, 99))


def _of_pipfile(path: Path, top: Path) -> str:
    try:
        # numbers stay as they are written: 3.10 is not 3.1
        lock = json.loads(_read(path, top, reading.LOCK), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return ""  # reading the lock itself says what is wrong with it
    version = _table(_table(_table(lock).get("_meta")).get("requires")).get("python_version")
    return version if isinstance(version, str) else ""


def _read(path: Path, top: Path, limit: int) -> bytes:
    try:
        return reading.read(path, within=top, limit=limit)
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise UsageError(message, hint="check its permissions") from None
