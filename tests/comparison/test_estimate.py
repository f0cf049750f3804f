import numpy as np
import pytest

from soak.comparison.estimate import (
    Estimate,
    cosine_count,
    mean_of_windows,
    with_spread,
)
from tests.comparison.simulated import noise


def test_error_of_independent_windows_is_that_of_the_textbook():
    drawn = np.random.default_rng(1).normal(0, 1, (400, 90))
    errors = [mean_of_windows(row).error ** 2 for row in drawn]

    assert 1 / 90 == pytest.approx(float(np.mean(errors)), rel=0.1)


@pytest.mark.parametrize(
    ("n", "memory", "least"), [(20, 0.3, 0.8), (60, 0.5, 0.85), (360, 0.8, 0.85)]
)
def test_interval_covers_the_truth_although_windows_depend_on_each_other(
    n: int, memory: float, least: float
):
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(300):
        estimate = mean_of_windows(noise(rng, n, 1.0, memory))
        hits += abs(estimate.mean) <= estimate.reach(0.95)

    assert least <= hits / 300 <= 0.97


def test_independence_would_have_been_taken_for_granted_wrongly():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(300):
        values = noise(rng, 60, 1.0, 0.8)
        hits += abs(values.mean()) <= 1.67 * values.std(ddof=1) / np.sqrt(60)

    assert hits / 300 < 0.6  # what a plain t interval of 90 % gives


def test_equal_windows_have_no_error():
    assert 0.0 == pytest.approx(mean_of_windows(np.full(30, 2.5)).error, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "expected"), [(8, 2), (12, 3), (24, 6), (60, 6), (360, 20), (8_640, 168)]
)
def test_few_windows_have_few_cosines(n: int, expected: int):
    assert expected == cosine_count(n)


def test_one_baseline_run_takes_the_usual_spread_twice():
    within = Estimate(mean=0.1, error=0.0, freedom=6)
    widened = with_spread(within, 0.02, [0.1], 0.0)

    assert (0.02 * np.sqrt(2), 10) == (pytest.approx(widened.error), widened.freedom)


def test_several_baseline_runs_correct_the_usual_spread():
    within = Estimate(mean=0.0, error=0.0, freedom=6)
    apart = [0.1 * (-1) ** i for i in range(20)]
    alike = [0.0] * 20

    assert with_spread(within, 0.02, apart, 0.0).error > 0.08
    assert with_spread(within, 0.02, alike, 0.0).error < 0.013


def test_spread_that_windows_explain_is_not_counted_twice():
    within = Estimate(mean=0.0, error=0.05, freedom=6)

    assert within.error == with_spread(within, 0.0, [0.01, -0.01, 0.02], 0.05).error
