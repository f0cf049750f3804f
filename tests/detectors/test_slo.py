"""Are objectives judged by the figure and the bound that the scenario names?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from pydantic import ValidationError

from soak.detectors.slo import Params, detect
from soak.seams import Evidence, Finding
from soak.verdict import Status


def evidence(
    totals: Mapping[str, float], columns: Mapping[str, Sequence[float]] | None = None
) -> Evidence:
    given = columns or {"t_s": [1.0, 2.0]}
    return Evidence(
        columns={name: np.array(values, dtype=np.float64) for name, values in given.items()},
        totals=totals,
        warm_until_s=0.0,
        planned_s=3600.0,
    )


def judged(params: Mapping[str, object], totals: Mapping[str, float]) -> Finding:
    return detect(evidence(totals), Params.model_validate(params))


SEARCH = {"operation": "search", "quantile": "p99", "max": "50ms"}


@pytest.mark.parametrize(
    ("p99_s", "status"),
    [(0.049, Status.PASS), (0.05, Status.PASS), (0.051, Status.FAIL)],
    ids=["below", "at the bound", "above"],
)
def test_a_quantile_is_compared_with_its_bound(p99_s: float, status: Status):
    assert status == judged(SEARCH, {"search_count": 5000, "search_p99_s": p99_s}).status


def test_before_any_result_an_objective_is_unknown():
    finding = judged(SEARCH, {})

    assert Status.UNKNOWN == finding.status
    assert "search p99 is not known yet: 0 results after warm-up, at least 200 needed" == (
        finding.reason
    )


def test_too_few_results_for_the_quantile_are_unknown():
    assert Status.UNKNOWN == judged(SEARCH, {"search_count": 199, "search_p99_s": 9.0}).status


def test_a_failure_says_what_since_when_and_how_bad():
    columns = {
        "t_s": [10.0, 20.0, 750.0, 760.0, 770.0],
        "search_p99_s": [0.090, 0.010, 0.070, np.nan, 0.080],
    }
    given = Evidence(
        columns={name: np.array(values) for name, values in columns.items()},
        totals={"search_count": 5000.0, "search_p99_s": 0.062},
        warm_until_s=15.0,
        planned_s=3600.0,
    )

    finding = detect(given, Params.model_validate(SEARCH))

    assert "search p99 is 62 ms, above 50 ms, since 00:12:30 (worst window 80 ms)" == finding.reason
    assert (0.062, 0.05, "s", 750.0) == (
        finding.effect,
        finding.threshold,
        finding.unit,
        finding.since_s,
    )


def test_trouble_that_comes_and_goes_is_told_as_a_share_of_windows():
    columns = {"t_s": [10.0, 20.0, 30.0, 40.0], "search_p99_s": [0.07, 0.01, 0.09, 0.01]}
    given = evidence({"search_count": 5000.0, "search_p99_s": 0.062}, columns)

    assert "first at 00:00:10 and in 2 of 4 windows (worst 90 ms)" in (
        detect(given, Params.model_validate(SEARCH)).reason
    )


def test_service_time_is_asked_by_measure():
    totals = {"get_count": 500.0, "get_p99_s": 1.0, "get_service_p99_s": 0.001}

    finding = judged({"operation": "get", "measure": "service", "max": "2ms"}, totals)

    assert "get service p99 is 1 ms, not above 2 ms" == finding.reason


@pytest.mark.parametrize(
    ("offered", "achieved", "status"),
    [
        (200.0, 150.0, Status.PASS),
        (50.0, 49.6, Status.PASS),
        (50.0, 49.0, Status.FAIL),
        (200.0, 99.0, Status.FAIL),
    ],
    ids=["above the floor", "99 % of little", "below 99 % of little", "below both"],
)
def test_throughput_is_the_floor_or_a_share_of_what_was_asked(
    offered: float, achieved: float, status: Status
):
    params = {"total": "achieved_per_s", "min": "100/s", "of": "offered_per_s", "share": 0.99}
    totals = {"count": 1000.0, "achieved_per_s": achieved, "offered_per_s": offered}

    assert status == judged(params, totals).status


@pytest.mark.parametrize(("errors", "status"), [(1, Status.PASS), (3, Status.FAIL)])
def test_a_ratio_is_a_total_per_another(errors: int, status: Status):
    params = {"total": "error_count", "per": "count", "max": "0.1%"}

    finding = judged(params, {"error_count": errors, "count": 2000.0})

    assert status == finding.status
    assert errors / 2000 == finding.effect
    assert finding.reason.startswith("share of failed operations in operations is 0.")


def test_recall_needs_samples():
    params = {"total": "recall_mean", "min": 0.95, "samples": "recall_samples", "min_samples": 20}

    assert Status.UNKNOWN == judged(params, {"recall_mean": 0.5, "recall_samples": 19}).status
    assert Status.FAIL == judged(params, {"recall_mean": 0.94, "recall_samples": 20}).status


@pytest.mark.parametrize(
    ("total", "counted", "needed"),
    [
        ("search_p99_s", "search_count", 200),
        ("search_service_p50_s", "search_count", 20),
        ("all_store_batch_max_s", "all_store_batch_count", 1),
        ("search_error_count", "count", 1),
        ("achieved_per_s", "count", 1),
    ],
)
def test_a_total_needs_as_many_results_as_the_figure_that_it_is(
    total: str, counted: str, needed: int
):
    params = {"total": total, "max": 50.0}

    assert Status.UNKNOWN == judged(params, {total: 1.0, counted: needed - 1}).status
    assert Status.PASS == judged(params, {total: 1.0, counted: needed}).status


def test_what_a_run_keeps_of_its_scenario_says_the_share_without_a_total():
    resolved = Params.model_validate({"operation": "get", "max": 1.0}).model_dump()

    assert Params.model_validate({"operation": "get", "max": 1.0}) == Params.model_validate(
        resolved
    )


def test_a_figure_that_was_not_measured_is_unknown():
    finding = judged({"total": "achieved_per_s", "min": 1.0}, {"count": 10.0})

    assert (Status.UNKNOWN, "achieved rate was not measured") == (finding.status, finding.reason)


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ({"operation": "get", "max": "50ms"}, 0.05),
        ({"total": "achieved_per_s", "max": "100/s"}, 100.0),
        ({"total": "error_count", "per": "count", "max": "0.1%"}, 0.001),
        ({"total": "error_count", "max": 7}, 7.0),
    ],
)
def test_a_bound_is_written_as_people_write_it(written: dict[str, object], bound: float):
    assert pytest.approx(bound) == Params.model_validate(written).max


def test_a_share_of_what_is_not_known_is_no_bound():
    params = {"total": "achieved_per_s", "of": "offered_per_s", "share": 0.9}

    finding = judged(params, {"count": 1000.0, "achieved_per_s": 1.0})

    assert Status.UNKNOWN == finding.status
    assert "offered rate is not known, so achieved rate has no bound" == finding.reason


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max": 1.0}, "name an operation or a total"),
        ({"operation": "search", "total": "count", "max": 1.0}, "one of them"),
        ({"operation": "search"}, "no bound"),
        ({"operation": "serach", "max": 1.0}, "no operation"),
        ({"operation": "get", "max": "50 parsecs"}, "is no bound here; write a duration"),
        ({"operation": "get", "max": "100/s"}, "is no bound here; write a duration"),
        ({"operation": "get", "max": "50MB"}, "is no bound here; write a duration"),
        ({"operation": "get", "max": -1}, "greater than or equal to 0"),
        ({"operation": "get", "min": "5s", "max": "5ms"}, "nothing can pass"),
        (
            {"operation": "get", "per": "count", "max": "0.1%"},
            "per go with a total",
        ),
        ({"operation": "get", "of": "offered_per_s"}, "of go with a total, not with an operation"),
        ({"operation": "get", "samples": "count", "max": 1.0}, "samples go with a total"),
        ({"total": "achieved_per_s", "share": 0.5, "min": 1}, "give of, or leave share out"),
        ({"total": "achived_per_s", "min": 1}, "did you mean achieved_per_s"),
        ({"total": "achieved_per_s", "of": "offred_per_s"}, "did you mean offered_per_s"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params: dict[str, object], message: str):
    with pytest.raises(ValidationError, match=message):
        Params.model_validate(params)
