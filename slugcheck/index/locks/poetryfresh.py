"""Whether Poetry would take a poetry.lock at all: its form, its project, its Python."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from packaging.version import InvalidVersion, Version

from slugcheck import syntax
from slugcheck.errors import BuildError, RequirementsError
from slugcheck.escape import printable
from slugcheck.index import poetry
from slugcheck.index.locks.pick import table, text

_LEGACY_KEYS = ("dependencies", "source", "extras", "dev-dependencies")
_PROJECT_KEYS = ("requires-python", "dependencies", "optional-dependencies")
# Before this version of Poetry the content hash left the dependency groups out.
_HASHES_GROUPS = Version("2.3.0")
LOCK_HINT = "run `poetry lock` and commit poetry.lock"
_SHOWN = 80


def lock_version(lock: Mapping[str, Any]) -> Version:
    """Return the version of a lock's form; 0 where it says none."""
    try:
        return syntax.version(text(table(lock, "metadata").get("lock-version", "")))
    except InvalidVersion:
        return Version("0")


def check_version(lock: Mapping[str, Any]) -> None:
    """Check that Poetry can read a lock.

    :raises BuildError: it cannot.
    """
    if not Version("1") <= lock_version(lock) < Version("3"):
        message = "the build would fail: Poetry cannot read the lock version of poetry.lock"
        raise BuildError(message, hint=LOCK_HINT)


def check_fresh(lock: Mapping[str, Any], pyproject: Mapping[str, Any], data: bytes) -> None:
    """Check that a lock was made from a pyproject.toml; ``data`` is the lock's bytes.

    :raises BuildError: it was not.
    """
    locked = table(lock, "metadata").get("content-hash")
    allowed = {content_hash(pyproject)}
    first = data.partition(b"\n")[0].decode("utf-8", errors="replace")
    made_by = re.search(r"Poetry ([^ ]+)", first)
    try:
        if made_by and syntax.version(made_by[1]) < _HASHES_GROUPS:
            allowed.add(content_hash(pyproject, groups=False))
    except InvalidVersion:
        pass
    if locked not in allowed:
        message = (
            "the build would fail: pyproject.toml changed significantly since poetry.lock was "
            "last generated"
        )
        raise BuildError(message, hint=LOCK_HINT)


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


def check_python(lock: Mapping[str, Any], python: str) -> None:
    """Check a full Python version against the project's constraint.

    :raises BuildError: it is not allowed.
    """
    wanted = table(lock, "metadata").get("python-versions")
    if isinstance(wanted, str) and allows(wanted, python) is False:
        message = (
            f"the build would fail: Python {python} is not allowed by the project "
            f"({printable(wanted)[:_SHOWN]})"
        )
        hint = "change .python-version, or the Python constraint in pyproject.toml"
        raise BuildError(message, hint=hint)


@functools.lru_cache(maxsize=4096)
def allows(constraint: str, version: str) -> bool | None:
    """Return whether Poetry's constraint allows a version; None when it cannot be told."""
    if len(constraint) > syntax.LONGEST_SPECIFIER:
        return None
    unknown = False
    for part in re.split(r"\|\|?", constraint):
        try:
            if syntax.specifiers(poetry.specifier(part)).contains(version, prereleases=True):
                return True
        except ValueError:
            unknown = True
    return None if unknown else False
