"""The predicted build time, held against installs and source builds that were measured."""

from __future__ import annotations

import pytest

from slugcheck import platforms
from slugcheck.model import (
    Artifact,
    Basis,
    Distribution,
    DistributionSize,
    Estimate,
    Kind,
    SizeReport,
    SourceBuild,
    Transfer,
)
from slugcheck.project import target
from slugcheck.sizing import build_time

HEROKU = target.choose(platforms.load("heroku"), python="3.12")


def one(
    *, download: float = 0, plain: float = 0, bytecode: float = 0, native: float | None = None,
    source: bool = False,
) -> DistributionSize:  # fmt: skip
    """A distribution; sizes in MB. ``native`` is the compiled code of a source build."""
    build = SourceBuild(
        reason="C", native=native is not None, method="archive", nearest=None,
        newest_python_with_wheel=None, low_factor=1, high_factor=1,
    )  # fmt: skip
    return DistributionSize(
        distribution=Distribution(
            name="x", version="1", direct=True,
            artifact=Artifact(filename="x", url="file:///x", size=None, sha256=None),
            source_build=build if source or native is not None else None,
        ),
        via="local", download_bytes=int(download * 1e6),
        plain=Estimate[int].measured(int(plain * 1e6)),
        bytecode=Estimate[int].measured(int(bytecode * 1e6)),
        slug=Estimate[int].measured(0), bundle=Estimate[int].measured(0), files=1, bytecode_files=0,
        by_kind={Kind.NATIVE: int((native or 0) * 1e6)}, required_by=(),
    )  # fmt: skip


def report(*distributions: DistributionSize, on: str = "heroku") -> SizeReport:
    installed = sum(d.installed_bytes for d in distributions)
    where = HEROKU if on == "heroku" else target.choose(platforms.load(on))
    return SizeReport(
        target=where, distributions=distributions, roots=(), parts=(), overlaps=(), unsized=(),
        transfer=Transfer(), installed=Estimate[int].measured(installed),
        slug=Estimate[int].measured(0), bundle=Estimate[int].measured(0),
    )  # fmt: skip


EMPTY = build_time.predict(report())


# pip with bytecode: packages, MB of wheels, without bytecode, bytecode, and seconds of two runs
INSTALLS = [
    (25, 98.55, 305.02, 76.77, (9.0, 17.1)),
    (27, 33.04, 71.56, 25.17, (5.7, 9.7)),
    (39, 163.64, 537.99, 125.58, (21.9, 29.4)),
    (41, 57.01, 201.67, 108.37, (19.3, 24.1)),
    (10, 202.22, 741.14, 124.03, (20.0, 20.0)),
]


@pytest.mark.parametrize(("count", "wheels", "plain", "bytecode", "seconds"), INSTALLS)
def test_installs_that_were_timed_lie_within(
    count: int, wheels: float, plain: float, bytecode: float, seconds: tuple[float, float]
) -> None:
    whole = one(download=wheels, plain=plain, bytecode=bytecode)
    # a platform without a slug: no gzip in it
    sizes = report(whole, *[one()] * (count - 1), on="aws-lambda")
    fixed = build_time.predict(report(on="aws-lambda"))
    found = build_time.predict(sizes)
    assert found.basis is Basis.PREDICTED
    for measured in seconds:
        assert found.low - fixed.low <= measured <= found.high - fixed.high


# `pip wheel --no-binary` of the version: MB of .so in its published wheel, and seconds
NATIVE_BUILDS = [
    ("markupsafe", 0.043, 11.8), ("wrapt", 0.197, 10.5), ("psutil", 0.187, 14.2),
    ("ujson", 0.106, 13.0), ("msgpack", 1.297, 23.5), ("greenlet", 1.483, 13.5),
    ("regex", 2.589, 34.8), ("kiwisolver", 5.526, 39.3), ("lz4", 5.265, 62.9),
    ("simplejson", 0.278, 12.8),
]  # fmt: skip


@pytest.mark.parametrize(("name", "native", "seconds"), NATIVE_BUILDS)
def test_native_builds_that_were_timed_lie_within(name: str, native: float, seconds: float) -> None:
    found = build_time.predict(report(one(native=native)))
    assert found.low - EMPTY.low <= seconds <= found.high - EMPTY.high, name
    assert found.value - EMPTY.value == pytest.approx(seconds, rel=1.0)


@pytest.mark.parametrize("seconds", [4.3, 8.1])
def test_pure_builds_that_were_timed_lie_within(seconds: float) -> None:
    found = build_time.predict(report(one(source=True)))
    assert found.low - EMPTY.low <= seconds <= found.high - EMPTY.high


def test_an_empty_app_takes_the_allowance_within_a_factor_of_two() -> None:
    assert EMPTY.low == pytest.approx(EMPTY.value / 2)
    assert EMPTY.high == pytest.approx(EMPTY.value * 2)
    assert 10 <= EMPTY.value <= 60


def test_a_small_native_build_leaves_no_doubt_of_15_minutes_and_a_large_one_does() -> None:
    small = build_time.predict(report(one(plain=1, bytecode=1, native=0.3)))
    assert small.high < 900
    pandas = build_time.predict(report(one(plain=80, bytecode=20, native=50)))
    assert pandas.low < 900 < pandas.high


def test_each_part_of_the_work_costs_something() -> None:
    base = one(download=50, plain=50, bytecode=10)
    value = build_time.predict(report(base)).value
    for more in (
        one(download=500, plain=50, bytecode=10), one(download=50, plain=500, bytecode=10),
        one(download=50, plain=50, bytecode=100),
        one(download=50, plain=50, bytecode=10, source=True),
    ):  # fmt: skip
        assert build_time.predict(report(more)).value > value + 3
    assert build_time.predict(report(base, on="aws-lambda")).value < value  # no slug to compress


def test_the_assumptions_are_said_with_their_numbers() -> None:
    said = "\n".join(build_time.assumptions())
    for part in ("two cores", "40 MB/s", "8 MB/s", "25 MB/s", "not measured", "factor of 2",
                 "factor of 3"):  # fmt: skip
        assert part in said
