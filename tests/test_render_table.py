"""The screen: what a developer sees at one glance, and that nothing in a report can spoil it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from slugcheck.model import Estimate, FindingSeverity, Report, Severity, Status
from slugcheck.policy import budgets
from slugcheck.render import terminal, wording
from slugcheck.render.terminal import budget_bar, share_bar
from slugcheck.render.view import DASH
from slugcheck.render.views import check
from slugcheck.text import inert
from tests.support import apps, cases, reports

ANSI = re.compile(r"\x1b\[[0-9;]*m")
# of a crowd, as many rows as differ in more than their figures
ALL_ROWS: dict[str, Callable[[], Report]] = {
    **cases.CASES,
    "crowd": partial(cases.crowd, 40),
}


def screen(
    report: Report,
    *,
    width: int = 80,
    color: bool = False,
    all_rows: bool = False,
    unicode: bool = True,
) -> str:
    view = check.view(report, all_rows=all_rows)
    text = terminal.write(view, width=width, color=color, unicode=unicode)
    return inert(text, "table")


@cache
def shown(case: str, **options: Any) -> str:
    """The screen of a case, which several tests look at."""
    return screen(cases.CASES[case](), **options)


def row(text: str, name: str) -> str:
    """The first line that begins with a name."""
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def last_line(report: Report) -> str:
    return screen(report, width=240).splitlines()[-1]


# --------------------------------------------------------------------------- golden screens


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("case", cases.CASES)
def test_the_screen_looks_as_it_was_approved(case: str, width: int) -> None:
    reports.assert_golden(f"table-{case}-{width}.txt", shown(case, width=width))


@pytest.mark.parametrize(("case", "width"), [("source", 80), ("hostile", 60)])
def test_the_ascii_screen_looks_as_it_was_approved(case: str, width: int) -> None:
    text = shown(case, width=width, unicode=False)
    reports.assert_golden(f"table-{case}-{width}-ascii.txt", text)


@pytest.mark.parametrize("case", cases.CASES)
def test_colour_adds_nothing_but_colour(case: str) -> None:
    colored = shown(case, width=80, color=True)
    assert colored != shown(case, width=80)
    assert ANSI.sub("", colored) == shown(case, width=80)


# --------------------------------------------------------------------------- every screen


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("case", cases.CASES)
def test_no_line_is_wider_than_asked_but_those_of_a_fix(case: str, width: int) -> None:
    report = ALL_ROWS[case]()
    fixes = {line.strip() for finding in report.findings for line in finding.fix.splitlines()}
    for line in screen(report, width=width, all_rows=True).splitlines():
        assert cell_len(line) <= width or line.strip() in fixes, line
        assert line == line.rstrip()


@pytest.mark.parametrize("case", cases.CASES)
def test_without_unicode_every_character_is_ascii(case: str) -> None:
    assert screen(cases.CASES[case](), unicode=False).isascii()
    assert screen(ALL_ROWS[case](), unicode=False, all_rows=True).isascii()


@pytest.mark.parametrize("case", cases.CASES)
def test_the_surroundings_change_nothing(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    report = cases.CASES[case]()
    before = shown(case, width=80, color=True), shown(case, width=80)
    for name, value in {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "40", "LINES": "3"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert (screen(report, color=True), screen(report)) == before


# --------------------------------------------------------------------------- the conclusion


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("onnx", "✓ FITS Heroku: 137.4M of 500M, 362.6M left"),
        (
            "cuda",
            "✗ OVER BUDGET: 3.1G of 500M (and over Heroku's own limit of 1000M: the push will be "
            "rejected); fix: see 'to fix' above",
        ),
        (
            "functions",
            "✗ OVER BUDGET: 361.6M of 250M; next: slugcheck why opencv-python-headless "
            "requirements.txt --platform functions --python 3.11",
        ),
        ("empty", "✓ NO LIMIT SET: 0M in total"),
    ],
)
def test_the_last_line_says_it_all(case: str, line: str) -> None:
    assert last_line(cases.CASES[case]()) == line


@pytest.mark.parametrize("case", cases.CASES)
def test_the_first_line_is_the_verdict_as_well(case: str) -> None:
    lines = shown(case, width=140).splitlines()
    first = lines[0]
    assert "\n".join(lines).rpartition("\n\n")[2].replace("\n ", "").startswith(first)
    assert wording.conclusion(cases.CASES[case]()).sentence.split(";")[0] in first


def test_the_last_line_names_what_could_not_be_sized() -> None:
    line = last_line(cases.source())
    assert line.startswith("? UNKNOWN: 80M of 500M, but 3 packages")
    assert "could not be sized: mylib, pywin32 and pywinpty; see" in line


def test_a_figure_on_the_edge_cannot_be_called() -> None:
    near = reports.distribution("large", slug=500_000_000)
    line = last_line(reports.report([near], percent=5.0))
    assert line.startswith("? UNKNOWN: 497.6M of 500M is too close to call")
    command = "slugcheck check requirements.txt --python 3.11 --verify"
    assert line.endswith(f"; measure it: {command}")


def test_an_error_to_mend_is_not_passed_over_in_a_fit() -> None:
    wasteful = reports.finding("cuda-on-cpu", FindingSeverity.ERROR, "x", "2 GB of CUDA", "y")
    report = reports.report(reports.measured("onnx"), findings=(wasteful,))
    assert last_line(report).startswith("! FITS Heroku")
    assert last_line(report).endswith("left; fix 1 error first; see 'to fix' above")


def test_an_app_that_fails_at_boot_does_not_fit() -> None:
    broken = reports.finding("opencv-gui", FindingSeverity.ERROR, "x", "import cv2 fails", "y")
    report = reports.report(reports.measured("onnx"), findings=(broken,))
    assert last_line(report).endswith("WILL FAIL: import cv2 fails; fix: y")


@pytest.mark.parametrize("case", cases.CASES)
def test_the_last_line_and_the_exit_code_agree(case: str) -> None:
    report = cases.CASES[case]()
    statuses = {0: Status.PASS, 1: Status.FAIL, 3: Status.UNKNOWN}
    assert wording.conclusion(report).status is statuses[budgets.exit_code(report)]


# --------------------------------------------------------------------------- storage


@pytest.mark.parametrize(
    ("size", "rest", "in_git", "shown"),
    [
        (10_000_000, 20_000_000, Status.PASS, True),
        (9_999_999, 20_000_000, Status.PASS, False),  # a second to download
        (12_000_000, 300_000_000, Status.PASS, False),  # less than 5 % of the slug
        (12_000_000, 300_000_000, Status.FAIL, True),  # but it decides
        (9_999_999, 20_000_000, Status.FAIL, False),
    ],
)
def test_where_to_keep_models_is_said_where_it_matters(
    size: int, rest: int, in_git: Status, shown: bool
) -> None:
    report = apps.with_app(
        reports.report([reports.distribution("large", slug=rest)]),
        apps.app(),
        [apps.model("m.onnx", size, size)],
        (replace(apps.options()[0], status=in_git), *apps.options()[1:2]),
    )
    assert ("where to keep" in screen(report)) is shown


# --------------------------------------------------------------------------- rows


def test_the_largest_come_first_and_the_rest_is_one_line_with_its_sums() -> None:
    report = cases.onnx()
    lines = screen(report).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("sizes, MB")) + 2
    names = [line.split()[0] for line in lines[first : first + 6]]
    assert names == ["opencv-python-headless", "numpy", "sympy", "onnxruntime", "pillow", "mpmath"]
    assert lines[first + 6].split() == ["…", "19", "more", "2.0", "13.3", "4.0", "see", "--all"]


def test_all_rows_shows_every_distribution_and_every_part() -> None:
    report = cases.crowd()
    text = screen(report, width=140, all_rows=True)
    for one in report.sizes.distributions:
        assert f"{one.name} {one.distribution.version}" in text
    assert " more " not in text
    parts = screen(cases.onnx(), width=120, all_rows=True)
    assert row(parts, "setuptools")
    assert "runtime ±3 %: measured on" in row(parts, "Python 3.11")


def test_a_long_name_is_whole_at_every_width() -> None:
    name = "a-distribution-whose-name-has-exactly-sixty-characters-00000"
    for width in (60, 80, 120):
        lines = screen(cases.crowd(1), width=width).splitlines()
        assert name in "".join(re.split(r"\s{2,}", line)[0] for line in lines)


def test_one_row_more_is_shown_rather_than_folded_alone() -> None:
    rows = [reports.distribution(f"d{n}", slug=1000 - n) for n in range(13)]
    assert " more " not in screen(reports.report(rows))
    assert "… 2 more" in screen(reports.report([*rows, reports.distribution("d13", slug=1)]))


def test_extras_are_shown_and_never_taken_for_markup() -> None:
    uvicorn = reports.distribution("uvicorn", extras=("standard",), direct=True)
    assert "uvicorn[standard] 1.0" in screen(reports.report([uvicorn]))
    assert "[bold]x[/bold][standard,[red]]" in screen(cases.hostile(), width=120)


def test_who_needs_it_is_folded_to_what_fits() -> None:
    many = tuple(f"parent-{n}" for n in range(10))
    one = reports.distribution("child", direct=True, required_by=many)
    line = row(screen(reports.report([one]), width=120), "child")
    found = re.search(r"requirements.txt, parent-0.*, \+(\d+)$", line)
    assert found is not None, line
    assert line.count("parent-") + int(found[1]) == 10


def test_an_unknown_download_is_a_dash_in_the_row_and_in_the_total() -> None:
    known, unknown = reports.distribution("known"), reports.distribution("gone", download=None)
    text = screen(reports.report([known, unknown]))
    assert row(text, "known").split()[2] == "1.0"
    assert row(text, "gone").split()[2] == DASH
    assert row(text, "total").split()[1] == DASH


def test_predicted_figures_are_marked_each_where_some_are_measured() -> None:
    measured = reports.distribution("header-only", bytecode=0)
    text = screen(reports.report([measured, reports.distribution("usual")]))
    assert "~installed" not in text
    assert re.search(r"^usual 1.0 +1.0 +~2.9 ", text, re.MULTILINE)
    assert re.search(r"^header-only 1.0 +1.0 +2.5 ", text, re.MULTILINE)
    assert "~installed" in screen(reports.report([reports.distribution("usual")]))


def test_overlapping_files_are_subtracted_so_that_the_column_adds_up() -> None:
    text = screen(cases.cuda(), all_rows=True)
    assert re.search(rf"^overlap: 79 files +{DASH} +-75.3 +-28.1  counted once", text, re.MULTILINE)
    assert "nvidia-nvtx-cu12 overlap" not in text  # an empty __init__.py explains no figure


# --------------------------------------------------------------------------- verdicts


def test_what_the_platform_itself_says_stands_beneath_the_budget() -> None:
    lines = screen(cases.cuda()).splitlines()
    slug = next(n for n, line in enumerate(lines) if line.startswith("slug"))
    assert "FAIL  3149.4M of 500M, 2649.4M over (±2.0 %)" in lines[slug]
    beside = " ".join(lines[slug + 1 : slug + 3]).split()
    own = "✗ over Heroku's own limit of 1000M since 2026-03-19: the push will be rejected"
    assert " ".join(beside) == own
    assert "Heroku warns" not in "\n".join(lines)  # what is rejected never boots
    assert not any(line.startswith("heroku-") for line in lines)


def test_what_was_not_measured_is_said_so() -> None:
    for budget_name in ("boot", "ram"):
        assert re.search(rf"^{budget_name}  +not known: none ", screen(cases.onnx()), re.MULTILINE)


def test_a_budget_of_the_same_figure_that_gates_has_its_own_line() -> None:
    limits = (
        reports.HEROKU_LIMITS[0],
        reports.limit("mine", "slug", 200 * 2**20, "200M", Severity.FAIL),
    )
    text = screen(reports.report(reports.measured("onnx"), limits=limits))
    assert re.search(r"^mine .*PASS  137.4M of 200M", text, re.MULTILINE)


def bar(value: int, low: int, high: int, status: Status = Status.PASS) -> str:
    figure = Estimate.predicted(value, low, high)
    return budget_bar(figure, 100, status, columns=10, unicode=True).plain


def test_a_bar_shows_use_doubt_and_room() -> None:
    assert bar(50, 40, 70) == "█████▒▒░░░"
    assert bar(0, 0, 0) == "░░░░░░░░░░"
    assert bar(1, 1, 1) == "█░░░░░░░░░"
    assert bar(99, 99, 99) == "█████████░"
    assert bar(100, 100, 100) == "██████████"


def test_a_bar_beyond_the_limit_shows_where_the_limit_lies() -> None:
    assert bar(101, 101, 101, Status.FAIL) == "█████████┃"
    assert bar(200, 190, 210, Status.FAIL) == "█████┃████"
    assert bar(100_000, 1, 1, Status.FAIL) == "█┃████████"


def test_a_bar_without_an_upper_end_is_doubtful_to_its_end() -> None:
    assert bar(20, 20, 30, Status.UNKNOWN) == "██▒▒▒▒▒▒▒▒"


def test_a_share_is_drawn_to_an_eighth() -> None:
    assert share_bar(0.5, columns=4, unicode=True) == "██  "
    assert share_bar(0.53125, columns=4, unicode=True) == "██▏ "
    assert share_bar(2.0, columns=4, unicode=True) == "████"


# --------------------------------------------------------------------------- the other sections


def test_the_lines_of_a_fix_can_be_copied() -> None:
    report = cases.cuda()
    lines = screen(report, width=60).splitlines()
    for finding in report.findings:
        fix = [f"      {line}" for line in finding.fix.splitlines()]
        first = lines.index(fix[0])
        assert lines[first : first + len(fix)] == fix


def test_a_finding_says_what_it_saves_where_it_is_and_its_code() -> None:
    text = screen(cases.cuda(), width=120)
    assert "saves 3,456.0 MB installed, 1992.9M of slug · requirements.txt:3 · cuda-on-cpu" in text


def test_what_could_not_be_sized_has_its_place_and_reason() -> None:
    text = screen(cases.source(), width=120)
    assert "? mylib (requirements.txt:8)\n  it comes from a version control system" in text
    both = "? pywin32 306 (requirements.txt:5), pywinpty 2.0.13 (requirements.txt:6)"
    assert f"{both}\n  {cases.WINDOWS}\n" in text


def test_what_was_accepted_is_still_listed() -> None:
    gone = reports.missing("mylib", None, cases.GIT, 8)
    report = reports.report(reports.measured("onnx"), unsized=(gone,), allowed=("mylib",))
    assert "? mylib (requirements.txt:8) accepted" in screen(report)
    assert "✓ FITS Heroku" in screen(report)


def test_builds_from_source_are_marked_and_explained() -> None:
    text = screen(cases.source(), width=120)
    assert re.search(r"^psycopg2 2.9.9 †", text, re.MULTILINE)
    assert "† psycopg2 is built from source on the platform (C built by its setup.py)" in text
    assert "sized from its wheel for cp311, -60/+60 %" in text
    assert "† built from source without compiling: sklearn" in text


def test_contributors_tell_what_a_line_frees_from_what_it_shares() -> None:
    lines = screen(cases.cuda()).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("largest contributors"))
    torch = [line for line in lines[start:] if line.startswith("torch ")]
    assert torch[0].split()[-3:] == ["913.0", DASH, "shared"]
    assert torch[1].split()[-2:] == ["3,031.0", DASH]
    ultralytics = next(line for line in lines[start:] if line.startswith("ultralytics "))
    assert ultralytics.split()[-5:] == ["190.4", "and", "16", "more", "packages"]


def test_the_lack_of_large_contributors_is_reported() -> None:
    assert "no requirement accounts for 2 % of the slug" in screen(cases.crowd())


def test_the_header_says_where_the_python_comes_from() -> None:
    assert "Python 3.11.16 (default)" in screen(cases.source())


def test_nothing_from_outside_steers_the_terminal_or_the_ci() -> None:
    for width in (60, 80, 120):
        text = screen(cases.hostile(), width=width)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
        colored = screen(cases.hostile(), width=width, color=True)
        assert not re.search(r"[\x00-\x09\x0b-\x1a\x1c-\x1f\u202e]|\x1b(?!\[[0-9;]*m)", colored)
        for line in text.splitlines():
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
        assert "s3cret" not in text


def test_the_picture_has_only_our_own_colours() -> None:
    styles = {
        str(span.style)
        for line in screen(cases.hostile(), color=True).splitlines()
        for span in Text.from_ansi(line).spans
    }
    assert len(styles) < 30
