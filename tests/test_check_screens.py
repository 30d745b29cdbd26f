"""What the screen says of what few reports have: obstacles, changes, audits, rare rows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from slugcheck.model import (
    AfterFix,
    Audit,
    BaseTotals,
    BundleKind,
    Change,
    ChangeKind,
    Difference,
    DistributionSize,
    Estimate,
    FindingSeverity,
    Ignored,
    Kind,
    Obstacle,
    Origin,
    Part,
    PartChange,
    Report,
    Severity,
    Status,
    Storage,
    Transfer,
    Unaudited,
    Vulnerability,
)
from slugcheck.render import terminal, wording
from slugcheck.render.views import check
from tests.support import apps, cases, reports


def screen(report: Report, *, width: int = 120, **more: bool) -> str:
    return terminal.write(check.view(report, **more), width=width, color=False)


def words(text: str) -> str:
    return " ".join(text.split())


def section(report: Report, heading: str, **more: bool) -> str:
    """A section of the screen, from its heading to the next one."""
    parts = screen(report, **more).split("\n\n")
    found = [part for part in parts if part.lstrip().startswith(heading)]
    assert len(found) == 1, f"{heading}: {[part.splitlines()[0] for part in parts]}"
    return found[0]


@pytest.fixture
def report() -> Report:
    return reports.report([reports.distribution("a", direct=True)])


# --------------------------------------------------------------------------- obstacles


def obstacle(**more: Any) -> Obstacle:
    usual: dict[str, Any] = {
        "sentence": "Heroku's build will fail: two package managers",
        "fix": "keep one of them",
        "instead": "sized by requirements.txt",
        "refused": True,
        "origin": Origin(file="requirements.txt", line=4),
    }
    return Obstacle(**(usual | more))


def test_an_obstacle_says_where_it_is_how_to_mend_it_and_what_was_done_instead(
    report: Report,
) -> None:
    several = replace(
        report,
        obstacles=(
            obstacle(),
            obstacle(
                sentence="flask>=3 conflicts with flask<2", fix="flask>=2\n# or\nflask<3",
                instead="", origin=None,
            ),
            obstacle(sentence="nothing helps", fix="", instead="", origin=None),
        ),
    )  # fmt: skip
    found = screen(several).partition("obstacles: 3\n")[2].partition("\nlargest")[0]
    assert found.rstrip() == (
        "✗ error: Heroku's build will fail: two package managers\n"
        "  requirements.txt:4 · fix: keep one of them · sized by requirements.txt\n\n"
        "✗ error: flask>=3 conflicts with flask<2\n\n"
        "      flask>=2\n      # or\n      flask<3\n\n"
        "✗ error: nothing helps"
    )


@pytest.mark.parametrize(
    ("obstacles", "said"),
    [
        ([obstacle()], "✗ WILL FAIL: two package managers; fix: keep one of them"),
        ([obstacle(), obstacle(sentence="x")],
         "✗ WILL FAIL: two package managers; and 1 more; fix: keep one of them"),
        # what the build refuses counts for more than what could not be read
        ([obstacle(sentence="the index is down", refused=False, fix="try later"), obstacle()],
         "✗ WILL FAIL: two package managers; and 1 more; fix: keep one of them"),
        ([obstacle(sentence="the index is down", refused=False, fix="try later")],
         "? UNKNOWN: the index is down; fix: try later"),
        ([obstacle(fix="a\nb")],
         "✗ WILL FAIL: two package managers; fix: see 'obstacles' above"),
        ([obstacle(fix="x" * 61)],
         "✗ WILL FAIL: two package managers; fix: see 'obstacles' above"),
        ([obstacle(fix="# run it")],
         "✗ WILL FAIL: two package managers; fix: see 'obstacles' above"),
        ([obstacle(fix="", sentence="the build will fail: no")], "✗ WILL FAIL: no"),
    ],
)  # fmt: skip
def test_the_last_line_of_a_build_with_obstacles(
    report: Report, obstacles: list[Obstacle], said: str
) -> None:
    shown = screen(replace(report, obstacles=tuple(obstacles)), width=240)
    assert shown.splitlines()[-1] == said


# --------------------------------------------------------------------------- the verdict


def with_findings(report: Report, *severities: FindingSeverity, code: str = "code") -> Report:
    findings = tuple(
        reports.finding(code, severity, f"p{n}", f"sentence {n}", f"p{n}==1")
        for n, severity in enumerate(severities)
    )
    return replace(report, findings=findings)


def test_findings_that_fail_are_counted_and_only_may_fail_where_they_are_warnings(
    report: Report,
) -> None:
    error, warning = FindingSeverity.ERROR, FindingSeverity.WARNING
    broken = with_findings(report, error, error, error, code="opencv-gui")
    assert screen(broken).splitlines()[-1] == ("✗ WILL FAIL: sentence 0; and 2 more; fix: p0==1")
    strict = replace(with_findings(report, warning, code="opencv-gui"), fail_on=warning)
    assert screen(strict).splitlines()[-1] == "✗ MAY FAIL: sentence 0; fix: p0==1"


def limited(*budgets: tuple[str, str, int, str], **more: Any) -> Report:
    limits = tuple(
        reports.limit(name, figure, value, text, Severity.FAIL)
        for name, figure, value, text in budgets
    )
    rows = [reports.distribution("big", slug=50_000_000, direct=True)]
    return reports.report(rows, limits=limits, parts=(), **more)


def test_other_budgets_that_are_exceeded_are_named_after_the_size() -> None:
    over = limited(
        ("installed", "installed", 100, "100B"), ("slug", "slug", 2**20, "1M"),
        ("build", "build", 1, "1 s"),
    )  # fmt: skip
    last = screen(over, width=240).splitlines()[-1]
    assert last.startswith("✗ OVER BUDGET: 47.7M of 1M")
    assert "; also over budget: installed, build" in last
    assert last.endswith("; next: slugcheck why big requirements.txt --python 3.11")


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("my app/requirements.txt",
         "next: slugcheck why big 'my app/requirements.txt' --python 3.11"),
        ("<stdin>", "see 'largest contributors' above"),
        ("<text>", "see 'largest contributors' above"),
    ],
)  # fmt: skip
def test_the_next_step_is_a_command_that_can_be_run(path: str, step: str) -> None:
    over = limited(("slug", "slug", 2**20, "1M"), path=path)
    assert screen(over, width=240).splitlines()[-1].endswith(f"; {step}")
    default = reports.target(origin="Heroku's default")
    assert "--python" not in wording._options(
        replace(over, sizes=replace(over.sizes, target=default))
    )


def test_the_fix_that_saves_most_is_the_next_step_with_what_it_leaves() -> None:
    over = limited(("slug", "slug", 2**20, "1M"))
    findings = [
        reports.finding("x", FindingSeverity.WARNING, name, "s", f"{name}==1", saves=saves)
        for name, saves in (("little", (9, 9)), ("much", (1, 20_000_000)), ("none", (0, 0)))
    ]
    after = {
        Status.PASS: "fits", Status.FAIL: "still over budget", Status.UNKNOWN: "too close to call"
    }  # fmt: skip
    left = Estimate.predicted(10 * 2**20, 9 * 2**20, 11 * 2**20)
    for status, said in after.items():
        findings[1] = replace(findings[1], after=AfterFix(status=status, bundle=left))
        shown = screen(replace(over, findings=tuple(findings)), width=240)
        assert shown.splitlines()[-1].endswith(f"; fix: much==1, then 10M: {said}")


# --------------------------------------------------------------------------- the header


@pytest.mark.parametrize(
    ("requests", "cached", "read"),
    [
        (0, 9, "nothing fetched"), (1, 0, "1.5 MB read in 1 request"),
        (7, 3, "1.5 MB read in 7 requests, 3 cached"),
    ],
)  # fmt: skip
def test_the_header_says_what_the_run_took(
    report: Report, requests: int, cached: int, read: str
) -> None:
    transfer = Transfer(requests=requests, bytes=1_500_000, cached=cached)
    sized = replace(report, sizes=replace(report.sizes, transfer=transfer), seconds=0.41)
    assert wording.run_words(sized) == ("1 distribution, 1 direct", "0.5 s", read)
    verified = replace(sized, verification=apps.verification())
    assert wording.run_words(verified)[2] == "verified by a real install"


def test_a_file_without_requirements_says_so() -> None:
    assert wording.run_words(reports.report(()))[0] == "no dependencies"
    gone = reports.missing("x", None, "r", 1)
    assert wording.run_words(reports.report((), unsized=(gone,)))[0] == "0 distributions, 0 direct"


# --------------------------------------------------------------------------- sizes


def test_verbose_says_what_kinds_of_files_are_installed() -> None:
    kinds = {Kind.NATIVE: 3_000_000, Kind.PYTHON: 1_000_000}
    one = reports.report([reports.distribution("a", kinds=kinds, bytecode=0)], parts=())
    assert "installed: native 75 % · Python 25 %" in screen(one, verbose=True)
    assert "installed: native" not in screen(one)


def built(name: str, **more: Any) -> DistributionSize:
    build = reports.source_build("C", 0.5, 1.2, native=more.pop("native", True))
    return reports.distribution(name, source_build=replace(build, **more))


def test_builds_are_listed_up_to_so_many_and_the_rest_by_name() -> None:
    rows = [built(f"n{n}") for n in range(8)]
    rows += [
        built("pure", native=False), built("other", native=False),
        built("none", native=False, refused=True, notes=("a note",)),
        built("exact", low_factor=1.0, high_factor=1.0),
    ]  # fmt: skip
    lines = wording.source_builds(reports.report(rows).sizes, most=9)
    assert lines[0] == (
        "n0 is built from source on the platform (C); sized from its wheel for cp311, -50/+20 %"
    )
    assert lines[8] == (
        "none cannot be installed with Python 3.11; sized from its archive, -50/+20 %; a note"
    )
    assert lines[9:] == ("also exact", "built from source without compiling: pure and other")
    whole = wording.source_builds(reports.report(rows).sizes, most=10)
    assert whole[9] == (
        "exact is built from source on the platform (C); sized from its wheel for cp311"
    )


@pytest.mark.parametrize(
    ("group", "percent", "note", "shown"),
    [
        ("runtime", 0, "", "runtime"), ("runtime", 3, "as measured", "runtime ±3 %: as measured"),
        ("app", 0, "5 files", ": 5 files"), ("other", 150, "from 1 to 9", "uncertain: from 1 to 9"),
        ("models", 0, "", ""),
    ],
)  # fmt: skip
def test_a_part_has_its_group_doubt_and_note(
    group: str, percent: int, note: str, shown: str
) -> None:
    exact = Estimate[int].measured(10_000_000)
    size = reports.within(10_000_000, percent) if percent else exact
    part = Part(name="thing", group=group, installed=size, slug=size, note=note)
    text = screen(reports.report([reports.distribution("a")], parts=(part,)), all_rows=True)
    row = next(line for line in text.splitlines() if line.startswith("thing "))
    assert row.split("%", 1)[1].strip() == shown


# --------------------------------------------------------------------------- app and models


def test_small_folders_are_one_row_and_what_is_ignored_is_counted(report: Report) -> None:
    app = apps.app(("static", 10, 5_000_000, 4_000_000), ("docs", 4, 99_999, 40_000))
    shown = section(apps.with_app(report, app, []), "app files, MB")
    rows = [line.split() for line in shown.splitlines()[1:]]
    assert rows[0] == ["static", "10", "5.0", "4.0"]
    assert rows[1] == ["elsewhere", "7", "0.1", "<0.1"]
    assert shown.splitlines()[-1] == (
        "app files: 17 files tracked by git, 5.1 MB; .slugignore leaves out 12 files (3.4 MB)"
    )
    bare = replace(app, tracked=False, ignored_files=0)
    text = screen(apps.with_app(report, bare, []))
    assert "app files: 17 files in the folder (no git checkout), 5.1 MB\n" in text


def test_many_models_are_folded_into_one_row(report: Report) -> None:
    models = [apps.model(f"m{n:02d}.onnx", 10_000_000 - n, 9_000_000) for n in range(15)]
    shown = section(apps.with_app(report, apps.app(), models), "models, MB")
    assert "m11.onnx" in shown
    assert "m12.onnx" not in shown
    assert re.search(r"^… 3 more +30\.0 +~27\.0$", shown, re.MULTILINE)
    thirteen = section(apps.with_app(report, apps.app(), models[:13]), "models, MB")
    assert "m12.onnx" in thirteen
    sampled = [apps.model("a.onnx", 20_000_000, 18_000_000, percent=5)]
    row = section(apps.with_app(report, apps.app(), sampled), "models, MB").splitlines()[-1]
    assert row.split()[:3] == ["a.onnx", "20.0", "~18.0"]


def test_a_way_to_store_models_says_how_long_a_download_takes(report: Report) -> None:
    large = apps.model("m.onnx", 60_000_000, 50_000_000)
    stored = apps.with_app(report, apps.app(), [large, large], apps.options())
    shown = words(section(stored, "where to keep"))
    assert shown.startswith("where to keep 2 model files, 120.0 MB ✓ in git and in the slug (recom")
    assert "download at assumed rates: 3.6 s at 10 MB/s, 1.4 s at 25 MB/s, 0.4 s at 100" in shown
    assert check._duration(59.96) == "60.0 s"
    assert check._duration(60.0) == "1:00"
    assert any(option.storage is Storage.BOOT for option in stored.storage)


# --------------------------------------------------------------------------- --verify


@pytest.mark.parametrize(
    ("measured", "predicted", "error"),
    [
        (381_790_000, 381_790_000, "exact"), (381_790_000, 381_780_000, "-10,000 B"),
        (381_790_000, 381_800_000, "+10,000 B"), (381_790_000, 389_000_000, "+1.89 %"),
        (381_790_000, 371_000_000, "-2.83 %"),
    ],
)  # fmt: skip
def test_the_error_of_a_prediction_has_its_sign_and_unit(
    report: Report, measured: int, predicted: int, error: str
) -> None:
    verified = replace(
        apps.verification(), installed_bytes=measured,
        predicted_installed=Estimate.predicted(predicted, predicted, predicted),
    )  # fmt: skip
    shown = section(replace(report, verification=verified), "verified by a real install")
    (row,) = [line for line in shown.splitlines() if line.startswith("installed, MB")]
    assert row.rpartition(f"{predicted / 1e6:,.3f}")[2].strip() == error


# --------------------------------------------------------------------------- --against


def change(name: str, kind: ChangeKind, slug: int, **more: Any) -> Change:
    usual: dict[str, Any] = {
        "before": "1.0", "after": "2.0", "installed_bytes": 3 * slug, "percent": None,
        "because": (), "bundle_bytes": slug,
    }  # fmt: skip
    return Change(name=name, kind=kind, slug_bytes=slug, **(usual | more))


def totals(slug: int) -> BaseTotals:
    return BaseTotals(distributions=1, installed_bytes=3 * slug, slug_bytes=slug, bundle_bytes=slug)


def with_changes(report: Report, *changes: Change, **more: Any) -> Report:
    usual: dict[str, Any] = {
        "label": "main", "base": totals(20_000_000), "problem": None, "notes": (), "parts": (),
        "installed_bytes": sum(one.installed_bytes for one in changes),
        "slug_bytes": sum(one.slug_bytes for one in changes),
        "bundle_bytes": sum(one.bundle_bytes for one in changes),
    }  # fmt: skip
    return replace(report, difference=Difference(changes=changes, **(usual | more)))


def test_every_kind_of_change_has_its_sign_versions_and_share(report: Report) -> None:
    shown = section(
        with_changes(
            report,
            change("new", ChangeKind.ADDED, 5_000_000, before=None, because=("direct", "b")),
            change("up", ChangeKind.UPGRADED, 2_000_000, percent=12.34),
            change("down", ChangeKind.DOWNGRADED, -1_000_000, after="0.5", percent=-3.0),
            change("same", ChangeKind.SAME_VERSION, 100_000, after="1.0"),
            change("gone", ChangeKind.REMOVED, -400_000, after=None, because=("direct",)),
            parts=(PartChange(name="app files", installed_bytes=7_000_000, slug_bytes=6_000_000),),
            installed_bytes=24_100_000, slug_bytes=11_700_000, bundle_bytes=11_700_000,
            notes=("a note",),
        ),
        "against main, MB",
    )  # fmt: skip
    rows = [line.split() for line in shown.splitlines()]
    assert rows[1:7] == [
        ["+", "new", "2.0", "+15.0", "+5.0", "requirements.txt,", "b"],
        ["^", "up", "1.0", "→", "2.0", "+6.0", "+2.0", "+12.3", "%"],
        ["v", "down", "1.0", "→", "0.5", "-3.0", "-1.0", "-3.0", "%"],
        ["~", "same", "1.0", "+0.3", "+0.1"],
        ["-", "gone", "1.0", "-1.2", "-0.4", "main"],
        ["~", "app", "files", "+7.0", "+6.0"],
    ]
    assert " ".join(rows[7]) == "total +24.1 +11.7 +58.5 % slug 20.0 → 22.9 MB"
    assert shown.splitlines()[8:] == [
        "1 added, 1 removed, 1 upgraded, 1 downgraded, 1 same version, 1 other part changed: "
        "slug +11.7 MB",
        "· a note",
    ]


def test_many_changes_are_folded_and_none_are_said(report: Report) -> None:
    many = [change(f"p{n:02d}", ChangeKind.UPGRADED, 1_000_000) for n in range(15)]
    shown = section(with_changes(report, *many), "against main, MB")
    assert "p11" in shown
    assert "p12" not in shown
    assert re.search(r"^~? +… 3 more +\+9\.0 +\+3\.0", shown, re.MULTILINE)
    assert "p12" in section(with_changes(report, *many[:13]), "against main, MB")
    none = section(with_changes(report), "against main, MB")
    assert none.splitlines()[1:] == ["nothing changed: slug 0.0 MB"]


def test_a_base_that_was_not_measured_is_no_table(report: Report) -> None:
    for problem, said in (("main was not measured: x", "? main was not measured: x"),
                          (None, "? it could not be measured")):  # fmt: skip
        shown = section(with_changes(report, base=None, problem=problem), "against main")
        assert shown.splitlines() == ["against main", said]


def test_where_nothing_was_before_there_is_no_percentage(report: Report) -> None:
    one = change("new", ChangeKind.ADDED, 5_000_000, before=None)
    shown = section(with_changes(report, one, base=totals(0)), "against main, MB")
    (total,) = [line for line in shown.splitlines() if "total" in line]
    assert " %" not in total


def test_a_platform_without_a_slug_compares_its_bundle() -> None:
    place = reports.target(title="Functions", kind=BundleKind.SITE_PACKAGES)
    report = reports.report([reports.distribution("a")], on=place)
    one = change("new", ChangeKind.ADDED, 5_000_000, before=None, bundle_bytes=4_000_000)
    shown = words(section(with_changes(report, one), "against main, MB"))
    assert "+ new 2.0 +15.0 +4.0 " in shown
    assert "total +15.0 +4.0 +20.0 % bundle 20.0 → " in shown
    assert "1 added: bundle +4.0 MB" in shown


# --------------------------------------------------------------------------- audit, notes, fixes


def vulnerability(name: str) -> Vulnerability:
    return Vulnerability(
        name=name, version="1.0", id="PYSEC-1", aliases=(), summary="", fixed_versions=(),
        severity=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("vulnerable", "unaudited", "problem", "said"),
    [
        ((), (), None, ["3 of 3 distributions audited by osv: no known vulnerabilities"]),
        (("b", "a", "a"), (), None,
         ["3 of 3 distributions audited by osv: 3 known vulnerabilities in a and b"]),
        (("a",), (), None, ["3 of 3 distributions audited by osv: 1 known vulnerability in a"]),
        ((), (("x", "1", "why"), ("y", None, "why"), ("z", "2", "other")), None,
         ["3 of 6 distributions audited by osv: no known vulnerabilities",
          "? not audited: x 1 and y (why)", "? not audited: z 2 (other)"]),
        ((), (), "the service is down", ["not audited: the service is down"]),
    ],
)  # fmt: skip
def test_an_audit_never_calls_clean_what_was_not_looked_up(
    report: Report,
    vulnerable: tuple[str, ...],
    unaudited: tuple[tuple[str, str | None, str], ...],
    problem: str | None,
    said: list[str],
) -> None:
    audit = Audit(
        service="osv", audited=3, vulnerabilities=tuple(map(vulnerability, vulnerable)),
        unaudited=tuple(Unaudited(name=n, version=v, reason=r) for n, v, r in unaudited),
        problem=problem,
    )  # fmt: skip
    shown = section(replace(report, audit=audit), "audit")
    assert [line.removeprefix("· ") for line in shown.splitlines()[1:]] == said


def test_what_is_ignored_is_said_with_its_reason_and_end(report: Report) -> None:
    finding = reports.finding("dev-tools", FindingSeverity.WARNING, "pytest", "s", "f")
    ignored = (
        Ignored(finding=finding, reason="we need it", expires=None),
        Ignored(finding=finding, reason="soon gone", expires="2027-05-26"),
    )
    shown = section(replace(report, ignored=ignored, notes=("another",)), "· ignored")
    assert shown.splitlines()[:3] == [
        "· ignored: dev-tools of pytest (we need it)",
        "· ignored: dev-tools of pytest (soon gone, until 2027-05-26)",
        "· another",
    ]


@pytest.mark.parametrize(
    ("saves", "kind", "said"),
    [
        ((2_000_000, 1_100_000), BundleKind.GZIP_TAR, "saves 2.0 MB installed, 1M of slug"),
        ((2_000_000, 1_100_000), BundleKind.SITE_PACKAGES,
         "saves 2.0 MB installed, 1M of bundle"),
        ((2_000_000, 1_100_000), BundleKind.IMAGE, "saves 2.0 MB installed, 1.1 MB gzipped"),
        ((None, 1_100_000), BundleKind.UNZIPPED, "saves 1.1 MB gzipped"),
        ((2_000_000, None), BundleKind.GZIP_TAR, "saves 2.0 MB installed"),
        ((999_999, 999_999), BundleKind.GZIP_TAR, ""), ((None, None), BundleKind.GZIP_TAR, ""),
    ],
)  # fmt: skip
def test_a_saving_is_said_where_it_is_one(
    saves: tuple[int | None, int | None], kind: BundleKind, said: str
) -> None:
    finding = reports.finding("x", FindingSeverity.WARNING, "a", "s", "f")
    finding = replace(
        finding, saves_bytes=saves[0], saves_slug_bytes=saves[1], saves_bundle_bytes=saves[1]
    )
    sizes = reports.report((), on=reports.target(kind=kind)).sizes
    assert wording.saving(finding, sizes) == said


def test_the_last_line_of_a_hostile_report_is_still_one() -> None:
    assert "\n" not in wording.conclusion(cases.hostile()).sentence
