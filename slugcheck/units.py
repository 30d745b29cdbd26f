"""Sizes and seconds between people and numbers; rounding is never in the user's favour.

K, M, G and KiB, MiB, GiB are powers of 1024 (Heroku prints "500M" for 500 MiB); kB, MB, GB are
powers of 1000. A measured figure is rounded up; a limit and the room left are rounded down.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

MB = 10**6
MIB = 2**20

_SIZES = {
    "": 1, "b": 1, "bytes": 1,
    "k": 2**10, "m": 2**20, "g": 2**30,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
    "kb": 10**3, "mb": 10**6, "gb": 10**9,
}  # fmt: skip
_SECONDS = {
    "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
}  # fmt: skip
_NUMBER_AND_UNIT = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)\s*")
_CLOCK = re.compile(r"\s*([0-9]{1,9}):([0-5][0-9])\s*")
_COMMAS_FROM = 100_000  # tenths
_QUOTED = 40  # characters of a wrong text that a message repeats


def parse_size(text: str) -> int:
    """Return bytes of "450M", "1 GB", "250MiB", "1.5G" or "524288000"; parts of a byte are cut.

    :raises ValueError: the text is no size; the sentence says what is accepted.
    """
    found = _parse(text, _SIZES)
    if found is None:
        message = (
            f"{text[:_QUOTED]!r} is not a size; write bytes (524288000), "
            "K, M, G or KiB, MiB, GiB (powers of 1024), or kB, MB, GB (powers of 1000)"
        )
        raise ValueError(message)
    return found


def parse_seconds(text: str) -> int:
    """Return seconds of "15m", "900", "60s", "15 min" or "1:30" (minutes and seconds).

    :raises ValueError: the text is no duration; the sentence says what is accepted.
    """
    if clocked := _CLOCK.fullmatch(text):
        return int(clocked[1]) * 60 + int(clocked[2])
    found = _parse(text, _SECONDS)
    if found is None:
        message = (
            f"{text[:_QUOTED]!r} is not a duration; write seconds (900 or 900s), 15m, 1h or 1:30"
        )
        raise ValueError(message)
    return found


def _parse(text: str, factors: dict[str, int]) -> int | None:
    match = _NUMBER_AND_UNIT.fullmatch(text)
    factor = factors.get(match[2].lower()) if match else None
    # a Fraction, since 0.29 * 10**9 as a float is a byte short
    return None if match is None or factor is None else math.floor(Fraction(match[1]) * factor)


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit that sizes are printed in, with one decimal and without a trailing ".0"."""

    unit: int
    suffix: str

    def up(self, value: int) -> str:
        """Return a measured figure, rounded up."""
        return self._printed(_tenths(value, self.unit, down=False))

    def down(self, value: int) -> str:
        """Return a limit, or the room left, rounded down."""
        return self._printed(_tenths(value, self.unit, down=True))

    def tells_apart(self, value: int, limit: int) -> bool:
        """Whether ``value`` and ``limit`` print in the order that they have."""
        shown = _tenths(value, self.unit, down=False) - _tenths(limit, self.unit, down=True)
        return _sign(shown) == _sign(value - limit)

    def _printed(self, tenths: int) -> str:
        # four digits stay together, as in Heroku's "max is 1000M"
        number = f"{tenths / 10:,.1f}" if tenths >= _COMMAS_FROM else f"{tenths / 10:.1f}"
        return number.removesuffix(".0") + self.suffix


HEROKU_M = Scale(MIB, "M")
MEGABYTES = Scale(MB, " MB")
BYTES = Scale(1, " B")


def scale_for(value: int, limit: int) -> Scale:
    """Return the unit to print a figure and its limit in.

    It is the unit the limit is round in (M, else MB); bytes where a rounded figure would read
    like its limit without being it, or stand on the wrong side of it.
    """
    scale = MEGABYTES if limit % MB == 0 and limit % MIB else HEROKU_M
    return scale if scale.tells_apart(value, limit) else BYTES


def against(value: int, limit: int) -> tuple[str, str]:
    """Return a figure (rounded up) and its limit (rounded down), in the unit of ``scale_for``."""
    scale = scale_for(value, limit)
    return scale.up(value), scale.down(limit)


def heroku_m(value: int, *, down: bool = False) -> str:
    """Return bytes as Heroku prints a slug, "168.7M" of MiB; rounded up unless ``down``."""
    return HEROKU_M.down(value) if down else HEROKU_M.up(value)


def mb(value: int, *, down: bool = False) -> str:
    """Return bytes as MB (10**6) with one decimal and no unit, rounded up unless ``down``."""
    return f"{_tenths(value, MB, down=down) / 10:,.1f}"


def mib(value: int, *, down: bool = False) -> str:
    """Return bytes as MiB (2**20) with one decimal and no unit, rounded up unless ``down``."""
    return f"{_tenths(value, MIB, down=down) / 10:,.1f}"


def seconds(value: float) -> str:
    """Return seconds with one decimal, "0.8 s", rounded up."""
    return f"{_ceiling(value * 10) / 10:,.1f} s"


def clock(value: float) -> str:
    """Return seconds as minutes and seconds, "0:48", rounded up."""
    whole = _ceiling(value)
    return f"{whole // 60}:{whole % 60:02d}"


def _tenths(value: int, unit: int, *, down: bool) -> int:
    return value * 10 // unit if down else -(-value * 10 // unit)


def _ceiling(value: float) -> int:
    # a float such as 0.1 * 3 lies a hair above the number it stands for
    return math.ceil(round(value, 6))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
