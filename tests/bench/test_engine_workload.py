"""Is what all systems are given the same each time, and is the truth about it true?"""

from pathlib import Path

import numpy as np
import pytest

from bench.engine_truth import K, nearest, recall
from bench.engine_workload import AGENTS, QUERIES, Plan, Workload, churn, half, prepare

PLAN = Plan(records=400, dimensions=16, turnovers=2)


@pytest.fixture(scope="module")
def workload(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    root = tmp_path_factory.mktemp("bench")
    prepare(PLAN, root)
    return Workload(PLAN, root)


def test_churn_keeps_the_live_set_constant() -> None:
    live = set(range(PLAN.records))
    for victims, fresh, after in churn(PLAN):
        live = live - set(victims.tolist()) | set(fresh.tolist())

        assert live == set(after.tolist())
        assert PLAN.records == len(live)


def test_churn_adds_each_record_once_and_none_that_are_spare(workload: Workload) -> None:
    added = np.concatenate([fresh for _, fresh, _ in churn(PLAN)])

    assert PLAN.turnovers * PLAN.records == len(set(added.tolist()))
    assert added.max() < workload.spare(0, 1)[0]


def test_half_splits_without_loss() -> None:
    gone, kept = half(np.arange(100))

    assert (50, set(range(100))) == (len(gone), set(gone.tolist()) | set(kept.tolist()))


def test_the_same_plan_gives_the_same_bytes(workload: Workload, tmp_path: Path) -> None:
    prepare(PLAN, tmp_path)
    again = Workload(PLAN, tmp_path)

    assert np.array_equal(workload.vectors, again.vectors)
    assert workload.text(7) == again.text(7)


def test_vectors_are_of_unit_length_and_around_a_mean(workload: Workload) -> None:
    assert np.allclose(1.0, np.linalg.norm(workload.vectors, axis=1), atol=1e-5)
    assert 0.1 < np.linalg.norm(workload.vectors.mean(axis=0)) < 0.9


def test_nearest_agrees_with_sorting_everything(workload: Workload) -> None:
    live = np.arange(0, PLAN.records, 2)
    scores = workload.queries @ workload.vectors[live].T
    expected = live[np.argsort(-scores, axis=1)[:, :K]]

    found = nearest(workload, live)[0]

    assert [set(row) for row in expected.tolist()] == [set(row) for row in found.tolist()]


def test_nearest_by_agent_has_only_that_agents(workload: Workload) -> None:
    found = nearest(workload, np.arange(PLAN.records))[1]

    for query in range(QUERIES):
        own = found[query][found[query] >= 0]
        assert {query % AGENTS} >= set(workload.agents[own].tolist())
        # 400 records of 100 agents: some agents have fewer than ten.
        held = int((workload.agents[: PLAN.records] == query % AGENTS).sum())
        assert min(K, held) == len(own)


@pytest.mark.parametrize(
    ("found", "expected"),
    [([[1, 2]], 1.0), ([[1, 9]], 0.5), ([[]], 0.0)],
)
def test_recall_counts_what_was_found_of_what_exists(
    found: list[list[int]], expected: float
) -> None:
    assert expected == recall(found, np.array([[1, 2, -1, -1], [5, 6, 7, 8]]))
