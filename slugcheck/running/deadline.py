"""The time limit of a whole run, and what the run is doing when it expires."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from slugcheck.running import ending

_CODE = 3  # could not measure
_LONGEST = 10.0**7  # seconds; a thread cannot wait for as long as one likes

_over = threading.Event()
_until: float | None = None
_doing: list[str] = []
_count: tuple[int, int] | None = None


def begin(seconds: float) -> None:
    """End the process after some seconds, unless ``stop`` comes before."""
    global _until, _over
    stop()
    seconds = min(seconds, _LONGEST)
    _over, _until = threading.Event(), time.monotonic() + seconds
    threading.Thread(target=_watch, args=(_over, seconds), name="deadline", daemon=True).start()


def stop() -> None:
    """Cancel the deadline."""
    global _until
    _until = None
    _over.set()


def left() -> float:
    """Return the seconds that are left; infinite where there is no deadline."""
    return float("inf") if _until is None else max(0.0, _until - time.monotonic())


@contextmanager
def doing(text: str) -> Iterator[None]:
    """Name the current step, for the message when the time is up."""
    global _count
    _doing.append(text)
    _count = None
    try:
        yield
    finally:
        _doing.pop()
        _count = None


def now_doing(text: str) -> None:
    """Name the next part of the current step."""
    if _doing:
        _doing[-1] = text


def counted(done: int, total: int) -> None:
    """Report the progress."""
    global _count
    _count = (done, total)


def _watch(over: threading.Event, seconds: float) -> None:
    if not over.wait(seconds):
        ending.give_up(_CODE, sentence(seconds))


def sentence(seconds: float) -> str:
    """Return the line that says what did not finish in time."""
    where = f" while {_doing[-1]}" if _doing else ""
    how_far = f" ({_count[0]} of {_count[1]})" if _count and _count[1] and where else ""
    return f"timed out after {_duration(seconds)}{where}{how_far}; allow more time with --timeout"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    parts = [f"{minutes} min"] if minutes else []
    parts += [f"{rest} s"] if rest or not minutes else []
    return " ".join(parts)
