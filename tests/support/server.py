"""A package index on the loopback, over real HTTP, with named ways to misbehave.

It knows nothing of slugcheck's reader: it speaks HTTP/1.1, PEP 503 (HTML), PEP 691 (JSON) and
PEP 658 (metadata beside the wheel), and records every request, so that tests can assert how many
there were.

    with PackageServer() as server:
        server.add_wheel("demo", "1.0", {"demo.py": "x = 1"})
        artifact = server.artifact("demo-1.0-py3-none-any.whl")
        server.set_quirk(artifact.filename, Quirk.NO_RANGES)
        ...
        assert [hit.range for hit in server.hits_of(artifact.filename)] == ["bytes=0-511"]
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import html
import io
import json
import re
import socket
import ssl
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from slugcheck.model import Artifact
from tests.support.wheels import Archive, make_sdist, make_wheel

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"
SLOW_SECONDS = 0.3
RETRY_AFTER_SECONDS = 1

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Quirk(StrEnum):
    """How a file, a project's page or the whole server answers."""

    HONEST = "honest"
    NO_SUFFIX = "no_suffix"  # 501 to bytes=-N, as the public index answers
    NO_RANGES = "no_ranges"  # 200 with the whole body, and no Accept-Ranges header
    IGNORES_RANGES = "ignores_ranges"  # says Accept-Ranges: bytes, answers 200 all the same
    WRONG_CONTENT_RANGE = "wrong_content_range"  # 206, but the header names other bytes
    NO_CONTENT_RANGE = "no_content_range"  # 206 without the header
    SHORT_BODY = "short_body"  # 206 with fewer bytes than Content-Range says
    TRUNCATED = "truncated"  # the connection ends before Content-Length is reached
    GZIP_ENCODED = "gzip_encoded"  # ranges of a compressed form; a plain GET is identity
    GZIP_ALWAYS = "gzip_always"  # a plain GET is compressed as well
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    RANGES_FORBIDDEN = "403 to ranges"  # a plain GET is fine
    NOT_FOUND = "404"
    UNSATISFIABLE = "416"  # to ranges; a plain GET is fine
    TOO_MANY_ONCE = "429 once"  # with Retry-After, then fine
    TOO_MANY_ALWAYS = "429"
    ERROR_ONCE = "500 once"
    ERROR_ALWAYS = "500"
    SLOW = "slow"  # SLOW_SECONDS before the answer
    DROPS_ONCE = "drops_connection_once"
    DROPS_ALWAYS = "drops_connection"
    REDIRECT = "redirect"  # 302 to the same path below /moved/, on this server or redirect_base


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One request that arrived."""

    method: str
    path: str
    range: str | None
    authorization: str | None
    accept: str | None
    accept_encoding: str | None
    user_agent: str | None

    @property
    def authorized(self) -> bool:
        return self.authorization is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    archive: Archive
    project: str
    requires_python: str | None
    yanked: str | None
    says_size: bool
    says_hash: bool
    metadata: bytes | None

    @property
    def filename(self) -> str:
        return self.archive.filename


class PackageServer:
    """The index. ``api`` is ``auto`` (by the Accept header), ``html`` or ``json``.

    ``auth`` is a (user, password) pair asked of every request. ``redirect_base`` is the URL of
    another server that ``Quirk.REDIRECT`` sends clients to. ``core_metadata`` offers METADATA
    beside each wheel, so that a resolver need not touch the wheels themselves. ``tls`` makes it an
    https server. ``host`` is what its URLs call it: another name of the loopback is another host.
    ``folder`` is the path of the index, as in ``/whl/cpu``'s last part.
    """

    def __init__(
        self,
        *,
        api: str = "auto",
        auth: tuple[str, str] | None = None,
        core_metadata: bool = True,
        redirect_base: str | None = None,
        quirk: Quirk = Quirk.HONEST,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        folder: str = "simple",
    ) -> None:
        self.api = api
        self.auth = auth
        self.core_metadata = core_metadata
        self.redirect_base = redirect_base
        self.default_quirk = quirk
        self.host = host
        self.folder = folder
        self._files: dict[str, _File] = {}
        self._quirks: dict[str, Quirk] = {}
        self._done_once: set[tuple[str, Quirk]] = set()
        self._hits: list[Hit] = []
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.index = self
        self._scheme = "https" if tls else "http"
        if tls:  # the handshake is left to the connection's own thread
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    # ------------------------------------------------------------------ addresses

    @property
    def netloc(self) -> str:
        return f"{self.host}:{self._http.server_port}"

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.netloc}"

    @property
    def index_url(self) -> str:
        """The --index-url, without credentials."""
        return f"{self.url}/{self.folder}/"

    @property
    def index_url_with_credentials(self) -> str:
        user, password = self.auth or ("", "")
        userinfo = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"{self._scheme}://{userinfo}@{self.netloc}/simple/"

    def file_url(self, filename: str) -> str:
        return f"{self.url}/files/{quote(filename)}"

    def artifact(self, filename: str, *, size: bool = True, sha256: bool = True) -> Artifact:
        """What a lock would say of a file; without ``size`` its length has to be learned."""
        archive = self._files[filename].archive
        return Artifact(
            filename=filename,
            url=self.file_url(filename),
            size=len(archive.content) if size else None,
            sha256=archive.sha256 if sha256 else None,
        )

    # ------------------------------------------------------------------ contents

    def add(
        self,
        archive: Archive,
        *,
        requires_python: str | None = None,
        yanked: str | None = None,
        says_size: bool = True,
        says_hash: bool = True,
        quirk: Quirk | None = None,
    ) -> Archive:
        """Offer a file; ``yanked`` is the reason, ``""`` for none given."""
        file = _File(
            archive=archive,
            project=project_of(archive.filename),
            requires_python=requires_python,
            yanked=yanked,
            says_size=says_size,
            says_hash=says_hash,
            metadata=_wheel_metadata(archive),
        )
        with self._lock:
            self._files[archive.filename] = file
        if quirk is not None:
            self.set_quirk(archive.filename, quirk)
        return archive

    def add_wheel(self, name: str, version: str, files: Any, **options: Any) -> Archive:
        """Build a wheel with ``make_wheel`` and offer it."""
        archive = make_wheel(name, version, files, **options)
        return self.add(archive, requires_python=options.get("requires_python"))

    def add_sdist(self, name: str, version: str, files: Any, **options: Any) -> Archive:
        """Build a source archive with ``make_sdist`` and offer it."""
        return self.add(make_sdist(name, version, files, **options))

    def set_quirk(self, name: str, quirk: Quirk) -> None:
        """Set how a file (by file name) or a project's page (by project name) answers."""
        with self._lock:
            self._quirks[name] = quirk

    # ------------------------------------------------------------------ what was asked

    @property
    def hits(self) -> tuple[Hit, ...]:
        with self._lock:
            return tuple(self._hits)

    def hits_of(self, filename: str) -> tuple[Hit, ...]:
        """The requests for one file, wherever it was redirected to; its ``.metadata`` apart."""
        return tuple(hit for hit in self.hits if hit.path.rsplit("/", 1)[-1] == filename)

    def ranges_of(self, filename: str) -> list[str | None]:
        """The Range headers of the requests for one file."""
        return [hit.range for hit in self.hits_of(filename)]

    def forget_hits(self) -> None:
        with self._lock:
            self._hits.clear()

    # ------------------------------------------------------------------ life

    def start(self) -> PackageServer:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._http.shutdown()
        self._http.close_connections()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> PackageServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------ for the handler

    def record(self, hit: Hit) -> None:
        with self._lock:
            self._hits.append(hit)

    def accepts(self, authorization: str | None) -> bool:
        if self.auth is None:
            return True
        token = base64.b64encode(":".join(self.auth).encode()).decode()
        return authorization == f"Basic {token}"

    def quirk_of(self, name: str) -> Quirk:
        with self._lock:
            return self._quirks.get(name, self.default_quirk)

    def first_time(self, name: str, quirk: Quirk) -> bool:
        with self._lock:
            seen = (name, quirk) in self._done_once
            self._done_once.add((name, quirk))
            return not seen

    def file(self, filename: str) -> _File | None:
        with self._lock:
            return self._files.get(filename)

    def files_of(self, project: str) -> list[_File]:
        with self._lock:
            return [file for file in self._files.values() if file.project == project]

    def projects(self) -> list[str]:
        with self._lock:
            return sorted({file.project for file in self._files.values()})


def project_of(filename: str) -> str:
    """Return the canonical project name of a wheel or source archive."""
    if filename.endswith(".whl"):
        name = filename.split("-", 1)[0]
    else:
        stem = filename.removesuffix(".tar.gz").removesuffix(".zip")
        name = re.sub(r"-\d[^-]*(-\d+)?$", "", stem)  # old post-releases have two dashes
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture
def package_server() -> Iterator[PackageServer]:
    """A started, empty index that stops by itself."""
    with PackageServer() as server:
        yield server


@pytest.fixture
def plain_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep this machine's proxies, netrc and certificates out of a test, and retry at once."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setattr("slugcheck.packages.index.http.BACKOFF", 0.0)
    monkeypatch.setattr("slugcheck.packages.index.http.MAX_RETRY_AFTER", 0.01)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close waits for every handler: nothing outlives a test
    request_queue_size = 128
    index: PackageServer

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """End the kept-alive connections, whose handlers would wait for a next request."""
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client closed it first

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: a client that goes away early is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    server: _Server
    headers: Message

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the hits are recorded."""

    # ------------------------------------------------------------------ routing

    def _answer(self) -> None:
        index = self.server.index
        path = urlsplit(self.path).path
        index.record(self._hit(path))
        if not index.accepts(self.headers["Authorization"]):
            self._send(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="tests"'})
            return
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[0] == index.folder:
            parts[0] = "simple"
        moved = parts[0] == "moved"
        match parts[1:] if moved else parts:
            case ["simple"]:
                self._root()
            case ["simple", project]:
                if not self._misbehave(project, moved=moved):
                    self._page(project)
            case ["files", filename] if filename.endswith(".metadata"):
                self._metadata(filename.removesuffix(".metadata"))
            case ["files", filename]:
                if not self._misbehave(filename, moved=moved):
                    self._file(filename)
            case _:
                self._send(404, b"no such page")

    def _hit(self, path: str) -> Hit:
        return Hit(
            method=self.command,
            path=unquote(path),
            range=self.headers["Range"],
            authorization=self.headers["Authorization"],
            accept=self.headers["Accept"],
            accept_encoding=self.headers["Accept-Encoding"],
            user_agent=self.headers["User-Agent"],
        )

    # ------------------------------------------------------------------ misbehaviour

    def _misbehave(self, name: str, *, moved: bool) -> bool:
        """Answer as the quirk of ``name`` says; False when the honest answer is still due."""
        index = self.server.index
        quirk = index.quirk_of(name)
        ranged = self.headers["Range"] is not None
        match quirk:
            case Quirk.SLOW:
                time.sleep(SLOW_SECONDS)
            case Quirk.UNAUTHORIZED | Quirk.FORBIDDEN | Quirk.NOT_FOUND:
                return self._send(int(quirk), b"refused")
            case Quirk.RANGES_FORBIDDEN if ranged:
                return self._send(403, b"no ranges here")
            case Quirk.UNSATISFIABLE if ranged:
                return self._send(416, b"", {"Content-Range": "bytes */*"})
            case Quirk.NO_SUFFIX if (self.headers["Range"] or "").startswith("bytes=-"):
                return self._send(501, b"unsupported client range")
            case Quirk.TOO_MANY_ALWAYS:
                return self._too_many()
            case Quirk.TOO_MANY_ONCE if index.first_time(name, quirk):
                return self._too_many()
            case Quirk.ERROR_ALWAYS:
                return self._send(500, b"sorry")
            case Quirk.ERROR_ONCE if index.first_time(name, quirk):
                return self._send(500, b"sorry")
            case Quirk.DROPS_ALWAYS:
                return self._drop()
            case Quirk.DROPS_ONCE if index.first_time(name, quirk):
                return self._drop()
            case Quirk.REDIRECT if not moved:
                base = index.redirect_base or index.url
                return self._send(302, b"", {"Location": f"{base}/moved{self.path}"})
        return False

    def _too_many(self) -> bool:
        return self._send(429, b"slow down", {"Retry-After": str(RETRY_AFTER_SECONDS)})

    def _drop(self) -> bool:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
        return True

    # ------------------------------------------------------------------ files

    def _file(self, filename: str) -> bool:
        file = self.server.index.file(filename)
        if file is None:
            return self._send(404, b"no such file")
        quirk = self.server.index.quirk_of(filename)
        content = file.archive.content
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        if quirk is Quirk.TRUNCATED:
            return self._truncated(content)
        if quirk is Quirk.GZIP_ALWAYS or (quirk is Quirk.GZIP_ENCODED and self.headers["Range"]):
            headers["Content-Encoding"] = "gzip"
            content = gzip.compress(content, mtime=0)
        if quirk is Quirk.NO_RANGES:
            del headers["Accept-Ranges"]
        span = self._span(len(content))
        if span is None or quirk in (Quirk.NO_RANGES, Quirk.IGNORES_RANGES):
            return self._send(200, content, headers)
        start, stop = span
        if start >= stop:
            return self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        return self._partial(quirk, content, start, stop, headers)

    def _partial(
        self, quirk: Quirk, content: bytes, start: int, stop: int, headers: dict[str, str]
    ) -> bool:
        body = content[start:stop]
        shift = 7 if quirk is Quirk.WRONG_CONTENT_RANGE else 0
        if quirk is not Quirk.NO_CONTENT_RANGE:
            first, last = max(start - shift, 0), stop - 1 - shift
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        if quirk is Quirk.SHORT_BODY:
            body = body[: len(body) // 2]
        return self._send(206, body, headers)

    def _truncated(self, content: bytes) -> bool:
        start, stop = self._span(len(content)) or (0, len(content))
        self.send_response(206 if self.headers["Range"] else 200)
        if self.headers["Range"]:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        self.wfile.write(content[start : (start + stop) // 2])
        return self._drop()

    def _span(self, length: int) -> tuple[int, int] | None:
        found = _RANGE.fullmatch(self.headers["Range"] or "")
        if not found:
            return None
        first, last = found.groups()
        if not first:
            return max(0, length - int(last)), length
        return int(first), min(length, int(last) + 1 if last else length)

    def _metadata(self, filename: str) -> bool:
        file = self.server.index.file(filename)
        if file is None or file.metadata is None or not self.server.index.core_metadata:
            return self._send(404, b"no such file")
        return self._send(200, file.metadata)

    # ------------------------------------------------------------------ pages

    def _wants_json(self) -> bool:
        api = self.server.index.api
        return api == "json" or (api == "auto" and JSON_TYPE in (self.headers["Accept"] or ""))

    def _root(self) -> bool:
        projects = self.server.index.projects()
        if self._wants_json():
            entries = [{"name": name} for name in projects]
            return self._json({"meta": {"api-version": "1.1"}, "projects": entries})
        links = "".join(f'<a href="{name}/">{name}</a><br>\n' for name in projects)
        return self._html(links)

    def _page(self, project: str) -> bool:
        files = self.server.index.files_of(project)
        if not files:
            return self._send(404, b"no such project")
        if not self._wants_json():
            return self._html("".join(self._link(file) for file in files))
        document = {
            "meta": {"api-version": "1.1"},
            "name": project,
            "versions": sorted({file.filename.split("-")[1] for file in files}),
            "files": [self._json_file(file) for file in files],
        }
        return self._json(document)

    def _json_file(self, file: _File) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "filename": file.filename,
            "url": self.server.index.file_url(file.filename),
            "hashes": {"sha256": file.archive.sha256} if file.says_hash else {},
            "yanked": False if file.yanked is None else (file.yanked or True),
        }
        if file.says_size:
            entry["size"] = len(file.archive.content)
        if file.requires_python:
            entry["requires-python"] = file.requires_python
        if file.metadata is not None and self.server.index.core_metadata:
            entry["core-metadata"] = {"sha256": hashlib.sha256(file.metadata).hexdigest()}
        return entry

    def _link(self, file: _File) -> str:
        url = self.server.index.file_url(file.filename)
        fragment = f"#sha256={file.archive.sha256}" if file.says_hash else ""
        attributes = ""
        if file.requires_python:
            attributes += f' data-requires-python="{html.escape(file.requires_python)}"'
        if file.yanked is not None:
            attributes += f' data-yanked="{html.escape(file.yanked)}"'
        if file.metadata is not None and self.server.index.core_metadata:
            attributes += ' data-core-metadata="true"'
        return f'<a href="{url}{fragment}"{attributes}>{html.escape(file.filename)}</a><br>\n'

    def _html(self, body: str) -> bool:
        text = '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1">'
        page = f"{text}<title>Simple index</title></head><body>{body}</body></html>"
        return self._send(200, page.encode(), {"Content-Type": f"{HTML_TYPE}; charset=utf-8"})

    def _json(self, document: dict[str, Any]) -> bool:
        return self._send(200, json.dumps(document).encode(), {"Content-Type": JSON_TYPE})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> bool:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        return True


def _wheel_metadata(archive: Archive) -> bytes | None:
    if not archive.filename.endswith(".whl"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(archive.content)) as wheel:
            names = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
            return wheel.read(names[0]) if names else None
    except zipfile.BadZipFile:
        return None  # a broken wheel is offered as it is


class RawServer:
    """A server that sends what a test wrote, bytes for bytes, and counts its connections.

    ``answer`` gets the request's first line and its headers (names in lower case) and yields the
    pieces of the answer, status line included; with ``pause`` seconds between them. The connection
    ends after the last piece. It stops by itself, and whoever still sends is cut off.
    """

    def __init__(
        self, answer: Callable[[str, Mapping[str, str]], Iterable[bytes]], *, pause: float = 0.0
    ) -> None:
        self._answer = answer
        self._pause = pause
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RawServer:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                received = connection.recv(65_536)
                if not received:
                    return
                head += received
            first, *lines = head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
            self.requests.append(first)
            pairs = (line.partition(":") for line in lines)
            for piece in self._answer(first, {n.lower(): v.strip() for n, _, v in pairs}):
                if self._stopping.is_set():
                    return
                connection.sendall(piece)
                if self._pause:
                    self._stopping.wait(self._pause)
