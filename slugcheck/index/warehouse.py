"""Inventories of wheels, from the cache or from the index, read once per run and content hash."""

from __future__ import annotations

import sys
import threading

from slugcheck.index.cache import Cache, inventory_from_document, inventory_to_document
from slugcheck.index.ranges import HttpClient
from slugcheck.model import Artifact, Inventory, Transfer

# An inventory holds what a sample compiled by the running Python showed.
_KIND = f"inventory-{sys.version_info.major}.{sys.version_info.minor}"


class Warehouse:
    """Where inventories come from. Thread-safe; wheels never change, so hits need no network."""

    def __init__(self, *, client: HttpClient, cache: Cache) -> None:
        self._client = client
        self._cache = cache
        self._cached = 0
        self._lock = threading.Lock()

    def inventory(self, artifact: Artifact) -> Inventory:
        """Return what a wheel holds.

        :raises NetworkError: it cannot be fetched.
        :raises WheelError: it is no sound wheel.
        """
        if artifact.sha256 is None:
            return self._read(artifact)
        document = self._cache.load(_KIND, artifact.sha256)
        known = inventory_from_document(document) if document is not None else None
        if known is not None:
            with self._lock:
                self._cached += 1
            return known
        inventory = self._read(artifact)
        self._cache.store(_KIND, artifact.sha256, inventory_to_document(inventory))
        return inventory

    def _read(self, artifact: Artifact) -> Inventory:
        # loaded when the first wheel is read: a run that finds all in the cache needs neither
        from slugcheck.index.sampling import BytecodeSampler
        from slugcheck.index.wheel import read_inventory

        return read_inventory(artifact, self._client, sampler=BytecodeSampler(artifact.filename))

    def transfer(self) -> Transfer:
        """Return what was fetched so far, and how many inventories came from the cache."""
        done = self._client.transfer()
        return Transfer(requests=done.requests, bytes=done.bytes, cached=self._cached)
