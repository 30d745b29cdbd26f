"""How the intervals of many figures add up."""

from __future__ import annotations

import math
from collections.abc import Iterable

from slugcheck.model import Basis, Estimate


def total(parts: Iterable[Estimate[int]], *, systematic_percent: float) -> Estimate[int]:
    """Return the sum of figures with its interval.

    The doubts of different parts are independent, so they add in quadrature; low and high sides
    apart. On top comes what all predicted parts share (a model that is off for this kind of app):
    ``systematic_percent`` of their sum. A measured part adds no doubt; a sum of measured parts is
    measured.
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
    """Return a total less some of its parts, whose doubts go with them."""
    gone = tuple(parts)
    value = whole.value - sum(part.value for part in gone)
    if whole.basis is Basis.MEASURED:
        return Estimate.measured(value)
    below = _left(whole.value - whole.low, [part.value - part.low for part in gone])
    above = _left(whole.high - whole.value, [part.high - part.value for part in gone])
    return Estimate.predicted(value, math.floor(value - below), math.ceil(value + above))


def _left(doubt: int, gone: Iterable[int]) -> float:
    return math.sqrt(max(doubt**2 - sum(one**2 for one in gone), 0))


def around(value: float, percent: float) -> Estimate[int]:
    """Return a predicted figure with the same relative doubt both ways, as a factor.

    20 % means from value / 1.2 to value * 1.2: a size is never negative.
    """
    factor = 1 + percent / 100
    low, high = math.floor(value / factor), math.ceil(value * factor)
    return Estimate.predicted(round(value), low, high)
