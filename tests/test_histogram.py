"""Are durations counted exactly enough, and the same in every order?"""

import numpy as np
import pytest

from soak.histogram import SIZE, SUB_BITS, Histogram, bucket_index, lower_bound_ns

WORST_RELATIVE_ERROR = 2.0**-SUB_BITS


def sorted_rank(values: np.ndarray, share: float) -> int:
    """The slow, obvious twin: the ceil(q*n)-th smallest."""
    return int(np.sort(values)[max(1, int(np.ceil(share * values.size))) - 1])


def log_uniform(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (10 ** rng.uniform(0, 11, count)).astype(np.int64)


def test_every_bucket_begins_where_its_index_says():
    index = np.arange(SIZE)
    assert np.array_equal(bucket_index(lower_bound_ns(index)), index)


def test_the_value_just_below_a_bucket_falls_into_the_one_before():
    index = np.arange(1, SIZE)
    assert np.array_equal(bucket_index(lower_bound_ns(index) - 1), index - 1)


@pytest.mark.parametrize("share", [0.001, 0.5, 0.95, 0.99, 0.999, 1.0])
def test_quantiles_agree_with_sorting_within_the_bucket_width(share):
    values = log_uniform(seed=5, count=20_000)
    histogram = Histogram()
    histogram.add(values)
    truth_s = sorted_rank(values, share) / 1e9
    assert histogram.quantile_s(share) == pytest.approx(truth_s, rel=WORST_RELATIVE_ERROR)


def test_a_quantile_is_the_nearest_rank_above():
    histogram = Histogram()
    histogram.add(np.array([1_000_000, 2_000_000, 9_000_000]))
    assert histogram.quantile_s(0.5) == pytest.approx(0.002, rel=WORST_RELATIVE_ERROR)
    assert histogram.quantile_s(0.67) == pytest.approx(0.009, rel=WORST_RELATIVE_ERROR)


def test_merging_parts_equals_counting_the_whole():
    values = log_uniform(seed=6, count=5_000)
    whole, left, right = Histogram(), Histogram(), Histogram()
    whole.add(values)
    left.add(values[:1_234])
    right.add(values[1_234:])
    right.merge(left)
    assert np.array_equal(whole.counts, right.counts)
    assert (whole.sum_ns, whole.max_ns) == (right.sum_ns, right.max_ns)


def test_values_beyond_the_last_bucket_are_counted_and_said_so():
    histogram = Histogram()
    histogram.add(np.array([2**62], dtype=np.int64))
    assert 1 == histogram.count


def test_negative_durations_count_as_zero():
    histogram = Histogram()
    histogram.add(np.array([-5], dtype=np.int64))
    assert 1 == histogram.counts[0]


def test_an_empty_histogram_has_no_quantile():
    assert np.isnan(Histogram().quantile_s(0.5))


def test_cumulative_counts_agree_with_comparing_every_value():
    values = log_uniform(seed=7, count=5_000)
    bounds_s = [50e-6, 1e-3, 0.05, 1.0, 60.0]
    histogram = Histogram()
    histogram.add(values)
    for bound_s, counted in zip(bounds_s, histogram.cumulative(bounds_s), strict=True):
        certainly = int(np.count_nonzero(values <= bound_s * 1e9))
        possibly = int(np.count_nonzero(values <= bound_s * 1e9 * (1 + WORST_RELATIVE_ERROR)))
        assert certainly <= counted <= possibly


def test_the_last_cumulative_count_is_the_count():
    histogram = Histogram()
    histogram.add(log_uniform(seed=8, count=1_000))
    assert [1_000] == histogram.cumulative([1e6])
