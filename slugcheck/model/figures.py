"""A figure with its interval, and how it is known."""

from __future__ import annotations

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
