"""What ``poetry sync --only main`` installs from a poetry.lock (lock versions 1.x, 2.0 and 2.1).

The rules are those of Poetry 2.4. Lock version 2.1 records the groups and markers of each package;
in an older lock, the dependencies of the project are followed through the lock. The dependencies of
``[tool.poetry]`` are also read for source archives.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from slugcheck import reading
from slugcheck.errors import BuildError, Refuse, RequirementsError, give_up
from slugcheck.model import Distribution, Unsized
from slugcheck.packages.index.choice import Chooser
from slugcheck.packages.locks.pins import (
    SIZED_AS_LOCKED,
    Dependency,
    Lines,
    Locked,
    Pin,
    Shelves,
    applies,
    from_place,
    from_project,
    items,
    locked,
    packages,
    read_bytes,
    sha256_of,
    table,
    text,
    toml,
    unsized,
)
from slugcheck.text import printable

_SHOWN = 80  # characters of a text that a message repeats
_GAP = re.compile(r"\s+")
_PLAIN = frozenset({"version", "extras", "optional", "markers", "python", "allow-prereleases"})
_LEGACY_KEYS = ("dependencies", "source", "extras", "dev-dependencies")
_PROJECT_KEYS = ("requires-python", "dependencies", "optional-dependencies")
# Before this version of Poetry the content hash left the dependency groups out.
_HASHES_GROUPS = Version("2.3.0")
LOCK_HINT = "run `poetry lock` and commit poetry.lock"
# Of a walk through a lock without groups; 475 packages with ten dependencies each take 10,000.
_MOST_STEPS = 100_000


def read(
    path: Path,
    *,
    top: Path,
    environment: Mapping[str, str],
    chooser: Chooser,
    shelves: Shelves,
    refuse: Refuse = give_up,
) -> Locked:
    """Read a ``poetry.lock`` with the pyproject.toml beside it.

    ``top`` is the folder that files may be read from, ``environment`` the target's for markers.
    ``refuse`` is given what Poetry would refuse; if it returns, the lock is read as it is.

    :raises RequirementsError: one of the two cannot be read.
    :raises BuildError: Poetry would refuse the lock (by default), or cannot read it at all.
    :raises NetworkError: an index cannot be reached.
    """
    data = read_bytes(path, top, reading.LOCK)
    lock = toml(path, data, LOCK_HINT)
    project_path = path.parent / "pyproject.toml"
    project_data = read_bytes(project_path, top)
    pyproject = toml(project_path, project_data)
    check_version(lock)
    check_fresh(lock, pyproject, data, refuse)
    check_python(lock, environment["python_full_version"], refuse)
    dependencies = _main_dependencies(pyproject)
    old = lock_version(lock) < Version("2.1")
    notes: list[str] = []
    if old:
        listed = _Walk(lock, environment, notes).run(dependencies)
    else:
        listed = list(_main(lock, environment, notes))
    lines = Lines(project_data.decode("utf-8", errors="replace"), str(project_path))
    extras = {dependency.name: dependency.extras for dependency in dependencies}
    entries: list[Pin | Distribution | Unsized] = []
    for package in listed:
        pin = _pin(package, lock)
        if pin.name in extras:
            pin = replace(pin, direct=True, origins=lines.origin(pin.name), extras=extras[pin.name])
        answer = _elsewhere(pin, table(package, "source"), path.parent, top)
        entries.append(answer or pin)
    return locked(path, data, entries, notes, chooser=chooser, shelves=shelves)


def lock_version(lock: Mapping[str, Any]) -> Version:
    """Return the version of a lock's form; 0 where it says none."""
    try:
        return reading.version(text(table(lock, "metadata").get("lock-version", "")))
    except InvalidVersion:
        return Version("0")


def check_version(lock: Mapping[str, Any]) -> None:
    """Check that Poetry can read a lock.

    :raises BuildError: it cannot.
    """
    if not Version("1") <= lock_version(lock) < Version("3"):
        message = "the build will fail: Poetry cannot read the lock version of poetry.lock"
        raise BuildError(message, hint=LOCK_HINT)


def check_fresh(
    lock: Mapping[str, Any], pyproject: Mapping[str, Any], data: bytes, refuse: Refuse = give_up
) -> None:
    """Refuse a lock that was not made from a pyproject.toml; ``data`` is the lock's bytes."""
    locked = text(table(lock, "metadata").get("content-hash"))
    allowed = {content_hash(pyproject)}
    first = data.partition(b"\n")[0].decode("utf-8", errors="replace")
    made_by = re.search(r"Poetry ([^ ]+)", first)
    try:
        if made_by and reading.version(made_by[1]) < _HASHES_GROUPS:
            allowed.add(content_hash(pyproject, groups=False))
    except InvalidVersion:
        pass
    if locked not in allowed:
        message = (
            "the build will fail: pyproject.toml changed significantly since poetry.lock was "
            "last generated"
        )
        refuse(BuildError(message, hint=LOCK_HINT, instead=SIZED_AS_LOCKED))


def content_hash(pyproject: Mapping[str, Any], *, groups: bool = True) -> str:
    """Return what Poetry 2.4 writes as ``content-hash`` for a pyproject.toml.

    ``groups`` False leaves ``[dependency-groups]`` out, as Poetry before 2.3 did.

    :raises RequirementsError: it holds a value that has no JSON form.
    """
    project = table(pyproject, "project")
    relevant = {key: project[key] for key in _PROJECT_KEYS if key in project}
    named = table(pyproject, "dependency-groups") if groups else {}
    own = table(pyproject, "tool", "poetry")
    kept = {key: own[key] for key in (*_LEGACY_KEYS, "group") if key in own}
    content: dict[str, Any]
    if relevant or named:
        content = {"project": relevant} if relevant else {}
        content |= {"dependency-groups": named} if named else {}
        content["tool"] = {"poetry": kept}
    else:  # absent keys count as null where there is nothing but Poetry's own table
        content = {**dict.fromkeys(_LEGACY_KEYS), **kept}
    try:
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    except (TypeError, ValueError):
        message = "pyproject.toml holds a date where Poetry expects text"
        raise RequirementsError(message, hint="put it in quotes") from None


def check_python(lock: Mapping[str, Any], python: str, refuse: Refuse) -> None:
    """Refuse a full Python version that the project's constraint does not allow."""
    wanted = table(lock, "metadata").get("python-versions")
    if isinstance(wanted, str) and allows(wanted, python) is False:
        message = (
            f"the build will fail: Python {python} is not allowed by the project "
            f"({printable(wanted)[:_SHOWN]})"
        )
        hint = "change .python-version, or the Python constraint in pyproject.toml"
        refuse(BuildError(message, hint=hint))


def _main_dependencies(pyproject: Mapping[str, Any]) -> list[Dependency]:
    """Return the main group's dependencies: ``[project]``'s where it has any, else Poetry's."""
    if "dependencies" in table(pyproject, "project"):
        return from_project(pyproject)
    return [
        dependency
        for name, wanted in table(pyproject, "tool", "poetry", "dependencies").items()
        if name.lower() != "python"
        for dependency in _dependency(name, wanted)
        if dependency is not None
    ]


def _dependency(name: str, wanted: object) -> Iterator[Dependency | None]:
    """Yield what a table's entry asks for; an optional one comes with an extra only."""
    for constraint in wanted if isinstance(wanted, list) else [wanted]:
        details = constraint if isinstance(constraint, dict) else {"version": constraint}
        if not details.get("optional"):
            yield _from_details(name, details)


def _from_details(name: str, details: Mapping[str, Any]) -> Dependency:
    markers = [f"({text(details['markers'])})"] if details.get("markers") else []
    if isinstance(details.get("python"), str):
        with contextlib.suppress(ValueError):
            markers += _python_markers(specifier(details["python"]))
    return Dependency(
        name=canonicalize_name(name),
        specifier=text(details.get("version", "*")),
        marker=" and ".join(markers),
        extras=tuple(canonicalize_name(text(extra)) for extra in items(details.get("extras"))),
    )


def _main(
    lock: Mapping[str, Any], environment: Mapping[str, str], notes: list[str]
) -> Iterator[dict[str, Any]]:
    for package in packages(lock, "poetry.lock"):
        if "main" not in items(package.get("groups")):
            continue
        marker = package.get("markers")
        if isinstance(marker, dict):  # one per group
            marker = marker.get("main")
        if _holds(marker, environment, notes):
            yield package


def _holds(
    marker: object,
    environment: Mapping[str, str],
    notes: list[str],
    extras: tuple[str, ...] = (),
) -> bool:
    answer = applies(marker, environment, extras)
    if answer is None:
        shown = printable(text(marker))[:_SHOWN]
        notes.append(f"poetry.lock: the marker {shown!r} cannot be read; assumed to be true")
    return answer is not False


@dataclass(slots=True)
class _Walk:
    """The way from the project's dependencies through a lock that names no groups."""

    lock: Mapping[str, Any]
    environment: Mapping[str, str]
    notes: list[str]
    steps: int = 0

    def run(self, roots: list[Dependency]) -> list[dict[str, Any]]:
        """Return the packages that are reached, in the lock's order."""
        listed = packages(self.lock, "poetry.lock")
        by_name: dict[str, list[int]] = {}
        for number, package in enumerate(listed):
            by_name.setdefault(canonicalize_name(text(package.get("name", ""))), []).append(number)
        reached: dict[int, set[str]] = {}
        queue = [
            dependency
            for dependency in roots
            if _holds(dependency.marker, self.environment, self.notes)
        ]
        while queue:
            wanted = queue.pop()
            matched = self._match(wanted, listed, by_name.get(wanted.name, []))
            if matched is None:
                continue
            place = matched
            new = {*wanted.extras} - reached.get(place, set())
            if place in reached and not new:
                continue
            reached.setdefault(place, set()).update(new)
            queue += self._needed(listed[place], tuple(reached[place]))
        return [listed[number] for number in sorted(reached)]

    def _step(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > _MOST_STEPS:
            message = "the dependencies within poetry.lock take too long to follow"
            raise RequirementsError(message, hint=LOCK_HINT)

    def _match(
        self, wanted: Dependency, listed: list[dict[str, Any]], places: list[int]
    ) -> int | None:
        python = self.environment["python_full_version"]
        for strict in (True, False):  # a constraint that cannot be read does not lose a package
            for place in places:
                self._step()
                package = listed[place]
                fits = allows(wanted.specifier or "*", text(package.get("version", "")))
                usable = allows(text(package.get("python-versions", "*")), python)
                if (fits and usable is not False) if strict else fits is not False:
                    return place
        if places:
            return places[0]
        note = f"poetry.lock does not contain {printable(wanted.name)[:_SHOWN]}, which is required"
        self.notes.append(note)
        return None

    def _needed(self, package: Mapping[str, Any], extras: tuple[str, ...]) -> Iterator[Dependency]:
        self._step(1 + len(table(package, "extras")))
        of_extras = set(self._of_extras(package, extras))
        for name, wanted in table(package, "dependencies").items():
            for constraint in wanted if isinstance(wanted, list) else [wanted]:
                self._step(1 + len(extras))
                details = constraint if isinstance(constraint, dict) else {"version": constraint}
                if details.get("optional") and canonicalize_name(name) not in of_extras:
                    continue
                dependency = _from_details(name, details)
                if _holds(details.get("markers"), self.environment, self.notes, extras):
                    yield replace(dependency, marker="")

    def _of_extras(self, package: Mapping[str, Any], extras: tuple[str, ...]) -> Iterator[str]:
        for extra, lines in table(package, "extras").items():
            if canonicalize_name(extra) in extras:
                for line in items(lines):
                    try:
                        yield canonicalize_name(reading.requirement(text(line)).name)
                    except InvalidRequirement:
                        yield canonicalize_name(re.split(r"[\s\[(]", text(line))[0])


def _pin(package: Mapping[str, Any], lock: Mapping[str, Any]) -> Pin:
    name = text(package.get("name", ""))
    listed = package.get("files")
    if listed is None:  # where older locks keep them
        listed = table(lock, "metadata", "files").get(name)
    if listed is None:
        hashes = [
            f"sha256:{digest}" for digest in items(table(lock, "metadata", "hashes").get(name))
        ]
        listed = [{"hash": hash_text} for hash_text in hashes]
    files = [file for file in items(listed) if isinstance(file, dict)]
    named = {
        text(file["file"]): digest
        for file in files
        if "file" in file
        for digest in sha256_of([file.get("hash")])
    }
    source = table(package, "source")
    return Pin(
        name=canonicalize_name(name),
        version=text(package.get("version", "")),
        hashes=sha256_of(file.get("hash") for file in files),
        files=named,
        index=text(source.get("url")) if source.get("type") == "legacy" else None,
    )


def _elsewhere(
    pin: Pin, source: Mapping[str, Any], folder: Path, top: Path
) -> Distribution | Unsized | None:
    """Return what does not come from an index, None for what does not."""
    kind, url = source.get("type"), text(source.get("url", ""))
    if kind in (None, "legacy", "pypi"):
        return None
    if kind == "git":
        reason = "it comes from a version control system; its size is known only after a build"
        return unsized(pin, reason)
    if kind == "directory":
        return unsized(pin, "it is a folder; its size is known only after a build")
    if kind in ("url", "file"):
        return from_place(pin, url, folder, top)
    return unsized(pin, f"its source {printable(text(kind))[:_SHOWN]!r} is not known")


def requirements(table: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return the dependencies of ``[tool.poetry]`` and its Python specifier.

    :raises ValueError: a dependency has a form with no PEP 440 equivalent; the message names it.
    """
    lines: list[str] = []
    python: str | None = None
    extras = _extras_of(_mapping(table.get("extras")))
    for name, wanted in _mapping(table.get("dependencies")).items():
        if name == "python":
            python = specifier(wanted) if isinstance(wanted, str) else None
            continue
        for constraint in wanted if isinstance(wanted, list) else [wanted]:
            lines += _lines(name, constraint, extras.get(name.lower(), ()))
    return lines, python


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _extras_of(table: Mapping[str, Any]) -> dict[str, list[str]]:
    extras: dict[str, list[str]] = {}
    for extra, names in table.items():
        for name in names if isinstance(names, list) else []:
            extras.setdefault(str(name).lower(), []).append(extra)
    return extras


def _lines(name: str, wanted: object, extras: list[str] | tuple[()]) -> Iterator[str]:
    details = {"version": wanted} if isinstance(wanted, str) else wanted
    if not isinstance(details, dict) or set(details) - _PLAIN:
        raise ValueError(f"{name} does not come from an index")
    extra_names = details.get("extras") or []
    if not isinstance(extra_names, list):
        raise ValueError(f"the extras of {name} are not a list")
    chosen = f"[{','.join(map(str, extra_names))}]" if extra_names else ""
    markers = [f"({details['markers']})"] if details.get("markers") else []
    if details.get("python"):
        markers += _python_markers(specifier(str(details["python"])))
    head = f"{name}{chosen}{specifier(str(details.get('version', '*')))}"
    if not details.get("optional"):
        yield _joined(head, markers)
        return
    for extra in extras:
        yield _joined(head, [*markers, f'extra == "{extra}"'])


def _joined(head: str, markers: list[str]) -> str:
    return f"{head} ; {' and '.join(markers)}" if markers else head


def _python_markers(wanted: str) -> list[str]:
    return [f'python_full_version {s.operator} "{s.version}"' for s in reading.specifiers(wanted)]


@functools.lru_cache(maxsize=4096)
def allows(constraint: str, version: str) -> bool | None:
    """Return whether Poetry's constraint allows a version; None when it cannot be told."""
    if len(constraint) > reading.LONGEST_SPECIFIER:
        return None
    unknown = False
    for part in re.split(r"\|\|?", constraint):
        try:
            if reading.specifiers(specifier(part)).contains(version, prereleases=True):
                return True
        except ValueError:
            unknown = True
    return None if unknown else False


def specifier(text: str) -> str:
    """Return Poetry's version constraint as PEP 440.

    :raises ValueError: it has alternatives (``||``) or a form that is not known.
    """
    # blanks by themselves first: an expression that looks for them before a comma is quadratic
    words = _GAP.sub(" ", text.strip()).replace(" ,", ",").replace(", ", ",")
    parts = [part for part in re.split(r",| (?=[<>=!~^])", words) if part]
    try:
        return str(reading.specifiers(",".join(filter(None, map(_clause, parts)))))
    except (InvalidSpecifier, InvalidVersion):
        raise ValueError(f"the constraint {text[:_SHOWN]!r} has no PEP 440 equivalent") from None


def _clause(part: str) -> str:
    if part == "*":
        return ""
    if part[0] == "^":
        return _between(part[1:], lambda release: _first_nonzero(release))
    if part[0] == "~" and not part.startswith("~="):
        return _between(part[1:], lambda release: min(1, len(release) - 1))
    return part if part[0] in "<>=!~" else f"=={part}"


def _between(text: str, position: Any) -> str:
    version = reading.version(text.strip())
    release = version.release
    index = position(release)
    upper = [*release[:index], release[index] + 1, *(0 for _ in release[index + 1 :])]
    return f">={version},<{'.'.join(map(str, upper))}"


def _first_nonzero(release: tuple[int, ...]) -> int:
    return next((i for i, number in enumerate(release) if number), len(release) - 1)
