"""Saved reports held against each other: a report against its base, and stacks side by side.

Works on documents only (saved.py), so that a report of yesterday and one of this minute are read
alike. Every figure is one that ``check`` printed; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.version import InvalidVersion

from slugcheck import syntax
from slugcheck.model import BaseTotals, Change, ChangeKind, Difference, PartChange
from slugcheck.saved import Document, SavedDistribution, SavedUnsized

_ASPECTS = (("platform", "title"), ("stack", "stack"), ("Python", "python_full"))


def difference(head: Document, base: Document, *, label: str) -> Difference:
    """Return what ``head`` has that ``base`` has not, and the other way round.

    ``label`` names the base. The doubt of the sums is that of what changed alone: what is alike on
    both sides is equally wrong on both, and cancels out.
    """
    changes = tuple(_changes(head, base))
    own, then = head.totals, base.totals
    doubts = _doubts(head, base, changes)
    return Difference(
        label=label,
        base=BaseTotals(
            distributions=then.distributions,
            installed_bytes=then.all_installed_bytes,
            slug_bytes=then.slug_bytes,
        ),
        changes=changes,
        parts=tuple(_parts(head, base)),
        installed_bytes=own.all_installed_bytes - then.all_installed_bytes,
        slug_bytes=own.slug_bytes - then.slug_bytes,
        installed_doubt_bytes=doubts[0],
        slug_doubt_bytes=doubts[1],
        notes=tuple(_notes(head, base, label)),
    )


# --------------------------------------------------------------------------- distributions


def _changes(head: Document, base: Document) -> Iterator[Change]:
    now = {one.name: one for one in head.distributions}
    then = {one.name: one for one in base.distributions}
    by_slug = head.target.size_figure == "slug"
    found = [
        _change(now.get(name), then.get(name), by_slug=by_slug)
        for name in {**now, **then}
        if not _alike(now.get(name), then.get(name))
    ]

    def rank(change: Change) -> tuple[int, str]:
        return -abs(change.slug_bytes if by_slug else change.installed_bytes), change.name

    yield from sorted(found, key=rank)


def _alike(one: SavedDistribution | None, other: SavedDistribution | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.version, one.installed_bytes, one.slug_bytes) == (
        other.version, other.installed_bytes, other.slug_bytes,
    )  # fmt: skip


def _change(
    now: SavedDistribution | None, then: SavedDistribution | None, *, by_slug: bool
) -> Change:
    one = now or then
    assert one is not None  # noqa: S101 - a name comes from one of the two
    before = (then.slug_bytes if by_slug else then.installed_bytes) if then else 0
    installed = (now.installed_bytes if now else 0) - (then.installed_bytes if then else 0)
    slug = (now.slug_bytes if now else 0) - (then.slug_bytes if then else 0)
    return Change(
        name=one.name,
        kind=_kind(now, then),
        before=then.version if then else None,
        after=now.version if now else None,
        installed_bytes=installed,
        slug_bytes=slug,
        percent=100 * (slug if by_slug else installed) / before if before else None,
        because=reasons(one),
    )


def reasons(one: SavedDistribution) -> tuple[str, ...]:
    """Return why a distribution is there: ``direct``, and the names that need it."""
    return (*(("direct",) if one.direct else ()), *one.required_by)


def _kind(now: SavedDistribution | None, then: SavedDistribution | None) -> ChangeKind:
    if then is None:
        return ChangeKind.ADDED
    if now is None:
        return ChangeKind.REMOVED
    if now.version == then.version:
        return ChangeKind.SAME_VERSION
    return ChangeKind.UPGRADED if is_newer(now.version, then.version) else ChangeKind.DOWNGRADED


def is_newer(version: str, other: str) -> bool:
    """Return whether a version comes after another; one that is no version comes first."""
    try:
        own = syntax.version(version)
    except InvalidVersion:
        return False
    try:
        return own > syntax.version(other)
    except InvalidVersion:
        return True


# --------------------------------------------------------------------------- the rest


def _parts(head: Document, base: Document) -> Iterator[PartChange]:
    own, then = head.totals, base.totals
    for name, installed, slug in (
        ("runtime", own.runtime_bytes - then.runtime_bytes,
         own.runtime_slug_bytes - then.runtime_slug_bytes),
        ("app files", own.app_bytes - then.app_bytes, own.app_slug_bytes - then.app_slug_bytes),
        ("models", own.model_bytes - then.model_bytes,
         own.model_slug_bytes - then.model_slug_bytes),
    ):  # fmt: skip
        if installed or slug:
            yield PartChange(name=name, installed_bytes=installed, slug_bytes=slug)


def _doubts(head: Document, base: Document, changes: Iterable[Change]) -> tuple[int, int]:
    """Return half the width of the intervals of the two differences: installed, slug."""
    own, then = head.totals, base.totals
    if own.basis != then.basis:  # one measured, one predicted: nothing cancels out
        return (
            _half(own.all_installed_low_bytes, own.all_installed_high_bytes)
            + _half(then.all_installed_low_bytes, then.all_installed_high_bytes),
            _half(own.slug_low_bytes, own.slug_high_bytes)
            + _half(then.slug_low_bytes, then.slug_high_bytes),
        )
    names = {change.name for change in changes}
    touched = [d for one in (head, base) for d in one.distributions if d.name in names]
    return (
        sum(_half(d.installed_low_bytes, d.installed_high_bytes) for d in touched),
        sum(_half(d.slug_low_bytes, d.slug_high_bytes) for d in touched),
    )


def _half(low: int, high: int) -> int:
    return -(-(high - low) // 2)


def _notes(head: Document, base: Document, label: str) -> Iterator[str]:
    for what, field in _ASPECTS:
        own, then = getattr(head.target, field), getattr(base.target, field)
        if own != then:
            yield f"{label} is for {what} {then}, this for {own}: sizes differ for that alone"
    if head.tool.version != base.tool.version:
        made = f"{label} was made by slugcheck {base.tool.version}"
        yield f"{made}, this by {head.tool.version}: predictions may differ for that alone"
    if head.totals.basis != base.totals.basis:
        yield f"{label} is {base.totals.basis}, this {head.totals.basis}: they may differ for that"
    for where, unsized in ((label, base.unsized), ("this", head.unsized)):
        if unsized:
            yield f"not counted in {where}, since it has no size: {_pins(unsized)}"


def _pins(unsized: Sequence[SavedUnsized]) -> str:
    names = [f"{one.name} {one.version}" if one.version else one.name for one in unsized]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"


def by_name(document: Document) -> Mapping[str, SavedDistribution]:
    """Return a document's distributions by their names."""
    return {one.name: one for one in document.distributions}
