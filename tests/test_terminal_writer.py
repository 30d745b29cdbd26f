"""The terminal writer by itself: where columns end, what folds, what is drawn, and styles."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from slugcheck.model import Estimate, FindingSeverity, Status
from slugcheck.render import terminal, view
from slugcheck.render.terminal import budget_bar, nested_bar, share_bar
from slugcheck.render.view import DASH, Kind, Names, Span, Style, line


def section(*blocks: view.Block, heading: str = "", **more: Any) -> view.Section:
    return view.Section(blocks=blocks, heading=line(heading), rank=0, **more)


def screen(*sections: view.Section, width: int = 80, **more: Any) -> list[str]:
    shown = view.View(sections)
    return terminal.write(shown, width=width, **({"color": False} | more)).splitlines()


def table(columns: list[view.Column], *rows: view.Row) -> view.Table:
    return view.Table(columns=tuple(columns), rows=rows)


def row(*cells: view.Cell | str, **more: Any) -> view.Row:
    made = tuple(line(cell) if isinstance(cell, str) else cell for cell in cells)
    return view.Row(cells=made, **more)


TEXT, NUMBER = view.Column(head="name"), view.Column(head="MB", kind=Kind.FIGURE)

# --------------------------------------------------------------------------- sections


def test_a_verdict_stands_at_both_ends_unless_it_is_all() -> None:
    verdict = view.Verdict(status=Status.FAIL, word="OVER", sentence="701M of 500M")
    body = section(view.Paragraph((line("x"),)))
    assert screen(section(verdict), body) == [
        "✗ OVER: 701M of 500M", "", "x", "", "✗ OVER: 701M of 500M",
    ]  # fmt: skip
    assert screen(section(verdict)) == ["✗ OVER: 701M of 500M"]
    assert screen(section(verdict, view.Paragraph((line("x"),)))) == [
        "✗ OVER: 701M of 500M", "", "x", "", "✗ OVER: 701M of 500M",
    ]  # fmt: skip


def test_a_heading_stands_above_once_or_in_the_tables_first_head() -> None:
    assert screen(section(view.Paragraph((line("a"), line("b"))), heading="head")) == [
        "head", "a", "b",
    ]  # fmt: skip
    quiet = section(view.Paragraph((line("a"),)), heading="head", quiet=True)
    assert screen(quiet) == ["a"]
    shown = table([TEXT, NUMBER], row("x", "1.0"))
    assert screen(section(shown, heading="sizes")) == ["sizes   MB", "x      1.0"]
    assert screen(section(shown)) == ["name   MB", "x     1.0"]
    marked = table([view.Column(head="?", kind=Kind.MARK), TEXT], row("x", "a"))
    assert screen(section(marked, heading="list"))[0].split() == ["?", "list"]
    both = section(view.Paragraph((line("a"),)), shown, heading="head")
    assert screen(both)[:3] == ["head", "a", "name   MB"]


def test_fixes_have_an_empty_line_between() -> None:
    fix = view.Fix(
        severity=FindingSeverity.WARNING, sentence="s", facts=(Span("f"), Span("g")),
        lines="x==1\n  y==2",
    )  # fmt: skip
    first = ["! warning: s", "  f · g", "      x==1", "        y==2"]
    assert screen(section(fix, fix)) == [*first, "", *first]


def test_a_line_of_a_fix_is_never_wrapped_and_a_sentence_is() -> None:
    fix = view.Fix(
        severity=FindingSeverity.ERROR, sentence="word " * 12, facts=(), lines="z" * 60
    )  # fmt: skip
    lines = screen(section(fix), width=40)
    assert f"      {'z' * 60}" in lines
    assert max(len(text) for text in lines if "word" in text) <= 40


# --------------------------------------------------------------------------- subjects and lists


@pytest.mark.parametrize(("width", "lines"), [(18, 1), (17, 2)])
def test_a_subject_takes_one_line_where_it_fits(width: int, lines: int) -> None:
    subject = view.Subject(name="r.txt", facts=("Heroku", "3"), run=())
    shown = screen(section(subject), width=width)
    whole = ["r.txt → Heroku · 3"] if lines == 1 else ["r.txt", "→ Heroku · 3"]
    assert shown == whole
    run = view.Subject(name="r", facts=("h",), run=("1 s", "2 MB"))
    assert screen(section(run)) == ["r → h", "1 s · 2 MB"]
    assert screen(section(run), unicode=False) == ["r -> h", "1 s - 2 MB"]


def test_points_have_marks_and_lines_below_in_their_indent() -> None:
    items = view.Items(
        (
            view.Item(text=line("plain"), below=(line("below"),)),
            view.Item(text=line("bad"), mark=Status.FAIL),
            view.Item(text=line("wide"), mark="->", below=(line("under"),)),
        )
    )
    assert screen(section(items)) == [
        "· plain", "  below", "✗ bad", "-> wide", "   under",
    ]  # fmt: skip


def test_what_is_missing_is_grouped_by_its_reason() -> None:
    rows = tuple(
        view.Missing(name=name, place=place, remark=remark, reason=reason)
        for name, place, remark, reason in (
            ("a", "r.txt:1", "", "no index"), ("b", "", "accepted", "no wheel"),
            ("c", "", "", "no index"),
        )
    )  # fmt: skip
    assert screen(section(view.MissingList(rows))) == [
        "? a (r.txt:1), c", "  no index", "? b accepted", "  no wheel",
    ]  # fmt: skip


def test_a_listing_keeps_its_lines() -> None:
    listing = section(view.Listing("- a\n+ b\n\n  c", "diff"))
    assert screen(listing)[:2] == ["- a", "+ b"]
    assert "\x1b[31m- a\x1b[0m" in screen(listing, color=True)
    assert "\x1b[32m+ b\x1b[0m" in screen(listing, color=True)


# --------------------------------------------------------------------------- columns


def test_figures_stand_to_the_right_and_names_fold() -> None:
    shown = table([TEXT, NUMBER, NUMBER], row("a" * 30, "1.0", "22.0"), row("b", "333.0", "4.0"))
    assert screen(section(shown), width=30) == [
        "name                  MB    MB",
        "aaaaaaaaaaaaaaaaa    1.0  22.0",
        "aaaaaaaaaaaaa",
        "b                  333.0   4.0",
    ]


def test_a_column_for_wide_screens_needs_that_width() -> None:
    wide = view.Column(head="wide", wide_only=60)
    shown = section(table([TEXT, wide], row("a", "b")))
    assert "wide" in screen(shown, width=60)[0]
    assert "wide" not in screen(shown, width=59)[0]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (60, "one, two, three"), (35, "one, two, three"), (34, "one, two, +1"),
        (30, "one, two, +1"), (29, "one, +2"),
    ],
)  # fmt: skip
def test_as_many_names_as_fit(width: int, text: str) -> None:
    columns = [TEXT, view.Column(head="by", kind=Kind.NAMES)]
    cells = row("a-name-of-18-chars", Names(("one", "two", "three")))
    first = screen(section(table(columns, cells)), width=width)[1]
    assert first.endswith(f"  {text}")


def test_a_first_name_that_does_not_fit_is_its_short_one_in_every_row() -> None:
    columns = [view.Column(head="candidate", kind=Kind.NAMES), NUMBER]
    long = Names(("services/requirements_heroku.txt",), Style.STRONG, short="…heroku.txt")
    other = Names(("services/requirements.txt",), Style.STRONG, short="….txt")
    shown = section(table(columns, row(long, "1.0"), row(other, "2.0")))
    assert [text.split()[0] for text in screen(shown, width=60)[1:]] == [
        "services/requirements_heroku.txt", "services/requirements.txt",
    ]  # fmt: skip
    assert [text.split()[0] for text in screen(shown, width=30)[1:]] == ["…heroku.txt", "….txt"]


@pytest.mark.parametrize(
    ("names", "columns", "text"),
    [
        (("alpha", "beta", "gamma"), 18, "alpha, beta, gamma"),
        (("alpha", "beta", "gamma"), 17, "alpha, beta, +1"),
        (("alpha", "beta", "gamma"), 15, "alpha, beta, +1"),
        (("alpha", "beta", "gamma"), 14, "alpha, +2"),
        (("alpha", "beta"), 9, "alpha, +1"),
        (("alpha", "beta"), 3, "alpha, +1"),
        ((), 3, ""),
    ],
)
def test_names_that_fit(names: tuple[str, ...], columns: int, text: str) -> None:
    assert terminal._fitting(names, columns) == text


@pytest.mark.parametrize(
    ("text", "columns", "cut"),
    [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef, +12", 10, "abcd…, +12"),
        ("abcdef, +x", 6, "abcde…"), ("abcdef", 0, "…"), ("123456", 5, "1234…"),
    ],
)  # fmt: skip
def test_a_text_that_is_too_long_keeps_its_count(text: str, columns: int, cut: str) -> None:
    signs = terminal.Signs(unicode=True)
    assert terminal._cut(Text(text), columns, signs).plain == cut
    plain = terminal._cut(Text("abcdefgh"), 6, terminal.Signs(unicode=False))
    assert plain.plain == "abc..."


def test_figures_with_intervals_are_aligned() -> None:
    shown = table(
        [TEXT, NUMBER],
        row("a", view.Figure("1.0", "±12 %")), row("b", view.Figure("22.0", "±3 %")),
        row("c", view.Figure("3.0")), row("d", view.Figure("")),
    )  # fmt: skip
    assert screen(section(shown))[1:] == [
        "a      1.0 ±12 %", "b     22.0  ±3 %", "c      3.0", f"d        {DASH}",
    ]  # fmt: skip


def test_rules_notes_depth_and_hints() -> None:
    ruled = table([TEXT, NUMBER], row("a", "1.0"), row("total", "1.0", rule=True))
    lines = screen(section(ruled))
    assert len(lines) == 5
    assert set(lines[1]) == set(lines[3]) == {"─"}
    assert {sign for text in screen(section(ruled), unicode=False)[1::2] for sign in text} == {"-"}
    noted = table(
        [TEXT, NUMBER], row("a", "1.0", notes=(line("first"), line("second"))), row("b", "2.0")
    )
    assert screen(section(noted)) == [
        "name   MB",
        "a     1.0",
        "   first",
        "   second",
        "b     2.0",
    ]
    deep = table([TEXT, NUMBER], row("a", "1.0"), row("b", "2.0", depth=1, hint="see --all"))
    assert screen(section(deep))[2] == "  b   see --all"


def test_cells_of_every_kind() -> None:
    cells: tuple[view.Cell, ...] = (
        view.Share(0.5), view.Share(0.5, 0.2), view.Mark("=", "same"),
        view.Graded(Status.WARN, "12M"), view.Stacked((line("a"), line("b"))),
    )  # fmt: skip
    columns = [view.Column(kind=Kind.STATE) for _ in cells]
    first, second = screen(section(table(columns, row(*cells))))[1:]
    assert first.split("  ")[0] == "█████"
    assert "  50 %" in first
    assert "██▒▒▒" in first
    assert first.endswith("=  ! 12M  a")
    assert second.strip() == "b"


# --------------------------------------------------------------------------- budgets


def bar(name: str, status: Status | None, *, beside: tuple[view.Bar, ...] = ()) -> view.Bar:
    return view.Bar(
        name=name, sentence=f"of {name}", status=status, figure=Estimate.measured(50), limit=100,
        beside=beside,
    )  # fmt: skip


def test_budgets_stand_in_columns_with_what_is_beside_below() -> None:
    beside = (
        view.Bar(name="cap", sentence="within the cap", status=Status.PASS),
        view.Bar(name="open", sentence="unknown"),
    )
    bars = view.Bars((bar("slug", Status.UNKNOWN, beside=beside), bar("boot", None)))
    assert screen(section(bars), width=60) == [
        "slug  ███████▒▒▒▒▒▒▒  UNKNOWN  of slug",
        "      ✓ within the cap",
        "      ? unknown",
        "boot  of boot",
    ]


@pytest.mark.parametrize(("width", "columns"), [(40, 12), (52, 12), (56, 13), (124, 30), (160, 30)])
def test_a_bar_is_a_quarter_of_the_rest_within_bounds(width: int, columns: int) -> None:
    (text,) = screen(section(view.Bars((bar("slug", Status.PASS),))), width=width)[:1]
    assert text.count("█") + text.count("░") == columns


@pytest.mark.parametrize(
    ("value", "low", "high", "status", "drawn"),
    [
        (0, 0, 0, Status.PASS, "░░░░░░░░░░"), (1, 1, 1, Status.PASS, "█░░░░░░░░░"),
        (50, 40, 70, Status.PASS, "█████▒▒░░░"), (99, 99, 99, Status.PASS, "█████████░"),
        (100, 100, 100, Status.PASS, "██████████"), (50, 40, 500, Status.UNKNOWN, "█████▒▒▒▒▒"),
        (50, 50, 100, Status.UNKNOWN, "█████▒▒▒▒▒"), (50, 50, 60, Status.UNKNOWN, "█████▒▒▒▒▒"),
        (50, 50, 60, Status.FAIL, "█████▒░░░░"), (125, 125, 125, Status.FAIL, "████████┃█"),
    ],
)  # fmt: skip
def test_a_budget_bar(value: int, low: int, high: int, status: Status, drawn: str) -> None:
    figure = Estimate.predicted(value, low, high)
    assert budget_bar(figure, 100, status, columns=10, unicode=True).plain == drawn
    plain = budget_bar(figure, 100, status, columns=10, unicode=False).plain
    assert plain == drawn.translate(str.maketrans("█▒░┃", "#?.|"))


def test_a_budget_bar_of_nothing_and_its_colours() -> None:
    assert budget_bar(Estimate.measured(0), 0, Status.PASS, columns=3, unicode=True).plain == "░░░"
    over = budget_bar(Estimate.measured(9), 5, Status.FAIL, columns=9, unicode=True)
    assert {str(span.style) for span in over.spans} == {"bold red"}
    assert str(over.style) == "red"
    warned = budget_bar(Estimate.measured(1), 5, Status.WARN, columns=9, unicode=True)
    assert {str(span.style) for span in warned.spans} >= {"dim"}


@pytest.mark.parametrize(
    ("share", "unicode", "drawn"),
    [
        (0.0, True, "    "), (0.03, True, "▏   "), (0.5, True, "██  "), (0.53, True, "██▏ "),
        (1.0, True, "████"), (1.5, True, "████"), (-0.5, True, "    "),
        (0.5, False, "##  "), (0.1, False, "    "), (1.0, False, "####"),
    ],
)  # fmt: skip
def test_a_share(share: float, unicode: bool, drawn: str) -> None:
    assert share_bar(share, columns=4, unicode=unicode) == drawn


@pytest.mark.parametrize(
    ("part", "whole", "drawn"),
    [(0.25, 0.5, "█▒  "), (0.5, 0.5, "██  "), (0.0, 0.5, "▒▒  "), (2.0, 2.0, "████"),
     (0.5, 0.2, "██  "), (0.01, 0.02, "█   ")],
)  # fmt: skip
def test_a_part_of_a_share(part: float, whole: float, drawn: str) -> None:
    assert nested_bar(part, whole, columns=4, unicode=True).plain == drawn
    plain = nested_bar(part, whole, columns=4, unicode=False).plain
    assert plain == drawn.translate(str.maketrans("█▒", "#-"))


# --------------------------------------------------------------------------- streams and styles


def test_ascii_has_words_for_every_sign() -> None:
    text = (Span(f"± → … {DASH} · † é"),)
    assert screen(section(view.Paragraph((text,))), unicode=False) == ["+- -> ... - - * \\xe9"]
    signs = [terminal.Signs(unicode=False).status(status) for status in Status]
    assert signs == ["+", "!", "x", "?"]
    assert [terminal.Signs(unicode=True).status(status) for status in Status] == list("✓!✗?")
    severities = [terminal.Signs(unicode=True).severity(s) for s in FindingSeverity]
    assert severities == ["✗", "!", "·"]
    plain = [terminal.Signs(unicode=False).severity(s) for s in FindingSeverity]
    assert plain == ["x", "!", "-"]


def test_blanks_between_spans_stay_and_ends_are_trimmed() -> None:
    spans = (Span("a "), Span("b"), Span(" c "), Span("  "), Span("d "))
    assert screen(section(view.Paragraph((spans,)))) == ["a b c  d"]


def test_styles_are_colours_only_where_there_is_colour() -> None:
    spans = (Span("good", Style.GOOD), Span(" bad", Style.BAD), Span(" x", Style.PLAIN))
    shown = section(view.Paragraph((spans,)))
    assert screen(shown) == ["good bad x"]
    assert screen(shown, color=True) == ["\x1b[32mgood\x1b[0m\x1b[31m bad\x1b[0m x"]
    strong = section(view.Paragraph((line("x"),)), heading="head")
    assert screen(strong, color=True)[0] == "\x1b[1mhead\x1b[0m"


def test_every_line_is_within_the_width() -> None:
    columns = [TEXT, NUMBER, view.Column(head="by", kind=Kind.NAMES)]
    rows = [
        row(f"{'n' * (5 * n)}", f"{n * 1.5:.1f}", Names(tuple("p" * n for _ in range(n))))
        for n in range(1, 9)
    ]
    for width in (40, 60, 80):
        for text in screen(section(table(columns, *rows)), width=width):
            assert cell_len(text) <= width
            assert text == text.rstrip()
