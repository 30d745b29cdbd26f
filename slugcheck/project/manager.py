"""Which package manager the build uses, and what makes it fail before anything is installed.

Source: heroku-buildpack-python v351 (2026-08-18): bin/detect, lib/checks.sh and
lib/package_manager.sh, in the order in which bin/compile calls them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slugcheck.errors import BuildError, UsageError
from slugcheck.escape import printable
from slugcheck.model import Manager, Project

# Says why a path below the folder will not be in the build, None when it will.
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
# bin/detect's misspellings of requirements.txt that it has seen.
_MISSPELT = (
    "requeriments.txt",
    "requirement.txt",
    "requirements",
    "requirements.text",
    "Requirements.txt",
    "requirements.txt.txt",
    "requirments.txt",
)
_ENVIRONMENTS = (".venv", "venv")


def read(folder: Path, *, title: str = "Heroku", absent: Absent | None = None) -> Project:
    """Return the project as the buildpack reads it.

    ``absent`` says why a path will not be in the build (git does not track it, ``.slugignore``
    removes it); without it everything on disk is.

    :raises BuildError: the buildpack refuses the folder.
    """
    missing = absent or _on_disk(folder)

    def there(name: str) -> bool:
        return missing(name) is None

    fails = f"{title}'s build would fail"
    if there(".heroku/python"):
        message = f"{fails}: Existing '.heroku/python/' directory found"
        raise BuildError(message, hint="git rm -r --cached .heroku, and add .heroku to .gitignore")
    found = [manager for manager, (name, _) in _FILES.items() if there(name)]
    if Manager.PIPENV not in found and there("Pipfile"):
        why = _reason("Pipfile.lock", folder, missing)
        message = f"{fails}: No 'Pipfile.lock' found{why}"
        raise BuildError(message, hint="run pipenv lock, and add Pipfile.lock to git")
    if len(found) > 1:
        listed = ", ".join(f"{name} ({tool})" for name, tool in map(_FILES.__getitem__, found))
        message = f"{fails}: Multiple Python package manager files were found: {listed}"
        raise BuildError(message, hint="keep the one you use and delete the others (git rm)")
    if not found:
        raise _none_found(folder, fails, missing)
    for name in _ENVIRONMENTS:
        if there(f"{name}/pyvenv.cfg"):
            message = f"{fails}: Existing '{name}/' directory found, a virtual environment"
            raise BuildError(
                message, hint=f"git rm -r --cached {name}, and add {name} to .gitignore"
            )
    manager = found[0]
    return Project(folder=folder, manager=manager, dependency_file=folder / _FILES[manager][0])


def read_plainly(folder: Path, *, title: str) -> Project:
    """Return the project for a platform without a buildpack: the one dependency file there is.

    :raises UsageError: there is none, or more than one.
    """
    found = [manager for manager, (name, _) in _FILES.items() if (folder / name).is_file()]
    shown = printable(str(folder))
    if not found:
        message = f"{shown} has no dependency file that slugcheck reads"
        raise UsageError(message, hint=f"add {_ONE_OF}, or name a requirements file")
    if len(found) > 1:
        names = ", ".join(_FILES[manager][0] for manager in found)
        message = f"{shown} has {names}, and {title} does not say which counts"
        raise UsageError(message, hint=f"name one: slugcheck {folder / _FILES[found[0]][0]}")
    return Project(folder=folder, manager=found[0], dependency_file=folder / _FILES[found[0]][0])


def manager_of(path: Path) -> Manager | None:
    """Return the package manager that a lock file is of; None for any other file."""
    locks = {name: manager for manager, (name, _) in _FILES.items() if manager is not Manager.PIP}
    return locks.get(path.name)


# --------------------------------------------------------------------------- nothing found


def _none_found(folder: Path, fails: str, missing: Absent) -> BuildError:
    if missing("setup.py") is None:
        message = f"{fails}: Implicit setup.py file support has been sunset"
        return BuildError(message, hint="write a requirements.txt with the line: --editable .")
    for name in _NAMES:
        if (folder / name).exists():
            message = f"{fails}: Couldn't find any supported Python package manager files"
            return BuildError(
                f"{message}: {name} is there, but {missing(name)}", hint=_remedy(name, missing)
            )
    message = f"{fails}: Couldn't find any supported Python package manager files"
    near = next((name for name in _MISSPELT if _really(folder, name)), None)
    if near:
        return BuildError(f"{message}: {near} is misspelt", hint=f"git mv {near} requirements.txt")
    others = sorted(path.name for path in folder.glob("*requirements*.txt"))
    if others:
        other = printable(others[0])
        place = folder / other
        hint = f"include it from a requirements.txt (-r {other}), or name it: slugcheck {place}"
        return BuildError(f"{message}: {other} is not one that it reads", hint=hint)
    return BuildError(message, hint=f"add {_ONE_OF} to the folder's root; it may be empty")


def _remedy(name: str, missing: Absent) -> str:
    ignored = ".slugignore" in (missing(name) or "")
    return f"take {name} out of .slugignore" if ignored else f"git add --force {name}"


def _reason(name: str, folder: Path, missing: Absent) -> str:
    return f" ({name} is there, but {missing(name)})" if (folder / name).exists() else ""


def _really(folder: Path, name: str) -> bool:
    """Whether a name is there in that very spelling, on a disk that ignores case too."""
    try:
        return any(entry.name == name for entry in folder.iterdir())
    except OSError:
        return False


def _on_disk(folder: Path) -> Absent:
    return lambda name: None if (folder / name).exists() else "it is not there"
