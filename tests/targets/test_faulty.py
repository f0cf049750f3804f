"""Does the oracle name every fault, and keep silent about what is healthy?"""

from dataclasses import replace
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.result import Outcome, Violation
from soak.targets import faulty
from tests.mixed_load import DIMENSIONS, EVERYTHING, MixedLoad, small_population
from tests.targets.test_contract import record

FAULTS = {
    "lose": ({"lose_ratio": 0.05}, Violation.LOST),
    "lose_pinned": ({"lose_pinned_ratio": 0.5}, Violation.PINNED_LOST),
    "evict_pinned": ({"capacity_records": 300, "evict": "pinned_first"}, Violation.PINNED_LOST),
    "stale": ({"stale_ratio": 0.2}, Violation.STALE),
    "corrupt": ({"corrupt_ratio": 0.05}, Violation.CORRUPT),
    "resurrect": ({"resurrect_ratio": 0.2}, Violation.RESURRECTED),
    "bleed": ({"bleed_ratio": 0.2}, Violation.BLEED),
    "disorder": ({"disorder_ratio": 0.1}, Violation.DISORDER),
    "double": ({"double_ratio": 0.1}, Violation.DISORDER),
    "ghost": ({"ghost_ratio": 0.1}, Violation.GHOST),
    "unlink": ({"unlink_ratio": 0.3}, Violation.LOST),
    "reopen_loses": ({"reopen_loses_records": 20}, Violation.LOST),
}
# A short scan or a failed link does not say which record is missing.
BY_KEY = {name: weight for name, weight in EVERYTHING.items() if name not in ("scan", "link")}


def build(tmp_path: Path, **params: object) -> faulty.Faulty:
    chosen = faulty.Params(dimensions=DIMENSIONS, **params)
    return faulty.build(chosen, tmp_path / "target", SystemClock())


@pytest.mark.parametrize(("params", "violation"), FAULTS.values(), ids=FAULTS)
def test_the_oracle_reports_exactly_the_fault(tmp_path, params, violation):
    pinned_ratio = 0.1 if violation == Violation.PINNED_LOST else 0.0
    population = small_population(tmp_path, pinned_ratio=pinned_ratio)
    mix = BY_KEY if pinned_ratio else EVERYTHING
    load = MixedLoad(build(tmp_path, **params), population, mix)

    load.run(3_000)

    assert {violation.value} == load.broken()


def test_a_batch_loses_pinned_records_as_a_store_does(tmp_path):
    target = build(tmp_path, lose_pinned_ratio=1.0)
    target.store_batch([record(1), replace(record(2), pinned=True)])

    assert [True, False] == [target.get(key) is not None for key in (1, 2)]


@pytest.mark.parametrize(
    ("params", "broken"), [({}, set()), ({"lose_ratio": 0.05}, {"lost"})], ids=["sound", "lossy"]
)
def test_the_engine_is_wrapped_as_well(tmp_path, params, broken):
    target = build(tmp_path, inner="engine", **params)
    load = MixedLoad(target, small_population(tmp_path))

    load.run(1_000)
    target.close()

    assert broken == load.broken()


@pytest.mark.parametrize("capacity", [None, 400], ids=["roomy", "forgetting"])
def test_a_healthy_target_breaks_no_promise_under_four_clients(tmp_path, capacity):
    population = small_population(tmp_path, pinned_ratio=0.01)
    load = MixedLoad(build(tmp_path, capacity_records=capacity), population)

    load.run(20_000, clients=4)

    assert [] == population.drain_notes()
    assert 0 == load.outcomes[Outcome.ERROR]
    assert population.checked > 5_000


def test_errors_leave_doubt_and_no_accusation(tmp_path):
    load = MixedLoad(build(tmp_path, error_ratio=0.2), small_population(tmp_path))

    load.run(3_000)

    assert load.outcomes[Outcome.ERROR] > 400
    assert set() == load.broken()


def test_a_refused_store_is_known_not_to_be_there(tmp_path):
    population = small_population(tmp_path)
    load = MixedLoad(build(tmp_path, refuse_above_records=10), population, {"store": 1, "get": 1})
    outcomes = [load.issue("store", key) for key in range(12)]

    assert [Outcome.OK] * 10 + [Outcome.ERROR] * 2 == outcomes
    assert Outcome.MISSING == load.issue("get", 11)
