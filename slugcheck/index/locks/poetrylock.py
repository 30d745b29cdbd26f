"""What ``poetry sync --only main`` installs of a poetry.lock (lock-versions 1.x, 2.0 and 2.1).

The rules are those of Poetry 2.4: version 2.1 says groups and markers of each package; for an
older lock the way from the project's own dependencies is walked through the lock.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from slugcheck import reading
from slugcheck.escape import printable
from slugcheck.index import poetry
from slugcheck.index.choice import Chooser
from slugcheck.index.locks.pick import (
    Asked,
    Locked,
    Pin,
    Shelves,
    applies,
    from_place,
    from_project,
    items,
    origin,
    pick,
    read_bytes,
    sha256_of,
    table,
    toml,
    unsized,
)
from slugcheck.index.locks.poetryfresh import (
    LOCK_HINT,
    allows,
    check_fresh,
    check_python,
    check_version,
    lock_version,
)
from slugcheck.model import Distribution, Unsized

_SHOWN = 80


def read(
    path: Path,
    *,
    top: Path,
    environment: Mapping[str, str],
    chooser: Chooser,
    shelves: Shelves,
) -> Locked:
    """Read a ``poetry.lock`` with the pyproject.toml beside it.

    ``top`` is the folder that files may be read from, ``environment`` the target's for markers.

    :raises RequirementsError: one of the two cannot be read.
    :raises BuildError: Poetry would refuse the lock.
    :raises NetworkError: an index cannot be reached.
    """
    data = read_bytes(path, top, reading.LOCK)
    lock = toml(path, data, LOCK_HINT)
    project_path = path.parent / "pyproject.toml"
    project_data = read_bytes(project_path, top)
    pyproject = toml(project_path, project_data)
    check_version(lock)
    check_fresh(lock, pyproject, data)
    check_python(lock, environment["python_full_version"])
    asked = _asked(pyproject)
    old = lock_version(lock) < Version("2.1")
    notes: list[str] = []
    if old:
        packages = _Walk(lock, environment, notes).run(asked)
    else:
        packages = list(_main(lock, environment, notes))
    text = project_data.decode("utf-8", errors="replace")
    extras = {one.name: one.extras for one in asked}
    pins: list[Pin] = []
    found: list[Distribution] = []
    aside: list[Unsized] = []
    for package in packages:
        pin = _pin(package, lock)
        if pin.name in extras:
            lines = origin(text, str(project_path), pin.name)
            pin = replace(pin, direct=True, origins=lines, extras=extras[pin.name])
        answer = _elsewhere(pin, table(package, "source"), path.parent, top)
        if answer is None:
            pins.append(pin)
        elif isinstance(answer, Unsized):
            aside.append(answer)
        else:
            found.append(answer)
    chosen, without = pick(pins, shelves, chooser, path.name)
    return Locked(
        distributions=tuple(sorted([*found, *chosen], key=lambda one: one.name)),
        unsized=(*aside, *without),
        sha256=hashlib.sha256(data).hexdigest(),
        notes=tuple(dict.fromkeys(notes)),
        resolver=path.name,
    )


# --------------------------------------------------------------------------- which packages


def _asked(pyproject: Mapping[str, Any]) -> list[Asked]:
    """Return the main group's dependencies: ``[project]``'s where it has any, else Poetry's."""
    if "dependencies" in table(pyproject, "project"):
        return from_project(pyproject)
    return [
        one
        for name, wanted in table(pyproject, "tool", "poetry", "dependencies").items()
        if name.lower() != "python"
        for one in _dependency(name, wanted)
        if one is not None
    ]


def _dependency(name: str, wanted: object) -> Iterator[Asked | None]:
    """Yield what a table's entry asks for; an optional one comes with an extra only."""
    for one in wanted if isinstance(wanted, list) else [wanted]:
        details = one if isinstance(one, dict) else {"version": one}
        if not details.get("optional"):
            yield _from_details(name, details)


def _from_details(name: str, details: Mapping[str, Any]) -> Asked:
    markers = [f"({details['markers']})"] if details.get("markers") else []
    if isinstance(details.get("python"), str):
        try:
            wanted = SpecifierSet(poetry.specifier(details["python"]))
        except ValueError:
            wanted = SpecifierSet()
        markers += [f'python_full_version {s.operator} "{s.version}"' for s in wanted]
    return Asked(
        name=canonicalize_name(name),
        specifier=str(details.get("version", "*")),
        marker=" and ".join(markers),
        extras=tuple(canonicalize_name(str(extra)) for extra in items(details.get("extras"))),
    )


def _packages(lock: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in items(lock.get("package")) if isinstance(one, dict)]


def _main(
    lock: Mapping[str, Any], environment: Mapping[str, str], notes: list[str]
) -> Iterator[dict[str, Any]]:
    for package in _packages(lock):
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
        shown = printable(str(marker))[:_SHOWN]
        notes.append(f"poetry.lock: the marker {shown!r} cannot be read; it is taken to hold")
    return answer is not False


@dataclass(slots=True)
class _Walk:
    """The way from the project's dependencies through a lock that names no groups."""

    lock: Mapping[str, Any]
    environment: Mapping[str, str]
    notes: list[str]

    def run(self, roots: list[Asked]) -> list[dict[str, Any]]:
        """Return the packages that are reached, in the lock's order."""
        packages = _packages(self.lock)
        by_name: dict[str, list[int]] = {}
        for number, package in enumerate(packages):
            by_name.setdefault(canonicalize_name(str(package.get("name", ""))), []).append(number)
        reached: dict[int, set[str]] = {}
        queue = [one for one in roots if _holds(one.marker, self.environment, self.notes)]
        while queue:
            wanted = queue.pop()
            matched = self._match(wanted, packages, by_name.get(wanted.name, []))
            if matched is None:
                continue
            place = matched
            new = {*wanted.extras} - reached.get(place, set())
            if place in reached and not new:
                continue
            reached.setdefault(place, set()).update(new)
            queue += self._needed(packages[place], tuple(reached[place]))
        return [packages[number] for number in sorted(reached)]

    def _match(
        self, wanted: Asked, packages: list[dict[str, Any]], places: list[int]
    ) -> int | None:
        python = self.environment["python_full_version"]
        for strict in (True, False):  # a constraint that cannot be read does not lose a package
            for place in places:
                package = packages[place]
                fits = allows(wanted.specifier or "*", str(package.get("version", "")))
                usable = allows(str(package.get("python-versions", "*")), python)
                if (fits and usable is not False) if strict else fits is not False:
                    return place
        if places:
            return places[0]
        note = f"poetry.lock does not hold {printable(wanted.name)[:_SHOWN]}, which is asked for"
        self.notes.append(note)
        return None

    def _needed(self, package: Mapping[str, Any], extras: tuple[str, ...]) -> Iterator[Asked]:
        of_extras = set(self._of_extras(package, extras))
        for name, wanted in table(package, "dependencies").items():
            for one in wanted if isinstance(wanted, list) else [wanted]:
                details = one if isinstance(one, dict) else {"version": one}
                if details.get("optional") and canonicalize_name(name) not in of_extras:
                    continue
                asked = _from_details(name, details)
                if _holds(details.get("markers"), self.environment, self.notes, extras):
                    yield replace(asked, marker="")

    def _of_extras(self, package: Mapping[str, Any], extras: tuple[str, ...]) -> Iterator[str]:
        for extra, lines in table(package, "extras").items():
            if canonicalize_name(extra) in extras:
                for line in items(lines):
                    try:
                        yield canonicalize_name(Requirement(str(line)).name)
                    except InvalidRequirement:
                        yield canonicalize_name(re.split(r"[\s\[(]", str(line))[0])


# --------------------------------------------------------------------------- one package


def _pin(package: Mapping[str, Any], lock: Mapping[str, Any]) -> Pin:
    name = str(package.get("name", ""))
    listed = package.get("files")
    if listed is None:  # where older locks keep them
        listed = table(lock, "metadata", "files").get(name)
    if listed is None:
        hashes = [f"sha256:{one}" for one in items(table(lock, "metadata", "hashes").get(name))]
        listed = [{"hash": one} for one in hashes]
    files = [one for one in items(listed) if isinstance(one, dict)]
    named = {
        str(one["file"]): digest
        for one in files
        if "file" in one
        for digest in sha256_of([one.get("hash")])
    }
    source = table(package, "source")
    return Pin(
        name=canonicalize_name(name),
        version=str(package.get("version", "")),
        hashes=sha256_of(one.get("hash") for one in files),
        files=named,
        index=str(source.get("url")) if source.get("type") == "legacy" else None,
    )


def _elsewhere(
    pin: Pin, source: Mapping[str, Any], folder: Path, top: Path
) -> Distribution | Unsized | None:
    """Return what comes from elsewhere than an index, None for what does not."""
    kind, url = source.get("type"), str(source.get("url", ""))
    if kind in (None, "legacy", "pypi"):
        return None
    if kind == "git":
        reason = "it comes from a version control system; its size is known only after a build"
        return unsized(pin, reason)
    if kind == "directory":
        return unsized(pin, "it is a folder; its size is known only after a build")
    if kind in ("url", "file"):
        return from_place(pin, url, folder, top)
    return unsized(pin, f"its source {printable(str(kind))[:_SHOWN]!r} is not known")
