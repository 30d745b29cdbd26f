import importlib.metadata
import json
import py_compile
import random
import sys
import zlib
from importlib import resources
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from slugcheck.model import Basis, Entry
from slugcheck.sizing import bytecode, calibration, sampled
from slugcheck.sizing.bytecode import Evidence, predict

PREFIX = "/app/.heroku/python/lib/python3.11/site-packages"
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


def entry(path: str, size: int = 4000, compressed: int = 1200, *, stored: bool = False) -> Entry:
    return Entry(path=path, size=size, compressed=compressed, stored=stored)


def sources_of(name: str) -> list[tuple[Entry, bytes]]:
    """Return the sources of an installed distribution as a wheel would hold them."""
    found = []
    for file in importlib.metadata.files(name) or ():
        if file.name.endswith(".py") and ".." not in file.parts:
            source = Path(str(file.locate())).read_bytes()
            found.append(
                (entry(file.as_posix(), len(source), len(zlib.compress(source, 6))), source)
            )
    return found


def compiled(*sources: bytes) -> list[int | None]:
    """Return the sizes that a sample of the sources shows."""
    shown = sampled.compile_runs([[(entry("p.py"), source) for source in sources]])
    assert shown is not None
    return list(shown.sizes[0])


def true_bytes(sources: list[tuple[Entry, bytes]]) -> int:
    sizes = compiled(*(source for _, source in sources))
    return sum(size or 0 for size in sizes) + sum(
        len(PREFIX) + 1 + len(one.path) for one, _ in sources
    )


@pytest.mark.parametrize("name", ["click", "rich", "requests", "packaging", "hypothesis"])
def test_the_true_bytecode_of_real_packages_lies_in_the_interval(name: str) -> None:
    sources = sources_of(name)
    entries = [one for one, _ in sources]
    found = predict("unheard-of", entries, minor=RUNNING, prefix=PREFIX, factor=None)
    assert found.files == len(sources) > 10
    assert found.estimate.basis is Basis.PREDICTED
    assert found.estimate.low <= true_bytes(sources) <= found.estimate.high


@pytest.mark.slow
def test_a_sample_of_a_real_package_comes_near_the_truth() -> None:
    sources = sources_of("pip") or sources_of("hypothesis")
    entries = [one for one, _ in sources]
    texts = dict(sources)
    runs = bytecode.spread_runs(entries, minor=RUNNING)
    factor, _ = sampled.factors(entries, [[(e, texts[e]) for e in run] for run in runs])
    found = predict("unheard-of", entries, minor=RUNNING, prefix=PREFIX, factor=factor)
    assert found.evidence is Evidence.SAMPLE
    assert found.estimate.value == pytest.approx(true_bytes(sources), rel=0.1)


def test_sampling_everything_finds_the_truth() -> None:
    sources = sources_of("click")
    entries = [one for one, _ in sources]
    factor, _ = sampled.factors(entries, [sources])
    found = predict("unheard-of", entries, minor=RUNNING, prefix=PREFIX, factor=factor)
    assert found.estimate.value == pytest.approx(true_bytes(sources), rel=0.001)


def test_each_file_holds_its_path_once() -> None:
    files = [entry(f"a/m{number}.py") for number in range(10)]
    short = predict("a", files, minor="3.11", prefix="/p", factor=None).estimate.value
    long = predict("a", files, minor="3.11", prefix="/prefix", factor=None).estimate.value
    assert long - short == 10 * len("refix")
    again = predict("a", files, minor="3.11", prefix="/prefix/", factor=None).estimate.value
    assert again == long


def test_only_sources_count() -> None:
    files = [entry("a/b.so"), entry("a/b.pyi"), entry("a/b.pyc")]
    found = predict("a", files, minor="3.11", prefix="/p", factor=None)
    assert (found.files, found.estimate.value, found.estimate.basis) == (0, 0, Basis.MEASURED)


def test_a_sample_scales_the_prediction_and_narrows_it() -> None:
    files = [entry(f"a/m{number}.py") for number in range(100)]
    model = predict("unheard-of", files, minor=RUNNING, prefix="", factor=None)
    sampled = predict("unheard-of", files, minor=RUNNING, prefix="", factor=1.5)
    paths = sum(1 + len(one.path) for one in files)
    assert sampled.estimate.value - paths == pytest.approx(
        1.5 * (model.estimate.value - paths), rel=1e-5
    )
    assert sampled.estimate.percent < model.estimate.percent
    assert sampled.model_bytes == model.model_bytes == model.estimate.value


def test_a_known_version_beats_a_sample_and_another_version_does_not() -> None:
    known = calibration.load().known["sympy"]
    newest = known[-1]
    files = [entry(f"sympy/m{number}.py") for number in range(100)]

    def evidence(version: str | None, factor: float | None) -> Evidence:
        return predict(
            "SymPy", files, minor="3.11", prefix="", factor=factor, version=version
        ).evidence

    assert evidence(newest.version, 1.0) is Evidence.SAME_VERSION
    assert evidence("0.1", 1.0) is Evidence.SAMPLE
    assert evidence("0.1", None) is Evidence.OTHER_VERSION
    assert evidence(None, None) is Evidence.OTHER_VERSION
    assert evidence("not a version", None) is Evidence.OTHER_VERSION


def test_the_interval_grows_as_less_is_known() -> None:
    known = calibration.load().known["sympy"][-1]
    files = [entry(f"sympy/m{number}.py") for number in range(100)]

    def percent(name: str, version: str, factor: float | None) -> float:
        return predict(
            name, files, minor="3.11", prefix="", factor=factor, version=version
        ).estimate.percent

    doubts = [
        percent("sympy", known.version, None),
        percent("sympy", "0.1", None),
        percent("unheard-of", "1", None),
    ]
    assert doubts == sorted(doubts)
    assert doubts[0] < 3


def test_bytecode_of_a_stored_source_is_predicted_as_if_it_were_deflated() -> None:
    deflated = [entry("a/b.py", 100_000, 22_000)]
    stored = [entry("a/b.py", 100_000, 100_000, stored=True)]

    def value(files: list[Entry]) -> int:
        return predict("a", files, minor="3.11", prefix="", factor=None).estimate.value

    assert value(stored) == pytest.approx(value(deflated), rel=0.15)


def test_data_hidden_in_a_source_does_not_compile_to_less_than_nothing() -> None:
    dense = [entry("a/b.py", 1_000_000, 760_000)]
    found = predict("a", dense, minor="3.11", prefix="", factor=None)
    assert found.estimate.value > 300_000


@pytest.mark.parametrize("minor", ["3.10", "3.11", "3.12", "3.13", "3.14", "3.15"])
def test_every_python_has_a_prediction(minor: str) -> None:
    files = [entry(f"a/m{number}.py") for number in range(50)]
    found = predict("unheard-of", files, minor=minor, prefix="", factor=None)
    assert 0.5 < found.estimate.value / sum(one.size for one in files) < 2


def test_an_old_python_ignores_samples_of_a_new_one() -> None:
    files = [entry(f"a/m{number}.py") for number in range(1000)]
    assert predict("a", files, minor="3.10", prefix="", factor=3.0).evidence is Evidence.MODEL
    assert bytecode.sample_runs("a", files, minor="3.10") == ()


# --------------------------------------------------------------------------- sampling


def test_runs_are_neighbours_within_the_budget_and_spread_over_the_archive() -> None:
    files = [entry(f"a/m{number:03}.py", 5000, 1500) for number in range(600)]
    files[300] = entry("a/m300.so", 10**6, 10**6)
    runs = bytecode.sample_runs("unheard-of", files, minor="3.11")
    assert len(runs) == 24
    places = [files.index(one) for run in runs for one in run]
    assert places == sorted(set(places))
    assert places[0] < 25
    assert places[-1] > 575
    for run in runs:
        start, end = files.index(run[0]), files.index(run[-1])
        assert sum(one.compressed for one in files[start : end + 1]) <= 16 * 1024
        assert all(one.path.endswith(".py") for one in run)


def test_a_run_ends_with_its_last_source_and_skips_what_is_none() -> None:
    names = ("a.py", "b.so", "c.py", "d.so", "e.txt", "f.txt", "g.so")
    for several in (names, names[:4]):
        runs = bytecode.spread_runs([entry(name) for name in several], minor="3.11")
        paths = [one.path for run in runs for one in run]
        assert paths == ["a.py", "c.py"]


def test_the_more_bytecode_there_is_the_more_is_read() -> None:
    def read(count: int) -> tuple[int, int]:
        files = [entry(f"a/m{number}.py", 5000, 1500) for number in range(count)]
        runs = bytecode.sample_runs("unheard-of", files, minor="3.11")
        return len(runs), sum(one.compressed for run in runs for one in run)

    small, medium, large = read(300), read(1500), read(6000)
    assert [small[0], medium[0], large[0]] == [12, 24, 32]
    assert small[1] < 12 * 16 * 1024 < medium[1] < 24 * 16 * 1024 < large[1] < 32 * 32 * 1024


def test_a_run_that_one_file_fills_counts_less_than_one_of_many() -> None:
    small = [entry(f"a/m{number}.py") for number in range(60)]
    large = entry("a/z.py", 200_000, 60_000)
    one, huge = (
        bytecode.class_prediction([file], minor="3.11", prefix="") - 1 - len(file.path)
        for file in (small[0], large)
    )
    runs: list[list[tuple[Entry, int | None]]] = [
        [(file, 2 * one) for file in small[:20]], [(large, huge)]
    ]  # fmt: skip
    rest = [entry(f"b/m{number}.py") for number in range(20_000)]
    factor = bytecode.factor_from_sizes([*small, large, *rest], runs, minor="3.11", shrink=0.0)
    assert factor == pytest.approx((2 * 20 / 21 + 1 / 2) / (20 / 21 + 1 / 2), rel=0.01)


def test_a_file_larger_than_a_run_is_taken_whole() -> None:
    files = [entry("a/huge.py", 5_000_000, 300_000)]
    (run,) = bytecode.sample_runs("unheard-of", files, minor="3.11")
    assert run == (files[0],)


def test_nothing_is_sampled_where_it_would_not_pay() -> None:
    small = [entry(f"a/m{number}.py") for number in range(20)]
    assert bytecode.sample_runs("unheard-of", small, minor="3.11") == ()
    assert bytecode.sample_runs("unheard-of", [entry("a.so", 10**9)], minor="3.11") == ()
    assert bytecode.sample_runs("unheard-of", [], minor="3.11") == ()
    large = [entry(f"a/m{number}.py") for number in range(2000)]
    known = calibration.load().known["sympy"][-1].version
    assert bytecode.sample_runs("sympy", large, minor="3.11", version=known) == ()
    assert bytecode.sample_runs("sympy", large, minor="3.11", version="0.1")


def test_a_huge_file_in_the_sample_does_not_drown_the_others() -> None:
    rng = random.Random(1)
    plain = [entry(f"a/m{number}.py", rng.randint(3000, 6000), 1500) for number in range(300)]
    huge = entry("a/z.py", 400_000, 100_000)

    def said(one: Entry) -> int:
        return bytecode.class_prediction([one], minor="3.11", prefix="") - 1 - len(one.path)

    runs = [[(one, said(one)) for one in plain[n : n + 5]] for n in (0, 100, 200)]
    runs.append([(huge, 3 * said(huge))])
    factor = bytecode.factor_from_sizes([*plain, huge], runs, minor="3.11", shrink=0.0)
    by_bytes = sum(size or 0 for run in runs for _, size in run) / sum(
        said(one) for run in runs for one, _ in run
    )
    assert factor is not None
    assert factor < 1.9 < 2.5 < by_bytes


def test_few_runs_are_believed_less() -> None:
    files = [entry(f"a/m{number}.py") for number in range(200)]
    one = bytecode.class_prediction(files[:1], minor="3.11", prefix="") - 1 - len(files[0].path)

    def factor(count: int) -> float:
        runs = [[(files[n * 10], 2 * one)] for n in range(count)]
        return bytecode.factor_from_sizes(files, runs, minor="3.11") or 0.0

    assert 1 < factor(1) < factor(4) < factor(16) <= 2


@pytest.mark.parametrize(
    "source",
    [b"def f(:\n", b"x = 1\0", b"\xff\xfe bad", b"(" * 5000 + b")" * 5000, b"-" * 10**6 + b"1"],
)
def test_sources_that_do_not_compile_are_left_out(source: bytes) -> None:
    assert compiled(source) == [None]
    one = entry("a/b.py", len(source), len(source))
    assert sampled.factors([one], [[(one, source)]]) == (None, None)
    good = entry("a/c.py")
    assert all(sampled.factors([one, good], [[(one, source), (good, b"x = 1\n")]]))


@pytest.mark.parametrize("lines", [1, 30_000])
def test_a_compiled_source_has_the_size_of_its_pyc_without_the_path(
    tmp_path: Path, lines: int
) -> None:
    source = b"def f():\n    return [1, 'text']\n" + b"x = 1\nn = 2\n" * lines
    path = tmp_path / "module.py"
    path.write_bytes(source)
    made = tmp_path / "module.pyc"
    py_compile.compile(str(path), cfile=str(made), doraise=True)
    assert compiled(source) == [made.stat().st_size - len(str(path))]


def test_sources_are_compiled_and_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    source = f"open({str(mark)!r}, 'w')\nraise SystemExit(1)\n".encode()
    # a warning about a source (here an invalid escape) must not become an error either
    assert all(compiled(source + b"x = '\\d'\n"))
    assert not mark.exists()


def test_an_annotations_import_of_ours_does_not_leak_into_the_sample() -> None:
    source = b"def f(a: 1 + undefined) -> int: ...\n"
    other = b"from __future__ import annotations\n" + source
    plain, postponed = compiled(source, other)
    assert plain != postponed


# --------------------------------------------------------------------------- the data file


def test_the_data_file_is_whole() -> None:
    text = resources.files("slugcheck.sizing").joinpath("calibration.json").read_text("utf-8")
    data = json.loads(text)
    assert "/home/" not in text
    assert "/tmp/" not in text
    assert set(data["bytecode"]["coefficients"]) == {"3.10", "3.11", "3.12", "3.13", "3.14"}
    assert len(data["known"]) > 100
    for name, versions in data["known"].items():
        assert name == canonicalize_name(name)
        for slug_factor, factors in versions.values():
            assert 0.1 < slug_factor < 3
            assert all(0.1 < factor < 5 for factor in factors.values())


def test_the_nearest_version_is_the_oldest_that_is_not_older() -> None:
    numbers = calibration.load()
    first, *_, last = sorted(
        (one.version for one in numbers.known["django"]), key=lambda v: int(v.split(".")[0])
    )
    for wanted, expected in (("0.96", first), (first, first), ("999", last), (None, last)):
        found, same = numbers.find("Django", wanted)
        assert found is not None
        assert found.version == expected
        assert same is (wanted == expected)
    assert numbers.find("django", f"{last}+local")[1]
    assert numbers.find("unheard-of", "1") == (None, False)
    assert numbers.find(None, None) == (None, False)
