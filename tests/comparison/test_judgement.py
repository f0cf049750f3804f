import math
from dataclasses import replace

import pytest

from soak.comparison.estimate import Estimate
from soak.comparison.judgement import Change, Comparison, Measured, compare, judged
from soak.comparison.metrics import metrics
from soak.verdict import ExitCode, Mistake, Status
from tests.comparison.simulated import BARE_BYTES, MEDIANS_S, PLAN, simulated

PAIRS = 20


def change(comparison: Comparison, name: str) -> Change:
    (found,) = [each for each in comparison.changes if each.metric.name == name]
    return found


def test_two_identical_runs_are_no_regression_in_twenty_of_twenty():
    verdicts = [
        compare(simulated(2 * i, spread=0.03), [simulated(2 * i + 1, spread=0.03)]).verdict.status
        for i in range(PAIRS)
    ]
    assert [Status.PASS] * PAIRS == verdicts


def test_a_run_slower_by_15_percent_is_a_regression_in_twenty_of_twenty():
    verdicts = [
        compare(
            simulated(2 * i, slower=1.15, spread=0.03), [simulated(2 * i + 1, spread=0.03)]
        ).verdict.status
        for i in range(PAIRS)
    ]
    assert [Status.FAIL] * PAIRS == verdicts


def test_noise_of_any_size_is_hardly_ever_taken_for_a_regression():
    """One of a hundred such pairs may fail by chance; unknown is the honest answer."""
    statuses = [
        compare(
            simulated(2 * i, spread=spread, windows=20),
            [simulated(2 * i + 1, spread=spread, windows=20)],
        ).verdict.status
        for i in range(PAIRS)
        for spread in (0.05, 0.1, 0.3)
    ]
    assert statuses.count(Status.FAIL) <= 2  # of 60
    assert statuses.count(Status.UNKNOWN) > PAIRS


def test_the_change_is_estimated_and_lies_in_its_interval():
    found = change(compare(simulated(1, slower=1.3), [simulated(2)]), "search.service_p50")

    assert 0.3 == pytest.approx(found.change, abs=0.05)
    assert found.interval[0] < 0.3 < found.interval[1]


def test_a_change_as_large_as_the_detectable_one_is_detected():
    found = change(compare(simulated(1), [simulated(2)]), "store.service_p50")
    slower = [
        compare(simulated(3 * i, slower=1 + found.detectable), [simulated(3 * i + 1)])
        for i in range(PAIRS)
    ]
    worse = [change(each, "store.service_p50").status is Status.FAIL for each in slower]

    assert sum(worse) >= 18  # 19 expected


@pytest.mark.parametrize(
    ("difference", "metric"),
    [
        ({"larger": 1.3}, "memory"),
        ({"larger": 1.3}, "memory_per_record"),
        ({"larger": 1.3}, "disk"),
        ({"fewer": 0.85}, "throughput"),
        ({"recall": 0.96}, "recall"),
        ({"errors": 2}, "errors"),
        ({"slower": 1.2}, "get.service_p50"),
    ],
    ids=str,
)
def test_each_metric_can_fail(difference: dict[str, float], metric: str):
    comparison = compare(simulated(1, **difference), [simulated(2)])

    assert Status.FAIL == change(comparison, metric).status
    assert ExitCode.OBJECTIVE == comparison.verdict.exit_code


@pytest.mark.parametrize("difference", [{"larger": 0.7}, {"slower": 0.7}, {"fewer": 1.3}], ids=str)
def test_better_is_no_regression_and_is_said(difference: dict[str, float]):
    comparison = compare(simulated(1, spread=0.02, **difference), [simulated(2, spread=0.02)])

    assert Status.PASS == comparison.verdict.status
    assert any(each.is_better for each in comparison.changes)


def test_wrong_answers_fail_even_a_run_that_is_not_trusted():
    comparison = compare(simulated(1, wrong=3, trusted=False), [simulated(2)])

    assert ExitCode.CORRECTNESS == comparison.verdict.exit_code


def test_a_run_that_is_not_trusted_is_unknown():
    comparison = compare(simulated(1, slower=2, trusted=False), [simulated(2)])

    assert ExitCode.UNKNOWN == comparison.verdict.exit_code
    assert "the run cannot be trusted: it was late" in comparison.verdict.reason


def test_a_few_windows_are_skipped_and_nothing_is_concluded():
    comparison = compare(simulated(1, windows=6), [simulated(2, windows=6)])

    assert ExitCode.UNKNOWN == comparison.verdict.exit_code
    assert () == comparison.changes
    assert "6 windows in common" in dict(comparison.skipped)["throughput"]


def test_only_the_common_part_of_two_lengths_is_compared():
    comparison = compare(simulated(1, windows=60), [simulated(2, windows=30)])

    assert {30} == {each.windows_count for each in comparison.changes}


def test_thresholds_can_be_changed_for_one_or_for_all():
    slower = simulated(1, slower=1.15, spread=0.02), [simulated(2, spread=0.02)]
    all_wider = ["latency_p99=30%", "service_p50=0.3"]

    assert Status.PASS == compare(*slower, thresholds=all_wider).verdict.status
    assert Status.FAIL == compare(*slower, thresholds=["service_p50=1%"]).verdict.status
    one = compare(*slower, thresholds=["search.service_p50=none"])
    assert None is change(one, "search.service_p50").status
    assert Status.FAIL == change(one, "get.service_p50").status


def test_a_worse_tail_is_a_warning_unless_it_is_asked_for():
    slower = simulated(1, slower=1.2, spread=0.02), [simulated(2, spread=0.02)]
    bodies = ["service_p50=none"]
    warned = compare(*slower, thresholds=bodies)
    failed = compare(*slower, thresholds=[*bodies, "get.latency_p99=10%"])

    assert (Status.PASS, 0) == (warned.verdict.status, warned.verdict.exit_code)
    assert "; warning: " in warned.verdict.reason
    assert change(warned, "get.latency_p95").is_warning
    assert change(warned, "get.latency_p99").is_warning
    assert Status.FAIL == failed.verdict.status
    assert failed.verdict.reason.startswith("get.latency_p99 +")


def test_any_metric_can_be_made_a_warning():
    larger = simulated(1, larger=1.5, spread=0.02), [simulated(2, spread=0.02)]
    asked = ["memory=warn:20%", "memory_per_record=warn:20%", "disk=none"]

    assert Status.PASS == compare(*larger, thresholds=asked).verdict.status


def test_a_warning_that_cannot_be_told_makes_nothing_unknown():
    noisy = simulated(3, spread=0.5, windows=20), [simulated(2, spread=0.5, windows=20)]
    comparison = compare(*noisy, thresholds=["service_p50=none"])

    assert Status.UNKNOWN == change(comparison, "get.latency_p99").status
    assert Status.PASS == comparison.verdict.status


EACH_P99 = [f"{name}.latency_p99=60%" for name in MEDIANS_S]
WARM_ONLY: dict[str, object] = {
    **PLAN,
    "phases": [
        {"name": "warm-up", "duration": 50.0, "warm": True, "mix": {"store_batch": 1.0}},
        {"name": "steady", "duration": 600.0, "mix": {"get": 1.0}},
    ],
}


def test_what_is_asked_for_and_not_measured_is_unknown():
    runs = simulated(1, spread=0.02, plan=WARM_ONLY), [simulated(2, spread=0.02, plan=WARM_ONLY)]
    asked = compare(*runs, thresholds=["store_batch.latency_p99=50%"])
    everywhere = compare(*runs, thresholds=["latency_p99=50%"])
    apart = compare(*runs, thresholds=["latency_p99=50%", *EACH_P99])
    ignored = compare(*runs, thresholds=["store_batch.latency_p99=none"])

    assert ExitCode.UNKNOWN == asked.verdict.exit_code
    assert "not compared: store_batch.latency_p99 (not measured in the run)" == (
        asked.verdict.reason
    )
    # Where it could be asked of one operation, it was asked.
    assert [Status.PASS] * 3 == [each.verdict.status for each in (everywhere, apart, ignored)]
    assert () == ignored.skipped


def test_a_tail_of_too_few_results_that_is_asked_for_is_unknown():
    runs = simulated(1, windows=20, fewer=0.1), [simulated(2, windows=20, fewer=0.1)]
    comparison = compare(*runs, thresholds=["store.latency_p99=50%"])

    assert "at least 500 needed" in comparison.verdict.reason
    assert ExitCode.UNKNOWN == comparison.verdict.exit_code


def test_no_baseline_at_all_is_a_mistake():
    with pytest.raises(Mistake, match="no baseline run"):
        compare(simulated(1), [])


@pytest.mark.parametrize(("lasting", "longer"), [(0.0, 3), (0.01, 3), (0.02, 6), (0.03, None)])
def test_a_longer_run_shrinks_only_the_error_within_it(lasting: float, longer: int | None):
    # 0.0453 below the threshold with 10 degrees of freedom: an error of 0.025 is small enough.
    measured = Measured(
        metric=metrics(["get"], ["get.service_p50=10%"])[-2],
        run=1.05,
        baseline=1.0,
        estimate=Estimate(mean=0.05, error=0.04, freedom=10),
        lasting=lasting,
        windows_count=60,
        threshold=math.log1p(0.1),
    )
    assert (Status.UNKNOWN, longer) == (judged(measured, 1).status, judged(measured, 1).longer)


def test_where_whole_runs_differ_too_much_more_of_them_are_proposed():
    close = compare(simulated(1, spread=0.0005, slower=1.09), [simulated(2, spread=0.0005)]).verdict

    assert Status.UNKNOWN == close.status
    assert "as long" not in close.reason
    assert "more runs may tell (three as the baseline, or --interleaved" in close.reason


def test_what_every_process_holds_without_a_record_does_not_hide_what_a_record_takes():
    run, before = simulated(1), simulated(2)
    held = run.samples["anonymous_bytes"]
    held += 0.5 * (held - BARE_BYTES)
    comparison = compare(run, [before])

    found = change(comparison, "memory_per_record")
    assert (Status.FAIL, pytest.approx(0.5, abs=0.05)) == (found.status, found.change)
    assert change(comparison, "memory").change < 0.25


def test_a_baseline_that_did_not_measure_the_bare_process_has_no_memory_per_record():
    before = simulated(2)
    old = replace(before, samples={k: v for k, v in before.samples.items() if k != "bare_bytes"})
    comparison = compare(simulated(1), [old])

    assert "not measured in the baseline" == dict(comparison.skipped)["memory_per_record"]


@pytest.mark.parametrize(
    "text",
    ["speed=10%", "memory", "memory=ten", "memory=-5%", "memory=0", "memory=warn", "memory=warn:"],
)
def test_a_threshold_that_cannot_be_read_is_said(text: str):
    with pytest.raises(Mistake, match="--threshold"):
        compare(simulated(1), [simulated(2)], thresholds=[text])


def test_several_baseline_runs_that_differ_as_wholes_widen_the_interval():
    alike = [simulated(seed) for seed in (2, 3, 4, 5)]
    apart = [
        simulated(seed, slower=slower)
        for seed, slower in zip((2, 3, 4, 5), (0.8, 1, 1.2, 1), strict=True)
    ]

    narrow = change(compare(simulated(1), alike), "get.service_p50").interval
    wide = change(compare(simulated(1), apart), "get.service_p50").interval
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_two_targets_under_one_load_may_be_compared_and_it_is_said():
    plan = {**PLAN, "target": {"name": "memory", "clients": 1}}
    comparison = compare(simulated(1, plan=plan), [simulated(2)])
    other = compare(
        simulated(
            1, plan={**PLAN, "target": {**PLAN["target"], "params": {"capacity_records": 1}}}
        ),
        [simulated(2)],
    )

    assert Status.UNKNOWN != comparison.verdict.status
    assert "the target's parameters differ: capacity_records" in other.objections.notes
