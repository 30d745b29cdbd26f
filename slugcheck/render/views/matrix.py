"""What ``slugcheck check`` shows of several targets: a row for each, and what they share. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from slugcheck.model import Basis, FindingSeverity, Report, Status, Unsized
from slugcheck.model.matrix import Matrix, Outcome, Said, TargetResult
from slugcheck.model.report import Finding, Obstacle
from slugcheck.render import targets, wording
from slugcheck.render.view import (
    ABSENT,
    Block,
    Cell,
    Column,
    Fix,
    Graded,
    Item,
    Items,
    Kind,
    Line,
    Missing,
    MissingList,
    Paragraph,
    Row,
    Section,
    Span,
    Style,
    Subject,
    Table,
    Verdict,
    View,
    line,
)
from slugcheck.render.views import check
from slugcheck.text import against, clock, mb, plural, scale_for

_ROOMY = 100  # from which width on a column of room left is shown
_FIGURE = Kind.FIGURE
_LEGEND = (
    "counted: what the platform counts against its limit · installed: MB with bytecode · "
    "~ and build: predicted · MB = 10^6 bytes · M = MiB"
)
# A table has room for a word or two; the row's note and the first line have the rest.
_SHORT = {"OVER BUDGET": "over", "OVER LIMIT": "over", "NO LIMIT SET": "no limit"}


def view(matrix: Matrix, *, all_rows: bool = False, verbose: bool = False) -> View:
    """Return what to show of several targets; ``all_rows`` and ``verbose`` add whole reports."""
    sections = [
        _head(matrix),
        _table(matrix),
        _obstacles(matrix),
        _unsized(matrix),
        _fixes(matrix),
        _notes(matrix),
    ]
    if all_rows or verbose:
        for number, (target, report) in enumerate(matrix.reports, start=1):
            sections += _whole(target, report, number, all_rows=all_rows, verbose=verbose)
    return View(tuple(section for section in sections if section.blocks))


# --------------------------------------------------------------------------- the table


def _head(matrix: Matrix) -> Section:
    platforms = len({target.platform for target in matrix.targets})
    pythons = len({target.python for target in matrix.targets} - {""})
    transfer = matrix.transfer
    facts = plural(platforms, "platform"), plural(pythons, "Python")
    subject = Subject(name=matrix.path, facts=facts, run=wording.traffic(matrix.seconds, transfer))
    return Section(blocks=(targets.conclusion(matrix), subject), rank=0)


def _table(matrix: Matrix) -> Section:
    sizes = [report.sizes for _, report in matrix.reports]
    counted = any(own.bundle.basis is Basis.PREDICTED for own in sizes)
    installed = any(own.installed.basis is Basis.PREDICTED for own in sizes)
    columns = (
        Column(head="platform"),
        Column(head="Python", kind=Kind.STATE),
        Column(head="verdict", kind=Kind.STATE),
        Column(head="~counted" if counted else "counted", kind=_FIGURE),
        Column(head="room left", kind=_FIGURE, wide_only=_ROOMY),
        Column(head="~installed" if installed else "installed", kind=_FIGURE),
        Column(head="build", kind=_FIGURE),
    )
    rows = [_row(target) for target in matrix.targets]
    if len({row.notes for row in rows}) == 1:  # the first line says it
        rows = [replace(row, notes=()) for row in rows]
    table = Table(columns=columns, rows=tuple(rows))
    return Section(heading=line("targets"), blocks=(table,), rank=1, quiet=True)


def _row(target: TargetResult) -> Row:
    report, build = target.report, target.build_seconds
    figures: tuple[Cell, ...] = (ABSENT,) * 4
    if report is not None:
        figures = (
            line(_counted(target, report)),
            line(_room(target)) or ABSENT,
            line(mb(report.sizes.installed.value)),
            ABSENT if build is None else line(clock(build)),
        )
    return Row(
        cells=(line(target.platform), line(target.python) or ABSENT, _verdict(target), *figures),
        notes=tuple(line(text, Style.DIM) for text in _reasons(target)),
    )


def _verdict(target: TargetResult) -> Cell:
    if target.outcome is Outcome.IMPOSSIBLE:
        return line("not offered", Style.DIM)
    if target.report is None:
        return Graded(Status.UNKNOWN, "unknown")
    outcome = wording.conclusion(target.report)
    word = "fits" if outcome.word.startswith("FITS") else outcome.word.lower()
    return Graded(outcome.status, _SHORT.get(outcome.word, word))


def _counted(target: TargetResult, report: Report) -> str:
    verdict = target.size_verdict
    if verdict is None or verdict.figure is None:
        return report.sizes.unit.up(report.sizes.bundle.value)
    shown, limit = against(int(verdict.figure.value), verdict.limit)
    unit = limit.lstrip("0123456789.,")  # " MB" is said once, the M of MiB stays with its figure
    return f"{shown.removesuffix(unit) if unit.startswith(' ') else shown} of {limit}"


def _room(target: TargetResult) -> str:
    verdict = target.size_verdict
    if verdict is None or verdict.figure is None:
        return ""
    value = int(verdict.figure.value)
    scale, left = scale_for(value, verdict.limit), verdict.limit - value
    return scale.down(left) if left >= 0 else f"{scale.up(-left)} over"


def _reasons(target: TargetResult) -> Iterator[str]:
    """Yield what the columns of a row do not say."""
    yield from _verdict_reason(target)
    difference = target.report.difference if target.report is not None else None
    if target.report is not None and difference is not None:
        summary = check.change_summary(difference, target.report.sizes)
        yield difference.problem or f"against {difference.label}: {summary}"


def _verdict_reason(target: TargetResult) -> Iterator[str]:
    if target.report is None:
        impossible = target.outcome is Outcome.IMPOSSIBLE
        yield "; ".join(filter(None, (target.problem, "" if impossible else target.hint)))
        return
    outcome, verdict = wording.conclusion(target.report), target.size_verdict
    if outcome.status is Status.PASS:
        return
    text = outcome.sentence
    if target.outcome is Outcome.FITS:
        text = text.partition("; ")[2]
    elif target.outcome is Outcome.FAILS and verdict is not None and verdict.figure is not None:
        _, limit = against(int(verdict.figure.value), verdict.limit)
        _, found, rest = text.partition(f" of {limit}")
        text = rest if found else text
    text = text.lstrip(".,; ")
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    if text:
        yield text


# --------------------------------------------------------------------------- what they share


def _obstacles(matrix: Matrix) -> Section:
    blocks: tuple[Block, ...] = tuple(_obstacle(matrix, said) for said in matrix.obstacles())
    return Section(heading=line(f"obstacles: {len(blocks)}"), blocks=blocks, rank=2)


def _obstacle(matrix: Matrix, said: Said[Obstacle]) -> Fix:
    own = check.obstacle(said.what)
    return replace(own, facts=(*_where(matrix, said), *own.facts))


def _unsized(matrix: Matrix) -> Section:
    missing = [
        Missing(
            name=f"{unsized.name} {unsized.version}" if unsized.version else unsized.name,
            place=str(unsized.origin) if unsized.origin else "",
            remark=_where_missing(matrix, said),
            reason=unsized.reason,
        )
        for said in matrix.unsized()
        for unsized in (said.what,)
    ]
    blocks = (MissingList(tuple(missing)),) if missing else ()
    return Section(heading=line(f"could not be sized: {len(missing)}"), blocks=blocks, rank=3)


def _where_missing(matrix: Matrix, said: Said[Unsized]) -> str:
    reports = [target.report for target in said.targets if target.report is not None]
    accepted = all(said.what.name in report.allowed_unsized for report in reports)
    return targets.about(matrix, said.targets) + (", accepted" if accepted else "")


def _fixes(matrix: Matrix) -> Section:
    order = list(FindingSeverity)
    found = sorted(matrix.findings(), key=lambda said: order.index(said.what.severity))
    return Section(
        heading=line("to fix"), blocks=tuple(_fix(matrix, said) for said in found), rank=4
    )


def _fix(matrix: Matrix, said: Said[Finding]) -> Fix:
    finding, report = said.what, said.targets[0].report
    assert report is not None  # noqa: S101 - what says something has a report
    own = check.fix(finding, report.sizes)
    facts = own.facts
    if len(said.targets) > 1:  # what it saves differs
        facts = (
            Span(_after(matrix, said)),
            Span(str(finding.origin) if finding.origin else "", code=True),
            Span(finding.code, code=True),
        )
    facts = (*_where(matrix, said), *facts)
    return replace(own, facts=tuple(fact for fact in facts if fact.text))


def _where(matrix: Matrix, said: Said[Finding] | Said[Obstacle]) -> Iterator[Span]:
    """Yield the targets that it is about, and whose words and figures are shown."""
    yield Span(targets.about(matrix, said.targets))
    if said.differ:
        yield Span(f"as on {targets.names(matrix, said.targets[:1])}")


def _after(matrix: Matrix, said: Said[Finding]) -> str:
    """Return where the fix is enough: "then fits", or where it is not."""
    after = [finding.after for finding in said.each]
    if not all(after):
        return ""
    left = [
        target
        for target, outcome in zip(said.targets, after, strict=True)
        if outcome is not None and outcome.status in (Status.FAIL, Status.UNKNOWN)
    ]
    if not left:
        return "then fits"
    alike = len(left) == len(said.targets)
    return "then still not within budget" + ("" if alike else f": {targets.names(matrix, left)}")


def _notes(matrix: Matrix) -> Section:
    items = tuple(Item(text=_note(matrix, said)) for said in matrix.notes(check.ignored))
    legend = Paragraph((line(_LEGEND, Style.DIM),))
    blocks: tuple[Block, ...] = (Items(items), legend) if items else (legend,)
    return Section(heading=line("notes") if items else (), blocks=blocks, rank=5, quiet=True)


def _note(matrix: Matrix, said: Said[str]) -> Line:
    where = targets.about(matrix, said.targets)
    return line(said.what if where == "all targets" else f"{where}: {said.what}")


# --------------------------------------------------------------------------- whole reports


def _whole(
    target: TargetResult, report: Report, number: int, *, all_rows: bool, verbose: bool
) -> Iterator[Section]:
    """Yield the sections of a report; a page keeps them together and in this order."""
    outcome = wording.conclusion(report)
    said = f"{outcome.word}: {outcome.sentence}".removesuffix(": ")
    first = Items((Item(mark=outcome.status, text=line(said)),))
    title = line(f"{target.platform}, Python {target.python}")
    for place, section in enumerate(
        check.view(report, all_rows=all_rows, verbose=verbose).sections
    ):
        rank = 100 * number + section.rank
        blocks = tuple(block for block in section.blocks if not isinstance(block, Verdict))
        if place == 0:
            yield Section(heading=title, blocks=(first, *blocks), rank=rank)
        else:
            yield replace(section, blocks=blocks, rank=rank)
