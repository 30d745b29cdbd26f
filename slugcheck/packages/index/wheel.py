"""A wheel's inventory from its ZIP directory, METADATA and entry points, usually in one request.

Nothing in a wheel is run. Its sources are read only where a sampler asks for them.
"""

from __future__ import annotations

import bisect
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from email.message import Message
from email.parser import HeaderParser
from functools import cached_property
from importlib.metadata import Distribution
from os import PathLike
from typing import NoReturn, Protocol

from packaging.utils import InvalidWheelFilename

from slugcheck import reading
from slugcheck.errors import WheelError
from slugcheck.model import Artifact, Entry, Inventory
from slugcheck.packages.index.client import HttpClient, Source
from slugcheck.packages.index.zip_directory import (
    STORED,
    Directory,
    Member,
    data_end,
    peek_member,
    read_directory,
    read_member,
)
from slugcheck.sizing import bytecode, sampled

_HEADER_BYTES = 30  # a local header without its name and extra field
_EXTRA_ALLOWANCE = 64
# Two spans this near are fetched as one: at 40 ms round trip a request costs more than 32 KB.
MERGE_GAP = 32 * 1024
# The same for a sample's, which lie further apart: 96 KB take as long as half a round trip.
_SAMPLE_GAP = 96 * 1024
# Read of a script to see its first line: local header, and a deflate block's code tables.
_PEEK = 2048
_SHEBANG = b"#!python"  # what an installer rewrites (binary distribution format, "Recommended")
# Bytes of METADATA or entry_points.txt. The largest known METADATA, of types-boto3, has 161 KB, the
# largest entry_points.txt, of torch, 1 KB.
_MAX_TEXT = 2 * 10**6
# Lines of them that say something: dependencies, extras, scripts. boto3-stubs has 1,300.
_MAX_LINES = 10_000
_MAX_SCRIPTS = 1_000  # files of *.data/scripts/; each may take a request. Known wheels have some 10
# Sources of a sample, unpacked: one file, and all. The largest known, of azure-mgmt-network, has
# 6.5 MB. A larger one is left out; and no sample is taken beside very many entries.
_MAX_SOURCE = 8 * 10**6
_MAX_SAMPLED = 60_000
_MAX_SOURCES = 24 * 10**6
_LARGE_SOURCES = 4 * 10**6
# What takes this much at once is read and understood one at a time: readers run side by side, and
# understanding it takes ten times its size. Three of all known directories are larger.
LARGE = 2 * 10**6
_LARGE_TEXT = 500_000
_LARGE_TURN = threading.Lock()
_TEXTS = ("METADATA", "entry_points.txt")
Interval = tuple[int, int]
Factors = tuple[float | None, float | None]  # bytecode_factor and slug_factor of an Inventory


class Sampler(Protocol):
    """Chooses spans of a wheel to look into, and says what the sources in them show."""

    def spans(self, members: Sequence[Member]) -> Sequence[Interval]:
        """Return the (start, stop) spans of the archive that are to be read; none is fine."""
        ...

    def factors(self, sources: Sequence[tuple[str, bytes]]) -> Factors:
        """Return ``bytecode_factor`` and ``slug_factor`` of the inventory.

        From the (path, source) pairs of ``.py`` members that lie completely within the spans.
        """
        ...


def read_inventory(
    artifact: Artifact, client: HttpClient, *, sampler: Sampler | None = None
) -> Inventory:
    """Return what a wheel holds.

    One request for an ordinary wheel, two or three for a large one, and those of the sampler's
    spans. Spans near each other are read as one.

    :raises NetworkError: it cannot be fetched.
    :raises WheelError: it is not a valid wheel.
    """
    with client.open_file(artifact) as source, _Turn() as turn:

        def span(start: int, stop: int) -> bytes:
            if stop - start > LARGE:
                turn.take()
            return source.span(start, stop)

        directory = read_directory(span, source.size, artifact.filename)
        info = _dist_info(directory)
        texts, python_scripts = _read_texts(source, directory, info, turn)
        metadata = _Metadata(texts, artifact.filename)
        factors = _sample(source, directory, sampler, turn) if sampler else (None, None)
        return Inventory(
            filename=artifact.filename,
            sha256=artifact.sha256,
            file_bytes=source.size,
            dist_info=info,
            entries=tuple(_entry(member) for member in directory.members),
            requires_dist=metadata.values("Requires-Dist"),
            provides_extra=metadata.values("Provides-Extra"),
            requires_python=next(iter(metadata.values("Requires-Python")), None),
            console_scripts=metadata.scripts("console_scripts"),
            gui_scripts=metadata.scripts("gui_scripts"),
            python_scripts=python_scripts,
            bytecode_factor=factors[0],
            slug_factor=factors[1],
            via=source.via,
        )


class _Turn:
    """A lock for reading something large, taken when needed and released at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._taken = False

    def take(self) -> None:
        """Wait for the lock."""
        if not self._taken:
            self._stack.enter_context(_LARGE_TURN)
            self._taken = True

    def __enter__(self) -> _Turn:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _entry(member: Member) -> Entry:
    return Entry(
        path=member.name,
        size=member.size,
        compressed=member.compressed,
        stored=member.method == STORED,
    )


def _fail(archive: str, fault: str) -> NoReturn:
    raise WheelError(f"{archive}: {fault}", hint="installers refuse it too; choose another version")


def _dist_info(directory: Directory) -> str:
    """Return the one top-level ``*.dist-info`` folder, whatever the spelling of the name in it."""
    tops = {member.name.partition("/")[0] for member in directory.members if "/" in member.name}
    folders = sorted(top for top in tops if top.endswith(".dist-info"))
    if not folders:
        _fail(directory.archive, "it has no *.dist-info folder, so it is not a wheel")
    if len(folders) > 1:
        _fail(directory.archive, f"it has more than one *.dist-info folder: {', '.join(folders)}")
    return folders[0]


def _read_texts(
    source: Source, directory: Directory, info: str, turn: _Turn
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return METADATA and entry_points.txt, and the scripts that begin with ``#!python``."""
    wanted = {f"{info}/{name}": name for name in _TEXTS}
    texts = [member for member in directory.members if member.name in wanted]
    scripts = [member for member in directory.members if _is_script(member.name)]
    if f"{info}/METADATA" not in {member.name for member in texts}:
        _fail(directory.archive, f"it has no {info}/METADATA")
    too_large = [member.name for member in texts if member.size > _MAX_TEXT]
    if too_large:
        _fail(directory.archive, f"{too_large[0]} is larger than {_MAX_TEXT:,} bytes")
    if len(scripts) > _MAX_SCRIPTS:
        _fail(directory.archive, f"it has {len(scripts):,} scripts, more than {_MAX_SCRIPTS:,}")
    if sum(member.size for member in texts) > _LARGE_TEXT:
        turn.take()
    slots = {member: directory.slot(member) for member in texts}
    for member in scripts:
        start, stop = directory.slot(member)
        slots[member] = start, min(stop, start + len(member.name) + _PEEK)
    raw = dict(_read_slots(source, slots))
    contents = {
        wanted[member.name]: read_member(directory, member, raw[member]).decode("utf-8", "replace")
        for member in texts
    }
    return contents, tuple(
        member.name
        for member in scripts
        if peek_member(directory, member, raw[member], len(_SHEBANG)) == _SHEBANG
    )


def _is_script(path: str) -> bool:
    parts = path.split("/")
    return len(parts) > 2 and parts[0].endswith(".data") and parts[1] == "scripts"


def _read_slots(source: Source, slots: Mapping[Member, Interval]) -> Iterator[tuple[Member, bytes]]:
    """Yield each member with the bytes of its slot, neighbours read together."""
    for start, stop in _merged(slots.values()):
        raw = source.span(start, stop)
        for member, (low, high) in slots.items():
            if start <= low and high <= stop:
                yield member, raw[low - start : high - start]


def _merged(spans: Iterable[Interval], gap: int = MERGE_GAP) -> list[Interval]:
    merged: list[Interval] = []
    for start, stop in sorted(spans):
        if merged and start - merged[-1][1] < gap:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged


def _sample(source: Source, directory: Directory, sampler: Sampler, turn: _Turn) -> Factors:
    nothing = (None, None)
    if len(directory.members) > _MAX_SAMPLED:
        return nothing
    wanted = sampler.spans(directory.members)
    clipped = [(max(0, start), min(stop, directory.start)) for start, stop in wanted]
    spans = sorted(span for span in clipped if span[0] < span[1])
    ordered = sorted(directory.members, key=_header_offset)
    sources: list[tuple[str, bytes]] = []
    left = _MAX_SOURCES
    for start, stop in _merged(spans, _SAMPLE_GAP):
        raw = source.span(start, stop)
        for low, high in _merged((s for s in spans if start <= s[0] < stop), 0):
            for name, content in _sources_within(directory, ordered, raw, (start, low, high)):
                left -= len(content)
                if left < 0:
                    return nothing
                if left < _MAX_SOURCES - _LARGE_SOURCES:
                    turn.take()
                sources.append((name, content))
    return sampler.factors(tuple(sources)) if sources else nothing


def _sources_within(
    directory: Directory, ordered: Sequence[Member], raw: bytes, places: tuple[int, int, int]
) -> Iterator[tuple[str, bytes]]:
    """Yield the sources of a part of the archive: where ``raw`` starts, and the part's ends."""
    start, low, high = places
    first, end = (bisect.bisect_left(ordered, place, key=_header_offset) for place in (low, high))
    for member in ordered[first:end]:
        if member.name.endswith(".py") and member.size <= _MAX_SOURCE:
            at = member.header_offset - start
            stop = data_end(raw, at, member)
            if stop is not None and stop <= high - start:
                yield member.name, read_member(directory, member, raw[at:stop])


def _header_offset(member: Member) -> int:
    return member.header_offset


class _Metadata(Distribution):
    """METADATA and entry points read by the standard library, as installers read them."""

    def __init__(self, texts: Mapping[str, str], archive: str) -> None:
        self._texts = texts
        self._archive = archive

    def read_text(self, filename: str) -> str | None:
        return self._texts.get(filename)

    def locate_file(self, path: str | PathLike[str]) -> NoReturn:
        raise NotImplementedError("this distribution is not on the disk")

    @cached_property
    def _fields(self) -> Message:
        # headers alone: a body may claim to be a mail of many nested parts
        return HeaderParser().parsestr(self._texts.get("METADATA", ""), headersonly=True)

    def values(self, field: str) -> tuple[str, ...]:
        """Return the values of a field, folded lines joined."""
        lines = self._fields.get_all(field) or ()
        if len(lines) > _MAX_LINES:
            _fail(self._archive, f"its METADATA has {len(lines):,} {field} lines")
        return tuple(" ".join(str(value).split()) for value in lines)

    def scripts(self, group: str) -> tuple[tuple[str, str], ...]:
        """Return (name, ``module:attr``) of each entry point of a group, without extras."""
        try:
            points = self.entry_points.select(group=group)
            if len(points) > _MAX_LINES:
                _fail(self._archive, f"its entry_points.txt has {len(points):,} {group}")
            return tuple((point.name, point.value.partition("[")[0].strip()) for point in points)
        except (TypeError, ValueError):
            _fail(self._archive, "its entry_points.txt cannot be read")


class SourceSampler:
    """Samples one wheel. Compiles with the running Python; nothing is executed."""

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._entries: tuple[Entry, ...] = ()
        self._runs: tuple[tuple[Entry, ...], ...] = ()

    def spans(self, members: Sequence[Member]) -> tuple[tuple[int, int], ...]:
        """Return the spans of the archive to read, one for each run of neighbouring sources."""
        ordered = sorted(members, key=_header_offset)
        self._entries = tuple(
            Entry(path=m.name, size=m.size, compressed=m.compressed) for m in ordered
        )
        try:
            name, version, _, _ = reading.wheel_filename(self._filename)
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

    def factors(self, sources: Sequence[tuple[str, bytes]]) -> Factors:
        """Return the factors on the models that the sources show."""
        texts = dict(sources)
        runs = [[(e, texts[e.path]) for e in run if e.path in texts] for run in self._runs]
        return sampled.factors(self._entries, runs)


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
