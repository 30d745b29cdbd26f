"""A report as GitHub Markdown, fit for a comment on a pull request.

The verdict first, then what changed, long lists folded, everything escaped, and never longer than
what GitHub takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from slugcheck.model import (
    DistributionSize,
    FindingSeverity,
    Report,
    SizeReport,
    Status,
    Unsized,
    Verdict,
)
from slugcheck.render import appmarkdown, audited, changemarkdown, changes, figures, words
from slugcheck.render.bounded import MOST_CHARACTERS, bounded, clipped
from slugcheck.render.marktable import MARKS, NONE, table
from slugcheck.text import Inert, code, fenced, heroku_m, markdown, mb

_SEVERITY = {
    FindingSeverity.ERROR: "❌ error",
    FindingSeverity.WARNING: "⚠️ warning",
    FindingSeverity.INFO: "💡 info",
}
_MOST_OF_TITLE = 1_000  # characters; a message of the settings is part of it
_OPEN_ROWS = 15  # more distributions than these are folded


def render(report: Report, *, most: int = MOST_CHARACTERS) -> Inert:
    """Return the report as Markdown of at most ``most`` characters."""
    return bounded(lambda limits: _blocks(clipped(report, limits.text), limits.rows), most)


def _blocks(report: Report, most_rows: int | None) -> Iterator[str]:
    """Yield the blocks by their weight; with ``most_rows`` lists are about as long."""
    yield _heading(report)
    yield _verdicts(report.verdicts, most_rows)
    yield from _unsized(report, most_rows)
    yield from changemarkdown.blocks(report, most_rows)
    yield from _audit(report)
    yield from _findings(report, most_rows)
    folded = most_rows is None or most_rows > _OPEN_ROWS
    sizes = [*_sizes(report.sizes, folded=folded), *appmarkdown.blocks(report)]
    sizes += _blame(report.sizes)
    yield from _in_details(sizes) if report.difference is not None else sizes
    yield from _notes(report)


def _in_details(blocks: Iterable[str]) -> Iterator[str]:
    """Fold what a reader of a change rarely asks for."""
    yield "<details>\n<summary>All sizes</summary>"
    yield from blocks
    yield "</details>"


def _cut(rows: list[Sequence[str]], most: int | None, columns: int) -> list[Sequence[str]]:
    if most is None or len(rows) <= most:
        return rows
    return [*rows[:most], (f"*{len(rows) - most:,} more*", *([""] * (columns - 1)))]


def _heading(report: Report) -> str:
    conclusion = words.conclusion(report)
    title = clipped(f"{conclusion.word}: {conclusion.sentence}", _MOST_OF_TITLE)
    target = " · ".join(markdown(word) for word in words.target_words(report))
    run = " · ".join(markdown(word) for word in words.run_words(report))
    mark = MARKS[conclusion.status]
    return f"## {mark} {markdown(title)}\n\n{code(report.path)} → {target}<br>\n{run}"


# --------------------------------------------------------------------------- verdicts


def _verdicts(verdicts: Iterable[Verdict], most_rows: int | None) -> str:
    rows: list[Sequence[str]] = []
    if most_rows is not None:
        verdicts = sorted(verdicts, key=_weight)  # what fails is not what is cut off
    for one in words.judged(verdicts):
        rows.append(_verdict(one.verdict, words.sentence(one.verdict)))
        rows += [_verdict(more, more.sentence) for more in one.beside]
    rows += [(code(v.budget), NONE, markdown(v.sentence)) for v in words.not_measured(verdicts)]
    return table(("budget", "verdict", ""), _cut(rows, most_rows, 3))


def _weight(verdict: Verdict) -> int:
    order = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS)
    return order.index(verdict.status) if verdict.gates else len(order)


def _verdict(verdict: Verdict, sentence: str) -> tuple[str, str, str]:
    word = str(verdict.status).upper() if verdict.gates else str(verdict.status)
    return code(verdict.budget), f"{MARKS[verdict.status]} {word}", markdown(sentence)


# --------------------------------------------------------------------------- what is in the way


def _unsized(report: Report, most_rows: int | None) -> Iterator[str]:
    if report.sizes.unsized:
        yield f"### Could not be sized: {len(report.sizes.unsized)}"
        rows: list[Sequence[str]] = [
            (_pin(one, report), code(str(one.origin)) if one.origin else NONE, markdown(reason))
            for reason, members in words.by_reason(report.sizes.unsized).items()
            for one in members
        ]
        yield table(("what", "where", "why"), _cut(rows, most_rows, 3))


def _pin(one: Unsized, report: Report) -> str:
    accepted = " (accepted)" if one.name in report.allowed_unsized else ""
    return code(f"{one.name} {one.version}" if one.version else one.name) + accepted


def _audit(report: Report) -> Iterator[str]:
    if report.audit is not None:
        yield "### Audit"
        lines = [audited.summary(report.audit), *audited.unaudited(report.audit)]
        yield "\n".join(f"- {markdown(line)}" for line in lines)


def _findings(report: Report, most_rows: int | None) -> Iterator[str]:
    findings, by_slug = report.findings, figures.counts_slug(report.sizes)
    if findings:
        yield "### To change"
    for finding in findings[:most_rows]:
        place = code(str(finding.origin)) if finding.origin else ""
        saves = markdown(words.saving(finding, by_slug=by_slug))
        facts = " · ".join(fact for fact in (saves, place, code(finding.code)) if fact)
        yield f"**{_SEVERITY[finding.severity]}:** {markdown(finding.sentence)}<br>\n{facts}"
        yield fenced(finding.fix, "text")
    if more := len(findings[most_rows:]) if most_rows is not None else 0:
        yield f"*{more:,} more*"


def _notes(report: Report) -> Iterator[str]:
    said = [*(changes.ignored(one) for one in report.ignored), *report.notes]
    if said:
        yield "### Notes"
        yield "\n".join(f"- {markdown(note)}" for note in said)


# --------------------------------------------------------------------------- sizes


def _sizes(sizes: SizeReport, *, folded: bool) -> Iterator[str]:
    count = len(sizes.distributions)
    shown_and_rest = figures.fold(sizes, everything=count <= _OPEN_ROWS)
    heads = _heads(sizes)
    yield f"### Sizes: {words.plural(count, 'distribution')}"
    shown = [_distribution(one) for one in shown_and_rest.shown]
    rest = shown_and_rest.rest
    yield table(heads, [*shown, *_rest(shown_and_rest), *_beside(sizes), _total(sizes)])
    if rest and folded:
        yield f"<details>\n<summary>The {len(rest):,} smaller ones</summary>"
        yield table(heads, [_distribution(one) for one in rest])
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
