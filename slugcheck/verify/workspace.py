"""A temporary folder that is always removed at the end, and the commands run in it."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.running import child, temporary
from slugcheck.running.child import Bounds
from slugcheck.text import mb, printable

_LEAST_NAME, _LONGEST_NAME = 5, 10  # random characters of a folder's name
_SHORTEST = len("/e")
_FULL = (errno.ENOSPC, errno.EDQUOT)
# compilers take the memory that they need, and hours: the run has a deadline of its own
_BOUNDS = Bounds(seconds=86_400.0, memory=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The folder; packages are installed into ``prefix``.

    A .pyc contains the path of its source and a script that of its interpreter, so ``prefix`` is as
    long as the target's if the folder for temporary files allows it.
    """

    folder: Path
    prefix: Path
    size: int  # bytes that it is expected to take


@contextmanager
def workspace(prefix: str, size: int) -> Iterator[Workspace]:
    """Create the folder; remove it at the end, after an error, or when the process is terminated.

    ``prefix`` is the target's, ``size`` the bytes that the folder will take at its largest.

    :raises MeasureError: the disk has too little space, or runs full.
    """
    folder, inner = _names(temporary.root(), len(prefix))
    work = Workspace(folder=folder, prefix=inner, size=size)
    with _full_disk_explained(work), _made(folder):
        try:
            _need_space(work)
            yield work
        except BaseException:
            temporary.remove(folder)
            raise
        if left := temporary.remove(folder):
            message = f"the temporary folder {printable(str(folder))} cannot be removed: {left}"
            raise MeasureError(message, hint="remove it by hand")


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(temporary.elsewhere(folder))
        except OSError as error:
            if error.errno in _FULL:
                raise
            shown = printable(str(folder.parent))
            message = f"{shown} cannot be written: {error.strerror or error}"
            raise MeasureError(message, hint="set TMPDIR to another folder") from None
        yield


def _need_space(work: Workspace) -> None:
    free = shutil.disk_usage(work.folder).free
    if free < work.size:
        message = (
            f"--verify needs about {mb(work.size)} MB for temporary files; "
            f"{printable(str(work.folder.parent))} has {mb(free)} MB left"
        )
        raise MeasureError(message, hint="set TMPDIR to a folder with more space")


@contextmanager
def _full_disk_explained(work: Workspace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise full_disk(work) from None


def full_disk(work: Workspace) -> MeasureError:
    """Return the error of a full disk."""
    message = (
        f"the disk ran full while verifying, in {printable(str(work.folder.parent))}; "
        f"about {mb(work.size)} MB are needed"
    )
    return MeasureError(message, hint="set TMPDIR to a folder with more space")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    output: str


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Ended:
    """Run a command; the rest of its process group is killed when it ends or the run does.

    :raises MeasureError: its output is too long, or it does not end.
    """
    name = Path(command[0]).name
    done = child.run(
        command, what=name, cwd=cwd, environment=environment, bounds=_BOUNDS, merged=True
    )
    return Ended(code=done.code, output=done.output)


# --------------------------------------------------------------------------- the folder


def _names(base: Path, length: int) -> tuple[Path, Path]:
    """Return a new folder and the prefix in it, of that length if possible.

    The folder is removed at the end, so it must never be somebody else's.
    """
    room = length - len(str(base)) - 1 - _SHORTEST
    short = room < _LEAST_NAME
    while True:
        name = (
            f"slugcheck-{secrets.token_hex(4)}" if short else secrets.token_hex(5)[: min(room, 10)]
        )
        folder = base / name
        if not os.path.lexists(folder):
            break
    return folder, folder / ("env" if short else "e".ljust(length - len(str(folder)) - 1, "_"))
