"""Which sources of a wheel are looked into, so that its bytecode is predicted better.

The rule and the arithmetic are bytecode.py's; here they meet the archive's byte offsets.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from packaging.utils import InvalidWheelFilename

from slugcheck import bytecode, syntax
from slugcheck.index.zipdir import Member
from slugcheck.model import Entry

_HEADER_BYTES = 30  # a local header without its name and extra field
_EXTRA_ALLOWANCE = 64


class BytecodeSampler:
    """Samples one wheel. Compiles with the running Python; nothing is executed."""

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._entries: tuple[Entry, ...] = ()
        self._runs: tuple[tuple[Entry, ...], ...] = ()

    def spans(self, members: Sequence[Member]) -> tuple[tuple[int, int], ...]:
        """Return the spans of the archive to read, one for each run of neighbouring sources."""
        ordered = sorted(members, key=lambda member: member.header_offset)
        self._entries = tuple(
            Entry(path=m.name, size=m.size, compressed=m.compressed) for m in ordered
        )
        try:
            name, version, _, _ = syntax.wheel_filename(self._filename)
        except InvalidWheelFilename:
            return ()
        minor = f"{sys.version_info.major}.{sys.version_info.minor}"
        self._runs = bytecode.sample_runs(name, self._entries, minor=minor, version=str(version))
        places = {member.name: place for place, member in enumerate(ordered)}
        return tuple(
            (
                ordered[places[run[0].path]].header_offset,
                _end(ordered, places[run[-1].path]),
            )
            for run in self._runs
        )

    def factor(self, sources: Sequence[tuple[str, bytes]]) -> float | None:
        """Return the factor on the model that the sources show."""
        texts = dict(sources)
        runs = [[(e, texts[e.path]) for e in run if e.path in texts] for run in self._runs]
        return bytecode.factor_from_sources(self._entries, runs)


def _end(ordered: Sequence[Member], place: int) -> int:
    if place + 1 < len(ordered):
        return ordered[place + 1].header_offset
    last = ordered[place]
    return (
        last.header_offset
        + _HEADER_BYTES
        + len(last.name.encode())
        + _EXTRA_ALLOWANCE
        + last.compressed
    )
