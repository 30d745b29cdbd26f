"""Stand-ins for distributions that the resolver cannot use as they are, and those of the last run.

``sources`` makes them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from slugcheck.model import Artifact, BuildNeed, Distribution, Inventory, SourceBuild, Unsized
from slugcheck.packages.index.inventories import (
    Cache,
    inventory_from_document,
    inventory_to_document,
    is_fresh,
)
from slugcheck.packages.index.urls import redact
from slugcheck.packages.stub_wheels import write_stub

# How long stand-ins are taken from the last run of the same file: a wheel may appear meanwhile.
_MEMORY_SECONDS = 24 * 3600.0
# Raised when what a stand-in is made from is read differently.
_MAKER = 4


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


Outcome = StandIn | Unsized


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
        remembered = [_from_document(item) for item in document.get("stand-ins", [])]
        return tuple(stand_in for stand_in in remembered if stand_in is not None)

    def remember(self, key: str, stand_ins: Sequence[StandIn]) -> None:
        """Keep stand-ins for the next run, unless they came from the last."""
        if not self._used or {*_pins(self.recall(key))} == {*_pins(stand_ins)}:
            return
        items = [_to_document(stand_in) for stand_in in stand_ins]
        document = {"maker": _MAKER, "at": time.time(), "stand-ins": items}
        self._cache.store("stand-ins", key, document)


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
            needs = tuple(BuildNeed(**need) for need in build["needs"])
            lists = ("notes", "pythons_with_wheels", "pythons_that_build")
            tuples = {key: tuple(build[key]) for key in lists}
            build = SourceBuild(**{**build, **tuples, "needs": needs})
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
