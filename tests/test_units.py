"""Sizes and durations: what is read, and that printing never flatters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slugcheck import text as units

SIZES = st.integers(min_value=0, max_value=10**14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("524288000", 524_288_000),
        ("450M", 450 * 2**20),
        ("450m", 450 * 2**20),
        ("1 GB", 10**9),
        ("1 G", 2**30),
        ("200MB", 200_000_000),
        ("250MiB", 262_144_000),
        ("1.5G", 3 * 2**29),
        ("500 kB", 500_000),
        ("500K", 512_000),
        ("12 B", 12),
        ("  7 bytes ", 7),
        ("0", 0),
        ("0.29 GB", 290_000_000),  # 289,999,999 by way of a float
        ("1.9999999 K", 2047),  # a limit is never more than what was written
    ],
)
def test_sizes_people_write(text: str, expected: int) -> None:
    assert units.parse_size(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "M", "450 X", "-1M", "1e9", "4,5M", "1 M B", "NaN", "٣M", "9" * 5000, "450M\x1b[0m"],
)
def test_a_text_that_is_no_size_is_refused_saying_what_is_accepted(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"not a size; write bytes .*powers of 1024.*powers of 1000"
    ):
        units.parse_size(text)


def test_a_refusal_repeats_neither_endless_nor_control_characters() -> None:
    with pytest.raises(ValueError, match="not a size") as caught:
        units.parse_size("\x1b[31m" + "x" * 10_000)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("text", "expected"),
    [("900", 900), ("60s", 60), ("15m", 900), ("15 min", 900), ("1:30", 90), ("90:00", 5400),
     ("1h", 3600), ("1.5 minutes", 90)],
)  # fmt: skip
def test_durations_people_write(text: str, expected: int) -> None:
    assert units.parse_seconds(text) == expected


@pytest.mark.parametrize("text", ["", "1:75", "soon", "-5", "15 M B", "1:30:00"])
def test_a_text_that_is_no_duration_is_refused_saying_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration; write seconds .* 15m, 1h or 1:30"):
        units.parse_seconds(text)


def test_printed_as_heroku_prints_it() -> None:
    assert units.heroku_m(524_288_000) == "500M"
    assert units.heroku_m(1_048_576_000) == "1000M"
    assert units.heroku_m(176_900_000) == "168.8M"  # 168.705: up
    assert units.heroku_m(176_900_000, down=True) == "168.7M"


def test_mb_and_mib_are_not_the_same() -> None:
    assert (units.mb(262_144_000), units.mib(262_144_000)) == ("262.1", "250.0")


def test_mb_is_rounded_to_nearest_and_little_is_not_a_tenth() -> None:
    values = (0, 1, 49_999, 50_000, 149_999, 150_000, 1_234_567_890)
    shown = [units.mb(value) for value in values]
    assert shown == ["0.0", "<0.1", "<0.1", "0.1", "0.1", "0.2", "1,234.6"]


def test_seconds_are_rounded_up() -> None:
    assert [units.clock(value) for value in (0, 47.2, 59.01, 900, 3600)] == [
        "0:00", "0:48", "1:00", "15:00", "60:00",
    ]  # fmt: skip
    assert [units.seconds(value) for value in (0.71, 0.1 * 3, 1234)] == [
        "0.8 s",
        "0.3 s",
        "1,234.0 s",
    ]


@given(SIZES)
def test_up_is_never_below_and_down_never_above_the_value(value: int) -> None:
    for scale in (units.HEROKU_M, units.MEGABYTES, units.BYTES):
        up, down = (
            float(text.removesuffix(scale.suffix).replace(",", "")) * scale.unit
            for text in (scale.up(value), scale.down(value))
        )
        tolerance = scale.unit * 1e-6  # of the float in this test
        assert down - tolerance <= value <= up + tolerance
        assert up - down <= 0.1 * scale.unit + tolerance


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [
        (176_900_000, 524_288_000, ("168.8M", "500M")),
        (524_288_000, 524_288_000, ("500M", "500M")),
        (524_288_001, 524_288_000, ("500.1M", "500M")),
        # just within: rounded up it would read 500M of 500M
        (524_287_999, 524_288_000, ("524,287,999 B", "524,288,000 B")),
        # the limit's own unit
        (300_000_001, 500_000_000, ("300.1 MB", "500 MB")),
        (7_000_000_000, 8_000_000_000, ("7000 MB", "8000 MB")),
        # within, but rounding up and down would put the figure above its limit
        (300_000_001, 300_000_001, ("300,000,001 B", "300,000,001 B")),
    ],
)
def test_a_figure_beside_its_limit(value: int, limit: int, expected: tuple[str, str]) -> None:
    assert units.against(value, limit) == expected


@given(SIZES, SIZES)
def test_what_is_printed_never_contradicts_the_verdict(value: int, limit: int) -> None:
    for near in (limit - 1, limit, limit + 1, value):
        if near < 0:
            continue
        scale = units.scale_for(near, limit)
        shown, cap = (
            float(text.removesuffix(scale.suffix).replace(",", ""))
            for text in units.against(near, limit)
        )
        assert (shown > cap) == (near > limit)
        assert (shown == cap) == (near == limit)
