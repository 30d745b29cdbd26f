"""Sends requests to the app on this machine, and keeps how long each answer took.

As many clients as asked for send one request after another over connections that stay open, as a
router does. An answer that takes longer than the platform's router waits counts as none.
"""

from __future__ import annotations

import hashlib
import ssl
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

import anyio
import httpx

from slugcheck.benching.statistics import percentile
from slugcheck.model.rehearsal import RequestResult, Times, Trouble
from slugcheck.rehearsing.requests import Request
from slugcheck.text import printable

ROUTER_SECONDS = 30.0  # devcenter http-routing: H12, no first byte of an answer for 30 s
_WAIT_SECONDS = ROUTER_SECONDS + 2
_LONGEST_SECONDS = 90.0  # for a whole answer
_IN_ROW = 50  # requests that fail one after the other before the load gives up
_ANSWER = 2 * 2**20  # bytes of an answer in which a text is looked for
_PART = 2**20  # bytes that are unpacked at a time
_SHOWN = 100
_PAUSE_SECONDS = 0.05  # after a connection that failed

Alive = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one request, by the monotonic clock; ``trouble`` is "" if it was as expected."""

    request: int
    started: float
    ended: float
    status: int | None = None
    trouble: str = ""
    code: str = ""
    sha256: str = ""


@dataclass(slots=True)
class Traffic:
    """The answers so far; ``stop`` lets the clients end after the request they are at."""

    answers: list[Answer] = field(default_factory=list)
    open: int = 0
    gave_up: bool = False
    stopped: bool = False

    def stop(self) -> None:
        """Send no more."""
        self.stopped = True


def plan(requests: Sequence[Request]) -> Iterator[int]:
    """Yield the numbers of requests for ever, each as often as it weighs, well mixed."""
    total = sum(request.weight for request in requests)
    credit = [0] * len(requests)
    turn = []
    for _ in range(total):
        credit = [have + request.weight for have, request in zip(credit, requests, strict=True)]
        best = max(range(len(requests)), key=credit.__getitem__)
        credit[best] -= total
        turn.append(best)
    return cycle(turn)


async def send(
    base: str,
    requests: Sequence[Request],
    traffic: Traffic,
    *,
    concurrency: int,
    count: int,
    seconds: float,
    least_seconds: float = 0.0,
    alive: Alive = lambda: True,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Send ``count`` requests, and more for ``least_seconds``; none after ``seconds``.

    It ends before where the traffic is stopped, and gives up where the app is not ``alive`` any
    more, or fails many times in a row.
    """
    order = plan(requests)
    began = time.monotonic()
    sent = in_row = 0

    def done() -> bool:
        passed = time.monotonic() - began
        enough = sent >= count and passed >= least_seconds
        return traffic.stopped or traffic.gave_up or enough or passed >= seconds

    async def client(http: httpx.AsyncClient) -> None:
        nonlocal sent, in_row
        while not done():
            number = next(order)
            sent += 1
            traffic.open += 1
            try:
                answer = await _one(http, number, requests[number])
            finally:
                traffic.open -= 1
            traffic.answers.append(answer)
            progress(len(traffic.answers))
            in_row = in_row + 1 if answer.trouble else 0
            if answer.code == "connection":
                if not alive():
                    traffic.gave_up = True
                await anyio.sleep(_PAUSE_SECONDS)
            traffic.gave_up = traffic.gave_up or in_row >= _IN_ROW

    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # unused: reading certificates takes 0.1 s
    async with (
        httpx.AsyncClient(
            base_url=base, timeout=_WAIT_SECONDS, limits=limits, trust_env=False, verify=plain,
            headers={
                "User-Agent": "slugcheck rehearse", "X-Forwarded-Proto": "https",
                "Accept-Encoding": "gzip, deflate",  # what else httpx can depends on what is there
            },
        ) as http,
        anyio.create_task_group() as group,
    ):  # fmt: skip
        for _ in range(concurrency):
            group.start_soon(client, http)


async def _one(http: httpx.AsyncClient, number: int, request: Request) -> Answer:
    files = [(f.name, (f.file, f.content)) for f in request.fields if f.file]
    data = {f.name: f.content.decode() for f in request.fields if not f.file}
    started = time.monotonic()
    body, digest = bytearray(), hashlib.sha256()
    try:
        with anyio.fail_after(_LONGEST_SECONDS):
            async with http.stream(
                request.method, request.path, headers=list(request.headers),
                content=request.body or None, data=data or None, files=files or None,
            ) as response:  # fmt: skip
                waited = time.monotonic() - started
                decoded = _Decoder(response.headers.get("Content-Encoding", ""))
                async for raw in response.aiter_raw():
                    for chunk in decoded.parts(raw):
                        digest.update(chunk)
                        body += chunk[: _ANSWER - len(body)]
    except (TimeoutError, httpx.TimeoutException):
        sentence = f"no answer within {ROUTER_SECONDS:.0f} s"
        return _failed(number, started, sentence, "H12")
    except httpx.HTTPError as error:
        return _failed(number, started, _of_connection(error), "connection")
    trouble, code = _trouble(request, response.status_code, bytes(body)), ""
    if waited > ROUTER_SECONDS:
        trouble, code = f"answered after {ROUTER_SECONDS:.0f} s", "H12"
    return Answer(
        request=number, started=started, ended=time.monotonic(), status=response.status_code,
        trouble=trouble, code=code, sha256=digest.hexdigest(),
    )  # fmt: skip


class _Decoder:
    """Unpacks one layer of compression in bounded parts; httpx would unpack all at once."""

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        windows = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": 15}
        self._raw = name == "deflate"  # perhaps without zlib's header, as some servers send it
        self._inflate = zlib.decompressobj(windows[name]) if name in windows else None

    def parts(self, raw: bytes) -> Iterator[bytes]:
        """Yield what a part of the body holds; what is not understood stays as it is.

        :raises httpx.DecodingError: it is damaged.
        """
        if self._inflate is None:
            yield raw
            return
        full = False  # then there is more, even where all of the raw part is taken in
        while (raw or full) and not self._inflate.eof:
            try:
                part = self._inflate.decompress(raw, _PART)
            except zlib.error as error:
                if not self._raw:
                    raise httpx.DecodingError(str(error)) from None
                self._inflate, self._raw = zlib.decompressobj(-zlib.MAX_WBITS), False
                continue
            raw, self._raw = self._inflate.unconsumed_tail, False
            full = len(part) == _PART
            yield part


def _failed(number: int, started: float, sentence: str, code: str) -> Answer:
    return Answer(
        request=number, started=started, ended=time.monotonic(), trouble=sentence, code=code
    )


def _of_connection(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "the connection was refused"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
        return "the connection was closed before an answer"
    return f"the connection failed: {printable(str(error) or type(error).__name__)[:_SHOWN]}"


def _trouble(request: Request, status: int, body: bytes) -> str:
    """Return what is wrong with an answer, "" if it is as expected."""
    if request.status is not None and status != request.status:
        return f"answered {status} instead of {request.status}"
    if request.status is None and status >= request.status_below:
        return f"answered {status}"
    if request.contains and request.contains.encode() not in body:
        return f"the answer does not contain {printable(request.contains)[:_SHOWN]!r}"
    return ""


# --------------------------------------------------------------------------- figures


def times(answers: Sequence[Answer]) -> Times | None:
    """Return the percentiles of the answers that were as expected; None where none was."""
    taken = sorted(1000 * (a.ended - a.started) for a in answers if not a.trouble)
    if not taken:
        return None
    p50, p95, p99 = (percentile(taken, share) for share in (0.5, 0.95, 0.99))
    return Times(p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=taken[-1])


def by_request(requests: Sequence[Request], answers: Sequence[Answer]) -> tuple[RequestResult, ...]:
    """Return the figures of each kind of request."""
    results = []
    for number, request in enumerate(requests):
        own = [answer for answer in answers if answer.request == number]
        wrong = Counter((answer.trouble, answer.code) for answer in own if answer.trouble)
        good = [answer for answer in own if not answer.trouble]
        results.append(
            RequestResult(
                request=request.text,
                sent=len(own),
                answered=len(good),
                times=times(own),
                answer_sha256=good[0].sha256 if good else "",
                troubles=tuple(
                    Trouble(count=count, sentence=sentence, code=code)
                    for (sentence, code), count in wrong.most_common()
                ),
            )
        )
    return tuple(results)
