"""Source archives and source folders: their metadata, read without running their code.

Only ``build_wheel`` runs code of the distribution under check, and only with ``--build``.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from packaging.utils import canonicalize_name

from slugcheck import reading
from slugcheck.errors import MeasureError
from slugcheck.model import BuildNeed, Entry, Inventory
from slugcheck.packages.index.inventories import Cache
from slugcheck.packages.resolve.uv import clean_environment, find_uv
from slugcheck.packages.sdist.archive import (
    MAX_MEMBERS,
    MAX_UNPACKED_BYTES,
    ArchiveError,
    Tree,
    archive_stem,
    deflated_bytes,
    describes_project,
    generated_by,
    is_module,
    open_archive,
    unpacked_bytes,
)
from slugcheck.packages.sdist.contents import (
    SO_DEFLATE_RATIO,
    SOURCE_FOLDERS,
    NativeSize,
    estimate,
    find_payload,
    native_reason,
    native_sources,
)
from slugcheck.packages.sdist.metadata import (
    SourceMetadata,
    Unstated,
    dist_info_entries,
    read_metadata,
    scripts_of,
)
from slugcheck.packages.sdist.needs import Failure, Needs, read_needs
from slugcheck.packages.sdist.project_files import Project, imported, parse_version
from slugcheck.running import child, temporary
from slugcheck.running.child import Bounds

_BOUNDS = Bounds(seconds=1800.0, memory=None)  # compilers take what they need
_LAST_LINES = 3
# what uv writes around a build's own output
_BEGUN, _FAILED, _HINT = "Building ", "error: Failed to build", "\nhint: "
_COMPILERS = (
    "CC CXX CPP LD AR CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH LIBRARY_PATH LD_LIBRARY_PATH "
    "PKG_CONFIG_PATH CARGO_HOME RUSTUP_HOME RUSTFLAGS MAKEFLAGS CMAKE_PREFIX_PATH SSH_AUTH_SOCK"
).split()


@cache
def _folder() -> Path:
    folder = temporary.Folder()
    atexit.register(folder.close)  # its wheels are read until the end
    return folder.path


def build_wheel(data: bytes, filename: str, minor: str) -> Path:
    """Build a source archive with this machine's Python ``minor``; return the wheel's path.

    :raises MeasureError: there is no such Python here, or the build fails.
    """
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if minor != here:
        message = f"--build can only build for this machine's Python {here}; the target has {minor}"
        raise MeasureError(message)
    folder = Path(mkdtemp(dir=_folder()))
    archive = folder / Path(filename).name
    archive.write_bytes(data)
    # not --quiet, which keeps back what the build itself says
    command = [find_uv(), "build", "--wheel", "--color", "never", "--python", sys.executable]
    command += ["--no-python-downloads", "--out-dir", str(folder / "out"), str(archive)]
    compilers = {name: os.environ[name] for name in _COMPILERS if name in os.environ}
    environment = clean_environment(os.environ) | compilers
    try:
        done = child.run(
            command, label=f"building {filename}", cwd=folder, environment=environment,
            bounds=_BOUNDS,
        )  # fmt: skip
    except OSError as error:
        raise MeasureError(f"building {filename} failed: {error}") from None
    wheels = sorted((folder / "out").glob("*.whl"))
    if done.code != 0 or not wheels:
        raise MeasureError(f"building {filename} failed: {_last_words(done.errors)[:300]}")
    return wheels[0]


def _last_words(errors: str) -> str:
    """Return the build's own last lines; what uv adds below them only says that it failed."""
    said, failed, below = errors.rpartition(_FAILED)
    own = [line for line in said.splitlines() if line.strip() and not line.startswith(_BEGUN)]
    lines = own or f"{failed}{below}".partition(_HINT)[0].splitlines()
    return " ".join(line.strip() for line in lines[-_LAST_LINES:])


HEAD_BYTES = 2**20  # what is read of an archive too large to be fetched whole

# Of an archive that was not read whole, from what it unpacks to: it is as large as it is because
# of what it installs; the tar's own headers are in that size too.
_UNPACKED_FACTORS = (0.6, 1.0)
# the same where that size is not known, from the archive's: between nothing gained by compressing
# (jars, models) and what text gains
_GUESSED_UNPACKED = 1.5
_GUESSED_FACTORS = (1.0 / 1.5, 4.0 / 1.5)
# Which files are chosen is a reading of the settings, not the build itself. Of 25 projects of
# Python alone, installed from source by pip on 2026-11-23, all of 100 kB and more were within
# 1.6 %; METADATA, which setuptools writes anew, moves small ones by -3.1 to +7.4 %.
_PURE_LOW, _PURE_HIGH = 0.93, 1.03
# A setup.py that calls on modules which are not installed may generate what is. One was measured:
# pyrogram 1.0.7 installs 4.1 times the files of its archive.
_GENERATED_HIGH = 5.0
_HARMLESS = frozenset({"versioneer", "ez_setup", "distribute_setup", "setup", "conftest"})


# what is stored of an archive; the number is raised whenever this reader learns to read more
_KIND, _READER = "source", 3
_COLUMNS = ("path", "size", "compressed")
_ASIDE = re.compile(r"(?:^|/)(?:setup|conftest|test[^/]*|docs?/.*|examples?/.*|tests?/.*)\.py$")
# Never part of a project's own files: anywhere, and in the top folder.
_SKIPPED = frozenset(
    ".git .hg .svn .tox .nox .eggs .mypy_cache .ruff_cache .pytest_cache node_modules "
    "__pycache__".split()
)
_SKIPPED_ON_TOP = frozenset({"build", "dist"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A source archive of which the metadata or the files cannot be known, and why."""

    filename: str
    reason: str
    needs: Needs = field(default_factory=Needs)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceArchive:
    """A source archive, read.

    ``entries`` are the files its wheel would hold (bytes unpacked and deflated), as far as they
    are in the archive: compiled code is not among them, ``native_bytes`` guesses its size.
    ``requires`` are valid PEP 508 lines.
    ``complete`` is False when only the beginning was read: one entry stands for the rest.
    ``low_factor`` and ``high_factor`` are the interval of all its sizes, as factors.
    """

    filename: str
    sha256: str | None
    file_bytes: int
    name: str
    version: str | None
    requires: tuple[str, ...]
    extras: tuple[str, ...]
    requires_python: str | None
    dist_info: str
    entries: tuple[Entry, ...]
    console_scripts: tuple[tuple[str, str], ...]
    gui_scripts: tuple[tuple[str, str], ...]
    native: bool
    native_reason: str | None
    native_bytes: NativeSize | None
    complete: bool
    low_factor: float
    high_factor: float
    notes: tuple[str, ...]
    needs: Needs


_STORED_APART = ("entries", "native_bytes", "needs")
_FIELDS = tuple(f.name for f in fields(SourceArchive) if f.name not in _STORED_APART)


def read_source(data: bytes, filename: str) -> SourceArchive | Unreadable:
    """Read a source archive that is in memory; nothing of it is run or written to disk."""
    try:
        tree = open_archive(data, filename)
    except ArchiveError as error:
        return Unreadable(filename=filename, reason=str(error))
    digest = hashlib.sha256(data).hexdigest()
    try:
        return read_tree(tree, filename, sha256=digest, file_bytes=len(data))
    except (ArchiveError, Unstated) as error:
        needs = read_needs(Project(tree))
        return Unreadable(filename=filename, reason=str(error), needs=needs)


def read_head(
    head: bytes, filename: str, *, file_bytes: int, sha256: str | None = None, tail: bytes = b""
) -> SourceArchive | Unreadable:
    """Read an archive too large to fetch from its beginning, and its last bytes if there are any.

    The dependencies come from a PKG-INFO near the front; where it does not state them, a note says
    that they are not counted. One entry stands for the files: as large as a gzip's last four bytes
    say, else a wide guess from the size of the archive.
    """
    try:
        project = Project(open_archive(head, filename, partial=True))
        metadata = _head_metadata(project)
        identity = _identity(project, filename)
    except (ArchiveError, Unstated) as error:
        return Unreadable(filename=filename, reason=str(error))
    unpacked = unpacked_bytes(filename, file_bytes, tail)
    size, factors = int(file_bytes * _GUESSED_UNPACKED), _GUESSED_FACTORS
    if unpacked is not None:
        size, factors = unpacked, _UNPACKED_FACTORS
    rest = Entry(path=f"{_module(identity[0])}/(files not read)", size=size, compressed=file_bytes)
    return _archive(
        project, metadata, identity, (filename, sha256, file_bytes),
        entries=(rest,), complete=False, factors=factors, needs=Needs(),
    )  # fmt: skip


def _head_metadata(project: Project) -> SourceMetadata:
    try:
        return read_metadata(project)
    except Unstated:
        return SourceMetadata(
            requires=(),
            extras=(),
            requires_python=project.pkg_info.get("requires_python"),
            notes=("its dependencies are too far back in the archive and are not counted",),
        )


def load_source(
    cache: Cache, sha256: str, filename: str, fetch: Callable[[], bytes]
) -> SourceArchive | Unreadable:
    """Return an archive by its content hash, from the cache or else from ``fetch()``.

    What ``fetch`` raises goes through. ``fetch`` has to check the hash of what it returns, so that
    what is kept may speak for the same archive of any other place. The file name belongs to the
    key: it decides how the archive is read.
    """
    key = f"{sha256.lower()}\n{filename}"
    document = cache.load(_KIND, key)
    known = _from_document(document, filename) if document is not None else None
    if known is not None:
        return known
    archive = read_source(fetch(), filename)
    cache.store(_KIND, key, _to_document(archive))
    return archive


def _to_document(archive: SourceArchive | Unreadable) -> dict[str, Any]:
    head = {"reader": _READER}
    if isinstance(archive, Unreadable):
        return {**head, "unreadable": archive.reason, "needs": asdict(archive.needs)}
    columns = [[getattr(e, name) for e in archive.entries] for name in _COLUMNS]
    plain = {name: getattr(archive, name) for name in _FIELDS}
    size = archive.native_bytes
    native = [size.value, size.low, size.high] if size else None
    return {
        **head, **plain, "entries": columns, "native_bytes": native, "needs": asdict(archive.needs)
    }  # fmt: skip


def _from_document(document: Mapping[str, Any], filename: str) -> SourceArchive | Unreadable | None:
    """Return what was stored, or None when another version of the reader stored it."""
    if document.get("reader") != _READER:
        return None
    try:
        if "unreadable" in document:
            reason, needs = str(document["unreadable"]), _needs(document["needs"])
            return Unreadable(filename=filename, reason=reason, needs=needs)
        values = {name: _tupled(document[name]) for name in _FIELDS}
        rows = zip(*document["entries"], strict=True)
        values["entries"] = tuple(Entry(path=p, size=s, compressed=c) for p, s, c in rows)
        native = document["native_bytes"]
        if native is not None:
            native = NativeSize(value=native[0], low=native[1], high=native[2])
        values["needs"] = _needs(document["needs"])
        if values["filename"] != filename:
            return None
        return SourceArchive(**{**values, "native_bytes": native})
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _needs(document: Mapping[str, Any]) -> Needs:
    return Needs(
        packages=tuple(BuildNeed(**need) for need in document["packages"]),
        failures=tuple(map(_failure, document["failures"])),
        doubts=tuple(map(_failure, document["doubts"])),
    )


def _failure(document: Mapping[str, Any]) -> Failure:
    last = document["last"]
    return Failure(
        int(document["first"]), None if last is None else int(last), str(document["reason"])
    )


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, list) else value


def read_tree(
    tree: Tree,
    filename: str,
    *,
    sha256: str | None = None,
    file_bytes: int = 0,
    folder: bool = False,
) -> SourceArchive:
    """Read the files of a project.

    :raises ArchiveError: they cannot be read.
    :raises Unstated: the dependencies, the name or what would be installed cannot be known.
    """
    project = Project(tree, folder=folder)
    metadata = read_metadata(project)
    name, version = _identity(project, filename)
    sources = native_sources(project)
    reason = native_reason(project, sources)
    entries = tuple(_entries(project, metadata, name, version, native=reason is not None))
    guess = estimate(sources) if reason else None
    factors = _factors(entries, guess)
    own = "" if reason else _own_build_code(project, entries)
    if own:
        note = f"its setup.py runs {own} from the archive; files that it generates are not counted"
        metadata = replace(metadata, notes=(*metadata.notes, note))
        factors = factors[0], max(factors[1], _GENERATED_HIGH)
    return _archive(
        project, metadata, (name, version), (filename, sha256, file_bytes),
        entries=entries, complete=True, factors=factors, needs=read_needs(project),
        native=(reason, guess),
    )  # fmt: skip


def _own_build_code(project: Project, entries: Iterable[Entry]) -> str:
    """Return the modules of the archive that setup.py imports and that are not installed."""
    installed = {entry.path.partition("/")[0].removesuffix(".py") for entry in entries}
    there = {path.partition("/")[0].removesuffix(".py") for path in project.tree.sizes}
    used = imported(project.tree.texts.get("setup.py", b"")) & there
    return " and ".join(sorted(used - installed - _HARMLESS - set(SOURCE_FOLDERS)))


def inventory_from_source(archive: SourceArchive) -> Inventory:
    """Return what a wheel built from the archive would hold, ``via="sdist"``.

    Compiled code is one ``.so`` entry of the guessed size.
    """
    entries = list(archive.entries)
    if archive.native_bytes is not None:
        size = archive.native_bytes.value
        path = f"{_module(archive.name)}.compiled.so"
        entries.append(Entry(path=path, size=size, compressed=int(size * SO_DEFLATE_RATIO)))
    return Inventory(
        filename=archive.filename,
        sha256=archive.sha256,
        file_bytes=archive.file_bytes,
        dist_info=archive.dist_info,
        entries=tuple(entries),
        requires_dist=archive.requires,
        provides_extra=archive.extras,
        requires_python=archive.requires_python,
        console_scripts=archive.console_scripts,
        gui_scripts=archive.gui_scripts,
        via="sdist",
    )


def _archive(
    project: Project,
    metadata: SourceMetadata,
    identity: tuple[str, str | None],
    file: tuple[str, str | None, int],
    *,
    entries: tuple[Entry, ...],
    complete: bool,
    factors: tuple[float, float],
    needs: Needs,
    native: tuple[str | None, NativeSize | None] = (None, None),
) -> SourceArchive:
    name, version = identity
    console, gui = scripts_of(project)
    return SourceArchive(
        filename=file[0],
        sha256=file[1],
        file_bytes=file[2],
        name=canonicalize_name(name),
        version=version,
        requires=metadata.requires,
        extras=metadata.extras,
        requires_python=metadata.requires_python,
        dist_info=f"{_module(name)}-{version or '0'}.dist-info",
        entries=entries,
        console_scripts=console,
        gui_scripts=gui,
        native=native[0] is not None,
        native_reason=native[0],
        native_bytes=native[1],
        complete=complete,
        low_factor=factors[0],
        high_factor=factors[1],
        notes=tuple(_notes(project, metadata)),
        needs=needs,
    )


def _notes(project: Project, metadata: SourceMetadata) -> Iterator[str]:
    yield from metadata.notes
    if project.tree.ignored:
        yield f"{project.tree.ignored} links or unsafe paths in the archive are not counted"


def _entries(
    project: Project, metadata: SourceMetadata, name: str, version: str | None, *, native: bool
) -> Iterator[Entry]:
    """Yield the files of the wheel.

    :raises Unstated: the project has modules, but which of them are installed is not stated.
    """
    stem = f"{_module(name)}-{version or '0'}"
    files = find_payload(project, stem)
    if not native and not any(path.endswith(".py") for path in files):
        # a meta-package brings nothing but metadata, yet one that has modules must show some
        modules = (path for path in project.tree.sizes if path.endswith(".py"))
        if not all(_ASIDE.search(path) for path in modules):
            raise Unstated("code decides which of its files are installed")
    packed = project.tree.deflated(set(files.values()))
    payload = [
        Entry(path=path, size=project.tree.sizes[source], compressed=packed[source])
        for path, source in files.items()
    ]
    yield from payload
    yield from dist_info_entries(project, metadata, f"{stem}.dist-info", payload)


def _factors(entries: Iterable[Entry], native: NativeSize | None) -> tuple[float, float]:
    if native is None:
        return _PURE_LOW, _PURE_HIGH
    pure = sum(entry.size for entry in entries)
    value = pure + native.value
    return (pure * _PURE_LOW + native.low) / value, (pure * _PURE_HIGH + native.high) / value


def _identity(project: Project, filename: str) -> tuple[str, str | None]:
    """Return name and version, from the project or else from the filename.

    :raises Unstated: there is no name.
    """
    named, _, numbered = archive_stem(filename).rpartition("-")
    name = project.name or named
    version = project.version or parse_version(numbered)
    if not name:
        raise Unstated("it does not state its name")
    return name, str(version) if version is not None else None


def _module(name: str) -> str:
    return canonicalize_name(name).replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTree:
    """The files below a folder; links are left out and counted in ``ignored``."""

    sizes: Mapping[str, int]
    texts: Mapping[str, bytes]
    modules: Mapping[str, bytes]
    generated: Mapping[str, str]
    ignored: int
    root: Path

    def deflated(self, paths: Collection[str]) -> Mapping[str, int]:
        """Return the bytes each of ``paths`` takes when deflated at level 6, as in a wheel.

        :raises ArchiveError: a file cannot be read.
        """
        return {path: deflated_bytes(_read(self.root / path, self.root)) for path in paths}


def read_folder(folder: Path) -> SourceArchive | Unreadable:
    """Read a project folder; an egg-info in it is ignored, since it may be years old.

    Version control, environments, caches and build results are skipped.
    """
    folder = folder.resolve()
    try:
        return read_tree(_open_folder(folder), folder.name, folder=True)
    except (ArchiveError, Unstated) as error:
        return Unreadable(filename=folder.name, reason=str(error))


def _open_folder(folder: Path) -> FolderTree:
    sizes: dict[str, int] = {}
    texts: dict[str, bytes] = {}
    modules: dict[str, bytes] = {}
    generated: dict[str, str] = {}
    ignored = held = 0
    for path, size in _walk(folder, ""):
        if size is None:
            ignored += 1
            continue
        sizes[path] = size
        if len(sizes) > MAX_MEMBERS:
            raise ArchiveError(f"the folder contains more than {MAX_MEMBERS} files")
        if describes_project(path, size):
            texts[path] = _read(folder / path, folder)
    for path, size in sizes.items() if "setup.py" in sizes else ():
        if is_module(path, size, held):
            modules[path] = _read(folder / path, folder)
            held += size
        elif version := generated_by(path, partial(_begin, folder / path, folder)):
            generated[path] = version
    return FolderTree(
        sizes=sizes,
        texts=texts,
        modules=modules,
        generated=generated,
        ignored=ignored,
        root=folder,
    )


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, int | None]]:
    """Yield (path, bytes) of each file, None as the bytes of what is neither file nor folder."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if not _is_skipped(entry, prefix):
                    yield from _walk(Path(entry.path), f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                yield path, entry.stat(follow_symlinks=False).st_size
            else:
                yield path, None
    except OSError as error:
        raise ArchiveError(f"{folder} cannot be read: {error.strerror or error}") from None


def _is_skipped(entry: os.DirEntry[str], prefix: str) -> bool:
    name = entry.name
    built = name.endswith(".egg-info") or (not prefix and name in _SKIPPED_ON_TOP)
    return built or name in _SKIPPED or os.path.lexists(Path(entry.path, "pyvenv.cfg"))


def _begin(path: Path, within: Path, size: int) -> bytes:
    try:
        with reading.opened(path, within=within) as stream:
            return stream.read(size)
    except reading.Refused as error:
        raise ArchiveError(str(error)) from None
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from None


def _read(path: Path, within: Path) -> bytes:
    try:
        return reading.read(path, within=within, limit=MAX_UNPACKED_BYTES)
    except reading.Refused as error:
        raise ArchiveError(str(error)) from None
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from None
