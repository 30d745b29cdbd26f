"""What the build does with a project that cannot be measured from its files.

Source: heroku-buildpack-python v351 (2026-08-18): bin/compile, bin/steps/nltk,
bin/steps/collectstatic, lib/hooks.sh.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from slugcheck.escape import printable
from slugcheck.model import Manager, Project, Unsized
from slugcheck.project.manager import Absent

_HOOKS = ("bin/pre_compile", "bin/post_compile")
_NLTK = "nltk.txt"
_DEPTH = 3  # folders below the root in which bin/steps/collectstatic looks for manage.py
_LONGEST = 200


def notes(
    project: Project, absent: Absent, names: Collection[str], paths: Collection[str]
) -> tuple[str, ...]:
    """Return what the build does that is in no figure.

    ``names`` are the distributions, ``paths`` the files of the build.
    """
    return tuple(_notes(project, absent, names, paths))


def _notes(
    project: Project, absent: Absent, names: Collection[str], paths: Collection[str]
) -> Iterator[str]:
    for hook in _HOOKS:
        if absent(hook) is None:
            yield f"{hook} is run by the build; what it adds or removes is not counted"
    manage = next((path for path in sorted(paths) if _is_manage(path)), None)
    if manage and "django" in names:
        yield (
            f"the build runs {printable(manage)} collectstatic (unless DISABLE_COLLECTSTATIC is "
            "set); what it collects is in the slug and not counted"
        )
    if absent("runtime.txt") is None:
        yield "runtime.txt is deprecated: Heroku asks for a .python-version in its place"
    if project.manager in (Manager.UV, Manager.POETRY) and absent("pyproject.toml") is None:
        yield (
            f"{project.manager} installs the project itself too where it is a package: a few "
            "small files beside those counted here"
        )


def unmeasured(project: Project, absent: Absent, names: Collection[str]) -> tuple[Unsized, ...]:
    """Return what the build downloads into the slug and nobody can size without running it."""
    if "nltk" not in names or absent(_NLTK) is not None:
        return ()
    try:
        wanted = (project.folder / _NLTK).read_text("utf-8", "replace").split()
    except OSError:
        wanted = []
    shown = printable(" ".join(wanted))[:_LONGEST] or "nothing"
    reason = f"the build downloads NLTK data ({shown}) into the slug; its size is not known here"
    return (Unsized(name=_NLTK, version=None, reason=reason),)


def _is_manage(path: str) -> bool:
    folders = Path(path).parts
    return folders[-1] == "manage.py" and len(folders) <= _DEPTH
