"""The client that all parts share: whole files with a cap, single spans, and the traffic so far."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from slugcheck import reading
from slugcheck.errors import NetworkError
from slugcheck.escape import printable
from slugcheck.index.ranges.files import (
    LocalFile,
    RangeMemory,
    RemoteFile,
    chunks,
    wrong_hash,
)
from slugcheck.index.ranges.refusals import BrokenOffError, TooLargeError, refused
from slugcheck.index.ranges.urls import Credentials, credentials_in, local_path
from slugcheck.model import Artifact, IndexOptions, Transfer

if TYPE_CHECKING:
    from slugcheck.index.ranges.session import Session

T = TypeVar("T")

MAX_WHOLE = 64 * 10**6  # bytes of a source archive or a page read into memory
_BODY_ATTEMPTS = 3


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
    of the checked project may name any file of this machine.
    """

    def __init__(
        self,
        *,
        index: IndexOptions | None = None,
        credentials: Mapping[str, Credentials] | None = None,
        trusted_hosts: Collection[str] = (),
        offline: bool = False,
        local: Collection[Path] | None = None,
    ) -> None:
        index = index or IndexOptions()
        urls = (index.index_url or "", *index.extra_index_urls, *index.find_links)
        self._credentials = {**credentials_in(urls), **(credentials or {})}
        self._trusted_hosts = frozenset((*index.trusted_hosts, *trusted_hosts))
        self._offline = offline
        self._local = None if local is None else list(local)
        self._lock = threading.Lock()
        self._session: Session | None = None
        self.memory = RangeMemory()

    @property
    def session(self) -> Session:
        """The requests session, for a library that wants one; wrap its calls in ``explained``."""
        if self._offline:
            raise NetworkError(
                "this needs the network, which --offline forbids",
                hint="run once without --offline to fill the cache",
            )
        from slugcheck.index.ranges.session import Meter, Session

        with self._lock:
            if self._session is None:
                self._session = Session(
                    credentials=self._credentials,
                    trusted_hosts=self._trusted_hosts,
                    meter=Meter(),
                )
            return self._session

    def explained(self, url: str) -> AbstractContextManager[None]:
        """Return a context in which the exceptions of requests become a ``NetworkError``."""
        from slugcheck.index.ranges.session import explained

        return explained(url)

    def get(self, url: str, max_bytes: int = MAX_WHOLE, *, sha256: str | None = None) -> bytes:
        """Return a whole file.

        :raises TooLargeError: it has more than ``max_bytes``; no more than these were read.
        :raises NetworkError: it cannot be had, or its content hash is another one.
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
            found = Fetched(url=url, content_type="", body=self._read_local(path, max_bytes))
        else:
            found = self.attempt(lambda: self._fetch(url, max_bytes, accept))
        if sha256 is not None and hashlib.sha256(found.body).hexdigest() != sha256.lower():
            raise wrong_hash(url)
        return found

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
        return self._local is None or any(not reading.leaves(path, one) for one in self._local)

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
