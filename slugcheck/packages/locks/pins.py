"""What the lock readers share: tables and markers, and choosing the one file for a pin."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name, is_normalized_name
from packaging.version import InvalidVersion

from slugcheck import reading
from slugcheck.errors import RequirementsError
from slugcheck.model import Artifact, Distribution, Origin, Unsized
from slugcheck.packages.index.urls import redact
from slugcheck.packages.sdist.archive import archive_form
from slugcheck.text import printable

if TYPE_CHECKING:
    from slugcheck.packages.index.choice import Chooser
    from slugcheck.packages.index.pages import Pages, ProjectFile

# What is sized of a lock that the package manager would refuse.
SIZED_AS_LOCKED = "sized as locked"
_SHOWN = 80  # characters of a stranger's text that a message repeats
# The largest lock measured has 475 packages.
MOST_PACKAGES = 10_000
_HEAD = re.compile(r"\s*(?:\[.*(?:dependencies|packages)\]|dependencies\s*=)")
_NAMED = re.compile(r"(?:^|(?<=[\"'\s\[,]))[A-Za-z0-9][A-Za-z0-9._-]*+(?!\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What a lock installs on the target. ``sha256`` is the lock file's; ``resolver`` its name.

    A distribution's artifact may be a source archive.
    """

    distributions: tuple[Distribution, ...]
    unsized: tuple[Unsized, ...]
    sha256: str
    notes: tuple[str, ...] = ()
    resolver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A name and version of a lock. ``files`` maps filenames to sha256 where the lock has them.

    ``index`` is the URL of the only index that counts, None for the default; it may hold
    credentials.
    """

    name: str  # canonical
    version: str
    hashes: frozenset[str] = frozenset()  # sha256, all that are allowed; empty means any
    files: Mapping[str, str] = field(default_factory=dict)
    index: str | None = field(default=None, repr=False)
    direct: bool = False
    origins: tuple[Origin, ...] = ()
    extras: tuple[str, ...] = ()


class Shelves:
    """The pages of each index that a lock names; ``make`` returns those of one URL."""

    def __init__(self, default: Pages, make: Callable[[str], Pages]) -> None:
        self._default = default
        self._make = make
        self._known: dict[str, Pages] = {}

    def of(self, index: str | None) -> Pages:
        """Return the pages of an index; None is the default one."""
        if index is None:
            return self._default
        if index not in self._known:
            self._known[index] = self._make(index)
        return self._known[index]

    def prefetch(self, pins: Iterable[Pin]) -> None:
        """Read the pages of all pins side by side."""
        names: dict[str | None, list[str]] = {}
        for pin in pins:
            names.setdefault(pin.index, []).append(pin.name)
        for index, wanted in names.items():
            self.of(index).prefetch(wanted)


def _pick(
    pins: Iterable[Pin], shelves: Shelves, chooser: Chooser, lock: str
) -> tuple[list[Distribution], list[Unsized]]:
    """Return the file of each pin that fits the target best, and the pins that have none.

    :raises NetworkError: an index cannot be reached.
    """
    wanted: list[Pin] = []
    aside: list[Unsized] = []
    for pin in pins:
        if is_normalized_name(pin.name):
            wanted.append(pin)
        else:  # it would become a part of the index's URL
            aside.append(unsized(pin, "its name is invalid"))
    shelves.prefetch(wanted)
    distributions: list[Distribution] = []
    for pin in wanted:
        answer = _choose(pin, shelves.of(pin.index), chooser, lock)
        if isinstance(answer, Unsized):
            aside.append(answer)
        else:
            distributions.append(answer)
    return distributions, aside


def locked(
    path: Path,
    data: bytes,
    entries: Iterable[Pin | Distribution | Unsized],
    notes: Iterable[str],
    *,
    chooser: Chooser,
    shelves: Shelves,
) -> Locked:
    """Return what the lock at ``path`` installs; ``entries`` without a pin need no index.

    :raises NetworkError: an index cannot be reached.
    """
    entries = tuple(entries)
    pins = (entry for entry in entries if isinstance(entry, Pin))
    distributions, without = _pick(pins, shelves, chooser, path.name)
    distributions += (entry for entry in entries if isinstance(entry, Distribution))
    return Locked(
        distributions=tuple(sorted(distributions, key=lambda distribution: distribution.name)),
        unsized=(*(entry for entry in entries if isinstance(entry, Unsized)), *without),
        sha256=hashlib.sha256(data).hexdigest(),
        notes=tuple(dict.fromkeys(notes)),
        resolver=path.name,
    )


def _choose(pin: Pin, pages: Pages, chooser: Chooser, lock: str) -> Distribution | Unsized:
    try:
        version = reading.version(pin.version)
    except InvalidVersion:
        return unsized(pin, f"{printable(pin.version)[:_SHOWN]!r} in {lock} is not a valid version")
    listed = pages.files(pin.name)
    same = [file for file in listed if file.version == version]
    allowed = [file for file in same if _allows(pin, file)]
    best = chooser.best_for(pin.name, allowed, version)
    if best is not None:
        return Distribution(
            name=pin.name,
            version=pin.version,
            artifact=Artifact(
                filename=best.filename,
                url=best.url,
                size=best.size,
                sha256=best.sha256 or pin.files.get(best.filename),
            ),
            direct=pin.direct,
            origins=pin.origins,
            extras=pin.extras,
        )
    where = f"the index {redact(pin.index)}" if pin.index else "the index"
    if not listed:
        return unsized(pin, f"{where} does not have it, so the build will fail")
    if not same:
        return unsized(pin, f"{where} has no files of this version, so the build will fail")
    if not allowed:
        reason = f"none of its hashes in {lock} matches a file on {where}"
        return unsized(pin, f"{reason}, so the build will fail")
    if chooser.best_for(pin.name, same, version) is not None:
        reason = f"the files that fit the target have no hash in {lock}"
        return unsized(pin, f"{reason}, so the build will fail")
    return unsized(pin, "it has no wheel for the target and no source archive")


def _allows(pin: Pin, file: ProjectFile) -> bool:
    if not pin.hashes:
        return True
    if file.sha256 is None:  # a page without hashes: the name says which one it is, if anything
        return not pin.files or file.filename in pin.files
    return file.sha256 in pin.hashes


def unsized(pin: Pin, reason: str) -> Unsized:
    """Return a pin as what has no size."""
    origin = pin.origins[0] if pin.origins else None
    return Unsized(name=pin.name, version=pin.version or None, reason=reason, origin=origin)


def from_place(pin: Pin, url: str, folder: Path, top: Path) -> Distribution | Unsized:
    """Return what a lock takes from a URL, or from a path relative to ``folder`` inside ``top``."""
    place, _, fragment = url.partition("#")
    name = reading.last_part(place)
    there: Path | None = None
    if "://" not in place:
        name = Path(place).name
        if reading.leaves(folder / place, top):
            return unsized(pin, f"its file {printable(place)[:_SHOWN]} is outside the checkout")
        there = reading.destination(folder / place, top)
        if there is not None and there.is_dir():
            return unsized(pin, "it is a folder; its size is known only after a build")
        if there is None or not there.is_file():
            return unsized(pin, f"its file {printable(place)[:_SHOWN]} does not exist")
    if not name.endswith(".whl") and archive_form(name) is None:
        return unsized(pin, "it is neither a wheel nor a source archive")
    digest = re.search(r"(?:^|&)sha256=([0-9a-f]{64})", fragment)
    only = next(iter(pin.hashes)) if len(pin.hashes) == 1 else None
    return Distribution(
        name=pin.name,
        version=pin.version or "0",
        artifact=Artifact(
            filename=name,
            url=there.as_uri() if there is not None else place,
            size=None,
            sha256=pin.files.get(name) or only or (digest[1] if digest else None),
        ),
        direct=pin.direct,
        origins=pin.origins,
        extras=pin.extras,
        direct_url=True,
    )


def read_bytes(path: Path, top: Path, limit: int = reading.SETTINGS) -> bytes:
    """Return a file's bytes; ``top`` is the folder that files may be read from.

    :raises Refused: it leads out of ``top``, is not a regular file, or has over ``limit`` bytes.
    :raises RequirementsError: it cannot be read.
    """
    try:
        return reading.read(path, within=top, limit=limit)
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise RequirementsError(message) from None


def toml(path: Path, data: bytes, hint: str | None = None) -> dict[str, Any]:
    """Return a TOML file's content.

    :raises RequirementsError: it is not TOML in UTF-8.
    """
    try:
        return reading.toml(data.decode("utf-8"))
    except ValueError as error:
        problem = printable(str(error))[:_SHOWN]
        message = f"{printable(str(path))} is not valid TOML: {problem}"
        raise RequirementsError(message, hint=hint) from None


def table(value: object, *keys: str) -> dict[str, Any]:
    """Return a nested table; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    """Return a text, and a number as it is written; empty for anything else.

    The form of anything else may be too large or too deep to be put into words.
    """
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def packages(lock: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the ``[[package]]`` tables of the lock of that name.

    :raises RequirementsError: there are more of them than in any real lock.
    """
    package_tables = [
        package for package in items(lock.get("package")) if isinstance(package, dict)
    ]
    if len(package_tables) > MOST_PACKAGES:
        raise RequirementsError(f"{name} has more than {MOST_PACKAGES:,} packages")
    return package_tables


def items(value: object) -> list[Any]:
    """Return an array; empty where there is none."""
    return value if isinstance(value, list) else []


def applies(
    marker: object, environment: Mapping[str, str], extras: Iterable[str] = ()
) -> bool | None:
    """Return whether a marker holds for the target with any of ``extras``; None: unreadable."""
    if not marker:
        return True
    try:
        parsed = reading.marker(text(marker))
        return any(parsed.evaluate({**environment, "extra": extra}) for extra in ("", *extras))
    except ValueError:  # of the marker itself, and of what it compares
        return None


def sha256_of(hashes: Iterable[object]) -> frozenset[str]:
    """Return the sha256 digests among ``algorithm:hexdigest`` texts."""
    texts = [hash_text for hash_text in hashes if isinstance(hash_text, str)]
    return frozenset(
        hash_text[7:].lower() for hash_text in texts if hash_text.startswith("sha256:")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """What a project file asks for by name. ``specifier`` is in the tool's own grammar."""

    name: str  # canonical
    specifier: str = ""
    marker: str = ""
    extras: tuple[str, ...] = ()


def from_project(pyproject: Mapping[str, Any]) -> list[Dependency]:
    """Return ``[project] dependencies``; invalid ones are left for the tool to refuse."""
    dependencies = []
    for line in items(table(pyproject, "project").get("dependencies")):
        try:
            wanted = reading.requirement(text(line))
        except InvalidRequirement:
            continue
        dependency = Dependency(
            name=canonicalize_name(wanted.name),
            specifier=str(wanted.specifier),
            marker=str(wanted.marker or ""),
            extras=tuple(sorted(wanted.extras)),
        )
        dependencies.append(dependency)
    return dependencies


class Lines:
    """Where a project file names its dependencies: the first line after a table's head."""

    def __init__(self, content: str, file: str) -> None:
        self._file = file
        self._numbers: dict[str, int] = {}
        began = False
        for number, line in enumerate(content.splitlines(), 1):
            head = _HEAD.match(line)
            began = began or bool(head)
            rest = line[head.end() :] if head else line
            if began:
                for name in _NAMED.findall(rest.partition("#")[0]):
                    self._numbers.setdefault(canonicalize_name(name), number)

    def origin(self, name: str) -> tuple[Origin, ...]:
        """Return the line of a canonical name; none where it is not named."""
        number = self._numbers.get(name)
        return () if number is None else (Origin(file=self._file, line=number),)


def mark_direct(
    distributions: Iterable[Distribution],
    dependencies: Iterable[Dependency],
    content: str,
    file: str,
) -> list[Distribution]:
    """Return distributions with those marked that a project file names itself."""
    lines = Lines(content, file)
    named: dict[str, tuple[str, ...]] = {}
    for dependency in dependencies:
        known = named.get(dependency.name, ())
        named[dependency.name] = tuple(sorted({*known, *dependency.extras}))
    return [
        replace(
            distribution,
            direct=True,
            extras=named[distribution.name],
            origins=lines.origin(distribution.name),
        )
        if distribution.name in named
        else distribution
        for distribution in distributions
    ]
