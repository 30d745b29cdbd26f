"""A temporary folder that is gone in the end, whatever happens; and the processes in it."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.units import mb

_LEAST_NAME = 5  # random characters of a folder's name
_SHORTEST = len("/e")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The folder. ``prefix`` is where the packages go.

    A .pyc holds the path of its source and a script that of its interpreter, so ``prefix`` is as
    long as the target's where the place for temporary files allows it.
    """

    folder: Path
    prefix: Path


@contextmanager
def workspace(prefix: str) -> Iterator[Workspace]:
    """Make the folder, and remove it: at the end, after an error, when the process is told to end.

    ``prefix`` is the target's.
    """
    with _ended_by_signals():
        folder, inner = _names(Path(tempfile.gettempdir()).resolve(), len(prefix))
        folder.mkdir(mode=0o700)
        try:
            yield Workspace(folder=folder, prefix=inner)
        finally:
            _remove(folder)


def need_space(folder: Path, size: int) -> None:
    """Refuse to begin when the disk has not ``size`` bytes left.

    :raises MeasureError: it has not.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        message = (
            f"--verify needs about {mb(size)} MB for temporary files, and "
            f"{printable(str(folder.parent))} has {mb(free, down=True)} MB left"
        )
        raise MeasureError(message, hint="set TMPDIR to a folder with more room")


@contextmanager
def told_of_a_full_disk(folder: Path) -> Iterator[None]:
    """Turn the system's error of a full disk into one that says where and what to do.

    :raises MeasureError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise full_disk(folder) from None


def full_disk(folder: Path) -> MeasureError:
    """Return the error of a full disk."""
    message = f"the disk was full while verifying, in {printable(str(folder.parent))}"
    return MeasureError(message, hint="set TMPDIR to a folder with more room")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    output: str


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Ended:
    """Run a command; its whole group is killed when anything interrupts us."""
    process = subprocess.Popen(
        command, cwd=cwd, env=dict(environment), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate()
    finally:
        kill_group(process.pid)
        process.wait()
    return Ended(code=process.returncode, output=output)


def kill_group(leader: int) -> None:
    """Kill what is left of a process group."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


# --------------------------------------------------------------------------- the folder


def _names(base: Path, length: int) -> tuple[Path, Path]:
    """Return the folder, and the prefix in it, of that length if there is room for it."""
    room = length - len(str(base)) - 1 - _SHORTEST
    if room < _LEAST_NAME:
        folder = base / f"slugcheck-{secrets.token_hex(4)}"
        return folder, folder / "env"
    folder = base / secrets.token_hex(room)[: min(room, 10)]
    return folder, folder / "e".ljust(length - len(str(folder)) - 1, "_")


def _remove(folder: Path) -> None:
    def mend(function: Callable[..., object], path: str, _: object) -> None:
        # a read-only folder keeps its files
        os.chmod(os.path.dirname(path), stat.S_IRWXU)  # noqa: PTH101, PTH120
        function(path)

    shutil.rmtree(folder, onerror=mend)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP interrupt as Ctrl-C does, so that ``finally`` runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_ENDING = (signal.SIGTERM, signal.SIGHUP)
