"""Every open arrival process against what it promises: strictly later, in order, at its rate."""

from collections.abc import Mapping

import numpy as np
import pytest

from soak import plugins
from soak.seams import Arrivals, Floats

RATE_PER_S = 400.0
DURATION_S = 120.0
PARAMS: Mapping[str, Mapping[str, object]] = {
    "constant": {},
    "poisson": {},
    "ramp": {"start": 100.0, "end": 700.0},
    "burst": {"every": 20.0, "length": 4.0, "height": 6.0},
    "diurnal": {"period": 40.0, "swing": 0.9},
}
OPEN = sorted(PARAMS)


def build(name: str) -> Arrivals:
    params = plugins.params_of("arrivals", name, PARAMS[name])
    built: Arrivals = plugins.load("arrivals", name).build(params, RATE_PER_S, DURATION_S)
    return built


def drawn(arrivals: Arrivals, seed: int, count: int = 1000) -> Floats:
    """The whole phase, block after block."""
    rng, parts, at_s = np.random.default_rng(seed), [], 0.0
    while (part := arrivals.due(at_s, count, rng)).size:
        assert part.size <= count
        parts.append(part)
        at_s = float(part[-1])
    return np.concatenate(parts)


@pytest.mark.parametrize("name", OPEN)
def test_due_times_ascend_within_the_phase(name: str) -> None:
    due_s = drawn(build(name), seed=1)

    assert due_s[0] > 0
    assert (np.diff(due_s) > 0).all()
    assert due_s[-1] <= DURATION_S


@pytest.mark.parametrize("name", OPEN)
def test_as_many_are_due_as_the_rate_says(name: str) -> None:
    count = drawn(build(name), seed=2).size

    # 48,000 on average for each of them; five standard deviations of a Poisson count.
    assert abs(count - RATE_PER_S * DURATION_S) < 5 * np.sqrt(RATE_PER_S * DURATION_S)


@pytest.mark.parametrize("name", OPEN)
def test_every_stretch_has_the_rate_that_is_expected_of_it(name: str) -> None:
    arrivals = build(name)
    edges_s = np.arange(0, DURATION_S + 1)
    counts = sum(np.histogram(drawn(arrivals, seed), edges_s)[0] for seed in range(20)) / 20

    fine_s = np.arange(0, DURATION_S, 0.01) + 0.005
    rates = np.array([arrivals.expected_rate(float(t)) for t in fine_s])
    expected = rates.reshape(-1, 100).mean(axis=1)
    # Twenty draws: a count of n has the standard deviation sqrt(n / 20).
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected / 20) + 2).all()


@pytest.mark.parametrize("name", [name for name in OPEN if name != "constant"])
def test_gaps_are_exponential_on_the_scale_of_the_rate(name: str) -> None:
    arrivals = build(name)
    due_s = drawn(arrivals, seed=3)
    fine_s = np.linspace(0, DURATION_S, 240_001)
    rates = np.array([arrivals.expected_rate(float(t)) for t in fine_s])
    steps = (rates[1:] + rates[:-1]) / 2 * np.diff(fine_s)
    passed = np.interp(due_s, fine_s, np.concatenate(([0.0], np.cumsum(steps))))

    gaps = np.diff(passed)

    # A unit exponential: mean 1, variance 1, and 1 - 1/e of it below 1.
    assert 1 == pytest.approx(gaps.mean(), abs=0.03)
    assert 1 == pytest.approx(gaps.var(), abs=0.06)
    assert 1 - np.exp(-1) == pytest.approx((gaps < 1).mean(), abs=0.02)


def test_constant_arrivals_add_up_to_no_error_over_days() -> None:
    week_s = 7 * 86_400.0
    arrivals: Arrivals = plugins.load("arrivals", "constant").build(None, 3.0, week_s)
    rng = np.random.default_rng(0)
    last = arrivals.due(week_s - 10, 1000, rng)

    assert 30 == last.size
    assert week_s == last[-1]
    assert 0 == arrivals.due(float(last[-1]), 10, rng).size


def test_bursts_are_as_high_as_asked_above_the_quiet() -> None:
    arrivals = build("burst")

    assert 6 == pytest.approx(arrivals.expected_rate(18.0) / arrivals.expected_rate(10.0))


def test_closed_arrivals_wait_as_long_as_they_think() -> None:
    closed = plugins.load("arrivals", "closed")
    rng = np.random.default_rng(0)
    steady = closed.build(closed.Params(think=0.5), 1.0, 10.0)
    varied = closed.build(closed.Params(think=0.5, spread="exponential"), 1.0, 10.0)

    assert [0.5] * 4 == steady.due(0.0, 4, rng).tolist()
    assert 0.5 == pytest.approx(varied.due(0.0, 20_000, rng).mean(), rel=0.05)
    assert not steady.is_open
    assert np.isnan(steady.expected_rate(1.0))


def test_a_burst_must_fit_into_its_period() -> None:
    with pytest.raises(ValueError, match="length must be shorter"):
        plugins.params_of("arrivals", "burst", {"every": 5.0, "length": 5.0})
