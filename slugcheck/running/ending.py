"""The end of a run: on a signal, at its deadline, or when it is done.

Child processes and temporary folders are registered here. A signal does not unwind the stack, since
other threads may hang in the network: the handler stops the children, removes the folders, prints
one line, and exits. Exit codes: 130 SIGINT, 143 SIGTERM, 129 SIGHUP.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_SIGNALS = {
    "SIGINT": (130, "interrupted"),
    "SIGTERM": (143, "terminated"),
    "SIGHUP": (129, "terminated"),
}
_UNKNOWN = 3
_START_SECONDS = 5.0  # what is being started when the end comes is waited for
_TICK_SECONDS = 0.002
_SHOW_CURSOR = b"\r\x1b[2K\x1b[?25h"

processes: dict[int, Callable[[], None]] = {}  # what stops each child, by its number
places: dict[str, Callable[[], object]] = {}  # what removes each temporary file or folder

_claim = threading.Lock()  # held by the thread that ends the run, and never released
_making: dict[int, int] = {}  # threads that are making what is not registered yet
_pending: list[tuple[int, str]] = []
_drawing = False


def listen() -> None:
    """Let SIGINT, SIGTERM and SIGHUP end the run clean; one that is ignored stays so (nohup)."""
    for name, (code, word) in _SIGNALS.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handler(code, word))


def _handler(code: int, word: str) -> Callable[..., None]:
    def handle(*_: object) -> None:
        if threading.get_ident() in _making:
            _pending.append((code, word))
        elif _claim.acquire(blocking=False):
            _finish(code, word)
        # else the run is ending already

    return handle


def leave(code: int) -> None:
    """End the process with a code when everything is done.

    Neither waits for threads nor flushes once more: a failure there would turn the code into 1.
    """
    halt()
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):  # noqa: TID251 - the last flush
            stream.flush()
    except (OSError, ValueError):
        code = code if code > 1 else _UNKNOWN  # what it judged has not been read by anybody
    if _claim.acquire(blocking=False):
        _finish(code, "")
    halt()


def give_up(code: int, line: str) -> None:
    """End the run from any thread; returns only where another one ends it."""
    if _claim.acquire(blocking=False):
        _finish(code, line)


def halt() -> None:
    """Wait for the end where another thread is ending the run: what is seen now means nothing."""
    if _claim.locked():
        while True:
            time.sleep(60)


@contextmanager
def made_known() -> Iterator[None]:
    """Hold the end of the run until what is made inside is registered."""
    me = threading.get_ident()
    _making[me] = _making.get(me, 0) + 1
    try:
        if not _claim.locked():
            yield
            return
    finally:
        _making[me] -= 1
        if not _making[me]:
            del _making[me]
            if _pending and _claim.acquire(blocking=False):
                _finish(*_pending[0])
    halt()


def drawing() -> None:
    """Say that progress is drawn on the terminal, whose cursor is hidden meanwhile."""
    global _drawing
    _drawing = True


def _finish(code: int, line: str) -> None:
    """Clean up and leave. The caller has the claim."""
    try:
        if threading.current_thread() is threading.main_thread():
            for name in _SIGNALS:
                if number := getattr(signal, name, None):
                    signal.signal(number, signal.SIG_IGN)
        _wait_for_starts()
        clean()
        _say(line)
    finally:
        os._exit(code)


def _wait_for_starts() -> None:
    me, end = threading.get_ident(), time.monotonic() + _START_SECONDS
    while set(_making) - {me} and time.monotonic() < end:
        time.sleep(_TICK_SECONDS)


def clean() -> None:
    """Stop every child, and remove every temporary file and folder."""
    for stop in list(processes.values()):
        with suppress(Exception):
            stop()
    # the innermost first
    for remove in reversed(list(places.values())):
        with suppress(Exception):
            remove()


def _clean_at_exit(process: int) -> None:
    """Clean up where the interpreter ends by itself, as it does for users of the Python API."""
    if os.getpid() == process:  # in a fork they are still its parent's
        clean()


atexit.register(_clean_at_exit, os.getpid())


def _say(line: str) -> None:
    with suppress(OSError, ValueError):
        if _drawing and os.isatty(2):
            os.write(2, _SHOW_CURSOR)
        if line:
            os.write(2, f"error: {line}\n".encode("utf-8", "replace"))


def open_streams() -> None:
    """Put something where the three streams are, if they are closed.

    Else the first file or connection would take their number, and what is said would go there.
    Writing to the stdout that was closed fails, so that a report that nobody got is not a success.
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                descriptor = os.open(os.devnull, flags)
                if descriptor != number:
                    os.dup2(descriptor, number)
                    os.close(descriptor)
    if sys.__stdout__ is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115, TID251 - the stream itself
    if sys.__stderr__ is None:
        sys.stderr = open(  # noqa: SIM115, TID251 - as above
            2, "w", encoding="utf-8", errors="backslashreplace", closefd=False
        )


def last_words(line: str) -> None:
    """Print one line when nothing else may still work."""
    _say(line)
