"""Do the tables follow the distributions they are named after?"""

import numpy as np
import pytest

from soak.oracle.importance import DISTRIBUTIONS, ENTRIES, beta, bimodal, pareto, uniform


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_tables_are_importances(distribution):
    table = distribution()

    assert (ENTRIES,) == table.shape
    assert 0 <= table.min()
    assert table.max() <= 1


@pytest.mark.parametrize(
    ("a", "b"), [(2, 5), (1, 1), (0.5, 0.5), (0.05, 3), (800, 200), (1000, 0.1)]
)
def test_beta_has_its_mean_and_variance(a, b):
    table = beta(a, b)

    assert a / (a + b) == pytest.approx(table.mean(), abs=1e-3)
    variance = a * b / ((a + b) ** 2 * (a + b + 1))
    assert variance == pytest.approx(table.var(), rel=0.02)


@pytest.mark.parametrize("x", [0.1, 0.3, 0.7])
def test_beta_2_5_has_its_closed_form(x):
    # P(X <= x) of Beta(2, 5) is 1 - (1 - x)**5 * (1 + 5 x).
    assert 1 - (1 - x) ** 5 * (1 + 5 * x) == pytest.approx(np.mean(beta(2, 5) <= x), abs=1e-4)


def test_uniform_fills_its_interval_evenly():
    table = uniform(0.2, 0.6)

    assert [0.2, 0.4, 0.6] == pytest.approx([table.min(), table.mean(), table.max()], abs=1e-5)


def test_bimodal_has_its_share_of_important_records():
    table = bimodal(0.2, 0.9, 0.1, 0.05)

    assert 0.1 == pytest.approx(np.mean(table > 0.55), abs=1e-4)
    assert 0.27 == pytest.approx(table.mean(), abs=2e-3)
    assert 0.05 == pytest.approx(table[table < 0.55].std(), rel=0.02)


def test_bimodal_without_spread_has_two_values():
    assert {0.2, 0.9} == set(bimodal(0.2, 0.9, 0.5, 0.0).tolist())


@pytest.mark.parametrize("x", [0.06, 0.1, 0.5])
def test_pareto_has_its_tail(x):
    assert (0.05 / x) ** 1.5 == pytest.approx(np.mean(pareto(1.5, 0.05) > x), abs=1e-4)
