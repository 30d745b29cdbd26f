"""A report as GitHub Markdown: the verdict first, long lists folded, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable

from slugcheck.escape import code, fenced, markdown
from slugcheck.model import DistributionSize, Finding, Report, SizeReport, Status, Verdict
from slugcheck.render import words
from slugcheck.units import mb

_MARKS = {Status.PASS: "✅", Status.WARN: "⚠️", Status.FAIL: "❌", Status.UNKNOWN: "❔"}
_OPEN_ROWS = 15


def render(report: Report) -> str:
    """Return the report as Markdown."""
    status, sentence = words.conclusion(report)
    lines = [
        f"## {_MARKS[status]} {markdown(sentence)}",
        "",
        f"{code(report.path)} → {markdown(words.target_line(report))}  ",
        markdown(words.run_line(report)),
        "",
        *_verdicts(report.verdicts),
        "",
        *_unsized(report),
        *_findings(report.findings),
        *_sizes(report.sizes),
    ]
    lines += [f"- {markdown(note)}" for note in report.notes]
    return "\n".join(lines).rstrip() + "\n"


def _verdicts(verdicts: Iterable[Verdict]) -> list[str]:
    rows = ["| budget | | |", "|---|---|---|"]
    for verdict in verdicts:
        measured = verdict.figure is not None
        mark = f"{_MARKS[verdict.status]} {verdict.status}" if measured else "–"
        rows.append(f"| {markdown(verdict.budget)} | {mark} | {markdown(verdict.sentence)} |")
    return rows


def _unsized(report: Report) -> list[str]:
    if not report.sizes.unsized:
        return []
    lines = ["### Could not be sized", ""]
    for one in report.sizes.unsized:
        version = f" {one.version}" if one.version else ""
        place = f" ({code(str(one.origin))})" if one.origin else ""
        allowed = ", allowed" if one.name in report.allowed_unsized else ""
        lines.append(f"- {code(one.name + version)}{place}{allowed}: {markdown(one.reason)}")
    return [*lines, ""]


def _findings(findings: Iterable[Finding]) -> list[str]:
    lines: list[str] = []
    for finding in findings:
        place = f" ({code(str(finding.origin))})" if finding.origin else ""
        saves = words.saving(finding.saves_bytes, finding.saves_slug_bytes)
        lines += [f"**{finding.severity}**: {markdown(finding.sentence)}{place}"]
        lines += [f"Saves {markdown(saves)}."] if saves else []
        lines += ["", fenced(finding.fix, "text"), ""]
    return ["### What to change", "", *lines] if lines else []


def _sizes(sizes: SizeReport) -> list[str]:
    folded = words.fold(sizes, everything=True).shown
    table = [
        "| distribution | download MB | installed MB | slug MB | because of |",
        "|---|--:|--:|--:|---|",
        *(_row(one) for one in folded),
        *(
            f"| _{markdown(p.name)}_ | – | {mb(p.installed.value)} | {mb(p.slug.value)} "
            f"| {markdown(p.group)} |"
            for p in sizes.parts
        ),
        *(
            f"| _files written twice_ | – | -{mb(o.bytes)} | -{mb(o.slug_bytes)} "
            f"| {markdown(', '.join(o.names))} |"
            for o in sizes.overlaps
        ),
        f"| **total** | **{mb(sizes.download_bytes)}** | **{mb(sizes.installed.value)}** "
        f"| **{mb(sizes.slug.value)}** | slug ±{sizes.slug.percent:.1f} % |",
        "",
        f"MB = 10^6 bytes. Installed includes predicted bytecode ({mb(sizes.bytecode_bytes)} MB); "
        "the slug is predicted.",
        "",
    ]
    if len(folded) <= _OPEN_ROWS:
        return ["### Sizes", "", *table]
    summary = f"{len(folded)} distributions, {mb(sizes.installed.value)} MB installed"
    return ["<details>", f"<summary>{summary}</summary>", "", *table, "</details>", ""]


def _row(one: DistributionSize) -> str:
    mark = " \\*" if one.distribution.source_build else ""
    size = "–" if one.download_bytes is None else mb(one.download_bytes)
    return (
        f"| {markdown(words.label(one))}{mark} | {size} | {mb(one.installed_bytes)} "
        f"| {mb(one.slug.value)} | {markdown(words.because(one))} |"
    )
