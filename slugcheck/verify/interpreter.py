"""The Python of this machine that can stand for the target's, or why there is none."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import platform_tags
from packaging.utils import InvalidWheelFilename

from slugcheck import syntax
from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.model import SizeReport, Target
from slugcheck.running import child, isolation
from slugcheck.running.child import Bounds, ChildError

_SECONDS = 30
_NAMED = 3
_ASK = (
    "import json, platform, sys, sysconfig;"
    "print(json.dumps([platform.python_implementation(), platform.python_version(),"
    " sys.version_info.releaselevel, bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python of this machine; ``version`` is the full one.

    ``unfit`` says why it cannot stand for a platform's Python; "" if it can.
    """

    path: str
    version: str
    unfit: str = ""

    @property
    def minor(self) -> str:
        """The version without its patch."""
        return ".".join(self.version.split(".")[:2])


def find(target: Target) -> Interpreter:
    """Return a CPython of the target's minor version: this one, one on PATH, or one uv knows.

    Pre-releases and free-threaded builds are none: their wheels or their bytecode are others.

    :raises MeasureError: there is none, or this machine is of another kind.
    """
    _same_kind(target)
    seen: dict[str, Interpreter] = {}
    for path in _candidates(target.minor):
        found = _asked(path)
        if found is None:
            continue
        if found.minor == target.minor and not found.unfit:
            return found
        seen.setdefault(found.version + found.unfit, found)
    has = ", ".join(_described(one) for one in seen.values())
    message = f"--verify needs Python {target.minor}, and this machine has {has or 'none'}"
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    hint = f"install python{target.minor}, or verify for this one with --python {own}"
    raise MeasureError(message, hint=hint)


def foreign_wheels(sizes: SizeReport) -> list[str]:
    """Return the file names of the wheels that this machine's installer would not take."""
    own = {*platform_tags(), "any"}
    foreign = []
    for one in sizes.distributions:
        try:
            tags = syntax.wheel_filename(one.distribution.artifact.filename)[3]
        except InvalidWheelFilename:
            continue
        if not any(tag.platform in own for tag in tags):
            foreign.append(one.distribution.artifact.filename)
    return foreign


def refuse_foreign(sizes: SizeReport) -> None:
    """Refuse wheels that this machine's pip would not take: the measured set would be another.

    :raises MeasureError: naming the first few of them.
    """
    if foreign := foreign_wheels(sizes):
        more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
        libc = " ".join(filter(None, platform.libc_ver())) or "no glibc"
        message = (
            f"--verify cannot install {printable(', '.join(foreign[:_NAMED]))}{more} here: "
            f"this machine ({platform.machine()}, {libc}) does not take such wheels"
        )
        raise MeasureError(message, hint="verify on a machine like the target's")


def _same_kind(target: Target) -> None:
    own = f"{platform.system()} {platform.machine()}"
    wanted = f"Linux {target.stack.arch}"
    if own != wanted:
        message = f"--verify needs {wanted} like the target, and this machine is {own}"
        raise MeasureError(message, hint="run it in a container or in CI on such a machine")


def _candidates(minor: str) -> Iterator[str]:
    yield sys.executable
    on_path = isolation.which(f"python{minor}")
    if on_path:
        yield on_path
    from slugcheck.index.uv import find_uv

    known = _output([find_uv(), "python", "find", "--no-project", "--no-python-downloads", minor])
    if known:
        yield known
    yield from _of_pyenv(minor)


def _of_pyenv(minor: str) -> Iterator[str]:
    """Yield pyenv's own: its command on PATH refuses versions that are not switched on."""
    root = Path(os.environ.get("PYENV_ROOT") or f"{os.environ.get('HOME', '')}/.pyenv")
    for path in sorted(root.glob(f"versions/{minor}.*/bin/python{minor}"), reverse=True):
        yield str(path)


def _described(found: Interpreter) -> str:
    return f"{found.version}{found.unfit and f' ({found.unfit})'}"


def _asked(path: str) -> Interpreter | None:
    answer = _output([path, "-I", "-c", _ASK])
    try:
        implementation, version, level, no_gil = syntax.json(answer or "")
    except ValueError:
        return None
    unfit = ""
    if implementation != "CPython":
        unfit = str(implementation)
    elif level != "final":
        unfit = "a pre-release"
    elif no_gil:
        unfit = "free-threaded"
    return Interpreter(path=path, version=str(version), unfit=unfit)


def _output(command: list[str]) -> str | None:
    names = r"UV_PYTHON_(?:SEARCH_PATH|INSTALL_DIR|PREFERENCE)|PYENV_.*|LD_LIBRARY_PATH"
    try:
        done = child.run(
            command, what="an interpreter", environment=isolation.environment(names),
            bounds=Bounds(seconds=_SECONDS),
        )  # fmt: skip
        return done.out.decode().strip() or None if done.code == 0 else None
    except (OSError, ChildError, UnicodeDecodeError):
        return None
