"""What the platform would say of a rehearsed process: its codes, machine sizes, memory growth.

What a machine counts lies between two measured figures: anonymous memory, and all that is resident
with the pages of files, which it could drop. A verdict needs both on one side of the limit.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, stdev

from slugcheck.benching.judgement import HEADROOM
from slugcheck.model import Dyno, Platform
from slugcheck.model.rehearsal import (
    SESSIONS,
    Growth,
    Judgement,
    MachineFit,
    MemoryLimit,
    MemorySample,
    ProcessRun,
    TreeMemory,
)
from slugcheck.model.report import Status
from slugcheck.rehearsing.plan import RELEASE
from slugcheck.text import mib, plural, printable, seconds, without_credentials

_BLOCKS = 10  # of the load, whose means are compared
_WARM = 0.4  # of the load, in which caches fill
_LEAST_SAMPLES = 2 * _BLOCKS  # of the 24 or more in what is left of five seconds
_LEAST_REQUESTS = 100
_LEAST_GROWTH = 64 * 2**10  # bytes for a hundred requests: less is the allocator's own
# Student's t for 95 % of both sides, with 8 degrees of freedom
_T = 2.306
_SHOWN = 200
# What stands for a code of Heroku's log on platforms that have none.
_WORDS = {
    "R10": "boot", "R12": "shutdown", "R14": "memory", "R15": "memory", "H10": "crash",
    "H12": "answer",
}  # fmt: skip
_MOST_WORKERS = 1000


# --------------------------------------------------------------------------- the codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What happened to one process: its run, and what was seen beside it.

    ``killed`` is why it was ended here, "" if it was not; ``listening`` is where it was bound when
    it was last looked at, ``port`` where it should have been.
    """

    run: ProcessRun
    serves: bool
    killed: str
    listening: tuple[tuple[str, int], ...]
    port: int | None


def judge(seen: Seen, dyno: Dyno | None, *, codes: bool) -> tuple[Judgement, ...]:
    """Return what the platform would say, the first cause first.

    ``codes``: its log has Heroku's codes, such as R14; else words stand for them.
    """
    found = _judged(seen, dyno)
    if codes:
        return tuple(found)
    return tuple(replace(one, code=_WORDS.get(one.code, one.code)) for one in found)


def _judged(seen: Seen, dyno: Dyno | None) -> Iterator[Judgement]:
    run = seen.run
    limit = run.limit
    yield from ended_here(seen.killed)
    unbound = run.boot if run.boot is not None and run.boot.bound_seconds is None else None
    booted = unbound is None
    if limit.killed:
        yield _killed(limit, booted)
    elif not seen.killed and unbound is not None:
        yield _not_bound(seen, unbound.limit_seconds)
    elif not seen.killed and run.code is not None and run.shutdown is None:
        yield _ended(seen)
    if booted and not limit.killed:
        yield from of_memory(run, dyno)
        yield from of_growth(run, dyno)
    if booted:
        yield from _boot(run)
        yield from _load(run)
        yield from _sessions(run)
        yield from _shutdown(run)


def ended_here(why: str) -> Iterator[Judgement]:
    """Say why a process was ended here, where it was not for its memory."""
    if why == "disk":
        sentence = "it wrote more to the disk than is allowed here, and was ended"
        yield Judgement(code="disk", status=Status.FAIL, sentence=sentence)
    elif why and why != "memory":
        yield Judgement(code="processes", status=Status.FAIL, sentence=why)


def _killed(limit: MemoryLimit, booted: bool) -> Judgement:
    when = "" if booted else " before it could serve"
    return Judgement(
        code="R15",
        status=Status.FAIL,
        sentence=f"killed{when}: its memory went beyond {mib(limit.bytes, down=True)} MiB",
        fix="fewer workers, a larger machine, or less to load",
    )


def _not_bound(seen: Seen, wait: float | None) -> Judgement:
    cause, fix = cause_of(seen.run.log)
    if seen.run.code is not None:
        because = f": {cause}" if cause else _last(seen.run.log)
        return Judgement(
            code="H10",
            status=Status.FAIL,
            sentence=f"{_exit(seen.run.code)} before it listened on $PORT{because}",
            fix=fix,
        )
    waited = f" within {wait:.0f} s" if wait else ""
    sentence = f"it did not listen on $PORT ({seen.port}){waited}"
    places = [f"{address}:{port}" for address, port in seen.listening]
    if local := [address for address, port in seen.listening if port == seen.port]:
        sentence = f"it listens on {local[0]}:{seen.port} only, which no router reaches"
        fix = "bind 0.0.0.0 and $PORT"
    elif places:
        sentence += f"; it listens on {', '.join(places[:3])}"
        fix = "bind 0.0.0.0 and $PORT, which the platform sets"
    return Judgement(code="R10", status=Status.FAIL, sentence=sentence, fix=fix)


def _ended(seen: Seen) -> Judgement:
    cause, fix = cause_of(seen.run.log)
    because = f": {cause}" if cause else _last(seen.run.log)
    code = seen.run.code if seen.run.code is not None else 0
    if seen.run.name == RELEASE:
        status = Status.FAIL if code else Status.PASS
        sentence = f"{_exit(code)}, so nothing would be released{because}"
        sentence = sentence if code else "the release phase ran to its end"
        return Judgement(code=RELEASE, status=status, sentence=sentence, fix=fix if code else "")
    if not seen.serves and code == 0:
        sentence = "it ended by itself with code 0; the platform starts it again"
        return Judgement(code="ended", status=Status.WARN, sentence=sentence)
    word = "H10"
    sentence = f"{_exit(code)} while it was running{because}"
    return Judgement(code=word, status=Status.FAIL, sentence=sentence, fix=fix)


def _exit(code: int) -> str:
    return f"it was ended by signal {-code}" if code < 0 else f"it exited with code {code}"


def _last(log: Sequence[str]) -> str:
    """Return the last line of a log as the end of a sentence."""
    return f": {_plain(log[-1])}" if log else ""


def _plain(text: str) -> str:
    return printable(without_credentials(text.strip()))[:_SHOWN]


def of_memory(run: ProcessRun, dyno: Dyno | None) -> Iterator[Judgement]:
    """Judge the peak by a machine's memory, with Heroku's codes."""
    low, high = run.peak_anonymous_bytes, run.peak_bytes
    if dyno is None or low is None or high is None:
        return
    quota = dyno.r14_bytes
    of = f"of {mib(quota, down=True)} MiB on {dyno.name}"
    code = "R14"
    if low > quota:
        word = "swaps" if dyno.r15_bytes > quota else "would be killed"
        against = of.replace("of", "against", 1)
        sentence = f"{word}: {mib(low)} MiB of anonymous memory {against}"
        fix = "fewer workers, or a larger machine"
        yield Judgement(code=code, status=Status.FAIL, sentence=sentence, fix=fix)
    elif high > quota:
        between = f"between {mib(low)} and {mib(high)} MiB"
        sentence = f"too close to call: {between} {of}; pages of files may be dropped"
        yield Judgement(code=code, status=Status.UNKNOWN, sentence=sentence)
    elif high > quota * (1 - HEADROOM):
        sentence = f"{mib(high)} MiB {of}: less than {HEADROOM:.0%} to spare"
        yield Judgement(code=code, status=Status.WARN, sentence=sentence)
    else:
        yield Judgement(code="RAM", status=Status.PASS, sentence=f"{mib(high)} MiB {of}")


def of_growth(run: ProcessRun, dyno: Dyno | None) -> Iterator[Judgement]:
    """Say where memory leaks, and when a machine would be full."""
    growth = run.load.growth if run.load else None
    if growth is None or not growth.is_leak:
        return
    sentence = (
        f"memory grows by {growth.per_hundred_bytes / 2**20:.2f} MiB for each hundred requests "
        f"({growth.low_bytes / 2**20:.2f} to {growth.high_bytes / 2**20:.2f})"
    )
    if dyno is not None and run.peak_bytes is not None:
        room = max(0, dyno.r14_bytes - run.peak_bytes)
        after = room / growth.per_hundred_bytes * 100
        sentence += f": the machine is full after about {_round(after)} more"
    fix = "look for what is kept from request to request"
    yield Judgement(code="leak", status=Status.WARN, sentence=sentence, fix=fix)


def _round(value: float) -> str:
    digits = max(0, math.floor(math.log10(value)) - 1) if value >= 1 else 0
    return f"{round(value / 10**digits) * 10**digits:,}"


def _boot(run: ProcessRun) -> Iterator[Judgement]:
    boot = run.boot
    if boot is None or boot.bound_seconds is None:
        return
    limit = boot.limit_seconds
    taken = seconds(boot.bound_seconds)
    of = f" of {limit:.0f} s" if limit else ""
    status = Status.PASS
    sentence = f"listens after {taken}{of}"
    if limit and boot.bound_seconds > limit / 2:
        status = Status.WARN
        sentence += ", and the platform's processor may be half as fast"
    yield Judgement(code="boot", status=status, sentence=sentence)
    if boot.answered_seconds is None and run.code is None and not run.limit.killed:
        sentence = "it listens, and answers nothing"
        yield Judgement(code="H12", status=Status.FAIL, sentence=sentence)


def _load(run: ProcessRun) -> Iterator[Judgement]:
    load = run.load
    if load is None:
        return
    for result in load.by_request:
        for trouble in result.troubles:
            code = trouble.code if trouble.code.startswith("H") else "answer"
            sentence = f"{result.request}: {trouble.sentence} ({trouble.count} of {result.sent})"
            yield Judgement(code=code, status=Status.FAIL, sentence=printable(sentence))
    if load.answered == load.requests and load.times is not None:
        times = load.times
        sentence = (
            f"{plural(load.requests, 'request')} answered, "
            f"half within {times.p50_ms:.0f} ms, 95 % within {times.p95_ms:.0f} ms"
        )
        yield Judgement(code="load", status=Status.PASS, sentence=sentence)


# Servers that import the app's script when a browser opens a session, over a websocket.
_BY_SESSION = re.compile(r"\b(streamlit\s+run|panel\s+serve|bokeh\s+serve)\b")


def _sessions(run: ProcessRun) -> Iterator[Judgement]:
    """Say where requests do not reach the app's own code, so that its memory was not seen."""
    if run.load is not None and (match := _BY_SESSION.search(run.command)):
        server = match[1].split()[0].capitalize()
        yield Judgement(
            code=SESSIONS,
            status=Status.WARN,
            sentence=f"{server} runs the app's script only when a browser opens a session, and no "
            "request here does: these are the figures of the server alone",
        )


def _shutdown(run: ProcessRun) -> Iterator[Judgement]:
    end = run.shutdown
    if end is None:
        return
    if end.seconds is None:
        sentence = f"it did not end within {end.limit_seconds:.0f} s of SIGTERM, and was killed"
        fix = "handle SIGTERM, and start the server with exec where a script starts it"
        code = "R12"
        yield Judgement(code=code, status=Status.FAIL, sentence=sentence, fix=fix)
    elif end.left:
        names = ", ".join(_plain(name)[:60] for name in end.left[:3])
        sentence = f"it left processes behind: {names}"
        yield Judgement(code="shutdown", status=Status.WARN, sentence=sentence)
    elif end.unanswered:
        count = f"{end.unanswered} of {plural(end.in_flight, 'request')}"
        sentence = f"{count} got no answer when it was told to end"
        yield Judgement(code="shutdown", status=Status.WARN, sentence=sentence)
    else:
        sentence = f"ends {seconds(end.seconds)} after SIGTERM"
        yield Judgement(code="shutdown", status=Status.PASS, sentence=sentence)


# --------------------------------------------------------------------------- what a log says

_NAME = r"[A-Z][A-Z0-9_]{2,60}"
_MISSING = (
    re.compile(rf"KeyError: ['\"]({_NAME})['\"]"),
    re.compile(rf"UndefinedValueError: ({_NAME}) not found"),
    re.compile(rf"Set the ({_NAME}) environment variable"),
    re.compile(rf"ImproperlyConfigured: The ({_NAME}) setting must not be empty"),
    re.compile(rf"({_NAME})[^\n]{{0,60}}(?:is not set|must be set|not set in|is required|missing)"),
)
_PROGRAM = re.compile(r"([\w.+-]{1,60}): (?:command )?not found")
_MODULE = re.compile(r"(?:ModuleNotFoundError|ImportError): (No module named '[\w.]+'[^\n]{0,80})")
_REFUSED = re.compile(
    r"(?:could not connect to server|connection to server at|ConnectionRefusedError|"
    r"Error \d+ connecting to|Can't connect to MySQL|ServerSelectionTimeoutError|"
    r"Name or service not known|could not translate host name)[^\n]{0,120}"
)
_PYDANTIC = re.compile(r"^(\w+)\n\s+Field required \[type=missing", re.MULTILINE)
_ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)\b[^\n]{0,200})")


def cause_of(log: Sequence[str]) -> tuple[str, str]:
    """Return what a log says went wrong, and what to do about it; "" where it does not say."""
    text = "\n".join(log)
    for pattern in _MISSING:
        if match := pattern.search(text):
            name = match[1]
            return f"{name} is not set", f"pass it: --env {name}=VALUE"
    if match := _PYDANTIC.search(text):
        name = match[1].upper()
        return f"{name} is not set", f"pass it: --env {name}=VALUE"
    if match := _REFUSED.search(text):
        fix = "start the service that it needs, and pass its address with --env NAME=VALUE"
        return _plain(match[0]), fix
    if match := _MODULE.search(text):
        return _plain(match[1]), "add what provides it to the requirements"
    if match := _PROGRAM.search(text):
        return f"{match[1]} is not installed", "add what provides it to the requirements"
    errors = [match[1] for line in log if (match := _ERROR.match(line.strip()))]
    return (_plain(errors[-1]), "") if errors else ("", "")


# --------------------------------------------------------------------------- machine sizes


def machines(
    platform: Platform, peak: TreeMemory, low: int, started: Mapping[str, int]
) -> tuple[MachineFit, ...]:
    """Return how the memory fits each machine size; ``low`` is the peak of anonymous memory.

    ``started`` is how many workers each machine starts. A worker more takes the anonymous memory of
    one; pages of files are shared.
    """
    files, base, each = _parts(peak, low)
    fits = []
    for dyno in platform.dynos:
        count = started.get(dyno.name, 1)
        anonymous = round(base + count * each)
        high = anonymous + files
        room = dyno.r14_bytes * (1 - HEADROOM) - base - files
        fits.append(
            MachineFit(
                name=dyno.name,
                ram_bytes=dyno.r14_bytes,
                kill_bytes=dyno.r15_bytes,
                usd_per_month=dyno.usd_per_month,
                workers=count,
                low_bytes=anonymous,
                high_bytes=high,
                status=_status(anonymous, high, dyno.r14_bytes),
                workers_fit=min(_MOST_WORKERS, max(0, int(room // each))) if each else 0,
            )
        )
    return tuple(fits)


def _parts(peak: TreeMemory, low: int) -> tuple[int, float, float]:
    """Return the bytes of files, of what is there once, and of each worker."""
    workers = peak.workers
    each = fmean(worker.anonymous_bytes for worker in workers) if workers else 0.0
    anonymous = max(low, peak.anonymous_bytes)
    files = peak.resident_bytes - peak.anonymous_bytes
    # what the highest sample has more than the reading is the workers'
    each *= anonymous / peak.anonymous_bytes if peak.anonymous_bytes else 1.0
    return files, max(0.0, anonymous - len(workers) * each), each


def _status(low: int, high: int, quota: int) -> Status:
    if low > quota:
        return Status.FAIL
    if high > quota:
        return Status.UNKNOWN
    return Status.WARN if high > quota * (1 - HEADROOM) else Status.PASS


def cheapest(fits: Sequence[MachineFit]) -> MachineFit | None:
    """Return the cheapest machine that holds; the smallest where there are no prices."""
    holding = [fit for fit in fits if fit.status in (Status.PASS, Status.WARN)]

    def price(fit: MachineFit) -> tuple[float, int]:
        return fit.usd_per_month or 0.0, fit.ram_bytes

    return min(holding, key=price, default=None)


# --------------------------------------------------------------------------- growth


def growth(
    series: Sequence[MemorySample], ended: Sequence[float], *, began: float, stopped: float
) -> Growth | None:
    """Return how memory grew with the requests; None where too little was seen.

    ``ended`` are the moments of the answers; all moments are seconds after the start. The first
    part of the load is left out, since caches fill then, and ten blocks of what is left are
    compared. Memory wanders: a block is near the one before. So the interval is that of a walk with
    independent steps, and growth that fades in the second half is none.
    """
    warm = began + _WARM * (stopped - began)
    samples = [sample for sample in series if warm <= sample.seconds <= stopped]
    moments = sorted(ended)
    total = sum(1 for moment in moments if warm <= moment <= stopped)
    if len(samples) < _LEAST_SAMPLES or total < _LEAST_REQUESTS:
        return None
    size = len(samples) // _BLOCKS
    blocks = [samples[number * size : (number + 1) * size] for number in range(_BLOCKS)]
    answered = [
        fmean(bisect_right(moments, sample.seconds) for sample in block) for block in blocks
    ]
    bytes_ = [fmean(sample.anonymous_bytes for sample in block) for block in blocks]
    if answered[0] == answered[-1]:
        return None
    slope, error = _slope(answered, bytes_)
    low, high = slope - _T * error, slope + _T * error
    first, second = (bytes_[half + 4] - bytes_[half] for half in (0, 5))
    if abs(slope) * 100 < _LEAST_GROWTH or second < first / 2:
        low = min(low, 0.0)
    return Growth(
        per_hundred_bytes=slope * 100, low_bytes=low * 100, high_bytes=high * 100, requests=total
    )


def _slope(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """Return the slope of the line of least squares, and its standard error if ``ys`` are a walk.

    The steps of a walk are independent, and its values are not: the slope of one without a drift
    varies 6/5 times as much as the mean of its steps.
    """
    x, y = fmean(xs), fmean(ys)
    spread = sum((one - x) ** 2 for one in xs)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / spread
    steps = [after - before for before, after in pairwise(ys)]
    width = (xs[-1] - xs[0]) / len(steps)
    return slope, stdev(steps) / width * math.sqrt(6 / 5 / len(steps))
