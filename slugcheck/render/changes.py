"""What all renderings say alike of a report's difference to its base, and of ignored findings.

Nothing here is escaped: each rendering makes text safe for its own place.
"""

from __future__ import annotations

from dataclasses import dataclass

from slugcheck.model import Change, ChangeKind, Difference, Ignored, SizeReport
from slugcheck.render import figures
from slugcheck.render.words import plural
from slugcheck.text import mb

_MOST = 12
_SIGNS = {
    ChangeKind.ADDED: "+",
    ChangeKind.REMOVED: "-",
    ChangeKind.UPGRADED: "^",
    ChangeKind.DOWNGRADED: "v",
    ChangeKind.SAME_VERSION: "~",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: what changed, from which version to which, MB that it adds, and why it is there."""

    sign: str
    kind: str
    name: str
    versions: str
    installed: str
    slug: str
    percent: str
    because: tuple[str, ...]


def rows(found: Difference, *, most: int = _MOST) -> tuple[Row, ...]:
    """Return the changes, the largest first; beyond ``most`` the rest in one, parts at the end."""
    changes = found.changes
    shown = changes if len(changes) <= most + 1 else changes[:most]
    rest = changes[len(shown) :]
    lines = [_row(change) for change in shown]
    if rest:
        lines.append(_rest(rest))
    lines += [
        Row(
            sign="~", kind="changed", name=part.name, versions="",
            installed=signed(part.installed_bytes), slug=signed(part.slug_bytes), percent="",
            because=(),
        )
        for part in found.parts
    ]  # fmt: skip
    return tuple(lines)


def _row(change: Change) -> Row:
    return Row(
        sign=_SIGNS[change.kind],
        kind=str(change.kind).replace("-", " "),
        name=change.name,
        versions=_versions(change),
        installed=signed(change.installed_bytes),
        slug=signed(change.slug_bytes),
        percent="" if change.percent is None else f"{change.percent:+.1f} %",
        because=change.because,
    )


def _rest(rest: tuple[Change, ...]) -> Row:
    return Row(
        sign="~", kind="", name=f"{len(rest)} more", versions="",
        installed=signed(sum(change.installed_bytes for change in rest)),
        slug=signed(sum(change.slug_bytes for change in rest)), percent="", because=(),
    )  # fmt: skip


def _versions(change: Change) -> str:
    if change.before == change.after:
        return change.after or ""
    return " → ".join(version for version in (change.before, change.after) if version)


def signed(value: int) -> str:
    """Return MB that are added or taken away; what is added is rounded up, what goes is not."""
    if value > 0:
        return f"+{mb(value)}"
    shown = mb(-value, down=True)
    return shown if float(shown.replace(",", "")) == 0 else f"-{shown}"


def head(found: Difference) -> str:
    """Return what the table is about."""
    return f"against {found.label}"


def total(found: Difference, sizes: SizeReport) -> Row:
    """Return the last line: the whole change, and the new total."""
    by_slug = figures.counts_slug(sizes)
    before = 0
    if found.base is not None:
        before = found.base.slug_bytes if by_slug else found.base.installed_bytes
    grown = found.slug_bytes if by_slug else found.installed_bytes
    now = figures.counted(sizes).value
    return Row(
        sign="", kind="", name="total", versions="",
        installed=signed(found.installed_bytes), slug=signed(found.slug_bytes),
        percent=f"{100 * grown / before:+.1f} %" if before else "",
        because=(f"{'slug' if by_slug else 'installed'} {mb(before)} → {mb(now)} MB",),
    )  # fmt: skip


def summary(found: Difference) -> str:
    """Return the change in a sentence: "2 added, 1 upgraded: slug +12.3 MB"."""
    counts = {
        kind: sum(1 for change in found.changes if change.kind is kind) for kind in ChangeKind
    }
    said = [f"{count} {str(kind).replace('-', ' ')}" for kind, count in counts.items() if count]
    if found.parts:
        said.append(f"{plural(len(found.parts), 'other part')} changed")
    return f"{', '.join(said) or 'nothing changed'}: slug {signed(found.slug_bytes)} MB"


def ignored(one: Ignored) -> str:
    """Return what is ignored, why and until when."""
    until = f", until {one.expires}" if one.expires else ""
    return f"ignored: {one.finding.code} of {one.finding.subject} ({one.reason}{until})"
