import math

import pytest

from soak.report import figures
from soak.sentences import figure as in_a_sentence

NOTHING = figures.NOT_KNOWN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, NOTHING), (math.nan, NOTHING), ("text", NOTHING), (True, NOTHING)),
        *((0, "0 bytes"), (812, "812 bytes"), (2_048, "2 KiB"), (191_889_408, "183 MiB")),
        *((1 << 30, "1 GiB"), (-3 << 20, "-3 MiB"), (1_047_600, "1,023 KiB")),
    ],
)
def test_sizes(value, text):
    assert text == figures.size(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.00084, "840 µs"), (0.0125, "12.5 ms"), (1.3, "1.3 s"), (45.2, "45.2 s")),
        *((0.0, "0 s"), (3e-9, "3 ns"), (0.99996, "1 s"), (math.inf, NOTHING)),
    ],
)
def test_latencies(value, text):
    assert text == figures.latency(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((4.2, "4.2 s"), (60, "60 s"), (119.6, "2 min"), (725, "12 min 05 s")),
        *((3_600, "1 h"), (21_900, "6 h 05 min"), (273_600, "3 d 4 h"), (None, NOTHING)),
    ],
)
def test_spans(value, text):
    assert text == figures.span(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((1, "100 %"), (0.9972, "99.72 %"), (0.97, "97 %"), (0, "0 %"), (0.00012, "0.012 %")),
        *((7.2e-6, "0.00072 %"), (math.nan, NOTHING)),
    ],
)
def test_shares(value, text):
    assert text == figures.share(value)


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        *((100, 105, "+5.0 %"), (100, 50, "−50.0 %"), (10, 10, "+0.0 %"), (1, 4_000, "4,000×")),
        *((0, 5, NOTHING), (None, 5, NOTHING)),
    ],
)
def test_changes(first, last, text):
    assert text == figures.change(first, last)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        *((0.05, "s", "50 ms"), (900.0, "bytes/s", "3.09 MiB/h"), (199.9, "1/s", "200/s")),
        *((0.953, "recall", "0.953"), (0, "answers", "0 answers"), (0.5, "", "0.5")),
        *((40_000, "count", "40,000"), (math.nan, "parsecs", NOTHING), (0.01, "ratio", "1 %")),
    ],
)
def test_units_of_checks(value, unit, text):
    assert text == figures.in_unit(value, unit)


@pytest.mark.parametrize("value", [900, 5_000, 3e6, 7.7e8, 4e12])
def test_sizes_read_as_in_sentences(value):
    assert in_a_sentence(value, "bytes") == figures.size(value)
