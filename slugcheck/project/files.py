"""The app's own files: those that git would push, without what ``.slugignore`` removes.

For a function of Vercel ``.vercelignore`` and globs take the place of ``.slugignore``.

``listing`` finds them and ``measure`` compresses them. Heroku checks out the pushed commit with its
submodules and removes what ``.slugignore`` matches before the buildpack runs. Files are read as
they are in the folder. Without git every file counts, except caches, virtual environments and the
like (``walk``).

The slug compiler that Heroku published in 2014 also removed ``tmp/`` and ``.DS_Store`` after the
build. Today's documentation does not mention them, so they are counted, with a note.
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
from slugcheck.model import AppFiles, Buildpack, FolderSize, FunctionRule
from slugcheck.project import git, slugignore, vercelignore
from slugcheck.project.archive import Member, Progress, gzipped_tar
from slugcheck.project.globs import quoted
from slugcheck.project.vercelignore import FunctionFiles
from slugcheck.text import listed, mb, plural, printable

_MOST_FOLDERS = 8
# A folder is replaced by the one in it with this share: static/img/ says more than static/.
_DOMINATES = 0.8
_NAMED_FOLDERS, _NAMED_FILES = 4, 3  # that one note names
_QUOTED = 60  # characters of a path in a note
_VERSION_CONTROL = "version control"
_CACHES = frozenset(
    "__pycache__ .mypy_cache .pytest_cache .ruff_cache .hypothesis .tox .nox .cache "
    ".ipynb_checkpoints .eggs".split()
)
_OTHERS = {
    ".git": _VERSION_CONTROL,
    ".hg": _VERSION_CONTROL,
    ".svn": _VERSION_CONTROL,
    "node_modules": "installed Node packages",
}
_IGNORE_FILE = ".slugignore"
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024  # bytes, by the specification of Git LFS


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

    ``files`` are path, bytes and bytes in the slug. Rows do not overlap, and small folders have
    none.
    """
    top: dict[str, _Sum] = {}
    for path, size, share in files:
        *parents, name = path.split("/")
        if not parents:
            top.setdefault(name, _Sum()).add(size, share)
            continue
        level = top
        for folder in parents:
            total = level.setdefault(f"{folder}/", _Sum())
            total.add(size, share)
            level = total.inner
    rows = [_row(path, total) for path, total in top.items()]
    return tuple(
        sorted(rows, key=lambda row: (-row.slug_bytes, -row.bytes, row.path))[:_MOST_FOLDERS]
    )


def _row(path: str, total: _Sum) -> FolderSize:
    while True:
        largest = max(total.inner.items(), key=lambda item: item[1].slug, default=None)
        if largest is None or largest[1].slug < _DOMINATES * total.slug:
            break
        path, total = path + largest[0], largest[1]
    return FolderSize(path=path, files=total.files, bytes=total.bytes, slug_bytes=total.slug)


# --------------------------------------------------------------------------- without git


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
    return tuple(sorted(names)), tuple(
        sorted(out, key=lambda omission: (-omission.bytes, omission.path))
    )


def skipped_note(skipped: Sequence[LeftOut]) -> str:
    """Return the note about left-out folders; empty if they are version control only."""
    alike: dict[str, list[LeftOut]] = {}
    for omission in skipped:
        if omission.kind != _VERSION_CONTROL:
            alike.setdefault(omission.path.rpartition("/")[2], []).append(omission)
    shown = [_place(omissions) for omissions in alike.values()]
    if not shown:
        return ""
    return f"not counted, as not normally committed: {listed(shown, _NAMED_FOLDERS)}"


def _place(omissions: Sequence[LeftOut]) -> str:
    size = mb(sum(omission.bytes for omission in omissions))
    if len(omissions) == 1:
        return f"{_quoted(omissions[0].path)} ({omissions[0].kind}, {size} MB)"
    name = omissions[0].path.rpartition("/")[2]
    return f"{_quoted(name)} in {len(omissions):,} folders ({omissions[0].kind} each, {size} MB)"


def _kind(entry: os.DirEntry[str]) -> str:
    """Return the kind of a folder that is not normally committed; empty for any other."""
    if entry.name == ".git":
        return _OTHERS[entry.name]
    if not entry.is_dir(follow_symlinks=False):
        return ""
    if entry.name in _CACHES:
        return "a cache"
    if entry.name in _OTHERS:
        return _OTHERS[entry.name]
    # lexists is False if a folder cannot be read, which is reported when it is entered
    return "a virtual environment" if os.path.lexists(Path(entry.path, "pyvenv.cfg")) else ""


def _left_out(entry: os.DirEntry[str], path: str, kind: str) -> LeftOut:
    if not entry.is_dir(follow_symlinks=False):
        return LeftOut(path=path, kind=kind, files=1, bytes=0)
    sizes = list(_sizes(entry.path))
    return LeftOut(path=path, kind=kind, files=len(sizes), bytes=sum(sizes))


def _sizes(folder: str) -> Iterator[int]:
    """Return the sizes of the files below that can be read."""
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
        raise MeasureError(message, hint="make it readable, or remove it from the app") from None


def _quoted(path: str) -> str:
    shown = printable(path)
    return f"{shown[: _QUOTED - 1]}…/" if len(shown) > _QUOTED else f"{shown}/"


# --------------------------------------------------------------------------- notes


def checkout_notes(known: git.Tracked, members: tuple[Member, ...]) -> Iterator[str]:
    """Yield notes on the differences between git's files and the folder's."""
    if known.prefix:
        yield (
            f"treating this subfolder as the deploy root: {quoted(known.prefix)} of its "
            "git checkout"
        )
    if not known.committed:
        yield "nothing is committed yet: counting the staged files"
    elif known.uncommitted is None:
        yield "not checked whether files differ from the last commit"
    else:
        here = {member.path for member in members}
        changed = sorted(known.uncommitted & here)
        if changed:
            yield (
                f"{plural(len(changed), 'file')} with uncommitted changes, counted as in the "
                f"folder: {some(changed)}"
            )
    if known.untracked:
        names = sorted(known.untracked)
        yield f"not counted: {plural(len(names), 'file')} not tracked by git: {some(names)}"
    if known.absent_submodules:
        yield (
            "not counted, but checked out by a build from git: submodule "
            f"{some(known.absent_submodules)}, which is empty here (run git submodule update "
            "--init)"
        )
    if known.nested:
        yield (
            f"not counted, because git does not push it: {some(known.nested)} "
            "(a git repository that is not a submodule)"
        )


def lfs_notes(
    members: Iterable[Member], paths: Collection[str], *, pointers: bool
) -> Iterator[str]:
    """Yield a note on files in Git LFS, which are ``paths``.

    ``pointers`` is whether the platform gets the pointers only, as Heroku does.
    """
    in_lfs = [member for member in members if member.path in paths]
    if not in_lfs:
        return
    size = sum(member.size for member in in_lfs)
    names = some([member.path for member in in_lfs])
    kind = "its pointer" if len(in_lfs) == 1 else "their pointers"
    if pointers:
        yield (
            f"{plural(len(in_lfs), 'file')} in Git LFS, which Heroku does not fetch: the app "
            f"has only {kind} ({size:,} bytes): {names}"
        )
    else:
        yield (
            f"{plural(len(in_lfs), 'file')} in Git LFS, counted as in the folder ({mb(size)} MB): "
            f"{names}; a build from git without Git LFS gets only {kind}"
        )


def compiler_notes(members: Iterable[Member]) -> Iterator[str]:
    """Yield notes on what an old slug compiler removed by itself."""
    temporary = [member for member in members if member.path.startswith("tmp/")]
    desktop = [member for member in members if member.path.rpartition("/")[2] == ".DS_Store"]
    for name, leftovers in (("tmp/", temporary), (".DS_Store", desktop)):
        if leftovers:
            size = mb(sum(member.size for member in leftovers))
            yield (
                f"{name} is counted ({plural(len(leftovers), 'file')}, {size} MB): Heroku's slug "
                "compiler of 2014 removed it after the build; today's documentation does not "
                "mention it"
            )


def some(names: Collection[str]) -> str:
    """Return the first names and the number of further ones."""
    return listed([quoted(name) for name in names], _NAMED_FILES)


# --------------------------------------------------------------------------- listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of the app before anything is compressed.

    ``files`` are in the bundle; ``ignored`` are pushed, but left out there. ``tracked`` is whether
    they come from git. ``lfs`` are the paths pushed as Git LFS pointers: their members have the
    pointer's size and content, ``disk`` is the real file.
    """

    folder: Path
    files: tuple[Member, ...]
    ignored: tuple[Member, ...]
    tracked: bool
    lfs: frozenset[str] = frozenset()
    lfs_pointers: bool = True  # whether the platform gets pointers at all
    notes: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict, repr=False)
    left_out: Mapping[str, str] = field(default_factory=dict, repr=False)  # folders, with reasons
    left_out_by: str = ".slugignore leaves out"  # what ``ignored`` are, before their number
    _folders: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def checkout_bytes(self) -> int:
        """Bytes of all pushed files before ``.slugignore``, with models and submodules."""
        return sum(member.size for member in (*self.files, *self.ignored))

    def absent(self, relative: str) -> str | None:
        """Return why a file or a folder will not be in the build; None if it will be.

        The reason follows a name: "git does not track it".
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
            return "it does not exist"
        return "git does not track it" if self.tracked else "it is not a file"


def listing(
    folder: Path,
    *,
    buildpack: Buildpack | None = Buildpack.CLASSIC,
    function: FunctionRule | None = None,
    own_files: Sequence[FunctionFiles] = (),
) -> Listing:
    """Return the files below ``folder`` that a push would bring to Heroku, and those removed there.

    Only builds with the classic buildpack apply ``.slugignore``. Without ``buildpack`` the files go
    to a platform that takes those of Git LFS as they are in the folder instead of their pointers.
    With ``function`` they go into a function by its rule; ``own_files`` are what single functions
    leave out.

    :raises UsageError: the folder does not exist, or patterns take too long to match.
    :raises MeasureError: git refuses, or a folder cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{printable(str(folder))} is not a folder")
    folder = folder.resolve()
    notes: list[str] = []
    known = _from_git(folder, notes)
    left_out: dict[str, str] = {}
    if known is not None and known.paths:
        names: Collection[str] = known.paths
    else:
        names = _without_git(folder, known, left_out, notes)
    in_lfs = known.lfs if known is not None else frozenset[str]()
    lfs = in_lfs if buildpack is not None else frozenset[str]()
    has_slug = buildpack is Buildpack.CLASSIC
    is_tracked = known is not None and bool(known.paths)
    members, reasons = _members(folder, names, lfs, notes, is_tracked=is_tracked)
    if known is not None and is_tracked:
        notes += checkout_notes(known, members)
    kept, removed = _pruned(folder, members, reasons, notes) if has_slug else (members, ())
    built = kept
    if function is not None:
        built, removed = _uploaded(folder, members, reasons, notes, function)
        sizes = {member.path: member.size for member in built}
        out = vercelignore.excluded(sizes, function.excluded, own_files, function.config)
        notes += out.notes
        kept = tuple(member for member in built if member.path not in out.paths)
        removed = (*removed, *(member for member in built if member.path in out.paths))
    notes += lfs_notes(kept, in_lfs, pointers=buildpack is not None)
    notes += compiler_notes(kept) if has_slug else ()
    inside = frozenset(parent for member in built for parent in _above(member.path))
    return Listing(
        folder=folder,
        files=kept,
        ignored=removed,
        tracked=is_tracked,
        lfs=lfs,
        lfs_pointers=buildpack is not None,
        notes=tuple(notes),
        reasons=reasons,
        left_out=left_out,
        left_out_by="not in the function:" if function else f"{_IGNORE_FILE} leaves out",
        _folders=inside,
    )


def measure(
    app_listing: Listing, is_model: Callable[[str], bool], progress: Progress | None = None
) -> AppFiles:
    """Compress the files that are not models and return their sizes.

    ``is_model`` gets relative paths. ``progress`` gets the bytes of the tar done since its last
    call.

    :raises MeasureError: a file cannot be read, or changes meanwhile.
    """
    own = [member for member in app_listing.files if not is_model(member.path)]
    packed = gzipped_tar(own, progress=progress) if own else None
    shares = packed.shares if packed else ()
    return AppFiles(
        files=len(own),
        bytes=sum(member.size for member in own),
        slug_bytes=packed.total if packed else 0,
        checkout_bytes=app_listing.checkout_bytes,
        ignored_files=len(app_listing.ignored),
        ignored_bytes=sum(member.size for member in app_listing.ignored),
        folders=biggest(
            (member.path, member.size, share) for member, share in zip(own, shares, strict=True)
        ),
        tracked=app_listing.tracked,
        notes=app_listing.notes,
        left_out_by=app_listing.left_out_by,
    )


# --------------------------------------------------------------------------- which files


def _from_git(folder: Path, notes: list[str]) -> git.Tracked | None:
    if not git.installed():
        if reading.dot_git(folder):
            notes.append("git is not installed: counting all files, tracked or not")
        return None
    known = git.read(folder)
    if known is None and reading.dot_git(folder):
        notes.append(".git is not a repository: counting all files, tracked or not")
    return known


def _without_git(
    folder: Path, known: git.Tracked | None, left_out: dict[str, str], notes: list[str]
) -> Collection[str]:
    """Return what would be pushed if every file were added; ``known`` tracks nothing."""
    names, out = walk(folder)
    left_out |= {omission.path: f"{omission.kind} is skipped without git" for omission in out}
    if note := skipped_note(out):
        notes.append(note)
    if known is None or not names:
        return names
    added = frozenset(known.untracked).intersection(names)
    if added:
        notes.append(
            "git tracks no files here yet: counting what git add would add "
            "(everything that .gitignore does not match)"
        )
    else:
        notes.append("git tracks no files here and .gitignore matches all: counting all files")
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
            reasons[name] = "git tracks it, but it is missing from the folder"
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
            f"{plural(len(missing), 'tracked file')} missing here, but still deployed unless you "
            f"commit the deletion: {some(missing)}"
        )
    if special:
        notes.append(f"not counted: pipes, sockets and devices: {some(special)}")
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
    if pointer and not is_pointer(disk, size):
        # The digest of the file itself would mean to read all of it: any 64 digits weigh the same.
        digits = hashlib.sha256(os.fsencode(name)).hexdigest()
        content = _POINTER + f"oid sha256:{digits}\nsize {size}\n".encode()
        return Member(path=name, disk=disk, size=len(content), executable=runs, content=content)
    return Member(path=name, disk=disk, size=size, executable=runs)


def is_pointer(disk: Path, size: int) -> bool:
    """Return whether a file is a pointer of Git LFS."""
    if size > _LARGEST_POINTER:
        return False
    try:
        return disk.read_bytes().startswith(_POINTER)
    except OSError:
        return False  # an unreadable file is reported when it is measured


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


def _uploaded(
    folder: Path,
    members: tuple[Member, ...],
    reasons: dict[str, str],
    notes: list[str],
    function: FunctionRule,
) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """Return the files that the build has, and those that are not uploaded; adds the reasons."""
    name, content = function.ignore_file, b""
    if os.path.lexists(folder / name):
        if reasons.get(name, "absent"):
            notes.append(f"{name} has no effect on a push: git does not track it")
        else:
            content = _ignore_content(folder, folder / name, notes)
    rules = vercelignore.IgnoreFile(function.ignored, content, name, len(members))
    out: set[str] = set()
    for member in members:
        if (rule := rules.ignored(member.path)) is not None:
            place = f"line {rule.line}: {quoted(rule.text)}"
            out.add(member.path)
            reasons[member.path] = f"{name} removes it ({place})" if rule.line else "it is ignored"
    return (
        tuple(member for member in members if member.path not in out),
        tuple(member for member in members if member.path in out),
    )


def _ignore_content(folder: Path, path: Path, notes: list[str]) -> bytes:
    real = reading.destination(path, folder)
    if real is None or not real.is_file():
        notes.append(f"{path.name} is ignored: it is a link to a file outside the app")
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
