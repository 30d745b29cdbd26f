"""Tries edits of a project: applied in memory, resolved, sized and judged by the same limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from slugcheck.advice.edits import Edit
from slugcheck.errors import NetworkError, SlugcheckError
from slugcheck.model import AfterFix, Inventory, SizeReport, Status, Verdict

# Resolving keeps one processor busy; more at once only wait for each other.
AT_ONCE = 2
# Of one run: findings beyond that are shown with a fix that was not tried.
MOST_TRIALS = 12
MOST_SECONDS = 15.0  # after which no further trial begins; one takes 0.3 to 4 s
# The worst first.
_WORST = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS)


class Outcome(StrEnum):
    """What came of trying an edit."""

    MEASURED = "measured"
    NO_SOLUTION = "no solution"  # it does not resolve, or the build would refuse it
    NOT_MEASURED = "not measured"  # an index cannot be reached, or there were too many to try


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The sizes of a changed project, and the inventories they come from, by name."""

    sizes: SizeReport
    inventories: Mapping[str, Inventory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An edit that was tried. ``measured`` and ``after`` are None unless it was measured.

    ``problem`` says why it was not; "" if it was.
    """

    edit: Edit
    outcome: Outcome
    measured: Measured | None = None
    after: AfterFix | None = None
    problem: str = ""


class Trials:
    """The edits that one run tries. Thread-safe."""

    def __init__(
        self,
        measure: Callable[[Edit], Measured],
        judge: Callable[[SizeReport], Sequence[Verdict]],
        *,
        offline: bool = False,
        most: int = MOST_TRIALS,
        refused: str = "",
    ) -> None:
        """Take how a changed project is measured and how its sizes are judged.

        ``refused`` says why nothing is tried, if so: no change of other lines makes pip take a file
        that conflicts.
        """
        self._measure = measure
        self._judge = judge
        self._offline = offline
        self._left = most
        self._refused = refused
        self._until: float | None = None
        self._lock = threading.Lock()

    def run(self, edit: Edit) -> Trial:
        """Return what an edit leads to."""
        if problem := self._refused or self._used_up():
            return Trial(edit=edit, outcome=Outcome.NOT_MEASURED, problem=problem)
        try:
            measured = self._measured(edit)
        except NetworkError as error:
            return Trial(edit=edit, outcome=Outcome.NOT_MEASURED, problem=str(error))
        except SlugcheckError as error:
            # without the network, what is missing may only be missing in the cache
            outcome = Outcome.NOT_MEASURED if self._offline else Outcome.NO_SOLUTION
            return Trial(edit=edit, outcome=outcome, problem=str(error))
        sizes = measured.sizes
        after = AfterFix(bundle=sizes.bundle, status=worst(self._judge(sizes)))
        return Trial(edit=edit, outcome=Outcome.MEASURED, measured=measured, after=after)

    def _measured(self, edit: Edit) -> Measured:
        """Measure it, once more where an index that answered a moment ago gave no answer.

        Else the fix that is shown would depend on which connection stalled.
        """
        try:
            return self._measure(edit)
        except NetworkError:
            late = self._until is not None and time.monotonic() > self._until
            if edit.index_url is not None or self._offline or late:
                raise
        return self._measure(edit)

    def _used_up(self) -> str:
        """Return why no more is tried, "" if it may be, and count one trial."""
        with self._lock:
            self._until = self._until or time.monotonic() + MOST_SECONDS
            self._left -= 1
            late = time.monotonic() > self._until
        return "too many fixes to try" if self._left < 0 or late else ""


def worst(verdicts: Sequence[Verdict]) -> Status:
    """Return the worst status of the gating budgets on sizes."""
    gating = [v.status for v in verdicts if v.gates and v.unit == "bytes"]
    return min(gating, key=_WORST.index, default=Status.PASS)
