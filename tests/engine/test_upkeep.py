"""What the engine does by itself, while others change what it looks at."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import eviction
from tests.engine.scene import SMALL, HandClock, memory


class Contested(dict[int, bytes]):
    """Short-term, into which somebody writes in the middle of each look, if the lock lets him."""

    def __init__(self, content: dict[int, bytes], lock: threading.Lock) -> None:
        super().__init__(content)
        self._lock = lock
        self.looks = 0

    def __iter__(self) -> Iterator[int]:
        for key in super().__iter__():
            yield key
            self.looks += 1
            if not self._lock.locked():
                self[10_000 + self.looks] = b""


def test_demotion_looks_at_short_term_while_nobody_writes(tmp_path: Path) -> None:
    with engine.open(tmp_path, replace(SMALL, short_term_records=50), HandClock()) as store:
        store.store_batch([memory(i) for i in range(100)])
        tiers = store._live.tiers
        tiers._short = contested = Contested(tiers._short, store._live.lock)

        store.maintain()

        assert 64 <= contested.looks
        assert 36 == store.stats()["tier_short_count"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_background_thread_that_is_gone_is_told(tmp_path: Path) -> None:
    class Deadly(HandClock):
        def sleep(self, seconds: float) -> None:
            if threading.current_thread() is not threading.main_thread():
                raise RuntimeError("dictionary changed size during iteration")
            super().sleep(seconds)

    with engine.open(tmp_path, replace(SMALL, maintenance=True), Deadly()) as store:
        store._maintenance.upkeep._thread.join()

        assert 0.0 == store.health().components["maintenance"]
        assert 1 == store.stats()["maintenance_failed_count"]


class Meanwhile(engine.Disk):
    """Does something once, between the choice of victims and their end."""

    def __init__(self) -> None:
        self.work: Callable[[], None] | None = None

    def reached(self, step: str) -> None:
        if step == "evict" and self.work:
            work, self.work = self.work, None
            work()


def test_a_record_stored_anew_does_not_expire_with_its_older_version(tmp_path: Path) -> None:
    clock, disk = HandClock(), Meanwhile()
    with engine.open(tmp_path, replace(SMALL, ttl_s=100.0), clock, disk=disk) as store:
        store.store_batch([memory(i) for i in range(5)])
        clock.elapsed_s += 101
        disk.work = lambda: store.store(memory(1, text="anew"))

        store.maintain()

        assert [1] == store.scan(10)
        assert "anew" == store.get(1).text


def test_a_record_stored_anew_is_not_evicted_for_its_older_version(tmp_path: Path) -> None:
    disk = Meanwhile()
    with engine.open(tmp_path, SMALL, HandClock(), disk=disk) as store:
        store.store_batch([memory(i, importance=i / 500) for i in range(500)])
        disk.work = lambda: store.update(7, importance=1.0)

        store.maintain()

        assert {7, *range(50, 500)} == set(store.scan(500))


def test_a_record_stored_anew_is_not_merged_away_for_its_older_version(tmp_path: Path) -> None:
    disk = Meanwhile()
    options = replace(SMALL, consolidate_similarity=0.98)
    with engine.open(tmp_path, options, HandClock(), disk=disk) as store:
        twins = [replace(memory(1), id=i, importance=i / 10) for i in (1, 2, 3)]
        store.store_batch(twins)
        disk.work = lambda: store.store(memory(2, text="another"))

        store.maintain()

        assert {2, 3} == set(store.scan(10))
        assert "another" == store.get(2).text


def test_a_record_stored_anew_during_the_search_for_its_like_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = replace(SMALL, consolidate_similarity=0.98)
    with engine.open(tmp_path, options, HandClock()) as store:
        store.store_batch([replace(memory(1), id=i, importance=i / 10) for i in (1, 2, 3)])
        nearest = store._search.nearest

        def nearest_then_stored(*question: object) -> list[engine.Hit]:
            hits = nearest(*question)
            store.store(memory(2, text="another"))
            return hits

        monkeypatch.setattr(store._search, "nearest", nearest_then_stored)
        store.maintain()

        assert {2, 3} == set(store.scan(10))
        assert "another" == store.get(2).text


def test_what_the_best_was_to_stand_for_stays_when_the_best_is_stored_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = replace(SMALL, consolidate_similarity=0.98)
    with engine.open(tmp_path, options, HandClock()) as store:
        store.store_batch([replace(memory(1), id=i, importance=i / 10) for i in (1, 2)])
        store.store(memory(9))
        store.link(1, 9, 7)

        def another(code: int) -> int:
            store.store(memory(2, text="another"))
            return code

        monkeypatch.setattr(store._live.graph, "name_of", another)
        store.maintain()

        assert {1, 2, 9} == set(store.scan(10))
        assert "another" == store.get(2).text


def test_a_row_that_changes_hands_during_the_scan_gives_nobody_away(tmp_path: Path) -> None:
    with engine.open(tmp_path, SMALL, HandClock()) as store:
        store.store_batch([memory(i) for i in range(10)])

        def scan() -> np.ndarray:
            store.delete(3)  # the last record, 9, moves into its row
            return np.array([2, 3, 9])

        victims = eviction.seen_whole(store._live, scan)

        assert [2] == victims.ids.tolist()
        assert [3] == victims.lsns.tolist()


def test_a_scan_that_writers_outrun_is_made_while_they_wait(tmp_path: Path) -> None:
    options = replace(SMALL, capacity_records=40_000, durability="never")
    with engine.open(tmp_path, options, HandClock()) as store:
        store.store_batch([memory(i) for i in range(10)])
        is_held = []

        def scan() -> np.ndarray:
            is_held.append(store._live.lock.locked())
            if not is_held[-1]:
                store._live.columns.changes += 20_000
            return np.array([2, 3])

        victims = eviction.seen_whole(store._live, scan)

        assert [False] * 4 + [True] == is_held
        assert [2, 3] == victims.ids.tolist()


def test_expiry_looks_once_a_second_unless_asked(tmp_path: Path) -> None:
    clock = HandClock()
    with engine.open(tmp_path, replace(SMALL, ttl_s=100.0), clock) as store:
        store.store_batch([memory(i) for i in range(5)])
        clock.elapsed_s += 101
        store._maintenance.run(explicit=False)
        store.store(memory(9, created_s=1.0))

        store._maintenance.run(explicit=False)
        assert 1 == store.count()
        clock.elapsed_s += 1
        store._maintenance.run(explicit=False)
        assert 0 == store.count()
        store.store(memory(9, created_s=1.0))
        store.maintain()
        assert 0 == store.count()


def test_what_expires_goes_by_the_thousand(tmp_path: Path) -> None:
    clock = HandClock()
    options = replace(SMALL, capacity_records=4_000, segment_bytes=2 << 20, ttl_s=100.0)
    with engine.open(tmp_path, options, clock) as store:
        store.store_batch([memory(i) for i in range(2_000)])
        clock.elapsed_s += 101
        before = store.stats()["commit_groups_count"]

        store._maintenance._expire(explicit=True)

        assert 0 == store.count()
        assert 2 == store.stats()["commit_groups_count"] - before
