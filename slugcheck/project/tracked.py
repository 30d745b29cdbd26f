"""What git tracks below a folder. The only module that starts git.

A checkout may come from strangers, with its configuration: no hook, no file system monitor, no
filter and no transport that it names is ever run, and nothing is written.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.escape import printable

# -c counts for more than any file. protocol.allow: a partial clone would fetch what it lacks.
_SAFE = (
    "--literal-pathspecs", "--no-pager",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "protocol.allow=never", "-c", "core.quotePath=false",
)  # fmt: skip
_SETTINGS = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",  # its errors are read
}
# Where the user's own configuration is; every other GIT_* (GIT_DIR in a hook) means another run.
_KEPT = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})
_TIMEOUT_SECONDS = 120.0
_GITLINK = "160000"  # the mode of a submodule's entry
_QUOTED = 200


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


def installed() -> bool:
    """Return whether git is on the PATH."""
    return shutil.which("git") is not None


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
    committed = _run(folder, "rev-parse", "--verify", "--quiet", "HEAD", answers=(0, 1)) != b""
    others = _names(_run(folder, "ls-files", "-z", "--others", "--exclude-standard"))
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
    done = _start(folder, ("rev-parse", "--is-inside-work-tree", "--show-prefix"))
    if done.returncode == 0:
        inside, _, prefix = os.fsdecode(done.stdout).partition("\n")
        return prefix.removesuffix("\n") if inside == "true" else None
    said = done.stderr.decode("utf-8", "replace")
    if "not a git repository" in said:
        return None
    if "dubious ownership" in said or "safe.directory" in said:
        found = marker(folder)
        top = printable(str(found.parent if found else folder))
        message = f"git does not read {top}: the folder belongs to another user"
        hint = f"trust it with: git config --global --add safe.directory {top}"
        raise MeasureError(message, hint=hint)
    raise _failed(folder, said)


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
    for entry in _names(_run(folder, "ls-files", "-z", "--stage")):
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
    found = _run(
        folder, "config", "-z", "--file", str(file), "--get-regexp", pattern, answers=(0, 1)
    )
    values = (entry.partition("\n")[2].strip("/") for entry in _names(found))
    return frozenset(value.removeprefix(prefix) for value in values if value.startswith(prefix))


def _lfs(folder: Path, names: Sequence[str]) -> Iterator[str]:
    if not names:
        return
    asked = b"".join(os.fsencode(name) + b"\0" for name in names)
    answer = _names(_run(folder, "check-attr", "-z", "--stdin", "filter", said=asked))
    for name, _, value in zip(answer[::3], answer[1::3], answer[2::3], strict=True):
        if value == "lfs":
            yield name


def _uncommitted(folder: Path, *, committed: bool) -> frozenset[str] | None:
    """Return what differs from the last commit; None where looking could run a program.

    To compare contents git runs the ``clean`` filters that are configured: they are switched off.
    """
    filters = _names(
        _run(folder, "config", "-z", "--name-only", "--get-regexp", r"^filter\.", answers=(0, 1))
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
    changed = {*_names(_run(folder, *off, "ls-files", "-z", "--modified"))}
    if committed:
        plain = ("--cached", "--name-only", "--relative", "--ignore-submodules", "--no-renames")
        changed |= {*_names(_run(folder, *off, "diff-index", "-z", *plain, "HEAD", "--"))}
    return frozenset(changed)


# --------------------------------------------------------------------------- running git


def _names(answer: bytes) -> list[str]:
    return [os.fsdecode(name) for name in answer.split(b"\0")[:-1]]


def _run(
    folder: Path, *arguments: str, said: bytes | None = None, answers: tuple[int, ...] = (0,)
) -> bytes:
    done = _start(folder, arguments, said)
    if done.returncode not in answers:
        raise _failed(folder, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def _start(
    folder: Path, arguments: Sequence[str], said: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _KEPT}
    try:
        return subprocess.run(
            ["git", *_SAFE, *arguments],
            cwd=folder,
            env={**kept, **_SETTINGS},
            input=said if said is not None else b"",
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"git did not answer within {_TIMEOUT_SECONDS:.0f} seconds"
        raise MeasureError(message, hint="run git status in the folder to see why") from None
    except OSError as error:
        raise MeasureError(f"git cannot be run: {error.strerror or error}") from None


def _failed(folder: Path, said: str) -> MeasureError:
    lines = [line for line in said.splitlines() if line.strip()]
    reason = printable(lines[0].removeprefix("fatal: ") if lines else "it says nothing")
    shown = printable(str(folder))
    return MeasureError(
        f"git cannot read {shown}: {reason[:_QUOTED]}", hint="git status there should say the same"
    )
