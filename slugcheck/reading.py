"""The one way to read a file of the project that is checked.

What a checkout holds may come from strangers, its links too. So a file is read only where it lies
inside the folder that the run is about: the git checkout of what was named on the command line,
or, without git, that folder alone. Nothing outside of it is looked at, so not even whether a file
is there shows. Never read are git's own files, since ``.git/config`` may hold a token, and what is
no regular file, since a pipe or a device may never end. Each kind of file has a size that it may
have at most.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from slugcheck.errors import UsageError
from slugcheck.escape import printable

# Bytes that a kind of file may have; behind each the largest real one that was found.
VERSION_FILE = 100_000  # .python-version, runtime.txt: some dozen
SMALL_FILE = 2**20  # Procfile, nltk.txt, .slugignore: some thousand
SETTINGS = 2**20  # slugcheck.toml, pyproject.toml, Pipfile, uv.toml: 60 KB (Airflow)
REQUIREMENTS = 4 * 10**6  # 1.5 MB, an application's with the hashes of every file
LOCK = 32 * 10**6  # 3.3 MB (Airflow's uv.lock, of 120 workspace members)
SAVED_REPORT = 64 * 10**6  # 0.5 MB, of 300 distributions

_VERSION_CONTROL = frozenset({".git", ".hg", ".svn", "git~1"})  # git~1: its short name on Windows
_STREAM = re.compile(r"/dev/(?:stdin|fd/[0-9]+)")  # pip freeze | slugcheck /dev/stdin
_STREAMS = Path("/dev")
_MOST_LINKS = 40  # as Linux
_NOT_IN_ROOT = ("/proc", "/sys", "/dev")  # where the allowed folder is / itself
_SHOWN = 160
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Refused(UsageError):
    """A file is not read: it is outside the checkout, not a regular file, or too large.

    ``why`` goes on after the file's name. Neither says what is in the file, or whether there is
    one where a link leads.
    """

    def __init__(self, name: str, why: str, *, hint: str | None = None) -> None:
        super().__init__(f"{name} {why}", hint=hint)
        self.name = name
        self.why = why


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a path leads inside the allowed folder; ``link`` is the first link on the way."""

    real: str
    link: tuple[str, str] | None


def top_of(path: Path) -> Path:
    """Return the folder that may be read for a file or folder named on the command line.

    That is the top of its git checkout, else the folder itself; of a file without one, the current
    folder where the file is below it, else its own. A link in a checkout belongs to
    that checkout, wherever it leads, so one that leads out of it changes nothing.
    """
    named = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links
    if _STREAM.fullmatch(str(named)):
        return _STREAMS
    top: Path | None = None
    for place in (*reversed(named.parents), named):
        if top is not None and leaves(place, top):
            return top
        if os.path.lexists(place / ".git"):
            top = place.resolve()
    if top is not None:
        return top
    is_folder = named.is_dir()
    folder = (named if is_folder else named.parent).resolve()
    above = (one for one in (folder, *folder.parents) if os.path.lexists(one / ".git"))
    # without git, requirements/prod.txt may include what is beside its folder
    here = Path.cwd()
    wide = here in (Path("/"), Path.home()) or is_folder or not folder.is_relative_to(here)
    return next(above, folder if wide else here)


def read(path: Path, *, within: Path, limit: int) -> bytes:
    """Return what is in a regular file below ``within``, of at most ``limit`` bytes.

    ``within`` is a real path, as ``top_of`` returns it.

    :raises Refused: it leads outside, is no regular file, or is larger.
    :raises OSError: it is not there, is a folder, or may not be read.
    """
    with opened(path, within=within) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        size = f"{limit // 10**6} MB" if limit >= 10**6 else f"{limit // 1000} KB"
        raise Refused(_name(path), f"is larger than {size}", hint="make it smaller")
    return data


def opened(path: Path, *, within: Path) -> BinaryIO:
    """Return a regular file below ``within``, open; see ``read``."""
    if within == _STREAMS and _STREAM.fullmatch(str(path)):
        return path.open("rb")
    real = _walked(path, within).real
    _regular(path, os.lstat(real).st_mode)  # opening a device alone may do something
    number = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        _regular(path, os.fstat(number).st_mode)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def real(path: Path, within: Path) -> Path:
    """Return where a path leads, whether or not something is there.

    :raises Refused: it leads outside of ``within``.
    :raises OSError: its links run in a circle.
    """
    return Path(_walked(path, within).real)


def found(path: Path, within: Path) -> Path | None:
    """Return where a path leads; None where nothing is there, or it leads outside."""
    try:
        place = real(path, within)
    except (Refused, OSError):
        return None
    return place if os.path.lexists(place) else None


def leaves(path: Path, within: Path) -> bool:
    """Return whether a path leads outside of ``within``, or to where nothing is ever read."""
    try:
        real(path, within)
    except Refused:
        return True
    except OSError:
        return False
    return False


def stray(folder: Path, within: Path, *, deep: int) -> str | None:
    """Return a link below a folder that leads outside of ``within``; None where there is none.

    ``deep`` says how many levels of folders are looked through.
    """
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place, name)
            if path.is_symlink() and leaves(path, within):
                return path.relative_to(folder).as_posix()
        if len(Path(place).relative_to(folder).parts) >= deep:
            folders.clear()
    return None


def belongs(path: Path, within: Path) -> bool:
    """Return whether a path that the user named is one of ``within``, by its name or where it is.

    A link in a checkout belongs to it, wherever it leads.
    """
    named = os.path.abspath(path)  # noqa: PTH100 - a link counts by its own name
    places = (named, os.path.realpath(path))
    return any(Path(place).is_relative_to(within) for place in places)


def is_file(path: Path, within: Path) -> bool:
    """Return whether a path leads to a file, of whatever kind.

    :raises Refused: it leads outside of ``within``.
    """
    mode = _mode(path, within)
    return mode is not None and not stat.S_ISDIR(mode)


def is_folder(path: Path, within: Path) -> bool:
    """Return whether a path leads to a folder; one outside of ``within`` counts as not there."""
    try:
        mode = _mode(path, within)
    except Refused:
        return False
    return mode is not None and stat.S_ISDIR(mode)


# --------------------------------------------------------------------------- the way there


def _mode(path: Path, within: Path) -> int | None:
    try:
        return os.lstat(_walked(path, within).real).st_mode
    except OSError:
        return None


def _regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise Refused(_name(path), f"is {kind}, not a regular file")


def _walked(path: Path, within: Path) -> _Found:
    """Follow a path link by link; nothing outside of ``within`` is asked for on the way."""
    top = str(within)
    if "\0" in str(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), _name(path))
    rest = deque(_below(path, top))
    parts: list[str] = []
    link: tuple[str, str] | None = None
    links = 0
    while rest:
        part = rest.popleft()
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                raise _outside(path, within, link)
            parts.pop()
            continue
        if _is_version_control(part):
            raise Refused(_name(path), f"is inside {printable(part)}, which is never read")
        target = _target(str(Path(top, *parts, part)))
        if target is None:
            parts.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), _name(path))
        link = link or ("/".join([*parts, part]), target)
        if target.startswith("/"):
            inside = _under(target.split("/"), top)
            if inside is None:
                raise _outside(path, within, link)
            parts = []
            rest.extendleft(reversed(inside))
        else:
            rest.extendleft(reversed(target.split("/")))
    place = str(Path(top, *parts))
    if top == "/" and place.startswith(tuple(f"{one}/" for one in _NOT_IN_ROOT)):
        raise _outside(path, within, link)
    return _Found(place, link)


def _below(path: Path, top: str) -> list[str]:
    """Return the parts of a path that come after ``top``.

    What comes before may hold links: it is the way that the user, or the system, has to there.

    :raises Refused: the path does not go through ``top``.
    """
    parts = str(Path.cwd() / path).split("/")
    if (inside := _under(parts, top)) is not None:
        return inside
    for count in range(1, len(parts) + 1):
        if os.path.realpath("/".join(parts[:count]) or "/") == top:
            return parts[count:]
    raise _outside(path, Path(top), None)


def _under(parts: list[str], top: str) -> list[str] | None:
    """Return the parts below ``top`` as they are written; None where the path begins otherwise."""
    above = top.rstrip("/").split("/")
    return parts[len(above) :] if parts[: len(above)] == above else None


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - as it is written
    except OSError:  # no link, or nothing there; the caller finds out which
        return None


def _is_version_control(part: str) -> bool:
    # macOS passes over characters of zero width in names
    return part.encode("ascii", "ignore").decode().lower() in _VERSION_CONTROL


# --------------------------------------------------------------------------- what is said


def _name(path: Path) -> str:
    return printable(str(path))


def _outside(path: Path, within: Path, link: tuple[str, str] | None) -> Refused:
    place = "checkout" if os.path.lexists(within / ".git") else "project's folder"
    if link is None:
        return Refused(_name(path), f"is outside the {place}")
    name, target = (printable(one)[:_SHOWN] for one in link)
    via = "a link" if str(path).endswith(link[0]) else f"reached through the link {name}"
    why = f"is {via} that leads outside the {place} (-> {target})"
    if via != "a link":
        why = f"is {via}, which leads outside the {place} (-> {target})"
    hint = "replace the link with the file itself, or name that file on the command line"
    return Refused(_name(path), why, hint=hint)
