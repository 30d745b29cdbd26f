"""slugcheck, or one of its parsers, in a process that has all loaded and limits: memory and time.

``Bounded`` starts a server that forks for every job, so that a job costs milliseconds; one that
does not end by itself is killed.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 20.0  # an honest run of what the tests do takes less than one
BYTES = 3 * 2**30  # of address space, of which the libraries take a part


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended; ``code`` is None for one that was killed, and ``said`` its stderr."""

    code: int | None
    said: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.said.splitlines() if line.startswith("error: ")]


class Bounded:
    """The server's client; a context manager."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.bounded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Bounded:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate(timeout=SECONDS)  # its stdin is closed, which ends it

    def slugcheck(self, folder: Path, *arguments: str, **variables: str) -> Ended:
        """Run a command in a folder."""
        return self._ended({"arguments": arguments, "variables": variables}, folder)

    def parsed(self, folder: Path, parser: str, files: dict[str, str]) -> Ended:
        """Give files to a parser of benchmarks/fuzz.py: 0 where it takes them, 2 where not."""
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return self._ended({"parser": parser, "names": list(files)}, folder)

    def _ended(self, job: dict[str, Any], folder: Path) -> Ended:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps({**job, "folder": str(folder)}) + "\n")
        self._server.stdin.flush()
        code = json.loads(self._server.stdout.readline())
        said = folder / "said"
        return Ended(code, said.read_text("utf-8", "replace") if said.exists() else "")


# --------------------------------------------------------------------------- the server


def _serve() -> None:
    from benchmarks import fuzz

    parsers = {name: make() for name, make in fuzz.PARSERS.items()}
    _load()
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_run(job, parsers))
        sys.stdout.write(f"{json.dumps(_wait(child))}\n")  # noqa: TID251
        sys.stdout.flush()  # noqa: TID251


def _load() -> None:
    """Import what commands import when they run: each job would do so anew."""
    import slugcheck

    for module in pkgutil.walk_packages(slugcheck.__path__, "slugcheck."):
        if ".workers" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _wait(child: int) -> int | None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _run(job: dict[str, Any], parsers: dict[str, Any]) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    os.chdir(job["folder"])
    for number, name in enumerate((os.devnull, "out", "said")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
    code = _command(job) if "arguments" in job else _parse(job, parsers)
    sys.stderr.flush()  # noqa: TID251
    sys.stdout.flush()  # noqa: TID251
    return code


def _command(job: dict[str, Any]) -> int:
    from slugcheck.cli import run

    os.environ.update(job["variables"])
    return run(job["arguments"])


def _parse(job: dict[str, Any], parsers: dict[str, Any]) -> int:
    from slugcheck.errors import SlugcheckError

    parser = parsers[job["parser"]]
    files = {name: Path(name).read_bytes() for name in job["names"]}
    refusals: tuple[type[Exception], ...] = (SlugcheckError, *parser.refusals)
    try:
        parser.run(Path.cwd(), files)
    except refusals as error:
        sys.stderr.write(f"error: {error}\n")  # noqa: TID251
        return 2
    except BaseException:
        import traceback

        traceback.print_exc()
        return 3
    return 0


if __name__ == "__main__":
    _serve()
