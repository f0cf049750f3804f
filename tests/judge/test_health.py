"""Is the health score the formula that is published?"""

import math

import numpy as np
import pytest

from soak.judge.health import (
    WEIGHTS,
    errors_component,
    health,
    level_component,
    ratio_component,
    weighted,
)

STEADY = {
    "t_s": np.arange(0.0, 1200.0, 10.0),
    "search_p99_s": np.full(120, 0.010),
    "achieved_per_s": np.full(120, 200.0),
    "offered_per_s": np.full(120, 200.0),
    "recall": np.full(120, 0.97),
    "anonymous_bytes": np.full(120, 4e8),
    "disk_allocated_bytes": np.full(120, 1e9),
    "live_records": np.full(120, 40_000.0),
}
GOOD = {"count": 10_000.0, "error_count": 0.0}
NOT_KNOWN = dict.fromkeys(("score", *WEIGHTS), pytest.approx(math.nan, nan_ok=True))


def changed(name: str, factor: float) -> dict[str, np.ndarray]:
    """STEADY, but one column is factor times itself in the last ten minutes."""
    late = np.where(STEADY["t_s"] >= 600.0, factor, 1.0)
    return STEADY | {name: STEADY[name] * late}


def known(found: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in found.items() if not math.isnan(value)}


def test_a_steady_target_without_errors_is_at_one():
    assert dict.fromkeys(("score", *WEIGHTS), 1.0) == pytest.approx(health(STEADY, GOOD, 0.0))


@pytest.mark.parametrize("said", [0.0, 1.0])
def test_what_the_target_says_of_itself_changes_nothing(said: float):
    worse = changed("search_p99_s", 3.0)
    own = {
        "health_ratio": np.full(120, said),
        "reported_health_memory_ratio": np.full(120, said),
    }

    assert health(worse, GOOD, 0.0) == health(worse | own, GOOD, 0.0)


@pytest.mark.parametrize("columns", [{"t_s": np.array([1.0])}, {"t_s": np.empty(0)}])
def test_before_any_figure_nothing_is_known(columns: dict[str, np.ndarray]):
    assert NOT_KNOWN == health(columns, {}, 0.0)


def test_during_warm_up_nothing_is_known():
    assert NOT_KNOWN == health(STEADY, {}, 1_300.0)


@pytest.mark.parametrize(
    ("name", "factor", "component", "value"),
    [
        ("search_p99_s", 5.0, "latency", 0.0),
        ("search_p99_s", 2.0, "latency", math.log(2.5) / math.log(5 / 1.2)),
        ("search_p99_s", 0.5, "latency", 1.0),
        ("anonymous_bytes", 1.5, "memory", math.log(2 / 1.5) / math.log(2 / 1.05)),
        ("recall", 0.5, "recall", 0.0),
        ("achieved_per_s", 0.9, "throughput", (0.9 - 0.5) / (0.95 - 0.5)),
        ("achieved_per_s", 0.97, "throughput", 1.0),
        ("disk_allocated_bytes", 1.9, "maintenance", 1.0),
        ("disk_allocated_bytes", 4.0, "maintenance", math.log(5 / 4) / math.log(5 / 2)),
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

    assert {"score", "errors", "throughput", "recall"} == known(health(short, GOOD, 0.0)).keys()


def test_a_minute_of_windows_is_needed_to_see_a_rate():
    short = {name: column[:6] for name, column in STEADY.items()}

    assert {"score", "errors", "recall"} == known(health(short, GOOD, 0.0)).keys()


def test_a_window_is_held_against_the_rate_of_its_own_time():
    t_s = np.arange(0.0, 301.0)
    ends = t_s % 10 == 9
    asked = np.where(t_s < 290.0, 10.0, 200.0)
    columns = {"t_s": t_s, "offered_per_s": asked, "achieved_per_s": np.where(ends, asked, np.nan)}

    assert 1.0 == health(columns, GOOD, 0.0)["throughput"]


def test_of_a_closed_phase_no_rate_was_asked():
    columns = STEADY | {"offered_per_s": np.where(STEADY["t_s"] < 600.0, 200.0, np.nan)}

    assert math.isnan(health(columns, GOOD, 0.0)["throughput"])


def test_dead_records_that_nobody_clears_away_are_maintenance_that_is_missing():
    columns = STEADY | {"tombstones": np.full(120, 120_000.0)}

    expected = math.log(5 / 4) / math.log(5 / 2)
    assert pytest.approx(expected) == health(columns, GOOD, 0.0)["maintenance"]


def test_a_few_megabytes_of_files_are_not_worth_clearing_away():
    columns = changed("disk_allocated_bytes", 8.0)
    columns["disk_allocated_bytes"] = columns["disk_allocated_bytes"] / 100

    assert 1.0 == health(columns, GOOD, 0.0)["maintenance"]


def test_what_is_not_known_has_no_say_in_the_score():
    worse = changed("search_p99_s", 3.0)
    without = {name: column for name, column in worse.items() if name != "recall"}
    found = health(without, GOOD, 0.0)

    assert math.isnan(found["recall"])
    assert pytest.approx(found["latency"] ** (3 / 11)) == found["score"]


def test_noise_does_not_move_the_score():
    """A shared machine: p99 by a third, rates of Poisson arrivals, garbage that comes and goes."""
    rng = np.random.default_rng(11)
    t_s = np.arange(0.0, 7200.0, 10.0)
    columns = {
        "t_s": t_s,
        "search_p50_s": 0.004 * rng.lognormal(0, 0.1, t_s.size),
        "search_p99_s": 0.010 * rng.lognormal(0, 0.35, t_s.size),
        "store_p50_s": 0.002 * rng.lognormal(0, 0.1, t_s.size),
        "store_p99_s": 0.008 * rng.lognormal(0, 0.6, t_s.size),
        "achieved_per_s": rng.poisson(200.0, t_s.size) / 10,
        "offered_per_s": np.full(t_s.size, 20.0),
        "recall": np.clip(rng.normal(0.97, 0.05, t_s.size), 0, 1),
        "anonymous_bytes": 4e8 * rng.normal(1, 0.01, t_s.size),
        "disk_allocated_bytes": 1e9 * (1 + (t_s % 1500.0) / 1500.0),
        "live_records": 40_000 + rng.normal(0, 100, t_s.size),
    }
    scores = []
    for rows in range(120, t_s.size, 6):
        upto = {name: column[:rows] for name, column in columns.items()}
        scores.append(health(upto, GOOD, 300.0)["score"])

    assert min(scores) > 0.95


def test_growth_with_the_records_is_healthy():
    columns = changed("anonymous_bytes", 2.0)
    columns["live_records"] = changed("live_records", 2.0)["live_records"]

    assert pytest.approx(1.0) == health(columns, GOOD, 0.0)["memory"]


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

    assert pytest.approx(1.0) == health(columns, GOOD, 1_080.0)["memory"]
    assert health(columns, GOOD, 1_080.0, (21_600.0,))["memory"] < 0.1


def test_two_minutes_of_a_new_process_are_needed_to_see_a_change():
    columns = changed("anonymous_bytes", 2.2)

    found = known(health(columns, GOOD, 0.0, (1_100.0,)))

    assert {"score": 1.0, "errors": 1.0, "throughput": 1.0, "recall": 1.0} == found


@pytest.mark.parametrize(("errors", "value"), [(0, 1.0), (50, 0.5), (100, 0.0), (9999, 0.0)])
def test_one_percent_of_errors_is_zero(errors: float, value: float):
    assert pytest.approx(value) == errors_component(errors, 10_000)


def test_components_stay_between_zero_and_one():
    assert (1.0, 0.0) == (level_component(1.0, 0.95, 0.5), level_component(0.1, 0.95, 0.5))
    assert (1.0, 0.0) == (ratio_component(0.1, 1.2, 5.0), ratio_component(50.0, 1.2, 5.0))


def test_the_score_is_the_weighted_geometric_mean():
    assert pytest.approx(0.5 ** (3 / 5)) == weighted({"errors": 0.5, "recall": 1.0})
    assert pytest.approx(0.5 ** (3 / 5)) == weighted(
        {"errors": 0.5, "recall": 1.0, "memory": math.nan}
    )
    assert 0.0 == weighted({"errors": 1.0, "recall": 0.0})
