"""Lambda's Runtime API on this machine: it gives a function its events, and takes the answers.

One execution environment, so one invocation at a time. Whoever asks is the app, a stranger: heads,
bodies and connections are bounded, and what is kept of an answer is its size and its hash.
"""

from __future__ import annotations

import hashlib
import json
import socket
import socketserver
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import h11

from slugcheck import reading

_BASE = "/2018-06-01/runtime/"
_CONNECTIONS = 16  # at a time; the client has one or two
_HEAD = 2 * 2**20  # bytes; the client sends the stack of an error in a header, up to 1 MiB
_READ = 2**16
_ERROR_BYTES = 2**18  # of an error that is kept
_MOST_BODY = 64 * 2**20  # then the connection is closed
_LOOK_SECONDS = 0.05  # between two looks at whether the function lives


class Ending(StrEnum):
    """What came of an invocation."""

    ANSWERED = "answered"
    ERROR = "error"  # the handler raised
    TOO_LARGE = "too large"
    TIMED_OUT = "timed out"
    EXITED = "exited"  # the process is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error as the runtime reports it: its type, such as ``KeyError``, and its message.

    Both are whole, as a secret is known by all of it.
    """

    type: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One invocation, by the monotonic clock; ``fault`` where the handler raised."""

    ending: Ending
    started: float
    ended: float
    sha256: str = ""
    fault: Fault | None = None


@dataclass(slots=True, kw_only=True)
class _Invocation:
    event: bytes
    timeout: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent: float | None = None  # when the function got it
    outcome: Outcome | None = None


class RuntimeApi:
    """The server, on 127.0.0.1; as a context manager it ends with all of its connections."""

    def __init__(self, *, answer_bytes: int, arn: str) -> None:
        """Listen. ``answer_bytes`` is what an answer may have, ``arn`` the function's name.

        :raises OSError: no port is free.
        """
        self._most, self._arn = answer_bytes, arn
        self._change = threading.Condition()
        self._current: _Invocation | None = None
        self._closed = False
        self._asked: float | None = None
        self._fault: Fault | None = None
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _LOOK_SECONDS}, daemon=True
        )

    def __enter__(self) -> RuntimeApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.close()

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API is set to."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    @property
    def asked(self) -> float | None:
        """When the function asked for its first event, by the monotonic clock: init is done."""
        return self._asked

    @property
    def init_fault(self) -> Fault | None:
        """What went wrong in init, as the runtime reports it."""
        return self._fault

    def invoke(self, event: bytes, *, timeout: float, alive: Callable[[], bool]) -> Outcome:
        """Invoke the function, and wait until it has answered, its time is over, or it is gone.

        The time, in seconds, counts from when it got the event.
        """
        called = time.monotonic()
        one = _Invocation(event=event, timeout=timeout)
        with self._change:
            self._current = one
            self._change.notify_all()
        try:
            while (outcome := self._outcome(one, called)) is None:
                if not alive():
                    now = time.monotonic()
                    gone = Outcome(ending=Ending.EXITED, started=one.sent or called, ended=now)
                    # it may have answered with its last breath
                    return self._outcome(one, called) or gone
            return outcome
        finally:
            with self._change:
                self._current = None

    def _outcome(self, one: _Invocation, called: float) -> Outcome | None:
        """Wait a moment for what comes of an invocation."""
        with self._change:
            left = (one.sent or called) + one.timeout - time.monotonic()
            if one.outcome is None and left > 0:
                self._change.wait(min(left, _LOOK_SECONDS))
            began, now = one.sent or called, time.monotonic()
            if one.outcome is None and now >= began + one.timeout:
                return Outcome(ending=Ending.TIMED_OUT, started=began, ended=now)
            return one.outcome

    # ----------------------------------------------------------------- for the connections

    @property
    def most_bytes(self) -> int:
        """How many bytes an answer may have."""
        return self._most

    def next(self) -> tuple[bytes, list[tuple[str, str]]] | None:
        """Wait for the next event; return it with its headers, None at the end."""
        with self._change:
            if self._asked is None:
                self._asked = time.monotonic()
            while not self._closed and (self._current is None or self._current.sent is not None):
                self._change.wait()
            one = self._current
            if one is None or one.sent is not None:
                return None  # it was closed
            one.sent = time.monotonic()
            deadline = time.time() + one.timeout
            trace = f"Root=1-{int(time.time()):08x}-{one.id.replace('-', '')[:24]};Sampled=0"
            return one.event, [
                ("Content-Type", "application/json"),
                ("Lambda-Runtime-Aws-Request-Id", one.id),
                ("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000))),
                ("Lambda-Runtime-Invoked-Function-Arn", self._arn),
                ("Lambda-Runtime-Trace-Id", trace),
            ]

    def waits_for(self, request: str) -> bool:
        """Whether an invocation of that id is being answered."""
        with self._change:
            one = self._current
            return one is not None and one.sent is not None and one.id == request

    def end(
        self, request: str, ending: Ending, *, sha256: str = "", fault: Fault | None = None
    ) -> None:
        """Take what came of an invocation; one that is over is left as it is."""
        with self._change:
            one = self._current
            if one is None or one.id != request or one.sent is None or one.outcome is not None:
                return
            one.outcome = Outcome(
                ending=ending, started=one.sent, ended=time.monotonic(), sha256=sha256, fault=fault
            )
            self._change.notify_all()

    def fail(self, fault: Fault) -> None:
        """Take the error of init; the first counts."""
        with self._change:
            self._fault = self._fault or fault


# --------------------------------------------------------------------------- connections


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        self._open: set[Any] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Connection)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        with self._lock:
            if len(self._open) >= _CONNECTIONS:
                return False
            self._open.add(request)
            return True

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a connection that broke is the app's."""

    def close(self) -> None:
        """Stop listening, and break off the connections."""
        self.server_close()
        with self._lock:
            for request in self._open:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    size: int
    sha256: str
    start: bytes  # as much as is kept


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD)

    def handle(self) -> None:
        with suppress(h11.ProtocolError, OSError):
            while (event := self._event()) is not None:
                if not isinstance(event, h11.Request):
                    return  # it was closed
                self._answer(event)
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    return
                self._http.start_next_cycle()

    def _event(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(self.request.recv(_READ))
        return event

    def _send(self, event: Any) -> None:
        if data := self._http.send(event):
            self.request.sendall(data)

    def _body(self) -> _Body:
        """Read the rest of a request.

        :raises h11.ProtocolError: it is much more than anything that is asked for.
        """
        size, digest, start = 0, hashlib.sha256(), bytearray()
        while isinstance(event := self._event(), h11.Data):
            size += len(event.data)
            if size > _MOST_BODY:
                raise h11.RemoteProtocolError("the body is too long")
            digest.update(event.data)
            start += event.data[: _ERROR_BYTES - len(start)]
        if not isinstance(event, h11.EndOfMessage):
            raise h11.RemoteProtocolError("the body has no end")
        return _Body(size=size, sha256=digest.hexdigest(), start=bytes(start))

    def _say(
        self, status: int, body: bytes, headers: list[tuple[str, str]] | None = None
    ) -> None:  # fmt: skip
        sent = headers or [("Content-Type", "application/json")]
        sent = [*sent, ("Content-Length", str(len(body)))]
        self._send(h11.Response(status_code=status, headers=sent))
        self._send(h11.Data(data=body))
        self._send(h11.EndOfMessage())

    def _refuse(self, status: int, kind: str, message: str) -> None:
        self._say(status, json.dumps({"errorType": kind, "errorMessage": message}).encode())

    # ----------------------------------------------------------------- the requests

    def _answer(self, request: h11.Request) -> None:
        target = request.target.decode("ascii", "replace").partition("?")[0]
        what = target.removeprefix(_BASE).split("/") if target.startswith(_BASE) else []
        api = self.server.api
        match request.method, what:
            case b"GET", ["invocation", "next"]:
                self._body()
                if (found := api.next()) is None:
                    raise h11.LocalProtocolError("the end")
                self._say(200, *found)
            case b"POST", ["invocation", id_, "response"] if api.waits_for(id_):
                self._take_response(id_)
            case b"POST", ["invocation", id_, "error"] if api.waits_for(id_):
                fault = _fault(request, self._body().start)
                api.end(id_, Ending.ERROR, fault=fault)
                self._accept()
            case b"POST", ["invocation", _, "response" | "error"]:
                self._body()
                self._refuse(400, "InvalidRequestID", "Invalid request ID")
            case b"POST", ["init", "error"]:
                api.fail(_fault(request, self._body().start))
                self._accept()
            case _:
                self._body()
                self._refuse(404, "NotFound", "No such resource")

    def _take_response(self, id_: str) -> None:
        body, api = self._body(), self.server.api
        if body.size > api.most_bytes:
            api.end(id_, Ending.TOO_LARGE)
            message = f"Exceeded maximum allowed payload size ({api.most_bytes} bytes)."
            self._refuse(413, "RequestEntityTooLarge", message)
        else:
            api.end(id_, Ending.ANSWERED, sha256=body.sha256)
            self._accept()

    def _accept(self) -> None:
        self._say(202, b'{"status": "OK"}')


def _fault(request: h11.Request, body: bytes) -> Fault:
    """Return an error as it was reported, however badly."""
    named = dict(request.headers).get(b"lambda-runtime-function-error-type", b"")
    said: Any = None
    with suppress(ValueError):
        said = reading.json(body.decode("utf-8", "replace"))
    values = said if isinstance(said, dict) else {}
    kind, message = (
        text if isinstance(text := values.get(name), str) else ""
        for name in ("errorType", "errorMessage")
    )
    kind = kind or named.decode("ascii", "replace") or "Runtime.Unknown"
    return Fault(type=kind, message=message)
