"""The files of another revision of a git checkout, written elsewhere; the work tree stays as it is.

Contents are written as git stores them: no filter runs, and a Git LFS file is its pointer, as in a
push to Heroku.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.project import git
from slugcheck.running import child

_LINK, _SUBMODULE = "120000", "160000"
_EXECUTABLE = "100755"
_CHUNK = 2**20
_QUOTED = 80


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


def find(folder: Path, name: str) -> Revision | None:
    """Return the revision of that name in the checkout that holds ``folder``; None: there is none.

    :raises MeasureError: git refuses to read the checkout, or cannot.
    """
    if not git.installed() or not name or name.startswith("-"):
        return None
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    done = git.start(folder, asked)
    if done.code != 0:
        return None
    commit = done.out.decode("ascii", "replace").strip()
    top = os.fsdecode(git.run(folder, "rev-parse", "--show-toplevel")).removesuffix("\n")
    prefix = os.fsdecode(git.run(folder, "rev-parse", "--show-prefix")).removesuffix("\n")
    return Revision(commit=commit, top=Path(top), prefix=prefix)


def write(
    revision: Revision, place: Path, *, only: Callable[[str], bool] | None = None
) -> tuple[str, ...]:
    """Write the revision's files below ``place``; return what the user should know.

    ``only`` says of a path whether it is wanted; links always are.

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
        raise MeasureError(message, hint="free some room in the temporary folder") from None
    notes = []
    if modules:
        notes.append(f"the base is counted without its submodules: {_some(modules)}")
    if unsafe:
        notes.append(f"the base is counted without paths that no checkout has: {_some(unsafe)}")
    return tuple(notes)


def _entries(revision: Revision) -> Iterator[_Entry]:
    listed = git.run(revision.top, "ls-tree", "-r", "-z", "--full-tree", revision.commit)
    for line in git.names(listed):
        about, _, path = line.partition("\t")
        mode, _, digest = about.split(" ")
        yield _Entry(mode=mode, digest=digest, path=path)


def _is_safe(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and not {"..", ".git"} & set(parts)


def _some(paths: list[str]) -> str:
    shown = ", ".join(printable(path[:_QUOTED]) for path in paths[:3])
    return f"{shown} and {len(paths) - 3} more" if len(paths) > 3 else shown


# --------------------------------------------------------------------------- contents


def _write_all(revision: Revision, entries: list[_Entry], place: Path) -> None:
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{entry.digest}\n" for entry in entries).encode("ascii"))
        asked.seek(0)
        with child.started(
            git.command(["cat-file", "--batch"]), environment=git.environment(),
            cwd=revision.top, stdin=asked, memory=child.MEMORY,
        ) as process:  # fmt: skip
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            for entry in entries:
                _write_one(entry, _size(process.stdout, entry), process.stdout, place)


def _size(answers: IO[bytes], entry: _Entry) -> int:
    words = answers.readline().split()
    if len(words) != 3 or words[1] != b"blob":
        message = f"git does not have {printable(entry.path[:_QUOTED])} of the base"
        raise MeasureError(message, hint="fetch it: git fetch --refetch, or a full clone")
    return int(words[2])


def _write_one(entry: _Entry, size: int, answers: IO[bytes], place: Path) -> None:
    path = place / entry.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.mode == _LINK:
        path.symlink_to(os.fsdecode(answers.read(size)))
    else:
        # never through a link that an entry before this one made
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        mode = 0o755 if entry.mode == _EXECUTABLE else 0o644
        with os.fdopen(os.open(path, flags, mode), "wb") as file:
            left = size
            while left:
                chunk = answers.read(min(left, _CHUNK))
                if not chunk:
                    message = "git ended before it gave all files of the base"
                    raise MeasureError(message, hint="git fsck says what is wrong")
                file.write(chunk)
                left -= len(chunk)
    answers.read(1)  # the line's end behind each
