"""Saved reports compared: each figure of a difference, and which candidate is taken at the edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from slugcheck.compare import (
    Candidate,
    Doubts,
    Result,
    _is_newer,
    changes,
    compare,
    difference,
    doubts,
    join,
    labels,
    recommend,
)
from slugcheck.errors import UsageError
from slugcheck.model import Basis, BundleKind, ChangeKind, Estimate, Obstacle, Status
from slugcheck.model.comparison import Setup, StepKind
from slugcheck.model.document.bench import BenchDocument
from slugcheck.model.document.report import Distribution, ReportDocument, Requirement
from slugcheck.model.document.report import Unsized as UnsizedDocument
from slugcheck.model.to_document.bench import bench_document
from slugcheck.model.to_document.report import report_document
from slugcheck.text import HEROKU_M, MEGABYTES, Scale
from tests.support import reports
from tests.support.benches import heavy, light, result

MIB = 2**20


def document(*names: str, kind: BundleKind = BundleKind.GZIP_TAR, **totals: Any) -> ReportDocument:
    """A saved report of distributions ``name version``, with some of its totals replaced."""
    rows = []
    for number, text in enumerate(names):
        name, version = text.split()
        rows.append(reports.distribution(name, version, direct=True, slug=900_000 - number))
    report = reports.report(rows, on=reports.target(kind=kind))
    made = report_document(report)
    return structs.replace(made, totals=structs.replace(made.totals, **totals))


def sized(name: str, version: str, installed: int, slug: int, **more: Any) -> Distribution:
    (first,) = document(f"{name} {version}").distributions
    fields = {
        "installed_bytes": installed, "slug_bytes": slug, "installed_low_bytes": installed - 3,
        "installed_high_bytes": installed + 4, "slug_low_bytes": slug - 10,
        "slug_high_bytes": slug + 10, "bundle_bytes": slug, "bundle_low_bytes": slug - 20,
        "bundle_high_bytes": slug + 10,
    }  # fmt: skip
    return structs.replace(first, **(fields | more))


# --------------------------------------------------------------------------- two reports


@pytest.mark.parametrize(
    ("now", "then", "kind", "installed", "slug", "percent"),
    [
        (sized("a", "1", 70, 30), None, ChangeKind.ADDED, 70, 30, None),
        (None, sized("a", "1", 70, 30), ChangeKind.REMOVED, -70, -30, -100.0),
        (sized("a", "2", 70, 30), sized("a", "1", 50, 20), ChangeKind.UPGRADED, 20, 10, 50.0),
        (sized("a", "1", 70, 30), sized("a", "2", 50, 40), ChangeKind.DOWNGRADED, 20, -10, -25.0),
        (sized("a", "1", 70, 30), sized("a", "1", 70, 20), ChangeKind.SAME_VERSION, 0, 10, 50.0),
        (sized("a", "1", 71, 30), sized("a", "1", 70, 30), ChangeKind.SAME_VERSION, 1, 0, 0.0),
    ],
)
def test_a_change_has_its_kind_and_what_it_adds(
    now: Distribution | None,
    then: Distribution | None,
    kind: ChangeKind,
    installed: int,
    slug: int,
    percent: float | None,
) -> None:
    (change,) = changes(
        {"a": now} if now else {}, {"a": then} if then else {}
    )  # fmt: skip
    assert (change.kind, change.installed_bytes, change.slug_bytes) == (kind, installed, slug)
    assert change.percent == percent
    assert (change.before, change.after) == (
        then.version if then else None, now.version if now else None,
    )  # fmt: skip
    assert change.because == ("direct",)


def test_changes_stand_by_what_counts_and_the_same_is_none() -> None:
    now = {
        "a": sized("a", "1", 90, 1), "b": sized("b", "1", 1, 90), "c": sized("c", "1", 5, 5),
        "same": sized("same", "1", 7, 7),
    }  # fmt: skip
    then = {"d": sized("d", "1", 5, 5), "same": sized("same", "1", 7, 7)}
    assert [c.name for c in changes(now, then)] == ["b", "c", "d", "a"]
    half = changes({"a": sized("a", "2", 9, 15)}, {"a": sized("a", "1", 9, 10)})
    assert half[0].percent == 50.0
    free = changes({"a": sized("a", "2", 15, 9)}, {"a": sized("a", "1", 0, 0)})
    assert free[0].percent is None


@pytest.mark.parametrize(
    ("version", "other", "newer"),
    [("2", "10", False), ("10", "2", True), ("1", "1.0", False), ("x", "1", False),
     ("1", "x", True), ("x", "y", False)],
)  # fmt: skip
def test_versions_are_compared_as_versions(version: str, other: str, newer: bool) -> None:
    assert _is_newer(version, other) is newer


def test_the_doubt_of_a_difference_is_that_of_what_changed() -> None:
    assert doubts([sized("a", "1", 50, 50), sized("b", "1", 50, 50)]) == Doubts(8, 20, 30)
    base = document("same 1.0", "old 1.0")
    head = document("same 1.0", "new 1.0")
    computed = difference(head, base, label="main")
    apart = [d for d in (*head.distributions, *base.distributions) if d.name != "same"]
    assert doubts(apart) == Doubts(
        computed.installed_doubt_bytes, computed.slug_doubt_bytes, computed.bundle_doubt_bytes
    )
    measured = structs.replace(
        base,
        totals=structs.replace(
            base.totals, basis=Basis.MEASURED, slug_low_bytes=100, slug_high_bytes=121,
            all_installed_low_bytes=100, all_installed_high_bytes=103,
        ),
    )  # fmt: skip
    mixed = difference(head, measured, label="main")
    own = head.totals
    assert mixed.slug_doubt_bytes == 11 + -(-(own.slug_high_bytes - own.slug_low_bytes) // 2)
    assert mixed.installed_doubt_bytes == 2 + -(
        -(own.all_installed_high_bytes - own.all_installed_low_bytes) // 2
    )
    assert mixed.notes == ("main is measured, this predicted: this may change sizes",)


def test_a_difference_has_the_sums_of_both_and_its_parts() -> None:
    base = document("a 1.0", app_bytes=5, app_slug_bytes=2, model_bytes=9, model_slug_bytes=9)
    head = document(
        "a 1.0", app_bytes=5, app_slug_bytes=6, model_bytes=2, model_slug_bytes=9, runtime_bytes=9,
        all_installed_bytes=1_000, slug_bytes=700,
    )  # fmt: skip
    base = structs.replace(
        base, totals=structs.replace(base.totals, runtime_bytes=9, runtime_slug_bytes=1)
    )
    head = structs.replace(head, totals=structs.replace(head.totals, runtime_slug_bytes=1))
    computed = difference(head, base, label="main")
    then = computed.base
    assert then is not None
    assert (then.installed_bytes, then.slug_bytes) == (
        base.totals.all_installed_bytes, base.totals.slug_bytes,
    )  # fmt: skip
    assert then.distributions == 1
    assert computed.installed_bytes == 1_000 - base.totals.all_installed_bytes
    assert computed.slug_bytes == 700 - base.totals.slug_bytes
    assert [(p.name, p.installed_bytes, p.slug_bytes) for p in computed.parts] == [
        ("app files", 0, 4), ("models", -7, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "app", "models"),
    [
        (BundleKind.GZIP_TAR, 2, 9), (BundleKind.ZIP, 2, 9),
        (BundleKind.UNZIPPED, 50, 90), (BundleKind.SITE_PACKAGES, 50, 90),
    ],
)  # fmt: skip
def test_app_files_and_models_count_as_their_platform_counts(
    kind: BundleKind, app: int, models: int
) -> None:
    sums = {"app_bytes": 50, "app_slug_bytes": 2, "model_bytes": 90, "model_slug_bytes": 9}
    base, head = document("a 1.0", kind=kind), document("a 1.0", kind=kind, **sums)
    parts = difference(head, base, label="main").parts
    assert [part.bundle_bytes for part in parts] == [app, models]
    setup = compare([Candidate(label="a", report=head), Candidate(label="b", report=base)])
    assert setup.stacks[0].model_bundle_bytes == models
    assert [row.bundle_bytes for row in setup.stacks[0].rows if row.name == "app files"] == [app]


def with_target(made: ReportDocument, **fields: Any) -> ReportDocument:
    return structs.replace(made, target=structs.replace(made.target, **fields))


def unsized(*names: str, allowed: bool = False) -> tuple[UnsizedDocument, ...]:
    return tuple(
        UnsizedDocument(name=n, version="1" if n == "v" else None, reason="r", allowed=allowed)
        for n in names
    )


def test_what_alone_changes_sizes_is_noted() -> None:
    base, head = document("a 1.0"), document("a 1.0")
    assert difference(head, base, label="main").notes == ()
    other = with_target(base, title="Lambda", stack="al2023", python_full="3.12.1")
    other = structs.replace(
        other, tool=structs.replace(other.tool, version="9"), unsized=unsized("v", "w")
    )
    computed = difference(structs.replace(head, unsized=unsized("z")), other, label="main")
    assert computed.notes == (
        "main is for platform Lambda, this for Heroku: this alone changes sizes",
        "main is for stack al2023, this for heroku-24: this alone changes sizes",
        "main is for Python 3.12.1, this for 3.11.16: this alone changes sizes",
        "main was made by slugcheck 9, this by 0.1.0: this alone may change predictions",
        "not counted in main (size unknown): v 1 and w",
        "not counted in this (size unknown): z",
    )


# --------------------------------------------------------------------------- candidates


def candidate(
    label: str,
    value: int,
    *,
    doubt: int = 0,
    status: Status = Status.PASS,
    room: int | None = 0,
) -> Setup:
    both = compare([Candidate(label="x", report=document("a 1.0"))] * 2)
    figure = Estimate(value=value, low=value - doubt, high=value + doubt, basis=Basis.PREDICTED)
    return replace(
        both.stacks[0], label=label, bundle=figure, slug=figure, status=status, room_bytes=room,
        sentence="the sentence",
    )  # fmt: skip


def taken(*candidates: Setup, scale: Scale = HEROKU_M) -> tuple[str | None, str]:
    computed = recommend(candidates, scale=scale)
    return computed.label, computed.because[-1]


def test_the_smallest_that_fits_is_taken_by_its_share_of_the_largest() -> None:
    small, large = candidate("s", 30 * MIB), candidate("l", 40 * MIB)
    assert taken(small, large) == ("s", "s is 10M (25.0 %) smaller than l")
    assert taken(large, small) == ("s", "s is 10M (25.0 %) smaller than l")
    over = candidate("l", 40 * MIB, status=Status.FAIL, room=-5)
    assert taken(over, small) == ("s", "s is 10M (25.0 %) smaller than l")
    only = candidate("l", 40 * MIB)
    smaller = candidate("s", 30 * MIB, status=Status.FAIL)
    assert taken(smaller, only) == ("l", "l fits with 0M left")
    megabytes = candidate("s", 30 * 10**6), candidate("l", 40 * 10**6)
    assert taken(*megabytes, scale=MEGABYTES)[1] == "s is 10 MB (25.0 %) smaller than l"


@pytest.mark.parametrize(("doubt", "decided"), [(4, True), (5, False)])
def test_intervals_that_touch_decide_nothing(doubt: int, decided: bool) -> None:
    first, other = candidate("a", 100, doubt=doubt), candidate("b", 110, doubt=doubt)
    label, because = taken(first, other)
    assert label == ("a" if decided else None)
    if not decided:
        assert because == "a and b are too close to call"


@pytest.mark.parametrize(("low", "label"), [(101, "fits"), (100, None)])
def test_one_that_may_be_smaller_but_cannot_be_judged_leaves_it_open(
    low: int, label: str | None
) -> None:
    fits = candidate("fits", 100)
    doubtful = candidate("open", low + 20, doubt=20, status=Status.UNKNOWN)
    computed, because = taken(fits, doubtful)
    assert computed == label
    if label is None:
        assert because == "open may be smaller than fits, but cannot be judged"


def test_where_none_fits_the_closest_is_named_and_by_how_much() -> None:
    first = candidate("a", 30 * MIB, status=Status.FAIL, room=-10 * MIB)
    other = candidate("b", 50 * MIB, status=Status.FAIL, room=-30 * MIB)
    assert taken(other, first) == (None, "no candidate fits; a is the closest, 10M too large")
    unknown = candidate("c", 10, status=Status.UNKNOWN)
    assert taken(first, unknown) == (None, "unknown whether c fits")
    assert taken(unknown, replace(unknown, label="d"))[1] == "unknown whether c and d fit"


@pytest.mark.parametrize(
    ("status", "room", "sentence"),
    [
        (Status.PASS, 5 * MIB, "a fits with 5M left"),
        (Status.PASS, None, "a is 20M"),
        (Status.FAIL, -5 * MIB, "a does not fit: 5M too large"),
        (Status.FAIL, -5 * MIB - 1, "a does not fit: 5.1M too large"),
        (Status.FAIL, 0, "a is within the size limit, but over another budget"),
        (Status.UNKNOWN, 5, "a cannot be judged: the sentence"),
    ],
)
def test_each_candidate_has_its_reason(status: Status, room: int | None, sentence: str) -> None:
    first = candidate("a", 20 * MIB, status=status, room=room)
    other = candidate("b", 90 * MIB)
    assert recommend([first, other], scale=HEROKU_M).because[0] == sentence


def two(first: ReportDocument, second: ReportDocument) -> list[Candidate]:
    return [Candidate(label="one", report=first), Candidate(label="other", report=second)]


def test_a_setup_has_the_figure_that_the_platform_limits() -> None:
    for kind, limit, text in (
        (BundleKind.GZIP_TAR, 524_288_000, "500M"),
        (BundleKind.UNZIPPED, 262_144_000, "250 MiB unzipped"),
    ):
        value, sizes = 500, {"slug_bytes": 300, "all_installed_bytes": 900, "bundle_bytes": 500}
        first = document("a 1.0", kind=kind, **{n: size - 100 for n, size in sizes.items()})
        other = document("a 1.0", kind=kind, **sizes)
        computed = compare(two(first, other))
        setup = computed.stacks[1]
        assert setup.bundle.value == value
        assert setup.room_bytes == limit - value
        assert (setup.saved_slug_bytes, setup.saved_installed_bytes) == (-100, -100)
        assert setup.saved_percent == pytest.approx(-100 * 100 / (value - 100))
        assert computed.savings is not None
        assert (computed.savings.from_label, computed.savings.to_label) == ("other", "one")
        assert computed.savings.slug_bytes == computed.savings.installed_bytes == 100
        assert computed.savings.percent == pytest.approx(100 * 100 / value)
        assert computed.limit_text == text
    empty = compare(two(document(bundle_bytes=0), document(bundle_bytes=0)))
    assert empty.stacks[1].saved_percent is None
    assert empty.savings is None


def test_the_status_of_a_setup_is_that_of_all_its_budgets() -> None:
    fits = document("a 1.0")
    statuses = []
    for status, gates in (
        (Status.FAIL, True), (Status.FAIL, False), (Status.UNKNOWN, True), (Status.PASS, True),
    ):  # fmt: skip
        verdicts = (structs.replace(fits.verdicts[0], status=status, gates=gates),)
        made = structs.replace(fits, verdicts=verdicts)
        statuses.append(compare(two(made, fits)).stacks[0].status)
    assert statuses == [Status.FAIL, Status.PASS, Status.UNKNOWN, Status.PASS]
    for allowed, status in ((True, Status.PASS), (False, Status.UNKNOWN)):
        made = structs.replace(fits, unsized=unsized("v", allowed=allowed))
        computed = compare(two(made, fits))
        assert computed.stacks[0].status is status
        assert computed.stacks[0].unsized == (() if allowed else ("v",))
        assert computed.notes == ("not counted in one (size unknown): v",)
    free = structs.replace(fits, verdicts=())
    assert compare(two(free, fits)).stacks[0].room_bytes is None
    assert compare(two(free, fits)).stacks[0].sentence == "no limit"


def test_an_obstacle_leaves_a_candidate_open_and_is_noted() -> None:
    fits = document("a 1.0")
    obstacles = (
        Obstacle(sentence="runtime.txt asks for 3.8", instead="sized with Python 3.10"),
        Obstacle(sentence="the index is away"),
    )
    obstructed = report_document(
        replace(reports.report((reports.distribution("a"),)), obstacles=obstacles)
    )
    compared = compare(two(fits, obstructed))
    assert [setup.status for setup in compared.stacks] == [Status.PASS, Status.UNKNOWN]
    assert compared.notes == (
        "other: runtime.txt asks for 3.8; sized with Python 3.10", "other: the index is away",
    )  # fmt: skip


def test_rows_stand_by_size_and_add_up_with_what_is_counted_once() -> None:
    report = document("a 1.0", "b 1.0", "c 1.0")
    small = structs.replace(
        report.distributions[2], installed_bytes=90_000_000,
        slug_bytes=report.distributions[0].slug_bytes,
        bundle_bytes=report.distributions[0].bundle_bytes,
    )  # fmt: skip
    whole = sum(d.installed_bytes for d in (*report.distributions[:2], small))
    packed = sum(d.slug_bytes for d in (*report.distributions[:2], small))
    report = structs.replace(
        report,
        distributions=(*report.distributions[:2], small),
        totals=structs.replace(
            report.totals, installed_bytes=whole - 70, dependencies_slug_bytes=packed - 30,
            runtime_bytes=0, runtime_slug_bytes=5, app_bytes=0, app_slug_bytes=0,
        ),
    )  # fmt: skip
    rows = compare(two(report, report)).stacks[0].rows
    assert [(r.name, r.version) for r in rows] == [
        ("a", "1.0"), ("c", "1.0"), ("b", "1.0"), ("overlapping files (counted once)", ""),
        ("Python and package manager", ""),
    ]  # fmt: skip
    assert (rows[3].installed_bytes, rows[3].slug_bytes) == (-70, -30)


def test_shared_rows_have_a_figure_for_each_candidate() -> None:
    first, other = document("a 1.0", "b 1.0"), document("b 2.0", "d 1.0")
    shared = {row.name: row for row in compare(two(first, other)).shared}
    assert list(shared) == ["a", "b", "d"]
    assert shared["a"].versions == ("1.0", None)
    assert shared["b"].versions == ("1.0", "2.0")
    assert shared["b"].slug_bytes == (899_999, 900_000)
    assert shared["d"].installed_bytes == (None, other.distributions[1].installed_bytes)


def line(name: str, text: str) -> Requirement:
    return Requirement(name=name, text=text)


def test_the_steps_between_two_lists_of_lines() -> None:
    first = structs.replace(
        document("a 1.0"),
        requirements=(
            line("a", "a==1 ; x"), line("a", "a==2 ; y"), line("b", "b==1"), line("", "./local"),
            line("same", "same"),
        ),
    )  # fmt: skip
    other = structs.replace(
        document("a 1.0"),
        requirements=(line("a", "a==3"), line("c", "c==1"), line("same", "same")),
    )
    (computed,) = compare(two(first, other)).migrations
    assert [(s.kind, s.before, s.after) for s in computed.steps or ()] == [
        (StepKind.REMOVE, "b==1", ""), (StepKind.REMOVE, "./local", ""),
        (StepKind.CHANGE, "a==1 ; x\na==2 ; y", "a==3"), (StepKind.ADD, "", "c==1"),
    ]  # fmt: skip
    assert (computed.from_label, computed.to_label) == ("one", "other")
    lock = structs.replace(first, requirements=())
    assert compare(two(first, lock)).migrations[0].steps is None
    assert compare(two(lock, first)).migrations[0].steps is None
    assert compare(two(first, first)).migrations[0].steps == ()


def test_candidates_made_for_other_targets_or_otherwise_are_noted() -> None:
    first = document("a 1.0")
    other = with_target(first, stack="heroku-22")
    other = structs.replace(
        other,
        totals=structs.replace(other.totals, basis=Basis.MEASURED),
        tool=structs.replace(other.tool, version="9"),
        unsized=unsized("p", "q", "r", "s"),
    )
    assert compare(two(first, other)).notes == (
        "other is for Heroku · heroku-22 · Python 3.11.16, one for Heroku · heroku-24 · "
        "Python 3.11.16",
        "other is measured, one predicted",
        "other was made by slugcheck 9",
        "not counted in other (size unknown): p, q, r and 1 more",
    )
    assert compare(two(first, first)).notes == ()


@pytest.mark.parametrize(
    ("paths", "given", "expected"),
    [
        (["a.txt", "b.txt"], [], ("a.txt", "b.txt")),
        (["x/r.txt", "y/r.txt"], [], ("x/r.txt", "y/r.txt")),
        (["q/x/r.txt", "q/y/s.txt"], [], ("r.txt", "s.txt")),
        (["a.txt", "b.txt"], ["one"], ("one", "b.txt")),
        (["a.txt", "b.txt"], ["one", "two"], ("one", "two")),
        ([".", "x"], [], (".", "x")),
    ],
)
def test_labels_are_short(
    paths: Sequence[str], given: Sequence[str], expected: Sequence[str]
) -> None:
    assert labels([Path(path) for path in paths], given) == expected


def test_labels_that_do_not_tell_are_refused() -> None:
    with pytest.raises(UsageError, match=r"two candidates are called b\.txt"):
        labels([Path("a.txt"), Path("b.txt")], ["b.txt"])
    with pytest.raises(UsageError, match="there are 3 labels for 2 candidates"):
        labels([Path("a"), Path("b")], ["1", "2", "3"])


# --------------------------------------------------------------------------- footprints


def benched(label: str = "r.json", **more: Any) -> Result:
    made = bench_document(replace(result(heavy(), light()), **more))
    assert isinstance(made, BenchDocument)
    return Result(label=label, bench=made)


def joined(*results: Result, names: Sequence[str] = ("torch 1.0", "onnxruntime-gpu 1.0")) -> Any:
    candidates = two(document(names[0]), document(names[1]))
    return join(compare(candidates), candidates, results)


def test_footprints_are_those_of_each_candidates_runtime() -> None:
    computed = joined(benched())
    torch, onnx = computed.footprints
    assert (torch.runtime, onnx.runtime) == ("PyTorch 1.0", "ONNX Runtime 1.0")
    assert torch.rss_bytes == round(382.5 * MIB)
    assert torch.anon_bytes is not None
    assert torch.anon_bytes < torch.rss_bytes
    assert (torch.import_seconds, torch.noisy) == (0.1, False)
    assert torch.cold_start_seconds == pytest.approx(0.925)
    assert torch.cpu_ms == pytest.approx(92.5)
    assert computed.notes == (
        "footprints were measured on AMD EPYC, 2 cores, not on the platform's machines",
    )
    half = joined(benched(), names=("torch 2.0", "flask 1.0"))
    assert half.footprints[1] is None
    assert half.notes[-1] == "one has torch 2.0, but its footprint was measured with 1.0"


def test_results_of_several_machines_are_told_apart() -> None:
    first = benched("a.json", stacks=(heavy(),))
    host = replace(first.bench.host, identity="b", cores=8)
    other = benched("b.json", stacks=(light(),))
    computed = joined(first, Result(label="b.json", bench=structs.replace(other.bench, host=host)))
    assert computed.notes == (
        "footprints are from 2 machines: times differ (AMD EPYC, 2 cores; AMD EPYC, 8 cores)",
    )


def test_a_runtime_that_was_measured_twice_or_never_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"one has several results of bench \(a\.json, b\.json\)"):
        joined(benched("a.json"), benched("b.json"))
    with pytest.raises(UsageError) as raised:
        joined(benched(), names=("flask 1.0", "django 1.0"))
    assert str(raised.value) == (
        "no candidate has a measured runtime (ONNX Runtime and PyTorch)"
    )  # fmt: skip
