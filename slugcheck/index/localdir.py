"""A project folder on disk (``-e .``, ``./pkg``) read like a source archive, without running it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slugcheck import reading
from slugcheck.index.sdist import SourceArchive, Unreadable, read_tree
from slugcheck.index.srcmeta import Unstated
from slugcheck.index.unpack import (
    MAX_MEMBERS,
    MAX_UNPACKED_BYTES,
    ArchiveError,
    deflated_bytes,
    describes_project,
)

# Never part of a project's own files: anywhere, and in the top folder.
_SKIPPED = frozenset(
    ".git .hg .svn .tox .nox .eggs .mypy_cache .ruff_cache .pytest_cache node_modules "
    "__pycache__".split()
)
_SKIPPED_ON_TOP = frozenset({"build", "dist"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTree:
    """The files below a folder; links are left out and counted in ``ignored``."""

    sizes: Mapping[str, int]
    texts: Mapping[str, bytes]
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
    ignored = 0
    for path, size in _walk(folder, ""):
        if size is None:
            ignored += 1
            continue
        sizes[path] = size
        if len(sizes) > MAX_MEMBERS:
            raise ArchiveError(f"the folder holds more than {MAX_MEMBERS} files")
        if describes_project(path, size):
            texts[path] = _read(folder / path, folder)
    return FolderTree(sizes=sizes, texts=texts, ignored=ignored, root=folder)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, int | None]]:
    """Yield (path, bytes) of each file, None as the bytes of what is neither file nor folder."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
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


def _read(path: Path, within: Path) -> bytes:
    try:
        return reading.read(path, within=within, limit=MAX_UNPACKED_BYTES)
    except reading.Refused as error:
        raise ArchiveError(str(error)) from None
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from None
