"""Builds a source archive, only if the user asked for it with ``--build``.

This runs code of the distribution under check. Nothing else in slugcheck does.
"""

from __future__ import annotations

import atexit
import os
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from slugcheck.errors import MeasureError
from slugcheck.packages.resolve.uv import clean_environment, find_uv
from slugcheck.running import child, temporary
from slugcheck.running.child import Bounds

_BOUNDS = Bounds(seconds=1800.0, memory=None)  # compilers take what they need
_LAST_LINES = 3
_COMPILERS = (
    "CC CXX CPP LD AR CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH LIBRARY_PATH LD_LIBRARY_PATH "
    "PKG_CONFIG_PATH CARGO_HOME RUSTUP_HOME RUSTFLAGS MAKEFLAGS CMAKE_PREFIX_PATH SSH_AUTH_SOCK"
).split()


@cache
def _folder() -> Path:
    folder = temporary.Folder()
    atexit.register(folder.close)  # its wheels are read until the end
    return folder.path


def build_wheel(data: bytes, filename: str, minor: str) -> Path:
    """Build a source archive with this machine's Python ``minor``; return the wheel's path.

    :raises MeasureError: there is no such Python here, or the build fails.
    """
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if minor != here:
        message = f"--build can only build for this machine's Python {here}; the target has {minor}"
        raise MeasureError(message)
    folder = Path(mkdtemp(dir=_folder()))
    archive = folder / Path(filename).name
    archive.write_bytes(data)
    command = [find_uv(), "build", "--wheel", "--quiet", "--python", sys.executable]
    command += ["--no-python-downloads", "--out-dir", str(folder / "out"), str(archive)]
    compilers = {name: os.environ[name] for name in _COMPILERS if name in os.environ}
    environment = clean_environment(os.environ) | compilers
    try:
        done = child.run(
            command, what=f"building {filename}", cwd=folder, environment=environment,
            bounds=_BOUNDS,
        )  # fmt: skip
    except OSError as error:
        raise MeasureError(f"building {filename} failed: {error}") from None
    wheels = sorted((folder / "out").glob("*.whl"))
    if done.code != 0 or not wheels:
        last = " ".join(done.errors.strip().splitlines()[-_LAST_LINES:])
        raise MeasureError(f"building {filename} failed: {last[:300]}")
    return wheels[0]
