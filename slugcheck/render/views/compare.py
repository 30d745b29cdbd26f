"""What ``slugcheck compare`` shows: candidates side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from slugcheck.model import Comparison, Migration, Setup, SetupRow, SharedRow, Status, StepKind
from slugcheck.render import wording
from slugcheck.render.view import (
    ABSENT,
    Block,
    Cell,
    Column,
    Item,
    Items,
    Kind,
    Listing,
    Paragraph,
    Row,
    Section,
    Span,
    Style,
    Table,
    Verdict,
    View,
    line,
)
from slugcheck.render.views.check import signed
from slugcheck.text import HEROKU_M, MEGABYTES, heroku_m, listed, mb, mib, plural

T = TypeVar("T")

_LEAST_SHARE = 0.02  # of a stack: what is less folds into one line
_MOST_ROWS = 10
_ROOMY = 100
_WORDS = {
    Status.PASS: "fits", Status.FAIL: "too large", Status.UNKNOWN: "unknown",
    Status.WARN: "fits",
}  # fmt: skip
_STYLES = {
    Status.PASS: Style.GOOD, Status.FAIL: Style.BAD, Status.UNKNOWN: Style.DOUBT,
    Status.WARN: Style.WARNING,
}  # fmt: skip
_LEGEND = "sizes with bytecode, predicted unless verified · MB = 10^6 bytes · M = MiB"
_ROW_STYLES = {"dim": Style.DIM, "bold": Style.STRONG}


def view(found: Comparison, *, all_rows: bool = False) -> View:
    """Return what to show of a comparison; ``all_rows`` shows every distribution."""
    return View(tuple(_sections(found, all_rows=all_rows)))


def _sections(found: Comparison, *, all_rows: bool) -> Iterator[Section]:
    taken = found.recommendation
    outcome = Verdict(
        status=Status.PASS if taken.label else Status.UNKNOWN,
        word=f"take {taken.label}" if taken.label else "no recommendation",
        sentence="",
    )
    lines = line(heading(found), Style.STRONG), *(line(text) for text in targets(found))
    yield Section(blocks=(outcome, Paragraph(lines)), rank=0)
    for setup in found.stacks:
        yield _breakdown(found, setup, all_rows=all_rows)
    yield _comparison(found)
    yield _differences(found, all_rows=all_rows)
    yield _summary(found)
    if found.footprints:
        yield _footprints(found)
    yield from map(_migration, found.migrations)
    notes = tuple(Item(text=line(note)) for note in found.notes)
    legend = Paragraph((line(_LEGEND, Style.DIM),))
    blocks: tuple[Block, ...] = (Items(notes), legend) if notes else (legend,)
    title = line("notes") if notes else ()
    yield Section(heading=title, blocks=blocks, rank=8, quiet=True)
    reasons = tuple(Item(text=line(reason)) for reason in taken.because)
    if reasons:
        yield Section(heading=line("reasons"), blocks=(Items(reasons),), rank=1)


def _figures(heads: Sequence[str], first: str) -> tuple[Column, ...]:
    return (Column(head=first), *(Column(head=head, kind=Kind.FIGURE) for head in heads))


def _breakdown(found: Comparison, setup: Setup, *, all_rows: bool) -> Section:
    rows = []
    for row in breakdown(found, setup, everything=all_rows):
        version = line(f" {row.version}" if row.version else "", Style.DIM)
        name = (Span(row.name, code=bool(row.version)), *version)
        style = _ROW_STYLES.get(row.style, Style.PLAIN)
        rows.append(Row(cells=(name, line(row.installed), line(row.slug)), style=style))
    table = Table(columns=_figures(("installed", packed(found)), "distribution"), rows=tuple(rows))
    title = line(f"sizes of {setup.label}, MB")
    return Section(heading=title, blocks=(table,), rank=5)


def _comparison(found: Comparison) -> Section:
    heads = comparison_heads(found)
    # what a narrow screen has no place for is in the size summary below
    columns = tuple(
        Column(
            head=head,
            kind=Kind.STATE if number == 3 else Kind.FIGURE if number else Kind.TEXT,
            wide_only=_ROOMY if number == 5 else 0,
        )
        for number, head in enumerate(heads)
    )
    rows = []
    for setup, row in zip(found.stacks, comparison_rows(found), strict=True):
        cells = [line(cell) for cell in row]
        cells[3] = line(row[3], _STYLES[setup.status])
        rows.append(Row(cells=tuple(cells)))
    sentences = Items(
        tuple(
            Item(mark=setup.status, text=line(f"{setup.label}: {setup.sentence}"))
            for setup in found.stacks
        )
    )
    table = Table(columns=columns, rows=tuple(rows))
    return Section(heading=line("comparison"), blocks=(table, sentences), rank=2)


def _differences(found: Comparison, *, all_rows: bool) -> Section:
    columns = Column(head="name"), *(Column(head=setup.label) for setup in found.stacks)
    rows = []
    for row in difference_rows(found, everything=all_rows):
        cells: list[Cell] = [ABSENT if cell is None else line(cell) for cell in row.cells]
        style = Style.DIM if row.alike else Style.PLAIN
        rows.append(Row(cells=(line(row.name, code=not row.alike), *cells), style=style))
    title = line(f"distributions, {packed(found)}")
    return Section(heading=title, blocks=(Table(columns=columns, rows=tuple(rows)),), rank=6)


def _summary(found: Comparison) -> Section:
    heads = ("dependencies", "models", "total", "saves", "")
    rows = tuple(Row(cells=tuple(map(line, row))) for row in summary_rows(found))
    table = Table(columns=_figures(heads, "setup"), rows=rows)
    return Section(heading=line(f"size summary, MB of {packed(found)}"), blocks=(table,), rank=3)


def _footprints(found: Comparison) -> Section:
    heads = footprint_heads(found)
    rows = tuple(
        Row(cells=tuple(line(cell) or ABSENT for cell in row)) for row in footprint_rows(found)
    )
    table = Table(columns=_figures(heads[1:], heads[0]), rows=rows)
    return Section(heading=line("worker, MiB"), blocks=(table,), rank=4)


def _migration(migration: Migration) -> Section:
    block: Block = Listing("\n".join(diff_lines(migration)), "diff")
    if migration.steps is None:
        text = "a lock file has no lines of requirements to compare"
        block = Paragraph((line(text, Style.DIM),))
    elif not migration.steps:
        block = Paragraph((line("the requirements are the same", Style.DIM),))
    return Section(heading=line(migration_title(migration)), blocks=(block,), rank=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """One line of a breakdown."""

    name: str
    version: str
    installed: str
    slug: str
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A distribution's version and size in each stack; None where it is not."""

    name: str
    cells: tuple[str | None, ...]
    alike: bool = False


def packed(found: Comparison) -> str:
    """Return what the second column of sizes is called."""
    return wording.packed(counts_slug=found.counts_slug)


def heading(found: Comparison) -> str:
    """Return what is compared."""
    return " against ".join(setup.label for setup in found.stacks)


def targets(found: Comparison) -> Iterator[str]:
    """Yield each stack with its file and its target; once for those that have the same."""
    alike = len({setup.target for setup in found.stacks}) == 1
    for setup in found.stacks:
        target = "" if alike else f" → {setup.target}"
        path = f"{setup.path}, " if setup.path != setup.label else ""
        count = plural(setup.distributions, "distribution")
        yield f"{setup.label}: {path}{count}{target}"
    if alike:
        yield f"→ {found.stacks[0].target}"


# --------------------------------------------------------------------------- sizes


def breakdown(found: Comparison, setup: Setup, *, everything: bool) -> Iterator[SizeRow]:
    """Yield a stack's distributions and parts, small ones in one line, and its total."""
    whole = setup.counted.value or 1
    own = [row for row in setup.rows if row.version]
    least = 0 if everything else _LEAST_SHARE * whole
    shown = [row for row in own if _counted(found, row.slug_bytes, row.installed_bytes) >= least]
    shown = shown if everything else shown[:_MOST_ROWS]
    rest = own[len(shown) :]
    if len(rest) == 1:
        shown, rest = own, []
    yield from (_size_row(row) for row in shown)
    if rest:
        yield SizeRow(
            name=f"… {len(rest)} more", version="",
            installed=mb(sum(row.installed_bytes for row in rest)),
            slug=mb(sum(row.slug_bytes for row in rest)), style="dim",
        )  # fmt: skip
    yield from (_size_row(row, "cyan") for row in setup.rows if not row.version)
    yield SizeRow(
        name="total", version="", installed=mb(setup.installed_bytes), slug=mb(setup.slug.value),
        style="bold",
    )  # fmt: skip


def footprint_heads(found: Comparison) -> tuple[str, ...]:
    """Return the heads of the table of sizes and footprints."""
    whole = _counted(found, "slug", "installed, MB")
    return "setup", whole, "peak RSS", "anonymous", "import, s", "cold, s", "CPU ms", "p50 ms"


def footprint_rows(found: Comparison) -> Iterator[tuple[str, ...]]:
    """Yield size and footprint of each stack; a dagger marks a latency that is noisy."""
    for setup, one in zip(found.stacks, found.footprints, strict=False):
        size = _counted(found, heroku_m(setup.slug.value), mb(setup.installed_bytes))
        if one is None:
            yield setup.label, size, *("not measured", "", "", "", "", "")
            continue
        cold = "" if one.cold_start_seconds is None else f"{one.cold_start_seconds:.2f}"
        yield (
            setup.label, size,
            "" if one.rss_bytes is None else mib(one.rss_bytes),
            "" if one.anon_bytes is None else mib(one.anon_bytes),
            f"{one.import_seconds:.2f}", cold, f"{one.cpu_ms:.1f}",
            f"{one.p50_ms:.1f}{' †' if one.noisy else ''}",
        )  # fmt: skip


def _counted(found: Comparison, slug: T, installed: T) -> T:
    """Return of two sizes the one that the platform limits."""
    return slug if found.counts_slug else installed


def _size_row(row: SetupRow, style: str = "") -> SizeRow:
    return SizeRow(
        name=row.name, version=row.version, installed=_plain(row.installed_bytes),
        slug=_plain(row.slug_bytes), style=style,
    )  # fmt: skip


def _plain(value: int) -> str:
    return mb(value) if value >= 0 else signed(value)


def comparison_heads(found: Comparison) -> tuple[str, ...]:
    """Return the heads of the comparison's columns."""
    limit = f" of {found.limit_text}" if found.limit_text else ""
    return (
        "setup",
        "installed, MB",
        f"{packed(found)}{limit}",
        "status",
        "room left",
        "saves, MB",
        "saves",
    )


def comparison_rows(found: Comparison) -> tuple[tuple[str, ...], ...]:
    """Return a row a stack, beside ``comparison_heads``."""
    return tuple(_comparison_row(found, setup) for setup in found.stacks)


def _comparison_row(found: Comparison, setup: Setup) -> tuple[str, ...]:
    doubt = wording.percent(setup.slug)
    room = setup.room_bytes
    slug = heroku_m(setup.slug.value)
    return (
        setup.label,
        mb(setup.installed_bytes),
        f"{slug} {doubt}".strip(),
        _WORDS[setup.status],
        "" if room is None else _room(room, found.counts_slug),
        _saved(setup, found),
        _percent(setup, found),
    )


def _room(room: int, in_m: bool) -> str:
    scale = HEROKU_M if in_m else MEGABYTES
    return f"{scale.up(-room)} over" if room < 0 else scale.down(room)


def _saved(setup: Setup, found: Comparison) -> str:
    if setup is found.stacks[0]:
        return ""
    saved = _counted(found, setup.saved_slug_bytes, setup.saved_installed_bytes)
    return mb(saved) if saved >= 0 else f"-{mb(-saved)}"


def _percent(setup: Setup, found: Comparison) -> str:
    if setup is found.stacks[0] or setup.saved_percent is None:
        return ""
    return f"{setup.saved_percent:.1f} %"


# --------------------------------------------------------------------------- distributions


def difference_rows(found: Comparison, *, everything: bool) -> Iterator[VersionRow]:
    """Yield what only some have, then versions that differ, then what all have alike."""
    partial = [row for row in found.shared if not row.everywhere]
    differing = [row for row in found.shared if row.everywhere and not row.alike]
    alike = [row for row in found.shared if row.alike]
    for rows, what in ((partial, "that only some have"), (differing, "in other versions")):
        yield from _versions(found, rows, what, everything=everything)
    if everything:
        yield from (_version_row(found, row) for row in alike)
    elif alike:
        names = listed([row.name for row in alike], 4)
        same = tuple("same" for _ in found.stacks)
        yield VersionRow(name=f"alike: {names}", cells=same, alike=True)


def _versions(
    found: Comparison, rows: Sequence[SharedRow], what: str, *, everything: bool
) -> Iterator[VersionRow]:
    shown = rows if everything or len(rows) <= _MOST_ROWS + 1 else rows[:_MOST_ROWS]
    yield from (_version_row(found, row) for row in shown)
    rest = rows[len(shown) :]
    if rest:
        sums = []
        for column in range(len(found.stacks)):
            sizes = [_sizes(found, row)[column] for row in rest]
            known = [size for size in sizes if size is not None]
            sums.append(f"{len(known)} ({mb(sum(known))} MB)" if known else None)
        yield VersionRow(name=f"{len(rest)} more {what}", cells=tuple(sums))


def _sizes(found: Comparison, row: SharedRow) -> tuple[int | None, ...]:
    return _counted(found, row.slug_bytes, row.installed_bytes)


def _version_row(found: Comparison, row: SharedRow) -> VersionRow:
    cells = tuple(
        None if version is None else f"{version} ({mb(size or 0)} MB)"
        for version, size in zip(row.versions, _sizes(found, row), strict=True)
    )
    return VersionRow(name=row.name, cells=cells, alike=row.alike)


# --------------------------------------------------------------------------- summary


def summary_rows(found: Comparison) -> Iterator[tuple[str, ...]]:
    """Yield a row a stack: dependencies, models, total, and what it saves against the first."""
    for setup in found.stacks:
        dependencies = _counted(found, setup.dependencies_slug_bytes, setup.dependencies_bytes)
        models = _counted(found, setup.model_slug_bytes, setup.model_bytes)
        yield (
            setup.label,
            mb(dependencies),
            mb(models) if setup.model_files else "none",
            mb(setup.counted.value),
            _saved(setup, found),
            _percent(setup, found),
        )


# --------------------------------------------------------------------------- migration


def migration_title(migration: Migration) -> str:
    """Return what the steps lead to."""
    return f"from {migration.from_label} to {migration.to_label}, in the requirements"


def diff_lines(migration: Migration) -> Iterator[str]:
    """Yield the steps as lines of a diff."""
    for step in migration.steps or ():
        if step.kind is not StepKind.ADD:
            yield from (f"- {line}" for line in step.before.split("\n"))
        if step.kind is not StepKind.REMOVE:
            yield from (f"+ {line}" for line in step.after.split("\n"))
