"""Steps of the build whose effect on the slug cannot be measured from the project's files.

Source: heroku-buildpack-python v351 (2026-08-18): bin/compile, bin/steps/nltk,
bin/steps/collectstatic, lib/hooks.sh.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import MeasureError
from slugcheck.model import Project, Unsized
from slugcheck.project import manager
from slugcheck.project.manager import Absent
from slugcheck.text import printable

# The expression that heroku/buildpacks-procfile's SPEC.md gives for the classic Procfile, which
# has no other specification; the colon may be missing, the blank behind it may not.
# Blanks around it are cut off before, since looking for them behind it is quadratic.
_LINE = re.compile(r"([A-Za-z0-9_-]+):?\s+(.*)", re.ASCII)
_BLANKS = " \t\r\v\f"
_QUOTED = 60
_HOOKS = ("bin/pre_compile", "bin/post_compile")
_VERSION_FILES = ("runtime.txt", ".python-version")
_NLTK = "nltk.txt"
_NO_STATIC = ".heroku/collectstatic_disabled"
_DEPTH = 3  # folders below the root in which bin/steps/collectstatic looks for manage.py
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Procfile:
    """Process types with their commands, in the order of the file; the last duplicate wins."""

    types: Mapping[str, str]
    notes: tuple[str, ...] = ()


def procfile(folder: Path, top: Path | None = None) -> Procfile:
    """Read the folder's Procfile; without one there are no process types.

    ``top`` is the folder that files may be read from, by default the folder's checkout.

    :raises Refused: it is a link out of ``top``, or no regular file.
    :raises MeasureError: it cannot be read.
    """
    path = folder / "Procfile"
    try:
        data = reading.read(path, within=top or reading.top_of(folder), limit=reading.SMALL_FILE)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return Procfile(types={})
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint="make it readable") from None
    text = data.decode("utf-8", "replace")
    types: dict[str, str] = {}
    notes: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip(_BLANKS))
        if match is None or not match[2]:
            shown = repr(printable(line)[:_QUOTED])
            notes.append(f"Procfile:{number}: ignored {shown}: not a line like web: command")
            continue
        if match[1] in types:
            notes.append(f"Procfile:{number}: {match[1]} is defined twice; the last one wins")
        types[match[1]] = match[2]
    return Procfile(types=types, notes=tuple(notes))


# --------------------------------------------------------------------------- build steps


def notes(
    project: Project, absent: Absent, names: Collection[str], paths: Collection[str]
) -> tuple[str, ...]:
    """Return notes on what the build does that the figures do not include.

    ``absent`` says why a path will not be in the build, ``names`` are the distributions by their
    normalized names, ``paths`` the files of the build.

    :raises MeasureError: the Procfile cannot be read.
    """
    return tuple(_notes(project, absent, names, paths))


def _notes(
    project: Project, absent: Absent, names: Collection[str], paths: Collection[str]
) -> Iterator[str]:
    yield from _version_files(project, absent)
    for hook in _HOOKS:
        if _is_file(project, absent, hook):
            yield f"the build runs {hook}; what it adds or removes is not counted"
    if "django" in names and absent(_NO_STATIC) is not None:
        scripts = [
            path for path in paths if _is_manage(path) and not (project.folder / path).is_symlink()
        ]
        if manage := min(scripts, key=lambda path: (path.count("/"), path), default=None):
            yield (
                f"the build runs {printable(manage)} collectstatic (unless DISABLE_COLLECTSTATIC "
                "is set); the files that it adds to the slug are not counted"
            )
    if "nltk" in names and _is_file(project, absent, _NLTK) and not _nltk(project):
        yield f"{_NLTK} is empty: the build downloads no NLTK data"
    if manager.installs_itself(project):
        yield (
            f"{project.manager} also installs the project itself as a link to its folder: a few "
            "small files are not counted, and the build runs its build backend"
        )
    if _is_file(project, absent, "package.json"):
        yield (
            "not counted: Node.js packages of package.json, which the build installs if the app "
            "uses Heroku's Node.js buildpack or sets no buildpack"
        )
    if absent("Procfile") is None:
        yield from procfile(project.folder, project.top).notes


def unmeasured(project: Project, absent: Absent, names: Collection[str]) -> tuple[Unsized, ...]:
    """Return what the build downloads into the slug, whose size only a build shows."""
    if "nltk" not in names or not _is_file(project, absent, _NLTK):
        return ()
    wanted = _nltk(project)
    if not wanted:
        return ()
    shown = printable(", ".join(wanted))
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    reason = f"the build downloads NLTK data ({shown}) into the slug; its size is unknown"
    return (Unsized(name=_NLTK, version=None, reason=reason),)


def _version_files(project: Project, absent: Absent) -> Iterator[str]:
    if _is_file(project, absent, "runtime.txt"):
        yield "runtime.txt is deprecated: use a .python-version file instead"
    for name in _VERSION_FILES:
        why = absent(name)
        if why is not None and reading.destination(project.folder / name, project.top):
            yield f"{name} has no effect on the build: {why}"


def _nltk(project: Project) -> tuple[str, ...]:
    """Return the names of NLTK's data: one a line, as the build hands them on."""
    try:
        path = project.folder / _NLTK
        data = reading.read(path, within=project.top, limit=reading.SMALL_FILE)
    except OSError:
        return ("unreadable here",)
    lines = data.decode("utf-8", "replace").split("\n")
    return tuple(line.strip() for line in lines if line.strip())


def _is_file(project: Project, absent: Absent, name: str) -> bool:
    return absent(name) is None and reading.is_file(project.folder / name, project.top)


def _is_manage(path: str) -> bool:
    folders = Path(path).parts
    return folders[-1] == "manage.py" and len(folders) <= _DEPTH
