"""A bench run as GitHub Markdown: the conclusion first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slugcheck.model import FindingSeverity, Status
from slugcheck.model.bench import BenchResult, Variant
from slugcheck.render import benchwords as said
from slugcheck.render.markdown import (
    MARKS,
    MOST_CHARACTERS,
    NONE,
    advice_list,
    bounded,
    clipped,
    pipe_table,
)
from slugcheck.text import Inert, code, markdown

_SEVERITY = {
    FindingSeverity.ERROR: "❌", FindingSeverity.WARNING: "⚠️", FindingSeverity.INFO: "💡",
}  # fmt: skip


def render(result: BenchResult) -> Inert:
    """Return the result as Markdown, bounded for a comment."""
    return bounded(lambda limits: _blocks(clipped(result, limits.text)), MOST_CHARACTERS)


def _blocks(found: BenchResult) -> Iterator[str]:
    yield f"## {markdown(said.heading(found))}"
    if found.conclusion.because:
        yield advice_list(found.conclusion.label, found.conclusion.because, otherwise="In short")
    yield "<br>\n".join(markdown(line) for line in said.circumstances(found))
    for one in found.stacks:
        if one.failure:
            yield f"❌ {markdown(f'{one.stack.label} was not measured: {one.failure}')}"
    yield "### Comparison"
    yield _comparison(found)
    yield from _held(found)
    yield "### Memory after each stage, MiB"
    heads = ("", *(f"{head}:" for head in said.stage_heads()))
    yield pipe_table(heads, [_cells(row.name, row.cells) for row in said.stage_rows(found)])
    if found.dynos:
        yield from _dynos(found)
    if found.trials:
        yield "### Under a memory limit"
        lines = [
            f"- {MARKS[said.OUTCOME_STATUS[one.outcome]]} {markdown(said.trial_words(one))}"
            for one in found.trials
        ]
        yield "\n".join([*lines, f"- {markdown(said.trial_method(found))}"])
    for label, variants in said.variant_rows(found):
        yield f"### {markdown(label)}, otherwise"
        yield _variants(variants)
    if found.findings:
        yield "### Findings"
        yield "\n".join(
            f"- {_SEVERITY[one.severity]} {markdown(one.subject)}: {markdown(one.sentence)}. "
            f"{code(one.fix)}"
            for one in found.findings
        )
    notes = [*found.notes, *(f"{s.stack.label}: {d}" for s in found.stacks for d in s.doubts)]
    if notes:
        yield "### Notes"
        yield "\n".join(f"- {markdown(note)}" for note in notes)
    yield f"{'; '.join(markdown(word) for word in said.LEGEND)}."


def _cells(name: str, cells: Sequence[str]) -> tuple[str, ...]:
    return (markdown(name.strip()), *(markdown(cell) if cell else NONE for cell in cells))


def _comparison(found: BenchResult) -> str:
    stacks = said.measured(found)
    two = len(stacks) == 2
    heads = ["", *(f"{markdown(said.name(one))}:" for one in stacks), *(["saved:"] if two else [])]
    rows = []
    for row in said.rows(found):
        mark = " †" if row.noisy else ""
        saved = (markdown(_bracketed(row.saved)),) if two else ()
        rows.append((*_cells(row.name + mark, row.cells), *saved))
    return pipe_table(heads, rows)


def _bracketed(saved: str) -> str:
    amount, *percent = saved.split(maxsplit=1) if saved else ("",)
    return f"{amount} ({percent[0]})" if percent else amount


def _held(found: BenchResult) -> Iterator[str]:
    if (agreed := said.agreement(found)) is not None:
        status, sentence = agreed
        text = markdown(sentence)
        yield f"{MARKS[status]} {text if status is Status.PASS else f'**{text}**'}"
    if found.conclusion.label is None and (turns := said.ratio(found)):
        yield markdown(turns[0].upper() + turns[1:]) + "."


def _dynos(found: BenchResult) -> Iterator[str]:
    shown, more = said.dyno_rows(found, everything=False)
    yield f"### {markdown(found.platform)}"
    heads = ("", "MiB:", "workers:", *(markdown(fit.label) for fit in shown[0].fits))
    rows = []
    for one in shown:
        name = markdown(said.dyno_name(one))
        fits = [
            f"{MARKS[fit.status]} {markdown(said.dyno_figure(fit))}; {fit.workers_fit}"
            for fit in one.fits
        ]
        size = str(one.dyno.ram_bytes // 2**20)
        bold = f"**{name}**" if one is found.chosen else name
        rows.append((bold, size, str(one.dyno.workers), *fits))
    yield pipe_table(heads, rows)
    lines = [
        f"- {MARKS[one.status]} {markdown(f'{one.label}: {one.sentence}')}" for one in found.boots
    ]
    lines.append(f"- {markdown(said.dyno_legend(lambda status: MARKS[status]))}")
    if more:
        lines.append(f"- {more} larger sizes: every stack fits them")
    yield "\n".join(lines)


def _variants(variants: Sequence[Variant]) -> str:
    heads = ("", *(f"{head}:" for head in said.VARIANT_HEADS), "how")
    rows = []
    for one in variants:
        cells = said.variant_cells(one)
        how = markdown(f"not measured: {one.reason}") if not cells else code(one.advice)
        rows.append((*_cells(one.name, cells or ("",) * len(said.VARIANT_HEADS)), how))
    return pipe_table(heads, rows)
