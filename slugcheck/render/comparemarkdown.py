"""Stacks side by side as GitHub Markdown: the recommendation first, long lists folded."""

from __future__ import annotations

from collections.abc import Iterator

from slugcheck.model import Comparison, Migration, Setup
from slugcheck.render import comparewords as said
from slugcheck.render.bounded import MOST_CHARACTERS, bounded, clipped
from slugcheck.render.marktable import MARKS, NONE, advice, table
from slugcheck.text import Inert, code, fenced, markdown


def render(comparison: Comparison) -> Inert:
    """Return the comparison as Markdown, bounded for a comment."""
    return bounded(lambda limits: _blocks(clipped(comparison, limits.text)), MOST_CHARACTERS)


def _blocks(found: Comparison) -> Iterator[str]:
    yield f"## {markdown(said.heading(found))}"
    taken = found.recommendation
    yield advice(taken.label, taken.because, otherwise="No recommendation")
    yield "<br>\n".join(markdown(line) for line in said.targets(found))
    yield "### Comparison"
    yield _comparison(found)
    yield "\n".join(
        f"- {_mark(s)} {markdown(s.label)}: {markdown(s.sentence)}" for s in found.stacks
    )
    yield f"### Size summary, MB of {said.packed(found)}"
    heads = ("setup", *(f"{head}:" for head in said.SUMMARY_HEADS))
    yield table(heads, [[markdown(cell) for cell in row] for row in said.summary_rows(found)])
    if found.footprints:
        yield "### Sizes, and a worker's memory (MiB) and times"
        over = tuple(f"{h}:" if n else h for n, h in enumerate(said.footprint_heads(found)))
        rows = [[markdown(cell) or NONE for cell in row] for row in said.footprint_rows(found)]
        yield table(over, rows)
    for setup in found.stacks:
        yield from _breakdown(found, setup)
    yield f"### Distributions, {said.packed(found)}"
    yield _differences(found)
    for migration in found.migrations:
        yield from _migration(migration)
    if found.notes:
        yield "### Notes"
        yield "\n".join(f"- {markdown(note)}" for note in found.notes)
    yield f"{'; '.join(markdown(word) for word in said.LEGEND)}."


def _mark(setup: Setup) -> str:
    return MARKS[setup.status]


def _comparison(found: Comparison) -> str:
    heads = said.comparison_heads(found)
    shown = [heads[0], *(f"{markdown(head)}:" for head in heads[1:])]
    rows = [
        [
            f"{_mark(setup)} {markdown(cell)}" if n == 3 else markdown(cell)
            for n, cell in enumerate(row)
        ]
        for setup, row in zip(found.stacks, said.comparison_rows(found), strict=True)
    ]
    return table(shown, rows)


def _breakdown(found: Comparison, setup: Setup) -> Iterator[str]:
    yield f"### {markdown(setup.label)}"
    rows = []
    for row in said.breakdown(found, setup, everything=False):
        name = (
            f"{code(row.name)} {markdown(row.version)}"
            if row.version
            else f"*{markdown(row.name)}*"
        )
        cells = (name, row.installed, row.slug)
        rows.append(tuple(f"**{cell}**" for cell in cells) if row.style == "bold" else cells)
    yield table(("MB (10^6 bytes)", "installed:", f"{said.packed(found)}:"), rows)


def _differences(found: Comparison) -> str:
    heads = ("", *(markdown(setup.label) for setup in found.stacks))
    rows = [
        (
            markdown(row.name) if row.alike else code(row.name),
            *(NONE if cell is None else markdown(cell) for cell in row.cells),
        )
        for row in said.difference_rows(found, everything=False)
    ]
    return table(heads, rows)


def _migration(migration: Migration) -> Iterator[str]:
    title = said.migration_title(migration)
    yield f"### {markdown(title[0].upper() + title[1:])}"
    if migration.steps is None:
        yield "A lock file has no lines of requirements to compare."
    elif not migration.steps:
        yield "No line is different."
    else:
        yield fenced("\n".join(said.diff_lines(migration)), "diff")
