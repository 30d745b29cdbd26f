"""The rows of a size, and the picture of a bench run: what is folded, summed and drawn."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from slugcheck.model import BundleKind, Estimate, Kind, Overlap, Part, SizeReport, breakdown
from slugcheck.render import plot
from tests.support import reports
from tests.support.benches import heavy, light, result, sample, stack


def sizes(*slugs: int, kind: BundleKind = BundleKind.GZIP_TAR) -> SizeReport:
    rows = [
        reports.distribution(f"d{n:02d}", slug=slug, bytecode=0, kinds={Kind.DATA: 1000 - slug % 7})
        for n, slug in enumerate(slugs)
    ]
    return reports.report(rows, on=reports.target(kind=kind)).sizes


@pytest.mark.parametrize(
    ("slugs", "shown"),
    [
        ([1] * 7, 7),  # no more than six and one
        ([960, *[1] * 40], 6),  # at least six
        ([100] * 6 + [1] * 30, 6),  # 95 % reached: 600 of 630
        ([100] * 6 + [1] * 32, 7),  # 600 is less than 95 % of 632
        ([10] * 40, 12),  # at most twelve
        ([10] * 13, 13),  # one more is no shorter as a line of its own
        ([10] * 14, 12),
    ],
)
def test_the_rows_that_make_up_most_are_shown(slugs: list[int], shown: int) -> None:
    fold = breakdown.fold(sizes(*slugs), everything=False)
    assert len(fold.shown) == shown
    assert len(fold.rest) == len(slugs) - shown
    values = [size.slug.value for size in (*fold.shown, *fold.rest)]
    assert values == sorted(values, reverse=True)
    everything = breakdown.fold(sizes(*slugs), everything=True)
    assert (len(everything.shown), everything.rest) == (len(slugs), ())


def test_rows_are_ranked_by_what_counts_and_then_by_name() -> None:
    by_slug = breakdown.fold(sizes(3, 9, 9), everything=True).shown
    assert [row.name for row in by_slug] == ["d01", "d02", "d00"]
    by_installed = breakdown.fold(sizes(3, 9, 8, kind=BundleKind.UNZIPPED), everything=True).shown
    assert [row.name for row in by_installed] == ["d02", "d01", "d00"]  # 999, 998, 997
    few = breakdown.fold(sizes(*[10] * 40), everything=False, most=8)
    assert len(few.shown) == 8


def test_a_sum_of_unknown_downloads_is_unknown() -> None:
    known = reports.distribution("a", download=5, bytecode=7, slug=9)
    unknown = reports.distribution("b", download=None, bytecode=1, slug=2)
    both = breakdown.sums([known, known])
    assert (both.download, both.bytecode, both.slug) == (10, 14, 18)
    assert both.installed == 2 * known.installed_bytes
    assert breakdown.sums([known, unknown]).download is None
    assert breakdown.sums([]).download == 0


def with_parts(parts: tuple[Part, ...]) -> SizeReport:
    return reports.report((), parts=parts).sizes


def test_parts_are_a_row_for_each_group() -> None:
    parts = (
        *reports.RUNTIME, reports.part("app files", "app", 100, 50, "a note"),
        reports.part("m1", "models", 10, 10), reports.part("m2", "models", 30, 30, "x"),
    )  # fmt: skip
    rows = {row.label: row for row in breakdown.part_rows(with_parts(parts), everything=False)}
    assert list(rows) == ["Python 3.11 + pip + setuptools", "app files", "models (2)"]
    assert (rows["models (2)"].installed, rows["models (2)"].slug) == (40, 40)
    assert (rows["models (2)"].note, rows["app files"].note) == ("", "a note")
    runtime = rows["Python 3.11 + pip + setuptools"]
    assert runtime.percent == pytest.approx(3, abs=0.01)
    assert runtime.predicted
    exact = replace(parts[0], slug=Estimate.measured(0), installed=Estimate.measured(5))
    (row,) = breakdown.part_rows(with_parts((exact,)), everything=True)
    assert (row.percent, row.predicted, row.installed) == (0.0, False, 5)
    assert len(breakdown.part_rows(with_parts(parts), everything=True)) == 6


@pytest.mark.parametrize(
    ("installed", "slug", "notable"),
    [(50_000, 0, True), (49_999, 49_999, False), (0, 50_000, True)],
)
def test_overlaps_that_figures_show(installed: int, slug: int, notable: bool) -> None:
    overlap = Overlap(names=("a", "b"), files=1, bytes=installed, slug_bytes=slug, example="x")
    report = reports.report((reports.distribution("a"),), overlaps=(overlap,))
    assert bool(breakdown.notable_overlaps(report.sizes)) is notable


def test_kinds_below_one_and_a_half_percent_are_left_out() -> None:
    row = reports.distribution(
        "a", bytecode=0, kinds={Kind.NATIVE: 955, Kind.DATA: 30, Kind.TESTS: 15}
    )
    assert breakdown.kinds(reports.report((row,)).sizes) == (
        (Kind.NATIVE, 96), (Kind.DATA, 3), (Kind.TESTS, 2),
    )  # fmt: skip
    less = reports.distribution("a", bytecode=0, kinds={Kind.NATIVE: 986, Kind.DATA: 14})
    assert breakdown.kinds(reports.report((less,)).sizes) == ((Kind.NATIVE, 99),)
    assert breakdown.kinds(reports.report(()).sizes) == ()


def test_dependencies_have_a_row_where_there_is_more() -> None:
    app = reports.part("app files", "app", 100, 50)
    with_app = reports.report((reports.distribution("a"),), parts=(*reports.RUNTIME, app)).sizes
    assert breakdown.has_more(with_app)
    assert not breakdown.has_more(reports.report((), parts=(app,)).sizes)
    assert not breakdown.has_more(reports.report((reports.distribution("a"),)).sizes)
    whole, own = breakdown.total(with_app), breakdown.dependencies(with_app)
    assert whole.installed == with_app.installed.value
    assert whole.slug == with_app.slug.value
    parts = sum(part.slug.value for part in with_app.parts)
    assert own.slug == whole.slug - parts
    assert own.installed == 2_900_000


# --------------------------------------------------------------------------- the picture


def texts(svg: bytes) -> list[str]:
    """The words of a picture; matplotlib writes each as a comment beside its glyphs."""
    return re.findall(r"<!-- (.*?) -->", svg.decode())


def test_the_picture_has_the_figures_of_the_run() -> None:
    svg = plot.draw(result(heavy(), light()), ".SVG")
    words = texts(svg)
    assert {"PyTorch against ONNX Runtime: m", "382", "118"} <= set(words)  # peaks, in MiB
    assert {"PyTorch 1.0, 180", "ONNX Runtime 1.0, 180"} <= set(words)  # timed inferences
    assert "standard-1x: 512 MiB / 2 workers" in words
    stages = ["Python", "import", "model loaded", "first inference", "steady", "peak above it"]
    assert [word for word in words if word in stages] == stages
    assert svg.decode().count('id="LineCollection_') == 2  # where anonymous memory ends
    assert svg.startswith(b"<?xml")
    assert b"<dc:date>" not in svg  # the same result gives the same bytes


def test_the_picture_marks_noise_and_leaves_out_what_is_far_away_or_not_measured() -> None:
    noisy = stack("ONNX Runtime", [sample(steady=100, peak=100, anon=80, share=0.5)] * 6)
    assert noisy.summary is not None
    blind = replace(
        noisy,
        summary=replace(noisy.summary, anon={}),
        stack=replace(noisy.stack, model="$x^2$"),
    )
    shown = result(blind, replace(heavy(), summary=None), dyno="performance-2xl")
    svg = plot.draw(shown, ".svg")
    words = texts(svg)
    assert "ONNX Runtime 1.0, 180 (noisy)" in words
    assert "ONNX Runtime against PyTorch: $x^2$, m" in words
    assert not any(word.startswith(("PyTorch 1.0", "performance-2xl")) for word in words)
    assert 'id="LineCollection_' not in svg.decode()
