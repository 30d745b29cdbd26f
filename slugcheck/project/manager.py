"""The project's package manager, and what its install command refuses at once.

``read`` chooses the manager as the buildpack does, ``check`` looks at what the install command
reads first, and ``installs_itself`` says whether it installs the project too. The buildpack runs
``uv sync``, ``poetry sync --only main`` and ``pipenv install --deploy``, which need the file that
the lock was made from. uv and Poetry also install the project itself if it is a package. For Poetry
every project is one, so an app without a module of its name fails. Tried with Poetry 2.4.1, Pipenv
2026.7.1 and uv 0.13.9; no code of the project is run.

The cloud-native buildpack knows no Pipenv and looks at less (heroku/buildpacks-python f81d0dc1,
2026-08-06: src/detect.rs, src/package_manager.rs).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.errors import BuildError, Refuse, UsageError, give_up
from slugcheck.model import Buildpack, Manager, Project
from slugcheck.text import printable

# Returns why a path below the folder will not be in the build, or None.
Absent = Callable[[str], str | None]

# In the order in which the buildpack lists them.
_FILES = {
    Manager.PIPENV: ("Pipfile.lock", "Pipenv"),
    Manager.PIP: ("requirements.txt", "pip"),
    Manager.POETRY: ("poetry.lock", "Poetry"),
    Manager.UV: ("uv.lock", "uv"),
}
_NAMES = tuple(name for name, _ in _FILES.values())
_ONE_OF = "a requirements.txt, Pipfile.lock, poetry.lock or uv.lock"
_ONE_OF_CLOUD_NATIVE = "a requirements.txt, poetry.lock or uv.lock"
# bin/detect's misspellings of requirements.txt that it has seen.
_MISSPELT = (
    "requeriments.txt", "requirement.txt", "requirements", "requirements.text",
    "Requirements.txt", "requirements.txt.txt", "requirments.txt",
)  # fmt: skip
# What makes bin/detect take a folder for Python, beside those.
_PYTHON = (
    ".python-version", "__init__.py", "app.py", "main.py", "manage.py", "pdm.lock", "Pipfile",
    "pyproject.toml", "runtime.txt", "server.py", "setup.cfg", "setup.py",
)  # fmt: skip
_ENVIRONMENTS = (".venv", "venv")
_PYTHON_FOLDERS = ("__pycache__", *_ENVIRONMENTS)
_NOT_THERE = "it does not exist"
_PYPROJECT = "pyproject.toml"
# The file that each lock is made from; pip has none.
_SOURCES = {
    Manager.POETRY: _PYPROJECT,
    Manager.UV: _PYPROJECT,
    Manager.PIPENV: "Pipfile",
}
_NO_PACKAGE = "set package-mode = false in [tool.poetry] of pyproject.toml"
_QUOTED = 80


def read(
    folder: Path,
    *,
    title: str = "Heroku",
    buildpack: Buildpack = Buildpack.CLASSIC,
    absent: Absent | None = None,
    top: Path | None = None,
    refuse: Refuse = give_up,
) -> Project:
    """Return the project as the buildpack reads it.

    ``absent`` says why a path will not be in the build (git does not track it, ``.slugignore``
    removes it); by default everything on disk is. ``top`` is the folder that files may be read
    from, by default the folder's checkout. ``refuse`` is given what the buildpack refuses; if it
    returns, the dependency file that is most likely meant is taken.

    :raises BuildError: the buildpack refuses the folder (by default), or there is nothing to size.
    :raises UsageError: the folder does not exist.
    """
    if not folder.is_dir():
        raise UsageError(f"{printable(str(folder))} is not a folder")
    top = top or reading.top_of(folder)
    fails = f"{title}'s build will fail: "
    own = _Folder(folder, fails, absent or _on_disk(folder), top, refuse, buildpack)
    manager, name = own.manager()
    return Project(folder=folder, top=top, manager=manager, dependency_file=folder / name)


def read_plainly(folder: Path, *, title: str = "the platform", top: Path | None = None) -> Project:
    """Return the project for a platform without a buildpack: its one dependency file.

    :raises UsageError: it has none or several, or one is a link out of the checkout.
    """
    top = top or reading.top_of(folder)
    managers = [m for m, (name, _) in _FILES.items() if reading.is_file(folder / name, top)]
    shown = printable(str(folder))
    if not managers:
        message = f"{shown} has no dependency file that slugcheck reads"
        raise UsageError(message, hint=f"add {_ONE_OF}, or name a requirements file")
    if len(managers) > 1:
        names = ", ".join(_FILES[manager][0] for manager in managers)
        message = f"{shown} has {names}; {title} does not say which one it uses"
        example = printable(str(folder / _FILES[managers[0]][0]))
        raise UsageError(message, hint=f"name one: slugcheck {example}")
    file = folder / _FILES[managers[0]][0]
    return Project(folder=folder, top=top, manager=managers[0], dependency_file=file)


def manager_of(path: Path) -> Manager | None:
    """Return the package manager of a lock file; None for any other file."""
    locks = {name: manager for manager, (name, _) in _FILES.items() if manager is not Manager.PIP}
    return locks.get(path.name)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder during the checks; every error starts with ``fails``."""

    folder: Path
    fails: str
    absent: Absent
    top: Path
    refuse: Refuse
    buildpack: Buildpack

    @property
    def _is_classic(self) -> bool:
        return self.buildpack is Buildpack.CLASSIC

    def manager(self) -> tuple[Manager, str]:
        """Return the project's package manager, and the name of its dependency file.

        :raises BuildError: there is none, or one of the buildpack's checks fails and ``refuse``
            raises.
        """
        if not self._is_python():
            problem = "Couldn't find any supported Python project files, nor a package manager file"
            return self._meant(problem)
        if self._is_classic and self._exists(".heroku/python"):
            problem = "Existing '.heroku/python/' directory found"
            hint = "run git rm -r --cached .heroku/python, and add .heroku/ to .gitignore"
            self.refuse(self._error(problem, hint))
        managers = [manager for manager, (name, _) in _FILES.items() if self._is_file(name)]
        if not self._is_classic:
            managers = self._without_pipenv(managers)
        elif Manager.PIPENV not in managers and self._is_file("Pipfile"):
            problem = f"No 'Pipfile.lock' found{self._reason('Pipfile.lock')}"
            write = "run pipenv lock and add Pipfile.lock to git"
            hint = self._remedy("Pipfile.lock") or write
            if not managers:
                raise self._error(problem, hint)
            self.refuse(self._error(problem, hint, instead=_FILES[managers[0]][0]))
            managers = managers[:1]
        if len(managers) > 1:
            listed = ", ".join(
                f"{name} ({tool})" for name, tool in map(_FILES.__getitem__, managers)
            )
            problem = f"Multiple Python package manager files were found: {listed}"
            hint = "keep the one you use and delete the others (git rm)"
            hint += ", or list them in .slugignore" if self._is_classic else ""
            # builds before 2025-12-10 took the first of this order
            self.refuse(self._error(problem, hint, instead=_FILES[managers[0]][0]))
        if not managers:
            if self._is_classic and self._is_file("setup.py"):
                problem = "Implicit setup.py file support has been sunset"
                write = "write a requirements.txt with the line: --editable ."
                raise self._unpushed(problem) or self._error(problem, write)
            return self._meant("Couldn't find any supported Python package manager files")
        for name in _ENVIRONMENTS:
            if self._is_classic and self._is_file(f"{name}/pyvenv.cfg"):
                problem = f"Existing '{name}/' directory found, a virtual environment"
                hint = f"run git rm -r --cached {name}, and add {name}/ to .gitignore"
                self.refuse(self._error(problem, hint))
        return managers[0], _FILES[managers[0]][0]

    def _without_pipenv(self, managers: list[Manager]) -> list[Manager]:
        """Return the managers that the cloud-native buildpack knows; Pipenv alone is refused."""
        known: list[Manager] = [m for m in managers if m is not Manager.PIPENV]
        if known or Manager.PIPENV not in managers:
            return known
        problem = "Couldn't find any supported Python package manager files: Pipenv is not one"
        hint = "run pipenv requirements > requirements.txt and commit it, or use uv or Poetry"
        self.refuse(self._error(problem, hint, instead="Pipfile.lock"))
        return managers

    def _meant(self, problem: str) -> tuple[Manager, str]:
        """Return the file that is most likely meant where the buildpack finds none."""
        if unpushed := self._unpushed(problem):
            raise unpushed
        if name := self._misspelt():
            problem, hint = f"{problem}: {name} is misspelt", f"git mv {name} requirements.txt"
        elif name := self._another():
            shown, path = printable(name), printable(str(self.folder / name))
            problem = f"{problem}: {shown} is not read by default"
            hint = f"include it from a requirements.txt (-r {shown}), or name it: slugcheck {path}"
        else:
            one_of = _ONE_OF if self._is_classic else _ONE_OF_CLOUD_NATIVE
            hint = f"add {one_of} to the folder's root; it may be empty"
            raise self._error(problem, hint)
        self.refuse(self._error(problem, hint, instead=printable(name)))
        return Manager.PIP, name

    def _misspelt(self) -> str | None:
        names = (name for name in _MISSPELT if _really(self.folder, name))
        return next((name for name in names if self._is_file(name)), None)

    def _another(self) -> str | None:
        """Return a requirements file of another name, such as ``requirements-prod.txt``."""
        names = sorted(path.name for path in self.folder.glob("*requirements*.txt"))
        return next((name for name in names if self._is_file(name)), None)

    # ----------------------------------------------------------------- the build's own view

    def _is_python(self) -> bool:
        return any(self._exists(name) for name in (*_NAMES, *_PYTHON, *_MISSPELT)) or any(
            self._exists(name) and reading.is_folder(self.folder / name, self.top)
            for name in _PYTHON_FOLDERS
        )

    def _exists(self, name: str) -> bool:
        there = self._why_not(name) is None
        return there and reading.destination(self.folder / name, self.top) is not None

    def _is_file(self, name: str) -> bool:
        return self._why_not(name) is None and reading.is_file(self.folder / name, self.top)

    def _why_not(self, name: str) -> str | None:
        """Say why a name is not in the build; the target of a link must be in it too."""
        reason = self.absent(name)
        path = self.folder / name
        if reason is not None or not path.is_symlink():
            return reason
        folder = self.folder.resolve()
        try:
            inside = reading.real(path, folder).relative_to(folder).as_posix()
        except (reading.Refused, OSError):
            return "it is a link out of the folder"
        why = self.absent(inside)
        return why and f"it is a link to {printable(inside)}: {why}"

    # ----------------------------------------------------------------- errors

    def _error(self, problem: str, hint: str, *, instead: str = "") -> BuildError:
        """Return the error; ``instead`` is the name of the file that is sized all the same."""
        if self._is_classic and self._exists("bin/pre_compile"):
            hint += " (bin/pre_compile could fix it during the build; slugcheck does not run it)"
        sized = f"sized from {instead}" if instead else ""
        return BuildError(f"{self.fails}{problem}", hint=hint, instead=sized)

    def _unpushed(self, problem: str) -> BuildError | None:
        """Return the error for a dependency file that is on disk, but will not be in the build."""
        for manager, (name, _) in _FILES.items():
            known = self._is_classic or manager is not Manager.PIPENV
            if known and (remedy := self._remedy(name)):
                return self._error(f"{problem}{self._reason(name)}", remedy)
        return None

    def _reason(self, name: str) -> str:
        why = self._why_not(name)
        there = why is not None and os.path.lexists(self.folder / name)
        return f": {name} exists, but {why}" if there and why != _NOT_THERE else ""

    def _remedy(self, name: str) -> str | None:
        """Say how to add a file on disk to the build; None if it does not exist."""
        if not self._reason(name):
            return None
        why = self._why_not(name) or ""
        if "link" in why:
            return f"replace the link {name} with the file itself"
        if ".slugignore" in why:
            return f"remove {name} from .slugignore"
        return f"run git add --force {name} and commit it"


def _really(folder: Path, name: str) -> bool:
    """Whether a name exists in exactly that spelling, also on a disk that ignores case."""
    try:
        return any(entry.name == name for entry in folder.iterdir())
    except OSError:
        return False


def _on_disk(folder: Path) -> Absent:
    inside = folder.resolve()

    def absent(name: str) -> str | None:
        place = reading.destination(folder / name, inside)
        # a link out of the folder is reported, but its target is not read
        stray = (folder / name).is_symlink() and reading.leaves(folder / name, inside)
        there = (place is not None or stray) and ("/" in name or _really(folder, name))
        return None if there else _NOT_THERE

    return absent


# --------------------------------------------------------------------------- install command


def check(
    project: Project,
    *,
    absent: Absent,
    title: str = "Heroku",
    buildpack: Buildpack = Buildpack.CLASSIC,
    refuse: Refuse = give_up,
) -> None:
    """Check what the install command reads before it installs anything.

    :raises BuildError: it would refuse the project, and ``refuse`` raises.
    """
    source = _SOURCES.get(project.manager)
    if source is None:
        return
    fails = f"{title}'s build will fail: {project.manager}"
    path = project.folder / source
    why = absent(source)
    if why is not None or not reading.is_file(path, project.top):
        there = f": it exists, but {why}" if os.path.lexists(path) and why else ""
        lock = project.dependency_file.name
        hint = f"add the {source} that {lock} was made from"
        hint += ", and keep it out of .slugignore" if buildpack is Buildpack.CLASSIC else ""
        refuse(BuildError(f"{fails} finds no {source} beside {lock}{there}", hint=hint))
        return
    if source != _PYPROJECT:
        return
    try:
        tables = _tables(project)
    except (OSError, ValueError) as error:
        reason = printable(str(error))[:_QUOTED]
        message = f"{fails} cannot read {printable(str(path))}: {reason}"
        refuse(BuildError(message, hint="fix it: it must be valid TOML in UTF-8"))
        return
    if project.manager is Manager.POETRY:
        for problem, hint in _refusals(tables, absent):
            refuse(BuildError(f"{fails}: {problem}", hint=hint))


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
    return reading.toml(data.decode("utf-8"))


def _table(tables: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an inner table, or an empty one."""
    for name in names:
        inner = tables.get(name)
        tables = inner if isinstance(inner, dict) else {}
    return tables


# --------------------------------------------------------------------------- Poetry


def _refusals(tables: dict[str, Any], absent: Absent) -> Iterator[tuple[str, str]]:
    """Yield Poetry's errors with their fixes, in its order."""
    own, poetry = _table(tables, "project"), _table(tables, "tool", "poetry")
    is_package = poetry.get("package-mode") is not False
    for field in ("name", "version") if is_package else ():
        if field not in own and field not in poetry:
            problem = (
                f"Either [project.{field}] or [tool.poetry.{field}] is required in package mode"
            )
            yield problem, f"add it, or {_NO_PACKAGE}"
    groups = ("dependencies" in own, own.get("optional-dependencies"), "dependencies" in poetry)
    if not any(groups):
        yield "Group(s) not found: main (via --only)", "add dependencies = [] to [project]"
    if not is_package:
        return
    fails = "The current project could not be installed"
    for readme in (*_readmes(own.get("readme")), *_readmes(poetry.get("readme"))):
        if why := absent(readme):
            problem = f"{fails}: Readme path {printable(readme)} does not exist"
            problem += "" if why == _NOT_THERE else f": {why}"
            yield problem, f"add {printable(readme)}, or {_NO_PACKAGE}"
    packages = poetry.get("packages")
    if isinstance(packages, list) and packages:
        for path in _included(packages):
            if absent(path):
                problem = f"{fails}: {printable(path)} does not contain any element"
                yield problem, "fix packages in [tool.poetry] of pyproject.toml"
        return
    name = str(own.get("name", poetry.get("name", "")))
    module = canonicalize_name(name).replace("-", "_")
    for place in ("", "src/"):
        existing = [
            path for path in (f"{place}{module}", f"{place}{module}.py") if not absent(path)
        ]
        if len(existing) > 1:
            yield f"Both {existing[0]} and {existing[1]} exist", "rename one of them"
        if existing:
            return
    shown = printable(name)[:_QUOTED]
    yield f"{fails}: No file/folder found for package {shown}", _NO_PACKAGE


def _readmes(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = value.get("file")
    for path in value if isinstance(value, list) else [value]:
        if isinstance(path, str) and path:
            yield PurePosixPath(path).as_posix()


def _included(packages: list[Any]) -> Iterator[str]:
    """Yield the paths that must exist; those with wildcards are left to Poetry."""
    for entry in packages:
        include = entry.get("include") if isinstance(entry, dict) else None
        if isinstance(include, str) and not set(include) & set("*?["):
            yield PurePosixPath(str(entry.get("from", "")), include).as_posix()
