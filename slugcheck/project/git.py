"""Running git on a checkout that may come from strangers. The only module that starts it.

With its configuration comes what it names: no hook, no file system monitor, no filter and no
transport of it is ever run, and nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.running import child, isolation
from slugcheck.running.child import Bounds, Ended

# -c counts for more than any file. protocol.allow: a partial clone would fetch what it lacks.
_SAFE = (
    "--literal-pathspecs", "--no-pager",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "protocol.allow=never", "-c", "core.quotePath=false",
    "-c", "core.bigFileThreshold=32m",
)  # fmt: skip
_SETTINGS = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",  # its errors are read
}
# Where the user's own configuration is; every other GIT_* (GIT_DIR in a hook) means another run.
_KEPT = r"GIT_CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM)"
_TIMEOUT_SECONDS = 120.0
# a million files with long names are listed in 128 MiB; larger blobs are not held in memory whole
_BOUNDS = Bounds(seconds=_TIMEOUT_SECONDS, output=256 * 2**20)
_QUOTED = 200


def installed() -> bool:
    """Return whether git is on the PATH."""
    return isolation.which("git") is not None


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command line for git's arguments."""
    return ["git", *_SAFE, *arguments]


def environment() -> dict[str, str]:
    """Return the environment that git is run in."""
    return isolation.environment(_KEPT) | _SETTINGS


def names(answer: bytes) -> list[str]:
    """Return what stands between the zero bytes of an answer."""
    return [os.fsdecode(name) for name in answer.split(b"\0")[:-1]]


def run(
    folder: Path, *arguments: str, said: bytes | None = None, answers: tuple[int, ...] = (0,)
) -> bytes:
    """Return what git says in a folder; ``answers`` are the exit codes that are none of an error.

    :raises MeasureError: it fails, or cannot be run.
    """
    done = start(folder, arguments, said)
    if done.code not in answers:
        raise failed(folder, done.errors)
    return done.out


def start(folder: Path, arguments: Sequence[str], said: bytes | None = None) -> Ended:
    """Run git to its end, whatever its exit code.

    :raises MeasureError: it cannot be run, or does not end.
    """
    try:
        return child.run(
            command(arguments), what="git", cwd=folder, environment=environment(), bounds=_BOUNDS,
            said=said or b"",
        )  # fmt: skip
    except child.LateError:
        message = f"git did not answer within {_TIMEOUT_SECONDS:.0f} seconds"
        raise MeasureError(message, hint="run git status in the folder to see why") from None
    except OSError as error:
        raise MeasureError(f"git cannot be run: {error.strerror or error}") from None


def failed(folder: Path, said: str) -> MeasureError:
    """Return the error for what git said on stderr."""
    lines = [line for line in said.splitlines() if line.strip()]
    reason = printable(lines[0].removeprefix("fatal: ") if lines else "it says nothing")
    shown = printable(str(folder))
    return MeasureError(
        f"git cannot read {shown}: {reason[:_QUOTED]}", hint="git status there should say the same"
    )
