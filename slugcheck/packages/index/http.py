"""The one requests session: TLS, credentials, retries, transfer counts, limits on every exchange.

A read time-out does not stop a server that sends one byte a second, and neither http nor urllib3
limits what precedes a body: header lines, "100 Continue", bodies of redirects and of errors. So the
sockets watch themselves: every read counts towards the exchange of its thread.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_netrc_auth
from urllib3 import disable_warnings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import InsecureRequestWarning, NameResolutionError, NewConnectionError
from urllib3.exceptions import TimeoutError as NoAnswerError
from urllib3.util.retry import Retry

from slugcheck.errors import NetworkError
from slugcheck.model import Transfer
from slugcheck.packages.index.urls import (
    BrokenOffError,
    Credentials,
    host_of,
    netrc_counts,
    origin_of,
    redact,
    refused,
    split_credentials,
)
from slugcheck.version import __version__

# Tests shorten these. The least rate of a server that is being waited for: over any RATE_SECONDS
# spent waiting, LEAST_RATE bytes a second. A modem brings five times as much.
RATE_SECONDS = 30.0
LEAST_RATE = 1_000
# One file, all its redirects and retries: this long, and a second more for each SECOND_BYTES.
FILE_SECONDS = 300.0
SECOND_BYTES = 10**6
# Before the body: status and header lines, bodies of redirects and refusals. Real ones have 8 KB.
MAX_ANSWER = 10**6
# All of a run. The largest known, every wheel of torch with CUDA read whole from a server without
# ranges, has 4 GB.
MAX_RUN = 20 * 10**9

_local = threading.local()
CONNECTIONS = 16  # measured: more gain nothing at 40 ms round trip, and stall name look-ups
TIMEOUT = (10.0, 20.0)  # seconds to connect, and between two reads
MAX_REDIRECTS = 5  # an index and its file host need two
MAX_RETRY_AFTER = 10.0  # seconds; a server that wants longer is asked again all the same
BACKOFF = 0.1  # seconds; doubles with each retry, the first comes at once
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_RETRIED = (429, 500, 502, 503, 504)


class Meter:
    """A thread-safe count of requests and of body bytes as they came over the wire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._bytes = 0

    def add(self, *, requests: int = 0, bytes: int = 0) -> None:
        """Count more."""
        with self._lock:
            self._requests += requests
            self._bytes += bytes

    def transfer(self) -> Transfer:
        """Return the counts so far."""
        with self._lock:
            return Transfer(requests=self._requests, bytes=self._bytes)


class Session(requests.Session):
    """A session whose every call has a timeout, bounded retries and credentials by host only."""

    def __init__(
        self,
        *,
        credentials: Mapping[str, Credentials],
        trusted_hosts: Collection[str],
        named_origins: Collection[str] = (),
        meter: Meter,
    ) -> None:
        super().__init__()
        self.meter = meter
        self._allowance = Allowance()
        self.max_redirects = MAX_REDIRECTS
        self.headers["User-Agent"] = f"slugcheck/{__version__}"
        self.auth = _HostAuth(credentials, named_origins)
        self._trusted = frozenset(host.lower() for host in trusted_hosts)
        self._unverified = _Adapter(_unverified_context(), meter, verify=False)
        self.mount("http://", _Adapter(None, meter, verify=True))
        self.mount("https://", _Adapter(tls_context(), meter, verify=True))
        if self._trusted:
            disable_warnings(InsecureRequestWarning)  # the user asked for it by name

    def get_adapter(self, url: str | bytes) -> Any:
        """Return the adapter for a URL: one without verification for trusted hosts only."""
        text = url.decode() if isinstance(url, bytes) else url
        host = host_of(text)
        if text.lower().startswith("https:") and {host, host.rpartition(":")[0]} & self._trusted:
            return self._unverified
        return super().get_adapter(text)

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request with a timeout, and count the bytes of a body that is read at once."""
        kwargs["timeout"] = kwargs.get("timeout") or TIMEOUT
        response = super().request(*args, **kwargs)
        if not kwargs.get("stream"):
            self.meter.add(bytes=response.raw.tell())
        return response

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """On a redirect, drop the credentials of the old host and take those of the new one."""
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]  # in the stubs
        before, after = (str(request.url) for request in (response.request, prepared_request))
        downgraded = before.startswith("https:") and not after.startswith("https:")
        if "Authorization" not in prepared_request.headers and not downgraded:
            prepared_request.prepare_auth(self.auth)

    @contextmanager
    def ask(self, url: str, headers: Mapping[str, str], most: int) -> Iterator[requests.Response]:
        """Yield the answer to a GET, its body of up to ``most`` bytes not yet read.

        :raises BrokenOffError: the connection ended while the body was read.
        :raises NetworkError: there is no answer, it is too slow, or it does not end.
        """
        clean, credentials = split_credentials(url)
        auth = _basic(credentials) if credentials else None
        exchange = Exchange(redact(clean), self._allowance)
        with watched(exchange):
            with explained(clean):
                response = self.get(clean, headers=dict(headers), stream=True, auth=auth)
            exchange.answered(most)
            with self._closing(response, clean):
                yield response

    @contextmanager
    def _closing(self, response: requests.Response, clean: str) -> Iterator[None]:
        with response:
            try:
                yield
            except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError) as error:
                raise BrokenOffError(
                    f"the connection to {host_of(clean)} broke off: {redact(clean)}",
                    hint="try again; if it keeps happening, the network cuts connections",
                ) from error
            except requests.RequestException as error:
                raise _explanation(error, clean) from error
            finally:
                self.meter.add(bytes=response.raw.tell())


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn the exceptions of requests into a ``NetworkError`` with a sentence and a hint."""
    try:
        yield
    except (requests.RequestException, ValueError) as error:  # ValueError: a redirect to no URL
        raise _explanation(error, url) from error


def tls_context() -> ssl.SSLContext:
    """Return the context that all connections share.

    Loading the certificates costs 20-35 ms of CPU, which requests would pay per connection: the
    system's are loaded once for each value of SSL_CERT_DIR, which it is made from as well. They
    come from the first of REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and SSL_CERT_FILE that is set, else
    from the system, else from certifi.
    """
    for name in _BUNDLES:
        if value := os.environ.get(name):
            return watch_tls(_bundle_context(name, Path(value)))
    return _system_context(os.environ.get("SSL_CERT_DIR"))


@cache
def _system_context(_: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return watch_tls(context)


def _bundle_context(name: str, path: Path) -> ssl.SSLContext:
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=str(path))
        return ssl.create_default_context(cafile=str(path))
    except OSError as error:  # ssl.SSLError is one
        raise NetworkError(
            f"cannot read the certificates in {name}: {path}: {error.strerror or error}",
            hint=f"correct {name}, or unset it to use the system's certificates",
        ) from error


def _unverified_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return watch_tls(context)


class _HostAuth(AuthBase):
    """Credentials of the origin that is asked, from index URLs, or of its host from netrc.

    Another port or scheme of the same host is another server, which a checked file may name.
    """

    def __init__(
        self, credentials: Mapping[str, Credentials], named_origins: Collection[str]
    ) -> None:
        self._credentials = dict(credentials)
        self._named_origins = frozenset(named_origins)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        url = str(r.url)
        credentials = self._credentials.get(origin_of(url))
        if credentials is None and netrc_counts(url, self._named_origins):
            credentials = get_netrc_auth(url)
        return _basic(credentials)(r) if credentials else r


def _basic(credentials: Credentials) -> HTTPBasicAuth:
    # Bytes, because requests would encode text as Latin-1 and fail on the rest.
    user, password = (part.encode() for part in credentials)
    return HTTPBasicAuth(user, password)


class _Retries(Retry):
    """Retries that count themselves, and wait as long as the server asks, within a bound."""

    meter: Meter

    @classmethod
    def counted(cls, meter: Meter) -> _Retries:
        """Return the policy: few retries when nobody answers, more when a server says so."""
        policy = cls(
            total=4, connect=1, read=2, status=3, other=0,
            status_forcelist=_RETRIED, backoff_factor=BACKOFF, raise_on_status=False,
        )  # fmt: skip
        policy.meter = meter
        return policy

    def new(self, **kw: Any) -> _Retries:
        following = super().new(**kw)
        following.meter = self.meter
        return following

    def increment(self, *args: Any, **kwargs: Any) -> _Retries:
        following = super().increment(*args, **kwargs)
        self.meter.add(requests=1)
        return following

    def get_retry_after(self, response: Any) -> float | None:
        try:
            wanted = super().get_retry_after(response)
        except (ValueError, OverflowError):  # a number or date beyond all bounds
            return MAX_RETRY_AFTER
        return None if wanted is None else min(wanted, MAX_RETRY_AFTER)


class _Adapter(HTTPAdapter):
    """A connection pool over one shared TLS context."""

    def __init__(self, context: ssl.SSLContext | None, meter: Meter, *, verify: bool) -> None:
        self._context = context
        self._meter = meter
        self._verify = verify
        super().__init__(pool_maxsize=CONNECTIONS, max_retries=_Retries.counted(meter))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs, ssl_context=self._context)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def cert_verify(self, conn: Any, *_: Any) -> None:
        """Leave the certificates to the context; requests would load them per connection."""
        conn.cert_reqs = "CERT_REQUIRED" if self._verify else "CERT_NONE"

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        self._meter.add(requests=1)
        response = super().send(request, *args, **{**kwargs, "verify": self._verify})
        if response.is_redirect:
            # requests would read the body of a redirect, and unpack it, without a bound
            response.raw.drain_conn()
            response._content = b""
        return response


def _explanation(error: Exception, url: str) -> NetworkError:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        authorized = "Authorization" in error.response.request.headers
        return refused(url, error.response.status_code, authorized=authorized)
    sentence, hint = _reason(error, host_of(url))
    return NetworkError(f"{sentence}: {redact(url)}", hint=hint)


def _reason(error: Exception, host: str) -> tuple[str, str]:
    match error:
        case requests.exceptions.ProxyError():
            return f"the proxy for {host} does not work", "check HTTPS_PROXY and NO_PROXY"
        case requests.exceptions.SSLError():
            return (
                f"the certificate of {host} cannot be verified",
                "set REQUESTS_CA_BUNDLE to your organisation's certificates, "
                f"or accept the risk with --trusted-host {host}",
            )
        case requests.TooManyRedirects():
            return f"{host} redirects endlessly", "check the URL"
        case requests.Timeout() | requests.ConnectionError():
            return _no_answer(_cause(error), host)
        case _:
            return "this URL cannot be fetched", "check its spelling"


def _no_answer(cause: object, host: str) -> tuple[str, str]:
    match cause:
        case NameResolutionError():
            return f"the name {host} cannot be resolved", "check its spelling and the network"
        case NoAnswerError() if not isinstance(cause, NewConnectionError):
            return f"{host} did not answer in time", "try again, or check the network and proxy"
        case _:
            return (
                f"{host} cannot be reached, or it closes the connection",
                "check the network; set HTTPS_PROXY if you use a proxy",
            )


def _cause(error: Exception) -> object:
    """Return what urllib3 said, which requests wraps, and its retries before that."""
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)


class Allowance:
    """The number of bytes that a run may still receive; thread-safe."""

    def __init__(self) -> None:
        self._left = MAX_RUN
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Take some; False when there are none left."""
        with self._lock:
            self._left -= count
            return self._left >= 0


class Exchange:
    """One requested file with its redirects and retries. ``place`` is its URL, safe to show."""

    def __init__(self, place: str, allowance: Allowance) -> None:
        self._place = place
        self._allowance = allowance
        self._started = time.monotonic()
        self._received = 0
        self._waited = 0.0  # seconds of the current window spent waiting for bytes
        self._window = 0  # bytes of it
        self._most = MAX_ANSWER

    def answered(self, most: int) -> None:
        """The answer has begun whose body is wanted, of ``most`` bytes, before it is unpacked.

        Beside it there is room for the frames of chunks and for what follows the last one.
        """
        self._most = self._received + most + most // 4 + MAX_ANSWER

    def left(self) -> float:
        """Return how many seconds a read may take.

        :raises NetworkError: the time is up.
        """
        whole = FILE_SECONDS + self._received / SECOND_BYTES
        left = self._started + whole - time.monotonic()
        if left <= 0:
            raise NetworkError(
                f"{self._place} takes longer than {whole:.0f} s",
                hint="try again later, or use a faster index",
            )
        return min(left, max(RATE_SECONDS - self._waited, 0.01))

    def came(self, count: int, seconds: float) -> None:
        """Count what a read brought.

        :raises NetworkError: it is too little for the time, or too much.
        """
        self._received += count
        self._window += count
        self._waited += seconds
        if self._waited >= RATE_SECONDS:
            if self._window < LEAST_RATE * self._waited:
                raise NetworkError(
                    f"{self._place} is too slow: {self._window:,} bytes in {self._waited:.0f} s",
                    hint="try again later, or use a faster index",
                )
            self._waited, self._window = 0.0, 0
        if self._received > self._most:
            raise NetworkError(
                f"{self._place} sends more than {MAX_ANSWER:,} bytes besides the file",
                hint="check the URL and any proxy",
            )
        if not self._allowance.take(count):
            raise NetworkError(
                f"more than {MAX_RUN // 10**9} GB were received in this run, stopped at "
                f"{self._place}",
                hint="check fewer requirements at a time, or use an index with range requests",
            )


@contextmanager
def watched(exchange: Exchange) -> Iterator[None]:
    """Let every read of this thread's sockets count for an exchange."""
    before = getattr(_local, "exchange", None)
    _local.exchange = exchange
    try:
        yield
    finally:
        _local.exchange = before


class _Watched(socket.socket):
    """A socket, plain or TLS, that looks at the clock with each read."""

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        return self._look(super().recv, len, *args, **kwargs)  # type: ignore[no-any-return]  # bytes

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        return self._look(super().recv_into, int, *args, **kwargs)  # type: ignore[no-any-return]  # a count

    def _look(self, read: Any, size: Any, *args: Any, **kwargs: Any) -> Any:
        exchange: Exchange | None = getattr(_local, "exchange", None)
        if exchange is None:
            return read(*args, **kwargs)
        usual = self.gettimeout()
        begun = time.monotonic()
        try:
            while True:
                started = time.monotonic()
                rest = float("inf") if usual is None else max(begun + usual - started, 0.001)
                self.settimeout(min(exchange.left(), rest))
                try:
                    got = read(*args, **kwargs)
                except TimeoutError:
                    exchange.came(0, time.monotonic() - started)
                    if usual is not None and time.monotonic() >= begun + usual:
                        raise
                else:
                    exchange.came(size(got), time.monotonic() - started)
                    return got
        finally:
            self.settimeout(usual)


class _WatchedTls(_Watched, ssl.SSLSocket):
    """The same over TLS. A handshake is bounded by its time-out as a whole."""


def watch_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let the sockets of a context be watched; return it."""
    context.sslsocket_class = _WatchedTls
    return context


class _Connecting:
    """Mixed into urllib3's connections: what they open is watched."""

    def _new_conn(self) -> socket.socket:
        plain: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the class it is mixed into
        limit = plain.gettimeout()
        made = _Watched(plain.family, plain.type, plain.proto, fileno=plain.detach())
        made.settimeout(limit)
        return made


class _Connection(_Connecting, HTTPConnection):
    pass


class _TlsConnection(_Connecting, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS = {"http": _Pool, "https": _TlsPool}
