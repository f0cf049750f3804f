"""Are pairs of runs by turns judged rightly, also on a machine that changes all the time?"""

import numpy as np
import pytest

from soak.comparison import papers
from soak.comparison.conclusion import Change
from soak.comparison.estimate import Estimate
from soak.comparison.interleaved import compare_pairs, in_turns, mean_of_pairs, turns
from soak.comparison.judgement import Comparison
from soak.comparison.objections import NotComparable
from soak.report.record import RunRecord
from soak.scenario import Turns, dump, resolve
from soak.scenario.yaml_source import read
from soak.verdict import ExitCode, Mistake, Status
from tests.comparison.simulated import PLAN, simulated

TIMES = 20
PLAN_OF_TWO = {
    "name": "test",
    "target": "null",
    "phases": [
        {"name": "warm-up", "duration": "10s", "warm": True, "mix": {"store": 1}},
        {"name": "second", "duration": "12s", "mix": {"store": 1}},
    ],
}


def made(
    seed: int, *, slower: float = 1.0, drift: float = 0.0, spread: float = 0.0, count: int = 4
) -> list[tuple[RunRecord, RunRecord]]:
    """Pairs in the order of turns(): run after run the machine is slower by drift, and each run as
    a whole by chance; the first of each pair is slower by as much as asked."""
    rng = np.random.default_rng(seed)
    runs: dict[tuple[int, int], RunRecord] = {}
    for place, (pair, side, _) in enumerate(turns(count, 1)):
        whole = (1 + drift) ** place * np.exp(rng.normal(0, spread)) * (1.0 if side else slower)
        drawn = 10_000 * seed + 2 * place
        runs[pair, side] = simulated(drawn, slower=float(whole), spread=0.03, windows=20)
    return [(runs[pair, 0], runs[pair, 1]) for pair in range(count)]


def change(comparison: Comparison, name: str) -> Change:
    (found,) = [each for each in comparison.changes if each.metric.name == name]
    return found


def test_the_order_changes_from_pair_to_pair_and_a_pair_has_one_seed():
    assert [(0, 0, 7), (0, 1, 7), (1, 1, 8), (1, 0, 8), (2, 0, 9), (2, 1, 9)] == list(turns(3, 7))


def test_equal_targets_are_no_regression_in_twenty_of_twenty():
    statuses = [compare_pairs(made(i)).verdict.status for i in range(TIMES)]

    assert [Status.PASS] * TIMES == statuses


def test_a_target_slower_by_15_percent_is_a_regression_in_twenty_of_twenty():
    statuses = [compare_pairs(made(i, slower=1.15)).verdict.status for i in range(TIMES)]

    assert [Status.FAIL] * TIMES == statuses


def test_a_machine_that_gets_slower_by_a_tenth_each_run_favours_neither():
    comparison = compare_pairs(made(3, drift=0.1))

    assert 0 == pytest.approx(change(comparison, "search.service_p50").change, abs=0.02)
    assert Status.FAIL != comparison.verdict.status


def test_whole_runs_that_spread_make_it_unknown_and_never_an_alarm():
    statuses = [compare_pairs(made(i, spread=0.2)).verdict.status for i in range(TIMES)]

    assert 0 == statuses.count(Status.FAIL)
    assert Status.UNKNOWN in statuses


def test_where_pairs_differ_more_than_their_windows_more_of_them_are_proposed():
    comparison = compare_pairs(made(2, slower=1.08, spread=0.05))

    assert Status.UNKNOWN == comparison.verdict.status
    assert "as long" not in comparison.verdict.reason
    assert "--interleaved --pairs" in comparison.verdict.reason


def test_what_is_asked_for_and_cannot_be_compared_is_unknown():
    short = [simulated(seed, fewer=0.1, windows=20) for seed in range(4)]
    comparison = compare_pairs(
        list(zip(short[::2], short[1::2], strict=True)), thresholds=["store.latency_p99=20%"]
    )
    assert "not compared: store.latency_p99 (400 results" in comparison.verdict.reason


def test_more_pairs_detect_smaller_differences():
    few, many = (
        change(compare_pairs(made(1, spread=0.02, count=count)), "get.service_p50").detectable
        for count in (3, 12)
    )
    assert many < few


def test_what_could_have_been_detected_is_detected():
    found = change(compare_pairs(made(1)), "store.service_p50")
    worse = [
        change(compare_pairs(made(i, slower=1 + found.detectable)), "store.service_p50").status
        for i in range(TIMES)
    ]
    assert worse.count(Status.FAIL) >= 18  # 19 expected


def test_the_error_is_that_of_the_pairs_once_there_are_many():
    rng = np.random.default_rng(4)
    within = [Estimate(mean=float(m), error=0.1, freedom=8) for m in rng.normal(0.5, 1, 400)]
    found = mean_of_pairs(within, 0.0)

    assert 1 / 20 == pytest.approx(found.error, rel=0.1)
    assert (399, 0.5) == (found.freedom, pytest.approx(found.mean, abs=0.15))


def test_pairs_that_vary_as_expected_are_helped_by_the_expectation():
    found = mean_of_pairs([Estimate(mean=m, error=0.1, freedom=8) for m in (0.4, 0.5, 0.6)], 0.0)

    assert (12, pytest.approx(0.1 / 3**0.5)) == (found.freedom, found.error)


def test_a_pair_that_cannot_be_trusted_is_left_out_and_said():
    pairs = made(5)
    late = simulated(99, trusted=False, slower=9.0, windows=20)
    comparison = compare_pairs([*pairs, (late, pairs[0][1])])

    assert Status.PASS == comparison.verdict.status
    assert "pair 5 is left out: the run cannot be trusted: it was late" in (
        comparison.objections.notes
    )
    said = "interleaved: 4 pairs of runs, each pair on a seed of its own"
    assert said in papers.table(comparison)


def test_one_pair_is_not_enough():
    comparison = compare_pairs(made(5, count=1))

    assert ExitCode.UNKNOWN == comparison.verdict.exit_code
    assert "1 pairs can be trusted, at least 2 are needed" in comparison.verdict.reason


def test_wrong_answers_of_any_pair_fail():
    wrong = simulated(1, wrong=2, trusted=False, windows=20)
    comparison = compare_pairs([*made(5), (wrong, simulated(2, windows=20))])

    assert ExitCode.CORRECTNESS == comparison.verdict.exit_code


def test_other_loads_are_refused():
    other = simulated(1, plan={**PLAN, "rate": 7.0})

    with pytest.raises(NotComparable, match="rate"):
        compare_pairs([(other, simulated(2))])


def test_all_runs_are_named():
    pairs = made(5, count=2)
    document = papers.document(compare_pairs(pairs))

    assert [a.document["run_id"] for a, _ in pairs] == [document["run"], *document["turns"]]
    assert [b.document["run_id"] for _, b in pairs] == document["baselines"]


def test_a_load_in_turns_is_as_long_as_both_of_them_and_a_window_has_one_of_each():
    asked = resolve(PLAN_OF_TWO, "test")
    first, second = (in_turns(asked, "5s", is_second=side) for side in (False, True))

    assert [20.0, 30.0] == [phase.duration for phase in first.phases]  # of 10 s and 12 s
    assert (10.0, 10.0) == (first.observe.window, second.observe.window)
    assert (Turns(every=5.0), Turns(every=5.0, is_second=True)) == (first.turns, second.turns)
    assert first == resolve(read(dump(first).encode(), "turns").tree, "test")


@pytest.mark.parametrize(
    ("turn", "arrivals", "said"),
    [
        ("soon", "poisson", "--turn soon"),
        ("100ms", "poisson", "shorter than observe.sample"),
        ("5s", "closed", "the clients of second know of no turns"),
    ],
)
def test_turns_that_cannot_be_taken_are_a_mistake(turn: str, arrivals: str, said: str):
    phases = [PLAN_OF_TWO["phases"][0], {**PLAN_OF_TWO["phases"][1], "arrivals": arrivals}]
    asked = resolve({**PLAN_OF_TWO, "phases": phases}, "test")

    with pytest.raises(Mistake, match=said):
        in_turns(asked, turn, is_second=False)
