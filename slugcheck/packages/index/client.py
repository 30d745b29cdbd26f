"""The HTTP client for whole files and for byte ranges; local files are read in place.

A 206 response is believed only if Content-Range and body match the request. If a server refuses or
ignores ranges, or answers them wrongly, the whole file is downloaded once and the host is
remembered. Nothing is read twice: received bytes are kept until the file is closed.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, Self, TypeVar

from slugcheck import reading
from slugcheck.errors import MeasureError, NetworkError
from slugcheck.model import Artifact, IndexOptions, Transfer
from slugcheck.packages.index.urls import (
    BrokenOffError,
    Credentials,
    TooLargeError,
    credentials_in,
    host_of,
    local_path,
    redact,
    refused,
)
from slugcheck.packages.index.zip_directory import TAIL
from slugcheck.text import printable

if TYPE_CHECKING:
    from requests import Response

    from slugcheck.packages.index.http import Session

T = TypeVar("T")

# Bytes of a source archive read into memory; of a larger one only the beginning is.
MAX_WHOLE = 64 * 2**20
_BODY_ATTEMPTS = 3
# A whole file goes to the disk when its server has no ranges; the largest wheels near 1 GB.
MAX_SPOOLED = 2 * 10**9
_IN_MEMORY = 8 * 10**6  # of a whole file, before it goes to the disk
_CHUNK = 64 * 1024
# The mechanism is refused, not the file: a plain GET may do. 416 can also mean that the file is
# shorter than the index says.
_NO_RANGES = {400, 403, 405, 416, 501}
_DIGITS = 18  # of a length in bytes; Python refuses to convert numbers of thousands
_CONTENT_RANGE = re.compile(
    rf"bytes (\d{{1,{_DIGITS}}})-(\d{{1,{_DIGITS}}})/(\d{{1,{_DIGITS}}}|\*)", re.ASCII
)
# A server may compress what it sends; pages become 20 times smaller, a bomb 1,000 times.
_MAX_RATIO = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file read whole; ``url`` is the one after redirects."""

    url: str
    content_type: str
    body: bytes


class HttpClient:
    """One session for everything; thread-safe; a context manager.

    Credentials are taken from the URLs of ``index`` and from ``credentials`` (by scheme, host and
    port), and are sent there only; ``trusted_hosts`` (also those of ``index``) are not verified.
    With ``offline``, whatever would need the network raises ``NetworkError``. ``local`` are the
    folders, as real paths, that ``file:`` URLs may lead into; None: any. A page, a lock or a line
    of the checked project may name any file of this machine. ``memory`` is what other clients of
    the run have learnt of hosts.
    """

    def __init__(
        self,
        *,
        index: IndexOptions | None = None,
        credentials: Mapping[str, Credentials] | None = None,
        trusted_hosts: Collection[str] = (),
        offline: bool = False,
        local: Collection[Path] | None = None,
        memory: RangeMemory | None = None,
    ) -> None:
        index = index or IndexOptions()
        urls = (index.index_url or "", *index.extra_index_urls, *index.find_links)
        self._credentials = {**credentials_in(urls), **(credentials or {})}
        self._named_origins = index.named_origins
        self._trusted_hosts = frozenset((*index.trusted_hosts, *trusted_hosts))
        self._offline = offline
        self._local = None if local is None else list(local)
        self._lock = threading.Lock()
        self._session: Session | None = None
        self.memory = memory or RangeMemory()

    @property
    def session(self) -> Session:
        """The requests session, made on first use."""
        if self._offline:
            raise NetworkError(
                "this needs the network, but --offline is set",
                hint="run once without --offline to fill the cache",
            )
        from slugcheck.packages.index.http import Meter, Session

        with self._lock:
            if self._session is None:
                self._session = Session(
                    credentials=self._credentials,
                    trusted_hosts=self._trusted_hosts,
                    named_origins=self._named_origins,
                    meter=Meter(),
                )
            return self._session

    def get(self, url: str, max_bytes: int = MAX_WHOLE, *, sha256: str | None = None) -> bytes:
        """Return a whole file.

        :raises TooLargeError: it has more than ``max_bytes``; no more than these were read.
        :raises NetworkError: it cannot be fetched, or its sha256 differs.
        """
        return self.fetch(url, max_bytes, sha256=sha256).body

    def fetch(
        self,
        url: str,
        max_bytes: int = MAX_WHOLE,
        *,
        sha256: str | None = None,
        accept: str | None = None,
    ) -> Fetched:
        """Return a whole file with its content type; see ``get``.

        With ``accept``, the Accept header, it is a page and may come compressed.
        """
        path = local_path(url)
        if path is not None:
            fetched = Fetched(url=url, content_type="", body=self._read_local(path, max_bytes))
        else:
            fetched = self.attempt(lambda: self._fetch(url, max_bytes, accept))
        if sha256 is not None and hashlib.sha256(fetched.body).hexdigest() != sha256.lower():
            raise wrong_hash(url)
        return fetched

    def _fetch(self, url: str, max_bytes: int, accept: str | None) -> Fetched:
        # Some servers call a .tar.gz gzip-encoded, and requests would unpack it.
        headers = {"Accept": accept} if accept else {"Accept-Encoding": "identity"}
        with self.session.ask(url, headers, max_bytes) as response:
            if response.status_code != 200:
                authorized = "Authorization" in response.request.headers
                raise refused(url, response.status_code, authorized=authorized)
            body = bytearray()  # no list of pieces: a server may send them byte by byte
            for piece in chunks(response, url, max_bytes):
                body += piece
            kind = response.headers.get("Content-Type", "")
            return Fetched(url=response.url, content_type=kind, body=bytes(body))

    def attempt(self, exchange: Callable[[], T]) -> T:
        """Return what ``exchange`` returns, run again when its body breaks off half way."""
        for _ in range(_BODY_ATTEMPTS - 1):
            try:
                return exchange()
            except BrokenOffError:
                continue
        return exchange()

    def open_file(self, artifact: Artifact) -> LocalFile | RemoteFile:
        """Return a file to read spans of, as a context manager.

        :raises NetworkError: a local file is not there; a remote one is not asked for yet.
        """
        path = local_path(artifact.url)
        return self._open_local(path) if path is not None else RemoteFile(artifact, self)

    def admit(self, folder: Path) -> None:
        """Allow ``file:`` URLs to lead into one more folder, such as that of a wheel built here."""
        if self._local is not None:
            self._local.append(folder.resolve())

    def admits(self, path: Path) -> bool:
        """Return whether a ``file:`` URL may lead to a path; it need not be there."""
        return self._local is None or any(
            not reading.leaves(path, folder) for folder in self._local
        )

    def _open_local(self, path: Path) -> LocalFile:
        if self._local is None:
            return LocalFile(path)
        for folder in self._local:
            if not reading.leaves(path, folder):
                return LocalFile(path, within=folder)
        message = f"{printable(str(path))} is outside the checkout, so it is not read"
        raise NetworkError(message, hint="name its folder with --find-links")

    def _read_local(self, path: Path, max_bytes: int) -> bytes:
        with self._open_local(path) as file:
            if file.size > max_bytes:
                raise TooLargeError(str(path), size=file.size, limit=max_bytes)
            return file.span(0, file.size)

    def transfer(self) -> Transfer:
        """Return the requests sent (with retries and redirects) and body bytes received so far."""
        with self._lock:
            return self._session.meter.transfer() if self._session else Transfer()

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._session is not None:
                self._session.close()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Source(Protocol):
    """A file of known size that gives any of its spans."""

    @property
    def size(self) -> int:
        """Length in bytes; the first use may cost requests."""
        ...

    @property
    def via(self) -> str:
        """How it was read so far: ``range``, ``full`` or ``local``."""
        ...

    def span(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop``, which lie within the file."""
        ...


class LocalFile:
    """A regular file of this machine, read in place; ``within`` is a folder that it must be in."""

    via = "local"

    def __init__(self, path: Path, *, within: Path | None = None) -> None:
        try:
            self._file = reading.opened(path, within=within or Path("/"))
        except reading.Refused as error:
            raise NetworkError(str(error), hint=error.hint) from None
        except OSError as error:
            raise NetworkError(
                f"{path} cannot be read: {error.strerror}", hint="correct the path"
            ) from error
        self.size = os.fstat(self._file.fileno()).st_size

    def span(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop``."""
        self._file.seek(start)
        return self._file.read(stop - start)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RangeMemory:
    """Which hosts do not support ranges, or suffix ranges; shared by all files of a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._without: set[tuple[str, str]] = set()

    def lacks(self, host: str, ability: str) -> bool:
        """Return whether ``host`` is known to lack ``ranges`` or ``suffix``."""
        with self._lock:
            return (host, ability) in self._without

    def learn(self, host: str, ability: str) -> None:
        """Remember that ``host`` lacks an ability."""
        with self._lock:
            self._without.add((host, ability))


class RemoteFile:
    """A file on a server. Not thread-safe: one thread reads one file.

    Requests: none until something is asked for; one per span that is not held yet. Without a size
    from the index, one request for the tail learns it too (two where suffix ranges are refused).
    """

    def __init__(self, artifact: Artifact, client: HttpClient) -> None:
        self._artifact = artifact
        self._client = client
        self._url = artifact.url  # that of the last redirect, once there was one
        self._host = host_of(artifact.url)
        self._size = artifact.size
        self._held: list[tuple[int, bytes]] = []
        self._whole: IO[bytes] | None = None
        self._spools = ExitStack()

    @property
    def via(self) -> str:
        """``full`` when the server made us read the whole file, else ``range``."""
        return "range" if self._whole is None else "full"

    @property
    def size(self) -> int:
        """Length in bytes, learned with the tail where the index did not say it."""
        if self._size is None:
            self._learn_size()
        assert self._size is not None  # noqa: S101 - a whole file has a length
        return self._size

    def span(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop``; asks only for what is not held.

        :raises NetworkError: the file cannot be fetched.
        """
        if self._whole is None:
            low, high = self._missing(start, stop)
            if low < high:
                self._fetch(low, high)
        if self._whole is not None:
            self._whole.seek(start)
            return self._whole.read(stop - start)
        return self._assemble(start, stop)

    def close(self) -> None:
        """Release the bytes that are held."""
        self._held.clear()
        self._spools.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _missing(self, start: int, stop: int) -> tuple[int, int]:
        """Return the one span that covers all bytes between the two that are not held."""
        low, high = start, stop
        for at, held in sorted(self._held):
            if at <= low < at + len(held):
                low = at + len(held)
        for at, held in sorted(self._held, reverse=True):
            if at < high <= at + len(held):
                high = at
        return low, high

    def _assemble(self, start: int, stop: int) -> bytes:
        for at, held in self._held:
            if at <= start and stop <= at + len(held):
                return held[start - at : stop - at]
        wanted = bytearray(stop - start)
        for at, held in self._held:
            low, high = max(start, at), min(stop, at + len(held))
            if low < high:
                wanted[low - start : high - start] = held[low - at : high - at]
        return bytes(wanted)

    def _fetch(self, start: int, stop: int) -> None:
        """Hold the bytes from ``start`` up to ``stop``, or the whole file."""
        if not self._client.memory.lacks(self._host, "ranges"):
            answer = self._ask(f"bytes={start}-{stop - 1}", (start, stop))
            if answer is not None:
                self._held.append((start, answer))
            if answer is not None or self._whole is not None:
                return
        self._read_whole()

    def _learn_size(self) -> None:
        """Learn the length, by a suffix range if the host does these, else by a first byte."""
        memory = self._client.memory
        if memory.lacks(self._host, "ranges"):
            self._read_whole()
            return
        if not memory.lacks(self._host, "suffix"):
            tail = self._ask(f"bytes=-{TAIL}", None)
            if tail is not None and self._size is not None:
                self._held.append((self._size - len(tail), tail))
            if self._size is not None:
                return
            memory.learn(self._host, "suffix")
        first = self._ask("bytes=0-0", (0, 1))
        if first is None and self._whole is None:
            self._read_whole()

    def _ask(self, wanted: str, span: tuple[int, int] | None) -> bytes | None:
        """Return a span's bytes; None when ranges are refused or the whole file came instead."""
        return self._client.attempt(lambda: self._exchange(wanted, span))

    def _exchange(self, wanted: str, span: tuple[int, int] | None) -> bytes | None:
        headers = {"Range": wanted, "Accept-Encoding": "identity"}
        with self._client.session.ask(self._url, headers, MAX_SPOOLED) as response:
            if response.history:
                self._url = response.url
            status = response.status_code
            if status == 206:
                return self._believed(response, span)
            if status != 200 and status not in _NO_RANGES:
                raise self._refusal(response)
            if status != 416 and span != (0, self._size):  # 416 speaks for one file only, and
                self._learn_lack(span)  # 200 is no lack where all of the file was asked for
            if status == 200:
                self._absorb(response)
            return None

    def _believed(self, response: Response, span: tuple[int, int] | None) -> bytes | None:
        """Return the body of a 206 if it is what was asked for; else remember the host."""
        start, stop, total = _content_range(response, self._size)
        if total is not None and self._size not in (None, total):
            return None  # another file than the index says: read it whole, the hash decides
        if total is not None and (start, stop) == (span or (max(0, total - TAIL), total)):
            body = _at_most(response, stop - start + 1)
            if len(body) == stop - start:
                self._size = total
                return body
        self._learn_lack(span)
        return None

    def _learn_lack(self, span: tuple[int, int] | None) -> None:
        self._client.memory.learn(self._host, "suffix" if span is None else "ranges")

    def _read_whole(self) -> None:
        self._client.attempt(self._exchange_whole)

    def _exchange_whole(self) -> None:
        headers = {"Accept-Encoding": "identity"}
        with self._client.session.ask(self._artifact.url, headers, MAX_SPOOLED) as response:
            if response.status_code != 200:
                raise self._refusal(response)
            self._absorb(response)

    def _absorb(self, response: Response) -> None:
        """Take a 200 answer as the whole file."""
        spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - see close()
        self._spools.enter_context(spool)
        size, digest = _spool(response, self._artifact.url, spool)
        self._check_whole(size, digest)
        self._whole, self._size = spool, size

    def _check_whole(self, size: int, digest: str) -> None:
        expected = self._artifact.sha256
        if expected is not None and digest != expected.lower():
            raise wrong_hash(self._artifact.url)
        if expected is None and self._artifact.size not in (None, size):
            raise NetworkError(
                f"{redact(self._artifact.url)} has {size:,} bytes, "
                f"but the index says {self._artifact.size:,}",
                hint="the server sends a different file from the locked one: lock again",
            )

    def _refusal(self, response: Response) -> NetworkError:
        authorized = "Authorization" in response.request.headers
        return refused(self._artifact.url, response.status_code, authorized=authorized)


def chunks(response: Response, url: str, limit: int) -> Iterator[bytes]:
    """Yield a body piece by piece.

    :raises TooLargeError: it has more than ``limit`` bytes.
    """
    declared = response.headers.get("Content-Length", "")
    counts = declared.isascii() and declared.isdecimal()
    size = int(declared) if counts and len(declared) <= _DIGITS else None
    if (size is not None and size > limit) or (counts and size is None):
        raise TooLargeError(url, size=size, limit=limit)
    packed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    count = 0
    for chunk in response.iter_content(_CHUNK):
        count += len(chunk)
        if count > limit:
            raise TooLargeError(url, size=None if packed else size, limit=limit)
        if packed and count > _MAX_RATIO * (response.raw.tell() + _CHUNK):
            raise NetworkError(
                f"{redact(url)} decompresses to more than {_MAX_RATIO} times its transfer size",
                hint="check the URL and any proxy",
            )
        yield chunk


def _content_range(response: Response, known: int | None) -> tuple[int, int, int | None]:
    """Return start, stop and total length of a 206; total is None when it is of no use."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if not match or response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return 0, 0, None
    total = known if match[3] == "*" else int(match[3])
    return int(match[1]), int(match[2]) + 1, total


def wrong_hash(url: str) -> NetworkError:
    """Return the error for content that is not what the index or the lock promised."""
    return NetworkError(
        f"{redact(url)} does not match its sha256",
        hint="the file was replaced or damaged in transit: lock again, or clear the proxy's cache",
    )


def _at_most(response: Response, count: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) >= count:
            break
    return bytes(body)


def _spool(response: Response, url: str, spool: IO[bytes]) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks(response, url, MAX_SPOOLED):
        digest.update(chunk)
        size += len(chunk)
        try:
            spool.write(chunk)
        except OSError as error:
            raise MeasureError(
                f"{redact(url)} must be downloaded whole; its temporary file cannot be written: "
                f"{error.strerror}",
                hint="free some space, or set TMPDIR to a larger folder",
            ) from error
    return size, digest.hexdigest()
