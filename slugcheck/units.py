"""Sizes and seconds between people and numbers; rounding is never in the user's favour.

K, M, G and KiB, MiB, GiB are powers of 1024 (Heroku prints "500M" for 500 MiB); kB, MB, GB are
powers of 1000. A measured figure is rounded up, a limit and the room left are rounded down.
"""

from __future__ import annotations

import math
import re

_BINARY = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZES = {
    "": 1, "b": 1,
    "k": 2**10, "m": 2**20, "g": 2**30,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
    "kb": 10**3, "mb": 10**6, "gb": 10**9,
}  # fmt: skip
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")
_SECONDS = {"": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "min": 60,
            "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600}  # fmt: skip
_CLOCK = re.compile(r"\s*(\d+):([0-5]\d)\s*")
MB = 10**6
MIB = 2**20


def parse_size(text: str) -> int:
    """Return bytes of "450M", "1 GB", "250MiB" or "524288000".

    :raises ValueError: the text is no size; the sentence says what is accepted.
    """
    match = _SIZE.fullmatch(text)
    factor = _SIZES.get(match[2].lower()) if match else None
    if match is None or factor is None:
        message = f"{text!r} is not a size; write 450M (MiB), 450MB (10^6) or plain bytes"
        raise ValueError(message)
    return math.floor(float(match[1]) * factor)


def parse_seconds(text: str) -> int:
    """Return seconds of "15m", "900", "60s", "15 min" or "1:30".

    :raises ValueError: the text is no duration; the sentence says what is accepted.
    """
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1]) * 60 + int(clock[2])
    match = _SIZE.fullmatch(text)
    factor = _SECONDS.get(match[2].lower()) if match else None
    if match is None or factor is None:
        message = f"{text!r} is not a duration; write 900, 60s, 15m or 1:30"
        raise ValueError(message)
    return math.floor(float(match[1]) * factor)


def mb(value: int, *, down: bool = False) -> str:
    """Return bytes as MB (10**6) with one decimal, rounded up unless ``down``."""
    return f"{_rounded(value / MB, down):,.1f}"


def mib(value: int, *, down: bool = False) -> str:
    """Return bytes as MiB (2**20) with one decimal, rounded up unless ``down``."""
    return f"{_rounded(value / MIB, down):,.1f}"


def heroku_m(value: int, *, down: bool = False) -> str:
    """Return bytes as Heroku prints a slug, "168.7M", where M is MiB; rounded up unless ``down``."""
    return f"{_rounded(value / MIB, down):.1f}".removesuffix(".0") + "M"


def _rounded(value: float, down: bool) -> float:
    # a product such as 0.1 * 10 may come out a hair above the whole number it stands for
    scaled = round(value * 10, 6)
    return (math.floor(scaled) if down else math.ceil(scaled)) / 10


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds, "0:48", rounded up."""
    whole = math.ceil(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def against(value: int, limit: int) -> tuple[str, str]:
    """Return a size and its limit in Heroku's M; in bytes where both would read the same."""
    shown = heroku_m(value), heroku_m(limit, down=True)
    if shown[0] == shown[1] and value != limit:
        return f"{value:,} B", f"{limit:,} B"
    return shown
