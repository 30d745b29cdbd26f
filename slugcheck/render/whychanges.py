"""What the renderings of ``slugcheck why`` say alike of the changes that were tried.

Nothing here is escaped: each rendering makes text safe for its own place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slugcheck.model import MeasuredSaving, Remedy, RemedyKind, UnmeasuredSaving, Verdict, Why
from slugcheck.render import figures
from slugcheck.render.whywords import by_slug, is_untried
from slugcheck.render.words import listed, plural
from slugcheck.text import heroku_m, mb

_NAMED = 3
_LONGEST = 200  # characters of the reason of a failure
_NOTABLE_BYTES = 50_000  # below, a change of the resolution prints as nothing
_SIGNS = {
    RemedyKind.REMOVE: "-",
    RemedyKind.REMOVE_ALL: "-",
    RemedyKind.NEWEST: "^",
    RemedyKind.NEWEST_ALL: "^",
    RemedyKind.TWIN: "~",
}
SIGNS = ("- without the line", "^ its newest version that fits", "~ the same without a GUI or GPU")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyRow:
    """One change of the file. ``then`` is the size that counts afterwards, ``fits`` its verdict.

    ``failed`` says why there are no figures, ``notes`` what else is to know.
    """

    sign: str
    change: str
    installed: str
    slug: str
    then: str
    fits: bool | None
    fate: str
    notes: tuple[str, ...]
    failed: str = ""


def limit(why: Why) -> Verdict | None:
    """Return the verdict on the size that gates, which the changes are held against."""
    figure = why.report.sizes.target.platform.size_figure
    found = (v for v in why.report.verdicts if v.gates and v.budget == figure)
    return next(found, None)


def then_head(why: Why) -> str:
    """Return the head of the column of what is there afterwards."""
    verdict = limit(why)
    return f"then of {verdict.limit_text}" if verdict else "then"


def now(why: Why) -> str:
    """Return the size that counts as it is, beside which the others stand."""
    return _total(why, figures.counted(why.report.sizes).value)


def _total(why: Why, value: int) -> str:
    return heroku_m(value) if by_slug(why) else f"{mb(value)} MB"


def remedy_rows(why: Why) -> tuple[RemedyRow, ...]:
    """Return the changes that do something or failed, those first that save most.

    A line that is deleted, but needed by others, comes back in its newest version: the same change
    is not told twice. What was not tried has no row, unless the graph tells something of it.
    """
    told = [_versions(one) for one in why.remedies if one.kind is RemedyKind.REMOVE]
    kept = [
        one
        for one in why.remedies
        if not is_idle(one)
        and not (one.kind is RemedyKind.NEWEST and _versions(one) in told)
        and not (is_untried(one) and one.graph is None)
    ]
    return tuple(_remedy_row(one, why) for one in sorted(kept, key=lambda one: _rank(one, why)))


def _versions(one: Remedy) -> object:
    """Return what a change does to versions; what was not measured is like nothing else."""
    if not isinstance(one.outcome, MeasuredSaving):
        return one
    return [(change.name, change.after) for change in one.outcome.changes]


def is_idle(one: Remedy) -> bool:
    """Whether a newer version was looked for and there is none that fits."""
    found = one.outcome
    same = isinstance(found, MeasuredSaving) and not found.changes and not found.unsized_gone
    return one.kind in (RemedyKind.NEWEST, RemedyKind.NEWEST_ALL) and same


def idle(why: Why) -> str:
    """Return for which lines there is no newer version, in words."""
    names = dict.fromkeys(name for one in why.remedies if is_idle(one) for name in one.roots)
    return f"no newer version fits: {listed(tuple(names), 8)}" if names else ""


def _rank(one: Remedy, why: Why) -> tuple[int, int, str]:
    found = one.outcome
    if isinstance(found, MeasuredSaving):
        return 0, -(found.slug_bytes if by_slug(why) else found.installed_bytes), one.roots[0]
    if one.graph is not None and not found.tried:
        freed = one.graph.slug_bytes if by_slug(why) else one.graph.installed_bytes
        return 1, -freed, one.roots[0]
    return 2, int(not found.tried), one.roots[0]


def _remedy_row(one: Remedy, why: Why) -> RemedyRow:
    found = one.outcome
    if isinstance(found, MeasuredSaving):
        return _measured_row(one, found, why)
    by_graph = one.graph if not found.tried else None
    return RemedyRow(
        sign=_SIGNS[one.kind],
        change=_change(one, None),
        installed=saved(by_graph.installed_bytes) if by_graph else "",
        slug=saved(by_graph.slug_bytes) if by_graph else "",
        then="",
        fits=None,
        fate=("goes" if why.name in by_graph.names else "stays") if by_graph else "",
        notes=_graph_notes(one, why) if by_graph else (),
        failed=_shortened(found.reason) if found.tried else "",
    )


def _shortened(reason: str) -> str:
    """Return a reason that fits a screen: a resolver's proof can be a page long."""
    if len(reason) <= _LONGEST:
        return reason
    return f"{reason[:_LONGEST].rpartition(' ')[0]} … (all of it with --format json)"


def _measured_row(one: Remedy, found: MeasuredSaving, why: Why) -> RemedyRow:
    counted = found.slug if by_slug(why) else found.installed
    verdict = limit(why)
    return RemedyRow(
        sign=_SIGNS[one.kind],
        change=_change(one, found),
        installed=saved(found.installed_bytes),
        slug=saved(found.slug_bytes),
        then=_total(why, counted.value),
        fits=counted.high <= verdict.limit if verdict else None,
        fate=_fate(found, why),
        notes=tuple(_notes(one, found, why)),
    )


def saved(value: int) -> str:
    """Return MB that are saved, rounded down; what is added instead has a plus, rounded up."""
    if value >= 0:
        return mb(value, down=True)
    return f"+{mb(-value)}" if value <= -_NOTABLE_BYTES else "0.0"


def _change(one: Remedy, found: MeasuredSaving | None) -> str:
    if one.kind is RemedyKind.REMOVE_ALL:
        return f"{_all(one)} lines: {listed(one.roots, _NAMED)}"
    if one.kind is RemedyKind.NEWEST_ALL:
        return f"{_all(one)} → newest: {listed(one.roots, _NAMED)}"
    before = " and ".join(dict.fromkeys(line.text for line in one.before)) or one.roots[0]
    if one.kind is RemedyKind.REMOVE:
        return before
    return f"{before} → {_after(one, found)}"


def _all(one: Remedy) -> str:
    return "both" if len(one.roots) == 2 else f"all {len(one.roots)}"


def _after(one: Remedy, found: MeasuredSaving | None) -> str:
    if one.kind is not RemedyKind.NEWEST:
        return " and ".join(line.text for line in one.after)
    changes = found.changes if found else ()
    return next((c.after for c in changes if c.name in one.roots and c.after), "newest")


def _fate(found: MeasuredSaving, why: Why) -> str:
    if found.left is None:
        return "goes"
    here = why.size.distribution.version if why.size else None
    return "stays" if not found.left or found.left == here else f"then {found.left}"


def _graph_notes(one: Remedy, why: Why) -> tuple[str, ...]:
    assert one.graph is not None  # noqa: S101 - the caller looked
    others = _others(one.graph.names, one, why)
    return (f"also gone: {listed(others, _NAMED)}",) if others else ()


def _others(names: Sequence[str], one: Remedy, why: Why) -> list[str]:
    return [name for name in names if name != why.name and name not in one.roots]


def _notes(one: Remedy, found: MeasuredSaving, why: Why) -> Iterator[str]:
    """Yield what else changes: what goes, what is new, and what gets another version."""
    told = {why.name, *(() if one.kind is RemedyKind.TWIN else one.roots)}
    others = [change for change in found.changes if change.name not in told]
    if gone := [change.name for change in others if change.after is None]:
        yield f"also gone: {listed(gone, _NAMED)}"
    if new := [f"{change.name} {change.after}" for change in others if change.before is None]:
        yield f"new: {listed(new, _NAMED)}"
    moved = [f"{c.name} {c.before} → {c.after}" for c in others if c.before and c.after]
    if moved:
        yield f"changes, too: {listed(moved, _NAMED)}"
    if one.kind is RemedyKind.REMOVE and one.roots[0] != why.name:
        yield from _left(one.roots[0], found)
    if found.unsized_gone:
        yield f"and {listed(found.unsized_gone)}, whose size is not known"


def _left(root: str, found: MeasuredSaving) -> Iterator[str]:
    """Say that others keep a distribution whose line is deleted, and in which version."""
    change = next((change for change in found.changes if change.name == root), None)
    if change is None and root not in found.unsized_gone:
        yield f"others need {root} as it is"
    elif change is not None and change.after is not None:
        yield f"others need {root}, and take {change.after}"


def untried(why: Why) -> str:
    """Return which changes were not measured, and why; "" where all were."""
    found = [one.outcome for one in why.remedies]
    left = [one for one in found if isinstance(one, UnmeasuredSaving) and not one.tried]
    if not left:
        return ""
    if len(left) == len(found):
        return left[0].reason
    names = [_short(one) for one in why.remedies if is_untried(one)]
    return f"{left[0].reason}: {listed(names, 6)}"


def _short(one: Remedy) -> str:
    names = _all(one) if len(one.roots) > 1 else one.roots[0]
    if one.kind in (RemedyKind.REMOVE, RemedyKind.REMOVE_ALL):
        return f"without {names}"
    return f"the twin of {names}" if one.kind is RemedyKind.TWIN else f"the newest {names}"


# --------------------------------------------------------------------------- the conclusion


def conclusion(why: Why) -> str:
    """Return the answer in one sentence."""
    if why.size is None:
        return ""
    others = [root for root in why.roots if root.name != why.name]
    own = len(others) < len(why.roots)
    if not why.roots:
        return f"nothing in the file needs {why.name}"
    if own and not others:
        return f"{why.name} is there for its own line alone"
    rest = listed([root.name for root in others], _NAMED)
    if own:
        need = "needs" if len(others) == 1 else "need"
        return f"{why.name} has a line of its own, and {rest} {need} it as well"
    if len(others) == 1:
        return f"{why.name} is there for {rest} alone{_newer_without(why)}"
    return f"{plural(len(others), 'line')} need {why.name}: {rest}{_goes_with(why)}"


def _newer_without(why: Why) -> str:
    """Say which newer version of the one root does without the distribution, if one does."""
    for one, found in _freeing(why):
        new = next((c for c in found.changes if c.name in one.roots and c.after), None)
        if new is not None:
            return f", and {new.name} {new.after} does without it"
    return ""


def _goes_with(why: Why) -> str:
    """Say which change of less than all lines takes it away and saves something."""
    for one, found in _freeing(why):
        saves = found.slug_bytes if by_slug(why) else found.installed_bytes
        if one.kind is not RemedyKind.REMOVE_ALL and saves > 0:
            return f"; it goes {_done(one, found)}"
    return f"; it goes when {'both' if len(why.roots) == 2 else 'all of them'} go"


def _done(one: Remedy, found: MeasuredSaving) -> str:
    if one.kind is RemedyKind.REMOVE:
        return f"without {one.roots[0]}"
    if one.kind is RemedyKind.NEWEST_ALL:
        return f"with the newest of {_all(one)}"
    return f"with {_change(one, found)}"


def _freeing(why: Why) -> Iterator[tuple[Remedy, MeasuredSaving]]:
    for one in why.remedies:
        if isinstance(one.outcome, MeasuredSaving) and one.outcome.left is None:
            yield one, one.outcome
