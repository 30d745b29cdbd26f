"""Documents on disk by kind and key, shared by all runs; a convenience that never stops a run.

Whatever is wrong with an entry, it is dropped and read again. Whatever is wrong with the folder,
the cache goes quiet and says so once, in ``problem``. URLs and credentials are never stored.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
import zlib
from collections.abc import Mapping
from dataclasses import fields
from itertools import repeat
from pathlib import Path
from typing import Any

import platformdirs

from slugcheck.errors import UsageError
from slugcheck.model import Entry, Inventory

SCHEMA = 1  # raised when a document changes its shape; older folders are left alone
VARIABLE = "SLUGCHECK_CACHE_DIR"

_LEVEL = 3  # zlib: 6 makes inventories 8 % smaller in twice the time
_SAFE_KEY = re.compile(r"[0-9a-z][0-9a-z._-]{0,99}")
_PLAIN_FIELDS = (
    "filename", "sha256", "file_bytes", "dist_info", "requires_python", "bytecode_factor",
)  # fmt: skip
_PAIR_FIELDS = ("console_scripts", "gui_scripts")
_TUPLE_FIELDS = ("requires_dist", "provides_extra", "python_scripts")


def is_fresh(document: Mapping[str, Any], seconds: float) -> bool:
    """Return whether a document whose ``at`` says when it was made is younger than that."""
    at = document.get("at")
    return isinstance(at, int | float) and 0 <= time.time() - at < seconds


def default_folder() -> Path:
    """Return ``SLUGCHECK_CACHE_DIR``, else the place this system has for caches."""
    if named := os.environ.get(VARIABLE):
        try:
            return Path(named).expanduser()
        except RuntimeError:
            message = f"{VARIABLE} names the home of no user: {named[:60]}"
            raise UsageError(message, hint="write the whole path") from None
    return platformdirs.user_cache_path("slugcheck", appauthor=False)


class Cache:
    """Documents by (kind, key) below a folder; with ``None`` it holds nothing.

    Thread-safe and safe beside other runs: a document is written elsewhere and moved into place.
    ``problem`` is None, or one sentence on why nothing more is stored in this run.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / f"v{SCHEMA}" if folder is not None else None
        self.problem: str | None = None

    def load(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a document, or None; an entry that cannot be read is dropped."""
        if self._folder is None:
            return None
        path = self._path(self._folder, kind, key)
        try:
            document = json.loads(zlib.decompress(path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            self._give_up("read", error)
            return None
        except (zlib.error, ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            self.drop(kind, key)
            return None
        return document

    def store(self, kind: str, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document for later runs, unless the folder does not let us."""
        if self._folder is None or self.problem is not None:
            return
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        packed = zlib.compress(text.encode("utf-8", "surrogatepass"), _LEVEL)
        try:
            _write(self._path(self._folder, kind, key), packed)
        except OSError as error:
            self._give_up("written", error)

    def drop(self, kind: str, key: str) -> None:
        """Forget a document."""
        if self._folder is not None:
            with contextlib.suppress(OSError):  # it stays, and is dropped again when next read
                self._path(self._folder, kind, key).unlink(missing_ok=True)

    def _path(self, folder: Path, kind: str, key: str) -> Path:
        if not _SAFE_KEY.fullmatch(key):
            key = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return folder / kind / key[:2] / f"{key}.json.zz"

    def _give_up(self, verb: str, error: OSError) -> None:
        if self.problem is None:
            reason = error.strerror or str(error)
            self.problem = f"the cache in {self._folder} cannot be {verb}: {reason}"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# --------------------------------------------------------------------------- inventories


def inventory_to_document(inventory: Inventory) -> dict[str, Any]:
    """Return an inventory as a document: its entries as parallel lists, with their totals."""
    entries = inventory.entries
    return {
        **{name: getattr(inventory, name) for name in _PLAIN_FIELDS},
        **{name: list(getattr(inventory, name)) for name in _TUPLE_FIELDS},
        **{name: [list(pair) for pair in getattr(inventory, name)] for name in _PAIR_FIELDS},
        "paths": [entry.path for entry in entries],
        "sizes": [entry.size for entry in entries],
        "compressed": [entry.compressed for entry in entries],
        "stored": [index for index, entry in enumerate(entries) if entry.stored],
        "totals": _totals(entries),
    }


def inventory_from_document(document: Mapping[str, Any]) -> Inventory | None:
    """Return the inventory, with ``via`` "cache"; None when the document contradicts itself."""
    try:
        entries = _entries(document)
        if _totals(entries) != document["totals"]:
            return None
        values: dict[str, Any] = {name: document[name] for name in _PLAIN_FIELDS}
        values |= {name: tuple(document[name]) for name in _TUPLE_FIELDS}
        values |= {name: tuple((a, b) for a, b in document[name]) for name in _PAIR_FIELDS}
        return Inventory(entries=entries, via="cache", **values)
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _totals(entries: tuple[Entry, ...]) -> list[int]:
    return [
        len(entries),
        sum(entry.size for entry in entries),
        sum(entry.compressed for entry in entries),
    ]


# A frozen dataclass sets its fields one by one through object.__setattr__: 27 ms for 20,000
# entries. Setting the slots themselves takes 8 ms, and a warm run does little else.
_SLOTS: dict[str, Any] = {field.name: getattr(Entry, field.name) for field in fields(Entry)}


def _entries(document: Mapping[str, Any]) -> tuple[Entry, ...]:
    paths = document["paths"]
    stored = [False] * len(paths)
    for index in document["stored"]:
        stored[index] = True
    columns = {
        "path": paths,
        "size": document["sizes"],
        "compressed": document["compressed"],
        "stored": stored,
    }
    entries = tuple(map(Entry.__new__, repeat(Entry, len(paths))))
    for name, values in columns.items():
        put = _SLOTS[name].__set__
        for entry, value in zip(entries, values, strict=True):
            put(entry, value)
    return entries
