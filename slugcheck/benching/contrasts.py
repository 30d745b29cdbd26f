"""Which figures of two stacks differ by more than chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slugcheck.benching.statistics import differ, peak, spread
from slugcheck.model.bench import StackResult
from slugcheck.model.benchresult import Contrast

_Values = Callable[[StackResult], list[float]]
_KINDS: tuple[tuple[str, _Values], ...] = (
    ("peak RSS", lambda one: [v for s in one.samples if (v := peak(s, "rss")) is not None]),
    ("import", lambda one: [s.import_seconds for s in one.samples]),
    ("CPU time", lambda one: [s.cpu_ms for s in one.samples]),
    ("cold start", lambda one: [c.seconds for c in one.cold_starts if not c.evicted]),
)


def of(stacks: Sequence[StackResult]) -> tuple[Contrast, ...]:
    """Return the contrasts of two stacks that were measured; none of any other number."""
    both = [one for one in stacks if one.summary]
    if len(both) != 2:
        return ()
    first, second = both
    return tuple(
        Contrast(
            figure=name,
            first=spread(values(first)).median,
            second=spread(values(second)).median,
            significant=differ(values(first), values(second)),
        )
        for name, values in _KINDS
        if values(first) and values(second)
    )
