"""The words that all renderings share, so that they say the same thing of the same report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slugcheck.model import (
    DistributionSize,
    Kind,
    Report,
    SizeReport,
    Status,
    Verdict,
)
from slugcheck.units import heroku_m, mb

_SHOWN_ROWS = 12
_SHOWN_SHARE = 0.95
_NAMED_PARENTS = 3
_BLAMED = 3
_BLAMED_SHARE = 0.05
_TELLING_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """The rows shown, and the rest as one line."""

    shown: tuple[DistributionSize, ...]
    rest: tuple[DistributionSize, ...]


def fold(sizes: SizeReport, *, everything: bool) -> Fold:
    """Return the largest distributions by slug bytes, and those that one line stands for."""
    rows = sorted(sizes.distributions, key=lambda d: (-d.slug.value, d.name))
    if everything or len(rows) <= _SHOWN_ROWS + 1:
        return Fold(shown=tuple(rows), rest=())
    enough = _SHOWN_SHARE * sum(row.slug.value for row in rows)
    total, count = 0, 0
    while count < _SHOWN_ROWS and total < enough:
        total += rows[count].slug.value
        count += 1
    count = max(count, min(5, len(rows)))
    return Fold(shown=tuple(rows[:count]), rest=tuple(rows[count:]))


def because(one: DistributionSize) -> str:
    """Return why a distribution is there: ``direct``, or who needs it."""
    names = list(one.required_by)
    more = len(names) - _NAMED_PARENTS
    named = names[:_NAMED_PARENTS] + ([f"+{more}"] if more > 0 else [])
    return ", ".join((["direct"] if one.distribution.direct else []) + named)


def label(one: DistributionSize) -> str:
    """Return name, extras and version."""
    extras = one.distribution.extras
    wanted = f"[{','.join(extras)}]" if extras else ""
    return f"{one.name}{wanted} {one.distribution.version}"


def target_line(report: Report) -> str:
    """Return the target in one line."""
    target = report.sizes.target
    default = f" ({target.python_origin})" if target.python_origin != "--python" else ""
    return (
        f"{target.platform.title} {target.stack.name} · Python {target.minor}{default} · "
        f"linux {target.stack.arch}"
    )


def run_line(report: Report) -> str:
    """Return what was found and what finding it took."""
    sizes = report.sizes
    direct = sum(1 for d in sizes.distributions if d.distribution.direct)
    count = len(sizes.distributions)
    traffic = sizes.transfer
    read = f"{traffic.bytes / 1e6:.1f} MB read" if traffic.requests else "all from the cache"
    return f"{plural(count, 'distribution')}, {direct} direct · {report.seconds:.1f} s, {read}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def kinds_line(sizes: SizeReport) -> str:
    """Return the share of each kind of file in the installed bytes."""
    totals = {kind: sum(d.by_kind.get(kind, 0) for d in sizes.distributions) for kind in Kind}
    whole = sum(totals.values()) or 1
    shares = sorted(totals.items(), key=lambda item: -item[1])
    return ", ".join(
        f"{kind} {100 * size / whole:.0f} %" for kind, size in shares if size >= whole / 200
    )


def blamed(sizes: SizeReport) -> tuple[str, tuple[tuple[str, int, float], ...]]:
    """Return the direct requirements behind most of the slug as (name, bytes, share), and how.

    What a requirement alone pulls in says most, since removing its line frees that much. Where
    requirements share nearly everything, what each reaches says more.
    """
    whole = sizes.slug.value or 1
    alone = [(root.name, root.exclusive_slug_bytes) for root in sizes.roots]
    reach = [(r.name, r.exclusive_slug_bytes + r.shared_slug_bytes) for r in sizes.roots]
    for how, found in (
        ("the slug that each alone pulls in", alone),
        ("the slug with all that each needs, much of it shared", reach),
    ):
        ranked = sorted(found, key=lambda item: (-item[1], item[0]))[:_BLAMED]
        shown = tuple(
            (n, size, size / whole) for n, size in ranked if size >= _BLAMED_SHARE * whole
        )
        if sum(share for _, _, share in shown) >= _TELLING_SHARE:
            return how, shown
    return "", ()


def gate(report: Report) -> Verdict | None:
    """Return the verdict that the conclusion is about: the first failing or the size budget."""
    gating = [v for v in report.verdicts if v.gates]
    for status in (Status.FAIL, Status.UNKNOWN):
        for verdict in gating:
            if verdict.status is status:
                return verdict
    return gating[0] if gating else None


def conclusion(report: Report) -> tuple[Status, str]:
    """Return the whole report in one line, and what it amounts to."""
    verdict = gate(report)
    place = report.sizes.target.platform.title
    doubtful = [u.name for u in report.sizes.unsized if u.name not in report.allowed_unsized]
    if verdict is not None and verdict.status is Status.FAIL:
        return Status.FAIL, f"DOES NOT FIT {place}: {verdict.budget} {verdict.sentence}"
    if doubtful:
        names = ", ".join(doubtful[:3]) + (f" and {len(doubtful) - 3} more" if doubtful[3:] else "")
        return Status.UNKNOWN, f"CANNOT SAY: could not size {names}"
    if verdict is not None and verdict.status is Status.UNKNOWN:
        return Status.UNKNOWN, f"CANNOT SAY: {verdict.budget} {verdict.sentence}"
    if verdict is None:
        return Status.PASS, f"no budget on {place}"
    return Status.PASS, f"FITS {place}: {verdict.budget} {verdict.sentence}"


def saving(installed: int | None, slug: int | None) -> str:
    """Return what a change saves, in words; rounded down, as it is in the user's favour."""
    if installed is None:
        return ""
    text = f"{mb(installed, down=True)} MB installed"
    return f"{text}, {heroku_m(slug, down=True)} of slug" if slug else text


def total_of(rows: Sequence[DistributionSize]) -> tuple[int, int, int]:
    """Return download, installed and slug bytes of some rows together."""
    return (
        sum(row.download_bytes or 0 for row in rows),
        sum(row.installed_bytes for row in rows),
        sum(row.slug.value for row in rows),
    )
