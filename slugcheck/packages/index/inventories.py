"""Inventories of wheels, from the on-disk cache or from the index.

The cache holds JSON documents by kind and key, is shared by all runs, and never stops a run. Each
document carries a checksum over its kind, key and content; one that is damaged or was moved is
dropped and read again. If the folder cannot be used, the cache switches itself off and explains why
once, in ``problem``. URLs and credentials are never stored.

The checksum guards against damage, not against someone who can write to the folder. So the folder
is the user's own (mode 0700; other users' files are not believed) and never lies in the checkout
under check, where a pull request could add entries.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
import sys
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import fields
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import platformdirs

from slugcheck import reading
from slugcheck.errors import UsageError, WheelError
from slugcheck.model import Artifact, Entry, Inventory, Transfer
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.once import Once
from slugcheck.packages.index.urls import local_path, split_credentials
from slugcheck.running import temporary
from slugcheck.text import printable

SCHEMA = 3  # raised when a document changes its shape; older folders are left alone
VARIABLE = "SLUGCHECK_CACHE_DIR"

# Bytes of a document, unpacked. The largest known, of homeassistant's 58,144 files, has 6 MB.
MAX_DOCUMENT = 64 * 10**6
_MAGIC = b"slugcheck\2"
_DIGEST = 32
_HAS_OWNERS = hasattr(os, "geteuid")  # Windows has access lists in their place
_LEVEL = 3  # zlib: 6 makes inventories 8 % smaller in twice the time
_SAFE_KEY = re.compile(r"[0-9a-z][0-9a-z._-]{0,99}")
_PLAIN_FIELDS = (
    "filename", "sha256", "file_bytes", "dist_info", "requires_python", "bytecode_factor",
    "slug_factor",
)  # fmt: skip
_PAIR_FIELDS = ("console_scripts", "gui_scripts")
_TUPLE_FIELDS = ("requires_dist", "provides_extra", "python_scripts")
# A frozen dataclass sets its fields one by one through object.__setattr__: 27 ms for 20,000
# entries. Setting the slots themselves takes 8 ms, and a warm run does little else.
_SLOTS: dict[str, Any] = {field.name: getattr(Entry, field.name) for field in fields(Entry)}
# An inventory holds what a sample compiled by the running Python showed.
_KIND = f"inventory-{sys.version_info.major}.{sys.version_info.minor}"
# Files of all wheels of a run together. The largest known wheel, homeassistant 2026.11, has 58,144;
# with torch, tensorflow, ansible, msgraph-sdk and oci it makes 148,000.
MAX_FILES = 200_000
# Lines of METADATA and entry_points.txt that say something, of all wheels of a run. boto3-stubs and
# types-boto3, the largest known, have 1,300 each.
MAX_LINES = 50_000
# Parts of a query that only sign it and change with each page; all others may say which file it is.
_SIGNATURES = ("x-amz-", "x-goog-")
_SIGNING = frozenset("expires signature key-pair-id policy awsaccesskeyid googleaccessid".split())


class Inventories:
    """Reads inventories, from the cache if possible. Thread-safe; hits need no network.

    ``shared`` are those that other checks of the run have read. Local files are not among them:
    which of them may be read, each client decides.
    """

    def __init__(
        self,
        *,
        client: HttpClient,
        cache: Cache,
        shared: Once[Artifact, Inventory] | None = None,
    ) -> None:
        self._client = client
        self._cache = cache
        self._shared = shared
        self._cached = 0
        self._counted: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def inventory(self, artifact: Artifact) -> Inventory:
        """Return what a wheel holds.

        :raises NetworkError: it cannot be fetched.
        :raises WheelError: it is not a valid wheel, or the run has read too many files.
        """
        fetched: list[Inventory] = []

        def find() -> Inventory:
            if (known := self._known(artifact)) is not None:
                return known
            fetched.append(self._read(artifact))
            return fetched[0]

        shared = self._shared if local_path(artifact.url) is None else None
        inventory = find() if shared is None else shared.get(artifact, find)
        with self._lock:
            self._cached += not fetched
            self._count(artifact, inventory)
        return inventory

    def _count(self, artifact: Artifact, inventory: Inventory) -> None:
        lines = (
            inventory.requires_dist, inventory.provides_extra, inventory.console_scripts,
            inventory.gui_scripts,
        )  # fmt: skip
        self._counted[artifact.url] = len(inventory.entries), sum(map(len, lines))
        files, lines_read = (sum(column) for column in zip(*self._counted.values(), strict=True))
        for amount, most, noun in (
            (files, MAX_FILES, "files"),
            (lines_read, MAX_LINES, "dependencies, extras and scripts"),
        ):
            if amount > most:
                raise WheelError(
                    f"{artifact.filename}: with it, the wheels have more than {most:,} {noun}",
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
        from slugcheck.packages.index.wheel import SourceSampler, read_inventory

        sampler = SourceSampler(artifact.filename)
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


class Cache:
    """Documents by (kind, key) below a folder; with ``None`` it holds nothing.

    Thread-safe and safe beside other runs: a document is written elsewhere and moved into place.
    ``problem`` is None, or one sentence on why nothing more is stored in this run.
    """

    def __init__(self, folder: Path | None, *, problem: str | None = None) -> None:
        self._folder = folder / f"v{SCHEMA}" if folder is not None else None
        self._checked = False
        self.problem = problem

    @property
    def is_used(self) -> bool:
        """Whether documents are stored."""
        return self._folder is not None and self.problem is None

    def load(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a document, or None; an entry that cannot be read or believed is dropped."""
        folder = self._folder  # another thread may give it up meanwhile
        if folder is None or not self._is_own(folder):
            return None
        try:
            held = _read(self._path(folder, kind, key))
        except FileNotFoundError:
            return None
        except OSError as error:
            self._give_up("read", error)
            return None
        document = _unpacked(held, kind, key) if held is not None else None
        if document is None:
            self.drop(kind, key)
        return document

    def store(self, kind: str, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document for later runs, unless it is too large or the folder does not let us."""
        folder = self._folder
        if folder is None or self.problem is not None or not self._is_own(folder):
            return
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        content = text.encode("utf-8", "surrogatepass")
        if len(content) > MAX_DOCUMENT:
            return
        packed = zlib.compress(content, _LEVEL)
        path = self._path(folder, kind, key)
        try:
            _write(path, _MAGIC + _checksum(packed, kind, key) + packed)
        except OSError as error:
            self._give_up("written", error)

    def drop(self, kind: str, key: str) -> None:
        """Forget a document."""
        if (folder := self._folder) is not None:
            with contextlib.suppress(OSError):  # it stays, and is dropped again when next read
                self._path(folder, kind, key).unlink(missing_ok=True)

    def _is_own(self, folder: Path) -> bool:
        """Make the folder, or check once that nobody else writes into it."""
        if self._checked:
            return True
        try:
            if not folder.parent.is_dir():
                folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            about = folder.lstat()
            if not stat.S_ISDIR(about.st_mode) or not _is_ours(about):
                raise PermissionError(errno.EPERM, "it belongs to another user")
            if about.st_mode & 0o077:
                folder.chmod(0o700)
        except OSError as error:
            if not _is_read_only(error, folder):
                self._give_up("used", error)
                return False
        self._checked = True
        return True

    def _path(self, folder: Path, kind: str, key: str) -> Path:
        if not _SAFE_KEY.fullmatch(key):
            key = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return folder / kind / key[:2] / f"{key}.json.zz"

    def _give_up(self, verb: str, error: OSError) -> None:
        if self.problem is None:
            reason = error.strerror or str(error)
            self.problem = f"the cache in {self._folder} cannot be {verb}: {reason}"
        if verb == "used":
            self._folder = None


def _is_read_only(error: OSError, folder: Path) -> bool:
    """Return whether a folder that is there only cannot be changed: it can still be read."""
    return error.errno == errno.EROFS and folder.is_dir()


def _read(path: Path) -> bytes | None:
    """Return an entry's bytes; None for what is not a plain file that only this user writes.

    :raises OSError: it is not there, or cannot be read.
    """
    try:
        handle = os.open(path, reading.OPEN_FLAGS)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            return None
        raise
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        own = _is_ours(about) and not (_HAS_OWNERS and about.st_mode & 0o022)
        if not own or not stat.S_ISREG(about.st_mode) or about.st_size > MAX_DOCUMENT:
            return None
        return file.read(MAX_DOCUMENT)


def _unpacked(held: bytes, kind: str, key: str) -> dict[str, Any] | None:
    """Return the document of an entry's bytes, None where they are not what was stored."""
    start = len(_MAGIC) + _DIGEST
    packed = held[start:]
    if held[:start] != _MAGIC + _checksum(packed, kind, key):
        return None
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, MAX_DOCUMENT)
        document = json.loads(content) if unpacker.eof else None
    except (zlib.error, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _checksum(packed: bytes, kind: str, key: str) -> bytes:
    digest = hashlib.blake2b(digest_size=_DIGEST)
    digest.update(f"{kind}\0{key}\0".encode("utf-8", "surrogatepass"))
    digest.update(packed)
    return digest.digest()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary.beside(path, ".new-") as written:
        written.write_bytes(content)
        written.replace(path)


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
            message = f"{VARIABLE} names the home of an unknown user: {named[:60]}"
            raise UsageError(message, hint="write the full path") from None
    return platformdirs.user_cache_path("slugcheck", appauthor=False)


def uv_cache_folder() -> Path:
    """Return where uv keeps its cache, by its own rules and the environment it is given."""
    if named := os.environ.get("UV_CACHE_DIR"):
        return Path(named)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base, "uv")
    if base := os.environ.get("LOCALAPPDATA", "") if os.name == "nt" else "":
        return Path(base, "uv", "cache")
    return Path("~/.cache/uv").expanduser()


def is_inside(folder: Path, checkout: Path) -> bool:
    """Return whether the way to a folder leads through a checkout, links followed at each step.

    A link in the checkout that points out of it is the checkout's as well: it says where to go.
    """
    top = checkout.resolve()
    way = folder.absolute()  # with its links and "..", which lead on from where a link ends
    return any(step.resolve().is_relative_to(top) for step in (way, *way.parents))


def trusted_folder(
    folder: Path, checkout: Path, *, variable: str = VARIABLE
) -> tuple[Path | None, str | None]:
    """Return a cache folder, or None and a sentence on why the checkout must not hold it.

    ``variable`` names another place for it.
    """
    if not is_inside(folder, checkout):
        return folder, None
    # a folder that is no checkout, but the user's own or the whole disk, brings nothing along
    if not (checkout / ".git").exists() and checkout.resolve() in (
        _home(),
        Path(checkout.resolve().anchor),
    ):
        return folder, None
    shown = printable(str(folder))
    return None, (
        f"the cache in {shown} is not used: it lies in the checked project, which could add "
        f"its own entries; set {variable} to a folder outside"
    )


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except RuntimeError:
        return None


def _is_ours(about: os.stat_result) -> bool:
    return not _HAS_OWNERS or about.st_uid == os.geteuid()
