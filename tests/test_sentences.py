"""Are figures said so that a person understands them?"""

import math

import pytest

from soak.sentences import clock_time, count, figure


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.062, "s", "62 ms"),
        (0.0000123, "s", "12.3 us"),
        (61.26, "s", "61.3 s"),
        (5400.0, "s", "01:30:00"),
        (0.0, "s", "0 s"),
        (52_428_800.0, "bytes", "50 MiB"),
        (-2048.0, "bytes", "-2 KiB"),
        (17.0, "bytes", "17 bytes"),
        (0.25, "bytes", "0.25 bytes"),
        (-4e-9, "bytes", "0 bytes"),
        (0.001, "ratio", "0.1 %"),
        (1.0, "ratio", "100 %"),
        (1234.5, "1/s", "1,234 per second"),
        (3.0, "answers", "3 answers"),
        (0.95, "", "0.95"),
        (math.nan, "s", "unknown"),
    ],
)
def test_a_figure_has_a_unit_and_three_digits(value: float, unit: str, text: str):
    assert text == figure(value, unit)


def test_a_time_is_hours_minutes_seconds():
    assert ["00:12:30", "100:00:01"] == [clock_time(750.9), clock_time(360_001.0)]


def test_thousands_are_grouped():
    assert "12,345" == count(12345.0)
