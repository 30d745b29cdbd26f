"""Watching an exchange with a server byte by byte, so that every one ends by itself.

A time-out between two reads does not end a server that sends one byte a second, and neither http
nor urllib3 bounds what comes before a body: header lines, "100 Continue", bodies of redirects and
of errors. So the sockets look themselves: each read of one counts for the exchange of its thread.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from slugcheck.errors import NetworkError

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


class Allowance:
    """The bytes that a run may still receive; thread-safe."""

    def __init__(self) -> None:
        self._left = MAX_RUN
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Take some; False when there are none left."""
        with self._lock:
            self._left -= count
            return self._left >= 0


class Exchange:
    """One file asked for, with its redirects and retries. ``place`` is it, fit to be shown."""

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

        :raises NetworkError: none.
        """
        whole = FILE_SECONDS + self._received / SECOND_BYTES
        left = self._started + whole - time.monotonic()
        if left <= 0:
            raise NetworkError(
                f"{self._place} takes longer than {whole:.0f} s",
                hint="try again later, or name an index that is faster",
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
                    f"{self._place} comes too slowly: {self._window:,} bytes in "
                    f"{self._waited:.0f} s",
                    hint="try again later, or name an index that is faster",
                )
            self._waited, self._window = 0.0, 0
        if self._received > self._most:
            raise NetworkError(
                f"{self._place} comes with more than {MAX_ANSWER:,} bytes that are not the file",
                hint="check the URL, and the proxy if there is one",
            )
        if not self._allowance.take(count):
            raise NetworkError(
                f"more than {MAX_RUN // 10**9} GB were received in this run, stopped at "
                f"{self._place}",
                hint="check fewer requirements at a time, or name an index that answers ranges",
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
        return self._look(super().recv, len, *args, **kwargs)  # type: ignore[no-any-return]

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        return self._look(super().recv_into, int, *args, **kwargs)  # type: ignore[no-any-return]

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
        plain: socket.socket = super()._new_conn()  # type: ignore[misc]
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
