"""Is the health score the formula that is published?"""

import math

import numpy as np
import pytest

from soak.judge.health import errors_component, health, ratio_component, recall_component, weighted

STEADY = {
    "t_s": np.arange(0.0, 1200.0, 10.0),
    "search_p99_s": np.full(120, 0.010),
    "recall": np.full(120, 0.97),
    "anonymous_bytes": np.full(120, 4e8),
    "live_records": np.full(120, 40_000.0),
}
GOOD = {"count": 10_000.0, "error_count": 0.0}


def changed(name: str, factor: float) -> dict[str, np.ndarray]:
    """STEADY, but one column is factor times itself in the last ten minutes."""
    late = np.where(STEADY["t_s"] >= 600.0, factor, 1.0)
    return STEADY | {name: STEADY[name] * late}


def test_a_steady_target_without_errors_is_at_one():
    expected = {"score": 1.0, "errors": 1.0, "latency": 1.0, "recall": 1.0, "growth": 1.0}

    assert pytest.approx(expected) == health(STEADY, GOOD, 0.0)


def test_what_the_target_says_of_itself_goes_first():
    said = STEADY | {
        "health_ratio": np.full(120, 0.8),
        "reported_health_memory_ratio": np.full(120, 0.6),
    }

    assert {"score": 0.8, "memory": 0.6} == health(said, GOOD, 0.0)


def test_before_any_figure_there_is_no_score():
    assert {} == health({"t_s": np.array([1.0])}, {}, 0.0)


@pytest.mark.parametrize(
    ("name", "factor", "component", "value"),
    [
        ("search_p99_s", 5.0, "latency", 0.0),
        ("search_p99_s", 2.0, "latency", math.log(2.5) / math.log(5 / 1.2)),
        ("search_p99_s", 0.5, "latency", 1.0),
        ("anonymous_bytes", 1.5, "growth", math.log(2 / 1.5) / math.log(2 / 1.05)),
        ("recall", 0.5, "recall", 0.0),
    ],
)
def test_a_change_for_the_worse_lowers_its_component(
    name: str, factor: float, component: str, value: float
):
    assert pytest.approx(value) == health(changed(name, factor), GOOD, 0.0)[component]


def test_latency_counts_both_the_middle_and_the_tail():
    columns = changed("search_p99_s", 4.0) | {"search_p50_s": np.full(120, 0.005)}

    # Four times at p99, unchanged at p50: twice as slow.
    expected = math.log(2.5) / math.log(5 / 1.2)
    assert pytest.approx(expected) == health(columns, GOOD, 0.0)["latency"]


def test_microseconds_are_not_felt():
    columns = changed("search_p99_s", 8.0)
    columns["search_p99_s"] = columns["search_p99_s"] / 100

    assert pytest.approx(1.0) == health(columns, GOOD, 0.0)["latency"]


def test_two_minutes_after_warm_up_are_needed_to_see_a_change():
    short = {name: column[:12] for name, column in STEADY.items()}

    assert {"score", "errors", "recall"} == health(short, GOOD, 0.0).keys()


def test_growth_with_the_records_is_healthy():
    columns = changed("anonymous_bytes", 2.0)
    columns["live_records"] = changed("live_records", 2.0)["live_records"]

    assert pytest.approx(1.0) == health(columns, GOOD, 0.0)["growth"]


def test_the_warm_up_is_not_what_later_is_compared_with():
    columns = STEADY | {"search_p99_s": np.where(STEADY["t_s"] < 300.0, 0.001, 0.010)}

    assert pytest.approx(1.0) == health(columns, GOOD, 300.0)["latency"]


@pytest.mark.parametrize("name", ["anonymous_bytes", "search_p99_s"])
def test_another_process_that_holds_or_takes_more_is_as_well_as_the_old_one(name: str):
    columns = changed(name, 6.0)

    assert 0.0 == health(columns, GOOD, 0.0)["score"]
    assert pytest.approx(1.0) == health(columns, GOOD, 0.0, (100.0, 600.0))["score"]


def test_a_process_that_grows_from_less_than_the_old_one_held_is_unwell():
    t_s = np.arange(0.0, 43_200.0, 60.0)
    columns = {
        "t_s": t_s,
        "anonymous_bytes": 4e8 * np.where(t_s < 21_600.0, 1.0, 2 ** ((t_s - 43_200.0) / 21_600.0)),
        "live_records": np.full(t_s.size, 40_000.0),
    }

    assert pytest.approx(1.0) == health(columns, GOOD, 1_080.0)["growth"]
    assert health(columns, GOOD, 1_080.0, (21_600.0,))["growth"] < 0.1


def test_two_minutes_of_a_new_process_are_needed_to_see_a_change():
    columns = changed("anonymous_bytes", 2.2)

    known = health(columns, GOOD, 0.0, (1_100.0,))

    assert {"score": 1.0, "errors": 1.0, "recall": 1.0} == known


@pytest.mark.parametrize(("errors", "value"), [(0, 1.0), (50, 0.5), (100, 0.0), (9999, 0.0)])
def test_one_percent_of_errors_is_zero(errors: float, value: float):
    assert pytest.approx(value) == errors_component(errors, 10_000)


def test_components_stay_between_zero_and_one():
    assert (1.0, 0.0) == (recall_component(1.0), recall_component(0.1))
    assert (1.0, 0.0) == (ratio_component(0.1, 1.2, 5.0), ratio_component(50.0, 1.2, 5.0))


def test_the_score_is_the_weighted_geometric_mean():
    assert pytest.approx(0.5 ** (3 / 5)) == weighted({"errors": 0.5, "recall": 1.0})
    assert 0.0 == weighted({"errors": 1.0, "recall": 0.0})
