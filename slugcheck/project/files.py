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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slugcheck import reading
from slugcheck.errors import MeasureError, UsageError
from slugcheck.model import AppFiles, FolderSize
from slugcheck.project import git, slugignore
from slugcheck.project.archive import Member, Progress, gzipped_tar
from slugcheck.project.slugignore import quoted
from slugcheck.text import mb, printable

_MOST = 8
# A folder gives way to the one in it that has this part of it: static/img/ says more than static/.
_DOMINATES = 0.8


@dataclass(slots=True)
class _Sum:
    files: int = 0
    bytes: int = 0
    slug: int = 0
    inner: dict[str, _Sum] = field(default_factory=dict)

    def add(self, size: int, share: int) -> None:
        self.files += 1
        self.bytes += size
        self.slug += share


def biggest(files: Iterable[tuple[str, int, int]]) -> tuple[FolderSize, ...]:
    """Return up to eight folders, or files at the top, that take most of the slug.

    ``files`` are path, bytes and bytes in the slug. No row is part of another one; what is in none
    is left to the caller.
    """
    top: dict[str, _Sum] = {}
    for path, size, share in files:
        *parents, name = path.split("/")
        if not parents:
            top.setdefault(name, _Sum()).add(size, share)
            continue
        level = top
        for folder in parents:
            found = level.setdefault(f"{folder}/", _Sum())
            found.add(size, share)
            level = found.inner
    rows = [_row(path, found) for path, found in top.items()]
    return tuple(sorted(rows, key=lambda row: (-row.slug_bytes, -row.bytes, row.path))[:_MOST])


def _row(path: str, found: _Sum) -> FolderSize:
    while True:
        largest = max(found.inner.items(), key=lambda item: item[1].slug, default=None)
        if largest is None or largest[1].slug < _DOMINATES * found.slug:
            break
        path, found = path + largest[0], largest[1]
    return FolderSize(path=path, files=found.files, bytes=found.bytes, slug_bytes=found.slug)


# ------------- All files below a folder that git knows nothing of, less what no push would contain

_SHOWN = 4
_QUOTED = 60
_VERSION_CONTROL = "version control"
_CACHES = frozenset(
    "__pycache__ .mypy_cache .pytest_cache .ruff_cache .hypothesis .tox .nox .cache "
    ".ipynb_checkpoints .eggs".split()
)
_OTHERS = {
    ".git": _VERSION_CONTROL,
    ".hg": _VERSION_CONTROL,
    ".svn": _VERSION_CONTROL,
    "node_modules": "a folder of installed Node packages",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A folder (or a ``.git`` file) that is not counted, with what is in it."""

    path: str
    kind: str
    files: int
    bytes: int


def walk(folder: Path) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
    """Return the relative paths of all files, links among them, and what is left out.

    :raises MeasureError: a folder cannot be read.
    """
    names: list[str] = []
    out: list[LeftOut] = []
    todo = [""]
    while todo:
        inside = todo.pop()
        for entry in _entries(folder / inside):
            path = f"{inside}{entry.name}"
            if kind := _kind(entry):
                out.append(_left_out(entry, path, kind))
            elif entry.is_dir(follow_symlinks=False):
                todo.append(f"{path}/")
            else:
                names.append(path)
    return tuple(sorted(names)), tuple(sorted(out, key=lambda one: (-one.bytes, one.path)))


def words(found: Sequence[LeftOut]) -> str:
    """Return the note about what is left out; empty if it is version control only."""
    alike: dict[str, list[LeftOut]] = {}
    for one in found:
        if one.kind != _VERSION_CONTROL:
            alike.setdefault(one.path.rpartition("/")[2], []).append(one)
    shown = [_place(ones) for ones in alike.values()]
    if not shown:
        return ""
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return f"not counted, since a push would hardly hold it: {', '.join(shown[:_SHOWN])}{more}"


def _place(ones: Sequence[LeftOut]) -> str:
    size = mb(sum(one.bytes for one in ones))
    if len(ones) == 1:
        return f"{_quoted(ones[0].path)} ({ones[0].kind}, {size} MB)"
    name = ones[0].path.rpartition("/")[2]
    return f"{_quoted(name)} in {len(ones):,} folders ({ones[0].kind} each, {size} MB)"


def _kind(entry: os.DirEntry[str]) -> str:
    """Return what a folder is that no push would contain; empty for any other."""
    if entry.name == ".git":
        return _OTHERS[entry.name]
    if not entry.is_dir(follow_symlinks=False):
        return ""
    if entry.name in _CACHES:
        return "a cache"
    if entry.name in _OTHERS:
        return _OTHERS[entry.name]
    # lexists is False where a folder cannot be read; that is said when it is entered
    return "a virtual environment" if os.path.lexists(Path(entry.path, "pyvenv.cfg")) else ""


def _left_out(entry: os.DirEntry[str], path: str, kind: str) -> LeftOut:
    if not entry.is_dir(follow_symlinks=False):
        return LeftOut(path=path, kind=kind, files=1, bytes=0)
    sizes = list(_sizes(entry.path))
    return LeftOut(path=path, kind=kind, files=len(sizes), bytes=sum(sizes))


def _sizes(folder: str) -> Iterator[int]:
    """Return the sizes of the files below; what cannot be read is not counted anyway."""
    for where, _, files in os.walk(folder):
        for name in files:
            try:
                yield Path(where, name).lstat().st_size
            except OSError:
                continue


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        message = f"{printable(str(folder))} cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint="make it readable, or take it out of the app") from None


def _quoted(path: str) -> str:
    shown = printable(path)
    return f"{shown[: _QUOTED - 1]}…/" if len(shown) > _QUOTED else f"{shown}/"


# --------------- What is said about the files that a push brings: in words, each note one sentence

_filenotes_SHOWN = 3  # files that one note names


def checkout_notes(known: git.Tracked, members: tuple[Member, ...]) -> Iterator[str]:
    """Say how what git tracks and what is in the folder differ."""
    if known.prefix:
        yield (
            f"the folder is {quoted(known.prefix)} of its git checkout: counted are the "
            "files below it, as if they were pushed by themselves"
        )
    if not known.committed:
        yield "nothing is committed yet: counted are the files that are added"
    elif known.uncommitted is None:
        yield "whether files differ from the last commit was not looked at"
    else:
        here = {member.path for member in members}
        changed = sorted(known.uncommitted & here)
        if changed:
            yield (
                f"{files(changed)} {'differs' if len(changed) == 1 else 'differ'} from the last "
                f"commit and {are(changed)} counted as in the folder: {some(changed)}"
            )
    if known.untracked:
        names = sorted(known.untracked)
        yield f"{files(names)} {are(names)} not tracked by git and not counted: {some(names)}"
    if known.absent_submodules:
        yield (
            "not counted, but checked out by Heroku: the submodule "
            f"{some(known.absent_submodules)}, which is empty here "
            "(git submodule update --init mends that)"
        )
    if known.nested:
        yield (
            f"not counted, since a push does not hold it: {some(known.nested)} "
            "(a git repository of its own, but no submodule)"
        )


def lfs_notes(members: Iterable[Member], paths: Collection[str]) -> Iterator[str]:
    """Say which files are pushed as pointers only; ``paths`` are all that are in Git LFS."""
    found = [member for member in members if member.path in paths]
    if not found:
        return
    size = sum(member.size for member in found)
    pointers = "its pointer" if len(found) == 1 else "their pointers"
    yield (
        f"{files(found)} {are(found)} in Git LFS, which Heroku does not fetch: counted, and in "
        f"the slug, {'is' if len(found) == 1 else 'are'} {pointers} ({size:,} bytes): "
        f"{some([member.path for member in found])}"
    )


def compiler_notes(members: Iterable[Member]) -> Iterator[str]:
    """Say what an old compiler removed by itself."""
    temporary = [member for member in members if member.path.startswith("tmp/")]
    desktop = [member for member in members if member.path.rpartition("/")[2] == ".DS_Store"]
    for what, found in (("tmp/", temporary), (".DS_Store", desktop)):
        if found:
            size = mb(sum(member.size for member in found))
            yield (
                f"{what} is counted ({files(found)}, {size} MB): Heroku's compiler of 2014 "
                "removed it after the build, today's documentation does not say so"
            )


def files(found: Collection[object]) -> str:
    """Return "1 file" or "12 files"."""
    return "1 file" if len(found) == 1 else f"{len(found):,} files"


def are(found: Collection[object]) -> str:
    """Return the verb for one or many."""
    return "is" if len(found) == 1 else "are"


def some(names: Collection[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(quoted(name) for name in list(names)[:_filenotes_SHOWN])
    return (
        f"{shown} and {len(names) - _filenotes_SHOWN} more"
        if len(names) > _filenotes_SHOWN
        else shown
    )


# ------------ The app's own files: what git would push, less ``.slugignore``; found, then measured

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
        notes += checkout_notes(known, members)
    kept, removed = _pruned(folder, members, reasons, notes)
    notes += lfs_notes(kept, lfs)
    notes += compiler_notes(kept)
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


def _from_git(folder: Path, notes: list[str]) -> git.Tracked | None:
    if not git.installed():
        if git.marker(folder):
            notes.append("git is not installed, so all files are counted, tracked or not")
        return None
    known = git.read(folder)
    if known is None and git.marker(folder):
        notes.append(".git leads to no repository, so all files are counted, tracked or not")
    return known


def _without_git(
    folder: Path, known: git.Tracked | None, left_out: dict[str, str], notes: list[str]
) -> Collection[str]:
    """Return what a push would bring if all were added; ``known`` tracks nothing."""
    names, out = walk(folder)
    left_out |= {one.path: f"{one.kind} is left out without git" for one in out}
    if said := words(out):
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
            f"{files(missing)} that git tracks {are(missing)} not in the "
            "folder and so not counted, but pushed unless that is committed: "
            f"{some(missing)}"
        )
    if special:
        notes.append(f"pipes, sockets and devices are not counted: {some(special)}")
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
    removal = slugignore.removed(content, (member.path for member in members), links)
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
