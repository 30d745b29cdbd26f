"""Stacks held side by side, from their documents: what each comes to and which to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from slugcheck.compare import by_name
from slugcheck.model import (
    Basis,
    Comparison,
    Estimate,
    Migration,
    Recommendation,
    Savings,
    Setup,
    SetupRow,
    SharedRow,
    Status,
    Step,
    StepKind,
)
from slugcheck.saved import Document, SavedRequirement, SavedVerdict
from slugcheck.units import heroku_m, mb

_PARTS = (
    ("Python and package manager", "runtime_bytes", "runtime_slug_bytes"),
    ("app files", "app_bytes", "app_slug_bytes"),
)
_NAMED = 3


def compare(documents: Sequence[Document]) -> Comparison:
    """Return the comparison of two documents or more; the first is the one held against.

    Labels are those of the documents and must differ.
    """
    first = documents[0]
    stacks = tuple(_stack(one, first) for one in documents)
    limit = _size_verdict(first)
    return Comparison(
        title=first.target.title,
        size_figure=first.target.size_figure,
        limit_text=limit.limit_text if limit else "",
        stacks=stacks,
        shared=tuple(_shared(documents)),
        migrations=tuple(_migration(first, other) for other in documents[1:]),
        savings=_savings(stacks),
        recommendation=recommend(stacks, by_slug=_by_slug(first)),
        notes=tuple(_notes(documents)),
        tool_version=first.tool.version,
    )


# --------------------------------------------------------------------------- one stack


def _stack(one: Document, first: Document) -> Setup:
    totals, size = one.totals, _size_verdict(one)
    counted, reference = _counted(one), _counted(first)
    saved = reference.value - counted.value
    return Setup(
        label=one.label,
        path=one.subject.path,
        target=_target(one),
        distributions=totals.distributions,
        dependencies_bytes=totals.installed_bytes,
        dependencies_slug_bytes=totals.dependencies_slug_bytes,
        model_files=len(one.models),
        model_bytes=totals.model_bytes,
        model_slug_bytes=totals.model_slug_bytes,
        installed_bytes=totals.all_installed_bytes,
        slug=_slug(one),
        counted=counted,
        rows=tuple(_rows(one)),
        status=_status(one),
        sentence=size.sentence if size else "no limit is set",
        room_bytes=size.limit - counted.value if size else None,
        unsized=tuple(_unsized(one)),
        saved_installed_bytes=first.totals.all_installed_bytes - totals.all_installed_bytes,
        saved_slug_bytes=first.totals.slug_bytes - totals.slug_bytes,
        saved_percent=100 * saved / reference.value if reference.value else None,
    )


def _target(one: Document) -> str:
    target = one.target
    return f"{target.title} · {target.stack} · Python {target.python_full}"


def _by_slug(one: Document) -> bool:
    return one.target.size_figure == "slug"


def _slug(one: Document) -> Estimate[int]:
    totals = one.totals
    return Estimate(
        value=totals.slug_bytes,
        low=totals.slug_low_bytes,
        high=totals.slug_high_bytes,
        basis=Basis.PREDICTED,
    )


def _counted(one: Document) -> Estimate[int]:
    if _by_slug(one):
        return _slug(one)
    totals = one.totals
    return Estimate(
        value=totals.all_installed_bytes,
        low=totals.all_installed_low_bytes,
        high=totals.all_installed_high_bytes,
        basis=Basis.PREDICTED,
    )


def _size_verdict(one: Document) -> SavedVerdict | None:
    name = one.target.size_figure
    return next((v for v in one.verdicts if v.budget == name and v.gates), None)


def _status(one: Document) -> Status:
    gating = {verdict.status for verdict in one.verdicts if verdict.gates}
    if Status.FAIL in gating:
        return Status.FAIL
    if Status.UNKNOWN in gating or any(_unsized(one)):
        return Status.UNKNOWN
    return Status.PASS


def _unsized(one: Document) -> Iterator[str]:
    yield from (unsized.name for unsized in one.unsized if not unsized.allowed)


def _rows(one: Document) -> Iterator[SetupRow]:
    by_slug = _by_slug(one)
    ordered = sorted(
        one.distributions,
        key=lambda d: (-(d.slug_bytes if by_slug else d.installed_bytes), d.name),
    )
    for d in ordered:
        yield SetupRow(
            name=d.name, version=d.version, installed_bytes=d.installed_bytes,
            slug_bytes=d.slug_bytes,
        )  # fmt: skip
    twice = one.totals.installed_bytes - sum(d.installed_bytes for d in one.distributions)
    packed = one.totals.dependencies_slug_bytes - sum(d.slug_bytes for d in one.distributions)
    if twice or packed:
        yield SetupRow(
            name="written twice, counted once", version="", installed_bytes=twice,
            slug_bytes=packed,
        )  # fmt: skip
    for name, installed, slug in _PARTS:
        if getattr(one.totals, installed) or getattr(one.totals, slug):
            yield SetupRow(
                name=name, version="", installed_bytes=getattr(one.totals, installed),
                slug_bytes=getattr(one.totals, slug),
            )  # fmt: skip
    if one.models:
        yield SetupRow(
            name=f"models ({len(one.models)})", version="",
            installed_bytes=one.totals.model_bytes, slug_bytes=one.totals.model_slug_bytes,
        )  # fmt: skip


# --------------------------------------------------------------------------- between stacks


def _shared(documents: Sequence[Document]) -> Iterator[SharedRow]:
    tables = [by_name(one) for one in documents]
    by_slug = _by_slug(documents[0])
    rows = []
    for name in dict.fromkeys(name for table in tables for name in table):
        found = [table.get(name) for table in tables]
        rows.append(
            SharedRow(
                name=name,
                versions=tuple(one.version if one else None for one in found),
                installed_bytes=tuple(one.installed_bytes if one else None for one in found),
                slug_bytes=tuple(one.slug_bytes if one else None for one in found),
            )
        )

    def rank(row: SharedRow) -> tuple[int, str]:
        sizes = row.slug_bytes if by_slug else row.installed_bytes
        return -max(size or 0 for size in sizes), row.name

    yield from sorted(rows, key=rank)


def _migration(first: Document, other: Document) -> Migration:
    if not first.requirements or not other.requirements:
        return Migration(from_label=first.label, to_label=other.label, steps=None)
    then, now = _lines(first.requirements), _lines(other.requirements)
    steps = [
        Step(kind=StepKind.REMOVE, before=text, after="")
        for name, text in then.items()
        if name not in now
    ]
    steps += [
        Step(kind=StepKind.CHANGE, before=then[name], after=text)
        for name, text in now.items()
        if name in then and then[name] != text
    ]
    steps += [
        Step(kind=StepKind.ADD, before="", after=text)
        for name, text in now.items()
        if name not in then
    ]
    return Migration(from_label=first.label, to_label=other.label, steps=tuple(steps))


def _lines(requirements: Sequence[SavedRequirement]) -> Mapping[str, str]:
    """Return the lines by name; one name may stand in several lines, by marker."""
    found: dict[str, str] = {}
    for one in requirements:
        name = one.name or one.text
        found[name] = f"{found[name]}\n{one.text}" if name in found else one.text
    return found


def _savings(stacks: Sequence[Setup]) -> Savings | None:
    largest = max(stacks, key=lambda one: one.counted.value)
    smallest = min(stacks, key=lambda one: one.counted.value)
    if largest is smallest:
        return None
    saved = largest.counted.value - smallest.counted.value
    return Savings(
        from_label=largest.label,
        to_label=smallest.label,
        installed_bytes=largest.installed_bytes - smallest.installed_bytes,
        slug_bytes=largest.slug.value - smallest.slug.value,
        percent=100 * saved / largest.counted.value,
    )


def _notes(documents: Sequence[Document]) -> Iterator[str]:
    first = documents[0]
    for one in documents[1:]:
        if _target(one) != _target(first):
            yield f"{one.label} is for {_target(one)}, {first.label} for {_target(first)}"
        if one.totals.basis != first.totals.basis:
            yield f"{one.label} is {one.totals.basis}, {first.label} {first.totals.basis}"
        if one.tool.version != first.tool.version:
            yield f"{one.label} was made by slugcheck {one.tool.version}"
    for one in documents:
        names = [unsized.name for unsized in one.unsized]
        if names:
            yield f"{one.label} is without what could not be sized: {_some(names)}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return f"{', '.join(names[:_NAMED])}{f' and {more} more' if more > 0 else ''}"


# --------------------------------------------------------------------------- which to take


def recommend(stacks: Sequence[Setup], *, by_slug: bool) -> Recommendation:
    """Return the stack that fits and is smallest, and the numbers that say so."""
    reasons = [_fits(one, by_slug=by_slug) for one in stacks]
    doubtful = [one for one in stacks if one.status is Status.UNKNOWN]
    fitting = [one for one in stacks if one.status is Status.PASS]
    ordered = sorted(fitting, key=lambda one: one.counted.value)
    if not fitting:
        if doubtful:
            names = _some([one.label for one in doubtful])
            return _none(reasons, f"whether {names} fits could not be told")
        smallest = min(stacks, key=lambda one: one.counted.value)
        over = _size(-(smallest.room_bytes or 0), by_slug=by_slug)
        return _none(reasons, f"none fits; {smallest.label} is nearest, {over} too large")
    best = ordered[0]
    smaller = [one for one in doubtful if one.counted.low <= best.counted.high]
    if smaller:
        names = _some([one.label for one in smaller])
        return _none(reasons, f"{names} may be smaller than {best.label}, but could not be judged")
    if len(ordered) > 1 and ordered[1].counted.low <= best.counted.high:
        other = ordered[1].label
        reasons.append(f"{best.label} and {other} are alike within what the prediction can tell")
        return Recommendation(label=None, because=tuple(reasons))
    largest = max(stacks, key=lambda one: one.counted.value)
    if largest is not best:
        saved = largest.counted.value - best.counted.value
        share = 100 * saved / largest.counted.value
        size = _size(saved, by_slug=by_slug, down=True)
        reasons.append(f"{best.label} is {size} ({share:.1f} %) smaller than {largest.label}")
    return Recommendation(label=best.label, because=tuple(reasons))


def _none(reasons: list[str], why: str) -> Recommendation:
    return Recommendation(label=None, because=(*reasons, why))


def _fits(one: Setup, *, by_slug: bool) -> str:
    if one.status is Status.UNKNOWN:
        return f"{one.label} cannot be judged: {one.sentence}"
    if one.room_bytes is None:
        return f"{one.label} comes to {_size(one.counted.value, by_slug=by_slug)}"
    if one.status is Status.FAIL and one.room_bytes >= 0:
        return f"{one.label} is within the size limit, but not within another budget"
    if one.status is Status.FAIL:
        return f"{one.label} does not fit: {_size(-one.room_bytes, by_slug=by_slug)} too large"
    return f"{one.label} fits with {_size(one.room_bytes, by_slug=by_slug, down=True)} to spare"


def _size(value: int, *, by_slug: bool, down: bool = False) -> str:
    return heroku_m(value, down=down) if by_slug else f"{mb(value, down=down)} MB"
