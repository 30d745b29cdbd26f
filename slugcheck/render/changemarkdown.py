"""The Markdown blocks about what changed against a base."""

from __future__ import annotations

from collections.abc import Iterator

from slugcheck.model import Report
from slugcheck.render import changes, figures
from slugcheck.render.marktable import NONE, table
from slugcheck.text import code, markdown

_ROWS = 20
_REASONS = 3


def blocks(report: Report, most_rows: int | None) -> Iterator[str]:
    """Yield the blocks; none where the report has no base."""
    found = report.difference
    if found is None:
        return
    if found.base is None:
        yield f"### Against {code(found.label)}\n\n❔ {markdown(found.problem or '')}"
        return
    yield f"### Against {code(found.label)}: {markdown(changes.summary(found))}"
    rows = changes.rows(found, most=min(most_rows or _ROWS, _ROWS))
    if rows:
        slug = "slug" if figures.counts_slug(report.sizes) else "gzipped"
        heads = ("", "MB (10^6 bytes)", "installed:", f"{slug}:", ":", "because of")
        yield table(heads, [_row(row) for row in (*rows, changes.total(found, report.sizes))])
    if found.notes:
        yield "\n".join(f"- {markdown(note)}" for note in found.notes)


def _row(row: changes.Row) -> tuple[str, ...]:
    plain = not row.kind
    name = f"**{markdown(row.name)}**" if plain else f"{code(row.name)} {markdown(row.versions)}"
    more = len(row.because) - _REASONS
    reasons = ", ".join(markdown(one) for one in row.because[:_REASONS])
    return (
        markdown(row.kind),
        name.strip(),
        row.installed,
        row.slug,
        row.percent or NONE,
        f"{reasons}, +{more}" if more > 0 else reasons,
    )
