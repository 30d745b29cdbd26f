"""The app's own files: what git would push, less ``.slugignore``; found, then measured.

Heroku checks out what was pushed, submodules with it, and removes what ``.slugignore`` matches
before the buildpack runs. Files are read as they are in the folder.

Also removed by the compiler that Heroku published in 2014, after the build: ``tmp/`` and
``.DS_Store``. Today's documentation names neither, so they are counted, with a note.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import MeasureError, UsageError
from slugcheck.escape import printable
from slugcheck.model import AppFiles
from slugcheck.packed import Member, Progress, gzipped_tar
from slugcheck.project import filenotes, git, ignore, local, tracked
from slugcheck.project.folders import biggest

_IGNORE_FILE = ".slugignore"
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024  # bytes, by the specification of Git LFS


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of the app before anything is compressed.

    ``files`` are in the slug; ``ignored`` are pushed, but ``.slugignore`` removes them. ``tracked``
    is whether git said which. ``lfs`` are the paths that are pushed as Git LFS pointers: their
    members have the pointer's size and content, ``disk`` is the real file.
    """

    folder: Path
    files: tuple[Member, ...]
    ignored: tuple[Member, ...]
    tracked: bool
    lfs: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict, repr=False)
    left_out: Mapping[str, str] = field(default_factory=dict, repr=False)  # folders, with reasons
    _folders: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def checkout_bytes(self) -> int:
        """All that is pushed, before ``.slugignore``, model files and submodules included."""
        return sum(member.size for member in (*self.files, *self.ignored))

    def absent(self, relative: str) -> str | None:
        """Return why a file or a folder will not be in the build; None if it will be.

        The reason goes on after a name: "git does not track it".
        """
        path = relative.strip("/")
        if reading.leaves((self.folder / relative).parent, self.folder):
            return "it is outside the folder"
        if path in self._folders:
            return None
        if path in self.reasons:
            return self.reasons[path] or None
        for folder, reason in self.left_out.items():
            if path == folder or path.startswith(f"{folder}/"):
                return reason
        below = next((why for name, why in self.reasons.items() if name.startswith(f"{path}/")), "")
        if below:
            return below
        if not os.path.lexists(self.folder / path):
            return "it is not there"
        return "git does not track it" if self.tracked else "it is no file"


def listing(folder: Path) -> Listing:
    """Return the files below ``folder`` that a push would bring to Heroku, and those removed there.

    :raises UsageError: there is no such folder.
    :raises MeasureError: git refuses, or a folder cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{printable(str(folder))} is no folder")
    folder = folder.resolve()
    notes: list[str] = []
    known = _from_git(folder, notes)
    left_out: dict[str, str] = {}
    if known is not None and known.paths:
        names: Collection[str] = known.paths
    else:
        names = _without_git(folder, known, left_out, notes)
    lfs = known.lfs if known is not None else frozenset[str]()
    is_tracked = known is not None and bool(known.paths)
    members, reasons = _members(folder, names, lfs, notes, is_tracked=is_tracked)
    if known is not None and is_tracked:
        notes += filenotes.checkout(known, members)
    kept, removed = _pruned(folder, members, reasons, notes)
    notes += filenotes.lfs(kept, lfs)
    notes += filenotes.compiler(kept)
    inside = frozenset(one for member in kept for one in _above(member.path))
    return Listing(
        folder=folder,
        files=kept,
        ignored=removed,
        tracked=is_tracked,
        lfs=lfs,
        notes=tuple(notes),
        reasons=reasons,
        left_out=left_out,
        _folders=inside,
    )


def measure(
    found: Listing, is_model: Callable[[str], bool], progress: Progress | None = None
) -> AppFiles:
    """Compress the files that are no model files and return their sizes.

    ``is_model`` is asked with relative paths. ``progress`` is told of bytes of the tar that are
    done since it was last told.

    :raises MeasureError: a file cannot be read, or changes meanwhile.
    """
    own = [member for member in found.files if not is_model(member.path)]
    packed = gzipped_tar(own, progress=progress) if own else None
    shares = packed.shares if packed else ()
    return AppFiles(
        files=len(own),
        bytes=sum(member.size for member in own),
        slug_bytes=packed.total if packed else 0,
        checkout_bytes=found.checkout_bytes,
        ignored_files=len(found.ignored),
        ignored_bytes=sum(member.size for member in found.ignored),
        folders=biggest(
            (member.path, member.size, share) for member, share in zip(own, shares, strict=True)
        ),
        tracked=found.tracked,
        notes=found.notes,
    )


# --------------------------------------------------------------------------- which files


def _from_git(folder: Path, notes: list[str]) -> tracked.Tracked | None:
    if not git.installed():
        if tracked.marker(folder):
            notes.append("git is not installed, so all files are counted, tracked or not")
        return None
    known = tracked.read(folder)
    if known is None and tracked.marker(folder):
        notes.append(".git leads to no repository, so all files are counted, tracked or not")
    return known


def _without_git(
    folder: Path, known: tracked.Tracked | None, left_out: dict[str, str], notes: list[str]
) -> Collection[str]:
    """Return what a push would bring if all were added; ``known`` tracks nothing."""
    names, out = local.walk(folder)
    left_out |= {one.path: f"{one.kind} is left out without git" for one in out}
    if said := local.words(out):
        notes.append(said)
    if known is None or not names:
        return names
    added = frozenset(known.untracked).intersection(names)
    if added:
        notes.append(
            "git tracks no file here yet: counted is what git add would take, "
            "all but what .gitignore matches"
        )
    else:
        notes.append("git tracks no file here and .gitignore matches all: all files are counted")
    return added or names


def _members(
    folder: Path,
    names: Iterable[str],
    lfs: Collection[str],
    notes: list[str],
    *,
    is_tracked: bool,
) -> tuple[tuple[Member, ...], dict[str, str]]:
    """Return the files that can be packed, and for each name why it cannot be ("": it can)."""
    reasons: dict[str, str] = {}
    members: list[Member] = []
    special: list[str] = []
    missing: list[str] = []
    real: dict[str, bool] = {"": True}
    for name in sorted(names):
        disk = folder / name
        try:
            status = disk.lstat() if _real_folder(folder, name.rpartition("/")[0], real) else None
        except (FileNotFoundError, NotADirectoryError):
            status = None
        except OSError as error:
            message = f"{printable(str(disk))} cannot be read: {error.strerror or error}"
            raise MeasureError(message, hint="make it readable") from None
        if status is None or stat.S_ISDIR(status.st_mode):
            missing.append(name)
            reasons[name] = "git tracks it, but it is not in the folder"
            continue
        member = _member(name, disk, status, pointer=name in lfs)
        if member is None:
            special.append(name)
            reasons[name] = "it is a pipe, a socket or a device"
            continue
        members.append(member)
        reasons[name] = ""
    if missing and is_tracked:
        notes.append(
            f"{filenotes.files(missing)} that git tracks {filenotes.are(missing)} not in the "
            "folder and so not counted, but pushed unless that is committed: "
            f"{filenotes.some(missing)}"
        )
    if special:
        notes.append(f"pipes, sockets and devices are not counted: {filenotes.some(special)}")
    return tuple(members), reasons


def _real_folder(folder: Path, path: str, known: dict[str, bool]) -> bool:
    """Return whether no part of a path below ``folder`` is a link, which could lead outside."""
    if path not in known:
        above = _real_folder(folder, path.rpartition("/")[0], known)
        known[path] = above and not (folder / path).is_symlink()
    return known[path]


def _member(name: str, disk: Path, status: os.stat_result, *, pointer: bool) -> Member | None:
    if stat.S_ISLNK(status.st_mode):
        return Member(path=name, disk=disk, size=0, link=str(disk.readlink()))
    if not stat.S_ISREG(status.st_mode):
        return None
    size, runs = status.st_size, bool(status.st_mode & stat.S_IXUSR)
    if pointer and not _is_pointer(disk, size):
        # The digest of the file itself would mean to read all of it: any 64 digits weigh the same.
        digits = hashlib.sha256(os.fsencode(name)).hexdigest()
        content = _POINTER + f"oid sha256:{digits}\nsize {size}\n".encode()
        return Member(path=name, disk=disk, size=len(content), executable=runs, content=content)
    return Member(path=name, disk=disk, size=size, executable=runs)


def _is_pointer(disk: Path, size: int) -> bool:
    if size > _LARGEST_POINTER:
        return False
    try:
        return disk.read_bytes().startswith(_POINTER)
    except OSError:
        return False  # what cannot be read is said when it is measured


# --------------------------------------------------------------------------- .slugignore


def _pruned(
    folder: Path, members: tuple[Member, ...], reasons: dict[str, str], notes: list[str]
) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """Return the files that ``.slugignore`` keeps and those it removes; adds the reasons."""
    path = folder / _IGNORE_FILE
    if not os.path.lexists(path):
        return members, ()
    if reasons.get(_IGNORE_FILE, "absent"):
        notes.append(".slugignore has no effect: git does not track it, so it is not pushed")
        return members, ()
    content = _ignore_content(folder, path, notes)
    links = {member.path: member.link for member in members if member.link is not None}
    removal = ignore.removed(content, (member.path for member in members), links)
    reasons |= {
        name: f".slugignore removes it ({entry.where})" for name, entry in removal.by.items()
    }
    notes += removal.notes
    kept = tuple(member for member in members if member.path not in removal.by)
    return kept, tuple(member for member in members if member.path in removal.by)


def _ignore_content(folder: Path, path: Path, notes: list[str]) -> bytes:
    real = reading.found(path, folder)
    if real is None or not real.is_file():
        notes.append(".slugignore is a link that leads to no file of the app, so it is not read")
        return b""
    try:
        return reading.read(path, within=folder, limit=reading.SMALL_FILE)
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint="make it readable") from None


def _above(path: str) -> Iterator[str]:
    at = path.find("/")
    while at > 0:
        yield path[:at]
        at = path.find("/", at + 1)
