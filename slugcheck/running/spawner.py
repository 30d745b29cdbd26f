"""A small process of slugcheck that starts other processes, and cleans up behind us.

It is asked by lines of JSON and answers each with one. It has its own session, so an interruption
reaches it as the end of its requests: then it kills what it has started and removes its folder,
even where slugcheck itself was killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from slugcheck.errors import MeasureError
from slugcheck.running import child, ending, temporary

WORKERS = Path(__file__).parent / "workers"
Json = dict[str, Any]
# What a worker gets of our environment. Thread counts, allocators and PYTHON* would change figures.
_KEPT = re.compile(
    r"^(?:PATH|HOME|USER|LOGNAME|LANG|LC_.*|TMPDIR|LD_LIBRARY_PATH|SYSTEMROOT|"
    r"XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS)$"
)
_LAST_SECONDS = 20


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that every worker begins with."""
    kept = {key: value for key, value in environ.items() if _KEPT.match(key)}
    return kept | ({"PATH": child.safe_path(kept["PATH"])} if "PATH" in kept else {})


class Spawner:
    """Used as a context manager; ``folder`` is for temporary files and gone in the end."""

    def __init__(self, script: str, *, does: str, imports: Collection[str] = ()) -> None:
        """Start a script of ``workers``; ``does`` says in messages what the process does.

        ``imports`` are the packages of slugcheck's own environment that it uses.

        :raises MeasureError: it cannot be started.
        """
        self._does = does
        self._temporary = temporary.Folder()
        self.folder = self._temporary.path
        self._process = self._started(script, imports)
        self.own(self.folder)

    def _started(self, script: str, imports: Collection[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-E", "-s", "-S", str(WORKERS / script)]
        command += [str(_place_of(name)) for name in imports]
        try:
            with ending.made_known():
                process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                    start_new_session=True, env=clean_environment(os.environ),
                )  # fmt: skip
                ending.processes[process.pid] = lambda: _end(process)
                return process
        except OSError as error:
            self._temporary.close()
            message = f"cannot start the process that {self._does}: {error.strerror}"
            raise MeasureError(message) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def own(self, *folders: Path) -> None:
        """Have it remove these folders in the end, should we not come to that."""
        self._ask(do="own", folders=list(map(str, folders)))

    def close(self) -> None:
        """End it: it kills what it started and removes the folder."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                with suppress(OSError):  # what it did not read any more
                    stream.close()
        _resume(self._process)
        try:
            self._process.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        ending.processes.pop(self._process.pid, None)
        self._temporary.close()

    def probe_limit(self, name: str) -> Json:
        """Return which kind of memory limit can be had here."""
        return dict(self._ask(do="probe", folder=name)["kind"])

    def _ask(self, **request: Any) -> Json:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - it was asked to be a pipe
        assert stdout is not None  # noqa: S101 - so was this
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            answer = stdout.readline()
        except OSError:
            answer = b""
        if not answer:
            ending.halt()
            message = f"the process that {self._does} has ended unexpectedly"
            raise MeasureError(message, hint="is the machine out of memory? run it again")
        return dict(json.loads(answer))


def sweep(group: str) -> None:
    """Kill what is left in a cgroup, and remove it."""
    command = [sys.executable, "-E", "-s", "-S", str(WORKERS / "memory_limit.py"), group]
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            command, env=clean_environment(os.environ), timeout=_LAST_SECONDS, check=False
        )


def _place_of(name: str) -> Path:
    """Return the folder that a package of this environment is imported from."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise MeasureError(f"{name} is not installed")
    return Path(spec.origin).parent.parent


def _resume(process: subprocess.Popen[bytes]) -> None:
    """Let it go on, should what it runs have stopped it: it has to clean up."""
    if not child.has_ended(process):
        with suppress(OSError):
            os.kill(process.pid, signal.SIGCONT)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it from a signal's handler: its requests end, and it cleans up behind us."""
    if process.stdin is not None:
        os.close(process.stdin.fileno())
    _resume(process)
    end = time.monotonic() + _LAST_SECONDS
    while not child.has_ended(process):
        if time.monotonic() > end:
            os.killpg(process.pid, signal.SIGKILL)
            return
        time.sleep(0.01)
