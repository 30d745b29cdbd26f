"""A report as a table for a terminal. A pure function: width and colour come in as options.

Meaning is never in colour alone, and nothing from outside is parsed as markup.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from slugcheck.escape import printable
from slugcheck.model import (
    Basis,
    DistributionSize,
    Finding,
    FindingSeverity,
    Part,
    Report,
    Status,
    Verdict,
)
from slugcheck.render import words
from slugcheck.units import heroku_m, mb

_STATUS_STYLE = {
    Status.PASS: "bold green",
    Status.WARN: "bold yellow",
    Status.FAIL: "bold red",
    Status.UNKNOWN: "bold magenta",
}
_FINDING_STYLE = {
    FindingSeverity.ERROR: "bold red",
    FindingSeverity.WARNING: "bold yellow",
    FindingSeverity.INFO: "bold cyan",
}
_ASCII = str.maketrans({
    "█": "#", "░": ".", "·": "-", "→": ">", "…": "~", "–": "-", "±": "~", "─": "-", "×": "x",
})  # fmt: skip
_BAR_COLUMNS = 20
_NAME_COLUMN = 12
_NUMBERS = (("download", 8), ("installed", 9), ("slug", 7))  # titles and columns
_LEAST_REASON = 18
_MORE = "… 100 smaller ones"


def render(
    report: Report, *, width: int, color: bool, all_rows: bool = False, unicode: bool = True
) -> str:
    """Return the report as text of at most ``width`` columns; fix lines are never wrapped."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for block in _blocks(report, width, all_rows=all_rows):
        console.print(block, soft_wrap=isinstance(block, _Verbatim))
    text = "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
    return text if unicode else text.translate(_ASCII)


class _Verbatim(Text):
    """Text whose lines are copied by the reader and so never wrapped."""


def _blocks(report: Report, width: int, *, all_rows: bool) -> Iterable[RenderableType]:
    yield _header(report)
    yield Text()
    yield _sizes(report, width, all_rows=all_rows)
    yield Padding(_legend(report), (0, 0, 0, 1))
    if report.sizes.unsized:
        yield Text()
        yield from _unsized(report)
    yield Text()
    yield _verdicts(report, width)
    yield Text()
    yield _blame(report)
    yield from _findings(report)
    if report.notes:
        yield Text()
        for note in report.notes:
            yield _tagged("note", "dim", printable(note))
    yield Text()
    status, sentence = words.conclusion(report)
    yield Text(f" {printable(sentence)}", style=_STATUS_STYLE[status])


def _header(report: Report) -> RenderableType:
    top = Text(" ")
    top.append(printable(report.path), style="bold")
    top.append(f" → {printable(words.target_line(report))}")
    return Group(top, Text(f" {words.run_line(report)}", style="dim"))


# --------------------------------------------------------------------------- sizes


def _sizes(report: Report, width: int, *, all_rows: bool) -> Table:
    sizes = report.sizes
    table = Table(box=None, padding=(0, 1), header_style="dim", expand=False, pad_edge=True)
    folded = words.fold(sizes, everything=all_rows)
    longest = max([len(words.label(d)) + 2 for d in folded.shown] + [len(_MORE)])
    numbers = sum(wide for _, wide in _NUMBERS)
    free = width - numbers - 2 * (len(_NUMBERS) + 2)
    name = min(longest, free - _LEAST_REASON)
    table.add_column("distribution", overflow="fold", width=name)
    for title, wide in _NUMBERS:
        table.add_column(title, justify="right", no_wrap=True, width=wide)
    table.add_column("because of", overflow="ellipsis", no_wrap=True, width=free - name)
    for one in folded.shown:
        table.add_row(*_row(one))
    if folded.rest:
        download, installed, slug = words.total_of(folded.rest)
        table.add_row(
            Text(f"… {len(folded.rest)} smaller ones", style="dim"),
            mb(download), mb(installed), mb(slug), Text("--all shows them", style="dim"),
        )  # fmt: skip
    for overlap in sizes.overlaps:
        table.add_row(
            Text("files written twice", style="yellow"), "–", f"-{mb(overlap.bytes)}",
            f"-{mb(overlap.slug_bytes)}", _plain(", ".join(overlap.names)),
        )  # fmt: skip
    for part in sizes.parts:
        table.add_row(*_part_row(part))
    table.add_section()
    table.add_row(
        Text("total", style="bold"),
        Text(mb(sizes.download_bytes), style="bold"),
        Text(mb(sizes.installed.value), style="bold"),
        Text(mb(sizes.slug.value), style="bold"),
        f"slug ±{sizes.slug.percent:.1f} %",
    )
    return table


def _row(one: DistributionSize) -> tuple[RenderableType, ...]:
    name = _plain(words.label(one))
    if one.distribution.source_build is not None:
        name.append(" *", style="yellow")
    guess = "~" if one.plain.basis is Basis.PREDICTED else ""
    size = "–" if one.download_bytes is None else mb(one.download_bytes)
    why = _plain(words.because(one))
    return name, size, f"{guess}{mb(one.installed_bytes)}", mb(one.slug.value), why


def _part_row(part: Part) -> tuple[RenderableType, ...]:
    doubt = f" ±{part.slug.percent:.0f} %" if part.slug.percent else ""
    return (
        Text(printable(part.name), style="cyan"),
        "–",
        mb(part.installed.value),
        mb(part.slug.value),
        Text(f"{part.group}{doubt}", style="dim"),
    )


def _legend(report: Report) -> Text:
    sizes = report.sizes
    lines = [
        f"MB = 10^6 bytes. Predicted: bytecode ({mb(sizes.bytecode_bytes)} MB of installed, "
        f"±{sizes.installed.percent:.1f} % of the total) and slug"
    ]
    built = [d for d in sizes.distributions if d.distribution.source_build is not None]
    if built:
        methods = sorted({_method(d) for d in built})
        lines.append(f"* built from source on the platform, ~ sized from {' or '.join(methods)}")
    lines.append(f"files: {words.kinds_line(sizes)}")
    return Text("\n".join(lines), style="dim")


def _method(one: DistributionSize) -> str:
    build = one.distribution.source_build
    methods = {"archive": "the archive", "source": "its sources", "built": "a build here"}
    return methods.get(build.method, f"the {build.method}") if build else ""


def _unsized(report: Report) -> Iterable[RenderableType]:
    yield Text(" could not be sized", style="bold")
    for one in report.sizes.unsized:
        text = Text("   ")
        version = f" {one.version}" if one.version else ""
        text.append(printable(f"{one.name}{version}"), style="bold")
        if one.origin is not None:
            text.append(printable(f"  {one.origin}"), style="dim")
        if one.name in report.allowed_unsized:
            text.append("  (allowed)", style="dim")
        yield text
        yield Padding(_plain(one.reason), (0, 0, 0, 5))


# --------------------------------------------------------------------------- verdicts


def _verdicts(report: Report, width: int) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", max_width=max(20, width - _BAR_COLUMNS - 24))
    beside = [v for v in report.verdicts if _is_beside(v)]
    for verdict in report.verdicts:
        if verdict in beside:
            continue
        table.add_row(
            Text(verdict.budget, style="bold"),
            _bar(verdict),
            _status(verdict),
            _plain(verdict.sentence),
        )
        if verdict.budget == "slug":
            for one in beside:
                mark = Text("warn", style="yellow") if one.status is Status.WARN else Text()
                table.add_row("", "", mark, Text(printable(one.sentence), style="dim"))
    return table


def _is_beside(verdict: Verdict) -> bool:
    return verdict.figure is not None and not verdict.gates and verdict.unit == "bytes"


def _bar(verdict: Verdict) -> Text:
    if verdict.figure is None or not verdict.limit:
        return Text("–" if verdict.figure is None else "", style="dim")
    share = verdict.figure.value / verdict.limit
    filled = min(_BAR_COLUMNS, max(1, round(share * _BAR_COLUMNS)))
    bar = Text("█" * filled, style=_STATUS_STYLE[verdict.status].removeprefix("bold "))
    bar.append("░" * (_BAR_COLUMNS - filled), style="dim")
    return bar


def _status(verdict: Verdict) -> Text:
    if verdict.figure is None:
        return Text("–", style="dim")
    return Text(str(verdict.status).upper(), style=_STATUS_STYLE[verdict.status])


# --------------------------------------------------------------------------- what to do


def _blame(report: Report) -> RenderableType:
    what, shares = words.blamed(report.sizes)
    if not shares:
        return Text(" to blame    no single requirement stands out", style="dim")
    named = ", ".join(
        f"{name} {100 * share:.0f} % ({heroku_m(size)})" for name, size, share in shares
    )
    return _tagged("to blame", "bold", printable(f"{named}: {what}"))


def _findings(report: Report) -> Iterable[RenderableType]:
    for finding in report.findings:
        yield Text()
        yield from _finding(finding)


def _finding(finding: Finding) -> Iterable[RenderableType]:
    place = f" ({finding.origin})" if finding.origin else ""
    head = f"{finding.sentence}{place}"
    yield _tagged(str(finding.severity), _FINDING_STYLE[finding.severity], printable(head))
    saves = words.saving(finding.saves_bytes, finding.saves_slug_bytes)
    if saves:
        yield _tagged("", "", f"saves {saves}", body="green")
    for line in finding.fix.splitlines():
        yield _Verbatim(" " * (_NAME_COLUMN + 2) + printable(line), style="cyan")


def _tagged(tag: str, style: str, text: str, *, body: str = "") -> Table:
    table = Table(box=None, show_header=False, padding=(0, 0, 0, 1), pad_edge=True)
    table.add_column(width=_NAME_COLUMN - 1, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(tag, style=style), Text(text, style=body))
    return table


def _plain(text: str) -> Text:
    return Text(printable(text))
