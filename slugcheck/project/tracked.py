"""What git tracks below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.project import git

_GITLINK = "160000"  # the mode of a submodule's entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What git knows of a folder, all paths relative to it and with ``/``.

    ``paths`` are the tracked files, those of submodules with them. ``untracked`` are neither
    tracked nor ignored. ``uncommitted`` differ from the last commit (None: not looked at, since
    that could have run a program that the configuration names). ``lfs`` have the filter of Git LFS.
    ``absent_submodules`` are not checked out; ``nested`` are other repositories that are none.
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
    committed = git.run(folder, "rev-parse", "--verify", "--quiet", "HEAD", answers=(0, 1)) != b""
    others = git.names(git.run(folder, "ls-files", "-z", "--others", "--exclude-standard"))
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
    """Return the folder's path below the top of its checkout; None if it is in none."""
    done = git.start(folder, ("rev-parse", "--is-inside-work-tree", "--show-prefix"))
    if done.code == 0:
        inside, _, prefix = os.fsdecode(done.out).partition("\n")
        return prefix.removesuffix("\n") if inside == "true" else None
    said = done.errors
    if "not a git repository" in said:
        return None
    if "dubious ownership" in said or "safe.directory" in said:
        found = marker(folder)
        top = printable(str(found.parent if found else folder))
        message = f"git does not read {top}: the folder belongs to another user"
        hint = f"trust it with: git config --global --add safe.directory {top}"
        raise MeasureError(message, hint=hint)
    raise git.failed(folder, said)


def marker(folder: Path) -> Path | None:
    """Return the nearest ``.git``, of this folder or one above, if there is any."""
    return next(
        (one / ".git" for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), None
    )


def _collect(
    folder: Path,
    prefix: str,
    paths: list[str],
    lfs: set[str],
    absent: list[str],
    nested: list[str],
) -> None:
    """Add a checkout's tracked files, and those of its submodules."""
    own: dict[str, None] = {}  # in order; an unmerged file has three entries
    links: dict[str, None] = {}
    for entry in git.names(git.run(folder, "ls-files", "-z", "--stage")):
        about, _, name = entry.partition("\t")
        (links if about.startswith(_GITLINK) else own)[name] = None
    paths += (prefix + name for name in own)
    lfs |= {prefix + name for name in _lfs(folder, tuple(own))}
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
    found = git.run(
        folder, "config", "-z", "--file", str(file), "--get-regexp", pattern, answers=(0, 1)
    )
    values = (entry.partition("\n")[2].strip("/") for entry in git.names(found))
    return frozenset(value.removeprefix(prefix) for value in values if value.startswith(prefix))


def _lfs(folder: Path, names: Sequence[str]) -> Iterator[str]:
    if not names:
        return
    asked = b"".join(os.fsencode(name) + b"\0" for name in names)
    answer = git.names(git.run(folder, "check-attr", "-z", "--stdin", "filter", said=asked))
    for name, _, value in zip(answer[::3], answer[1::3], answer[2::3], strict=True):
        if value == "lfs":
            yield name


def _uncommitted(folder: Path, *, committed: bool) -> frozenset[str] | None:
    """Return what differs from the last commit; None where looking could run a program.

    To compare contents git runs the ``clean`` filters that are configured: they are switched off.
    """
    filters = git.names(
        git.run(folder, "config", "-z", "--name-only", "--get-regexp", r"^filter\.", answers=(0, 1))
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
    changed = {*git.names(git.run(folder, *off, "ls-files", "-z", "--modified"))}
    if committed:
        plain = ("--cached", "--name-only", "--relative", "--ignore-submodules", "--no-renames")
        changed |= {*git.names(git.run(folder, *off, "diff-index", "-z", *plain, "HEAD", "--"))}
    return frozenset(changed)
