"""Figures with intervals: how they are known, and how they add up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

N = TypeVar("N", int, float)


class Basis(StrEnum):
    """How a figure is known."""

    MEASURED = "measured"
    PREDICTED = "predicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Generic[N]):
    """A figure with its interval; ``low == value == high`` for a measured one."""

    value: N
    low: N
    high: N
    basis: Basis

    @classmethod
    def measured(cls, value: N) -> Estimate[N]:
        """Return a figure without doubt."""
        return cls(value=value, low=value, high=value, basis=Basis.MEASURED)

    @classmethod
    def predicted(cls, value: N, low: N, high: N) -> Estimate[N]:
        """Return a predicted figure; the true one is expected within ``low`` to ``high``."""
        return cls(value=value, low=min(low, value), high=max(high, value), basis=Basis.PREDICTED)

    @property
    def percent(self) -> float:
        """Half the width of the interval, in percent of the value (0 for a measured figure)."""
        if not self.value or self.basis is Basis.MEASURED:
            return 0.0
        return 50.0 * (self.high - self.low) / self.value


# --------------------------------------------------------------------------- sums


def total(parts: Iterable[Estimate[int]], *, systematic_percent: float) -> Estimate[int]:
    """Return the sum of figures with its interval.

    The errors of different parts are independent, so they add in quadrature, separately for the low
    and high side. All predicted parts also share an error (a model that is off for this kind of
    app): ``systematic_percent`` of their sum. A measured part adds no error; a sum of measured
    parts is measured.
    """
    known = tuple(parts)
    value = sum(part.value for part in known)
    predicted = [part for part in known if part.basis is Basis.PREDICTED]
    if not predicted:
        return Estimate.measured(value)
    shared = sum(part.value for part in predicted) * systematic_percent / 100
    below = math.hypot(shared, *(part.value - part.low for part in predicted))
    above = math.hypot(shared, *(part.high - part.value for part in predicted))
    return Estimate.predicted(value, math.floor(value - below), math.ceil(value + above))


def without(whole: Estimate[int], parts: Iterable[Estimate[int]]) -> Estimate[int]:
    """Return a total without some of its parts and their errors."""
    gone = tuple(parts)
    value = whole.value - sum(part.value for part in gone)
    if whole.basis is Basis.MEASURED:
        return Estimate.measured(value)
    below = _left(whole.value - whole.low, [part.value - part.low for part in gone])
    above = _left(whole.high - whole.value, [part.high - part.value for part in gone])
    return Estimate.predicted(value, math.floor(value - below), math.ceil(value + above))


def _left(doubt: int, gone: Iterable[int]) -> float:
    return math.sqrt(max(doubt**2 - sum(error**2 for error in gone), 0))


def around(value: float, percent: float) -> Estimate[int]:
    """Return a predicted figure with the same relative error both ways, as a factor.

    20 % means from value / 1.2 to value * 1.2: a size is never negative.
    """
    factor = 1 + percent / 100
    low, high = math.floor(value / factor), math.ceil(value * factor)
    return Estimate.predicted(round(value), low, high)
