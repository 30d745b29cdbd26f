"""The Python of this machine that can stand for the target's, or why there is none."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import platform_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from slugcheck.errors import MeasureError
from slugcheck.model import SizeReport, Target

_SECONDS = 30
_ASK = (
    "import json, platform, sys, sysconfig;"
    "print(json.dumps([platform.python_implementation(), platform.python_version(),"
    " sys.version_info.releaselevel, bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python of this machine; ``version`` is the full one."""

    path: str
    version: str


def find(target: Target) -> Interpreter:
    """Return a CPython of the target's minor version: this one, one on PATH, or one uv knows.

    :raises MeasureError: there is none, or this machine is of another kind.
    """
    _same_kind(target)
    for path in _candidates(target.minor):
        found = _asked(path)
        if found is not None and found.version.rsplit(".", 1)[0] == target.minor:
            return found
    message = f"--verify needs Python {target.minor}, and this machine has none"
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    hint = f"install python{target.minor}, or verify for this one with --python {own}"
    raise MeasureError(message, hint=hint)


def refuse_foreign(sizes: SizeReport) -> None:
    """Refuse wheels that this machine's pip would not take: the measured set would be another.

    :raises MeasureError: naming the first of them.
    """
    own = {*platform_tags(), "any"}
    for one in sizes.distributions:
        try:
            tags = parse_wheel_filename(one.distribution.artifact.filename)[3]
        except InvalidWheelFilename:
            continue
        if not any(tag.platform in own for tag in tags):
            message = (
                f"--verify cannot install {one.distribution.artifact.filename} here: "
                f"this machine ({platform.platform(terse=True)}) does not take it"
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
    on_path = shutil.which(f"python{minor}")
    if on_path:
        yield on_path
    from uv import find_uv_bin

    known = _output(
        [find_uv_bin(), "python", "find", "--no-project", "--no-python-downloads", minor]
    )
    if known:
        yield known


def _asked(path: str) -> Interpreter | None:
    answer = _output([path, "-I", "-c", _ASK])
    if answer is None:
        return None
    implementation, version, level, no_gil = json.loads(answer)
    if implementation != "CPython" or level != "final" or no_gil:
        return None
    return Interpreter(path=path, version=version)


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip() or None
