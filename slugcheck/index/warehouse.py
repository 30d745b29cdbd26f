"""Inventories of wheels, from the cache or from the index.

An index, a URL or a lock can claim any content hash for what it links, and reading spans of a wheel
cannot tell whether it is true. So an inventory is known by the URL that was read, together with
the hash, size and file name claimed for it: it never speaks for a file of another place.
"""

from __future__ import annotations

import sys
import threading
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from slugcheck.errors import WheelError
from slugcheck.index.cache import Cache, inventory_from_document, inventory_to_document
from slugcheck.index.ranges import HttpClient, local_path
from slugcheck.index.ranges.urls import split_credentials
from slugcheck.model import Artifact, Inventory, Transfer

# An inventory holds what a sample compiled by the running Python showed.
_KIND = f"inventory-{sys.version_info.major}.{sys.version_info.minor}"
# Files of all wheels of a run together. The largest known wheel, homeassistant 2026.11, has 58,144;
# with torch, tensorflow, ansible, msgraph-sdk and oci it makes 148,000.
MAX_ENTRIES = 200_000
# Lines of METADATA and entry_points.txt that say something, of all wheels of a run. boto3-stubs and
# types-boto3, the largest known, have 1,300 each.
MAX_LINES = 50_000
# Parts of a query that only sign it and change with each page; all others may say which file it is.
_SIGNATURES = ("x-amz-", "x-goog-")
_SIGNING = frozenset("expires signature key-pair-id policy awsaccesskeyid googleaccessid".split())


class Warehouse:
    """Where inventories come from. Thread-safe; wheels never change, so hits need no network."""

    def __init__(self, *, client: HttpClient, cache: Cache) -> None:
        self._client = client
        self._cache = cache
        self._cached = 0
        self._counted: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def inventory(self, artifact: Artifact) -> Inventory:
        """Return what a wheel holds.

        :raises NetworkError: it cannot be fetched.
        :raises WheelError: it is no sound wheel, or the run has read too many files.
        """
        inventory = self._known(artifact) or self._read(artifact)
        with self._lock:
            self._cached += inventory.via == "cache"
            self._count(artifact, inventory)
        return inventory

    def _count(self, artifact: Artifact, inventory: Inventory) -> None:
        lines = (
            inventory.requires_dist, inventory.provides_extra, inventory.console_scripts,
            inventory.gui_scripts,
        )  # fmt: skip
        self._counted[artifact.url] = len(inventory.entries), sum(map(len, lines))
        files, said = (sum(column) for column in zip(*self._counted.values(), strict=True))
        what = "files" if files > MAX_ENTRIES else "dependencies, extras and scripts"
        if files > MAX_ENTRIES or said > MAX_LINES:
            most = MAX_ENTRIES if files > MAX_ENTRIES else MAX_LINES
            raise WheelError(
                f"{artifact.filename}: with it, the wheels have more than {most:,} {what}",
                hint="check fewer requirements at a time",
            )

    def _known(self, artifact: Artifact) -> Inventory | None:
        key = key_of(artifact)
        document = self._cache.load(_KIND, key) if key is not None else None
        known = inventory_from_document(document) if document is not None else None
        if known is None or not _fits(known, artifact):
            return None
        return known

    def _read(self, artifact: Artifact) -> Inventory:
        # loaded when the first wheel is read: a run that finds all in the cache needs neither
        from slugcheck.index.sampling import BytecodeSampler
        from slugcheck.index.wheel import read_inventory

        sampler = BytecodeSampler(artifact.filename)
        inventory = read_inventory(artifact, self._client, sampler=sampler)
        key = key_of(artifact)
        if key is not None and self._cache.is_used:
            self._cache.store(_KIND, key, inventory_to_document(inventory))
        return inventory

    def transfer(self) -> Transfer:
        """Return what was fetched so far, and how many inventories came from the cache."""
        done = self._client.transfer()
        return Transfer(requests=done.requests, bytes=done.bytes, cached=self._cached)


def key_of(artifact: Artifact) -> str | None:
    """Return what an artifact's inventory is kept under; None when it is read anew each time.

    That is a local file, which changes while what is claimed of it stays, and one without a hash.
    The size is not in the key, since some locks do not state it: it has to fit what was kept.
    """
    if artifact.sha256 is None or local_path(artifact.url) is not None:
        return None
    clean, _ = split_credentials(artifact.url)
    parts = urlsplit(clean)
    query = "&".join(
        f"{name}={value}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not name.lower().startswith(_SIGNATURES) and name.lower() not in _SIGNING
    )
    host = parts.netloc.lower()
    place = urlunsplit((parts.scheme.lower(), host, parts.path, query, ""))
    return "\n".join((artifact.sha256.lower(), artifact.filename, place))


def _fits(inventory: Inventory, artifact: Artifact) -> bool:
    """Return whether what was kept is of that file, as far as it says itself."""
    return (
        inventory.filename == artifact.filename
        and (inventory.sha256 or "").lower() == (artifact.sha256 or "").lower()
        and artifact.size in (None, inventory.file_bytes)
    )
