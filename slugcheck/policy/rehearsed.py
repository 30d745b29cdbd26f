"""The figures of a saved rehearsal, where they are of the app that is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packaging.version import InvalidVersion

from slugcheck import reading
from slugcheck.errors import UsageError
from slugcheck.model import SizeReport
from slugcheck.model.document import saved as documents
from slugcheck.model.document.rehearsal import RehearsalDocument
from slugcheck.model.rehearsal import SESSIONS, Measurements
from slugcheck.text import printable

_HINT = "make one with: slugcheck rehearse --output rehearsal.json"


def load(path: Path, sizes: SizeReport) -> Measurements | None:
    """Return what a rehearsal measured; None where it was on another platform.

    :raises UsageError: the file cannot be read, or is no rehearsal of a web process or function.
    """
    name = printable(str(path))
    text = documents.content_of(path, hint=_HINT).decode("utf-8-sig", "replace")
    saved = documents.loads(RehearsalDocument, text, name, hint=_HINT)
    if saved.platform != sizes.target.platform.name:
        return None
    runs = [process for process in saved.processes if process.serves]
    if len(runs) > 1:
        raise UsageError(f"{name} has {len(runs)} web processes", hint=_HINT)
    run = runs[0] if runs else None
    low, high = (run.peak_anonymous_bytes, run.peak_bytes) if run else (None, None)
    if run is None or low is None or high is None:
        message = f"{name} has no web process or function whose memory was read"
        raise UsageError(message, hint=_HINT)
    if run.was_cut_short:
        why = next((f": {one.code}, {one.sentence}" for one in run.judgements), "")
        what = "function" if run.is_function else "web process"
        message = f"{name}: the {what} was ended before it had done its work{printable(why)}"
        raise UsageError(message, hint="fix that, then rehearse again")
    boot = run.boot.bound_seconds if run.boot else None
    build = saved.build.seconds if saved.build else None
    if high < low or min(run.workers, low, boot or 0.0, build or 0.0) < 0:
        message = f"{name}: the figures of the web process or of the build cannot be true"
        raise UsageError(message, hint=_HINT)
    return Measurements(
        file=name,
        workers=run.workers,
        ram_low_bytes=low,
        ram_high_bytes=high,
        boot_seconds=boot,
        build_seconds=build,
        changed=tuple(_changed(saved.pins, sizes)),
        doubt="no session had run the app's script"
        if any(one.code == SESSIONS for one in run.judgements)
        else "",
    )


def _changed(pins: dict[str, str], sizes: SizeReport) -> Iterator[str]:
    for size in sizes.distributions:
        before, now = pins.get(size.name), size.distribution.version
        if before is None:
            yield f"{size.name} {now}"
        elif not _same(before, now):
            yield f"{size.name} {printable(before)} \N{RIGHTWARDS ARROW} {now}"


def _same(one: str, other: str) -> bool:
    try:
        return reading.version(one) == reading.version(other)
    except InvalidVersion:
        return one == other
