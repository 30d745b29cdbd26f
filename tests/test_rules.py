"""The rules of a team, judged on sizes made here: boundaries, figures, sentences and subjects."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from slugcheck.errors import UsageError
from slugcheck.model import (
    Audit,
    BaseTotals,
    Budget,
    BundleKind,
    Change,
    ChangeKind,
    CountLimit,
    Denied,
    Difference,
    Estimate,
    Finding,
    FindingSeverity,
    Ignore,
    IncreaseLimit,
    Kind,
    PackageLimit,
    PartChange,
    Report,
    Rules,
    Source,
    Status,
    Unaudited,
    Verdict,
)
from slugcheck.policy import gates, limits
from tests.support import reports

MB = 10**6
MIB = 2**20
SOURCE = Source(text="set by slugcheck.toml", date="")
HEROKU = reports.target().platform


def rules(**given: Any) -> Rules:
    return Rules(limits=(), **given)


# --------------------------------------------------------------------------- single packages


def package_limit(name: str, value: int, figure: str = "installed", message: str = "") -> Rules:
    limit = PackageLimit(
        name=name, value=value, text="the limit", figure=figure, message=message, source=SOURCE
    )
    return rules(packages=(limit,))


def sized_report(*unsized: str) -> Report:
    """A package of 50 MB installed, exactly, whose share of the slug is 20 to 22 MB."""
    row = replace(
        reports.distribution("torch", "2.0", bytecode=0, kinds={Kind.NATIVE: 50 * MB}, direct=True),
        slug=Estimate.predicted(21 * MB, 20 * MB, 22 * MB),
    )
    other = reports.distribution("vision", "1.0", required_by=("torch",))
    missing = tuple(reports.missing(name, None, "no index", 2) for name in unsized)
    return reports.report((row, other), unsized=missing)


@pytest.mark.parametrize(
    ("figure", "limit", "status"),
    [
        ("installed", 50 * MB, Status.PASS),
        ("installed", 50 * MB - 1, Status.FAIL),
        ("slug", 30 * MB, Status.PASS),  # smaller than what is installed
        ("slug", 22 * MB, Status.PASS),
        ("slug", 22 * MB - 1, Status.UNKNOWN),
        ("slug", 20 * MB, Status.UNKNOWN),
        ("slug", 20 * MB - 1, Status.FAIL),
    ],
)
def test_a_package_is_judged_by_the_figure_that_its_budget_is_on(
    figure: str, limit: int, status: Status
) -> None:
    sizes = sized_report().sizes
    (verdict,) = gates.of_packages(package_limit("torch", limit, figure), sizes)
    assert (verdict.budget, verdict.status, verdict.gates) == ("package.torch", status, True)
    assert verdict.figure is not None
    assert verdict.figure.value == (21 * MB if figure == "slug" else 50 * MB)
    assert (verdict.limit, verdict.limit_text, verdict.unit) == (limit, "the limit", "bytes")
    assert (verdict.subject, verdict.source) == ("torch", SOURCE)
    assert figure in verdict.sentence


def test_a_packages_message_is_shown_only_when_it_is_over() -> None:
    sizes = sized_report().sizes
    (over,) = gates.of_packages(package_limit("torch", 10 * MB, message="use onnx"), sizes)
    (within,) = gates.of_packages(package_limit("torch", 60 * MB, message="use onnx"), sizes)
    assert over.sentence.endswith("use onnx")
    assert "use onnx" not in within.sentence


def test_a_package_that_is_absent_passes_and_one_without_a_size_does_not() -> None:
    sizes = sized_report("odd").sizes
    (absent,) = gates.of_packages(package_limit("absent", 1), sizes)
    (odd,) = gates.of_packages(package_limit("odd", 1), sizes)
    assert (absent.status, absent.sentence) == (Status.PASS, "not installed")
    assert (odd.status, odd.sentence) == (Status.UNKNOWN, "could not be sized")


# --------------------------------------------------------------------------- denied


def denied(name: str, specifier: str = "", reason: str = "") -> Denied:
    return Denied(name=name, specifier=specifier, reason=reason, place="slugcheck.toml: deny")


def judged(*packages: Denied, unsized: tuple[str, ...] = ()) -> Verdict:
    (verdict,) = gates.of_packages(rules(denied=packages), sized_report(*unsized).sizes)
    return verdict


def test_what_is_denied_names_its_parents_and_counts() -> None:
    both = judged(denied("torch", reason="too large"), denied("vision"))
    assert (both.status, both.gates, both.unit) == (Status.FAIL, True, "count")
    assert both.sentence == (
        "torch 2.0 is denied: too large; vision 1.0 (required by torch) is denied"
    )
    assert both.figure == Estimate.measured(2)
    assert both.subject == "torch"
    assert both.source.text == "set by slugcheck.toml: deny"


@pytest.mark.parametrize(
    ("specifier", "status"),
    [("", Status.FAIL), (">=2", Status.FAIL), ("<2", Status.PASS), (">=2.0rc1", Status.FAIL)],
)
def test_only_the_versions_named_are_denied(specifier: str, status: Status) -> None:
    verdict = judged(denied("torch", specifier))
    assert verdict.status is status
    if status is Status.PASS:
        assert verdict.sentence == f"not installed: torch{specifier}"
        assert (verdict.figure, verdict.subject) == (Estimate.measured(0), "")


def test_a_prerelease_is_denied_like_a_release() -> None:
    row = reports.distribution("torch", "3.0rc1", direct=True)
    (verdict,) = gates.of_packages(
        rules(denied=(denied("torch", ">=2"),)), reports.report((row,)).sizes
    )
    assert verdict.status is Status.FAIL


def test_what_is_denied_and_unsized_fails_too() -> None:
    verdict = judged(denied("odd"), unsized=("odd", "other"))
    assert verdict.status is Status.FAIL
    assert verdict.sentence == "odd is denied and could not be sized"
    assert verdict.figure == Estimate.measured(1)
    assert judged(denied("absent"), unsized=("odd",)).status is Status.PASS


# --------------------------------------------------------------------------- vulnerabilities


def audited(
    count: int,
    most: int | None = 0,
    *,
    unaudited: tuple[str, ...] = (),
    accepted: tuple[str, ...] = (),
    problem: str | None = None,
    ran: bool = True,
) -> tuple[Verdict, ...]:
    limit = CountLimit(value=most or 0, text=str(most), message="ask security", source=SOURCE)
    audit = Audit(
        service="osv", audited=3, vulnerabilities=(), problem=problem,
        unaudited=tuple(Unaudited(name=n, version=None, reason="a URL") for n in unaudited),
    )  # fmt: skip
    return gates.of_audit(
        rules(vulnerabilities=None if most is None else limit),
        audit if ran else None,
        count,
        accepted=lambda name: name in accepted,
    )


@pytest.mark.parametrize(
    ("count", "most", "status", "sentence"),
    [
        (0, 0, Status.PASS, "0 known vulnerabilities; 0 allowed"),
        (1, 0, Status.FAIL, "1 known vulnerability; 0 allowed. ask security"),
        (2, 2, Status.PASS, "2 known vulnerabilities; 2 allowed"),
        (3, 2, Status.FAIL, "3 known vulnerabilities; 2 allowed. ask security"),
    ],
)
def test_vulnerabilities_are_counted(
    count: int, most: int, status: Status, sentence: str
) -> None:  # fmt: skip
    (verdict,) = audited(count, most)
    assert (verdict.status, verdict.sentence, verdict.gates) == (status, sentence, True)
    assert (verdict.limit, verdict.unit) == (most, "count")
    assert verdict.figure == Estimate.measured(count)


def test_what_could_not_be_audited_leaves_it_open_unless_it_is_accepted() -> None:
    names = ("a", "b", "c", "d")
    (verdict,) = audited(0, unaudited=names)
    assert verdict.status is Status.UNKNOWN
    assert verdict.sentence.endswith("could not audit a, b, c and 1 more")
    (over,) = audited(1, unaudited=names)
    assert over.status is Status.FAIL  # what is known is enough
    (some,) = audited(0, unaudited=names, accepted=("a", "b", "c"))
    assert (some.status, some.sentence.rpartition(" ")[2]) == (Status.UNKNOWN, "d")
    (all_,) = audited(0, unaudited=names, accepted=names)
    assert all_.status is Status.PASS


def test_an_audit_that_failed_is_unknown_with_and_without_a_limit() -> None:
    (limited,) = audited(0, 5, problem="the service answers 500")
    (free,) = audited(0, None, problem="the service answers 500")
    for verdict in (limited, free):
        assert (verdict.status, verdict.gates, verdict.figure) == (Status.UNKNOWN, True, None)
        assert verdict.sentence == "not audited: the service answers 500"
    assert (limited.source, limited.limit) == (SOURCE, 5)
    assert free.source.text == "requested with --audit"
    assert (free.limit, free.limit_text) == (0, "none")


def test_without_a_limit_an_audit_has_no_verdict_and_without_an_audit_a_limit_does_not_gate() -> (
    None
):
    assert audited(3, None) == ()
    assert audited(0, None, ran=False) == ()
    (verdict,) = audited(0, 2, ran=False)
    assert (verdict.status, verdict.gates, verdict.limit) == (Status.UNKNOWN, False, 2)
    assert "--audit" in verdict.sentence


# --------------------------------------------------------------------------- increases


def change(name: str, installed: int, slug: int) -> Change:
    return Change(
        name=name, kind=ChangeKind.ADDED, before=None, after="1", installed_bytes=installed,
        slug_bytes=slug, percent=None, because=("direct",),
    )  # fmt: skip


CHANGES = (
    change("torch", 90 * MIB, 30 * MIB),
    change("data", 10 * MIB, 40 * MIB),
    change("gone", -60 * MIB, -20 * MIB),
)
PARTS = (PartChange(name="app files", installed_bytes=5 * MIB, slug_bytes=MIB),)


def difference(**given: Any) -> Difference:
    base = BaseTotals(distributions=3, installed_bytes=400 * MIB, slug_bytes=100 * MIB)
    fields: dict[str, Any] = {
        "label": "main", "base": base, "changes": CHANGES, "parts": PARTS,
        "installed_bytes": 45 * MIB, "slug_bytes": 51 * MIB, "bundle_bytes": 51 * MIB,
        "installed_doubt_bytes": 2 * MIB, "slug_doubt_bytes": MIB,
    }  # fmt: skip
    return Difference(**(fields | given))


def increase(
    value: int | None = None,
    percent: float | None = None,
    *,
    figure: str = "slug",
    per_package: bool = False,
    against: Difference | None = None,
) -> Verdict:
    limit = IncreaseLimit(
        value=value, percent=percent, text="the limit", figure=figure, message="ask us",
        source=SOURCE,
    )  # fmt: skip
    both = {"package_increase" if per_package else "increase": limit}
    report = sized_report()
    judged = gates.with_increase(report, rules(**both), against)
    assert judged.difference is against
    assert judged.verdicts[:-1] == report.verdicts
    return judged.verdicts[-1]


@pytest.mark.parametrize(
    ("figure", "value", "percent", "status"),
    [
        ("slug", 52 * MIB, None, Status.PASS),
        ("slug", 52 * MIB - 1, None, Status.UNKNOWN),
        ("slug", 50 * MIB, None, Status.UNKNOWN),
        ("slug", 50 * MIB - 1, None, Status.FAIL),
        ("installed", 47 * MIB, None, Status.PASS),
        ("installed", 43 * MIB - 1, None, Status.FAIL),
        ("slug", None, 52.0, Status.PASS),
        ("slug", None, 49.9, Status.FAIL),
        ("installed", None, 11.75, Status.PASS),
        ("installed", None, 10.7, Status.FAIL),
        ("slug", 1, 60.0, Status.PASS),  # only over both it fails
        ("slug", 60 * MIB, 1.0, Status.PASS),
        ("slug", 1, 1.0, Status.FAIL),
    ],
)
def test_an_increase_is_judged_by_its_interval(
    figure: str, value: int | None, percent: float | None, status: Status
) -> None:
    verdict = increase(value, percent, figure=figure, against=difference())
    assert (verdict.budget, verdict.status, verdict.gates) == ("increase", status, True)
    assert verdict.figure is not None
    grown, doubt = (51 * MIB, MIB) if figure == "slug" else (45 * MIB, 2 * MIB)
    spans = (verdict.figure.low, verdict.figure.value, verdict.figure.high)
    assert spans == (grown - doubt, grown, grown + doubt)
    assert verdict.subject == ("data" if figure == "slug" else "torch")


def test_the_sentences_about_an_increase() -> None:
    over = increase(10 * MIB, against=difference())
    assert over.sentence == (
        "slug grows by 51M (+51.0 %) against main, over the limit; "
        "largest contributors: data 40M, torch 30M and app files 1M. ask us"
    )
    within = increase(60 * MIB, against=difference())
    assert within.sentence == "slug grows by 51M (+51.0 %) against main, within the limit"
    near = increase(51 * MIB, against=difference())
    assert near.sentence == (
        "slug grows by 51M (+51.0 %) against main, too close to the limit to call: "
        "between 50M and 52M; largest contributors: data 40M, torch 30M and app files 1M"
    )
    tiny = PartChange(name="models", installed_bytes=9_000, slug_bytes=9_000)
    against = replace(difference(), parts=(tiny,))
    sentence = increase(10 * MIB, against=against).sentence
    assert "largest contributors: data 40M and torch 30M. ask us" in sentence
    installed = increase(10 * MIB, figure="installed", against=difference())
    assert installed.sentence == (
        "installed grows by 45M (+11.2 %) against main, over the limit; "
        "largest contributors: torch 90M, data 10M and app files 5M. ask us"
    )


def test_what_shrinks_or_stays_says_so() -> None:
    exact = {"slug_doubt_bytes": 0}
    smaller = increase(MIB, against=difference(slug_bytes=-3 * MIB, **exact))
    assert smaller.sentence == "slug shrinks by 3M (-3.0 %) against main, within the limit"
    nothing = {"changes": (), "parts": (), "slug_bytes": 0, **exact}
    alike = increase(MIB, against=difference(**nothing))
    assert alike.sentence.startswith("slug does not change")
    assert (alike.status, alike.subject) == (Status.PASS, "")
    empty = BaseTotals(distributions=0, installed_bytes=0, slug_bytes=0)
    first = increase(MIB, against=difference(base=empty))
    assert first.sentence.startswith("slug grows by 51M against main")  # no percent of nothing


@pytest.mark.parametrize(
    ("figure", "value", "status", "names"),
    [
        ("slug", 40 * MIB, Status.PASS, ""),
        ("slug", 40 * MIB - 1, Status.FAIL, "data 40M"),
        ("slug", 29 * MIB, Status.FAIL, "torch 30M and data 40M"),
        ("installed", 90 * MIB, Status.PASS, ""),
        ("installed", 80 * MIB, Status.FAIL, "torch 90M"),
    ],
)
def test_one_package_that_adds_too_much_fails(
    figure: str, value: int, status: Status, names: str
) -> None:
    verdict = increase(value, figure=figure, per_package=True, against=difference())
    assert (verdict.budget, verdict.status) == ("package_increase", status)
    if names:
        assert verdict.sentence == f"{figure} over the limit against main: {names}. ask us"
    else:
        assert verdict.sentence == "no package adds more than the limit against main"


def test_packages_that_only_shrink_add_nothing() -> None:
    verdict = increase(0, per_package=True, against=difference(changes=(CHANGES[2],)))
    assert verdict.figure == Estimate.measured(0)
    assert (verdict.status, verdict.subject) == (Status.PASS, "")
    assert increase(0, per_package=True, against=difference(changes=())).status is Status.PASS


def test_without_a_base_it_is_open_and_gates_only_if_one_was_wanted() -> None:
    missing = increase(MIB, against=difference(base=None, problem="no such revision"))
    assert (missing.status, missing.gates) == (Status.UNKNOWN, True)
    assert missing.sentence == "not judged: no such revision"
    none = increase(MIB)
    assert (none.status, none.gates, none.figure) == (Status.UNKNOWN, False, None)
    assert "--against" in none.sentence


def test_without_a_limit_an_increase_has_no_verdict() -> None:
    report = sized_report()
    assert gates.with_increase(report, rules(), difference()).verdicts == report.verdicts


# --------------------------------------------------------------------------- ignores

TODAY = date(2026, 11, 27)


def ignore(code: str, subject: str | None = None, expires: date = TODAY) -> Ignore:
    return Ignore(
        code=code, subject=subject, reason="known", expires=expires, place="slugcheck.toml: ignore"
    )


def finding_of(code: str, subject: str, *ids: str) -> Finding:
    return replace(reports.finding(code, FindingSeverity.WARNING, subject, "it is", ""), ids=ids)


@pytest.mark.parametrize(
    ("rule", "applies"),
    [
        (ignore("cuda-on-cpu"), True),
        (ignore("cuda-on-cpu", "Torch_X"), True),
        (ignore("cuda-on-cpu", "numpy"), False),
        (ignore("CVE-1"), True),
        (ignore("CVE-1", "numpy"), False),
        (ignore("opencv-gui", "torch-x"), False),
    ],
)
def test_a_rule_ignores_its_code_or_id_of_its_package(rule: Ignore, applies: bool) -> None:
    finding = finding_of("cuda-on-cpu", "torch-x", "GHSA-1", "CVE-1")
    sorted_ = gates.sort_ignored([finding], [rule], TODAY)
    assert sorted_.kept == (() if applies else (finding,))
    assert [(i.finding, i.reason, i.expires) for i in sorted_.ignored] == (
        [(finding, "known", "2026-11-27")] if applies else []
    )
    shown = f"{rule.code} of {rule.subject}" if rule.subject else rule.code
    unused = f"slugcheck.toml: ignore: unused ignore rule: {shown}"
    assert sorted_.notes == (() if applies else (unused,))


def test_a_rule_ends_with_its_day() -> None:
    finding = finding_of("cuda-on-cpu", "torch")
    past = ignore("cuda-on-cpu", "torch", date(2026, 11, 26))
    ended = gates.sort_ignored([finding, finding], [past], TODAY)
    assert (ended.kept, ended.ignored) == ((finding, finding), ())
    assert ended.notes == (
        "slugcheck.toml: ignore: cuda-on-cpu of torch is no longer ignored: the rule expired on "
        "2026-11-26 (known)",
    )
    renewed = gates.sort_ignored([finding], [past, ignore("cuda-on-cpu")], TODAY)
    assert (renewed.kept, len(renewed.ignored), renewed.notes) == ((), 1, ())


# --------------------------------------------------------------------------- limits as written


def budget(name: str, text: str, on: str | None = None, message: str = "") -> Budget:
    return Budget(name=name, text=text, place="slugcheck.toml", on=on, message=message)


def read(*budgets: Budget) -> Rules:
    return limits.rules(HEROKU, budgets)


@pytest.mark.parametrize(
    ("text", "seconds"), [("600s", 600), ("10m", 600), ("900", 900), ("1:30", 90), ("1h", 3600)]
)
def test_a_limit_on_the_build_is_a_duration(text: str, seconds: int) -> None:
    by_name = {limit.name: limit for limit in read(budget("build", text)).limits}
    assert (by_name["build"].value, by_name["build"].unit) == (seconds, "seconds")
    assert by_name["build"].text == text


def test_a_figure_that_the_platform_does_not_limit_gets_a_limit_of_its_own() -> None:
    by_name = {limit.name: limit for limit in read(budget("checkout", " 90M ", message="x")).limits}
    own = by_name["checkout"]
    assert (own.value, own.figure, own.unit, own.text) == (90 * MIB, "checkout", "bytes", "90M")
    assert (own.source.text, own.message) == ("set by slugcheck.toml", "x")
    assert set(by_name) == {limit.name for limit in HEROKU.limits} | {"checkout"}


def test_the_budget_of_a_package() -> None:
    (plain, by_slug) = read(
        budget("package.My_Pack", " 200MB ", message="m"), budget("package.b", "1M", on="slug")
    ).packages
    assert plain == PackageLimit(
        name="my-pack", value=200 * MB, text="200MB", figure="installed", message="m",
        source=Source(text="set by slugcheck.toml", date=""),
    )  # fmt: skip
    assert (by_slug.name, by_slug.value, by_slug.figure) == ("b", MIB, "slug")


def test_the_last_of_two_budgets_counts() -> None:
    (only,) = read(budget("package.a", "1M"), budget("package.a", "2M")).packages
    assert only.value == 2 * MIB


@pytest.mark.parametrize(
    ("budgets", "value", "percent", "text", "figure", "message"),
    [
        ([budget("increase", " 5M ")], 5 * MIB, None, "5M", "slug", ""),
        ([budget("increase_percent", "2.50")], None, 2.5, "2.5 %", "slug", ""),
        (
            [budget("increase", "5M", message="a"), budget("increase_percent", "3 %", message="b")],
            5 * MIB, 3.0, "5M and 3 %", "slug", "a",
        ),
        (
            [budget("increase", "5M"), budget("increase_percent", "3", "installed", "b")],
            5 * MIB, 3.0, "5M and 3 %", "installed", "b",
        ),
        ([budget("increase", "0")], 0, None, "0", "slug", ""),
    ],
)  # fmt: skip
def test_the_budget_of_an_increase(
    budgets: list[Budget],
    value: int | None,
    percent: float | None,
    text: str,
    figure: str,
    message: str,
) -> None:
    limit = read(*budgets).increase
    assert limit is not None
    assert (limit.value, limit.percent) == (value, percent)
    assert (limit.text, limit.figure, limit.message) == (text, figure, message)
    assert limit.source.text == "set by slugcheck.toml"
    functions = replace(HEROKU, bundle=replace(HEROKU.bundle, kind=BundleKind.UNZIPPED))
    other = limits.rules(functions, [budget("increase", "1M")]).increase
    assert other is not None
    assert other.figure == "bundle"  # what that platform limits


def test_the_budget_of_single_increases_and_of_vulnerabilities() -> None:
    chosen = read(budget("package_increase", "5M"), budget("vulnerabilities", " 3", message="m"))
    assert chosen.increase is None
    assert chosen.package_increase is not None
    assert (chosen.package_increase.value, chosen.package_increase.percent) == (5 * MIB, None)
    assert chosen.vulnerabilities is not None
    assert (chosen.vulnerabilities.value, chosen.vulnerabilities.text) == (3, "3")
    assert chosen.vulnerabilities.message == "m"
    assert read().vulnerabilities is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (budget("slug", "1M", on="slug"), "slug does not accept 'on'"),
        (
            budget("package.a", "1M", on="both"),
            "'on' must be slug, bundle or installed, not 'both'",
        ),
        (budget("package.a!", "1M"), "'a!' is not a valid package name"),
        (budget("package.a", "999999"), "999999 has no unit; did you mean package.a=999999M?"),
        (budget("package.a", "0"), "the limit must be greater than zero"),
        (budget("slug", " 1.5 "), "1.5 has no unit; did you mean slug=1.5M?"),
        (budget("build", "0"), "the limit must be greater than zero"),
        (budget("boot", "0.2s"), "the limit must be at least a second"),
        (budget("increase_percent", "much"), "'much' is not a percentage; write 5 or 2.5"),
        (budget("increase_percent", "-1"), "'-1' is not a percentage; write 5 or 2.5"),
        (budget("vulnerabilities", "1.5"), "'1.5' is not a whole number; write 0 or 3"),
        (budget("vulnerabilities", "1234567890"), "'1234567890' is not a whole number"),
        (budget("vulnerabilities", "³"), "is not a whole number"),
        (budget("buidl", "1m"), "unknown limit 'buidl'; did you mean build?"),
        (budget("q" * 90, "1m"), f"unknown limit '{'q' * 60}'; choose from"),
        (budget("boots", "1m"), "unknown limit 'boots'; did you mean boot?"),
    ],
)
def test_a_wrong_limit_is_explained(wrong: Budget, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(wrong)
    assert str(raised.value).startswith("slugcheck.toml: ")
    assert said in str(raised.value)
    assert raised.value.hint is not None
    assert "slug=300M" in raised.value.hint


@pytest.mark.parametrize(
    "fine",
    [
        budget("package.a", "1000000"),
        budget("vulnerabilities", "0"),
        budget("vulnerabilities", "999999999"),
        budget("increase_percent", "0"),
        budget("build", "30"),
        budget("increase", "0"),
        budget("package_increase", "5M", on="installed"),
    ],
)
def test_a_limit_at_the_edge_is_fine(fine: Budget) -> None:
    assert limits.mistakes(HEROKU, [fine]) == []


def test_the_names_to_choose_from_are_those_that_are_judged() -> None:
    (sentence,) = limits.mistakes(HEROKU, [budget("zzz", "1")])
    named = sentence.partition("choose from ")[2]
    assert named == (
        "boot, build, bundle, checkout, download, heroku-cap, heroku-warning, increase, "
        "increase_percent, installed, package_increase, ram, slug, vulnerabilities, zipped and "
        "package.NAME"
    )
