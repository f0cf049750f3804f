"""Is every objective a check of the benchmark it names, with that bound?"""

import pytest

from soak.bench import table
from soak.bench.goals import GOALS, Goal, goal_rows
from soak.bench.suite import chosen
from soak.scenario import load
from tests.benchmarks.documents import bound_of, told


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.said)
def test_the_check_of_that_benchmark_has_that_bound(goal: Goal):
    (benchmark,) = chosen([goal.benchmark])
    (check,) = [c for c in load(benchmark.file).checks if c.name == goal.check]
    side = "max" if goal.bound == "most" else "min"

    assert goal.target == getattr(check.params, side) == bound_of(check)


def test_all_ten_are_told_after_a_whole_suite_and_only_those_measured_otherwise():
    names = dict.fromkeys(goal.benchmark for goal in GOALS)

    assert len(GOALS) == len(goal_rows([told(name) for name in names])) == 10
    assert ["store p99 under load", "query p99 under load"] == [
        row["objective"] for row in goal_rows([told("latency/mixed"), told("storage/batch-10")])
    ]


def test_measured_stands_against_target_in_the_table():
    text = table.table([told("storage/scan-10k", status="fail")])

    row = "scan of 10,000 p95 storage/scan-10k MISSED 100 ms at most 200 ms"
    assert row == " ".join(text.splitlines()[-1].split())
    assert "| scan of 10,000 p95 | storage/scan-10k | MISSED | 100 ms | at most 200 ms |" in (
        table.markdown([told("storage/scan-10k", status="fail")])
    )


def test_a_benchmark_without_figures_leaves_its_objectives_unknown():
    (row,) = goal_rows([{**told("storage/read"), "objectives": []}])

    assert ("unknown", None, 0.005) == (row["status"], row["measured"], row["target"])
