import pytest

from soak.comparison.judgement import Change, Comparison, compare
from soak.verdict import ExitCode, Mistake, Status
from tests.comparison.simulated import PLAN, simulated

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
        ({"slower": 1.2}, "get.latency_p99"),
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
    one = compare(*slower, thresholds=["search.service_p50=none"])
    assert None is change(one, "search.service_p50").status
    assert Status.FAIL == change(one, "get.service_p50").status


@pytest.mark.parametrize("text", ["speed=10%", "memory", "memory=ten", "memory=-5%", "memory=0"])
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
