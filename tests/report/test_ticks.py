import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.report import ticks


@pytest.mark.parametrize(
    ("end_s", "labels"),
    [
        (60, ["0", "10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]),
        (8_640, ["0", "30 min", "60 min", "90 min", "120 min"]),
        (21_600, ["0", "1 h", "2 h", "3 h", "4 h", "5 h", "6 h"]),
        (86_400, ["0", "3 h", "6 h", "9 h", "12 h", "15 h", "18 h", "21 h", "24 h"]),
        (7 * 86_400, ["0", "1 d", "2 d", "3 d", "4 d", "5 d", "6 d", "7 d"]),
    ],
)
def test_moments_are_round_in_one_unit(end_s, labels):
    assert labels == [label for _, label in ticks.of_time(end_s, 9)]


def test_bytes_are_round_in_mebibytes():
    found = ticks.of_values(80 * 2**20, 240 * 2**20, "bytes")

    assert ["100 MiB", "150 MiB", "200 MiB"] == [label for _, label in found]


@given(
    low=st.floats(0, 1e12),
    span=st.floats(1e-9, 1e12),
    unit=st.sampled_from(["s", "bytes", "ratio", "1/s", "count"]),
)
def test_values_are_few_ascending_and_inside(low, span, unit):
    high = low + max(span, abs(low) * 1e-6)

    values = [value for value, _ in ticks.of_values(low, high, unit)]

    slack = (high - low) * 1e-6
    assert 1 <= len(values) <= 6
    assert values == sorted(set(values))
    assert low - slack <= values[0] <= values[-1] <= high + slack


@given(low=st.floats(1e-7, 10), decades=st.floats(0.2, 6))
def test_logarithmic_values_are_few_and_inside(low, decades):
    high = low * 10**decades

    values = [value for value, _ in ticks.of_logarithm(low, high, "s")]

    assert len(values) <= 8
    assert all(low <= value <= high for value in values)
