"""Temporary folders that are removed at the end, even if the run was killed.

The folders of a run lie in the run's own folder, ``TMPDIR/slugcheck-UID/run-…``, which it keeps
locked while it lives. The first folder of a run removes those of dead runs: only folders that
belong to this user, are closed to others, and are not links. A folder that must lie elsewhere,
because its path has to be short, is recorded there by a link.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slugcheck.errors import MeasureError
from slugcheck.running import ending
from slugcheck.text import printable

try:
    import fcntl as _fcntl

    _locks: Any = _fcntl
except ImportError:  # Windows: nothing is swept there
    _locks = None

_RUN = "run-"
_ELSEWHERE = "elsewhere-"  # a link to a folder of the run that lies outside: NAME-DEVICE-INODE
_ATTEMPTS = 20
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_ROOM = "set TMPDIR to a folder with free space"
_runs: dict[tuple[Path, int], _Run] = {}
_swept: set[Path] = set()
_guard = threading.RLock()


class Folder:
    """A temporary folder, used as a context manager or closed by hand."""

    def __init__(self) -> None:
        """Make it.

        :raises MeasureError: there is no place where it could be.
        """
        with ending.made_known():
            self._run = _enter()
            try:
                self.path = Path(tempfile.mkdtemp(dir=self._run.path, prefix=""))
            except OSError as error:
                _leave(self._run)
                raise _no_place(self._run.base.parent, error) from None
            ending.places[str(self.path)] = lambda: _remove_with_run(self.path, self._run)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> str:
        """Remove it; return what stands in the way, "" if nothing does."""
        if ending.places.pop(str(self.path), None) is None:
            return ""
        problem = remove(self.path)
        _leave(self._run)
        return problem


@contextmanager
def elsewhere(folder: Path) -> Iterator[None]:
    """Make a folder outside the run's own, at a path that the caller chooses, and own it.

    The caller removes it with ``remove``; if it does not come to that, the end of the run does.

    :raises OSError: it cannot be made, or is there.
    """
    with ending.made_known():
        folder.mkdir(mode=0o700)
        run = _enter()
        status = folder.lstat()
        link = run.path / f"{_ELSEWHERE}{status.st_dev}-{status.st_ino}"
        with suppress(OSError):
            link.symlink_to(folder)
        ending.places[str(folder)] = lambda: _remove_with_run(folder, run, link)
    try:
        yield
    finally:
        ending.places.pop(str(folder), None)
        link.unlink(missing_ok=True)
        _leave(run)


@contextmanager
def beside(path: Path, prefix: str) -> Iterator[Path]:
    """Yield an empty file in the folder of ``path``, to be written and moved to its place.

    :raises OSError: it cannot be made.
    """
    with ending.made_known():
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=".tmp")
        os.close(handle)
        ending.places[name] = lambda: Path(name).unlink(missing_ok=True)
    try:
        yield Path(name)
    finally:
        ending.places.pop(name, None)
        Path(name).unlink(missing_ok=True)


def remove(folder: Path) -> str:
    """Remove a folder with all that is in it; return what stands in the way, "" if nothing does."""
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


def root() -> Path:
    """Return the folder for temporary files.

    :raises MeasureError: there is no such folder.
    """
    try:
        return Path(tempfile.gettempdir()).resolve()
    except FileNotFoundError:
        message = "no writable folder for temporary files"
        raise MeasureError(message, hint=_ROOM) from None


def _no_place(folder: Path, error: OSError) -> MeasureError:
    message = f"{printable(str(folder))} cannot be written: {error.strerror or error}"
    return MeasureError(message, hint=_ROOM)


@dataclass(slots=True)
class _Run:
    """The run's own folder, there as long as somebody uses it."""

    base: Path
    path: Path
    lock: int | None
    users: int = 0


def _enter() -> _Run:
    """Return the run's folder, made if it is not there.

    :raises MeasureError: it cannot be made.
    """
    with _guard:
        place = (root(), _user())
        run = _runs.get(place)
        if run is None:
            run = _runs[place] = _made(place[0])
        run.users += 1
        return run


def _leave(run: _Run) -> None:
    with _guard:
        run.users -= 1
        if run.users:
            return
        for place, known_run in list(_runs.items()):
            if known_run is run:
                del _runs[place]
        _drop(run)


def _drop(run: _Run) -> None:
    with suppress(OSError):
        run.path.rmdir()
    with suppress(OSError):
        if run.lock is not None:
            os.close(run.lock)
    with suppress(OSError):
        run.base.rmdir()  # others may have theirs there


def _remove_with_run(folder: Path, run: _Run, link: Path | None = None) -> None:
    """Remove a folder at the end of the process: nobody else does any more."""
    for _ in range(_ATTEMPTS):  # a thread may write there until the very end
        if not remove(folder):
            break
    if link is not None:
        link.unlink(missing_ok=True)
    with suppress(OSError):
        run.path.rmdir()
        run.base.rmdir()


def _made(top: Path) -> _Run:
    error = OSError("it is in use by someone else")
    for _ in range(_ATTEMPTS):
        base = _base(top)
        try:
            if base is None:
                path = Path(tempfile.mkdtemp(dir=top, prefix="slugcheck-"))
                return _Run(base=top, path=path, lock=None)
            if base not in _swept:
                _swept.add(base)
                _sweep(base)
            path = Path(tempfile.mkdtemp(dir=base, prefix=_RUN))
            lock = _locked(path)
        except FileNotFoundError as gone:  # the last of the others has just removed it
            error = gone
            continue
        except OSError as other:
            raise _no_place(top, other) from None
        if lock is not None or _locks is None:
            return _Run(base=base, path=path, lock=lock)
    raise _no_place(top, error)


def _base(top: Path) -> Path | None:
    """Return this user's folder in the one for temporary files; None if it cannot be trusted."""
    base = top / f"slugcheck-{_user()}"
    try:
        base.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise _no_place(top, error) from None
    try:
        status = base.lstat()
    except OSError:
        return base  # somebody has just removed it: the caller tries again
    return base if stat.S_ISDIR(status.st_mode) and _is_own(status) else None


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _is_own(status: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077


def _locked(path: Path) -> int | None:
    """Lock a run's folder; None where a sweeper was faster and is removing it."""
    if _locks is None:
        return None
    lock = os.open(path, _FOLDER_FLAGS | getattr(os, "O_CLOEXEC", 0))
    try:
        _locks.flock(lock, _locks.LOCK_EX | _locks.LOCK_NB)
        if os.fstat(lock).st_ino == path.lstat().st_ino:
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def _sweep(base: Path) -> None:
    """Remove the folders of runs that live no more."""
    if _locks is None:
        return
    with suppress(OSError):
        for path in base.iterdir():
            if path.name.startswith(_RUN):
                with suppress(OSError):
                    _sweep_one(path)


def _sweep_one(path: Path) -> None:
    lock = os.open(path, _FOLDER_FLAGS)
    try:
        if not _is_own(os.fstat(lock)):
            return
        _locks.flock(lock, _locks.LOCK_EX | _locks.LOCK_NB)  # BlockingIOError: it lives
        for link in path.iterdir():
            if link.name.startswith(_ELSEWHERE):
                with suppress(OSError, ValueError):
                    _sweep_elsewhere(link)
        remove(path)
    finally:
        os.close(lock)


def _sweep_elsewhere(link: Path) -> None:
    target = link.readlink()
    status = target.lstat()
    device, inode = link.name.removeprefix(_ELSEWHERE).split("-")
    same = (status.st_dev, status.st_ino) == (int(device), int(inode))
    if same and stat.S_ISDIR(status.st_mode) and _is_own(status):
        remove(target)
