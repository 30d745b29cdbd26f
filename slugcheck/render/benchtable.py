"""A bench run as a screen of text for a terminal. A pure function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from slugcheck.model import Status
from slugcheck.model.bench import BenchResult, Variant
from slugcheck.render import benchwords as said
from slugcheck.render.terminal import (
    SEVERITY_STYLE,
    STATUS_STYLE,
    Signs,
    Verbatim,
    advice,
    bare_table,
    marked,
    print_sections,
)


def render(
    result: BenchResult, *, width: int, color: bool, all_rows: bool = False, unicode: bool = True
) -> str:
    """Return the result in ``width`` columns; ``all_rows`` shows every machine size."""
    signs = Signs(unicode=unicode)
    return print_sections(_sections(result, signs, everything=all_rows), width=width, color=color)


def _sections(
    found: BenchResult, signs: Signs, *, everything: bool
) -> Iterator[list[RenderableType]]:
    lines = [signs.text(line, "dim") for line in said.circumstances(found)]
    yield [signs.text(said.heading(found), "bold"), *lines]
    yield [*_failures(found, signs), _comparison(found, signs), *_held(found, signs)]
    yield [_stages(found, signs)]
    if found.dynos:
        yield [*_dynos(found, signs, everything=everything)]
    if found.trials:
        yield [*_trials(found, signs)]
    for label, variants in said.variant_rows(found):
        yield [*_variants(label, variants, signs)]
    if found.findings:
        yield [*_findings(found, signs)]
    if doubts := [*_doubts(found, signs)]:
        yield doubts
    yield [Text(signs.joined(said.LEGEND), style="dim")]
    if found.conclusion.because:
        taken = found.conclusion
        yield [*advice(taken.label, taken.because, signs, otherwise="in short")]


def _failures(found: BenchResult, signs: Signs) -> Iterator[RenderableType]:
    for one in found.stacks:
        if one.failure:
            sign = Text(signs.status(Status.FAIL), style="red")
            counted = f" after {len(one.samples)} processes" if one.samples else ""
            text = f"{one.stack.label} was not measured{counted}: {one.failure}"
            yield marked(sign, signs.text(text))


def _table(title: str, heads: Sequence[str], signs: Signs) -> Table:
    table = bare_table()
    table.add_column(signs.text(title, "bold not dim"), no_wrap=True)
    for head in heads:
        table.add_column(signs.text(head), justify="right", no_wrap=True)
    return table


def _comparison(found: BenchResult, signs: Signs) -> Table:
    stacks = said.measured(found)
    heads = [said.name(one) for one in stacks]
    two = len(stacks) == 2
    table = _table("comparison", [*heads, *(["saved"] if two else [])], signs)
    for row in said.rows(found):
        style = "dim" if row.minor else ""
        mark = signs.pick(" †", " *") if row.noisy else ""
        cells = [signs.text(cell or signs.none, style) for cell in row.cells]
        saved = [signs.text(row.saved, style or "green")] if two else []
        table.add_row(_name(row.name + mark, style, signs), *cells, *saved)
    return table


def _held(found: BenchResult, signs: Signs) -> Iterator[RenderableType]:
    if (agreed := said.agreement(found)) is not None:
        status, sentence = agreed
        sign = Text(signs.status(status), style=STATUS_STYLE[status])
        yield marked(sign, signs.text(sentence, "" if status is Status.PASS else "bold red"))
    if found.conclusion.label is None and (turns := said.ratio(found)):
        yield marked(Text(signs.pick("→", "->"), style="bold"), signs.text(turns))


def _stages(found: BenchResult, signs: Signs) -> Table:
    table = _table("RSS after, MiB", said.stage_heads(), signs)
    for row in said.stage_rows(found):
        style = "dim" if row.minor else ""
        cells = [signs.text(cell or signs.none, style) for cell in row.cells]
        table.add_row(_name(row.name, style, signs), *cells)
    return table


def _name(text: str, style: str, signs: Signs) -> Text:
    """Return a row's name, indented where it is a part of the one above."""
    indent = Text("  " if text.startswith(" ") else "")
    return indent.append_text(signs.text(text, style))


def _dynos(found: BenchResult, signs: Signs, *, everything: bool) -> Iterator[RenderableType]:
    shown, more = said.dyno_rows(found, everything=everything)
    labels = [fit.label for fit in shown[0].fits]
    table = _table(found.platform, ["MiB", "workers"], signs)
    for label in labels:
        table.add_column(signs.text(label), no_wrap=True)
        table.add_column(Text("fit"), justify="right", no_wrap=True)
    for one in shown:
        style = "bold" if one is found.chosen else ""
        cells: list[Text] = []
        for fit in one.fits:
            cell = Text(f"{signs.status(fit.status)} ", style=STATUS_STYLE[fit.status])
            cell.append(signs.clean(said.dyno_figure(fit)), style="default")
            cells += [cell, Text(str(fit.workers_fit))]
        size = str(one.dyno.ram_bytes // 2**20)
        name = signs.text(said.dyno_name(one), style)
        table.add_row(name, Text(size), Text(str(one.dyno.workers)), *cells)
    yield table
    yield signs.text(said.dyno_legend(signs.status), "dim")
    if more:
        yield signs.text(f"{more} larger sizes: every stack fits them (--all shows them)", "dim")
    for boot in found.boots:
        sign = Text(signs.status(boot.status), style=STATUS_STYLE[boot.status])
        yield marked(sign, signs.text(f"{boot.label}: {boot.sentence}", "dim"))


def _trials(found: BenchResult, signs: Signs) -> Iterator[RenderableType]:
    title = signs.text("under a memory limit", "bold")
    yield title.append(f" {signs.pick('·', '-')} {said.trial_method(found)}", style="not bold dim")
    for one in found.trials:
        status = said.OUTCOME_STATUS[one.outcome]
        sign = Text(signs.status(status), style=STATUS_STYLE[status])
        yield marked(sign, signs.text(said.trial_words(one)))


def _variants(label: str, variants: Sequence[Variant], signs: Signs) -> Iterator[RenderableType]:
    table = _table(f"{label}, otherwise", said.VARIANT_HEADS, signs)
    for one in variants:
        if cells := said.variant_cells(one):
            table.add_row(signs.text(one.name), *(signs.text(cell) for cell in cells))
    yield table
    for one in variants:
        if one.reason:
            yield signs.text(f"{one.name}: not measured: {one.reason}", "dim")


def _findings(found: BenchResult, signs: Signs) -> Iterator[RenderableType]:
    for one in found.findings:
        style = SEVERITY_STYLE[one.severity]
        sign = Text(signs.severity(one.severity), style=style)
        yield marked(sign, signs.text(f"{one.subject}: {one.sentence}"))
        yield Verbatim(f"    {signs.clean(one.fix)}", style="cyan")


def _doubts(found: BenchResult, signs: Signs) -> Iterator[RenderableType]:
    dot = Text(signs.pick("·", "-"), style="dim")
    for note in found.notes:
        yield marked(dot, signs.text(note))
    for one in found.stacks:
        for doubt in one.doubts:
            mark = Text(signs.pick("†", "*") if "latency" in doubt else "!", style="yellow")
            yield marked(mark, signs.text(f"{one.stack.label}: {doubt}"))
