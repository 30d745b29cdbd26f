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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.units import mb

_LEAST_NAME, _LONGEST_NAME = 5, 10  # random characters of a folder's name
_SHORTEST = len("/e")
_LAST_WORDS_SECONDS = 5
_FULL = (errno.ENOSPC, errno.EDQUOT)
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The folder. ``prefix`` is where the packages go.

    A .pyc holds the path of its source and a script that of its interpreter, so ``prefix`` is as
    long as the target's where the place for temporary files allows it.
    """

    folder: Path
    prefix: Path
    size: int  # bytes that it is expected to take


@contextmanager
def workspace(prefix: str, size: int) -> Iterator[Workspace]:
    """Make the folder, and remove it: at the end, after an error, when the process is told to end.

    ``prefix`` is the target's, ``size`` the bytes that the folder will take at its largest.

    :raises MeasureError: the disk has not so much room, or it is full before the end.
    """
    with _interruptions() as interruptions:
        folder, inner = _names(_temporary(), len(prefix))
        work = Workspace(folder=folder, prefix=inner, size=size)
        try:
            with _told_of_a_full_disk(work):
                _make(folder)
                _need_space(work)
                yield work
            interruptions.wait = True
        except BaseException:
            interruptions.wait = True
            _remove(folder)
            raise
        if left := _remove(folder):
            message = f"the temporary folder {printable(str(folder))} cannot be removed: {left}"
            raise MeasureError(message, hint="remove it by hand")


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir()).resolve()
    except FileNotFoundError:
        message = "there is no folder for temporary files that can be written"
        raise MeasureError(message, hint="set TMPDIR to a folder with room") from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        if error.errno in _FULL:
            raise
        message = f"{printable(str(folder.parent))} cannot be written: {error.strerror or error}"
        raise MeasureError(message, hint="set TMPDIR to another folder") from None


def _need_space(work: Workspace) -> None:
    free = shutil.disk_usage(work.folder).free
    if free < work.size:
        message = (
            f"--verify needs about {mb(work.size)} MB for temporary files, and "
            f"{printable(str(work.folder.parent))} has {mb(free, down=True)} MB left"
        )
        raise MeasureError(message, hint="set TMPDIR to a folder with more room")


@contextmanager
def _told_of_a_full_disk(work: Workspace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise full_disk(work) from None


def full_disk(work: Workspace) -> MeasureError:
    """Return the error of a full disk."""
    message = (
        f"the disk was full while verifying, in {printable(str(work.folder.parent))}; "
        f"about {mb(work.size)} MB are needed"
    )
    return MeasureError(message, hint="set TMPDIR to a folder with more room")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    output: str


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Ended:
    """Run a command; what is left of its group is killed when it ends, or we are interrupted."""
    said: list[str] = []
    with _held() as release:
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(environment), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
            start_new_session=True,
        )  # fmt: skip
        return _watched(process, said, release)


def _watched(process: subprocess.Popen[str], said: list[str], release: Callable[[], None]) -> Ended:
    reader = threading.Thread(target=_listen, args=(process.stdout, said), daemon=True)
    try:
        release()
        reader.start()
        # not communicate(): what a build leaves in the background may hold its output open. The
        # process stays a zombie meanwhile, so that its group's number is nobody else's.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    finally:
        kill_group(process.pid)
        process.wait()
    reader.join(_LAST_WORDS_SECONDS)
    return Ended(code=process.returncode, output="".join(said))


def _listen(stream: IO[str] | None, said: list[str]) -> None:
    assert stream is not None  # noqa: S101 - it is a pipe
    with stream:
        said.extend(stream)


def kill_group(leader: int) -> None:
    """Kill what is left of a process group."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


# --------------------------------------------------------------------------- the folder


def _names(base: Path, length: int) -> tuple[Path, Path]:
    """Return a folder that is not there yet and the prefix in it, of that length if there is room.

    The folder is removed in the end, so it must never be one that somebody else has made.
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


def _remove(folder: Path) -> str:
    """Remove the folder; return what stands in the way, "" if nothing does."""
    shutil.rmtree(folder, ignore_errors=True)
    if not os.path.lexists(folder):
        return ""
    for inside, folders, _ in os.walk(folder):  # a read-only folder keeps its files
        for name in folders:
            path = Path(inside, name)
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(stat.S_IRWXU)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        return error.strerror or str(error)
    return ""


# --------------------------------------------------------------------------- signals


class _Interruptions:
    """What to do at a signal: interrupt, as Ctrl-C does; from then on it waits for the cleaning."""

    def __init__(self) -> None:
        self.wait = False
        self.waiting = False
        self.raised = False
        self.held = False
        self.pending = False

    def __call__(self, *_: object) -> None:
        if self.wait:
            self.waiting = True
            return
        if self.held:
            self.pending = True
            return
        self.wait = self.raised = True
        raise KeyboardInterrupt

    def release(self) -> None:
        """Interrupt now, if it was to be while interruptions were held."""
        self.held = False
        if self.pending:
            self.pending = False
            self()


_heard: list[_Interruptions] = []  # the one in force, if any: handlers belong to the process


@contextmanager
def _held() -> Iterator[Callable[[], None]]:
    """Hold interruptions until the yielded function is called.

    One that came while a process is being started would leave it to itself: nobody would know it.
    """
    if not _heard:
        yield lambda: None
        return
    found = _heard[-1]
    found.held = True
    try:
        yield found.release
    finally:
        found.held = False


@contextmanager
def _interruptions() -> Iterator[_Interruptions]:
    """Let SIGINT, SIGTERM and SIGHUP interrupt once, so that what cleans up is not interrupted."""
    found = _Interruptions()
    if threading.current_thread() is not threading.main_thread():
        yield found  # only the main thread can set handlers
        return
    # one that is ignored stays so: nohup does it to SIGHUP
    heard = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, found) for number in heard}
    _heard.append(found)
    try:
        yield found
    finally:
        _heard.remove(found)
        # once interrupted the run is ending, and others have folders to remove as well: an
        # impatient second Ctrl-C would leave theirs, so it is not listened to any more
        if not (found.raised or found.waiting):
            for number, old in before.items():
                signal.signal(number, old)
    if found.waiting:
        raise KeyboardInterrupt
