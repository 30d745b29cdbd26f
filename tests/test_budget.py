"""Verdicts: where the boundary lies, who gates, and what the exit code becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from slugcheck import platforms
from slugcheck.errors import UsageError
from slugcheck.model import (
    Artifact,
    Budget,
    Distribution,
    DistributionSize,
    Estimate,
    FindingSeverity,
    Limit,
    Platform,
    Report,
    Severity,
    SizeReport,
    Status,
    Transfer,
    Unsized,
    Verdict,
)
from slugcheck.policy import budgets as budget
from slugcheck.policy import limits as users_limits
from slugcheck.project import target
from tests.support import reports

M = 2**20
HEROKU = platforms.load("heroku")
TARGET = target.choose(HEROKU, python="3.12")
LIMITS = {limit.name: limit for limit in HEROKU.limits}
QUICK = Estimate[float].predicted(60.0, 30.0, 120.0)
EXACTLY_NOTHING = Estimate[int].measured(0)


def limits_of(platform: Platform, wanted: dict[str, str]) -> tuple[Limit, ...]:
    budgets = [
        Budget(name=name, text=text, place=f"--limit {name}={text}")
        for name, text in wanted.items()
    ]
    return users_limits.rules(platform, budgets).limits


def sized(slug: Estimate[int], *unsized: str, download: int | None = 5) -> SizeReport:
    one = DistributionSize(
        distribution=Distribution(
            name="only", version="1.0", direct=True,
            artifact=Artifact(filename="o.whl", url="file:///o.whl", size=download, sha256=None),
        ),
        via="local", download_bytes=download, plain=slug, bytecode=EXACTLY_NOTHING, slug=slug,
        bundle=slug, files=1, bytecode_files=0, by_kind={}, required_by=(),
    )  # fmt: skip
    return SizeReport(
        target=TARGET, distributions=(one,), roots=(), parts=(), overlaps=(),
        unsized=tuple(Unsized(name=name, version=None, reason="no index") for name in unsized),
        transfer=Transfer(), installed=slug, slug=slug, bundle=slug,
    )  # fmt: skip


def exact(value: int) -> Estimate[int]:
    return Estimate[int].measured(value)


def within(value: int, low: int, high: int) -> Estimate[int]:
    return Estimate[int].predicted(value, low, high)


def verdict(
    name: str, sizes: SizeReport, build: Estimate[float] = QUICK, *, allow: Sequence[str] = ()
) -> Verdict:
    (only,) = (
        v for v in budget.judge(sizes, build, HEROKU.limits, allowed_unsized=allow)
        if v.budget == name
    )  # fmt: skip
    return only


def code(verdicts: Sequence[Verdict], sizes: SizeReport, allowed: Sequence[str] = ()) -> int:
    report = Report(
        path="r.txt", kind="requirements", sha256="", sizes=sizes, verdicts=tuple(verdicts),
        findings=(), notes=(), allowed_unsized=tuple(allowed),
    )  # fmt: skip
    return budget.exit_code(report)


def outcome(sizes: SizeReport, build: Estimate[float] = QUICK, allow: Sequence[str] = ()) -> int:
    verdicts = budget.judge(sizes, build, HEROKU.limits, allowed_unsized=allow)
    return code(verdicts, sizes, allow)


# --------------------------------------------------------------------------- the boundary


@pytest.mark.parametrize(
    ("value", "status", "sentence"),
    [
        (500 * M - 1, Status.PASS, "524,287,999 B of 524,288,000 B, 1 B left"),
        (500 * M, Status.PASS, "500M of 500M, 0M left"),
        (500 * M + 1, Status.FAIL, "500.1M of 500M, 0.1M over"),
        (176_900_000, Status.PASS, "168.8M of 500M, 331.2M left"),
    ],
)
def test_the_limit_itself_is_within(value: int, status: Status, sentence: str) -> None:
    found = verdict("slug", sized(exact(value)))
    assert (found.status, found.sentence, found.gates) == (status, sentence, True)
    assert outcome(sized(exact(value))) == (1 if status is Status.FAIL else 0)


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (490 * M, 500 * M, Status.PASS),
        (490 * M, 500 * M + 1, Status.UNKNOWN),
        (500 * M, 510 * M, Status.UNKNOWN),
        (500 * M + 1, 510 * M, Status.FAIL),
    ],
)
def test_the_interval_decides(low: int, high: int, status: Status) -> None:
    figure = within((low + high) // 2, low, high)
    assert verdict("slug", sized(figure)).status is status
    assert outcome(sized(figure)) == {Status.PASS: 0, Status.FAIL: 1, Status.UNKNOWN: 3}[status]


def test_too_close_to_call_says_between_what() -> None:
    found = verdict("slug", sized(within(499 * M, 491 * M + 70_000, 507 * M + 1)))
    assert found.sentence == "499M of 500M is too close to call: between 491M and 507.1M"


def test_a_limit_in_mb_is_answered_in_mb() -> None:
    limits = limits_of(replace(HEROKU, limits=()), {"installed": "200MB"})
    (found, _ram) = budget.judge(sized(exact(150_000_000)), QUICK, limits)
    assert found.sentence == "150 MB of 200 MB, 50 MB left"


# --------------------------------------------------------------------------- unsized


def test_what_is_unsized_leaves_the_verdict_open() -> None:
    sizes = sized(exact(10 * M), "secret")
    found = verdict("slug", sizes)
    assert found.status is Status.UNKNOWN
    assert found.sentence == "10M of 500M, but 1 package could not be sized"
    assert outcome(sizes) == 3


def test_a_known_part_that_is_too_large_fails_whatever_is_unsized() -> None:
    sizes = sized(exact(501 * M), "secret")
    assert verdict("slug", sizes).status is Status.FAIL
    assert outcome(sizes) == 1


def test_allowing_it_by_any_spelling_closes_the_verdict_and_still_tells_it() -> None:
    sizes = sized(exact(10 * M), "secret-thing")
    found = verdict("slug", sizes, allow=["Secret.Thing"])
    assert found.status is Status.PASS
    assert found.sentence.endswith(", not counting 1 allowed package of unknown size")
    assert outcome(sizes, allow=["Secret.Thing"]) == 0
    assert [u.name for u in sizes.unsized] == ["secret-thing"]


def test_allowing_one_of_two_is_not_enough() -> None:
    sizes = sized(exact(10 * M), "secret", "other")
    assert verdict("slug", sizes, allow=["secret"]).status is Status.UNKNOWN
    assert outcome(sizes, allow=["secret"]) == 3


def test_allowing_all_closes_every_verdict() -> None:
    sizes = sized(exact(10 * M), "secret", "other", "")
    verdicts = budget.judge(sizes, QUICK, HEROKU.limits, allow_all_unsized=True)
    assert {v.status for v in verdicts if v.gates} == {Status.PASS}


def test_unsized_is_exit_3_even_where_no_budget_is_left_open() -> None:
    sizes = sized(exact(10 * M), "secret")
    assert code((), sizes) == 3
    assert code((), sized(exact(10 * M))) == 0


def test_a_download_of_unknown_size_leaves_its_budget_open() -> None:
    limits = limits_of(replace(HEROKU, limits=()), {"download": "10MB"})
    for size, status in ((5, Status.PASS), (None, Status.UNKNOWN)):
        found = budget.judge(sized(exact(M), download=size), QUICK, limits)[0]
        assert found.status is status


# --------------------------------------------------------------------------- beside the budget


@pytest.mark.parametrize(
    ("value", "warning", "cap"),
    [
        (300 * M, Status.PASS, Status.PASS),
        (300 * M + 1, Status.WARN, Status.PASS),
        (1000 * M, Status.WARN, Status.PASS),
        (1000 * M + 1, Status.WARN, Status.FAIL),
    ],
)
def test_herokus_warning_never_gates_and_its_own_limit_does(
    value: int, warning: Status, cap: Status
) -> None:
    sizes = sized(exact(value))
    assert verdict("heroku-warning", sizes).status is warning
    assert verdict("heroku-cap", sizes).status is cap
    verdicts = [v for v in budget.judge(sizes, QUICK, HEROKU.limits) if v.budget != "slug"]
    assert code(verdicts, sizes) == (1 if cap is Status.FAIL else 0)


def test_the_sentences_about_heroku() -> None:
    small, large = sized(exact(10 * M)), sized(exact(1001 * M))
    assert verdict("heroku-cap", small).sentence == ("Heroku itself allows 1000M since 2026-03-19")
    assert "the push will be rejected" in verdict("heroku-cap", large).sentence
    assert verdict("heroku-warning", small).sentence.startswith("Heroku does not warn")
    warned = verdict("heroku-warning", large).sentence
    assert warned == "Heroku warns of a slow boot (from 300M)"
    near = sized(within(1000 * M, 990 * M, 1010 * M))
    assert verdict("heroku-cap", near).status is Status.UNKNOWN
    assert "too close to call" in verdict("heroku-cap", near).sentence
    assert verdict("heroku-cap", near).gates


@pytest.mark.parametrize(
    ("value", "limit", "headline"),
    [
        (701 * M, "", "701M of 500M (Heroku itself allows 1000M since 2026-03-19)"),
        (1000 * M, "", "1000M of 500M (Heroku itself allows 1000M since 2026-03-19)"),
        (
            3100 * M,
            "",
            "3.1G of 500M (and over Heroku's own limit of 1000M: the push will be rejected)",
        ),
        (200 * M, "", "200M of 500M, 300M left"),
        (200 * M, "300M", "200M of 300M, 100M left (set by --limit slug=300M)"),
        (
            350 * M,
            "300M",
            "350M of 300M (set by --limit slug=300M; Heroku itself allows 1000M since 2026-03-19)",
        ),
        (
            1001 * M,
            "1000M",
            "1001M of 1000M (set by --limit slug=1000M; over Heroku's own limit of 1000M: the "
            "push will be rejected)",
        ),
    ],
)
def test_the_headline_names_the_budget_and_the_platforms_own_limit(
    value: int, limit: str, headline: str
) -> None:
    limits = limits_of(HEROKU, {"slug": limit} if limit else {})
    verdicts = budget.judge(sized(exact(value)), QUICK, limits)
    assert next(v.headline for v in verdicts if v.budget == "slug") == headline


def test_a_teams_message_ends_the_headline() -> None:
    slug = replace(HEROKU.limits[0], message="Ask the platform team.")
    verdicts = budget.judge(sized(exact(701 * M)), QUICK, (slug,))
    assert verdicts[0].headline == "701M of 500M. Ask the platform team."


def test_boot_and_memory_are_not_guessed() -> None:
    sizes = sized(exact(10 * M))
    for name, said in (("boot", "60 s"), ("ram", "512M")):
        found = verdict(name, sizes)
        assert (found.status, found.gates, found.figure) == (Status.UNKNOWN, False, None)
        assert found.sentence == (
            f"not known: none of the app's imports could be read (limit {said})"
        )


def test_no_machine_no_memory_verdict() -> None:
    lambda_ = target.choose(platforms.load("aws-lambda"))
    sizes = replace(sized(exact(M)), target=lambda_)
    verdicts = budget.judge(sizes, QUICK, lambda_.platform.limits)
    assert [v.budget for v in verdicts] == ["bundle", "zipped", "boot"]


# --------------------------------------------------------------------------- build


@pytest.mark.parametrize(
    ("low", "high", "status", "exit_code"),
    [
        (300.0, 900.0, Status.PASS, 0),
        (300.0, 900.5, Status.UNKNOWN, 3),
        (900.0, 3600.0, Status.UNKNOWN, 3),
        (900.5, 3600.0, Status.FAIL, 1),
    ],
)
def test_the_predicted_build_is_judged_by_its_interval(
    low: float, high: float, status: Status, exit_code: int
) -> None:
    build = Estimate[float].predicted((low + high) / 2, low, high)
    found = verdict("build", sized(exact(M)), build)
    assert found.status is status
    assert outcome(sized(exact(M)), build) == exit_code


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ((70, 29, 180), "about 1:10 of 15:00 (predicted: between 0:29 and 3:00)"),
        ((600, 300, 1200), "about 10:00 of 15:00 is too close to call "
                           "(predicted: between 5:00 and 20:00)"),
        ((2000, 1000, 4000), "about 33:20 is over 15:00 (predicted: between 16:40 and 66:40)"),
    ],
)  # fmt: skip
def test_the_build_is_told_with_its_span(figures: tuple[int, int, int], sentence: str) -> None:
    build = Estimate[float].predicted(*map(float, figures))
    assert verdict("build", sized(exact(M)), build).sentence == sentence


def test_what_is_unsized_does_not_doubt_the_build() -> None:
    assert verdict("build", sized(exact(M), "secret")).status is Status.PASS


# --------------------------------------------------------------------------- --limit


def changed(wanted: dict[str, str]) -> dict[str, Limit]:
    return {limit.name: limit for limit in limits_of(HEROKU, wanted)}


def test_a_users_limit_replaces_the_platforms_and_its_source() -> None:
    limits = changed({"slug": " 450M", "build": "30m"})
    assert (limits["slug"].value, limits["slug"].text) == (450 * M, "450M")
    assert limits["slug"].source.text == "set by --limit slug= 450M"
    assert limits["build"].value == 1800
    assert limits["boot"] == LIMITS["boot"]
    assert list(limits) == list(LIMITS)


def test_a_raised_slug_budget_is_still_held_to_herokus_own_limit() -> None:
    sizes = sized(exact(1200 * M))
    limits = limits_of(HEROKU, {"slug": "2G"})
    verdicts = {v.budget: v for v in budget.judge(sizes, QUICK, limits)}
    assert verdicts["slug"].status is Status.PASS
    assert verdicts["heroku-cap"].headline == (
        "1.2G of 1000M, Heroku's own limit since 2026-03-19: the push will be rejected"
    )
    assert code(tuple(verdicts.values()), sizes) == 1


def test_figures_without_a_limit_of_the_platform_can_have_one() -> None:
    limits = changed({"installed": "1 GB", "download": "400M"})
    assert (limits["installed"].value, limits["installed"].severity) == (10**9, Severity.FAIL)
    verdicts = budget.judge(sized(exact(2 * 10**9)), QUICK, tuple(limits.values()))
    by_name = {v.budget: v for v in verdicts}
    assert by_name["installed"].status is Status.FAIL
    assert by_name["download"].limit == 400 * M


def test_a_size_needs_a_unit() -> None:
    with pytest.raises(UsageError, match=r"500 has no unit; did you mean slug=500M\?"):
        changed({"slug": "500"})
    with pytest.raises(UsageError, match=r"did you mean increase=1.5M\?"):
        changed({"increase": "1.5"})
    assert changed({"slug": "524288000"})["slug"].value == 500 * M
    assert changed({"slug": "500B"})["slug"].value == 500


def test_findings_that_make_the_app_fail_decide_the_exit_code() -> None:
    def report(code: str, severity: FindingSeverity, **more: Any) -> Report:
        found = reports.finding(code, severity, "numpy", "it fails", "y")
        return reports.report(reports.measured("onnx"), findings=(found,), **more)

    error, warning = FindingSeverity.ERROR, FindingSeverity.WARNING
    assert budget.exit_code(report("opencv-gui", error)) == 1
    assert budget.exit_code(report("cuda-on-cpu", error)) == 0  # wasteful, but it runs
    assert budget.exit_code(report("built-from-source", warning)) == 0
    strict = replace(report("built-from-source", warning), fail_on=warning)
    assert budget.exit_code(strict) == 1
    placeholder = replace(report("placeholder", warning), fail_on=warning)
    assert budget.exit_code(placeholder) == 0
    allowed = replace(report("other-system", error), allowed_unsized=("numpy",))
    assert budget.exit_code(allowed) == 0


def test_all_wrong_limits_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        changed({"slugs": "1M", "slug": "much", "build": "1G", "zzz": "1", "download": "0"})
    lines = str(caught.value).splitlines()
    assert lines[0] == "--limit slugs=1M: unknown limit 'slugs'; did you mean slug?"
    assert lines[1].startswith("--limit slug=much: 'much' is not a size; write bytes")
    assert lines[2].startswith("--limit build=1G: '1G' is not a duration; write seconds")
    assert (
        "choose from boot, build, bundle, checkout, download, heroku-cap, heroku-warning"
        in lines[3]
    )
    assert lines[4] == "--limit download=0: the limit must be greater than zero"
    assert len(lines) == 5
    assert caught.value.exit_code == 2
