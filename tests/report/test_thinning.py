from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.report.thinning import cut_gaps, thin

lines = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=400
).map(np.array)


@given(y=lines, max_points=st.integers(3, 100))
def test_extremes_survive_and_points_are_few(y, max_points):
    t = np.arange(float(len(y)))

    thin_t, thin_y = thin(t, y, max_points)

    assert len(thin_t) == len(thin_y) <= max_points
    assert np.all(np.diff(thin_t) > 0)
    if not np.isnan(y).all():
        assert (np.nanmin(y), np.nanmax(y)) == (np.nanmin(thin_y), np.nanmax(thin_y))


@given(y=lines, max_points=st.integers(3, 100))
def test_every_point_drawn_was_measured(y, max_points):
    t = np.arange(float(len(y)))

    thin_t, thin_y = thin(t, y, max_points)

    np.testing.assert_array_equal(y[thin_t.astype(int)], thin_y)


@given(y=lines, max_points=st.integers(3, 60))
def test_each_bucket_keeps_its_own_extremes(y, max_points):
    """The slow obvious twin: a loop over the buckets."""
    t = np.arange(float(len(y)))
    kept = set(thin(t, y, max_points)[0].astype(int))
    if len(y) <= max_points:
        assert set(range(len(y))) == kept
        return
    edges = np.linspace(0, len(y), max_points // 3 + 1).astype(int)
    expected = set()
    for first, last in pairwise(edges):
        bucket = y[first:last]
        if np.isnan(bucket).any():
            expected.add(first + int(np.argmax(np.isnan(bucket))))
        if not np.isnan(bucket).all():
            expected |= {first + int(np.nanargmin(bucket)), first + int(np.nanargmax(bucket))}
    assert expected == kept


def test_a_single_spike_in_a_day_is_drawn():
    t = np.arange(86_400.0)
    y = np.full(86_400, 2.0)
    y[50_123] = 9.0

    thin_t, thin_y = thin(t, y)

    assert 9.0 == thin_y[thin_t == 50_123.0]


def test_a_short_line_stays_as_it_is():
    t, y = np.arange(1_500.0), np.ones(1_500)

    assert thin(t, y)[0] is t


@pytest.mark.parametrize(
    ("t", "expected"),
    [([0, 1, 2, 30, 31], [1, 1, 1, np.nan, 1, 1]), ([0, 1, 2], [1, 1, 1]), ([], [])],
    ids=["a gap", "none", "empty"],
)
def test_a_line_breaks_where_points_are_missing(t, expected):
    t = np.array(t, dtype=float)

    found_t, found_y = cut_gaps(t, np.ones(len(t)), longest_s=5)

    np.testing.assert_array_equal(expected, found_y)
    assert np.all(np.diff(found_t) >= 0)
