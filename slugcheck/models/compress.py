"""What a model file takes in the slug, measured by compressing it, or a sample of a large one.

The bytes are the deflated file alone (zlib's level 6, which gzip uses by default); its tar header
adds some hundred.
"""

from __future__ import annotations

import math
import statistics
import zlib
from collections.abc import Callable
from pathlib import Path

from slugcheck.errors import MeasureError
from slugcheck.escape import printable
from slugcheck.model import Estimate
from slugcheck.packed import deflated

Span = Callable[[int, int], bytes]  # the bytes from one offset up to another

# A core compresses some 25 MB of weights a second.
WHOLE_BYTES = 256 * 10**6
_BLOCK = 2**20
_BLOCKS = 64
# Twice the standard error holds 95 of 100 means; half a percent for what a sample cannot see, such
# as the window of 32 KiB that each block starts without.
_SURE = 2.0
_LEAST_PERCENT = 0.5


def of_file(path: Path, size: int) -> tuple[Estimate[int], str]:
    """Return what a file of this machine takes when compressed, in bytes, and how that is known.

    :raises MeasureError: it cannot be read, or changes meanwhile.
    """
    if size <= WHOLE_BYTES:
        return Estimate[int].measured(deflated(path)), "compressed whole"
    try:
        with path.open("rb") as stream:

            def span(start: int, stop: int) -> bytes:
                stream.seek(start)
                return stream.read(stop - start)

            return sampled(size, span, blocks=_BLOCKS)
    except OSError as error:
        message = f"{printable(str(path))} cannot be read: {error.strerror or error}"
        raise MeasureError(message, hint="make it readable, or name another file") from None


def of_bytes(data: bytes) -> tuple[Estimate[int], str]:
    """Return what some content takes when compressed, in bytes, and how that is known."""
    return Estimate[int].measured(len(zlib.compress(data, 6))), "compressed whole"


def sampled(size: int, span: Span, *, blocks: int) -> tuple[Estimate[int], str]:
    """Return what a file of ``size`` bytes takes, from evenly spread blocks of a MiB.

    The interval is twice the standard error of the blocks' mean, at least half a percent.

    :raises MeasureError: a span is shorter than the size says.
    """
    step = (size - _BLOCK) / (blocks - 1)
    ratios = []
    for number in range(blocks):
        start = int(number * step)
        data = span(start, start + _BLOCK)
        if len(data) != _BLOCK:
            message = "a model file became shorter while it was read"
            raise MeasureError(message, hint="run again when nothing writes to it")
        ratios.append(len(zlib.compress(data, 6)) / _BLOCK)
    mean = statistics.fmean(ratios)
    error = _SURE * statistics.stdev(ratios) / math.sqrt(blocks)
    margin = max(error, mean * _LEAST_PERCENT / 100)
    low, high = max(mean - margin, 0.0), min(mean + margin, 1.001)  # deflate adds 5 bytes in 16 KB
    found = Estimate.predicted(round(size * mean), int(size * low), math.ceil(size * high))
    return found, f"from a sample of {blocks} of {math.ceil(size / _BLOCK):,} MiB"
