"""What ``slugcheck compare`` shows: candidates side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slugcheck.model import BundleKind, Status, breakdown
from slugcheck.model.comparison import Comparison, Migration, Setup, SetupRow, SharedRow, StepKind
from slugcheck.render import wording
from slugcheck.render.view import (
    ABSENT,
    Block,
    Cell,
    Column,
    Item,
    Items,
    Kind,
    Line,
    Listing,
    Names,
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
from slugcheck.text import HEROKU_M, MEGABYTES, Scale, listed, mb, mib, plural, scale_for

_LEAST_SHARE = 0.02  # of a candidate: what is less folds into one line
_MOST_ROWS = 10
_WIDE, _ROOMY = 74, 100  # from which width on some columns are shown
_HEADS = 50  # characters of all labels, where they are the heads of columns
_FIGURE = Kind.FIGURE
_WORDS = {
    Status.PASS: "fits", Status.FAIL: "too large", Status.UNKNOWN: "unknown",
    Status.WARN: "fits",
}  # fmt: skip
_STYLES = {
    Status.PASS: Style.GOOD, Status.FAIL: Style.BAD, Status.UNKNOWN: Style.DOUBT,
    Status.WARN: Style.WARNING,
}  # fmt: skip
_LEGEND = "sizes with bytecode, predicted unless verified · MB = 10^6 bytes · M = MiB"


def view(comparison: Comparison, *, all_rows: bool = False) -> View:
    """Return what to show of a comparison; ``all_rows`` shows every distribution."""
    return View(tuple(_sections(comparison, all_rows=all_rows)))


def _sections(comparison: Comparison, *, all_rows: bool) -> Iterator[Section]:
    yield _head(comparison)
    for setup in comparison.stacks:
        yield _breakdown(comparison, setup, all_rows=all_rows)
    yield _comparison(comparison)
    yield _differences(comparison, all_rows=all_rows)
    yield _summary(comparison)
    if comparison.footprints:
        yield _footprints(comparison)
    yield from map(_migration, comparison.migrations)
    notes = tuple(Item(text=line(note)) for note in comparison.notes)
    legend = Paragraph((line(_LEGEND, Style.DIM),))
    blocks: tuple[Block, ...] = (Items(notes), legend) if notes else (legend,)
    title = line("notes") if notes else ()
    yield Section(heading=title, blocks=blocks, rank=8, quiet=True)
    reasons = tuple(Item(text=line(reason)) for reason in comparison.recommendation.because)
    if reasons:
        yield Section(heading=line("reasons"), blocks=(Items(reasons),), rank=1)


def _head(comparison: Comparison) -> Section:
    taken = comparison.recommendation
    outcome = Verdict(
        status=Status.PASS if taken.label else Status.UNKNOWN,
        word=f"take {taken.label}" if taken.label else "no recommendation",
        sentence="",
    )
    heading = " against ".join(setup.label for setup in comparison.stacks)
    lines = line(heading, Style.STRONG), *map(line, _targets(comparison))
    return Section(blocks=(outcome, Paragraph(lines)), rank=0)


def _targets(comparison: Comparison) -> Iterator[str]:
    """Yield each candidate with its file and target; the target once if all have the same."""
    alike = len({setup.target for setup in comparison.stacks}) == 1
    for setup in comparison.stacks:
        target = "" if alike else f" → {setup.target}"
        path = f"{setup.path}, " if setup.path != setup.label else ""
        count = plural(setup.distributions, "distribution")
        yield f"{setup.label}: {path}{count}{target}"
    if alike:
        yield f"→ {comparison.stacks[0].target}"


def _name(setup: Setup, comparison: Comparison) -> Names:
    return Names((setup.label,), Style.STRONG, short=_short(setup.label, comparison))


def _short(label: str, comparison: Comparison) -> str:
    """Return a label without the words that all candidates' labels begin with."""
    starts = (label[:end] for end, sign in enumerate(label, 1) if sign in "/_- ")
    alike = [
        len(start)
        for start in starts
        if all(setup.label.startswith(start) for setup in comparison.stacks)
    ]
    return f"…{label[alike[-1] :]}" if alike and label[alike[-1] :] else label


# --------------------------------------------------------------------------- sizes


def _breakdown(comparison: Comparison, setup: Setup, *, all_rows: bool) -> Section:
    columns = (
        Column(head="distribution"),
        Column(head="installed", kind=_FIGURE),
        Column(head=wording.second(comparison.bundle_kind), kind=_FIGURE),
    )
    table = Table(columns=columns, rows=tuple(_size_rows(comparison, setup, everything=all_rows)))
    return Section(heading=line(f"sizes of {setup.label}, MB"), blocks=(table,), rank=5)


def _size_rows(comparison: Comparison, setup: Setup, *, everything: bool) -> Iterator[Row]:
    """Yield a candidate's distributions and parts, small ones in one line, and its total."""
    whole = setup.bundle.value or 1
    own = [row for row in setup.rows if row.version]
    least = 0 if everything else _LEAST_SHARE * whole
    shown = [row for row in own if row.bundle_bytes >= least]
    shown = shown if everything else shown[:_MOST_ROWS]
    rest = own[len(shown) :]
    if len(rest) == 1:
        shown, rest = own, []
    yield from (_size_row(comparison, row) for row in shown)
    if rest:
        installed = mb(sum(row.installed_bytes for row in rest))
        others = mb(sum(_second(comparison, row) for row in rest))
        cells = line(f"… {len(rest)} more"), line(installed), line(others)
        yield Row(cells=cells, style=Style.DIM)
    yield from (_size_row(comparison, row) for row in setup.rows if not row.version)
    kind = comparison.bundle_kind
    second = breakdown.second(kind, slug=setup.slug.value, bundle=setup.bundle.value)
    total = line("total"), line(mb(setup.installed_bytes)), line(mb(second))
    yield Row(cells=total, style=Style.STRONG)


def _second(comparison: Comparison, row: SetupRow) -> int:
    kind = comparison.bundle_kind
    return breakdown.second(kind, slug=row.slug_bytes, bundle=row.bundle_bytes)


def _size_row(comparison: Comparison, row: SetupRow) -> Row:
    version = line(f" {row.version}" if row.version else "", Style.DIM)
    name = Span(row.name, code=bool(row.version)), *version
    figures = line(_plain(row.installed_bytes)), line(_plain(_second(comparison, row)))
    return Row(cells=(name, *figures))


def _plain(value: int) -> str:
    return mb(value) if value >= 0 else signed(value)


# --------------------------------------------------------------------------- comparison


def _comparison(comparison: Comparison) -> Section:
    limit = f" of {comparison.limit_text}" if comparison.limit_text else ""
    # what a narrow screen has no place for is in the tables around it, and in the sentences
    installed = Column(head="installed, MB", kind=_FIGURE, wide_only=_ROOMY)
    columns = (
        Column(head="candidate", kind=Kind.NAMES),
        *((installed,) if _shows_installed(comparison) else ()),
        Column(head=f"{comparison.size_figure}{limit}", kind=_FIGURE),
        Column(head="status", kind=Kind.STATE),
        Column(head="room left", kind=_FIGURE, wide_only=_WIDE),
        *((Column(head="RAM floor", kind=_FIGURE),) if _shows_ram(comparison) else ()),
        Column(head="saves, MB", kind=_FIGURE, wide_only=_ROOMY),
        Column(head="saves", kind=_FIGURE),
    )
    rows = tuple(_comparison_row(comparison, setup) for setup in comparison.stacks)
    sentences = tuple(
        Item(mark=setup.status, text=line(f"{setup.label}: {setup.sentence}"))
        for setup in comparison.stacks
    )
    blocks = Table(columns=columns, rows=rows), Items(sentences)
    return Section(heading=line("comparison"), blocks=blocks, rank=2)


def _shows_installed(comparison: Comparison) -> bool:
    """Whether the installed size says more than the bundle does."""
    return not comparison.bundle_kind.is_all_installed


def _comparison_row(comparison: Comparison, setup: Setup) -> Row:
    counted = _scale(setup, comparison).up(setup.bundle.value)
    return Row(
        cells=(
            _name(setup, comparison),
            *((line(mb(setup.installed_bytes)),) if _shows_installed(comparison) else ()),
            line(f"{counted} {wording.percent(setup.bundle)}".strip()),
            line(_WORDS[setup.status], _STYLES[setup.status]),
            _room(setup, comparison),
            *((_ram(setup),) if _shows_ram(comparison) else ()),
            *_saved(setup, comparison),
        )
    )


def _shows_ram(comparison: Comparison) -> bool:
    return any(setup.worker is not None for setup in comparison.stacks)


def _ram(setup: Setup) -> Cell:
    """Return what one worker of a candidate has in memory after its imports."""
    return ABSENT if setup.worker is None else line(HEROKU_M.up(setup.worker.value))


def _room(setup: Setup, comparison: Comparison) -> Line:
    if setup.room_bytes is None:
        return ()
    scale = _scale(setup, comparison)
    over = setup.room_bytes < 0
    return line(f"{scale.up(-setup.room_bytes)} over" if over else scale.down(setup.room_bytes))


def _scale(setup: Setup, comparison: Comparison) -> Scale:
    """Return the unit of a candidate's size, which is that of its verdict."""
    if setup.room_bytes is None or comparison.bundle_kind is BundleKind.GZIP_TAR:
        return unit(comparison)
    return scale_for(setup.bundle.value, setup.bundle.value + setup.room_bytes)


def unit(comparison: Comparison) -> Scale:
    """Return the unit of a size that has no limit to be compared with."""
    return HEROKU_M if comparison.bundle_kind is BundleKind.GZIP_TAR else MEGABYTES


def _saved(setup: Setup, comparison: Comparison) -> tuple[Line, Line]:
    """Return what a candidate saves against the first: MB and percent."""
    if setup is comparison.stacks[0]:
        return (), ()
    saved = setup.saved_bundle_bytes
    percent = "" if setup.saved_percent is None else f"{setup.saved_percent:.1f} %"
    return line(mb(saved) if saved >= 0 else f"-{mb(-saved)}"), line(percent)


# --------------------------------------------------------------------------- distributions


def _differences(comparison: Comparison, *, all_rows: bool) -> Section:
    labels = [setup.label for setup in comparison.stacks]
    if max(map(len, labels)) > _HEADS // len(labels):
        labels = [_short(label, comparison) for label in labels]
    columns = Column(head="name"), *(Column(head=label) for label in labels)
    table = Table(columns=columns, rows=tuple(_version_rows(comparison, everything=all_rows)))
    return Section(
        heading=line(f"distributions, {comparison.size_figure}, MB"), blocks=(table,), rank=6
    )


def _version_rows(comparison: Comparison, *, everything: bool) -> Iterator[Row]:
    """Yield what only some have, then versions that differ, then what all have alike."""
    partial = [row for row in comparison.shared if not row.everywhere]
    differing = [row for row in comparison.shared if row.everywhere and not row.alike]
    alike = [row for row in comparison.shared if row.alike]
    for rows, remark in ((partial, "that only some have"), (differing, "in other versions")):
        yield from _versions(comparison, rows, remark, everything=everything)
    if everything:
        yield from (_version_row(row) for row in alike)
    elif alike:
        names = line(f"alike: {listed([row.name for row in alike], 4)}")
        yield Row(cells=(names, *(line("same") for _ in comparison.stacks)), style=Style.DIM)


def _versions(
    comparison: Comparison, rows: Sequence[SharedRow], remark: str, *, everything: bool
) -> Iterator[Row]:
    shown = rows if everything or len(rows) <= _MOST_ROWS + 1 else rows[:_MOST_ROWS]
    yield from (_version_row(row) for row in shown)
    rest = rows[len(shown) :]
    if rest:
        sums: list[Cell] = []
        for column in range(len(comparison.stacks)):
            sizes = [row.bundle_bytes[column] for row in rest]
            known = [size for size in sizes if size is not None]
            sums.append(line(f"{len(known)} ({mb(sum(known))})") if known else ABSENT)
        yield Row(cells=(line(f"{len(rest)} more {remark}"), *sums))


def _version_row(row: SharedRow) -> Row:
    cells = (
        ABSENT if version is None else line(f"{version} ({mb(size or 0)})")
        for version, size in zip(row.versions, row.bundle_bytes, strict=True)
    )
    style = Style.DIM if row.alike else Style.PLAIN
    return Row(cells=(line(row.name, code=not row.alike), *cells), style=style)


# --------------------------------------------------------------------------- summary


def _summary(comparison: Comparison) -> Section:
    columns = (
        Column(head="candidate", kind=Kind.NAMES),
        Column(head="dependencies", kind=_FIGURE),
        Column(head="models", kind=_FIGURE),
        Column(head="total", kind=_FIGURE),
        Column(head="saves", kind=_FIGURE),
        Column(kind=_FIGURE),
    )
    table = Table(
        columns=columns, rows=tuple(_summary_row(comparison, setup) for setup in comparison.stacks)
    )
    title = line(f"size summary, {comparison.size_figure}, MB")
    return Section(heading=title, blocks=(table,), rank=3)


def _summary_row(comparison: Comparison, setup: Setup) -> Row:
    dependencies, models = setup.dependencies_bundle_bytes, setup.model_bundle_bytes
    return Row(
        cells=(
            _name(setup, comparison),
            line(mb(dependencies)),
            line(mb(models) if setup.model_files else "none"),
            line(mb(setup.bundle.value)),
            *_saved(setup, comparison),
        )
    )


# --------------------------------------------------------------------------- footprints


def _footprints(comparison: Comparison) -> Section:
    columns = (
        Column(head="candidate", kind=Kind.NAMES),
        Column(head=comparison.size_figure, kind=_FIGURE),
        Column(head="peak RSS", kind=_FIGURE),
        Column(head="anonymous", kind=_FIGURE),
        Column(head="import, s", kind=_FIGURE),
        Column(head="cold, s", kind=_FIGURE),
        Column(head="CPU ms", kind=_FIGURE),
        Column(head="p50 ms", kind=_FIGURE),
    )
    table = Table(columns=columns, rows=tuple(_footprint_rows(comparison)))
    return Section(heading=line("worker, MiB"), blocks=(table,), rank=4)


def _footprint_rows(comparison: Comparison) -> Iterator[Row]:
    """Yield size and footprint of each candidate; a dagger marks a latency that is noisy."""
    for setup, footprint in zip(comparison.stacks, comparison.footprints, strict=True):
        name = _name(setup, comparison)
        size = line(_scale(setup, comparison).up(setup.bundle.value))
        if footprint is None:
            yield Row(cells=(name, size, line("not measured"), *((ABSENT,) * 5)))
            continue
        cold = footprint.cold_start_seconds
        yield Row(
            cells=(
                name,
                size,
                ABSENT if footprint.rss_bytes is None else line(mib(footprint.rss_bytes)),
                ABSENT if footprint.anon_bytes is None else line(mib(footprint.anon_bytes)),
                line(f"{footprint.import_seconds:.2f}"),
                ABSENT if cold is None else line(f"{cold:.2f}"),
                line(f"{footprint.cpu_ms:.1f}"),
                line(f"{footprint.p50_ms:.1f}{' †' if footprint.noisy else ''}"),
            )
        )


# --------------------------------------------------------------------------- migration


def _migration(migration: Migration) -> Section:
    block: Block
    if migration.steps is None:
        text = "a lock file has no lines of requirements to compare"
        block = Paragraph((line(text, Style.DIM),))
    elif not migration.steps:
        block = Paragraph((line("the requirements are the same", Style.DIM),))
    else:
        block = Listing("\n".join(_diff_lines(migration)), "diff")
    title = f"from {migration.from_label} to {migration.to_label}, in the requirements"
    return Section(heading=line(title), blocks=(block,), rank=7)


def _diff_lines(migration: Migration) -> Iterator[str]:
    """Yield the steps as lines of a diff."""
    for step in migration.steps or ():
        if step.kind is not StepKind.ADD:
            yield from (f"- {text}" for text in step.before.split("\n"))
        if step.kind is not StepKind.REMOVE:
            yield from (f"+ {text}" for text in step.after.split("\n"))
