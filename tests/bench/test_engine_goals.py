"""Are the engine's goals judged from the figures as they should be, and missing ones not hidden?"""

from typing import Any

import pytest

from bench.engine_goals import Goal, Results, goals
from bench.engine_table import aligned, goal_lines, system_lines


def phase(scale: float = 1.0, recall: float = 1.0) -> dict[str, Any]:
    """Figures of a store of 1,000 records: 1 ms an operation, 1 kB of memory, 1.2 of disk."""
    kinds = ("store_1", "store_100", "get", "search", "search_agent")
    costs = {kind: {"cpu_us": 1_000.0 * scale, "recall": recall} for kind in kinds}
    sizes = {"records": 1_000, "private_bytes": 1e6 * scale, "own": {"accounted_bytes": 1e6}}
    return costs | sizes | {"disk_bytes": 1.2e6 * scale, "live_bytes": 1e6}


def course(drift: float = 1.0, recall: float = 1.0) -> dict[str, Any]:
    return {
        "load": {"cpu_s": 0.02},
        "churn": {"turnovers": 3.0},
        "loaded": phase(),
        "churned": phase(drift, recall),
        "halved": phase() | {"records": 500},
    }


def judged(figures: dict[str, Any]) -> dict[str, Goal]:
    return {goal.name: goal for goal in goals(Results(figures))}


@pytest.mark.parametrize(
    ("measured", "is_floor", "verdict"),
    [
        (1.0, False, "pass"),
        (1.01, False, "MISSED"),
        (1.0, True, "pass"),
        (0.99, True, "MISSED"),
        (None, False, "not measured"),
        (None, True, "not measured"),
    ],
)
def test_a_goal_is_reached_at_its_bound(
    measured: float | None, is_floor: bool, verdict: str
) -> None:
    goal = Goal(name="g", bound=1.0, measured=measured, is_floor=is_floor)

    assert verdict == goal.verdict


def test_drift_is_after_over_before() -> None:
    found = judged({"courses": {"10000": {"engine": course(drift=1.3, recall=0.9)}}})

    assert 1.3 == pytest.approx(found["drift of search: CPU"].measured)
    assert 0.1 == pytest.approx(found["drift of recall@10: lost"].measured)
    assert "MISSED" == found["drift of memory"].verdict


def test_memory_after_deletes_is_per_live_record() -> None:
    found = judged({"courses": {"10000": {"engine": course()}}})

    assert 2.0 == pytest.approx(found["half deleted, idle: RAM per live record / before"].measured)


def test_a_peer_is_compared_at_the_smallest_size() -> None:
    peer = course() | {"loaded": phase(scale=100.0)}
    big = course() | {"loaded": phase(scale=7.0)}
    found = judged(
        {"courses": {"10000": {"engine": course(), "chromadb": peer}, "100000": {"engine": big}}}
    )

    assert 0.01 == pytest.approx(found["get: CPU / chromadb"].measured)
    assert "chromadb 1e+05" == found["get, 10,000: CPU"].peers


def test_what_failed_is_not_measured_and_not_passed() -> None:
    failed = {"error": "no wheel"}
    found = judged({"courses": {"10000": {"engine": failed, "chromadb": failed}}, "alone": {}})

    assert {"not measured"} == {goal.verdict for goal in found.values()}


def test_the_table_says_what_is_missed() -> None:
    missed = Goal(name="speed", bound=1.0, measured=2.0, unit="ms", peers="flat 3")
    absent = Goal(name="size", bound=1.0, measured=None, note="no figure")

    lines = goal_lines([missed, absent])

    assert ["speed", "<=", "1", "ms", "2", "ms", "MISSED", "flat", "3"] == lines[1].split()
    assert "2 goals: 1 missed, 1 not measured" == lines[-1]


def test_a_peer_that_failed_is_a_line_with_its_error() -> None:
    lines = system_lines({"10000": {"lancedb": {"error": "No module named 'lancedb'"}}})

    assert "10000 lancedb: No module named 'lancedb'" == lines[-1]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert ["a    b", "ccc  d"] == aligned([("a", "b"), ("ccc", "d")])
