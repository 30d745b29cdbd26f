"""What CI systems read: each verdict, finding and obstacle arrives in each form, at its place."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slugcheck.model import (
    Estimate,
    Finding,
    FindingSeverity,
    Manager,
    Obstacle,
    Origin,
    Project,
    Report,
    Status,
    Unsized,
    Verdict,
)
from slugcheck.render import github, junit, sarif
from slugcheck.render.annotations import package_remarks, remarks
from slugcheck.render.formats import (
    CHECK_FORMATS,
    FORMATS,
    Look,
    outputs,
    render_report,
)
from slugcheck.render.place import Place
from tests.support import reports

PLACE = Place(cwd="/repo/app", root="/repo")
LOOK = Look(width=80, color=False, unicode=True, all_rows=False, place=PLACE)
ERROR, WARNING, INFO = FindingSeverity.ERROR, FindingSeverity.WARNING, FindingSeverity.INFO


def verdict(budget: str, status: Status, *, gates: bool = True, subject: str = "") -> Verdict:
    return Verdict(
        budget=budget, status=status, gates=gates, figure=Estimate.measured(5), limit=4,
        unit="bytes", limit_text="4", sentence=f"the sentence of {budget}", source=reports.SOURCE,
        subject=subject,
    )  # fmt: skip


VERDICTS = (
    verdict("slug", Status.FAIL),
    verdict("build", Status.UNKNOWN),
    verdict("installed", Status.PASS),
    verdict("heroku-warning", Status.WARN, gates=False),
    verdict("boot", Status.UNKNOWN, gates=False),
    verdict("package.numpy", Status.FAIL, subject="numpy"),
)
FINDINGS = (
    reports.finding("development-tools", INFO, "pytest", "not needed", "delete it"),
    reports.finding("cuda-on-cpu", ERROR, "torch", "GPU code", "torch==2+cpu\n--index x"),
    replace(reports.finding("placeholder", WARNING, "sklearn", "a name", ""), origin=None),
)
UNSIZED = (
    reports.missing("secret", "1.2", "no index", 7),
    Unsized(name="allowed", version=None, reason="from git"),
)
OBSTACLES = (
    Obstacle(
        sentence="runtime.txt asks for 3.8", fix="python-3.12", instead="sized with Python 3.10",
        origin=Origin(file="runtime.txt", line=1),
    ),
    Obstacle(sentence="the index is away", refused=False),
)  # fmt: skip


def full() -> Report:
    """Something of every kind, on known lines."""
    rows = (
        reports.distribution("numpy", direct=True, line=4, slug=9_000_000, bytecode=0),
        reports.distribution("big", direct=True, line=9, slug=90_000, download=9),
    )
    report = reports.report(rows, unsized=UNSIZED, findings=FINDINGS, allowed=("allowed",))
    return replace(report, verdicts=VERDICTS, obstacles=OBSTACLES)


def alone(finding: Finding) -> Report:
    """One finding and nothing else."""
    return replace(reports.report(()), verdicts=(), findings=(finding,))


# --------------------------------------------------------------------------- what there is to say


def test_remarks_come_in_order_of_weight_with_code_line_and_title() -> None:
    shown = [
        (r.level, r.code, r.title, r.origin and (r.origin.file, r.origin.line))
        for r in remarks(full())
    ]
    assert shown == [
        (ERROR, "budget-slug", "slug: over budget", ("requirements.txt", 4)),
        (ERROR, "budget-build", "build: cannot say", None),
        (ERROR, "budget-package", "package.numpy: over budget", ("requirements.txt", 4)),
        (ERROR, "obstacle", "the build will fail", ("runtime.txt", 1)),
        (ERROR, "obstacle", "not measured as it is", None),
        (ERROR, "unsized", "secret 1.2: could not be sized", ("requirements.txt", 7)),
        (ERROR, "cuda-on-cpu", "torch: cuda-on-cpu", ("requirements.txt", 3)),
        (WARNING, "budget-heroku-warning", "heroku-warning: soft limit passed", None),
        (WARNING, "placeholder", "sklearn: placeholder", None),
        (INFO, "unsized", "allowed: could not be sized", None),
        (INFO, "development-tools", "pytest: development-tools", ("requirements.txt", 3)),
    ]
    assert [r.code for r in package_remarks(full())] == [
        "obstacle", "obstacle", "unsized", "cuda-on-cpu", "placeholder", "unsized",
        "development-tools",
    ]  # fmt: skip


def test_remarks_say_why_and_how_to_fix_it() -> None:
    by_title = {r.title: r for r in remarks(full())}
    assert by_title["slug: over budget"].lines == ("the sentence of slug",)
    assert by_title["the build will fail"].lines == (
        "runtime.txt asks for 3.8; sized with Python 3.10", "python-3.12",
    )  # fmt: skip
    assert by_title["not measured as it is"].lines == ("the index is away",)
    assert by_title["secret 1.2: could not be sized"].lines == ("no index",)
    assert by_title["allowed: could not be sized"].lines == ("from git (accepted)",)
    assert by_title["torch: cuda-on-cpu"].lines == ("GPU code", "torch==2+cpu", "--index x")
    assert by_title["package.numpy: over budget"].subject == "numpy"
    assert by_title["torch: cuda-on-cpu"].subject == "torch"


@pytest.mark.parametrize(
    ("budget", "line"),
    [("slug", "mid"), ("installed", "large"), ("download", "large"), ("build", None)],
)
def test_a_size_is_annotated_on_its_largest_line(budget: str, line: str | None) -> None:
    rows = (
        reports.distribution("small", direct=True, line=2, slug=10, bytecode=0),
        reports.distribution("large", direct=True, line=3, slug=40, bytecode=90_000_000),
        reports.distribution("mid", direct=True, line=4, slug=30),
        reports.distribution("below", slug=20, bytecode=0, required_by=("mid", "small")),
    )
    report = replace(reports.report(rows), verdicts=(verdict(budget, Status.FAIL),))
    (remark,) = remarks(report)
    assert remark.subject == (line or "")
    expected = {"mid": 4, "large": 3}.get(line or "")
    assert (remark.origin and remark.origin.line) == expected


@pytest.mark.parametrize(
    ("path", "relative"),
    [
        ("requirements.txt", "app/requirements.txt"),
        ("../dev.txt", "dev.txt"),
        ("/repo/x/y.txt", "x/y.txt"),
        ("/repo", "."),
        ("../../other.txt", None),
        ("/repository/x.txt", None),
        ("/elsewhere/x.txt", None),
    ],
)
def test_a_path_is_seen_from_the_root(path: str, relative: str | None) -> None:
    assert PLACE.relative(path) == relative
    if relative not in (None, "."):
        top = Place(cwd="/repo/app", root="/")
        assert top.relative(path) == f"repo/{relative}"


# --------------------------------------------------------------------------- JUnit


def cases(report: Report) -> dict[str, ET.Element]:
    root = ET.fromstring(junit.render(report))
    return {f"{c.get('classname')} {c.get('name')}": c for c in root.iter("testcase")}


def outcome(case: ET.Element) -> tuple[str, str | None, str | None, str | None]:
    (only,) = case
    return only.tag, only.get("type"), only.get("message"), only.text


def test_every_budget_is_a_junit_case_with_its_outcome() -> None:
    by_name = cases(full())
    budgets = {name: outcome(case) for name, case in by_name.items() if ".budget " in name}
    assert budgets == {
        "slugcheck.budget slug": ("failure", "over budget", "the sentence of slug", None),
        "slugcheck.budget build": ("error", "cannot say", "the sentence of build", None),
        "slugcheck.budget installed": ("system-out", None, None, "the sentence of installed"),
        "slugcheck.budget heroku-warning": (
            "system-out", None, None, "the sentence of heroku-warning",
        ),
        "slugcheck.budget boot": ("skipped", "not measured", "the sentence of boot", None),
        "slugcheck.budget package.numpy": (
            "failure", "over budget", "the sentence of package.numpy", None,
        ),
    }  # fmt: skip


def test_findings_fail_in_junit_and_what_could_not_be_measured_is_an_error() -> None:
    by_name = {
        name: outcome(case) for name, case in cases(full()).items() if ".budget " not in name
    }
    assert by_name == {
        "slugcheck.obstacle the build will fail": (
            "error", "obstacle", "runtime.txt asks for 3.8; sized with Python 3.10",
            "runtime.txt asks for 3.8; sized with Python 3.10\nat runtime.txt:1\npython-3.12",
        ),
        "slugcheck.obstacle not measured as it is": (
            "error", "obstacle", "the index is away", "the index is away",
        ),
        "slugcheck.unsized secret 1.2: could not be sized": (
            "error", "unsized", "no index", "no index\nat requirements.txt:7",
        ),
        "slugcheck.finding torch: cuda-on-cpu": (
            "failure", "cuda-on-cpu", "GPU code",
            "GPU code\nat requirements.txt:3\ntorch==2+cpu\n--index x",
        ),
        "slugcheck.finding sklearn: placeholder": ("failure", "placeholder", "a name", "a name"),
        "slugcheck.unsized allowed: could not be sized": (
            "system-out", None, None, "from git (accepted)",
        ),
        "slugcheck.finding pytest: development-tools": (
            "system-out", None, None, "not needed\nat requirements.txt:3\ndelete it",
        ),
    }  # fmt: skip


def test_the_junit_suite_counts_and_describes_the_run() -> None:
    report = full()
    root = ET.fromstring(junit.render(report))
    (suite,) = root
    counts = {"tests": "13", "failures": "4", "errors": "4", "time": "1.234"}
    assert {name: root.get(name) for name in counts} == counts
    assert {name: suite.get(name) for name in counts} == counts
    assert (suite.get("skipped"), root.get("name")) == ("1", "slugcheck")
    assert suite.get("name") == "slugcheck: requirements.txt"
    properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert properties == {
        "platform": "heroku", "stack": "heroku-24", "python": "3.11.16",
        "installed_bytes": str(report.sizes.installed.value),
        "slug_bytes": str(report.sizes.slug.value),
    }  # fmt: skip
    long = ET.fromstring(junit.render(replace(report, seconds=1234.5)))
    assert long.get("time") == "999.000"  # the schema wants no thousands separator


def test_junit_holds_no_character_that_xml_cannot_have() -> None:
    report = replace(full(), verdicts=(replace(VERDICTS[0], sentence="a\ufffe\x00\ud800b"),))
    text = junit.render(report)
    assert "\ufffe" not in text
    message = outcome(cases(report)["slugcheck.budget slug"])[2] or ""
    assert message.startswith("a\ufffd")
    assert message.endswith("b")


# --------------------------------------------------------------------------- SARIF


def scan(report: Report) -> Any:
    document = json.loads(sarif.render(report, PLACE))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    return run


def test_every_remark_is_a_sarif_result_with_level_message_and_place() -> None:
    shown = {
        result["message"]["text"].partition("\n")[0]: (
            result["ruleId"],
            result["level"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for result in scan(full())["results"]
    }
    assert shown == {
        "slug: over budget": ("budget-slug", "error", "app/requirements.txt", 4),
        "build: cannot say": ("budget-build", "error", "app/requirements.txt", 1),
        "package.numpy: over budget": ("budget-package", "error", "app/requirements.txt", 4),
        "the build will fail": ("obstacle", "error", "app/runtime.txt", 1),
        "not measured as it is": ("obstacle", "error", "app/requirements.txt", 1),
        "secret 1.2: could not be sized": ("unsized", "error", "app/requirements.txt", 7),
        "torch: cuda-on-cpu": ("cuda-on-cpu", "error", "app/requirements.txt", 3),
        "heroku-warning: soft limit passed": (
            "budget-heroku-warning", "warning", "app/requirements.txt", 1,
        ),
        "sklearn: placeholder": ("placeholder", "warning", "app/requirements.txt", 1),
        "allowed: could not be sized": ("unsized", "note", "app/requirements.txt", 1),
        "pytest: development-tools": ("development-tools", "note", "app/requirements.txt", 3),
    }  # fmt: skip


def test_sarif_rules_are_described_and_unknown_ones_by_their_name() -> None:
    driver = scan(full())["tool"]["driver"]
    described = {rule["id"]: rule["shortDescription"]["text"] for rule in driver["rules"]}
    assert list(described) == sorted(described)
    assert described["cuda-on-cpu"] == "GPU code on a platform without a GPU"
    assert described["budget-heroku-warning"] == "budget heroku warning"
    assert (driver["name"], driver["version"]) == ("slugcheck", "0.1.0")
    assert scan(replace(full(), tool_version=""))["tool"]["driver"]["version"] == "0"


def test_a_fingerprint_outlives_moved_lines_and_figures_and_tells_files_apart() -> None:
    def prints(report: Report) -> list[str]:
        return [r["partialFingerprints"]["slugcheck/v1"] for r in scan(report)["results"]]

    report = full()
    moved = replace(FINDINGS[1], origin=Origin(file="requirements.txt", line=40), sentence="other")
    assert prints(report) == prints(replace(report, findings=(FINDINGS[0], moved, FINDINGS[2])))
    elsewhere = replace(FINDINGS[1], origin=Origin(file="dev.txt", line=3))
    other = replace(FINDINGS[1], subject="tensor")
    ruled = replace(FINDINGS[1], code="opencv-gui")
    changed = [prints(alone(f))[0] for f in (FINDINGS[1], elsewhere, other, ruled)]
    assert len(set(changed)) == 4
    assert {len(text) for text in changed} == {32}


def test_sarif_without_a_line_names_the_projects_file_and_nothing_outside() -> None:
    project = Project(
        folder=Path("/repo/app"), top=Path("/repo"), manager=Manager.UV,
        dependency_file=Path("/repo/app/uv.lock"),
    )  # fmt: skip
    report = replace(full(), project=project, findings=(), obstacles=(), verdicts=VERDICTS[1:2])
    first = scan(report)["results"][0]
    place = first["locations"][0]["physicalLocation"]["artifactLocation"]
    assert (place["uri"], place["uriBaseId"]) == ("app/uv.lock", "ROOT")
    outside = scan(replace(report, project=None, path="/tmp/r.txt"))["results"][0]
    assert "locations" not in outside
    odd = replace(FINDINGS[1], origin=Origin(file="a b#ü.txt", line=0))
    (location,) = scan(alone(odd))["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "app/a%20b%23%C3%BC.txt"
    assert location["physicalLocation"]["region"]["startLine"] == 1  # lines begin at 1


# --------------------------------------------------------------------------- GitHub


def test_annotations_have_their_line_and_the_conclusion_stands_last() -> None:
    lines = github.render(full(), PLACE).splitlines()
    assert lines[0] == (
        "::error file=app/requirements.txt,line=4,title=slugcheck%3A slug%3A over budget::"
        "the sentence of slug"
    )
    assert lines[1].startswith("::error title=slugcheck%3A build%3A cannot say::")
    torch = next(line for line in lines if "torch" in line)
    assert torch.endswith("::GPU code%0Atorch==2+cpu%0A--index x")
    assert [line.partition(" ")[0] for line in lines[:-1]] == [
        *["::error"] * 7, *["::warning"] * 2, *["::notice"] * 2,
    ]  # fmt: skip
    assert lines[-1].startswith("slugcheck: WILL FAIL: runtime.txt asks for 3.8")


@pytest.mark.parametrize(("count", "shown"), [(9, 9), (10, 10), (11, 9), (30, 9)])
def test_more_than_ten_annotations_of_a_kind_are_named_in_the_tenth(count: int, shown: int) -> None:
    findings = [
        reports.finding("placeholder", WARNING, f"p{number}", "a name", "")
        for number in range(count)
    ]
    tail = reports.finding("development-tools", INFO, "pytest", "not needed", "")
    report = replace(reports.report(()), verdicts=(), findings=(*findings, tail))
    lines = github.render(report, PLACE).splitlines()
    warnings = [line for line in lines if line.startswith("::warning")]
    assert len([line for line in lines if line.startswith("::notice")]) == 1
    if shown == count:
        assert len(warnings) == count
        return
    assert len(warnings) == 10
    assert "p8" in warnings[8]
    rest = count - 9
    assert warnings[9].startswith(f"::warning title=slugcheck::{rest} more: p9: placeholder")
    named = warnings[9].count("placeholder")
    assert named == min(rest, 5)
    assert warnings[9].endswith("; the job's summary has them all")


def test_a_command_cannot_be_left_by_what_stands_in_it() -> None:
    odd = reports.finding("x,y:z%", ERROR, "a\r\n::b", "50 %\r\n::error::x", "")
    first, last = github.render(alone(odd), Place(cwd="/", root="/")).splitlines()
    properties, _, message = first.removeprefix("::error ").partition("::")
    assert properties.endswith("title=slugcheck%3A a %3A%3Ab%3A x%2Cy%3Az%25")
    assert message == "50 %25 ::error::x"
    assert not last.startswith("::")


# --------------------------------------------------------------------------- which writer


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("table", "✗ WILL FAIL"), ("markdown", "## ❌ WILL FAIL"), ("json", "{"),
        ("github", "::error"), ("junit", "<?xml"), ("sarif", "{"),
    ],
)  # fmt: skip
def test_every_form_is_written_by_its_own_writer(form: str, begins: str) -> None:
    text = render_report(form, full(), LOOK)
    assert text.startswith(begins)
    assert ("$schema" in text) == (form == "sarif")
    assert ('"verdicts"' in text) == (form == "json")


def test_a_table_has_all_rows_or_the_verdict_alone_as_asked() -> None:
    rows = [reports.distribution(f"p{number}", slug=90 - number) for number in range(60)]
    report = reports.report(rows)
    few = render_report("table", report, LOOK)
    every = render_report("table", report, replace(LOOK, all_rows=True))
    assert len(every.splitlines()) > len(few.splitlines()) + 20
    assert all(f"\np{number} " in every for number in range(60))
    long = replace(report, verdicts=(replace(verdict("slug", Status.FAIL), sentence="x" * 400),))
    only = render_report("table", long, replace(LOOK, verdict_only=True))
    assert only.count("\n") == 1
    assert "x" * 400 in only


def test_the_forms_of_each_command() -> None:
    assert FORMATS == ("table", "markdown", "json")
    assert CHECK_FORMATS == ("table", "markdown", "json", "github", "junit", "sarif")


def test_a_file_of_the_form_on_stdout_takes_its_place() -> None:
    assert [o.path for o in outputs("json", ["a.json"], FORMATS)] == [Path("a.json")]
    assert [o.path for o in outputs("json", ["a.md"], FORMATS)] == [None, Path("a.md")]
