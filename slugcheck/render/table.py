"""A report as a screen of text for a terminal. A pure function: width and colour are options.

Meaning is never in colour alone, and nothing from outside is read as markup.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from slugcheck.model import Estimate, Finding, Report, SizeReport, Status, Unsized, Verdict
from slugcheck.render import apptable, audited, changes, changetable, figures, words
from slugcheck.render.bars import budget_bar, nested_bar
from slugcheck.render.screen import Verbatim, bare_table, marked, print_sections
from slugcheck.render.signs import SEVERITY_STYLE, STATUS_STYLE, Signs
from slugcheck.render.sizes import size_table
from slugcheck.text import heroku_m, mb, printable_lines

_LEAST_BAR, _MOST_BAR = 12, 30
_BLAME_COLUMNS = 12
_ROOMY = 70
_MOST_FOOTNOTES = 6


def render(
    report: Report, *, width: int, color: bool, all_rows: bool = False, unicode: bool = True
) -> str:
    """Return the report in ``width`` columns; only the lines of a fix may be longer.

    ``all_rows`` lists every distribution; without ``unicode`` the text is ASCII.
    """
    signs = Signs(unicode=unicode)
    sections = _sections(report, signs, width, all_rows=all_rows)
    return print_sections(sections, width=width, color=color)


def verdict_line(report: Report, *, color: bool, unicode: bool = True) -> str:
    """Return the last line of the screen alone, however long it is."""
    signs = Signs(unicode=unicode)
    conclusion = words.conclusion(report)
    style = f"bold {STATUS_STYLE[conclusion.status]}"
    line = Verbatim(f"{signs.status(conclusion.status)} ", style=style)
    line.append(signs.clean(conclusion.word))
    line.append(f"  {signs.clean(conclusion.sentence)}", style="not bold default")
    return print_sections([[line]], width=_ROOMY, color=color)


def _sections(
    report: Report, signs: Signs, width: int, *, all_rows: bool
) -> Iterator[list[RenderableType]]:
    sizes = report.sizes
    yield _header(report, signs, width)
    yield [
        size_table(sizes, signs, width=width, everything=all_rows),
        *_footnotes(sizes, signs),
    ]
    yield from apptable.sections(report, signs)
    if changed := changetable.section(report, signs, width):
        yield changed
    yield _verdicts(report, signs, width)
    for section in (
        _unsized(report, signs),
        _blame(sizes, signs, width),
        _audit(report, signs),
        _findings(report, signs),
        _notes(report, signs),
    ):
        if section:
            yield section
    yield [_conclusion(words.conclusion(report), signs)]


# --------------------------------------------------------------------------- header, footnotes


def _header(report: Report, signs: Signs, width: int) -> list[RenderableType]:
    path = signs.text(report.path, style="bold")
    target = f"{signs.pick('→', '->')} {signs.joined(words.target_words(report))}"
    run = Text(signs.joined(words.run_words(report)), style="dim")
    if path.cell_len + len(target) + 1 <= width:
        return [path.append(f" {target}", style="not bold"), run]
    return [path, Text(target), run]


def _footnotes(sizes: SizeReport, signs: Signs) -> list[RenderableType]:
    kinds = signs.joined(tuple(f"{name} {share} %" for name, share in figures.kinds(sizes)))
    lines: list[RenderableType] = [Text(f"installed: {kinds}", style="dim")] if kinds else []
    dagger = Text(signs.pick("†", "*"), style="yellow")
    said = words.source_builds(sizes, most=_MOST_FOOTNOTES)
    lines += [marked(dagger, signs.text(text, "dim")) for text in said]
    mark = Text(signs.status(Status.WARN), style="yellow")
    overlaps = [words.overlap(one) for one in figures.notable_overlaps(sizes)]
    return [*lines, *(marked(mark, signs.text(text, "dim")) for text in overlaps)]


# --------------------------------------------------------------------------- verdicts


def _verdicts(report: Report, signs: Signs, width: int) -> list[RenderableType]:
    judged = words.judged(report.verdicts)
    absent = words.not_measured(report.verdicts)
    budgets = [one.verdict.budget for one in judged] + [verdict.budget for verdict in absent]
    name = max((len(signs.clean(budget)) for budget in budgets), default=0)
    bar = max(_LEAST_BAR, min(_MOST_BAR, (width - name) // 4))
    word = max((len(one.verdict.status) for one in judged), default=0)
    lines: list[RenderableType] = []
    for one in judged:
        lines.append(_grid((name, bar, word), _judged(one.verdict, signs, bar)))
        lines += [_grid((name,), (Text(), _beside(more, signs))) for more in one.beside]
    for verdict in absent:
        cells = signs.text(verdict.budget, "dim"), signs.text(verdict.sentence, "dim")
        lines.append(_grid((name,), cells))
    return lines


def _judged(verdict: Verdict, signs: Signs, columns: int) -> tuple[Text, ...]:
    style = STATUS_STYLE[verdict.status]
    figure = verdict.figure or Estimate[int].measured(0)
    bar = budget_bar(figure, verdict.limit, verdict.status, columns=columns, unicode=signs.unicode)
    word = Text(str(verdict.status).upper(), style=f"bold {style}")
    return signs.text(verdict.budget, "bold"), bar, word, signs.text(words.sentence(verdict))


def _beside(verdict: Verdict, signs: Signs) -> Text:
    style = "dim" if verdict.status is Status.PASS else STATUS_STYLE[verdict.status]
    return Text(f"{signs.status(verdict.status)} {signs.clean(verdict.sentence)}", style=style)


def _conclusion(conclusion: words.Conclusion, signs: Signs) -> RenderableType:
    style = f"bold {STATUS_STYLE[conclusion.status]}"
    word = Text(signs.clean(conclusion.word), style=style)
    word.append("  ").append(signs.clean(conclusion.sentence), style="not bold default")
    return _grid((1,), (Text(signs.status(conclusion.status), style=style), word), gap=1)


# --------------------------------------------------------------------------- what is in the way


def _unsized(report: Report, signs: Signs) -> list[RenderableType]:
    if not report.sizes.unsized:
        return []
    blocks: list[RenderableType] = [_title(f"could not be sized: {len(report.sizes.unsized)}")]
    for reason, members in words.by_reason(report.sizes.unsized).items():
        text = Text()
        for number, one in enumerate(members):
            text.append(", " if number else "").append(_missing(one, report, signs))
        blocks.append(marked(Text("?", style="magenta"), text))
        blocks.append(marked(Text(), signs.text(reason, "dim")))
    return blocks


def _missing(one: Unsized, report: Report, signs: Signs) -> Text:
    text = signs.text(f"{one.name} {one.version}" if one.version else one.name, "bold")
    if one.origin is not None:
        text.append(f" ({signs.clean(str(one.origin))})", style="not bold")
    if one.name in report.allowed_unsized:
        text.append(" accepted", style="not bold dim")
    return text


def _blame(sizes: SizeReport, signs: Signs, width: int) -> list[RenderableType]:
    blamed = figures.blamed(sizes)
    what = "slug" if figures.counts_slug(sizes) else "size"
    if not blamed:
        least = f"no line of the file needs {figures.BLAMED_PERCENT} % of the {what}"
        return [_grid((8,), (_title("to blame"), Text(least, "dim")))] if sizes.roots else []
    table = bare_table()
    table.add_column(_title("to blame"), overflow="fold")
    table.add_column(f"of the {what}", no_wrap=True)
    for head in ("in all", "alone"):
        table.add_column(head, justify="right", no_wrap=True)
    if width >= _ROOMY:
        table.add_column(overflow="fold")
    for one in blamed:
        table.add_row(*_blame_row(one, figures.counted(sizes).value, signs)[: len(table.columns)])
    meaning = "alone: goes with the line; in all: with what other lines need too (MB)"
    return [table, Text(meaning, style="dim")]


def _blame_row(one: figures.Blame, total: int, signs: Signs) -> tuple[Text, ...]:
    share = one.whole / (total or 1)
    bar = nested_bar(one.alone / (total or 1), share, columns=_BLAME_COLUMNS, unicode=signs.unicode)
    others = f"and {words.plural(one.others, 'other')}" if one.others else ""
    return (
        signs.text(one.name),
        bar.append(f"{100 * share:4.0f} %"),
        Text(mb(one.whole)),
        Text(mb(one.alone)) if one.alone else Text(signs.none, style="dim"),
        Text(others, style="dim"),
    )


# --------------------------------------------------------------------------- what would help


def _audit(report: Report, signs: Signs) -> list[RenderableType]:
    if report.audit is None:
        return []
    style = "magenta" if report.audit.problem else ""
    head = _grid((8,), (_title("audit"), signs.text(audited.summary(report.audit), style)))
    lines = (signs.text(line, "magenta") for line in audited.unaudited(report.audit))
    return [head, *(marked(Text("?", style="magenta"), line) for line in lines)]


def _findings(report: Report, signs: Signs) -> list[RenderableType]:
    blocks: list[RenderableType] = []
    for number, finding in enumerate(report.findings):
        blocks += [Text()] if number else [_title("to change")]
        blocks += _finding(finding, report.sizes, signs)
    return blocks


def _finding(finding: Finding, sizes: SizeReport, signs: Signs) -> Iterator[RenderableType]:
    style = SEVERITY_STYLE[finding.severity]
    sign = Text(signs.severity(finding.severity), style=f"bold {style}")
    sentence = Text(f"{finding.severity}: ", style=style)
    yield marked(sign, sentence.append(signs.clean(finding.sentence), style="default"))
    place = str(finding.origin) if finding.origin else ""
    saves = words.saving(finding, by_slug=figures.counts_slug(sizes))
    facts = tuple(fact for fact in (saves, place, finding.code) if fact)
    yield marked(Text(), Text(signs.joined(facts), style="dim"))
    for line in printable_lines(finding.fix):
        yield Verbatim(f"      {line}", style="cyan")


def _notes(report: Report, signs: Signs) -> list[RenderableType]:
    dot = signs.pick("·", "-")
    said = [*(changes.ignored(one) for one in report.ignored), *report.notes]
    notes = [marked(Text(dot, style="dim"), signs.text(note)) for note in said]
    return [*notes, Text(signs.joined(_legend(report.sizes)), style="dim")]


def _legend(sizes: SizeReport) -> tuple[str, ...]:
    slug = sizes.slug.value
    same = f" ({mb(slug)} MB = {heroku_m(slug)})" if figures.counts_slug(sizes) else ""
    return "~ predicted", "MB = 10^6 bytes", f"M = MiB{same}"


def _title(text: str) -> Text:
    return Text(text, style="bold not dim")


def _grid(columns: tuple[int, ...], cells: tuple[Text, ...], *, gap: int = 2) -> Table:
    """Cells of given widths, and a last one that takes the rest and wraps."""
    grid = Table.grid(padding=(0, gap, 0, 0), pad_edge=False)
    for wide in columns:
        grid.add_column(width=wide, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(*cells)
    return grid
