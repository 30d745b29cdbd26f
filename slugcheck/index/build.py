"""Building a source archive for real, only where the user asked for it with ``--build``.

This runs code of the distribution under check. Nothing else in slugcheck does.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.index.uv import clean_environment, find_uv

_TIMEOUT_SECONDS = 1800.0
_LAST_LINES = 3
_COMPILING = re.compile(
    r"(?:CC|CXX|CPP|AR|LD|CFLAGS|CXXFLAGS|CPPFLAGS|LDFLAGS|CPATH|LIBRARY_PATH|LD_LIBRARY_PATH|"
    r"PKG_CONFIG_PATH|MAKEFLAGS|CMAKE_\w+|CARGO_HOME|RUSTUP_HOME)$"
)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="slugcheck-build-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def build_wheel(data: bytes, filename: str, minor: str) -> Path:
    """Build a source archive with this machine's Python ``minor``; return the wheel's path.

    :raises MeasureError: there is no such Python here, or the build fails.
    """
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if minor != here:
        message = (
            f"--build builds for this machine's Python {here} only, and the target has {minor}"
        )
        raise MeasureError(message)
    folder = Path(tempfile.mkdtemp(dir=_folder()))
    archive = folder / Path(filename).name
    archive.write_bytes(data)
    command = [find_uv(), "build", "--wheel", "--quiet", "--python", sys.executable]
    command += ["--no-python-downloads", "--out-dir", str(folder / "out"), str(archive)]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={key: value for key, value in os.environ.items() if _COMPILING.match(key)}
            | clean_environment(os.environ),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MeasureError(f"building {filename} failed: {error}") from None
    wheels = sorted((folder / "out").glob("*.whl"))
    if done.returncode != 0 or not wheels:
        last = " ".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
        raise MeasureError(f"building {filename} failed: {last[:300]}")
    return wheels[0]
