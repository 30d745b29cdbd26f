"""Runs git: what it tracks below a folder, and the files of another revision.

The checkout may come from strangers, and its configuration names programs: no hook, file system
monitor, filter or transport of it is ever run, and nothing is written to it. No other module starts
git.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from slugcheck import reading
from slugcheck.errors import MeasureError
from slugcheck.running import child
from slugcheck.running.child import Bounds, Ended
from slugcheck.text import listed, printable

# -c counts for more than any file. protocol.allow: a partial clone would fetch what it lacks.
_SAFE = (
    "--literal-pathspecs", "--no-pager",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "protocol.allow=never", "-c", "core.quotePath=false",
    "-c", "core.bigFileThreshold=32m",
    # a folder that was committed may look like a repository of its own
    "-c", "safe.bareRepository=explicit",
)  # fmt: skip
_SETTINGS = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",  # its errors are read
}
# The user's own configuration; every other GIT_* (GIT_DIR in a hook) belongs to another run.
_KEPT = r"GIT_CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM)"
_TIMEOUT_SECONDS = 120.0
# a million files with long names are listed in 128 MiB; larger blobs are not held in memory whole
_BOUNDS = Bounds(seconds=_TIMEOUT_SECONDS, output=256 * 2**20)
_LONGEST_REASON = 200  # characters of git's own message
_LARGEST_POINTER = 1024  # bytes, by the specification of Git LFS
_LINK, _SUBMODULE = "120000", "160000"
_EXECUTABLE = "100755"
_CHUNK = 2**20
_MOST_SHOWN = 80


def installed() -> bool:
    """Return whether git is on the PATH."""
    return child.which("git") is not None


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command line for git's arguments."""
    return ["git", *_SAFE, *arguments]


def environment() -> dict[str, str]:
    """Return the environment that git is run in."""
    return child.environment(_KEPT) | _SETTINGS


def split_names(answer: bytes) -> list[str]:
    """Return the names in an answer, which are separated by zero bytes."""
    return [os.fsdecode(name) for name in answer.split(b"\0")[:-1]]


def run(
    folder: Path, *arguments: str, stdin: bytes = b"", answers: tuple[int, ...] = (0,)
) -> bytes:
    """Return git's output in a folder; ``answers`` are the exit codes that are not errors.

    :raises MeasureError: it fails, or cannot be run.
    """
    done = start(folder, arguments, stdin)
    if done.code not in answers:
        raise failed(folder, done.errors)
    return done.out


def start(folder: Path, arguments: Sequence[str], stdin: bytes = b"") -> Ended:
    """Run git to its end, whatever its exit code.

    :raises MeasureError: it cannot be run, or does not end.
    """
    try:
        return child.run(
            command(arguments), label="git", cwd=folder, environment=environment(), bounds=_BOUNDS,
            sent=stdin,
        )  # fmt: skip
    except child.LateError:
        message = f"git did not answer within {_TIMEOUT_SECONDS:.0f} seconds"
        raise MeasureError(message, hint="run git status in the folder to see why") from None
    except OSError as error:
        raise MeasureError(f"git cannot be run: {error.strerror or error}") from None


def failed(folder: Path, errors: str) -> MeasureError:
    """Return the error for git's output on stderr."""
    lines = [line for line in errors.splitlines() if line.strip()]
    reason = printable(lines[0].removeprefix("fatal: ") if lines else "no reason given")
    shown = printable(str(folder))
    return MeasureError(
        f"git cannot read {shown}: {reason[:_LONGEST_REASON]}", hint="run git status there"
    )


# --------------------------------------------------------------------------- tracked files


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What git knows of a folder, all paths relative to it and with ``/``.

    ``paths`` are the tracked files, including those of submodules. ``untracked`` are neither
    tracked nor ignored. ``uncommitted`` differ from the last commit (None: not checked, because
    that could run a program that the configuration names). ``lfs`` have the filter of Git LFS.
    ``absent_submodules`` are not checked out; ``nested`` are repositories that are not submodules.
    """

    prefix: str  # of the folder below the top of the checkout, ends in "/"; "" at the top
    committed: bool  # False: there is no commit yet
    paths: tuple[str, ...]
    untracked: tuple[str, ...]
    uncommitted: frozenset[str] | None
    lfs: frozenset[str]
    absent_submodules: tuple[str, ...]
    nested: tuple[str, ...]


def read(folder: Path) -> Tracked | None:
    """Return what git tracks below ``folder``; None when it is in no checkout.

    :raises MeasureError: git refuses to read the checkout, or cannot.
    """
    where = _where(folder)
    if where is None:
        return None
    paths: list[str] = []
    lfs: set[str] = set()
    absent: list[str] = []
    nested: list[str] = []
    _collect(folder, "", paths, lfs, absent, nested)
    committed = run(folder, "rev-parse", "--verify", "--quiet", "HEAD", answers=(0, 1)) != b""
    others = split_names(run(folder, "ls-files", "-z", "--others", "--exclude-standard"))
    return Tracked(
        prefix=where,
        committed=committed,
        paths=tuple(paths),
        # a repository inside, not added, is named as a folder
        untracked=tuple(name for name in others if not name.endswith("/")),
        uncommitted=_uncommitted(folder, committed=committed),
        lfs=frozenset(lfs),
        absent_submodules=tuple(absent),
        nested=(*nested, *(name.rstrip("/") for name in others if name.endswith("/"))),
    )


def _where(folder: Path) -> str | None:
    """Return the folder's path below the top of its checkout, or None outside of one."""
    done = start(folder, ("rev-parse", "--is-inside-work-tree", "--show-prefix"))
    if done.code == 0:
        inside, _, prefix = os.fsdecode(done.out).partition("\n")
        return prefix.removesuffix("\n") if inside == "true" else None
    errors = done.errors
    if "not a git repository" in errors:
        return None
    if "dubious ownership" in errors or "safe.directory" in errors:
        git_entry = reading.dot_git(folder)
        top = printable(str(git_entry.parent if git_entry else folder))
        message = f"git refuses to read {top}: the folder belongs to another user"
        hint = f"trust it with: git config --global --add safe.directory {top}"
        raise MeasureError(message, hint=hint)
    raise failed(folder, errors)


def _collect(
    folder: Path,
    prefix: str,
    paths: list[str],
    lfs: set[str],
    absent: list[str],
    nested: list[str],
) -> None:
    """Add a checkout's tracked files, and those of its submodules."""
    own: dict[str, str] = {}  # digests, in order; an unmerged file has three entries
    links: dict[str, str] = {}
    for entry in split_names(run(folder, "ls-files", "-z", "--stage")):
        about, _, name = entry.partition("\t")
        (links if about.startswith(_SUBMODULE) else own)[name] = about.split(" ")[1]
    paths += (prefix + name for name in own)
    lfs |= {prefix + name for name in _lfs(folder, own)}
    modules = _submodules(folder) if links else frozenset()
    for name in links:
        inner = folder / name
        if name not in modules:
            nested.append(prefix + name)
        elif _is_plain_folder(folder, name) and os.path.lexists(inner / ".git"):
            _collect(inner, f"{prefix}{name}/", paths, lfs, absent, nested)
        else:
            absent.append(prefix + name)


def _is_plain_folder(folder: Path, name: str) -> bool:
    """Return whether no part of a path below ``folder`` is a link."""
    inner = folder
    for part in name.split("/"):
        inner = inner / part
        if inner.is_symlink():
            return False
    return inner.is_dir()


def _submodules(folder: Path) -> frozenset[str]:
    """Return the paths that ``.gitmodules`` names, relative to ``folder``."""
    prefix = _where(folder) or ""
    top = folder
    for _ in filter(None, prefix.split("/")):
        top = top.parent
    file = top / ".gitmodules"
    if not file.is_file() or file.is_symlink():
        return frozenset()
    pattern = r"^submodule\..*\.path$"
    answer = run(
        folder, "config", "-z", "--file", str(file), "--get-regexp", pattern, answers=(0, 1)
    )
    values = (entry.partition("\n")[2].strip("/") for entry in split_names(answer))
    return frozenset(value.removeprefix(prefix) for value in values if value.startswith(prefix))


def _lfs(folder: Path, names: Mapping[str, str]) -> Iterator[str]:
    """Yield those of ``names``, with the digests of their blobs, that are Git LFS pointers."""
    if not names:
        return
    request = b"".join(os.fsencode(name) + b"\0" for name in names)
    answer = split_names(run(folder, "check-attr", "-z", "--stdin", "filter", stdin=request))
    marked = [
        name
        for name, _, value in zip(answer[::3], answer[1::3], answer[2::3], strict=True)
        if value == "lfs"
    ]
    # an attribute alone makes no pointer: what is committed may be the whole file
    sizes = _blob_sizes(folder, [names[name] for name in marked])
    yield from (name for name in marked if sizes.get(names[name], 0) <= _LARGEST_POINTER)


def _blob_sizes(folder: Path, digests: Sequence[str]) -> dict[str, int]:
    """Return the bytes of blobs by digest; what git does not have is left out."""
    if not digests:
        return {}
    request = "".join(f"{digest}\n" for digest in digests).encode("ascii")
    answer = run(folder, "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=request)
    lines = (line.split(" ") for line in answer.decode("ascii", "replace").splitlines())
    return {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}


def _uncommitted(folder: Path, *, committed: bool) -> frozenset[str] | None:
    """Return what differs from the last commit; None if comparing could run a program.

    To compare contents git runs the ``clean`` filters that are configured: they are switched off.
    """
    filters = split_names(
        run(folder, "config", "-z", "--name-only", "--get-regexp", r"^filter\.", answers=(0, 1))
    )
    off: list[str] = []
    for key in dict.fromkeys(filters):
        if "=" in key:  # -c could not name it
            return None
        kind = key.rpartition(".")[2]
        if kind in {"clean", "smudge", "process"}:
            off += ["-c", f"{key}="]
        elif kind == "required":
            off += ["-c", f"{key}=false"]
    changed = {*split_names(run(folder, *off, "ls-files", "-z", "--modified"))}
    if committed:
        plain = ("--cached", "--name-only", "--relative", "--ignore-submodules", "--no-renames")
        changed |= {*split_names(run(folder, *off, "diff-index", "-z", *plain, "HEAD", "--"))}
    return frozenset(changed)


# --------------------------------------------------------------------------- another revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A commit of the checkout that ``prefix`` (of a folder below its top) belongs to."""

    commit: str
    top: Path
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    mode: str
    digest: str
    path: str


def find(path: Path, name: str, top: Path) -> Revision | None:
    """Return the revision of that name in the checkout of a file or folder, or None.

    ``top`` is the folder that files may be read from, as ``reading.top_of`` finds it.

    :raises MeasureError: git refuses to read the checkout, or cannot; a link or a repository
        inside leads from the checkout to the path; the path was something else then.
    """
    if not installed() or not name or name.startswith("-"):
        return None
    lexical = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links
    folder = lexical if path.is_dir() else lexical.parent
    if not folder.is_dir():
        return None
    request = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    done = start(folder, request)
    if done.code != 0:
        return None
    commit = done.out.decode("ascii", "replace").strip()
    checkout = Path(os.fsdecode(run(folder, "rev-parse", "--show-toplevel")).removesuffix("\n"))
    prefix = os.fsdecode(run(folder, "rev-parse", "--show-prefix")).removesuffix("\n")
    _refuse_moved(lexical, name, commit, top=top, checkout=checkout)
    return Revision(commit=commit, top=checkout, prefix=prefix)


def _refuse_moved(path: Path, name: str, commit: str, *, top: Path, checkout: Path) -> None:
    """Refuse a path that a change leads elsewhere: the base's settings there would not count."""
    shown = printable(str(path)[:_LONGEST_REASON])
    above = [place for place in (path, *path.parents) if place.resolve().is_relative_to(top)]
    links = [place for place in above if place != top and place.is_symlink()]
    inside = [place for place in links if place.parent.resolve().is_relative_to(top)]
    if inside:
        message = f"{shown} leads through the link {printable(str(inside[-1])[:_LONGEST_REASON])}"
        hint = "with --against a revision, name the folder that the link leads to"
        raise MeasureError(message, hint=hint)
    if _is_submodule(checkout):
        message = f"{shown} is in a submodule, whose revisions are its own"
        raise MeasureError(message, hint="with --against a revision, check it out by itself")
    relative = path.resolve().relative_to(checkout.resolve()).as_posix()
    done = start(checkout, ("cat-file", "-t", "--end-of-options", f"{commit}:{relative}"))
    if done.code == 0 and (done.output.strip() == "tree") != path.is_dir():
        was, now = ("folder", "file") if path.is_file() else ("file", "folder")
        message = f"{shown} is a {now} here, and a {was} in {printable(name)}"
        raise MeasureError(message, hint="name what both have")


def _is_submodule(top: Path) -> bool:
    """Return whether the repository around a checkout has it as a submodule."""
    outer = reading.dot_git(top.parent)
    if outer is None:
        return False
    relative = top.relative_to(outer.parent).as_posix()
    done = start(outer.parent, ("ls-files", "-z", "--stage", "--", relative))
    return done.code == 0 and done.output.startswith(_SUBMODULE)


def write(
    revision: Revision, place: Path, *, only: Callable[[str], bool] | None = None
) -> tuple[str, ...]:
    """Write the revision's files below ``place``; return notes.

    ``only`` selects paths; links are always written.

    :raises MeasureError: git does not have all of them, or they cannot be written.
    """
    entries = list(_entries(revision))
    modules = [entry.path for entry in entries if entry.mode == _SUBMODULE]
    unsafe = [entry.path for entry in entries if not _is_safe(entry.path)]
    files = [e for e in entries if e.mode != _SUBMODULE and _is_safe(e.path)]
    if only is not None:
        files = [entry for entry in files if entry.mode == _LINK or only(entry.path)]
    try:
        _write_all(revision, files, place)
    except OSError as error:
        message = f"the files of {revision.commit[:12]} cannot be written: {error.strerror}"
        raise MeasureError(message, hint="free some space in the temporary folder") from None
    notes = []
    if modules:
        notes.append(f"not counted in the base: its submodules {_some(modules)}")
    if unsafe:
        notes.append(f"not counted in the base: invalid paths {_some(unsafe)}")
    return tuple(notes)


def content(revision: Revision, path: str) -> bytes | None:
    """Return a file of a revision as it is stored; None where it has none at this path.

    :raises MeasureError: git cannot be run.
    """
    done = start(revision.top, ("cat-file", "blob", f"{revision.commit}:{path}"))
    return done.out if done.code == 0 else None


def _entries(revision: Revision) -> Iterator[_Entry]:
    listed = run(revision.top, "ls-tree", "-r", "-z", "--full-tree", revision.commit)
    for line in split_names(listed):
        about, _, path = line.partition("\t")
        mode, _, digest = about.split(" ")
        yield _Entry(mode=mode, digest=digest, path=path)


def _is_safe(path: str) -> bool:
    parts = PurePosixPath(path).parts
    if os.sep == "\\" and {"\\", ":"} & set(path):  # another folder or a drive there
        return False
    return bool(parts) and not path.startswith("/") and not {"..", ".git"} & set(parts)


def _some(paths: list[str]) -> str:
    return listed([printable(path[:_MOST_SHOWN]) for path in paths])


# --------------------------------------------------------------------------- contents


def _write_all(revision: Revision, entries: list[_Entry], place: Path) -> None:
    with tempfile.TemporaryFile() as digests:
        digests.write("".join(f"{entry.digest}\n" for entry in entries).encode("ascii"))
        digests.seek(0)
        with child.started(
            command(["cat-file", "--batch"]), environment=environment(),
            cwd=revision.top, stdin=digests, memory=child.MEMORY,
        ) as process:  # fmt: skip
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            for entry in entries:
                _write_one(entry, _size(process.stdout, entry), process.stdout, place)


def _size(answers: IO[bytes], entry: _Entry) -> int:
    words = answers.readline().split()
    if len(words) != 3 or words[1] != b"blob":
        message = f"git does not have {printable(entry.path[:_MOST_SHOWN])} of the base"
        raise MeasureError(message, hint="fetch it: git fetch --refetch, or a full clone")
    return int(words[2])


def _link(path: Path, target: bytes) -> None:
    try:
        path.symlink_to(os.fsdecode(target))
    except OSError:
        if os.sep == "/":
            raise
        path.write_bytes(target)  # as git does where Windows forbids links


def _write_one(entry: _Entry, size: int, answers: IO[bytes], place: Path) -> None:
    path = place / entry.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.mode == _LINK:
        _link(path, answers.read(size))
    else:
        # never through a link that an entry before this one made
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        mode = 0o755 if entry.mode == _EXECUTABLE else 0o644
        with os.fdopen(os.open(path, flags, mode), "wb") as file:
            left = size
            while left:
                chunk = answers.read(min(left, _CHUNK))
                if not chunk:
                    message = "git ended before it returned all files of the base"
                    raise MeasureError(message, hint="run git fsck to see what is wrong")
                file.write(chunk)
                left -= len(chunk)
    answers.read(1)  # the line's end behind each
