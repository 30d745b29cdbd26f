import pytest
from hypothesis import given
from hypothesis import strategies as st

from slugcheck.model import Basis, Estimate
from slugcheck.model.figures import around, total


def test_measured_parts_add_no_doubt() -> None:
    doubtful = Estimate.predicted(100, 90, 120)
    alone = total([doubtful], systematic_percent=0)
    joined = total([doubtful, Estimate[int].measured(10_000)], systematic_percent=0)
    assert (alone.low, alone.high) == (90, 120)
    assert (joined.value, joined.low, joined.high) == (10_100, 10_090, 10_120)


def test_independent_doubts_add_in_quadrature_and_shared_doubt_does_not_average_out() -> None:
    parts = [Estimate.predicted(1000, 900, 1100)] * 100
    assert total(parts, systematic_percent=0).high == 101_000
    # 5 % of 100,000 beside 1,000: the root of the sum of squares
    assert total(parts, systematic_percent=5).high == pytest.approx(105_099, abs=1)


def test_a_sum_of_measured_parts_is_measured() -> None:
    whole = total([Estimate[int].measured(5), Estimate[int].measured(-2)], systematic_percent=10)
    assert (whole.value, whole.basis) == (3, Basis.MEASURED)
    assert total([], systematic_percent=10) == Estimate[int].measured(0)


@given(
    st.lists(st.tuples(st.integers(0, 10**10), st.floats(0, 200)), max_size=30), st.floats(0, 20)
)
def test_a_total_is_the_sum_of_its_parts_and_lies_in_its_interval(
    parts: list[tuple[int, float]], percent: float
) -> None:
    estimates = [around(value, doubt) for value, doubt in parts]
    whole = total(estimates, systematic_percent=percent)
    assert whole.value == sum(value for value, _ in parts)
    assert whole.low <= whole.value <= whole.high
    assert all(0 <= one.low <= one.value <= one.high for one in estimates)
