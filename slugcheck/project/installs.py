"""What the build's install command refuses at once, and whether it installs the project itself.

The buildpack runs ``uv sync``, ``poetry sync --only main`` and ``pipenv install --deploy``, which
need the file that the lock was made from. uv and Poetry install the project too where it is a
package: to Poetry every project is one, so an app without a module of its name fails. Tried with
Poetry 2.4.1, Pipenv 2026.7.1 and uv 0.13.9; no code of the project is run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from slugcheck import reading, syntax
from slugcheck.errors import BuildError
from slugcheck.escape import printable
from slugcheck.model import Manager, Project
from slugcheck.project.manager import Absent

_PYPROJECT = "pyproject.toml"
# The file that each lock is made from; pip has none.
_SOURCES = {
    Manager.POETRY: _PYPROJECT,
    Manager.UV: _PYPROJECT,
    Manager.PIPENV: "Pipfile",
}
_NO_PACKAGE = "write package-mode = false into [tool.poetry] of pyproject.toml, if it is none"
_QUOTED = 80


def check(project: Project, *, absent: Absent, title: str = "Heroku") -> None:
    """Look at what the install command reads before it installs anything.

    :raises BuildError: it would refuse the project.
    """
    source = _SOURCES.get(project.manager)
    if source is None:
        return
    fails = f"{title}'s build would fail: {project.manager}"
    path = project.folder / source
    why = absent(source)
    if why is not None or not reading.is_file(path, project.top):
        there = f": it is there, but {why}" if os.path.lexists(path) and why else ""
        lock = project.dependency_file.name
        hint = f"add the {source} that {lock} was made from, and keep it out of .slugignore"
        raise BuildError(f"{fails} finds no {source} beside {lock}{there}", hint=hint)
    if source != _PYPROJECT:
        return
    try:
        tables = _tables(project)
    except (OSError, ValueError) as error:
        reason = printable(str(error))[:_QUOTED]
        message = f"{fails} cannot read {printable(str(path))}: {reason}"
        raise BuildError(message, hint="mend it, so that it is valid TOML in UTF-8") from None
    if project.manager is Manager.POETRY:
        for what, hint in _refusals(tables, absent):
            raise BuildError(f"{fails}: {what}", hint=hint)


def installs_itself(project: Project) -> bool:
    """Return whether the install command installs the project too, as a link to its folder."""
    try:
        tables = _tables(project)
    except (OSError, ValueError):
        return False
    if project.manager is Manager.POETRY:
        return _table(tables, "tool", "poetry").get("package-mode") is not False
    if project.manager is Manager.UV:
        package = _table(tables, "tool", "uv").get("package", "build-system" in tables)
        return "project" in tables and package is True
    return False


def _tables(project: Project) -> dict[str, Any]:
    path = project.folder / _PYPROJECT
    data = reading.read(path, within=project.top, limit=reading.SETTINGS)
    return syntax.toml(data.decode("utf-8"))


def _table(tables: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an inner table; an empty one where it is none."""
    for name in names:
        inner = tables.get(name)
        tables = inner if isinstance(inner, dict) else {}
    return tables


# --------------------------------------------------------------------------- Poetry


def _refusals(tables: dict[str, Any], absent: Absent) -> Iterator[tuple[str, str]]:
    """Yield what Poetry says and what mends it, in its order."""
    own, poetry = _table(tables, "project"), _table(tables, "tool", "poetry")
    is_package = poetry.get("package-mode") is not False
    for field in ("name", "version") if is_package else ():
        if field not in own and field not in poetry:
            what = f"Either [project.{field}] or [tool.poetry.{field}] is required in package mode"
            yield what, f"add it, or {_NO_PACKAGE}"
    groups = ("dependencies" in own, own.get("optional-dependencies"), "dependencies" in poetry)
    if not any(groups):
        yield "Group(s) not found: main (via --only)", "write dependencies = [] into [project]"
    if not is_package:
        return
    fails = "The current project could not be installed"
    for readme in (*_readmes(own.get("readme")), *_readmes(poetry.get("readme"))):
        if why := absent(readme):
            what = f"{fails}: Readme path {printable(readme)} does not exist"
            what += "" if why == "it is not there" else f": {why}"
            yield what, f"bring it into the build, or {_NO_PACKAGE}"
    packages = poetry.get("packages")
    if isinstance(packages, list) and packages:
        for path in _included(packages):
            if absent(path):
                what = f"{fails}: {printable(path)} does not contain any element"
                yield what, "mend packages in [tool.poetry] of pyproject.toml"
        return
    name = str(own.get("name", poetry.get("name", "")))
    module = canonicalize_name(name).replace("-", "_")
    for place in ("", "src/"):
        found = [path for path in (f"{place}{module}", f"{place}{module}.py") if not absent(path)]
        if len(found) > 1:
            yield f"Both {found[0]} and {found[1]} exist", "rename one of them"
        if found:
            return
    shown = printable(name)[:_QUOTED]
    yield f"{fails}: No file/folder found for package {shown}", _NO_PACKAGE


def _readmes(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = value.get("file")
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str) and one:
            yield PurePosixPath(one).as_posix()


def _included(packages: list[Any]) -> Iterator[str]:
    """Yield the paths that must be there; one with wildcards is left to Poetry."""
    for entry in packages:
        include = entry.get("include") if isinstance(entry, dict) else None
        if isinstance(include, str) and not set(include) & set("*?["):
            yield PurePosixPath(str(entry.get("from", "")), include).as_posix()
