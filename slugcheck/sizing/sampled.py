"""What a sample of a distribution's sources shows: how they compile, and how that compresses.

The runs that ``bytecode.sample_runs`` chose are compiled with the running Python, never executed,
and compressed with their bytecode as the slug would hold them. Both are compared with what the
models say of the very same files. Sources are whatever a wheel's author wrote, and a few lines may
take the compiler minutes and gigabytes: all of it happens in a process of its own, with limits.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.model import Entry
from slugcheck.running import child
from slugcheck.sizing import bytecode, compression

# Bytes of sources and bytecode that are compressed: beyond it, evenly chosen runs of the sample.
_PACKED = 8_000_000
# A larger source fills many windows of gzip by itself, and shows nothing of its neighbours.
_LARGEST = 250_000
_SECONDS = 20.0  # a sample of the largest distributions takes two
# The compiler takes 60 times the size of most sources, 600 times that of one made for it. Samples
# with a large source are compiled one at a time, beside one other.
_MEMORY, _MEMORY_OF_LARGE = 300_000_000, 600_000_000
_TURNS, _LARGE_TURN = threading.BoundedSemaphore(2), threading.Lock()
_WORKER = Path(__file__).parent.parent / "running" / "workers" / "compile_sources.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Sources and their bytecode, compressed together: by path, bytes of bytecode, and of gzip."""

    paths: tuple[str, ...]
    bytecode_bytes: int
    packed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What runs of sources showed. ``sizes`` are bytes of ``.pyc`` less the path, by run.

    None stands for a source that does not compile, and for a sample of which none could be packed.
    """

    sizes: tuple[tuple[int | None, ...], ...]
    packed: Packed | None


def factors(
    entries: Sequence[Entry], runs: Sequence[Sequence[tuple[Entry, bytes]]]
) -> tuple[float | None, float | None]:
    """Return a distribution's bytecode over its model, and its compressed bytes over theirs.

    ``entries`` are all its files, ``runs`` the sampled ones with their whole text, grouped as
    ``bytecode.sample_runs`` gave them. None where the sample shows nothing.
    """
    shown = compile_runs(runs)
    if shown is None:
        return None, None
    minor = bytecode.running_minor()
    sizes = [
        [(entry, size) for (entry, _), size in zip(run, found, strict=True)]
        for run, found in zip(runs, shown.sizes, strict=True)
    ]
    return (
        bytecode.factor_from_sizes(entries, sizes, minor=minor),
        slug_factor(entries, shown.packed, minor=minor) if shown.packed else None,
    )


def compile_runs(runs: Sequence[Sequence[tuple[Entry, bytes]]]) -> Shown | None:
    """Compile sources and compress them with their bytecode; None where the limits forbid it."""
    large = any(len(text) > _LARGEST for run in runs for _, text in run)
    wanted = {
        "memory": _MEMORY_OF_LARGE if large else _MEMORY,
        "packed": _PACKED,
        "largest": _LARGEST,
        "runs": [[[entry.path, len(text)] for entry, text in run] for run in runs],
    }
    sent = json.dumps(wanted).encode() + b"\n" + b"".join(text for run in runs for _, text in run)
    command = [sys.executable, "-I", "-S", "-W", "ignore", str(_WORKER)]
    bounds = child.Bounds(seconds=_SECONDS)
    with _LARGE_TURN if large else nullcontext(), _TURNS:
        try:
            done = child.run(command, label="compiling", environment={}, bounds=bounds, sent=sent)
            answer = json.loads(done.out) if done.code == 0 else None
        except (OSError, ValueError, MeasureError):
            return None
    if answer is None:
        return None
    packed = Packed(
        paths=tuple(answer["paths"]),
        bytecode_bytes=answer["bytecode"],
        packed_bytes=answer["gzip"],
    )
    return Shown(sizes=tuple(map(tuple, answer["sizes"])), packed=packed if packed.paths else None)


def slug_factor(entries: Iterable[Entry], packed: Packed, *, minor: str) -> float:
    """Return compressed sources and bytecode over what the model says of the same files."""
    paths = set(packed.paths)
    weight = compression.weigh(entry for entry in entries if entry.path in paths)
    model = weight.whole + weight.bytecode_share(packed.bytecode_bytes, minor)
    return compression.GZIP_SAMPLE * packed.packed_bytes / max(model, 1.0)
