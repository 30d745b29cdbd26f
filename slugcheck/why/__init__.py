"""Why a distribution is there, and what each change of the file would save.

``scene`` holds a finished run, ``answer`` follows from its graph alone, ``changed`` proposes other
files, and ``variants`` measures them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from slugcheck.check import Check
from slugcheck.model import Report, Why
from slugcheck.why import answer, changed, scene
from slugcheck.why.asks import Wanted
from slugcheck.why.variants import Variants

_LOCK = "a lock has no lines to change: what goes follows from its graph alone"


class Inquiry:
    """One question about a finished run: ``measure`` tries changes, ``why`` is the answer."""

    def __init__(self, run: Check, report: Report, wanted: Wanted, *, most: int) -> None:
        """Find the answer that follows from the graph; ``most`` changes are measured at most.

        :raises UsageError: nothing in the file has that name.
        """
        self._started = time.perf_counter()
        self._run = run
        known = scene.of(run, report)
        self._answer = answer.find(known, wanted)
        found = changed.changes(known, self._answer)
        self._variants = Variants(wanted.name, report.sizes, found, most=most)
        self._untried = _LOCK if known.asked is None else _limit(most)

    @property
    def count(self) -> int:
        """How many changed files are to be measured."""
        return self._variants.count

    def measure(self) -> Iterator[int]:
        """Resolve and size each changed file, yielding how many are done."""
        yield from self._variants.measure(self._run.sizes_with)

    @property
    def why(self) -> Why:
        """The answer, with what ``measure`` has found so far."""
        report = self._answer.report
        took = time.perf_counter() - self._started
        return replace(
            self._answer,
            remedies=self._variants.remedies(self._untried),
            report=replace(report, seconds=report.seconds + took),
        )


def _limit(most: int) -> str:
    return f"not tried, beyond --variants {most}" if most else "not tried (--variants 0)"
