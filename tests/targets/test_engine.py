"""Does the engine's adapter translate faithfully, also while it is being reopened?"""

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from pydantic import ValidationError

from soak.clock import NS_PER_S, SystemClock
from soak.result import CapacityRefused, Outcome, RecordMissing, TargetError, TargetUnavailable
from soak.seams import Edge, Query
from soak.targets import engine
from tests.mixed_load import DIMENSIONS, MixedLoad, small_content, small_population
from tests.targets.test_contract import record

CONTENT = small_content()
DAY_S = 86_400.0


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


class HandClock(SystemClock):
    """The machine's, and as many seconds later as somebody says."""

    passed_s = 0.0

    def monotonic_ns(self) -> int:
        return round(self.passed_s * NS_PER_S)


def build_aging(tmp_path, clock, time_scale, **params):
    chosen = engine.Params(dimensions=DIMENSIONS, durability="never", maintenance=False, **params)
    return engine.build_aging(chosen, tmp_path, clock, time_scale)


@pytest.mark.parametrize(("time_scale", "expired_count"), [(1, 0), (720, 1)], ids=["life", "month"])
def test_what_is_three_weeks_old_expires_in_42_minutes(tmp_path, time_scale, expired_count):
    clock = HandClock()
    target = build_aging(tmp_path, clock, time_scale, ttl_s=21 * DAY_S)

    target.store(record(1))
    target.store(replace(record(2), pinned=True))
    clock.passed_s = 41 * 60
    target.store(record(3))
    target.maintain()
    before = target.count()
    clock.passed_s = 43 * 60
    target.maintain()
    expired = [event for event in target.events(0) if event.kind == "expire"]
    here = [key for key in (1, 2, 3) if target.get(key) is not None]
    target.close()

    assert 3 == before
    assert [1, 2, 3][expired_count:] == here
    # Of maintenance the tester hears in its own time.
    assert [(clock.monotonic_ns(), 0.0)] * expired_count == [
        (event.start_ns, event.duration_s) for event in expired
    ]


@pytest.mark.parametrize("time_scale", [1, 720], ids=["life", "month"])
def test_importance_decays_by_the_scaled_clock(tmp_path, time_scale):
    clock = HandClock()
    params = {"capacity_records": 400, "half_life_s": 7 * DAY_S}
    target = build_aging(tmp_path, clock, time_scale, **params)

    target.store_batch([replace(record(key), importance=0.6) for key in range(300)])
    clock.passed_s = 35 * 60  # 17.5 days, after which 0.6 is worth 0.1
    for key in range(300, 600):
        target.store(replace(record(key), importance=0.3))
    old_count = sum(target.get(key) is not None for key in range(300))
    target.close()

    assert old_count == pytest.approx(300 if time_scale == 1 else 100, abs=60)


def test_a_run_that_goes_on_ages_from_where_it_was(tmp_path):
    clock = HandClock()
    first = build_aging(tmp_path, clock, 720.0, ttl_s=21 * DAY_S)
    clock.passed_s = 30 * 60
    first.store(record(1))
    first.close()
    # Another worker reads the wall clock anew: 15 days before what it finds in the files.
    again = HandClock()
    second = build_aging(tmp_path, again, 720.0, ttl_s=21 * DAY_S)
    again.passed_s = 41 * 60
    second.maintain()
    before = second.count()
    again.passed_s = 43 * 60
    second.maintain()
    (expired,) = [event for event in second.events(0) if event.kind == "expire"]
    second.close()

    assert (1, 1) == (before, expired.records)
    assert pytest.approx(again.monotonic_ns(), abs=NS_PER_S) == expired.start_ns
