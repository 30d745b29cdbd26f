"""Changed files resolved and sized side by side. What does not work out is a value with its reason.

Deleting a line can change the whole resolution: a pin that others were held by is gone, too. So
what a change saves is measured, by the same machinery that measured the file as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace

from packaging.utils import canonicalize_name

from slugcheck import compare
from slugcheck.errors import NetworkError, ResolutionError, SlugcheckError
from slugcheck.model import (
    Change,
    ChangeKind,
    DistributionSize,
    Estimate,
    MeasuredSaving,
    Remedy,
    RequirementSet,
    SizeReport,
    UnmeasuredSaving,
)
from slugcheck.why.changed import Changed

# Resolving is the work of one processor; more at once only wait for each other.
_AT_ONCE = min(4, os.cpu_count() or 1)

Measure = Callable[[RequirementSet], SizeReport]


class Variants:
    """The changes of one question; ``measure`` yields how many are done."""

    def __init__(
        self, name: str, before: SizeReport, changes: Sequence[Changed], *, most: int
    ) -> None:
        """Choose the first ``most`` of the changes; nothing is measured yet."""
        self._name = name
        self._before = before
        self._changes = tuple(changes)
        can = [number for number, one in enumerate(changes) if one.requirements is not None]
        self._tried = tuple(can[: max(most, 0)])
        self._outcomes: dict[int, MeasuredSaving | UnmeasuredSaving] = {}

    @property
    def count(self) -> int:
        """How many are to be measured."""
        return len(self._tried)

    def measure(self, measure: Measure) -> Iterator[int]:
        """Measure each, yielding how many are done."""
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            running: dict[Future[SizeReport], int] = {}
            for number in self._tried:
                wanted = self._changes[number].requirements
                assert wanted is not None  # noqa: S101 - chosen for having some
                running[pool.submit(measure, wanted)] = number
            for done, future in enumerate(as_completed(running), 1):
                self._outcomes[running[future]] = self._outcome(future)
                yield done
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _outcome(self, future: Future[SizeReport]) -> MeasuredSaving | UnmeasuredSaving:
        try:
            return saving(self._name, self._before, future.result())
        except SlugcheckError as error:
            return UnmeasuredSaving(reason=_because(error), tried=True)

    def remedies(self, untried: str) -> tuple[Remedy, ...]:
        """Return every change with its outcome; ``untried`` is the reason of those left out."""
        return tuple(
            replace(one.remedy(untried), outcome=self._outcomes[number])
            if number in self._outcomes
            else one.remedy(untried)
            for number, one in enumerate(self._changes)
        )


def _because(error: SlugcheckError) -> str:
    if isinstance(error, ResolutionError):
        return f"does not resolve: {error}"
    kind = "the network" if isinstance(error, NetworkError) else "not measured"
    return f"{kind}: {error}"


def saving(name: str, before: SizeReport, after: SizeReport) -> MeasuredSaving | UnmeasuredSaving:
    """Return what ``after`` saves against ``before``, seen from one distribution.

    Where something has no size that had one, or was not there, there is no honest figure.
    """
    known = {canonicalize_name(one.name) for one in before.unsized}
    lost = [one for one in after.unsized if canonicalize_name(one.name) not in known]
    if lost:
        reason = f"{lost[0].name} could not be sized then: {lost[0].reason}"
        return UnmeasuredSaving(reason=reason, tried=True)
    left = {canonicalize_name(one.name) for one in after.unsized}
    then = {one.name: one for one in before.distributions}
    now = {one.name: one for one in after.distributions}
    touched = [
        one for key in {*then, *now} if _version(then.get(key)) != _version(now.get(key))
        for one in (then.get(key), now.get(key)) if one is not None
    ]  # fmt: skip
    return MeasuredSaving(
        installed_bytes=before.installed.value - after.installed.value,
        slug_bytes=before.slug.value - after.slug.value,
        installed_doubt_bytes=sum(_half(one.installed) for one in touched),
        slug_doubt_bytes=sum(_half(one.slug) for one in touched),
        installed=after.installed,
        slug=after.slug,
        changes=_changes(then, now),
        left=_version(now.get(name)) or ("" if name in left else None),
        unsized_gone=tuple(sorted(known - left)),
    )


def _changes(
    then: dict[str, DistributionSize], now: dict[str, DistributionSize]
) -> tuple[Change, ...]:
    names = [key for key in {*then, *now} if _version(then.get(key)) != _version(now.get(key))]
    found = [_change(key, then.get(key), now.get(key)) for key in names]
    return tuple(sorted(found, key=lambda one: (-abs(one.slug_bytes), one.name)))


def _change(name: str, then: DistributionSize | None, now: DistributionSize | None) -> Change:
    one = now or then
    assert one is not None  # noqa: S101 - a name comes from one of the two
    was, slug_was = (then.installed_bytes, then.slug.value) if then else (0, 0)
    grown, slug_grown = (now.installed_bytes, now.slug.value) if now else (0, 0)
    return Change(
        name=name,
        kind=_kind(_version(then), _version(now)),
        before=_version(then),
        after=_version(now),
        installed_bytes=grown - was,
        slug_bytes=slug_grown - slug_was,
        percent=100 * (slug_grown - slug_was) / slug_was if slug_was else None,
        because=(*(("direct",) if one.distribution.direct else ()), *one.required_by),
    )


def _kind(before: str | None, after: str | None) -> ChangeKind:
    if before is None:
        return ChangeKind.ADDED
    if after is None:
        return ChangeKind.REMOVED
    return ChangeKind.UPGRADED if compare.is_newer(after, before) else ChangeKind.DOWNGRADED


def _version(one: DistributionSize | None) -> str | None:
    return one.distribution.version if one is not None else None


def _half(figure: Estimate[int]) -> int:
    return -(-(figure.high - figure.low) // 2)
