"""How figures and their intervals add up, to the byte: a bound that is too low passes a limit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slugcheck.model import (
    Artifact,
    Basis,
    BundleKind,
    BundleRule,
    Distribution,
    Entry,
    Estimate,
    Inventory,
    Kind,
    Manager,
    Origin,
    Part,
    RuntimePart,
    SourceBuild,
    Transfer,
    Unsized,
    Verification,
)
from slugcheck.model.figures import around, total, without
from slugcheck.packages.index.inventories import Cache
from slugcheck.sizer import Sized, SizeMemory, _key, find_overlaps, measure, size_one
from slugcheck.sizing import build_time, bytecode, calibration, compression, slug_parts
from slugcheck.sizing.installed import Layout
from tests.support import reports

Spans = tuple[int, int, int]


def span(figure: Estimate[int]) -> Spans:
    return figure.low, figure.value, figure.high


def predicted(low: int, value: int, high: int) -> Estimate[int]:
    return Estimate.predicted(value, low, high)


# --------------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("parts", "percent", "expected"),
    [
        ([predicted(97, 100, 104)], 0, (97, 100, 104)),
        # 3 and 4 make 5 below, 6 and 8 make 10 above
        ([predicted(97, 100, 106), predicted(196, 200, 208)], 0, (295, 300, 310)),
        # 1 % of 400 beside 3, and beside 0
        ([predicted(397, 400, 400)], 1, (395, 400, 404)),
        ([predicted(397, 400, 400), Estimate[int].measured(50)], 1, (445, 450, 454)),
        # parts of a byte widen the interval on both sides
        ([predicted(99, 100, 101), predicted(99, 100, 101)], 0, (198, 200, 202)),
    ],
)
def test_a_total_has_the_interval_of_its_parts(
    parts: list[Estimate[int]], percent: float, expected: Spans
) -> None:
    whole = total(parts, systematic_percent=percent)
    assert span(whole) == expected
    assert whole.basis is Basis.PREDICTED


def test_a_part_taken_out_takes_its_doubt_along() -> None:
    whole = total([predicted(97, 100, 106), predicted(196, 200, 208)], systematic_percent=0)
    assert span(without(whole, [predicted(97, 100, 106)])) == (196, 200, 208)
    assert span(without(whole, [])) == span(whole)
    assert span(without(whole, [predicted(0, 100, 900)])) == (200, 200, 200)  # more than there is
    exact = without(Estimate[int].measured(300), [predicted(90, 100, 110)])
    assert (span(exact), exact.basis) == ((200, 200, 200), Basis.MEASURED)


@pytest.mark.parametrize(
    ("value", "percent", "expected"),
    [(1000, 25, (800, 1000, 1250)), (100, 30, (76, 100, 130)), (0, 50, (0, 0, 0)),
     (10.4, 0, (10, 10, 11))],
)  # fmt: skip
def test_a_relative_error_is_a_factor(value: float, percent: float, expected: Spans) -> None:
    assert span(around(value, percent)) == expected


def test_the_percent_of_an_interval_is_half_its_width() -> None:
    assert predicted(90, 100, 130).percent == 20.0
    assert Estimate[int].measured(5).percent == 0.0
    assert predicted(0, 0, 5).percent == 0.0
    assert span(predicted(7, 5, 3)) == (5, 5, 5)  # never beside its own interval


def test_the_installed_size_of_a_distribution_has_both_doubts() -> None:
    row = replace(
        reports.distribution("a"), plain=predicted(80, 100, 130), bytecode=predicted(8, 10, 15)
    )
    assert span(row.installed) == (88, 110, 145)
    half = replace(row, plain=Estimate[int].measured(100))
    assert (span(half.installed), half.basis) == ((108, 110, 115), Basis.PREDICTED)
    exact = replace(half, bytecode=Estimate[int].measured(10))
    assert (span(exact.installed), exact.basis) == ((110, 110, 110), Basis.MEASURED)


# --------------------------------------------------------------------------- whole reports


def distribution(name: str, *, direct: bool = True, **more: Any) -> Distribution:
    artifact = Artifact(filename=f"{name}-1-py3-none-any.whl", url="u", size=None, sha256=None)
    return Distribution(name=name, version="1", artifact=artifact, direct=direct, **more)


def inventory(name: str, files: dict[str, int], *requires: str) -> Inventory:
    entries = tuple(
        Entry(path=path, size=size, compressed=size // 2) for path, size in files.items()
    )
    return Inventory(
        filename=f"{name}-1-py3-none-any.whl", sha256=None, file_bytes=1_000,
        dist_info=f"{name}-1.dist-info", entries=entries, requires_dist=requires,
        provides_extra=(), requires_python=None, console_scripts=(), gui_scripts=(), via="range",
        python_scripts=(), bytecode_factor=None,
    )  # fmt: skip


TARGET = reports.target()
RULE = TARGET.platform.bundle
LAYOUT = Layout(prefix="/app", python="/app/bin/python", minor="3.11")
BUILD = reports.source_build("no wheel", 0.5, 2.0)
PART = Part(
    name="Python", group="runtime", installed=predicted(90, 100, 110), slug=predicted(40, 50, 60),
    note="",
)  # fmt: skip


def measured(*pairs: tuple[Distribution, Inventory], parts: tuple[Part, ...] = (PART,)) -> Any:
    return measure(
        target=TARGET, inventories=pairs, unsized=(), environment={}, parts=parts,
        transfer=Transfer(),
    )  # fmt: skip


def test_the_totals_are_the_sums_of_rows_overlaps_and_parts() -> None:
    both = measured(
        (distribution("a"), inventory("a", {"same.bin": 900, "a.bin": 10, "m.py": 3_000})),
        (distribution("b"), inventory("b", {"same.bin": 1_000, "b.bin": 20})),
    )
    (overlap,) = both.overlaps
    assert (overlap.names, overlap.files, overlap.bytes) == (("a", "b"), 1, 900)
    assert overlap.slug_bytes == 450
    assert overlap.example.endswith("same.bin")
    rows = sum(row.installed_bytes for row in both.distributions)
    assert both.installed.value == rows - 900 + 100
    assert both.slug.value == sum(row.slug.value for row in both.distributions) - 450 + 50
    a, b = both.distributions
    bytecodes = total(
        [a.bytecode, b.bytecode], systematic_percent=bytecode.systematic_percent("3.11")
    )
    figures = [a.plain, b.plain, bytecodes, Estimate[int].measured(-900), PART.installed]
    assert both.installed == total(figures, systematic_percent=0)
    shares = total([a.slug, b.slug], systematic_percent=compression.systematic_percent())
    spare = Estimate[int].measured(-450)
    assert both.slug == total([shares, spare, PART.slug], systematic_percent=0)
    assert a.by_kind[Kind.BYTECODE] == a.bytecode.value
    assert a.bytecode_files == 1
    assert b.bytecode_files == 0
    assert Kind.BYTECODE not in b.by_kind
    assert both.files == a.files + b.files - 1
    assert both.plain_bytes == a.plain.value + b.plain.value - 900


def native(name: str, size: int) -> tuple[Distribution, Inventory]:
    """A distribution of one library, deflated to ``size`` bytes, beside a few sources."""
    files = {f"{name}/lib{name}.so": 2 * size, **{f"{name}/m{n}.py": 8_000 for n in range(20)}}
    return distribution(name), inventory(name, files)


def test_a_stack_of_native_code_is_known_to_a_percent() -> None:
    names = ("torch", "cudnn", "cublas", "triton", "cufft", "nccl")
    stack = measured(*(native(name, 300_000_000) for name in names), parts=())
    assert stack.slug.value == pytest.approx(6 * 300_000_000, rel=0.005)
    assert 0 < stack.slug.percent <= 1.0
    single = measured(native("tensorflow", 600_000_000), parts=())
    assert single.slug.percent <= 1.0


def test_what_three_write_is_counted_twice_too_often() -> None:
    def writing(name: str, sizes: dict[str, int], *scripts: str) -> Sized:
        held = replace(inventory(name, sizes), console_scripts=tuple((s, "m:f") for s in scripts))
        return size_one(distribution(name), held, LAYOUT, RULE)

    computed = find_overlaps(
        [
            writing("c", {"x": 100, "y": 50, "own": 5}),
            writing("a", {"x": 300, "y": 50}),
            writing("b", {"x": 200}),
        ],
        RULE,
        LAYOUT,
    )
    place = LAYOUT.site_packages
    assert [(o.names, o.files, o.bytes, o.slug_bytes, o.example) for o in computed] == [
        (("a", "b", "c"), 1, 300, 150, f"{place}/x"), (("a", "c"), 1, 50, 25, f"{place}/y"),
    ]  # fmt: skip
    assert find_overlaps([writing("a", {"x": 1}), writing("b", {"y": 1})], RULE, LAYOUT) == ()

    def shared(one: Sized, other: Sized) -> list[str]:
        return [overlap.example for overlap in find_overlaps([one, other], RULE, LAYOUT)]

    # wherever a wheel says it: at the top, in its .data folder, or by an entry point
    assert shared(writing("a", {"x": 1}), writing("b", {"b-1.data/purelib/x": 1})) == [f"{place}/x"]
    assert shared(writing("a", {"a-1.data/scripts/x": 1}), writing("b", {}, "x")) == ["bin/x"]
    data = writing("a", {"a-1.data/data/etc/x": 1}), writing("b", {"b-1.data/data/etc/x": 1})
    assert shared(*data) == ["etc/x"]
    assert shared(writing("a", {"etc/x": 1}), data[1]) == []


@pytest.mark.parametrize(
    ("other", "known"),
    [
        ({}, True), ({"origins": (Origin(file="other.txt", line=3),)}, True),
        ({"name": "b"}, False), ({"version": "2"}, False), ({"direct": False}, False),
        ({"direct_url": "https://h/a.whl"}, False), ({"source_build": BUILD}, False),
    ],
)  # fmt: skip
def test_figures_are_used_again_for_the_same_distribution_only(
    other: dict[str, Any], known: bool
) -> None:
    layout, held = LAYOUT, inventory("a", {})
    sized = size_one(distribution("a"), held, layout, RULE)
    memory = SizeMemory()
    memory.remember(sized, layout, RULE)
    asked = replace(distribution("a"), **other)
    expected = replace(sized, distribution=asked) if known else None
    assert memory.recall(asked, held, layout, RULE) == expected
    assert memory.recall(asked, inventory("a", {}), layout, RULE) is None
    assert memory.recall(asked, held, replace(layout, minor="3.12"), RULE) is None


def test_figures_of_an_earlier_run_are_used_as_long_as_they_would_come_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = inventory("a", {"a/one.py": 900, "a/test_one.py": 70, "a/lib.so": 5_000})
    url = "https://h.example/a-1-py3-none-any.whl"
    artifact = Artifact(filename="a-1-py3-none-any.whl", url=url, size=None, sha256="0" * 64)
    asked = replace(distribution("a"), artifact=artifact)
    sized = size_one(asked, held, LAYOUT, RULE)

    def recalled(
        asked: Distribution = asked, held: Inventory = held, layout: Layout = LAYOUT,
        rule: BundleRule = RULE,
    ) -> Sized | None:  # fmt: skip
        return SizeMemory(Cache(tmp_path / "cache")).recall(asked, held, layout, rule)

    assert recalled() is None
    SizeMemory(Cache(tmp_path / "cache")).remember(sized, LAYOUT, RULE)
    assert recalled() == sized
    assert recalled(asked=replace(asked, direct=False)) is None
    assert recalled(asked=replace(asked, artifact=replace(artifact, sha256="1" * 64))) is None
    assert recalled(asked=replace(asked, artifact=replace(artifact, sha256=None))) is None
    assert recalled(asked=replace(asked, source_build=BUILD)) is None
    assert recalled(held=replace(held, bytecode_factor=1.1)) is None
    assert recalled(layout=replace(LAYOUT, minor="3.12")) is None
    assert recalled(rule=replace(RULE, kind=BundleKind.UNZIPPED)) is None
    monkeypatch.setattr(calibration, "fingerprint", lambda: "another slugcheck")
    assert recalled() is None
    monkeypatch.undo()
    Cache(tmp_path / "cache").store("sizes", _key(asked, held, LAYOUT, RULE) or "", {"files": 1})
    assert recalled() is None


def test_a_line_frees_what_no_other_line_needs() -> None:
    sizes = measured(
        (distribution("web"), inventory("web", {"w.bin": 100}, "shared", "own")),
        (distribution("job"), inventory("job", {"j.bin": 200}, "shared")),
        (distribution("own", direct=False), inventory("own", {"o.bin": 50})),
        (distribution("shared", direct=False), inventory("shared", {"s.bin": 70})),
    )
    by_name = {row.name: row for row in sizes.distributions}
    roots = {root.name: root for root in sizes.roots}
    web = roots["web"]
    assert web.exclusive_names == ("own", "web")
    assert web.exclusive_bytes == sum(by_name[n].installed_bytes for n in ("web", "own"))
    assert web.shared_bytes == by_name["shared"].installed_bytes
    assert web.exclusive_slug_bytes == sum(by_name[n].slug.value for n in ("web", "own"))
    assert web.shared_slug_bytes == by_name["shared"].slug.value
    assert web.closure_bytes == web.exclusive_bytes + web.shared_bytes
    assert roots["job"].exclusive_names == ("job",)
    assert by_name["shared"].required_by == ("job", "web")
    order = [root.exclusive_slug_bytes for root in sizes.roots]
    assert order == sorted(order, reverse=True)


def test_in_a_lock_what_nothing_needs_is_direct() -> None:
    sizes = measured(
        (distribution("web", direct=False), inventory("web", {}, "shared")),
        (distribution("shared", direct=False), inventory("shared", {})),
    )
    assert {row.name: row.distribution.direct for row in sizes.distributions} == {
        "web": True, "shared": False,
    }  # fmt: skip


def build(low: float, high: float, *, native: bool = True) -> SourceBuild:
    return SourceBuild(
        reason="C", native=native, method="x", nearest=None, newest_python_with_wheel=None,
        low_factor=low, high_factor=high,
    )  # fmt: skip


def test_a_source_build_widens_every_figure_by_its_factors() -> None:
    files = inventory("a", {"a.bin": 1_000_000, "m.py": 90_000})
    plain = size_one(distribution("a"), files, LAYOUT, RULE)
    wide = size_one(distribution("a", source_build=build(0.5, 2.0)), files, LAYOUT, RULE)
    exact = size_one(distribution("a", source_build=build(1.0, 1.0)), files, LAYOUT, RULE)
    assert (exact.plain, exact.slug) == (plain.plain, plain.slug)
    for figure in ("plain", "bytecode", "slug"):
        own, usual = getattr(wide, figure), getattr(plain, figure)
        assert span(own) == (int(usual.low * 0.5), usual.value, int(usual.high * 2.0))
    one_sided = size_one(distribution("a", source_build=build(1.0, 3.0)), files, LAYOUT, RULE)
    assert one_sided.plain.low == plain.plain.low
    assert one_sided.plain.high == 3 * plain.plain.high


# --------------------------------------------------------------------------- the platform's parts


@pytest.mark.parametrize(
    ("name", "installed", "managers", "manager", "there"),
    [
        ("pip 26", (), (), Manager.PIP, True),
        ("pip 26", ("pip",), (), Manager.PIP, False),
        ("Setuptools 70", ("setuptools",), (), Manager.PIP, False),
        ("Python 3.11", ("python",), (), Manager.PIP, True),
        ("uv 0.9", (), (Manager.UV,), Manager.PIP, False),
        ("uv 0.9", (), (Manager.UV,), Manager.UV, True),
    ],
)
def test_which_parts_of_the_platform_are_there(
    name: str,
    installed: tuple[str, ...],
    managers: tuple[Manager, ...],
    manager: Manager,
    there: bool,
) -> None:
    part = RuntimePart(
        name=name, installed_bytes=1_000, slug_bytes=500, error_percent=3.0, note="n",
        source=reports.SOURCE, managers=managers,
    )  # fmt: skip
    target = replace(TARGET, python=replace(TARGET.python, parts=(part,)))
    parts = slug_parts.runtime_parts(target, installed, manager)
    assert bool(parts) is there
    if there:
        assert (span(parts[0].installed), span(parts[0].slug)) == (
            (970, 1_000, 1_030), (485, 500, 515),
        )  # fmt: skip
        assert (parts[0].name, parts[0].group, parts[0].note) == (name, "runtime", "n")
    exact = replace(part, error_percent=0.0, managers=())
    target = replace(TARGET, python=replace(TARGET.python, parts=(exact,)))
    for made in slug_parts.runtime_parts(target, (), manager):
        assert made.installed == Estimate[int].measured(1_000)


def verification(**more: Any) -> Verification:
    zero = Estimate[int].measured(0)
    fields: dict[str, Any] = {
        "python": "3.11.1", "installer": "pip", "command": "pip", "seconds": 2.0,
        "installed_bytes": 3_000, "bytecode_bytes": 500, "slug_bytes": 1_200,
        "predicted_seconds": Estimate[float].measured(1.0), "predicted_installed": zero,
        "predicted_bytecode": zero, "predicted_slug": zero,
        "plain_by_name": (("a", 1_500), ("b", 700)), "bytecode_by_name": (("a", 500),),
    }  # fmt: skip
    return Verification(**(fields | more))


def test_measured_sizes_replace_the_predicted_ones_and_add_up() -> None:
    app = replace(PART, name="app files", group="app", installed=Estimate[int].measured(10),
                  slug=Estimate[int].measured(200))  # fmt: skip
    sizes = measured(
        (distribution("a"), inventory("a", {"a.bin": 1_000, "m.py": 900})),
        (distribution("b"), inventory("b", {"b.bin": 800})),
        (distribution("c"), inventory("c", {"c.bin": 300})),
        parts=(PART, app),
    )
    left = (Unsized(name="z", version=None, reason="r"),)
    computed = slug_parts.as_measured(sizes, verification(), unsized=left)
    rows = {row.name: row for row in computed.distributions}
    assert (rows["a"].plain, rows["a"].bytecode) == (
        Estimate[int].measured(1_500), Estimate[int].measured(500),
    )  # fmt: skip
    assert rows["b"].bytecode == Estimate[int].measured(0)
    assert rows["c"] == sizes.distributions[2]  # the install did not have it
    scale = (1_200 - 200) / sizes.dependencies_slug_bytes
    assert rows["a"].slug.value == round(sizes.distributions[0].slug.value * scale)
    assert rows["a"].slug.high == round(sizes.distributions[0].slug.high * scale)
    assert span(computed.installed) == (3_000 + 90 + 10, 3_000 + 100 + 10, 3_000 + 110 + 10)
    assert span(computed.slug) == (1_240, 1_250, 1_260)  # the tar has the app's files in it
    assert computed.unsized == left
    known = computed.plain_bytes + computed.bytecode_bytes
    more = 3_000 - known
    assert (more > 0) == (computed.parts[-1].group == "other")
    less = slug_parts.as_measured(sizes, verification(installed_bytes=known))
    assert [part.name for part in less.parts] == ["Python", "app files"]
    one_more = slug_parts.as_measured(sizes, verification(installed_bytes=known + 1))
    assert (one_more.parts[-1].name, one_more.parts[-1].installed.value) == ("other files", 1)
    empty = slug_parts.as_measured(measured(), verification(plain_by_name=()))
    assert empty.slug.value == 1_250


def test_errors_of_a_prediction_are_relative_to_what_was_measured() -> None:
    computed = verification(
        predicted_installed=Estimate[int].measured(3_300),
        predicted_bytecode=Estimate[int].measured(550),
        predicted_slug=Estimate[int].measured(600),
    )
    assert (computed.plain_bytes, computed.predicted_plain_bytes) == (2_500, 2_750)
    assert computed.error_percent() == pytest.approx(
        {"installed": 10, "plain": 10, "bytecode": 10, "slug": -50, "seconds": -50}
    )
    assert verification(slug_bytes=0).error_percent()["slug"] == 0.0


# --------------------------------------------------------------------------- the build's time


def test_each_part_of_the_build_takes_its_time() -> None:
    def seconds(rows: tuple[Any, ...] = (), **more: Any) -> Estimate[float]:
        sizes = replace(reports.report(rows, parts=()).sizes, **more)
        return build_time.predict(sizes, fixed=0.0)

    def figure(installed: int) -> Estimate[int]:
        return Estimate[int].measured(installed)

    assert seconds(installed=figure(25 * 10**6)).value == pytest.approx(1.0)  # gzip
    functions = replace(
        TARGET, platform=replace(TARGET.platform, bundle=replace(RULE, kind=BundleKind.UNZIPPED))
    )
    assert seconds(installed=figure(25 * 10**6), target=functions).value == 0.0
    row = reports.distribution("a", download=40 * 10**6, bytecode=0, kinds={Kind.DATA: 0})
    single = seconds((row,), installed=figure(0))
    assert single.value == pytest.approx(0.08 + 1.0)
    assert [single.low, single.high] == pytest.approx([0.54, 2.16])
    pure = replace(
        row, distribution=replace(row.distribution, source_build=build(1, 1, native=False))
    )
    assert seconds((pure,), installed=figure(0)).value == pytest.approx(1.08 + 6.0)
    native = replace(
        row, distribution=replace(row.distribution, source_build=build(1, 1)),
        by_kind={Kind.NATIVE: 10**6, Kind.DATA: 10**9},
    )  # fmt: skip
    built = seconds((native,), installed=figure(0))
    assert built.value == pytest.approx(1.08 + 11.0 + 8.0)
    assert built.low == pytest.approx(0.54 + 19 / 3)
    assert built.high == pytest.approx(2.16 + 57)
    whole = build_time.from_measured(75.0)
    assert (whole.low, whole.value, whole.high) == (50.0, 100.0, 200.0)
