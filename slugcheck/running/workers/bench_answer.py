"""One question, answered: a job comes as a line of JSON, and what is told goes as further lines."""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO


def channel() -> TextIO:
    """Return a stream on standard output, which from now on is standard error for all others."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "w")


def answer(do: Callable[[dict[str, Any], Callable[..., None]], None]) -> None:
    """Read the job, let ``do`` tell what it finds, and end; an exception is told as its reason."""
    job = json.loads(sys.stdin.readline())
    stream = channel()

    def tell(event: str, **values: Any) -> None:
        stream.write(json.dumps(dict(values, event=event)) + "\n")
        stream.flush()

    try:
        do(job, tell)
    except (Exception, SystemExit) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        tell("failed", kind=type(error).__name__, reason=lines[0])
        os._exit(1)
    tell("end")
    os._exit(0)  # what some runtimes do at exit takes long
