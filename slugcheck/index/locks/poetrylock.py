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

from packaging.requirements import InvalidRequirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from slugcheck import reading, syntax
from slugcheck.errors import RequirementsError
from slugcheck.escape import printable
from slugcheck.index import poetry
from slugcheck.index.choice import Chooser
from slugcheck.index.locks.pick import (
    Asked,
    Lines,
    Locked,
    Pin,
    Shelves,
    applies,
    from_place,
    from_project,
    items,
    packages,
    pick,
    read_bytes,
    sha256_of,
    table,
    text,
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
# Of a walk through a lock without groups; 475 packages with ten dependencies each take 10,000.
_MOST_STEPS = 100_000


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
        listed = _Walk(lock, environment, notes).run(asked)
    else:
        listed = list(_main(lock, environment, notes))
    lines = Lines(project_data.decode("utf-8", errors="replace"), str(project_path))
    extras = {one.name: one.extras for one in asked}
    pins: list[Pin] = []
    found: list[Distribution] = []
    aside: list[Unsized] = []
    for package in listed:
        pin = _pin(package, lock)
        if pin.name in extras:
            pin = replace(pin, direct=True, origins=lines.origin(pin.name), extras=extras[pin.name])
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
    markers = [f"({text(details['markers'])})"] if details.get("markers") else []
    if isinstance(details.get("python"), str):
        try:
            wanted = syntax.specifiers(poetry.specifier(details["python"]))
        except ValueError:
            wanted = SpecifierSet()
        markers += [f'python_full_version {s.operator} "{s.version}"' for s in wanted]
    return Asked(
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
        notes.append(f"poetry.lock: the marker {shown!r} cannot be read; it is taken to hold")
    return answer is not False


@dataclass(slots=True)
class _Walk:
    """The way from the project's dependencies through a lock that names no groups."""

    lock: Mapping[str, Any]
    environment: Mapping[str, str]
    notes: list[str]
    steps: int = 0

    def run(self, roots: list[Asked]) -> list[dict[str, Any]]:
        """Return the packages that are reached, in the lock's order."""
        listed = packages(self.lock, "poetry.lock")
        by_name: dict[str, list[int]] = {}
        for number, package in enumerate(listed):
            by_name.setdefault(canonicalize_name(text(package.get("name", ""))), []).append(number)
        reached: dict[int, set[str]] = {}
        queue = [one for one in roots if _holds(one.marker, self.environment, self.notes)]
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

    def _match(self, wanted: Asked, listed: list[dict[str, Any]], places: list[int]) -> int | None:
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
        note = f"poetry.lock does not hold {printable(wanted.name)[:_SHOWN]}, which is asked for"
        self.notes.append(note)
        return None

    def _needed(self, package: Mapping[str, Any], extras: tuple[str, ...]) -> Iterator[Asked]:
        self._step(1 + len(table(package, "extras")))
        of_extras = set(self._of_extras(package, extras))
        for name, wanted in table(package, "dependencies").items():
            for one in wanted if isinstance(wanted, list) else [wanted]:
                self._step(1 + len(extras))
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
                        yield canonicalize_name(syntax.requirement(text(line)).name)
                    except InvalidRequirement:
                        yield canonicalize_name(re.split(r"[\s\[(]", text(line))[0])


# --------------------------------------------------------------------------- one package


def _pin(package: Mapping[str, Any], lock: Mapping[str, Any]) -> Pin:
    name = text(package.get("name", ""))
    listed = package.get("files")
    if listed is None:  # where older locks keep them
        listed = table(lock, "metadata", "files").get(name)
    if listed is None:
        hashes = [f"sha256:{one}" for one in items(table(lock, "metadata", "hashes").get(name))]
        listed = [{"hash": one} for one in hashes]
    files = [one for one in items(listed) if isinstance(one, dict)]
    named = {
        text(one["file"]): digest
        for one in files
        if "file" in one
        for digest in sha256_of([one.get("hash")])
    }
    source = table(package, "source")
    return Pin(
        name=canonicalize_name(name),
        version=text(package.get("version", "")),
        hashes=sha256_of(one.get("hash") for one in files),
        files=named,
        index=text(source.get("url")) if source.get("type") == "legacy" else None,
    )


def _elsewhere(
    pin: Pin, source: Mapping[str, Any], folder: Path, top: Path
) -> Distribution | Unsized | None:
    """Return what comes from elsewhere than an index, None for what does not."""
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
