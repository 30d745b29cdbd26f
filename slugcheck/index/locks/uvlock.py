"""What ``uv sync --locked --no-default-groups`` installs of a uv.lock, through ``uv export``.

uv reads the lock and the project's own settings; no code of the project runs.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.pylock import Pylock, PylockSelectError
from packaging.specifiers import InvalidSpecifier
from packaging.tags import Tag
from packaging.utils import canonicalize_name

from slugcheck import syntax
from slugcheck.errors import BuildError, NetworkError, RequirementsError, ResolutionError
from slugcheck.escape import printable
from slugcheck.index import lock as pylock
from slugcheck.index.locks.pick import (
    Locked,
    from_project,
    items,
    mark_direct,
    read_bytes,
    table,
    text,
    toml,
)
from slugcheck.index.uv import Uv, understand

_LOCK_HINT = "run `uv lock` and commit uv.lock"
_EXPORT = (
    "export --frozen --quiet --format pylock.toml --no-header --no-default-groups --no-emit-project"
).split()
_CHECK = ("lock", "--check", "--verbose")
# What uv 0.13 says when the lock does not belong to pyproject.toml.
_STALE = re.compile(r"lockfile .{0,400}needs to be updated", re.DOTALL)
_MISMATCH = re.compile(r"existing lockfile due to mismatched ")
_CHATTER = ("DEBUG", "TRACE", "INFO", "Using ")  # lines of --verbose that are no reason
_SETTINGS = ("pyproject.toml", "uv.lock", "uv.toml")
_OWN = frozenset({"editable", "virtual", "directory", "path", "git", "url"})
_SHOWN = 200


def read(
    path: Path,
    *,
    uv: Uv,
    environment: Mapping[str, str],
    tags: Sequence[Tag],
) -> Locked:
    """Read a ``uv.lock`` with the pyproject.toml beside it.

    :raises RequirementsError: one of the two cannot be read.
    :raises BuildError: uv would refuse the lock.
    :raises ResolutionError: it has nothing for the target, or uv cannot run.
    """
    data = read_bytes(path)
    lock = toml(path, data, _LOCK_HINT)
    project_path = path.parent / "pyproject.toml"
    project_data = read_bytes(project_path)
    pyproject = toml(project_path, project_data)
    _check_python(lock, environment["python_full_version"])
    notes = _check_fresh(lock, pyproject, path.parent, uv)
    exported = _export(path, uv)
    try:
        chosen = list(exported.select(environment=pylock.typed(environment), tags=tags))
        distributions, unsized = pylock.sorted_out(chosen, path.parent)
    except (PylockSelectError, ValueError) as error:
        message = f"uv.lock does not fit the target: {printable(str(error))[:_SHOWN]}"
        raise ResolutionError(message, hint="choose another --python or --stack") from None
    content = project_data.decode("utf-8", errors="replace")
    named = mark_direct(distributions, from_project(pyproject), content, str(project_path))
    return Locked(
        distributions=tuple(sorted(named, key=lambda one: one.name)),
        unsized=unsized,
        sha256=hashlib.sha256(data).hexdigest(),
        notes=(*notes, *_own(lock, pyproject)),
        resolver=path.name,
    )


def _check_python(lock: Mapping[str, Any], python: str) -> None:
    wanted = text(lock.get("requires-python", ""))
    try:
        fits = syntax.specifiers(wanted).contains(python, prereleases=True)
    except InvalidSpecifier:
        return
    if not fits:
        message = (
            f"the build would fail: Python {python} does not satisfy the project's "
            f"requires-python ({printable(wanted)[:_SHOWN]})"
        )
        hint = "change .python-version, or requires-python in pyproject.toml"
        raise BuildError(message, hint=hint)


def _check_fresh(
    lock: Mapping[str, Any], pyproject: Mapping[str, Any], folder: Path, uv: Uv
) -> list[str]:
    """Raise when uv would refuse the lock as out of date; return a note where it is not known.

    uv builds a project of its own workspace for its metadata, ``--no-build`` or not. So it is
    asked only where all of that is written down, and in a folder that holds no code.
    """
    _check_names(lock, pyproject)
    why = _needs_code(lock, pyproject)
    if why:
        return [f"whether uv.lock belongs to pyproject.toml is not known: {why}"]
    reason = ""
    with tempfile.TemporaryDirectory(prefix="slugcheck-") as name:
        copy = Path(name)
        for one in _SETTINGS:
            if (folder / one).is_file():
                (copy / one).write_bytes(read_bytes(folder / one))
        for offline in (True, False):  # a fresh lock needs no network
            try:
                done = uv.in_project(copy, _CHECK, offline=offline)
            except NetworkError as error:
                reason = printable(str(error))
                continue
            if done.returncode == 0:
                return []
            if _MISMATCH.search(done.stderr) or _STALE.search(done.stderr):
                raise _stale()
            reason = _last_line(done.stderr)
    return [f"whether uv.lock belongs to pyproject.toml is not known: {reason}"]


def _stale() -> BuildError:
    message = (
        "the build would fail: uv.lock needs to be updated, since it does not match pyproject.toml"
    )
    return BuildError(message, hint=_LOCK_HINT)


def _needs_code(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> str:
    """Return why uv might run code to check a lock; empty when it will not."""
    project, settings = table(pyproject, "project"), table(pyproject, "tool", "uv")
    if project.get("dynamic") or not {"name", "version"} <= set(project):
        return "pyproject.toml leaves metadata to the build backend, which is not run"
    elsewhere = [one for one in _flat(settings.get("sources")) if "index" not in one]
    own = [one for one in items(lock.get("package")) if set(table(one, "source")) & _OWN]
    if elsewhere or "workspace" in settings or len(own) > 1:
        return "it has sources other than an index, whose code is not run"
    return ""


def _flat(sources: object) -> list[dict[str, Any]]:
    found = table(sources).values()
    listed = [one for value in found for one in (value if isinstance(value, list) else [value])]
    return [table(one) for one in listed]


def _check_names(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> None:
    """Compare the names that the project asks for with those that the lock was made for."""
    project = table(pyproject, "project")
    dynamic = items(project.get("dynamic"))
    name = canonicalize_name(text(project.get("name", "")))
    roots = [one for one in items(lock.get("package")) if table(one).get("name") == name]
    if len(roots) != 1 or "dependencies" in dynamic or "optional-dependencies" in dynamic:
        return
    known = items(table(roots[0], "metadata").get("requires-dist"))
    locked = {canonicalize_name(text(table(one).get("name", ""))) for one in known}
    extras = [
        one for listed in table(project, "optional-dependencies").values() for one in items(listed)
    ]
    lines = [*items(project.get("dependencies")), *extras]
    asked = {one.name for one in from_project({"project": {"dependencies": lines}})}
    if locked != asked:
        raise _stale()


def _export(path: Path, uv: Uv) -> Pylock:
    done = uv.in_project(path.parent, _EXPORT, offline=True)
    if done.returncode != 0:
        message = f"{printable(str(path))} cannot be exported: {_last_line(done.stderr)}"
        raise RequirementsError(message, hint=_LOCK_HINT)
    try:
        return pylock.parsed(done.stdout)
    except ValueError as error:
        why = printable(str(error))[:_SHOWN]
        message = f"what uv exports of {printable(str(path))} is no lock: {why}"
        raise ResolutionError(message) from None


def _last_line(stderr: str) -> str:
    kept = [line for line in stderr.splitlines() if not line.startswith(_CHATTER)]
    text = understand("\n".join(kept)).text
    return printable(text.partition("\n")[0])[:_SHOWN]


def _own(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> list[str]:
    """Return a note when the project itself is installed, which is as an editable."""
    name = canonicalize_name(text(table(pyproject, "project").get("name", "")))
    for package in items(lock.get("package")):
        source = table(package, "source")
        if table(package).get("name") == name and "editable" in source:
            return [f"{name} itself is installed as an editable; its few files are not counted"]
    return []
