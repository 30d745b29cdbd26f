"""All files below a folder that git knows nothing of, less what no push would contain.

Without git nothing says what is pushed. Virtual environments, caches and version control are left
out by their names, each with its size, so that a folder with a ``.venv`` is not reported at ten
times its size, and nobody has to guess why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.units import mb

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
