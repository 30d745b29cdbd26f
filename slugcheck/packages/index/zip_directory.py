"""A strict reader of a ZIP archive's directory, from spans of its bytes.

It accepts only an archive that is consistent: as many entries as the end record claims, each within
the file, none overlapping, none twice, no path that leaves the folder. Anything else is a
``WheelError`` that names the archive and the problem; no other exception leaves this module.
Format: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from slugcheck.errors import WheelError

Span = Callable[[int, int], bytes]

# Bytes requested at the end of a file. With 16 KB, 946 requests were enough for directory and
# metadata of 839 wheels; 64 KB saves 7 % of them for twice the bytes.
TAIL = 16 * 1024
# The largest known directory, of homeassistant 2026.11, has 5.8 MB for 58,144 files; then come
# tensorflow 2.22 (3.0 MB, 21,630), ansible 15 (2.7 MB, 20,784) and msgraph-sdk 1.65 (names of 324
# bytes, the longest). What goes beyond these limits is an attack or damage.
MAX_DIRECTORY = 16 * 10**6
MAX_ENTRIES = 100_000
MAX_NAME = 4_096
STORED = 0
DEFLATED = 8

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_COMMENT = 0xFFFF
_FULL16 = 0xFFFF
_FULL32 = 0xFFFFFFFF
_NEWEST = 63  # "version needed" up to which the standard library's zipfile reads
_UNREADABLE = 0x1 | 0x20 | 0x40  # flags: encrypted, patched data, strongly encrypted
_UTF8 = 0x800
# Deflate cannot do better than 258 bytes from 2 bits.
_MAX_DEFLATE_RATIO = 1032


class Member(NamedTuple):
    """An entry of the directory; sizes in bytes, ``header_offset`` from the start of the file.

    A named tuple, because archives hold up to tens of thousands and these are made in
    40 % of the time that frozen dataclasses take.
    """

    name: str
    size: int
    compressed: int
    method: int
    header_offset: int
    crc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """What an archive holds. ``folders`` are the entries that are directories, no files."""

    archive: str
    members: tuple[Member, ...]
    folders: tuple[str, ...]
    start: int  # where the directory begins, and the members end
    offsets: tuple[int, ...]  # of all local headers, ascending

    def slot(self, member: Member) -> tuple[int, int]:
        """Return the span that holds a member with its local header and descriptor."""
        following = bisect_right(self.offsets, member.header_offset)
        stop = self.offsets[following] if following < len(self.offsets) else self.start
        # No more than it can use, should something else lie between it and the next.
        most = _LOCAL.size + 2 * 0xFFFF + member.compressed
        return member.header_offset, min(stop, member.header_offset + most)


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """The end record: where the directory is, and how many entries it has."""

    start: int
    size: int
    count: int
    shift: int  # bytes before the archive that its own offsets do not count


def read_directory(span: Span, size: int, archive: str) -> Directory:
    """Return the directory of an archive of ``size`` bytes.

    ``span(start, stop)`` gives bytes of it: the last 16 KB are asked for first, then exactly what
    is missing of the directory. ``archive`` is its name, for messages.

    :raises WheelError: it is not a ZIP archive, or it contradicts itself.
    """
    tail = _Tail(span, size, archive)
    end = tail.find_end()
    raw = tail.span(end.start, end.start + end.size)
    members: list[Member] = []
    folders: list[Member] = []
    for member in _entries(raw, end, archive):
        (folders if member.name.endswith("/") else members).append(member)
    _check_names(members, folders, archive)
    return Directory(
        archive=archive,
        members=tuple(members),
        folders=tuple(folder.name for folder in folders),
        start=end.start,
        offsets=_checked_offsets([*members, *folders], end.start, archive),
    )


def _fail(archive: str, fault: str) -> NoReturn:
    raise WheelError(
        f"{archive}: {fault}",
        hint="the file is damaged or not a wheel; ask its maintainers to upload it again",
    )


class _Tail:
    """The last bytes of an archive, growing to the front as needed."""

    def __init__(self, source: Span, size: int, archive: str) -> None:
        self._source = source
        self._size = size
        self._archive = archive
        self._start = max(0, size - TAIL)
        self._held = self._read(self._start, size) if size else b""

    def _read(self, start: int, stop: int) -> bytes:
        got = self._source(start, stop)
        if len(got) != stop - start:
            _fail(self._archive, "it is shorter than the index says")
        return got

    def span(self, start: int, stop: int) -> bytes:
        """Return a span of the file, asking only for what lies before the bytes held."""
        if start < self._start:
            self._held = self._read(start, self._start) + self._held
            self._start = start
        return self._held[start - self._start : stop - self._start]

    def find_end(self) -> _End:
        """Return what the end record says, in its zip64 form if there is one."""
        at = self._find_end_record()
        _, disk, first_disk, here, count, size, start, _ = _END.unpack(
            self.span(at, at + _END.size)
        )
        if disk or first_disk:
            _fail(self._archive, "it is one part of a split ZIP archive")
        plain = (here, count, size, start)
        end64 = self._find_end64(at)
        if end64 is not None:
            at, wide = end64
            full = (_FULL16, _FULL16, _FULL32, _FULL32)
            if any(p not in (f, w) for p, f, w in zip(plain, full, wide, strict=True)):
                _fail(self._archive, "its two end records contradict each other")
            plain = wide
        return self._checked_end(at, *plain)

    def _find_end_record(self) -> int:
        """Return where the end record is: at the very end, or before a comment."""
        for depth in (TAIL, _END.size + _MAX_COMMENT):
            low = max(0, self._size - depth)
            held = self.span(low, self._size)
            at = held.rfind(b"PK\5\6", 0, max(0, len(held) - _END.size + 4))
            if at >= 0:
                comment = int.from_bytes(held[at + _END.size - 2 : at + _END.size], "little")
                if low + at + _END.size + comment != self._size:
                    _fail(self._archive, "there are bytes after the end of the ZIP archive")
                return low + at
        return _fail(self._archive, "it is not a ZIP archive, or its end is cut off")

    def _find_end64(self, end: int) -> tuple[int, tuple[int, int, int, int]] | None:
        """Return where the zip64 end record is and what it says; None without one."""
        locator_at = end - _END64_LOCATOR.size
        if locator_at < 0 or self.span(locator_at, locator_at + 4) != b"PK\6\7":
            return None
        at = locator_at - _END64.size
        raw = self.span(at, locator_at) if at >= 0 else b""
        if raw[:4] != b"PK\6\6":
            _fail(self._archive, "its zip64 end record is not where it should be")
        _, length, _, _, disk, first_disk, *wide = _END64.unpack(raw)
        _, disk_of_end, said_at, disks = _END64_LOCATOR.unpack(self.span(locator_at, end))
        if disk or first_disk or disk_of_end or disks > 1:
            _fail(self._archive, "it is one part of a split ZIP archive")
        here, count, size, start = wide
        if length != _END64.size - 12 or said_at != start + size:
            _fail(self._archive, "its zip64 end record contradicts itself")
        return at, (here, count, size, start)

    def _checked_end(self, at: int, here: int, count: int, size: int, start: int) -> _End:
        if here != count:
            _fail(self._archive, "it is one part of a split ZIP archive")
        if size > MAX_DIRECTORY:
            _fail(self._archive, f"its directory claims {size:,} bytes")
        if count > MAX_ENTRIES:
            _fail(self._archive, f"it claims {count:,} files, more than {MAX_ENTRIES:,}")
        shift = at - size - start
        if shift < 0:
            _fail(self._archive, "its directory begins before the file does")
        return _End(start=at - size, size=size, count=count, shift=shift)


def _entries(raw: bytes, end: _End, archive: str) -> Iterator[Member]:
    at = 0
    for _ in range(end.count):
        if at + _ENTRY.size > len(raw) or raw[at : at + 4] != b"PK\1\2":
            _fail(archive, f"its directory has fewer entries than it declares ({end.count:,})")
        fields = _ENTRY.unpack_from(raw, at)
        name_at = at + _ENTRY.size
        extra_at = name_at + fields[10]
        comment_at = extra_at + fields[11]
        at = comment_at + fields[12]
        if at > len(raw):
            _fail(archive, "the last entry of its directory is cut off")
        name = _decode(raw[name_at:extra_at], fields[3], archive)
        yield _member(name, fields, raw[extra_at:comment_at], end, archive)
    if at != len(raw):
        _fail(archive, f"its directory has more entries than it declares ({end.count:,})")


def _member(name: str, fields: tuple[int, ...], extra: bytes, end: _End, archive: str) -> Member:
    _, _, needed, flags, method, _, _, crc, compressed, size, *_ = fields
    disk, offset = fields[13], fields[16]
    if needed & 0xFF > _NEWEST:
        _fail(archive, f"{name!r} needs a newer ZIP version than installers support")
    _check_extra(extra, archive, name)
    if _FULL32 in (size, compressed, offset) or disk == _FULL16:
        size, compressed, offset, disk = _widened(
            (size, compressed, offset, disk), extra, f"{archive}: {name}"
        )
    if disk:
        _fail(archive, "it is one part of a split ZIP archive")
    if flags & _UNREADABLE:
        _fail(archive, f"{name} is encrypted or a patch")
    if method == STORED and size != compressed:
        _fail(archive, f"{name} is not compressed, yet has two different sizes")
    if method == DEFLATED and size > _MAX_DEFLATE_RATIO * (compressed + 1):
        _fail(archive, f"{name} claims {size:,} bytes, more than its data can hold")
    return Member(name, size, compressed, method, offset + end.shift, crc)


def _widened(
    narrow: tuple[int, int, int, int], extra: bytes, label: str
) -> tuple[int, int, int, int]:
    """Return size, compressed size, offset and disk with the zip64 values in their places."""
    wide = _extra_field(extra, 1)
    values = list(narrow)
    at = 0
    for index, (full, width) in enumerate(((_FULL32, 8), (_FULL32, 8), (_FULL32, 8), (_FULL16, 4))):
        if values[index] == full and (wide is not None or full == _FULL16):
            piece = (wide or b"")[at : at + width]
            if len(piece) != width:
                _fail(label, "its zip64 sizes are missing")
            values[index] = int.from_bytes(piece, "little")
            at += width
    return values[0], values[1], values[2], values[3]


def _check_extra(extra: bytes, archive: str, name: str) -> None:
    """Refuse extra fields that run over, as zipfile and so the installers do."""
    at = 0
    while at + 4 <= len(extra):
        at += 4 + int.from_bytes(extra[at + 2 : at + 4], "little")
    if at > len(extra):
        _fail(archive, f"{name!r} has a cut off extra field")


def _extra_field(extra: bytes, wanted: int) -> bytes | None:
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return None


def _decode(raw: bytes, flags: int, archive: str) -> str:
    if len(raw) > MAX_NAME:
        _fail(archive, f"a name in it has {len(raw):,} bytes: {raw[:80]!r}…")
    try:
        name = raw.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError:
        _fail(archive, f"a name in it is not UTF-8: {raw[:80]!r}")
    if not name or "\0" in name:
        _fail(archive, f"it holds an entry with the unusable name {name[:80]!r}")
    return name


def _check_names(members: list[Member], folders: list[Member], archive: str) -> None:
    seen: set[str] = set()
    for member in (*members, *folders):
        name = member.name
        if name in seen:
            _fail(archive, f"it holds {name!r} twice")
        seen.add(name)
        if name.startswith("/") or (".." in name and ".." in name.split("/")):
            _fail(archive, f"{name!r} would be written outside the folder it is unpacked in")


def _checked_offsets(members: list[Member], start: int, archive: str) -> tuple[int, ...]:
    """Return the header offsets in order; each member must end before the next one begins."""
    ordered = sorted((member.header_offset, member.compressed, member.name) for member in members)
    offsets = tuple(offset for offset, _, _ in ordered)
    nexts = (*offsets[1:], start) if ordered else ()
    for (offset, compressed, name), following in zip(ordered, nexts, strict=True):
        if offset + _LOCAL.size + compressed > following:
            fault = "reaches beyond the file's data" if following == start else "overlaps another"
            _fail(archive, f"{name!r} {fault}")
    return offsets


def read_member(directory: Directory, member: Member, raw: bytes) -> bytes:
    """Return a member's content; ``raw`` is its slot, or as much of it as its data takes.

    :raises WheelError: the data is not what the directory says of it.
    """
    data = _data(directory.archive, member, raw)
    if len(data) < member.compressed:
        _fail(directory.archive, f"{member.name!r} is cut off")
    content = _inflate(directory.archive, member, data[: member.compressed], member.size + 1)
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        _fail(directory.archive, f"{member.name!r} is damaged: size or checksum differ")
    return content


def peek_member(directory: Directory, member: Member, raw: bytes, count: int) -> bytes:
    """Return up to ``count`` first bytes of a member, unchecked, from the beginning of its slot.

    :raises WheelError: the data is not what the directory says of it.
    """
    data = _data(directory.archive, member, raw)
    return _inflate(directory.archive, member, data[: member.compressed], count)[:count]


def data_end(raw: bytes, at: int, member: Member) -> int | None:
    """Return where a member ends in ``raw``, its local header being at ``at``; None if unclear."""
    if at < 0 or at + _LOCAL.size > len(raw) or raw[at : at + 4] != b"PK\3\4":
        return None
    name, extra = struct.unpack_from("<2H", raw, at + _LOCAL.size - 4)
    return at + _LOCAL.size + int(name) + int(extra) + member.compressed


def _data(archive: str, member: Member, raw: bytes) -> bytes:
    """Return what follows the local header, which must bear the member's name."""
    if len(raw) < _LOCAL.size or raw[:4] != b"PK\3\4":
        _fail(archive, f"{member.name!r} is not where the directory says")
    fields = _LOCAL.unpack_from(raw)
    name_end = _LOCAL.size + fields[9]
    if _decode(raw[_LOCAL.size : name_end], fields[2], archive) != member.name:
        _fail(archive, f"{member.name!r} has another name in its local header")
    return raw[name_end + fields[10] :]


def _inflate(archive: str, member: Member, data: bytes, limit: int) -> bytes:
    if member.method == STORED:
        return data
    if member.method != DEFLATED:
        _fail(archive, f"{member.name!r} has the unknown compression {member.method}")
    try:
        return zlib.decompressobj(-15).decompress(data, limit)
    except zlib.error as error:
        _fail(archive, f"{member.name!r} is damaged: {error}")
