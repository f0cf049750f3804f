"""Is the highest rate that holds found, by few trials?"""

import math

import pytest

from soak.bench.search import CLOSE, highest_rate


def found(limit_per_s: float, trials_count: int = 30) -> tuple[float, float, list[float]]:
    tried: list[float] = []

    def holds(rate_per_s: float) -> bool:
        tried.append(rate_per_s)
        return rate_per_s <= limit_per_s

    bracket = highest_rate(
        holds,
        first_per_s=200.0,
        least_per_s=10.0,
        most_per_s=100_000.0,
        trials_count=trials_count,
    )
    return bracket.kept_per_s, bracket.lost_per_s, tried


@pytest.mark.parametrize("limit_per_s", [11.0, 51.0, 333.0, 4_000.0, 99_999.0])
def test_the_limit_lies_between_what_held_and_what_did_not(limit_per_s: float):
    kept, lost, tried = found(limit_per_s)

    assert kept <= limit_per_s < lost
    assert lost <= kept * CLOSE
    assert len(tried) <= 12


def test_a_target_that_holds_nothing_is_asked_down_to_the_least():
    assert (0.0, 10.0, [200.0, 50.0, 12.5, 10.0]) == found(1.0)


def test_a_target_without_limit_is_asked_up_to_the_most():
    kept, lost, tried = found(math.inf)

    assert (100_000.0, math.inf) == (kept, lost)
    assert [200.0, 800.0, 3_200.0, 12_800.0, 51_200.0, 100_000.0] == tried


def test_it_stops_after_so_many_trials():
    kept, lost, tried = found(333.0, trials_count=3)

    assert (200.0, 400.0, 3) == (kept, lost, len(tried))
