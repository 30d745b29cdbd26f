"""What ``uv sync --locked`` installs from a uv.lock, through ``uv export``.

That is the project without its default groups, unless a ``Selection`` asks for more.

Or, on a platform that does not care whether the lock is up to date, ``uv sync --frozen --no-dev``.

uv works on a copy: the lock, and only those parts of pyproject.toml and uv.toml that a lock is made
from. So no project code runs, and no project setting decides where slugcheck's uv reads, writes or
connects. It runs offline, since a project's index could use the name of an index whose password is
in the environment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.pylock import Pylock, PylockSelectError
from packaging.specifiers import InvalidSpecifier
from packaging.tags import Tag
from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.errors import (
    BuildError,
    Refuse,
    RequirementsError,
    ResolutionError,
    give_up,
)
from slugcheck.packages.locks import pylock
from slugcheck.packages.locks.pins import (
    SIZED_AS_LOCKED,
    Locked,
    from_project,
    items,
    mark_direct,
    read_bytes,
    table,
    text,
    toml,
)
from slugcheck.packages.resolve.uv import Uv, understand
from slugcheck.running import temporary
from slugcheck.text import printable

_LOCK_HINT = "run `uv lock` and commit uv.lock"
_EXPORT = ("export --frozen --quiet --format pylock.toml --no-header --no-emit-project").split()
_CHECK = ("lock", "--check", "--verbose")
# What uv 0.13 says when the lock does not belong to pyproject.toml; it goes on to resolve anew,
# which fails without a network. A lock of an index that the environment names may still be fresh.
_STALE = re.compile(r"lockfile .{0,400}needs to be updated", re.DOTALL)
_MISMATCH = re.compile(
    r"existing lockfile due to (?:mismatched |missing (?:root package|version)|"
    r"change in (?!minimum libc))"
)
_CHATTER = ("DEBUG", "TRACE", "INFO", "Using ")  # lines of --verbose that are no reason
# Keys of [tool.uv] that a lock is made from; none names a place to read, write or run.
_OF_PROJECT = frozenset(
    "package managed constraint-dependencies override-dependencies "
    "exclude-dependencies build-constraint-dependencies environments required-environments "
    "conflicts default-groups dependency-groups".split()
)
_OF_CHOICE = frozenset(
    "resolution prerelease fork-strategy exclude-newer exclude-newer-package "
    "dependency-metadata".split()
)
_OF_METADATA = frozenset(
    "name version requires-python dependencies optional-dependencies dynamic".split()
)
_OF_SOURCE = frozenset({"index", "marker", "extra", "group"})
_OF_INDEX = frozenset({"name", "url", "default", "explicit"})
_OWN = frozenset({"editable", "virtual", "directory", "path", "git", "url"})
_SHOWN = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")  # of a group or an extra
ALL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is installed beside the project's dependencies; ``ALL`` stands for every extra."""

    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    default_groups: bool = False

    def flags(self) -> list[str]:
        """Return uv's flags.

        :raises RequirementsError: a name is not valid for a group or an extra.
        """
        for name in (*self.groups, *self.extras):
            if name != ALL and not _NAME.fullmatch(name):
                message = f"{printable(name)[:_SHOWN]!r} is not the name of a group or an extra"
                raise RequirementsError(message, hint="write it as pyproject.toml does")
        return [
            *([] if self.default_groups else ["--no-default-groups"]),
            *(f"--group={name}" for name in self.groups),
            *("--all-extras" if name == ALL else f"--extra={name}" for name in self.extras),
        ]


def read(
    path: Path,
    *,
    top: Path,
    uv: Uv,
    environment: Mapping[str, str],
    tags: Sequence[Tag],
    refuse: Refuse = give_up,
    selection: Selection | None = None,
    frozen: bool = False,
) -> Locked:
    """Read a ``uv.lock`` with the pyproject.toml beside it, both inside ``top``.

    ``refuse`` is given what uv would refuse; if it returns, the lock is read as it is. With
    ``frozen`` it may be out of date, and default groups other than ``dev`` are installed.

    :raises RequirementsError: one of the two cannot be read.
    :raises BuildError: uv would refuse the lock (by default).
    :raises ResolutionError: it has nothing for the target, or uv cannot run.
    """
    data = read_bytes(path, top, reading.LOCK)
    lock = toml(path, data, _LOCK_HINT)
    project_path = path.parent / "pyproject.toml"
    project_data = read_bytes(project_path, top)
    pyproject = toml(project_path, project_data)
    _check_python(lock, environment["python_full_version"], refuse)
    _refuse_local(lock)
    own_path = path.parent / "uv.toml"
    there = reading.is_file(own_path, top)
    own = toml(own_path, read_bytes(own_path, top)) if there else {}
    notes = [] if frozen else _check_fresh(lock, data, pyproject, own, uv, refuse)
    flags = ["--no-dev"] if frozen else (selection or Selection()).flags()
    exported = _export(path, data, pyproject, own, uv, flags)
    try:
        chosen = list(exported.select(environment=pylock.typed(environment), tags=tags))
        distributions, unsized = pylock.sorted_out(chosen, path.parent)
    except (PylockSelectError, ValueError) as error:
        message = f"uv.lock does not fit the target: {printable(str(error))[:_SHOWN]}"
        raise ResolutionError(message, hint="choose another --python or --stack") from None
    content = project_data.decode("utf-8", errors="replace")
    named = mark_direct(distributions, from_project(pyproject), content, str(project_path))
    return Locked(
        distributions=tuple(sorted(named, key=lambda distribution: distribution.name)),
        unsized=unsized,
        sha256=hashlib.sha256(data).hexdigest(),
        notes=(*notes, *_own(lock, pyproject)),
        resolver=path.name,
    )


def _check_python(lock: Mapping[str, Any], python: str, refuse: Refuse) -> None:
    wanted = text(lock.get("requires-python", ""))
    try:
        fits = reading.specifiers(wanted).contains(python, prereleases=True)
    except InvalidSpecifier:
        return
    if not fits:
        message = (
            f"the build will fail: Python {python} does not satisfy the project's "
            f"requires-python ({printable(wanted)[:_SHOWN]})"
        )
        hint = "change .python-version, or requires-python in pyproject.toml"
        refuse(BuildError(message, hint=hint))


def _check_fresh(
    lock: Mapping[str, Any],
    lock_data: bytes,
    pyproject: Mapping[str, Any],
    own: Mapping[str, Any],
    uv: Uv,
    refuse: Refuse,
) -> list[str]:
    """Refuse a lock that is out of date; return a note where it is not known.

    uv builds a project of its own workspace for its metadata, ``--no-build`` or not. So it is
    asked only where all of that is written down, and in a folder that holds no code.
    """
    if not _names_agree(lock, pyproject):
        refuse(_stale())
        return []
    why = _needs_code(lock, pyproject)
    if why:
        return [f"cannot tell whether uv.lock matches pyproject.toml: {why}"]
    with _copy(lock_data, pyproject, own) as (folder, settings):
        done = uv.in_project(folder, _CHECK, settings=settings)
    if done.code == 0:
        return []
    if _MISMATCH.search(done.errors) or _STALE.search(done.errors):
        refuse(_stale())
        return []
    return [f"cannot tell whether uv.lock matches pyproject.toml: {_last_line(done.errors)}"]


@contextmanager
def _copy(
    lock: bytes, pyproject: Mapping[str, Any], own: Mapping[str, Any]
) -> Iterator[tuple[Path, Path]]:
    """Yield a folder with what the lock is made from, and settings; ``own`` is its uv.toml."""
    import tomli_w

    metadata, settings = _copied(pyproject, own)
    with temporary.Folder() as place:
        folder = place / "project"  # beside, not below, the settings
        folder.mkdir()
        chosen = place / "settings.toml"
        try:
            texts = {folder / "pyproject.toml": metadata, chosen: settings}
            for path, values in texts.items():
                path.write_text(tomli_w.dumps(values), encoding="utf-8")
        except RecursionError:
            raise RequirementsError("pyproject.toml is nested too deeply") from None
        (folder / "uv.lock").write_bytes(lock)
        yield folder, chosen


def _copied(
    pyproject: Mapping[str, Any], own: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return pyproject.toml and the settings of a copy that uv may read."""
    of_uv = table(pyproject, "tool", "uv")
    copy: dict[str, Any] = {"tool": {"uv": _kept(of_uv, _OF_PROJECT)}}
    if "project" in pyproject:
        copy["project"] = _kept(table(pyproject, "project"), _OF_METADATA)
    if "build-system" in pyproject:  # it makes the project a package; nothing is built
        copy["build-system"] = {"requires": []}
    if "dependency-groups" in pyproject:
        copy["dependency-groups"] = pyproject["dependency-groups"]
    copy["tool"]["uv"]["sources"] = _index_sources(of_uv)
    copy["tool"]["uv"]["workspace"] = {"members": []}  # else uv would look for one above
    copy["tool"]["uv"]["index"] = _indexes(of_uv)
    deciding = own or of_uv  # a uv.toml takes the place of [tool.uv]
    return copy, {**_kept(deciding, _OF_CHOICE), "index": _indexes(deciding)}


def _kept(values: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in keys}


def _index_sources(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sources that name an index; uv is not asked about projects with others."""
    sources = {}
    for name, value in table(settings, "sources").items():
        several = value if isinstance(value, list) else [value]
        kept = [_kept(source, _OF_SOURCE) for source in map(table, several) if "index" in source]
        if kept:
            sources[name] = kept
    return sources


def _indexes(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the indexes of the project: uv holds them against those that the lock names."""
    indexes = [
        _kept(index, _OF_INDEX) for index in items(settings.get("index")) if isinstance(index, dict)
    ]
    indexes += [{"url": url} for url in items(settings.get("extra-index-url"))]
    if "index-url" in settings:
        indexes.append({"url": settings["index-url"], "default": True})
    return [index for index in indexes if str(index.get("url")).startswith(("https://", "http://"))]


def _stale() -> BuildError:
    message = (
        "the build will fail: uv.lock needs to be updated, since it does not match pyproject.toml"
    )
    return BuildError(message, hint=_LOCK_HINT, instead=SIZED_AS_LOCKED)


def _needs_code(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> str:
    """Return why uv might run code to check a lock; empty when it will not."""
    project, settings = table(pyproject, "project"), table(pyproject, "tool", "uv")
    if project.get("dynamic") or not {"name", "version"} <= set(project):
        return "pyproject.toml leaves metadata to the build backend, which is not run"
    elsewhere = [source for source in _flat(settings.get("sources")) if "index" not in source]
    own = [
        package for package in items(lock.get("package")) if set(table(package, "source")) & _OWN
    ]
    if elsewhere or "workspace" in settings or len(own) > 1:
        return "it has sources other than an index, and their code is not run"
    return ""


def _flat(sources: object) -> list[dict[str, Any]]:
    stated = table(sources).values()
    listed = [
        source for value in stated for source in (value if isinstance(value, list) else [value])
    ]
    return [table(source) for source in listed]


def _names_agree(lock: Mapping[str, Any], pyproject: Mapping[str, Any]) -> bool:
    """Return whether the project asks for the names that the lock was made for."""
    project = table(pyproject, "project")
    dynamic = items(project.get("dynamic"))
    name = canonicalize_name(text(project.get("name", "")))
    roots = [
        package for package in items(lock.get("package")) if table(package).get("name") == name
    ]
    if len(roots) != 1 or "dependencies" in dynamic or "optional-dependencies" in dynamic:
        return True
    known = items(table(roots[0], "metadata").get("requires-dist"))
    locked = {canonicalize_name(text(table(requirement).get("name", ""))) for requirement in known}
    extras = [
        line
        for listed in table(project, "optional-dependencies").values()
        for line in items(listed)
    ]
    lines = [*items(project.get("dependencies")), *extras]
    required = {
        dependency.name for dependency in from_project({"project": {"dependencies": lines}})
    }
    return locked == required


def _refuse_local(lock: Mapping[str, Any]) -> None:
    """Refuse registries on this disk: uv would read whatever file of it the lock names."""
    for package in items(lock.get("package")):
        registry = table(package, "source").get("registry")
        if isinstance(registry, str) and not registry.startswith(("https://", "http://")):
            message = "uv.lock names an index on this disk, which is not read"
            raise RequirementsError(message, hint="lock against an index with an https address")


def _export(
    path: Path,
    data: bytes,
    pyproject: Mapping[str, Any],
    own: Mapping[str, Any],
    uv: Uv,
    flags: Sequence[str],
) -> Pylock:
    with _copy(data, pyproject, own) as (folder, settings):
        done = uv.in_project(folder, [*_EXPORT, *flags], settings=settings)
    if done.code != 0:
        message = f"{printable(str(path))} cannot be exported: {_last_line(done.errors)}"
        raise RequirementsError(message, hint=_LOCK_HINT)
    try:
        return pylock.parsed(done.output)
    except ValueError as error:
        why = printable(str(error))[:_SHOWN]
        message = f"uv's export of {printable(str(path))} is not a valid lock: {why}"
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
