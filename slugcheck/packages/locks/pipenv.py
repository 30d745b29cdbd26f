"""What ``pipenv install --deploy`` installs from a Pipfile.lock: its ``default`` packages."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.errors import BuildError, Refuse, RequirementsError, give_up
from slugcheck.model import Distribution, Unsized
from slugcheck.model.options import Variables, used
from slugcheck.packages.index.choice import Chooser
from slugcheck.packages.locks.pins import (
    SIZED_AS_LOCKED,
    Lines,
    Locked,
    Pin,
    Shelves,
    applies,
    from_place,
    items,
    locked,
    read_bytes,
    sha256_of,
    table,
    text,
    toml,
    unsized,
)
from slugcheck.text import printable

_LOCK_HINT = "run `pipenv lock` and commit Pipfile.lock"
_VCS = ("git", "hg", "svn", "bzr")
# Sections of a Pipfile that are no packages, and names that Pipenv leaves out of the hash.
_NO_PACKAGES = frozenset(
    "source packages dev-packages requires scripts pipfile pipenv default develop".split()
)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)")
_SHOWN = 80


def read(
    path: Path,
    *,
    top: Path,
    environment: Mapping[str, str],
    chooser: Chooser,
    shelves: Shelves,
    variables: Variables | None = None,
    refuse: Refuse = give_up,
) -> Locked:
    """Read a ``Pipfile.lock`` with the Pipfile beside it.

    ``top`` is the folder that files may be read from, ``environment`` the target's for markers.
    Pipenv fills variables of the environment into the URLs of sources; here only those that
    ``variables`` allows. ``refuse`` is given what Pipenv would refuse; if it returns, the lock is
    read as it is.

    :raises RequirementsError: one of the two cannot be read, or a source that is used needs a
        variable that is not allowed, or not set.
    :raises BuildError: Pipenv would refuse the lock (by default).
    :raises NetworkError: an index cannot be reached.
    """
    data = read_bytes(path, top, reading.LOCK)
    lock = _json(path, data)
    pipfile_path = path.parent / "Pipfile"
    pipfile_data = read_bytes(pipfile_path, top)
    pipfile = toml(pipfile_path, pipfile_data)
    _check_fresh(lock, pipfile, refuse)
    sources = _Sources(lock, variables or Variables())
    notes: list[str] = []
    lines = Lines(pipfile_data.decode("utf-8", errors="replace"), str(pipfile_path))
    direct = {
        canonicalize_name(name): wanted for name, wanted in table(pipfile, "packages").items()
    }
    entries: list[Pin | Distribution | Unsized] = []
    for name, entry in table(lock, "default").items():
        details = entry if isinstance(entry, dict) else {"version": entry}
        holds = applies(details.get("markers"), environment)
        if holds is None:
            shown = printable(text(details.get("markers")))[:_SHOWN]
            notes.append(f"{path.name}: the marker {shown!r} cannot be read; assumed to be true")
        if holds is False:
            continue
        pin = _pin(name, details)
        if pin.name in direct:
            pin = replace(pin, direct=True, origins=lines.origin(pin.name))
        answer = _elsewhere(pin, details, path.parent, top)
        entries.append(answer or replace(pin, index=sources.url(details.get("index"))))
    return locked(path, data, entries, notes, chooser=chooser, shelves=shelves)


def pipfile_hashes(pipfile: Mapping[str, Any], sources: object) -> tuple[str, str]:
    """Return the hash that Pipenv computes of a Pipfile, and that of releases before 2026.

    The newer one spells the names of packages canonically. ``sources`` stand in where the Pipfile
    has none, since Pipenv then counts the default that it wrote into the lock.
    """
    return _hash(pipfile, sources, canonical=True), _hash(pipfile, sources, canonical=False)


def _hash(pipfile: Mapping[str, Any], sources: object, *, canonical: bool) -> str:
    def named(section: object) -> object:
        if not canonical or not isinstance(section, dict):
            return section
        return {canonicalize_name(name): wanted for name, wanted in section.items()}

    content = {
        "_meta": {
            "sources": pipfile.get("source", sources),
            "requires": pipfile.get("requires", {}),
        },
        "default": named(pipfile.get("packages", {})),
        "develop": named(pipfile.get("dev-packages", {})),
        **{key: named(section) for key, section in pipfile.items() if key not in _NO_PACKAGES},
    }
    try:
        written = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(written.encode()).hexdigest()
    except (ValueError, RecursionError):  # half a surrogate pair; a list of lists of lists …
        message = "Pipfile or Pipfile.lock holds a value that Pipenv does not write"
        raise RequirementsError(message, hint=_LOCK_HINT) from None


def _check_fresh(lock: Mapping[str, Any], pipfile: Mapping[str, Any], refuse: Refuse) -> None:
    locked = text(table(lock, "_meta", "hash").get("sha256") or "")
    expected = pipfile_hashes(pipfile, items(table(lock, "_meta").get("sources")))
    if locked not in expected:
        message = (
            f"the build will fail: Your Pipfile.lock ({printable(locked)[:64]}) is out of date. "
            f"Expected: ({expected[0]})"
        )
        refuse(BuildError(message, hint=_LOCK_HINT, instead=SIZED_AS_LOCKED))


def _json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        lock = reading.json(data.decode("utf-8"))
    except ValueError:
        message = f"{printable(str(path))} is not valid JSON"
        raise RequirementsError(message, hint=_LOCK_HINT) from None
    if not isinstance(lock, dict) or not isinstance(lock.get("default"), dict):
        message = f'{printable(str(path))} has no packages under "default"'
        raise RequirementsError(message, hint=_LOCK_HINT)
    return lock


class _Sources:
    """The URLs of the lock's sources by name; the first is the default."""

    def __init__(self, lock: Mapping[str, Any], variables: Variables) -> None:
        self._variables = variables
        self._urls: dict[str, str] = {}
        for number, source in enumerate(items(table(lock, "_meta").get("sources"))):
            if isinstance(source, dict) and isinstance(source.get("url"), str):
                self._urls.setdefault(str(source.get("name", number)), source["url"])

    def url(self, name: object) -> str | None:
        """Return the URL of the source that a package names, None for slugcheck's own default.

        :raises RequirementsError: it needs a variable that is not allowed, or not set.
        """
        known = str(name) if str(name) in self._urls else next(iter(self._urls), None)
        if known is None:
            return None
        missing: list[str] = []

        def value(match: re.Match[str]) -> str:
            expansion = self._variables.value(match[1] or match[2])
            if expansion is None:
                missing.append(match[1] or match[2])
            return expansion or match[0]

        url = _VARIABLE.sub(value, self._urls[known])
        if missing:
            shown = printable(known)[:_SHOWN]
            why = self._variables.why(tuple(dict.fromkeys(missing)))
            raise RequirementsError(f"Pipfile.lock: the source {shown!r} {why}")
        return url


def _pin(name: str, details: Mapping[str, Any]) -> Pin:
    return Pin(
        name=canonicalize_name(name),
        version=text(details.get("version", "")).removeprefix("===").removeprefix("==").strip(),
        hashes=sha256_of(items(details.get("hashes"))),
        extras=tuple(canonicalize_name(text(extra)) for extra in items(details.get("extras"))),
    )


def _elsewhere(
    pin: Pin, details: Mapping[str, Any], folder: Path, top: Path
) -> Distribution | Unsized | None:
    """Return what does not come from an index, None for what does not."""
    if any(kind in details for kind in _VCS):
        reason = "it comes from a version control system; its size is known only after a build"
        return unsized(pin, reason)
    place = details.get("path") or details.get("file") or details.get("uri")
    if place is not None:
        if names := used(str(place)):
            return unsized(pin, f"its URL uses ${{{names[0]}}}, which slugcheck does not expand")
        if details.get("editable"):
            return unsized(pin, "it is editable; its size is known only after a build")
        return from_place(pin, text(place), folder, top)
    if not pin.version or pin.version == "*":
        return unsized(pin, "Pipfile.lock gives no version for it")
    return None
