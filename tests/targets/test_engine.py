"""Does the engine's adapter translate faithfully, also while it is being reopened?"""

from threading import Thread

import numpy as np
import pytest
from pydantic import ValidationError

from soak.clock import SystemClock
from soak.result import CapacityRefused, Outcome, RecordMissing, TargetError, TargetUnavailable
from soak.seams import Edge, Query
from soak.targets import engine
from tests.mixed_load import DIMENSIONS, MixedLoad, small_content, small_population
from tests.targets.test_contract import record

CONTENT = small_content()


def build(tmp_path, **params):
    chosen = engine.Params(**{"dimensions": DIMENSIONS, "durability": "never", **params})
    return engine.build(chosen, tmp_path, SystemClock())


@pytest.fixture
def target(tmp_path):
    built = build(tmp_path)
    yield built
    built.close()


@pytest.mark.parametrize("capacity", [20_000, 600], ids=["roomy", "forgetting"])
def test_the_engine_breaks_no_promise_under_four_clients(tmp_path, capacity):
    population = small_population(tmp_path, pinned_ratio=0.01)
    target = build(tmp_path, capacity_records=capacity)
    load = MixedLoad(target, population)

    load.run(4_000, clients=4)
    target.close()

    assert [] == population.drain_notes()
    assert 0 == load.outcomes[Outcome.ERROR]
    assert population.checked > 1_000


def test_calls_wait_while_the_engine_is_reopened(target):
    failures = []
    target.store(record(1))

    def read():
        for _ in range(300):
            try:
                assert target.get(1) is not None
            except TargetError as error:
                failures.append(error)

    readers = [Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(5):
        target.reopen()
    for reader in readers:
        reader.join()

    assert [] == failures


def test_events_and_counters_go_on_across_a_reopen(tmp_path):
    target = build(tmp_path, capacity_records=100, maintenance=False)
    for first, end in ((0, 97), (97, 104)):  # each time above the soft limit of 95
        for key in range(first, end):
            target.store(record(key))
        target.maintain()
        target.reopen()
    sequences = [event.sequence for event in target.events(0)]
    kinds = [event.kind for event in target.events(0) if event.kind == "evict"]
    figures = target.stats()
    target.close()

    assert list(range(1, len(sequences) + 1)) == sequences
    assert ["evict", "evict"] == kinds
    assert 104 == figures["records_stored_count"]
    assert 104 == figures["records_live_count"] + figures["records_evicted_count"]


def test_forgetting_is_announced_before_it_starts(tmp_path):
    target = build(tmp_path, capacity_records=1_000, maintenance=False)
    announced_at = None
    for key in range(1_010):
        target.store(record(key))
        if announced_at is None and target.may_forget():
            announced_at = target.stats()["records_evicted_count"], target.count()
    evicted = target.stats()["records_evicted_count"]
    target.close()

    assert evicted > 0
    assert (0, 694) == announced_at  # 256 before the soft limit of 950


def test_what_is_full_of_pinned_records_is_refused(tmp_path):
    target = build(tmp_path, capacity_records=50)
    population = small_population(tmp_path, pinned_ratio=1.0)
    for key in range(50):
        target.store(population.record(key, 0, 0.5))
    with pytest.raises(CapacityRefused):
        target.store(population.record(50, 0, 0.5))
    found = target.get(7)
    target.close()

    assert found is not None


@pytest.mark.parametrize(
    "ask",
    [
        lambda target: target.update(record(9)),
        lambda target: target.delete(9),
        lambda target: target.link(Edge(source=1, target=9)),
    ],
    ids=["update", "delete", "link"],
)
def test_a_missing_record_is_told_as_such(ask, target):
    target.store(record(1))
    with pytest.raises(RecordMissing, match="9"):
        ask(target)


def test_a_closed_engine_is_a_target_error(tmp_path):
    target = build(tmp_path)
    target.close()
    with pytest.raises(TargetError, match="ClosedError"):
        target.get(1)


def test_a_directory_in_use_is_unavailable_in_the_engines_words(target, tmp_path):
    with pytest.raises(TargetUnavailable, match="LockedError"):
        build(tmp_path)


def test_a_vector_of_nothing_is_a_target_error(target):
    with pytest.raises(TargetError, match="BadInputError"):
        target.search(Query(vector=np.zeros(DIMENSIONS, dtype=np.float32), k=3))


def test_an_option_out_of_range_is_told_when_the_scenario_is_read():
    with pytest.raises(ValidationError, match="capacity_records"):
        engine.Params(capacity_records=0)


def test_a_forced_transition_moves_its_share_of_the_records_and_all_answer(tmp_path):
    population = small_population(tmp_path)
    target = build(tmp_path)
    load = MixedLoad(target, population, {"store": 4, "get": 5, "transition": 1})
    load.run(600, clients=2)
    tiers = {name: target.stats()[f"tier_{name}_count"] for name in ("short", "intermediate")}
    target.close()

    assert [] == population.drain_notes()
    assert {Outcome.OK} == load.outcomes.keys() - {Outcome.MISSING}
    assert tiers["intermediate"] > tiers["short"] > 0
