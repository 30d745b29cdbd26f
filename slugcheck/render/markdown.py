"""A report as GitHub Markdown: the verdict first, long lists folded, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from slugcheck.escape import code, fenced, markdown, without_commands
from slugcheck.model import (
    DistributionSize,
    Finding,
    FindingSeverity,
    Report,
    SizeReport,
    Status,
    Unsized,
    Verdict,
)
from slugcheck.render import appmarkdown, figures, words
from slugcheck.render.marktable import NONE, table
from slugcheck.units import heroku_m, mb

_MARKS = {Status.PASS: "✅", Status.WARN: "⚠️", Status.FAIL: "❌", Status.UNKNOWN: "❔"}
_SEVERITY = {
    FindingSeverity.ERROR: "❌ error",
    FindingSeverity.WARNING: "⚠️ warning",
    FindingSeverity.INFO: "💡 info",
}
_OPEN_ROWS = 15  # more distributions than these are folded


def render(report: Report) -> str:
    """Return the report as Markdown."""
    blocks = [
        _heading(report),
        _verdicts(report.verdicts),
        *_unsized(report),
        *_findings(report.findings, by_slug=figures.counts_slug(report.sizes)),
        *_sizes(report.sizes),
        *appmarkdown.blocks(report),
        *_blame(report.sizes),
        *_notes(report),
    ]
    return without_commands("\n\n".join(blocks) + "\n")


def _heading(report: Report) -> str:
    conclusion = words.conclusion(report)
    title = f"{conclusion.word}: {conclusion.sentence}"
    target = " · ".join(markdown(word) for word in words.target_words(report))
    run = " · ".join(markdown(word) for word in words.run_words(report))
    mark = _MARKS[conclusion.status]
    return f"## {mark} {markdown(title)}\n\n{code(report.path)} → {target}<br>\n{run}"


# --------------------------------------------------------------------------- verdicts


def _verdicts(verdicts: Iterable[Verdict]) -> str:
    rows = []
    for one in words.judged(verdicts):
        rows.append(_verdict(one.verdict, words.sentence(one.verdict)))
        rows += [_verdict(more, more.sentence) for more in one.beside]
    rows += [(code(v.budget), NONE, markdown(v.sentence)) for v in words.not_measured(verdicts)]
    return table(("budget", "verdict", ""), rows)


def _verdict(verdict: Verdict, sentence: str) -> tuple[str, str, str]:
    word = str(verdict.status).upper() if verdict.gates else str(verdict.status)
    return code(verdict.budget), f"{_MARKS[verdict.status]} {word}", markdown(sentence)


# --------------------------------------------------------------------------- what is in the way


def _unsized(report: Report) -> Iterator[str]:
    if report.sizes.unsized:
        yield f"### Could not be sized: {len(report.sizes.unsized)}"
        rows = [
            (_pin(one, report), code(str(one.origin)) if one.origin else NONE, markdown(reason))
            for reason, members in words.by_reason(report.sizes.unsized).items()
            for one in members
        ]
        yield table(("what", "where", "why"), rows)


def _pin(one: Unsized, report: Report) -> str:
    accepted = " (accepted)" if one.name in report.allowed_unsized else ""
    return code(f"{one.name} {one.version}" if one.version else one.name) + accepted


def _findings(findings: Sequence[Finding], *, by_slug: bool) -> Iterator[str]:
    if findings:
        yield "### To change"
    for finding in findings:
        place = code(str(finding.origin)) if finding.origin else ""
        saves = markdown(words.saving(finding, by_slug=by_slug))
        facts = " · ".join(fact for fact in (saves, place, code(finding.code)) if fact)
        yield f"**{_SEVERITY[finding.severity]}:** {markdown(finding.sentence)}<br>\n{facts}"
        yield fenced(finding.fix, "text")


def _notes(report: Report) -> Iterator[str]:
    if report.notes:
        yield "### Notes"
        yield "\n".join(f"- {markdown(note)}" for note in report.notes)


# --------------------------------------------------------------------------- sizes


def _sizes(sizes: SizeReport) -> Iterator[str]:
    count = len(sizes.distributions)
    folded = figures.fold(sizes, everything=count <= _OPEN_ROWS)
    heads = _heads(sizes)
    yield f"### Sizes: {words.plural(count, 'distribution')}"
    shown = [_distribution(one) for one in folded.shown]
    yield table(heads, [*shown, *_rest(folded), *_beside(sizes), _total(sizes)])
    if folded.rest:
        yield f"<details>\n<summary>The {len(folded.rest):,} smaller ones</summary>"
        yield table(heads, [_distribution(one) for one in folded.rest])
        yield "</details>"
    yield from _footnotes(sizes)


def _heads(sizes: SizeReport) -> tuple[str, ...]:
    slug = "slug" if figures.counts_slug(sizes) else "gzipped"
    return "MB (10^6 bytes)", "download:", "installed:", "bytecode:", f"{slug}:", "because of"


def _rest(folded: figures.Fold) -> Iterator[tuple[str, ...]]:
    if folded.rest:
        yield f"*{len(folded.rest):,} smaller*", *_figures(figures.sums(folded.rest)), ""


def _beside(sizes: SizeReport) -> Iterator[tuple[str, ...]]:
    for overlap in figures.notable_overlaps(sizes):
        name = f"*{words.plural(overlap.files, 'file')} written twice*"
        installed, slug = words.taken_off(overlap.bytes), words.taken_off(overlap.slug_bytes)
        yield name, NONE, installed, NONE, slug, "counted once"
    if figures.has_more(sizes):
        yield "dependencies", *_figures(figures.dependencies(sizes)), ""
    for part in figures.part_rows(sizes.parts, everything=False):
        cells = NONE, mb(part.installed), NONE, mb(part.slug)
        yield f"*{markdown(part.label)}*", *cells, markdown(part.note)


def _total(sizes: SizeReport) -> tuple[str, ...]:
    total = _figures(figures.total(sizes))
    return "**total**", *(f"**{figure}**" for figure in total), words.doubt(sizes)


def _distribution(one: DistributionSize) -> tuple[str, ...]:
    mark = " †" if one.distribution.source_build is not None else ""
    name = f"{code(figures.label(one))} {markdown(one.distribution.version)}{mark}"
    reasons = figures.reasons(one)
    shown = [markdown(reason) for reason in reasons[:4]]
    more = [f"+{len(reasons) - 4}"] if len(reasons) > 4 else []
    return name, *_figures(figures.sums([one])), ", ".join([*shown, *more])


def _figures(sums: figures.Sums) -> tuple[str, str, str, str]:
    download = NONE if sums.download is None else mb(sums.download)
    bytecode = mb(sums.bytecode) if sums.bytecode else NONE
    return download, mb(sums.installed), bytecode, mb(sums.slug)


def _footnotes(sizes: SizeReport) -> Iterator[str]:
    kinds = ", ".join(f"{name} {share} %" for name, share in figures.kinds(sizes))
    lines = [f"Installed: {kinds}."] if kinds else []
    lines += [f"† {markdown(text)}" for text in words.source_builds(sizes, most=_OPEN_ROWS)]
    lines += [markdown(words.overlap(overlap)) for overlap in figures.notable_overlaps(sizes)]
    slug = sizes.slug.value
    same = f" (slug: {mb(slug)} MB = {heroku_m(slug)})" if figures.counts_slug(sizes) else ""
    lines.append(f"Bytecode and compressed sizes are predicted. M is MiB, 2^20 bytes{same}.")
    yield "<br>\n".join(lines)


def _blame(sizes: SizeReport) -> Iterator[str]:
    total = figures.counted(sizes).value or 1
    rows = [
        (
            code(one.name),
            f"{100 * one.whole / total:.0f} %",
            mb(one.whole),
            mb(one.alone) if one.alone else NONE,
        )
        for one in figures.blamed(sizes)
    ]
    if rows:
        what = "slug" if figures.counts_slug(sizes) else "total"
        yield f"### To blame: shares of the {what}"
        yield table(("requirement", f"of the {what}:", "in all, MB:", "alone, MB:"), rows)
        yield "Alone: goes when the line goes. In all: with what other lines need too."
