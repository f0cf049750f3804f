"""What may be in the engine at most, and what has to go for it?"""

import itertools
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import engine
from engine import CapacityError, Options, writer
from tests.engine.scene import SMALL, HandClock, memory

KIB = 1 << 10
TIGHT = replace(SMALL, disk_bytes=256 * KIB, ballast_bytes=0, capacity_records=100_000)


def taken_bytes(directory: Path) -> int:
    """Preallocated room included; whole blocks of a file's end are the file system's own."""
    return sum(path.stat().st_size for path in directory.iterdir())


def at_once(work: Callable[[int], None], count: int) -> None:
    """Several threads, all of which must end well."""
    failures: list[BaseException] = []

    def attempt(number: int) -> None:
        try:
            work(number)
        except engine.EngineError as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == failures


@pytest.mark.parametrize("pinned", [0, 5])
def test_a_batch_that_can_never_fit_evicts_nothing(tmp_path: Path, pinned: int) -> None:
    with engine.open(tmp_path, replace(SMALL, capacity_records=20), HandClock()) as store:
        store.store_batch([memory(i, importance=1.0, pinned=i < pinned) for i in range(15)])

        for count in (21 - pinned, 30):
            with pytest.raises(CapacityError, match=f"{count} records .* capacity_records is 20"):
                store.store_batch([memory(100 + i) for i in range(count)])
        assert set(range(15)) == set(store.scan(100))

        store.store_batch([memory(100 + i, importance=1.0) for i in range(20 - pinned)])
        assert {*range(pinned), *range(100, 120 - pinned)} == set(store.scan(100))


def test_a_memory_limit_that_is_too_small_says_so(tmp_path: Path) -> None:
    with (
        engine.open(tmp_path, replace(SMALL, capacity_bytes=100), HandClock()) as store,
        pytest.raises(CapacityError, match="capacity_bytes is 100, they need"),
    ):
        store.store(memory(1))


@pytest.mark.parametrize("capacity_bytes", [0, -1])
def test_a_memory_limit_of_nothing_is_refused(capacity_bytes: int) -> None:
    with pytest.raises(engine.BadInputError, match="capacity_bytes must be positive"):
        Options(capacity_bytes=capacity_bytes)


@pytest.mark.parametrize(
    ("target_ratio", "left"), [(0.9, 45), (1.0, 50), (0.02, 50 + 1 - 50)], ids=str
)
def test_a_store_at_the_limit_evicts_down_to_the_target_and_no_further(
    tmp_path: Path, target_ratio: float, left: int
) -> None:
    options = replace(SMALL, capacity_records=50, soft_ratio=1.0, target_ratio=target_ratio)
    with engine.open(tmp_path, options, HandClock()) as store:
        store.store_batch([memory(i, importance=1.0) for i in range(50)])

        store.store(memory(99, importance=0.01))

        assert left == store.count()
        assert store.get(99)


def test_what_a_batch_replaces_is_not_evicted_for_it(tmp_path: Path) -> None:
    with engine.open(tmp_path, replace(SMALL, capacity_records=20), HandClock()) as store:
        store.store_batch([memory(i, importance=0.0 if i < 10 else 1.0) for i in range(20)])
        store.link(0, 1, "next")

        store.store_batch([memory(i, importance=0.0) for i in (*range(10), 20, 21)])

        assert [1] == [edge.target for edge in store.neighbours(0)]
        assert set(range(10)) <= set(store.scan(30))


def test_replacing_records_evicts_none_whoever_does_the_same(tmp_path: Path) -> None:
    options = replace(SMALL, capacity_records=200, soft_ratio=1.0, target_ratio=1.0)
    with engine.open(tmp_path, options) as store:
        store.store_batch([memory(i) for i in range(200)])

        def replaced(number: int) -> None:
            for i in range(40):
                store.store(memory(number * 10 + i % 10))
                store.update(100 + number, importance=0.5)

        at_once(replaced, 4)

        assert 0 == store.stats()["records_evicted_count"]
        assert 200 == store.count()


def test_writers_at_the_same_time_never_exceed_the_limit(tmp_path: Path) -> None:
    options = replace(SMALL, capacity_records=30, soft_ratio=1.0, target_ratio=1.0)
    with engine.open(tmp_path, options) as store:
        counts: list[int] = []

        def stored(number: int) -> None:
            for i in range(30):
                store.store_batch([memory(100 * number + (i + j) % 20) for j in range(7)])
                store.delete(100 * number + i % 20)
                counts.append(store._live.columns.n)

        at_once(stored, 4)

        assert max(counts) <= 30
        assert store.count() > 20
        admission = store._writer._admission
        assert (set(), set(), set()) == (admission.coming, admission.going, admission.edges)


def test_records_under_way_take_no_room_from_edges(tmp_path: Path) -> None:
    with engine.open(tmp_path, replace(SMALL, capacity_edges=60)) as store:
        store.store_batch([memory(i) for i in range(100)])

        def work(number: int) -> None:
            for i in range(60):
                if number:
                    store.link(i, i + 1, "next")
                elif i < 10:
                    store.store_batch([memory(200 + j) for j in range(200)])

        at_once(work, 2)

        with pytest.raises(CapacityError, match="capacity_edges"):
            store.link(80, 81, "next")
        store.link(3, 4, "next", 2.0)
        assert [2.0] == [edge.weight for edge in store.neighbours(3)]
        assert 60 == store.stats()["edges_live_count"]


def test_tiers_are_given_up_before_records_are(tmp_path: Path) -> None:
    options = Options(
        dimensions=16, capacity_records=10_000, capacity_bytes=2 << 20, maintenance=False
    )
    texts = (os.urandom(1_500).hex() for _ in itertools.count())
    peak = 0.0
    with engine.open(tmp_path, options, HandClock()) as store:
        for first in range(0, 1_600, 50):
            store.store_batch([memory(first + i, text=next(texts)) for i in range(50)])
            peak = max(peak, store.stats()["accounted_bytes"])
            if first % 400 == 0:
                store.maintain()

        assert 1_600 == store.count()
        assert peak <= 1.05 * (2 << 20)
        assert store.stats()["tier_short_count"] > 100
        assert store.health().components["capacity"] == 1.0


def test_a_small_directory_is_not_filled_in_advance(tmp_path: Path) -> None:
    with engine.open(tmp_path, replace(TIGHT, ballast_bytes=None), HandClock()) as store:
        store.store(memory(1))

        assert taken_bytes(tmp_path) <= (64 + 64 + 16) * KIB


def test_updates_stay_within_the_disk_limit_and_cost_no_record(tmp_path: Path) -> None:
    with engine.open(tmp_path, TIGHT, HandClock()) as store:
        store.store_batch([memory(i, text="x" * 1_000) for i in range(20)])

        for i in range(400):
            store.update(i % 2, importance=i / 400)
            assert taken_bytes(tmp_path) <= 256 * KIB

        assert 20 == store.count()
        assert store.stats()["events_emergency_count"] > 0


def test_edges_stay_within_the_disk_limit(tmp_path: Path) -> None:
    options = replace(TIGHT, capacity_edges=100_000)
    with engine.open(tmp_path, options, HandClock()) as store:
        store.store_batch([memory(i, pinned=True, text="x" * 1_200) for i in range(100)])

        def linked() -> None:
            for i in range(5_000):
                store.link(i % 100, i // 100, 7)
                assert taken_bytes(tmp_path) <= 256 * KIB

        with pytest.raises(CapacityError, match="disk_bytes is 262144"):
            linked()

        assert 100 == store.count()
        assert store.delete(0)


def test_writers_that_meet_the_same_limit_need_one_emergency(tmp_path: Path) -> None:
    with engine.open(tmp_path, TIGHT, HandClock()) as store:
        store.store_batch([memory(i, text="x" * 1_000) for i in range(20)])
        store._maintenance.relieve(100)
        emergencies = store.stats().get("events_emergency_count", 0)

        assert store._maintenance.relieve(100)

        assert emergencies == store.stats().get("events_emergency_count", 0)
        assert 20 == store.count()


def test_a_batch_too_large_for_one_append_is_appended_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "APPEND_BYTES_MAX", 4 * KIB)
    with engine.open(tmp_path, SMALL, HandClock()) as store:
        sizes: list[int] = []
        append = store._live.log.append

        def measured(drafts: list[object]) -> object:
            sizes.append(writer._size_of(drafts))
            return append(drafts)

        monkeypatch.setattr(store._live.log, "append", measured)
        store.store_batch([memory(i, text="x" * (i * 100)) for i in range(20)])

        assert len(sizes) > 4
        assert max(sizes) <= 4 * KIB
        assert ["x" * (i * 100) for i in range(20)] == [store.get(i).text for i in range(20)]
        assert 20 == len(store.search(memory(3).vector, 20))


def test_an_agent_is_brought_below_its_limit_before_it_meets_it(tmp_path: Path) -> None:
    with engine.open(tmp_path, replace(SMALL, agent_records=40), HandClock()) as store:
        store.store_batch([memory(i, agent=1, importance=i / 100) for i in range(39)])
        store.store_batch([memory(100 + i, agent=2) for i in range(38)])
        store.store_batch([memory(200 + i, agent=3, pinned=True) for i in range(50)])

        store._maintenance.run(explicit=False)
        assert {*range(3, 39), *range(100, 138), *range(200, 250)} == set(store.scan(200))

        store.maintain()
        assert {*range(3, 39), *range(102, 138), *range(200, 250)} == set(store.scan(200))


def test_what_does_not_fit_into_the_directory_makes_room_without_maintenance(
    tmp_path: Path,
) -> None:
    with engine.open(tmp_path, replace(TIGHT, ballast_bytes=None), HandClock()) as store:
        for i in range(1_500):
            store.store(memory(i % 500, text="y" * 300))
            if i % 50 == 0:
                assert taken_bytes(tmp_path) <= 256 * KIB

        assert store.count() > 150


def test_a_record_larger_than_the_directory_costs_no_other(tmp_path: Path) -> None:
    with engine.open(tmp_path, TIGHT, HandClock()) as store:
        store.store_batch([memory(i, text="x" * 500) for i in range(100)])

        with pytest.raises(CapacityError, match="disk_bytes is 262144"):
            store.store(memory(200, text="y" * 300_000))

        assert set(range(100)) == set(store.scan(200))
