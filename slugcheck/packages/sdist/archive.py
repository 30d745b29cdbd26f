"""The files of a source archive, without unpacking it to disk.

An archive is read twice, as a stream: once for names, sizes and the few texts that describe the
project, once for how well the relevant files compress. Counts and sizes are limited before they are
believed, since archives come from strangers.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Protocol, cast

from slugcheck.errors import MeasureError

# The largest ordinary source archives unpack to some 300 MB (pyspark aside, which holds a JVM's
# worth of jars); a bomb of 1 MB may hold a thousand times its size.
MAX_UNPACKED_BYTES = 600_000_000
MAX_MEMBERS = 100_000
_MAX_TEXT_BYTES = 4_000_000
_MAX_TEXTS_BYTES = 32_000_000  # of all texts of an archive together
_MAX_SETUP_BYTES = 250_000  # parsing takes 600 times the size of what is made for it
# Characters and parts of a path. Linux takes paths of 4,096, but pip unpacks below a folder of its
# own, and Windows below 260.
_LONGEST_PATH, _DEEPEST_PATH = 1_024, 64
_SUFFIXES = {
    ".tar.gz": "gz", ".tgz": "gz", ".tar.bz2": "bz2", ".tbz": "bz2",
    ".tar.xz": "xz", ".txz": "xz", ".tar": "tar", ".zip": "zip",
}  # fmt: skip

# Describes the project; anything else is a name and a size only.
_TEXTS = re.compile(
    r"(?:^|/)(?:PKG-INFO|setup\.py|setup\.cfg|pyproject\.toml|[^/]+\.egg-info/[^/]+\.txt)$"
    # how it is built; deeper ones are of what it bundles
    r"|^(?:[^/]+/)?(?:meson\.build|CMakeLists\.txt)$|^(?:[^/]+/){0,3}Cargo\.(?:toml|lock)$"
)
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError,
    NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
_TOO_LARGE = f"the archive unpacks to more than {MAX_UNPACKED_BYTES // 10**6} MB"


class ArchiveError(MeasureError):
    """A source archive cannot be read, or holds more than it may."""


class Tree(Protocol):
    """Files of a project by their path below its top folder, with ``/`` between the parts.

    ``sizes`` are bytes. ``texts`` are the contents of those that describe the project.
    ``ignored`` counts what was left out for safety: links, devices, paths that lead outside.
    """

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of every file."""

    @property
    def texts(self) -> Mapping[str, bytes]:
        """Contents of the files that describe the project."""

    @property
    def ignored(self) -> int:
        """How many members were left out."""

    def deflated(self, paths: Collection[str]) -> Mapping[str, int]:
        """Return the bytes each of ``paths`` takes when deflated at level 6, as in a wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTree:
    """The files of an archive that is held in memory; a :class:`Tree`.

    ``complete`` is False for one of which only the beginning was there (``partial=True``).
    """

    sizes: Mapping[str, int]
    texts: Mapping[str, bytes]
    ignored: int
    complete: bool
    data: bytes
    form: str
    top: str

    def deflated(self, paths: Collection[str]) -> Mapping[str, int]:
        """Return the bytes each of ``paths`` takes when deflated at level 6, as in a wheel.

        :raises ArchiveError: the archive is damaged.
        """
        wanted = {self.top + path: path for path in paths}
        return {
            wanted[member.path]: member.deflated()
            for member in _members(self.data, self.form, partial=not self.complete)
            if member.path in wanted
        }


def open_archive(data: bytes, filename: str, *, partial: bool = False) -> ArchiveTree:
    """List the files of an archive in memory; its form follows from ``filename``.

    With ``partial`` the archive may end early, and what came before the end is listed.

    :raises ArchiveError: the form is unknown, the archive is damaged or goes beyond the limits.
    """
    form = archive_form(filename)
    if form is None:
        raise ArchiveError(f"{filename} is not a supported archive")
    sizes: dict[str, int] = {}
    texts: dict[str, bytes] = {}
    ignored = held = 0
    complete = True
    for member in _members(data, form, partial=partial):
        if member is _END:
            complete = False
        elif member.path == "":
            ignored += 1
        else:
            sizes[member.path] = member.size
            if describes_project(member.path, member.size):
                texts[member.path] = member.read()
                held += member.size
                if held > _MAX_TEXTS_BYTES:
                    limit = _MAX_TEXTS_BYTES // 10**6
                    raise ArchiveError(f"the archive holds more than {limit} MB of metadata")
    top = _top(sizes)
    return ArchiveTree(
        sizes={path[len(top) :]: size for path, size in sizes.items()},
        texts={path[len(top) :]: text for path, text in texts.items()},
        ignored=ignored,
        complete=complete,
        data=data,
        form=form,
        top=top,
    )


def describes_project(path: str, size: int) -> bool:
    """Return True for a file to keep the text of: PKG-INFO, setup.py, pyproject.toml and such."""
    limit = _MAX_SETUP_BYTES if path.endswith(".py") else _MAX_TEXT_BYTES
    return bool(_TEXTS.search(path)) and size <= limit


def archive_form(filename: str) -> str | None:
    """Return what kind of source archive a filename names, or None."""
    lower = filename.lower()
    return next((form for suffix, form in _SUFFIXES.items() if lower.endswith(suffix)), None)


def archive_stem(filename: str) -> str:
    """Return a filename without the suffix of its archive form."""
    lower = filename.lower()
    suffix = next((s for s in _SUFFIXES if lower.endswith(s)), "")
    return filename[: len(filename) - len(suffix)]


def unpacked_bytes(filename: str, file_bytes: int, tail: bytes) -> int | None:
    """Return what a gzip of ``file_bytes`` unpacks to, from its last bytes; None for other forms.

    The format keeps the size in the last four bytes, modulo 2**32: the least size is returned that
    is no smaller than the file.
    """
    if archive_form(filename) != "gz" or len(tail) < 4:
        return None
    size = int.from_bytes(tail[-4:], "little")
    while size < file_bytes:
        size += 2**32
    return size


def deflated_bytes(content: bytes) -> int:
    """Return what a wheel (deflate, zlib's level 6) makes of ``content``."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return len(squeeze.compress(content)) + len(squeeze.flush())


def _top(sizes: Collection[str]) -> str:
    """Return the folder, with its slash, that holds everything; "" when there is none."""
    first = {path.partition("/")[0] for path in sizes}
    only = next(iter(first)) if len(first) == 1 else ""
    return f"{only}/" if only and only not in sizes else ""


def _safe_path(name: str) -> str:
    """Return the path of a member in one spelling, or "" for one that leads outside.

    One that is longer or deeper than any real one is left out as well.
    """
    if len(name) > _LONGEST_PATH or name.count("/") > _DEEPEST_PATH:
        return ""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    outside = name.startswith("/") or ".." in parts or "\\" in name or "\0" in name
    return "" if outside or not parts or ":" in parts[0] else "/".join(parts)


@dataclass(slots=True)
class _Member:
    path: str  # "" for one to leave out
    size: int
    read: Callable[[], bytes]
    packed: int | None = None  # bytes deflated, where that is how the archive holds it

    def deflated(self) -> int:
        return deflated_bytes(self.read()) if self.packed is None else self.packed


_END = _Member("\0", 0, bytes)  # stands at the end of an archive that was cut off


def _members(data: bytes, form: str, *, partial: bool) -> Iterator[_Member]:
    """Yield the members; every failure of the libraries becomes an ArchiveError."""
    walk = _zip_members(data) if form == "zip" else _tar_members(data, form)
    count = total = 0
    try:
        for member in walk:
            count, total = count + 1, total + member.size
            if count > MAX_MEMBERS:
                raise ArchiveError(f"the archive holds more than {MAX_MEMBERS} files")
            if total > MAX_UNPACKED_BYTES:
                raise ArchiveError(_TOO_LARGE)
            yield member
    except _DAMAGE as error:
        if not partial:
            raise ArchiveError(f"the archive is damaged: {error}") from None
        yield _END


def _tar_members(data: bytes, form: str) -> Iterator[_Member]:
    stream = _Limited(_decompressed(io.BytesIO(data), form))
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
        for info in archive:
            if info.isdir():
                continue
            path = _safe_path(info.name) if info.isreg() else ""
            yield _Member(
                path, info.size if path else 0, functools.partial(_content, archive, info)
            )


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    content = cast("IO[bytes]", archive.extractfile(info)).read()
    if len(content) != info.size:
        raise EOFError("a file ends early")
    return content


def _zip_members(data: bytes) -> Iterator[_Member]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            link = (info.external_attr >> 16) & 0o170000 == 0o120000
            path = "" if link else _safe_path(info.filename)
            packed = info.compress_size if info.compress_type == zipfile.ZIP_DEFLATED else None
            size = info.file_size if path else 0
            yield _Member(path, size, functools.partial(archive.read, info), packed)


def _decompressed(raw: io.BytesIO, form: str) -> IO[bytes]:
    if form == "gz":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if form == "bz2":
        return bz2.BZ2File(raw)
    if form == "xz":
        return lzma.LZMAFile(raw)
    return raw


class _Limited:
    """A stream that refuses to yield more than the limit, whatever the headers claim."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        # headers and padding take at most 1 KiB a member beside the files themselves
        self._left = MAX_UNPACKED_BYTES + 1024 * MAX_MEMBERS

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise ArchiveError(_TOO_LARGE)
        return chunk
