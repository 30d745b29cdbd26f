"""What takes the place of a distribution that the resolver cannot use as it is, as a value.

The values and their memory between runs; standins.py makes them. Light to import: a run that
finds all it needs in the memory never loads what reads source archives.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion

from slugcheck import syntax
from slugcheck.errors import MeasureError
from slugcheck.index.cache import (
    Cache,
    inventory_from_document,
    inventory_to_document,
    is_fresh,
)
from slugcheck.index.ranges import redact
from slugcheck.index.stubs import repair_requirement, write_stub
from slugcheck.model import Artifact, Distribution, Inventory, SourceBuild, Unsized

# How long stand-ins are taken from the last run of the same file: a wheel may appear meanwhile.
_MEMORY_SECONDS = 24 * 3600.0
# Raised when what a stand-in is made from is read differently.
_MAKER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """One version of a distribution that was read outside the resolver."""

    name: str
    version: str
    artifact: Artifact
    inventory: Inventory
    source_build: SourceBuild | None
    direct_url: bool

    def write_stub(self, folder: Path) -> None:
        """Write the wheel of metadata that the resolver is given.

        :raises MeasureError: its metadata cannot be made valid.
        """
        write_stub(
            folder,
            name=self.name,
            version=self.version,
            requires=self.inventory.requires_dist,
            extras=self.inventory.provides_extra,
        )

    def replacing(self, distribution: Distribution) -> Distribution:
        """Return the distribution that was resolved with its real file."""
        return replace(
            distribution,
            version=self.version,
            artifact=self.artifact,
            direct_url=self.direct_url,
            source_build=self.source_build,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongPython:
    """A version that the target's Python cannot install and ``pythons`` of the platform can."""

    name: str
    version: str
    pythons: tuple[str, ...]


Found = StandIn | Unsized | WrongPython


class StandInMemory:
    """The stand-ins of the last run of a file for a target, so that the next takes one round."""

    def __init__(self, cache: Cache, *, used: bool = True) -> None:
        self._cache = cache
        self._used = used

    def recall(self, key: str) -> tuple[StandIn, ...]:
        """Return what was remembered under a key, nothing when it is a day old."""
        document = self._cache.load("stand-ins", key) if self._used else None
        if document is None or document.get("maker") != _MAKER or not _is_fresh(document):
            return ()
        found = [_from_document(item) for item in document.get("stand-ins", [])]
        return tuple(stand_in for stand_in in found if stand_in is not None)

    def remember(self, key: str, stand_ins: Sequence[StandIn]) -> None:
        """Keep stand-ins for the next run, unless they came from the last."""
        if not self._used or {*_pins(self.recall(key))} == {*_pins(stand_ins)}:
            return
        items = [_to_document(stand_in) for stand_in in stand_ins]
        document = {"maker": _MAKER, "at": time.time(), "stand-ins": items}
        self._cache.store("stand-ins", key, document)

    def recall_newest_python(self, key: str) -> tuple[str | None] | None:
        """Return the answer to Resolver.newest_python in a tuple, None when it is not known."""
        document = self._cache.load("newest-python", key) if self._used else None
        return (document.get("newest"),) if document and _is_fresh(document) else None

    def remember_newest_python(self, key: str, newest: str | None) -> None:
        """Keep that answer: finding it takes one resolution for each Python."""
        if self._used:
            self._cache.store("newest-python", key, {"at": time.time(), "newest": newest})


def _is_fresh(document: Mapping[str, Any]) -> bool:
    return is_fresh(document, _MEMORY_SECONDS)


def _pins(stand_ins: Sequence[StandIn]) -> list[str]:
    return [f"{stand_in.name}=={stand_in.version}" for stand_in in stand_ins]


def _to_document(stand_in: StandIn) -> dict[str, Any]:
    return {
        "name": stand_in.name,
        "version": stand_in.version,
        "artifact": {**asdict(stand_in.artifact), "url": redact(stand_in.artifact.url)},
        "inventory": inventory_to_document(stand_in.inventory),
        "build": asdict(stand_in.source_build) if stand_in.source_build else None,
    }


def _from_document(document: Mapping[str, Any]) -> StandIn | None:
    try:
        inventory = inventory_from_document(document["inventory"])
        build = document["build"]
        if inventory is None:
            return None
        if build is not None:
            build = SourceBuild(**{**build, "notes": tuple(build["notes"])})
        return StandIn(
            name=document["name"],
            version=document["version"],
            artifact=Artifact(**document["artifact"]),
            inventory=replace(inventory, via="sdist"),
            source_build=build,
            direct_url=False,
        )
    except (KeyError, TypeError, AttributeError):
        return None


def version_of(inventory: Inventory) -> str:
    """Return a wheel's version in the form that resolvers answer with.

    :raises MeasureError: it is no version.
    """
    text = inventory.dist_info.removesuffix(".dist-info").partition("-")[2]
    try:
        return str(syntax.version(text.replace("_", "-")))
    except InvalidVersion:
        raise MeasureError(f"its metadata is of a version that is none: {text[:40]!r}") from None


def repaired_requires(inventory: Inventory) -> tuple[str, ...]:
    """Return a wheel's Requires-Dist in a form the resolver takes.

    :raises MeasureError: a line cannot be understood.
    """
    lines = []
    for line in inventory.requires_dist:
        repaired = repair_requirement(line)
        if repaired is None:
            message = f"its metadata has a dependency that is no requirement: {line[:60]!r}"
            raise MeasureError(message)
        lines.append(repaired)
    return tuple(lines)
