"""Real wheels and source archives, built in memory with named layouts.

The writer is the standard library's ``zipfile``, never slugcheck's own reader: the two must agree
without knowing each other.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple, ParamSpec
from unittest import mock

Content = bytes | str
EntryPoints = str | Mapping[str, Mapping[str, str]]

_DATE = (2024, 1, 2, 3, 4, 6)
_MODE = 0o100644 << 16


class Archive(NamedTuple):
    """A built archive: its file name and its bytes."""

    filename: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the ZIP file is put together; every field off is what ``pip wheel`` would write."""

    stored: bool = False  # no compression
    zip64: bool = False  # every record in its zip64 form, whatever the sizes
    comment: bytes = b""  # archive comment after the end record
    prefix: bytes = b""  # bytes before the first local header, as a self-extracting archive has
    prefix_counted: bool = False  # whether the offsets in the records count the prefix
    descriptors: bool = False  # sizes after the data instead of in the local header
    directories: bool = False  # an entry for every directory
    metadata: str = "last"  # where the dist-info members are: "last" or "first"


P = ParamSpec("P")
_KEPT_BYTES = 4_000_000  # an archive that is larger is not kept


def _kept(make: Callable[P, Archive]) -> Callable[P, Archive]:
    """Keep what was made: the tests of a file fill their index with the same archives."""
    known: dict[object, Archive] = {}

    @wraps(make)
    def again(*args: P.args, **kwargs: P.kwargs) -> Archive:
        key = _key([args, kwargs])
        found = known.get(key) or make(*args, **kwargs)
        if len(found.content) <= _KEPT_BYTES:
            known[key] = found
        return found

    return again


def _key(value: object) -> object:
    """Return what stands for a value, in its order; long contents are not kept with it."""
    if isinstance(value, Mapping):
        return ("mapping", *((name, _key(one)) for name, one in value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_key, value))
    if isinstance(value, bytes | bytearray) or (isinstance(value, str) and len(value) > 1_000):
        return (
            type(value),
            len(value),
            hash(bytes(value) if isinstance(value, bytearray) else value),
        )
    return (type(value), value)


@_kept
def make_wheel(
    name: str,
    version: str,
    files: Mapping[str, Content],
    *,
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    requires_python: str | None = None,
    entry_points: EntryPoints | None = None,
    data: Mapping[str, Content] | None = None,
    metadata: Content | None = None,
    dist_info: str | None = None,
    dist_info_files: Mapping[str, Content] | None = None,
    layout: Layout | None = None,
) -> Archive:
    """Return a wheel with a correct RECORD.

    ``extras`` maps an extra to its requirements; ``data`` maps paths such as ``scripts/x`` (or
    ``.data/scripts/x``) to contents. ``metadata`` replaces the whole METADATA text, ``dist_info``
    the folder's name; ``dist_info_files`` adds members to it.
    """
    stem = f"{_escape(name)}-{_escape(version)}"
    folder = dist_info or f"{stem}.dist-info"
    if metadata is None:
        metadata = metadata_text(name, version, requires, extras or {}, requires_python)
    members = {path: _bytes(content) for path, content in files.items()}
    for path, content in (data or {}).items():
        members[f"{stem}.data/{path.removeprefix('.data/')}"] = _bytes(content)
    info = {
        f"{folder}/METADATA": _bytes(metadata),
        f"{folder}/WHEEL": _wheel_text(tag),
        **{
            f"{folder}/{path}": _bytes(content) for path, content in (dist_info_files or {}).items()
        },
    }
    if entry_points is not None:
        info[f"{folder}/entry_points.txt"] = _bytes(_entry_points_text(entry_points))
    info[f"{folder}/RECORD"] = _record({**members, **info}, f"{folder}/RECORD")
    layout = layout or Layout()
    ordered = {**info, **members} if layout.metadata == "first" else {**members, **info}
    return Archive(f"{stem}-{tag}.whl", make_zip(ordered, layout))


@_kept
def make_sdist(
    name: str,
    version: str,
    files: Mapping[str, Content],
    *,
    requires_txt: str | None = None,
    pkg_info: Content | None = None,
    pyproject: str | None = None,
    setup_py: str | None = None,
    setup_cfg: str | None = None,
    kind: str = "tar.gz",
) -> Archive:
    """Return a source archive (``tar.gz``, ``tar.bz2`` or ``zip``), everything below one folder.

    ``files`` paths are relative to that folder. ``pkg_info`` replaces the PKG-INFO text.
    """
    members = {path: _bytes(content) for path, content in files.items()}
    text = metadata_text(name, version, (), {}, None) if pkg_info is None else pkg_info
    members["PKG-INFO"] = _bytes(text)
    egg_info = f"{_escape(name)}.egg-info"
    if requires_txt is not None:
        members[f"{egg_info}/requires.txt"] = _bytes(requires_txt)
        members[f"{egg_info}/PKG-INFO"] = _bytes(text)
    optional = {"pyproject.toml": pyproject, "setup.py": setup_py, "setup.cfg": setup_cfg}
    members |= {path: _bytes(value) for path, value in optional.items() if value is not None}
    top = f"{name}-{version}"
    below = {f"{top}/{path}": content for path, content in members.items()}
    content = make_zip(below) if kind == "zip" else _make_tar(below)
    if kind == "tar.bz2":
        content = bz2.compress(gzip.decompress(content))
    return Archive(f"{top}.{kind}", content)


def metadata_text(
    name: str,
    version: str,
    requires: Iterable[str],
    extras: Mapping[str, Sequence[str]],
    requires_python: str | None,
) -> str:
    """Return core metadata; ``extras`` become Provides-Extra and marked Requires-Dist lines."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, requirements in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_of_extra(text, extra)}" for text in requirements]
    return "\n".join(lines) + "\n\nA package made by a test.\n"


def make_zip(members: Mapping[str, bytes], layout: Layout | None = None) -> bytes:
    """Return a ZIP archive with ``members`` in their order."""
    layout = layout or Layout()
    method = zipfile.ZIP_STORED if layout.stored else zipfile.ZIP_DEFLATED
    target = _Unseekable() if layout.descriptors else io.BytesIO()
    if layout.prefix_counted:
        target.write(layout.prefix)
    with _zip64_everywhere(layout.zip64), zipfile.ZipFile(target, "w", method) as archive:
        archive.comment = layout.comment
        for path in _with_directories(members) if layout.directories else members:
            info = zipfile.ZipInfo(path, _DATE)
            info.compress_type = zipfile.ZIP_STORED if path.endswith("/") else method
            info.external_attr = _MODE
            archive.writestr(info, members.get(path, b""))
    content = target.getvalue()
    return content if layout.prefix_counted else layout.prefix + content


class _Unseekable(io.BytesIO):
    """A stream that cannot go back, so that zipfile writes data descriptors."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


@contextmanager
def _zip64_everywhere(wanted: bool) -> Iterator[None]:
    with ExitStack() as stack:
        if wanted:
            stack.enter_context(mock.patch.object(zipfile, "ZIP64_LIMIT", -1))
            stack.enter_context(mock.patch.object(zipfile, "ZIP_FILECOUNT_LIMIT", -1))
        yield


def _with_directories(members: Iterable[str]) -> list[str]:
    seen: dict[str, None] = {}
    for path in members:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            seen.setdefault("/".join(parts[:depth]) + "/")
        seen[path] = None
    return list(seen)


def _make_tar(members: Mapping[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, content in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def _record(members: Mapping[str, bytes], own_path: str) -> bytes:
    rows = []
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
        quoted = f'"{path}"' if "," in path else path
        rows.append(f"{quoted},sha256={digest.decode()},{len(content)}\n")
    return "".join([*rows, f"{own_path},,\n"]).encode()


def _wheel_text(tag: str) -> bytes:
    pure = "true" if tag.endswith("-none-any") else "false"
    python, abi, platforms = tag.split("-")
    tags = [f"Tag: {p}-{a}-{q}\n" for p in python.split(".") for a in abi.split(".")
            for q in platforms.split(".")]  # fmt: skip
    head = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {pure}\n"
    return (head + "".join(tags)).encode()


def _entry_points_text(entry_points: EntryPoints) -> str:
    if isinstance(entry_points, str):
        return entry_points
    sections = []
    for group, names in entry_points.items():
        rows = "".join(f"{name} = {target}\n" for name, target in names.items())
        sections.append(f"[{group}]\n{rows}")
    return "\n".join(sections)


def _of_extra(requirement: str, extra: str) -> str:
    text, _, marker = (part.strip() for part in requirement.partition(";"))
    own = f'extra == "{extra}"'
    return f"{text}; ({marker}) and {own}" if marker else f"{text}; {own}"


def _escape(part: str) -> str:
    return part.replace("-", "_")


def _bytes(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content
