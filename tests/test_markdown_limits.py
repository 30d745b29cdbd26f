"""Markdown that must be shorter: what is cut, in which order, and that the rest stays whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import pytest
from markdown_it import MarkdownIt

from slugcheck.model import Estimate, FindingSeverity, Status
from slugcheck.render import markdown, view
from slugcheck.render.markdown import Limits, bounded, clipped, size
from slugcheck.render.view import DASH, Kind, Span, Style, line
from slugcheck.text import fenced

PARSER = MarkdownIt("commonmark").enable("table")
NOTE = "*Shortened: the whole report is longer than fits here. It is in the JSON.*"


def section(*blocks: view.Block, heading: str = "", rank: int = 0) -> view.Section:
    return view.Section(blocks=blocks, heading=line(heading), rank=rank)


def page(*sections: view.Section, most: int = 10**6) -> str:
    return markdown.write(view.View(sections), most=most)


# --------------------------------------------------------------------------- fences


@pytest.mark.parametrize("ticks", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("place", ["{0}", "a\n{0}\nb", "a {0} b", "   {0}", "{0}\n{0}x"])
def test_a_fence_is_longer_than_any_in_it(ticks: int, place: str) -> None:
    text = place.format("`" * ticks)
    tokens = PARSER.parse(f"{fenced(text, 'text')}\n\nafter\n")
    assert [token.type for token in tokens[:2]] == ["fence", "paragraph_open"]
    assert tokens[0].content == f"{text}\n"
    assert tokens[0].info == "text"
    least = max(3, ticks + 1) if ticks > 2 else 3
    assert len(tokens[0].markup) == least


def test_a_fence_that_is_cut_is_still_closed() -> None:
    body = "\n".join(["````", *(f"line {number}" for number in range(300))])
    long = section(view.Listing(body), heading="Lines", rank=1)
    text = page(section(heading="First"), long, most=700)
    tokens = [token for token in PARSER.parse(text) if token.type == "fence"]
    (cut,) = tokens
    assert cut.content.startswith("````\nline 0\n")
    assert cut.content.endswith("… 276 more\n")
    assert cut.markup == "`````"
    assert text.rstrip().endswith(NOTE)


# --------------------------------------------------------------------------- lengths


def test_a_length_is_counted_as_the_strictest_reader_does() -> None:
    assert size("ab") == 2
    assert size("\uffff") == 1
    assert size("\U00010000") == 2
    assert size("a\U0001f600b") == 4


def test_a_text_that_just_fits_is_whole() -> None:
    text = "x" * 50

    def make(limits: Limits) -> Iterator[str]:
        assert limits == Limits()
        yield text

    assert bounded(make, 51) == f"{text}\n"
    with pytest.raises(AssertionError):
        bounded(make, 50)  # only then it is asked for less


def test_what_is_cut_is_the_mildest_that_fits_and_the_last_sections_first() -> None:
    asked: list[Limits] = []

    def make(limits: Limits) -> Iterator[str]:
        asked.append(limits)
        yield "## head"
        for name in ("One", "Two"):
            yield f"### {name}"
            yield "\n".join([f"| {name} |", "|---|", *(f"| {n:04d} |" for n in range(130))])

    whole = bounded(make, 10**6)
    assert asked == [Limits()]
    first = bounded(make, size(whole) - 1)
    assert asked[1:] == [Limits(), Limits(text=2_000, rows=100)]
    assert first.count("| 0098 |") == 2
    assert (first.count("| 0105 |"), first.count("| *30 more* |")) == (1, 1)  # of the second
    both = bounded(make, size(first) - 1)
    assert (both.count("| 0105 |"), both.count("| *30 more* |")) == (0, 2)
    assert both.count("| 0129 |") == 2  # the last row is often the total
    assert asked[3:] == [Limits(), Limits(text=2_000, rows=100)]
    asked.clear()
    small = bounded(make, 300)
    assert [limits.text for limits in asked] == [None, 2_000, 500, 200, 100]
    assert small.count("| *127 more* |") == 2
    assert size(small) <= 300


def test_sections_go_from_the_end_and_are_named() -> None:
    def make(limits: Limits) -> Iterator[str]:
        yield "## head"
        yield "### First: of `x`"
        yield "a" * 100
        yield "<details>\n<summary>Second</summary>"
        yield "### inside"
        yield "b" * 300
        yield "</details>"
        yield "### Third"
        yield "c" * 300

    without_one = bounded(make, 700)
    assert "### inside" in without_one
    assert "c" * 300 not in without_one
    assert without_one.endswith(f"{NOTE.replace('Shortened', 'Shortened, without Third')}\n")
    without_two = bounded(make, 400)
    assert "without Second, Third:" in without_two
    assert "inside" not in without_two
    assert "a" * 100 in without_two
    without_all = bounded(make, 150)
    assert "without First, Second, Third:" in without_all
    assert without_all.startswith("## head\n\n*Shortened")
    assert bounded(make, 90) == f"## head\n\n{NOTE}\n"
    assert bounded(make, 10) == f"{NOTE}\n"


@pytest.mark.parametrize("most", [80, 84, 85, 86])
def test_the_first_blocks_are_kept_as_far_as_they_fit(most: int) -> None:
    def make(limits: Limits) -> Iterator[str]:
        yield "12345678"
        yield "x" * 500

    kept = bounded(make, most)
    room = most >= len(f"12345678\n\n{NOTE}\n")
    assert kept == (f"12345678\n\n{NOTE}\n" if room else f"{NOTE}\n")


class Colour(StrEnum):
    LONG = "a colour with a long name"


@dataclass(frozen=True)
class Texts:
    text: str
    numbers: int = 5
    inner: tuple[object, ...] = ()
    made: str = field(init=False, default="stays as it is made")


def test_every_text_is_cut_and_nothing_else() -> None:
    value = Texts("123456", inner=("abcdef", ["abcdef"], {"abcdef": "ghijkl"}, Colour.LONG, None))
    assert clipped(value, None) is value
    assert clipped(value, 5) == Texts(
        "1234…", inner=("abcd…", ["abcd…"], {"abcd…": "ghij…"}, Colour.LONG, None)
    )
    assert clipped(value, 6) == value
    assert clipped(Texts, 2) is Texts


# --------------------------------------------------------------------------- blocks cut


@pytest.mark.parametrize(("count", "lines"), [(2, 2), (10, 10), (11, 9), (30, 9)])
def test_a_list_keeps_its_first_points(count: int, lines: int) -> None:
    block = "\n".join(f"- {number}" for number in range(count))
    cut = markdown._cut_text(block, 8).split("\n")
    assert len(cut) == lines
    if lines != count:
        assert cut[:8] == block.split("\n")[:8]
        assert cut[-1] == f"- *{count - 8} more*"


def test_lines_that_are_no_list_get_no_bullet_and_heads_stay() -> None:
    lines = "\n".join(str(number) for number in range(20))
    assert markdown._cut_text(lines, 3).split("\n") == ["0", "1", "2", "*17 more*"]
    for head in ("## a\n", "<details>\n"):
        assert markdown._cut_text(head + lines, 3) == head + lines


def test_a_table_that_is_cut_keeps_its_heads_its_columns_and_its_last_row() -> None:
    rows = [f"| a{number} | b |" for number in range(12)]
    table = "\n".join(["| x | y |", "|---|---|", *rows])
    cut = markdown._cut_text(table, 4).split("\n")
    assert cut == ["| x | y |", "|---|---|", *rows[:3], "| *8 more* |  |", rows[11]]
    fits = "\n".join(["| x | y |", "|---|---|", *rows[:5]])
    assert markdown._cut_text(fits, 4) == fits


# --------------------------------------------------------------------------- blocks written


def bar(name: str, status: Status | None, *, gates: bool = True) -> view.Bar:
    figure = None if status is None else Estimate.measured(1)
    return view.Bar(name=name, sentence="s", status=status, figure=figure, gates=gates)


BARS = view.Bars(
    (
        bar("boot", None),
        bar("passed", Status.PASS),
        bar("told", Status.FAIL, gates=False),
        bar("warned", Status.WARN),
        bar("unknown", Status.UNKNOWN),
        bar("failed", Status.FAIL),
    )
)


def test_budgets_stand_as_they_come_and_the_gravest_stay_when_they_are_cut() -> None:
    whole = page(section(BARS))
    assert whole.splitlines() == [
        "| budget | verdict |  |", "|---|---|---|", f"| `boot` | {DASH} | s |",
        "| `passed` | ✅ PASS | s |", "| `told` | ❌ fail | s |", "| `warned` | ⚠️ WARN | s |",
        "| `unknown` | ❔ UNKNOWN | s |", "| `failed` | ❌ FAIL | s |",
    ]  # fmt: skip
    cut = markdown._bars(BARS, 3).splitlines()[2:]
    assert [row.split("`")[1] for row in cut[:3]] == ["failed", "unknown", "warned"]
    assert cut[3] == "| *3 more* |  |  |"
    assert markdown._bars(BARS, 6).count("\n") == 7


def test_fixes_are_cut_from_the_end_with_a_count() -> None:
    fixes = tuple(
        view.Fix(
            severity=severity, sentence=f"s{number}", facts=(Span("f", code=True),), lines="x==1"
        )
        for number, severity in enumerate(itertools.islice(itertools.cycle(FindingSeverity), 5))
    )
    whole = page(section(*fixes, heading="to fix"))
    assert whole.startswith("### To fix\n\n**❌ error:** s0<br>\n`f`\n\n```text\nx==1\n```\n\n")
    assert "**⚠️ warning:** s1" in whole
    assert "**💡 info:** s2" in whole
    assert "more" not in whole
    cut = list(markdown._fixes(fixes, 3))
    assert (len(cut), cut[-1]) == (7, "*2 more*")
    assert list(markdown._fixes(fixes, 5)) == list(markdown._fixes(fixes, None))


def test_cells_of_every_kind() -> None:
    cells: dict[str, view.Cell] = {
        "a, b, c, d, +1": view.Names(("a", "b", "c", "d", "e")),
        "a, b, c, d": view.Names(("a", "b", "c", "d")),
        "25 %": view.Share(0.25, 0.1),
        "same": view.Mark("=", "same"),
        "1.5 ±2 %": view.Figure("1.5", "±2 %"),
        DASH: view.Figure(""),
        "✅ 12M": view.Graded(Status.PASS, "12M"),
        "one<br>**two**": view.Stacked((line("one"), line("two", Style.STRONG))),
        "`code`": line("code", code=True),
    }
    columns = tuple(view.Column(head=f"h{number}") for number in range(len(cells)))
    text = page(section(view.Table(columns=columns, rows=(view.Row(cells=tuple(cells.values())),))))
    assert text.splitlines()[2] == f"| {' | '.join(cells)} |"


def test_figures_stand_to_the_right_and_wide_columns_have_their_least_width() -> None:
    columns = (
        view.Column(head="text"), view.Column(head="figure", kind=Kind.FIGURE),
        view.Column(head="share", kind=Kind.SHARE), view.Column(head="at 100", wide_only=100),
        view.Column(head="at 101", wide_only=101),
    )  # fmt: skip
    row = view.Row(cells=tuple(line(letter) for letter in "abcde"))
    assert page(section(view.Table(columns=columns, rows=(row,)))).splitlines() == [
        "| text | figure | share | at 100 |", "|---|--:|--:|---|", "| a | b | c | d |",
    ]  # fmt: skip


def test_rows_have_their_style_depth_and_notes() -> None:
    rows = (
        view.Row(cells=(line("whole"), ()), style=Style.STRONG),
        view.Row(cells=(line("part"), line("1")), depth=1, notes=(line("n"), line("m"))),
    )
    table = view.Table(columns=(view.Column(head="a"), view.Column(head="b")), rows=rows)
    assert page(section(table)).splitlines()[2:] == [
        "| **whole** |  |  |", "| ↳ part | 1 | n<br>m |"
    ]  # fmt: skip
    dash = view.Row(cells=(view.Figure(""), line("x")), style=Style.STRONG)
    bare = replaced(table, dash)
    assert page(section(bare)).splitlines()[2] == f"| {DASH} | **x** |"


def replaced(table: view.Table, *rows: view.Row) -> view.Table:
    return view.Table(columns=table.columns, rows=rows)


@pytest.mark.parametrize(
    ("rows", "members", "folded"),
    [(1, 1, False), (10, 10, False), (10, 11, True), (30, 1, False), (19, 2, True)],
)
def test_the_rows_that_one_stands_for_are_folded_only_when_they_are_many(
    rows: int, members: int, folded: bool
) -> None:
    small = tuple(view.Row(cells=(line(f"m{number}"),)) for number in range(members))
    shown = [view.Row(cells=(line(f"r{number}"),)) for number in range(rows - 1)]
    table = view.Table(
        columns=(view.Column(head="h"),),
        rows=(*shown, view.Row(cells=(line("others"),), members=small)),
    )
    text = page(section(table))
    assert all(f"| m{number} |" in text for number in range(members))
    assert ("| others |" in text) is folded
    summary = f"<details>\n<summary>{members} more</summary>"
    assert (summary in text) is folded
    assert text.count("</details>") == folded
    if folded:
        assert "<details>" not in "".join(markdown._table(table, 15))
        assert "<details>" in "".join(markdown._table(table, 16))


def test_sections_stand_by_rank_with_headings_and_folds() -> None:
    verdict = view.Verdict(status=Status.PASS, word="fits", sentence="it does")
    folded = view.Section(
        blocks=(view.Paragraph((line("x"), line("y"))),), heading=line("more"), rank=2, folded=True
    )
    subject = view.Subject(name="r.txt", facts=("Heroku", "3.12"), run=("1.0 s",))
    text = page(
        folded, section(view.Items((view.Item(text=line("i")),)), heading="list", rank=1),
        section(verdict, subject),
    )  # fmt: skip
    assert text == (
        "## ✅ fits: it does\n\n`r.txt` → Heroku · 3.12<br>\n1.0 s\n\n### List\n\n- i\n\n"
        "<details>\n<summary>More</summary>\n\nx<br>\ny\n\n</details>\n"
    )
    bare = page(section(view.Verdict(status=Status.FAIL, word="no", sentence="")))
    assert bare == "## ❌ no\n"


def test_points_have_their_mark_and_lines_below() -> None:
    items = view.Items(
        (
            view.Item(text=line("plain")),
            view.Item(text=line("warned"), mark=Status.WARN, below=(line("why"),)),
            view.Item(text=line("signed"), mark="+"),
        )
    )
    assert page(section(items)) == "- plain\n- ⚠️ warned<br>why\n- + signed\n"


def test_what_is_missing_says_where_and_why() -> None:
    rows = [
        view.Missing(name="a", place="r.txt:3", remark="accepted", reason="no index"),
        view.Missing(name="b", place="", remark="", reason="no wheel"),
    ]
    assert page(section(view.MissingList(tuple(rows)))).splitlines()[2:] == [
        "| `a` (accepted) | `r.txt:3` | no index |", f"| `b` | {DASH} | no wheel |"
    ]  # fmt: skip
    assert markdown._missing(view.MissingList(tuple(rows * 3)), 4).splitlines()[-1] == (
        "| *2 more* |  |  |"
    )


def test_blanks_around_a_span_stay_and_a_blank_is_not_bold() -> None:
    spans = (Span("a "), Span("b", Style.STRONG), Span(" c"), Span("  ", Style.STRONG), Span("d"))
    assert page(section(view.Paragraph((spans,)))) == "a **b** c d\n"
    both = (Span("a", Style.STRONG, code=True), Span(" "), Span("e"))
    assert page(section(view.Paragraph((both,)))) == "`a` e\n"
