"""What is shown of several targets, in every form, and that nothing in a report can spoil it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import xmlschema
from rich.cells import cell_len

from slugcheck.model import (
    AfterFix,
    BundleKind,
    Estimate,
    FindingSeverity,
    Obstacle,
    Report,
    Status,
    Transfer,
)
from slugcheck.model.document.saved import dumps
from slugcheck.model.matrix import Matrix, Outcome, TargetResult
from slugcheck.model.to_document.matrix import matrix_document
from slugcheck.policy.budgets import exit_code
from slugcheck.render import github, junit, markdown, sarif, targets, terminal
from slugcheck.render.place import Place
from slugcheck.render.views import matrix as views
from slugcheck.text import inert
from tests.support import cases, ci, reports
from tests.support.schemas import held

DATA = Path(__file__).parent / "data"
PLACE = Place(cwd="/repo", root="/repo")
OUTCOMES = {0: Outcome.FITS, 1: Outcome.FAILS, 3: Outcome.UNKNOWN}


def on(platform: str, python: str, report: Report) -> TargetResult:
    """A target with a report."""
    code = exit_code(report)
    title = report.sizes.target.platform.title
    return TargetResult(
        platform=platform, title=title, python=python, outcome=OUTCOMES[code], exit_code=code,
        report=report,
    )  # fmt: skip


def without(platform: str, python: str, problem: str, *, impossible: bool = True) -> TargetResult:
    """A target without one."""
    return TargetResult(
        platform=platform, title=platform.title(), python=python,
        outcome=Outcome.IMPOSSIBLE if impossible else Outcome.UNKNOWN,
        exit_code=2 if impossible else 3, problem=problem, hint="use 3.12",
    )  # fmt: skip


def matrix(*results: TargetResult, path: str = "requirements.txt") -> Matrix:
    decisive = {result.exit_code for result in results if result.outcome is not Outcome.IMPOSSIBLE}
    return Matrix(
        path=path, targets=results, exit_code=next((c for c in (1, 3) if c in decisive), 0),
        transfer=Transfer(requests=85, bytes=2_021_673, cached=19), seconds=2.345,
        tool_version="0.1.0",
    )  # fmt: skip


def functions(report: Report, title: str = "Functions") -> Report:
    """The same report for a platform that counts unpacked files."""
    rows = [row.distribution.name for row in report.sizes.distributions]
    place = reports.target(title=title, kind=BundleKind.UNZIPPED)
    own = reports.report(
        report.sizes.distributions, on=place, parts=(), findings=report.findings, percent=1.0
    )
    assert rows == [row.distribution.name for row in own.sizes.distributions]
    return replace(own, path=report.path, obstacles=report.obstacles)


def fits() -> Matrix:
    """Fits where it can be."""
    return matrix(
        on("heroku", "3.11", cases.onnx()),
        on("heroku", "3.12", cases.onnx()),
        without("functions", "3.11", "Functions does not offer Python 3.11 (--python)"),
        on("google-cloud-functions", "3.12", cases.empty()),
    )


def mixed() -> Matrix:
    """One of each: over budget, in part for the same reason, unknown, and without a report."""
    return matrix(
        on("heroku", "3.11", cases.cuda()),
        on("heroku", "3.12", cases.source()),
        on("functions", "3.11", functions(cases.cuda())),
        on("functions", "3.12", functions(cases.onnx())),
        without("fly", "3.11", "the index cannot be reached", impossible=False),
        on("fly", "3.12", cases.onnx()),
    )


def hostile() -> Matrix:
    """Every text from outside tries to be more than text."""
    report = cases.hostile()
    bad = "::error::\x1b[31mred\x1b[0m https://user:s3cret@host.example/ </details> |"
    return matrix(
        on("heroku", "3.11", report),
        on("functions", "3.11", functions(report, "F|<b>")),
        without("fly", "3.11", bad, impossible=False),
        path=report.path,
    )


MATRICES = {"fits": fits, "mixed": mixed, "hostile": hostile}


def screen(shown: Matrix, *, width: int = 80, verbose: bool = False, unicode: bool = True) -> str:
    view = views.view(shown, verbose=verbose)
    return inert(terminal.write(view, width=width, color=False, unicode=unicode), "table")


# --------------------------------------------------------------------------- golden screens


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("case", MATRICES)
def test_the_screen_looks_as_it_was_approved(case: str, width: int) -> None:
    reports.assert_golden(f"matrix-{case}-{width}.txt", screen(MATRICES[case](), width=width))


def test_the_page_looks_as_it_was_approved() -> None:
    text = markdown.write(views.view(mixed()))
    reports.assert_golden("matrix-mixed.md", text)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("case", MATRICES)
def test_no_line_is_wider_than_asked_but_those_of_a_fix(case: str, width: int) -> None:
    shown = MATRICES[case]()
    fixes = {
        line.strip()
        for _, report in shown.reports
        for finding in report.findings
        for line in finding.fix.splitlines()
    }
    for line in screen(shown, width=width, verbose=True).splitlines():
        assert cell_len(line) <= width or line.strip() in fixes, line


@pytest.mark.parametrize("case", MATRICES)
def test_without_unicode_every_character_is_ascii(case: str) -> None:
    assert screen(MATRICES[case](), unicode=False, verbose=True).isascii()


# --------------------------------------------------------------------------- the conclusion


def first_line(*results: TargetResult) -> str:
    outcome = targets.conclusion(matrix(*results))
    return f"{outcome.word}: {outcome.sentence}".removesuffix(": ")


FITTING, OVER, UNSURE = cases.onnx(), cases.cuda(), cases.source()


@pytest.mark.parametrize(
    ("results", "said"),
    [
        (
            [on("heroku", "3.11", FITTING), on("fly", "3.11", FITTING)],
            "FITS both targets: the tightest is heroku, 137.4M of 500M, 362.6M left",
        ),
        (
            [on("heroku", "3.11", FITTING), on("heroku", "3.12", OVER)],
            "OVER BUDGET on 1 of 2 targets: Python 3.12",
        ),
        (
            [
                on("heroku", "3.11", FITTING), on("heroku", "3.12", OVER),
                on("fly", "3.11", FITTING), on("fly", "3.12", OVER),
            ],
            "OVER BUDGET on 2 of 4 targets: Python 3.12",
        ),
        (
            [
                on("heroku", "3.11", OVER), on("heroku", "3.12", OVER),
                on("fly", "3.11", FITTING), on("fly", "3.12", OVER),
            ],
            "OVER BUDGET on 3 of 4 targets: heroku and fly (3.12)",
        ),
        (
            [on("heroku", "3.11", UNSURE), on("fly", "3.11", OVER)],
            "OVER BUDGET on 1 of 2 targets: fly; UNKNOWN: heroku",
        ),
        (
            [on("heroku", "3.11", FITTING), without("fly", "3.11", "away", impossible=False)],
            "UNKNOWN on 1 of 2 targets: fly",
        ),
        (
            [on("heroku", "3.11", FITTING), without("fly", "3.11", "not offered")],
            "FITS 1 of 2 targets: not offered: fly",
        ),
        (
            [without(name, "3.11", "away", impossible=False) for name in ("heroku", "fly")],
            "UNKNOWN on both targets: away",
        ),
    ],
)  # fmt: skip
def test_the_first_line_says_how_many_and_which(results: list[TargetResult], said: str) -> None:
    assert first_line(*results) == said


@pytest.mark.parametrize("case", MATRICES)
def test_the_first_line_and_the_exit_code_agree(case: str) -> None:
    shown = MATRICES[case]()
    statuses = {0: Status.PASS, 1: Status.FAIL, 3: Status.UNKNOWN}
    assert targets.conclusion(shown).status is statuses[shown.exit_code]
    lines = screen(shown, width=140).splitlines()
    assert lines[-1].startswith(lines[0].split(":")[0]) or lines[0] in "\n".join(lines[-3:])


def test_an_error_to_fix_is_not_passed_over_in_a_fit() -> None:
    wasteful = reports.finding("cuda-on-cpu", FindingSeverity.ERROR, "x", "2 GB of CUDA", "y")
    report = reports.report(reports.measured("onnx"), findings=(wasteful,))
    outcome = targets.conclusion(matrix(on("heroku", "3.11", report), on("fly", "3.11", FITTING)))
    assert outcome.status is Status.WARN
    assert outcome.sentence.endswith("fix 1 error first")
    assert outcome.next_step == "see 'to fix' above"


# --------------------------------------------------------------------------- what targets share


def cuda(title: str, *, number: int = 13, status: Status = Status.PASS) -> Report:
    finding = reports.finding(
        "cuda-on-cpu", FindingSeverity.ERROR, "torch",
        f"torch requires {number} GPU-only packages, but {title} has no GPU", "torch==2+cpu",
    )  # fmt: skip
    after = AfterFix(bundle=Estimate[int].measured(9), status=status)
    place = reports.target(title=title)
    return reports.report((), on=place, findings=(replace(finding, after=after),))


def test_what_only_the_platforms_name_tells_apart_is_said_once() -> None:
    shown = screen(matrix(on("a", "3.11", cuda("Aah")), on("b", "3.11", cuda("Beh"))), width=120)
    assert shown.count("GPU-only") == 1
    assert "torch requires 13 GPU-only packages, but the platform has no GPU" in shown
    assert "all targets · then fits · requirements.txt:3" in shown


def test_what_has_the_same_fix_is_said_once_with_the_figures_of_the_first() -> None:
    shown = screen(
        matrix(
            on("a", "3.11", cuda("Aah", status=Status.FAIL)),
            on("b", "3.11", cuda("Beh", number=12)),
            on("c", "3.11", FITTING),
        ),
        width=120,
    )
    assert shown.count("GPU-only") == 1
    assert "torch requires 13 GPU-only packages, but Aah has no GPU" in shown
    assert "a and b · as on a · then still not within budget: a · requirements.txt:3" in shown


def test_obstacles_what_has_no_size_and_notes_name_their_targets() -> None:
    blocked = replace(
        FITTING,
        obstacles=(Obstacle(sentence="two lock files", fix="delete one"),),
        notes=("read with care",),
    )
    shown = screen(matrix(on("a", "3.11", blocked), on("b", "3.11", cases.source())), width=120)
    assert re.search(r"error: two lock files\n +a · fix: delete one", shown)
    assert "? mylib (requirements.txt:8) b\n" in shown
    assert "a: read with care" in shown


def test_a_reason_that_all_share_is_not_repeated_in_every_row() -> None:
    results = [without(name, "3.11", "away", impossible=False) for name in ("a", "b", "c")]
    assert screen(matrix(*results)).count("away") == 2  # the first line and the last


def test_whole_reports_follow_the_table_in_their_order() -> None:
    shown = mixed()
    plain, verbose = screen(shown, width=120), screen(shown, width=120, verbose=True)
    assert "largest contributors" not in plain
    assert verbose.count("largest contributors") == len(list(shown.reports))
    titles = [f"{t.platform}, Python {t.python}" for t, _ in shown.reports]
    places = [verbose.index(f"\n{title}\n") for title in titles]
    assert places == sorted(places)
    page = markdown.write(views.view(fits(), verbose=True))
    first = page.index("### Heroku, Python 3.11")
    assert first < page.index("### Sizes, MB", first) < page.index("### Heroku, Python 3.12")


# --------------------------------------------------------------------------- other forms


@pytest.mark.parametrize("case", MATRICES)
def test_the_document_is_as_its_schema_says(case: str) -> None:
    document = held(json.loads(dumps(matrix_document(MATRICES[case]()))))
    assert "s3cret" not in json.dumps(document)
    rows = [(row["platform"], row["python"], row["exit_code"]) for row in document["matrix"]]
    assert rows == [(t.platform, t.python, t.exit_code) for t in MATRICES[case]().targets]


@pytest.mark.parametrize("case", MATRICES)
def test_junit_has_a_suite_for_each_target(case: str) -> None:
    shown = MATRICES[case]()
    text = junit.render_matrix(shown)
    xmlschema.XMLSchema(str(DATA / "junit-10.xsd")).validate(text)
    root = ET.fromstring(text)
    suites = root.findall("testsuite")
    assert len(suites) == len(shown.targets)
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    own = {name for name, _ in names}
    assert all(re.match(r"slugcheck\.[\w-]+-py3\d+\.", name or "") for name in own)
    for count in ("tests", "failures", "errors"):
        sums = [int(suite.get(count, "")) for suite in suites]
        assert int(root.get(count, "")) == sum(sums)
    skipped = root.findall("testsuite/testcase[@name='not offered']/skipped")
    assert len(skipped) == len(shown.of(Outcome.IMPOSSIBLE))


def test_annotations_say_once_what_targets_share() -> None:
    same = reports.finding("placeholder", FindingSeverity.WARNING, "x", "a name", "y")
    report = reports.report(reports.measured("onnx"), findings=(same,))
    text = github.render_matrix(
        matrix(
            on("heroku", "3.11", report),
            on("heroku", "3.12", report),
            on("fly", "3.12", report),
            without("fly", "3.11", "away", impossible=False),
            without("functions", "3.11", "no such Python"),
        ),
        PLACE,
    )
    assert text.splitlines() == [
        "::error title=slugcheck%3A fly (3.11)%3A not measured::away%0Ause 3.12",
        "::warning file=requirements.txt,line=3,title=slugcheck%3A all targets%3A x%3A placeholder"
        "::a name%0Ay",
        "::notice title=slugcheck%3A functions%3A not offered::no such Python%0Ause 3.12",
        "slugcheck: UNKNOWN on 1 of 5 targets: fly (3.11)",
    ]


def test_sarif_has_a_run_of_its_own_category_for_each_target() -> None:
    document = json.loads(sarif.render_matrix(mixed(), PLACE))
    schema = json.loads((DATA / "sarif-2.1.0.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    runs = document["runs"]
    ids = [run["automationDetails"]["id"] for run in runs]
    assert ids == [f"slugcheck/{t.platform}/{t.python}/" for t in mixed().targets]
    assert runs[0]["results"][0]["message"]["text"].startswith("heroku, Python 3.11: ")
    missing = runs[4]["invocations"][0]
    assert missing["executionSuccessful"] is False
    notification = missing["toolExecutionNotifications"][0]
    assert notification["message"]["text"] == "the index cannot be reached\nuse 3.12"


def test_nothing_from_outside_is_a_command_or_a_secret_in_any_form() -> None:
    shown = hostile()
    forms = {
        "table": screen(shown, verbose=True),
        "markdown": markdown.write(views.view(shown, verbose=True)),
        "github": inert(github.render_matrix(shown, PLACE), "github"),
        "junit": inert(junit.render_matrix(shown), "junit"),
        "sarif": inert(sarif.render_matrix(shown, PLACE), "sarif"),
        "json": inert(dumps(matrix_document(shown)), "json"),
    }
    for form, text in forms.items():
        assert "s3cret" not in text, form
        assert "\x1b" not in text, form
        if form != "github":
            assert ci.commands(text) == [], form
