"""Is the evidence what the formula promises, with and without a trend?"""

import math

import numpy as np
import pytest

from soak.detectors._trend import PHIS, SCALES, find_trend, information
from soak.seams import Floats

N = 32
SHARE = np.linspace(0.0, 1.0, N)
SHAPES = np.column_stack([SHARE, np.maximum(SHARE - 0.5, 0) * 2])
STEEPNESS = np.array([1.0, 2.0])
ONLY_LEVEL = np.ones((N, 1))


def noise(rng: np.random.Generator, phi: float) -> Floats:
    """AR(1) from its stationary distribution; phi 1 is a random walk."""
    y = rng.normal(size=N)
    if phi < 1:
        y[0] /= math.sqrt(1 - phi**2)
    for i in range(1, N):
        y[i] += phi * y[i - 1]
    return y


def slow_log_evidence(y: Floats, covariates: Floats, shapes: Floats) -> float:
    """The docstring of detectors/_trend.py with matrices written out, one case after the other."""
    freedom = y.size - covariates.shape[1]
    nulls, alternatives = [], []
    for phi in PHIS:
        a = np.eye(N) - phi * np.eye(N, k=-1)
        a[0, 0] = math.sqrt(1 - phi**2)
        z = a @ covariates
        m = np.eye(N) - z @ np.linalg.inv(z.T @ z) @ z.T
        r0 = (a @ y) @ m @ (a @ y)
        log_volume = np.linalg.slogdet(a)[1] - 0.5 * np.linalg.slogdet(z.T @ z)[1]
        nulls.append(log_volume - freedom / 2 * math.log(r0))
        for shape in shapes.T:
            for scale in SCALES:
                square = (a @ shape) @ m @ (a @ shape)
                product = (a @ shape) @ m @ (a @ y)
                v = 1 / (square + 1 / scale**2)
                r1 = r0 - v * product**2
                z_score = v * product / math.sqrt(v * r1 / freedom)
                z_score *= (1 - 1 / (4 * freedom)) / math.sqrt(1 + z_score**2 / (2 * freedom))
                alternatives.append(
                    nulls[-1]
                    - 0.5 * math.log1p(scale**2 * square)
                    - freedom / 2 * math.log(r1 / r0)
                    + math.log(math.erfc(-z_score / math.sqrt(2)))
                )
    highest = max(alternatives)
    average = highest + math.log(np.mean([math.exp(one - highest) for one in alternatives]))
    return average - max(nulls)


@pytest.mark.parametrize("gain", [0.0, 5.0, -5.0])
def test_the_evidence_equals_the_formula_written_out(gain: float):
    rng = np.random.default_rng(3)
    covariates = np.column_stack([np.ones(N), rng.normal(size=N)])
    y = 7 + 2 * covariates[:, 1] + gain * SHARE + noise(rng, 0.5)

    found = find_trend(y, covariates, SHAPES, STEEPNESS).log_evidence

    assert pytest.approx(slow_log_evidence(y / y.std(), covariates, SHAPES), abs=1e-5) == found


@pytest.mark.parametrize("phi", [0.0, 0.7, 0.95, 1.0])
def test_without_a_trend_evidence_of_a_hundred_is_rarer_than_one_in_a_hundred(phi: float):
    rng = np.random.default_rng(11)
    found = [
        find_trend(noise(rng, phi), ONLY_LEVEL, SHAPES, STEEPNESS).evidence for _ in range(300)
    ]

    assert sum(evidence >= 100 for evidence in found) <= 3
    assert np.mean(found) <= 1.5


def test_a_trend_has_evidence_and_its_gain_is_found():
    rng = np.random.default_rng(5)
    trend = find_trend(100 + 60 * SHARE + noise(rng, 0.3), ONLY_LEVEL, SHAPES, STEEPNESS)
    low, high = trend.interval

    assert trend.evidence > 1e4
    assert pytest.approx(60, rel=0.05) == trend.gain
    assert low < 60 < high
    assert 0 == trend.best_shape


def test_a_late_trend_is_as_fast_as_it_is_where_it_rises():
    rng = np.random.default_rng(5)
    trend = find_trend(40 * SHAPES[:, 1] + noise(rng, 0.0), ONLY_LEVEL, SHAPES, STEEPNESS)

    assert 1 == trend.best_shape
    assert pytest.approx(80, rel=0.1) == trend.speed


def test_a_fall_is_no_rise():
    rng = np.random.default_rng(5)

    assert find_trend(-20 * SHARE + noise(rng, 0.3), ONLY_LEVEL, SHAPES, STEEPNESS).evidence < 1


def test_what_a_covariate_explains_is_no_trend():
    rng = np.random.default_rng(5)
    records = SHARE + 0.2 * rng.normal(size=N)
    covariates = np.column_stack([np.ones(N), records])
    trend = find_trend(50 * records + noise(rng, 0.0), covariates, SHAPES, STEEPNESS)

    assert trend.evidence < 100
    assert trend.adjusted.std() < 2


def test_units_do_not_matter():
    rng = np.random.default_rng(5)
    y = 5 * SHARE + noise(rng, 0.5)
    small = find_trend(y, ONLY_LEVEL, SHAPES, STEEPNESS)
    large = find_trend(1e9 + 1e6 * y, ONLY_LEVEL, SHAPES, STEEPNESS)

    assert pytest.approx(small.log_evidence, abs=1e-3) == large.log_evidence
    assert pytest.approx(small.gain * 1e6, rel=1e-3) == large.gain


def test_a_constant_has_no_trend():
    trend = find_trend(np.full(N, 7.0), ONLY_LEVEL, SHAPES, STEEPNESS)

    assert 0.0 == pytest.approx(trend.gain, abs=1e-6)
    assert trend.evidence <= 1


def test_the_criterion_prefers_a_covariate_that_explains_and_refuses_one_that_does_not():
    rng = np.random.default_rng(5)
    useful, useless = rng.normal(size=N), rng.normal(size=N)
    y = 3 * useful + noise(rng, 0.0)
    level = information(y, ONLY_LEVEL)

    assert information(y, np.column_stack([np.ones(N), useful])) < level
    assert information(y, np.column_stack([np.ones(N), useless])) > level


def test_a_harmless_shape_that_fits_better_leaves_no_evidence():
    rng = np.random.default_rng(8)
    bent = np.expm1(-SHARE) / np.expm1(-1)
    fills = bent[:, None]

    cache, leak = 40 * bent + noise(rng, 0.0), 40 * SHARE + noise(rng, 0.0)

    assert find_trend(cache, ONLY_LEVEL, SHAPES, STEEPNESS).evidence > 10
    assert find_trend(cache, ONLY_LEVEL, SHAPES, STEEPNESS, harmless=fills).evidence < 1
    assert find_trend(leak, ONLY_LEVEL, SHAPES, STEEPNESS, harmless=fills).evidence > 10
