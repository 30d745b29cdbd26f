"""Fits the estimate of distributions that were not measured to those that were.

What is known of an unmeasured distribution are the sizes of its files and what it requires. Its own
memory is a linear function of the bytes of its shared libraries and of its Python sources; what it
requires is taken for imported in part.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

from benchmarks.import_check import entries
from benchmarks.import_environments import Environment
from slugcheck.memory.floor import file_bytes
from slugcheck.memory.footprints import STANDARD_LIBRARY, Regression, Table

_LEAST = 128.0  # KiB; what is smaller does not matter in a floor of megabytes


@dataclasses.dataclass(frozen=True)
class Sample:
    """A measured distribution: MB of its files, KiB that its import takes, seconds."""

    name: str
    native: float
    source: float
    anonymous: float
    shared: float
    seconds: float
    loaded: float  # KiB of other distributions that it loads
    required: float  # KiB that importing all that it requires would load

    @property
    def taken(self) -> float:
        return self.anonymous + self.shared


def samples(table: Table, where: dict[str, Environment]) -> list[Sample]:
    """Return what a distribution's imports take, for each that has sources of its own."""
    numbers = {name: number for number, (name, _) in enumerate(table.distributions)}
    found = []
    for name, environment in where.items():
        if name not in table.mains or not table.mains[name]:
            continue
        there = {
            STANDARD_LIBRARY,
            *(numbers[n] for n in environment.closure([name]) if n in numbers),
        }
        led = table.reach(table.mains[name], there)
        own = [table.nodes[node] for node in led if table.nodes[node][0] == numbers[name]]
        mains = [
            node
            for required in environment.requires(name)
            for node in table.mains.get(required, ())
        ]
        native, source = file_bytes(entries(environment, name))
        found.append(
            Sample(
                name=name,
                native=native / 1e6,
                source=source / 1e6,
                anonymous=sum(node[1] for node in own),
                shared=sum(node[2] for node in own),
                seconds=sum(node[3] for node in own) / 1e5,
                loaded=_others(table, led, numbers[name]),
                required=_others(table, table.reach(mains, there), numbers[name]),
            )
        )
    return found


def _others(table: Table, led: dict[int, int], own: int) -> float:
    return float(sum(n[1] + n[2] for n in map(table.nodes.__getitem__, led) if n[0] != own))


def predicted(sample: Sample, base: float, native: float, source: float) -> float:
    return base + native * sample.native + source * sample.source


def error(sample: Sample, base: float, native: float, source: float) -> float:
    """Return the logarithm of said over real."""
    said = max(predicted(sample, base, native, source), _LEAST)
    return math.log(said / max(sample.taken, _LEAST))


def fit(some: Sequence[Sample]) -> tuple[float, float, float]:
    """Return base KiB, and KiB for each MB of shared libraries and of sources.

    Least absolute errors of logarithms, over a grid: a few packages load nothing of what they have.
    """
    grid = itertools.product(
        (100, 200, 300, 400, 600, 800),
        (50, 100, 200, 300, 400, 500, 700),
        (300, 600, 1000, 1500, 2000, 3000, 4000, 5000),
    )
    return min(grid, key=lambda c: sum(abs(error(sample, *c)) for sample in some))


def regression(some: Sequence[Sample]) -> Regression:
    """Return the estimate, with errors of samples that were left out of the fit (ten folds)."""
    base, native, source = fit(some)
    held = []
    for fold in range(10):
        inside = [sample for n, sample in enumerate(some) if n % 10 != fold]
        outside = [sample for n, sample in enumerate(some) if n % 10 == fold]
        fitted = fit(inside)
        held += [error(sample, *fitted) for sample in outside]
    held.sort()
    with_native = [s for s in some if s.native > 1 and s.taken > _LEAST]
    shared = sum(s.shared for s in with_native) / sum(s.taken for s in with_native)
    shares = sorted(min(s.loaded / s.required, 2) for s in some if s.required > 1024)
    taken = sum(s.taken for s in some)
    return Regression(
        base=base,
        native=native,
        source=source,
        shared=round(shared, 2),
        seconds=round(sum(s.seconds for s in some) / (taken / 1024), 4),
        low=round(math.exp(-_quantile(held, 0.95)), 3),
        high=round(math.exp(-_quantile(held, 0.05)), 3),
        required=round(_quantile(shares, 0.5), 2),
        required_low=round(_quantile(shares, 0.05), 2),
        required_high=round(_quantile(shares, 0.95), 2),
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
