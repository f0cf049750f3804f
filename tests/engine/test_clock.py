"""What time is it for the engine, and whose word moves it?"""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import engine
from tests.engine.scene import SMALL, HandClock, abandon, memory, open_small

DAY_S = 86_400.0
WEEKLY = replace(SMALL, ttl_s=7 * DAY_S)


@pytest.mark.parametrize("ahead_s", [1.0, 3600.0, 1e12, 1e300])
def test_what_is_said_to_come_from_the_future_is_of_now(tmp_path: Path, ahead_s: float) -> None:
    clock = HandClock()
    with engine.open(tmp_path, WEEKLY, clock) as store:
        store.store_batch([memory(i) for i in range(20)])
        store.store(memory(99, created_s=clock.now_s() + ahead_s))
        assert store.now_s() == store.get(99).created_s

    clock.wall_s += 60
    with engine.open(tmp_path, WEEKLY, clock) as reopened:
        reopened.maintain()
        assert 21 == reopened.count()
        assert clock.now_s() == reopened.now_s()


def test_a_session_under_a_clock_a_month_ahead_is_soon_forgotten(tmp_path: Path) -> None:
    clock = HandClock()
    with engine.open(tmp_path, WEEKLY, clock) as store:
        store.store_batch([memory(i, pinned=i == 8) for i in range(20)])
    clock.wall_s += 30 * DAY_S
    with engine.open(tmp_path, WEEKLY, clock) as store:
        store.get(8)
        store.store(memory(50))
    clock.wall_s -= 30 * DAY_S
    for _ in range(2):
        with engine.open(tmp_path, WEEKLY, clock) as store:
            store.maintain()

            assert clock.now_s() == store.now_s()
            assert 21 == store.count()
            assert store.get(0) is not None
            assert store.get(50).created_s <= store.now_s()


def test_what_expired_stays_so_when_the_clock_was_set_back_an_hour(tmp_path: Path) -> None:
    clock = HandClock()
    options = replace(SMALL, ttl_s=100.0)
    with engine.open(tmp_path, options, clock) as store:
        store.store(memory(1))
        clock.elapsed_s += 101
        assert store.get(1) is None
        closed_s = store.now_s()
    clock.wall_s -= 3600
    with engine.open(tmp_path, options, clock) as store:
        assert closed_s == store.now_s()
        assert store.get(1) is None


def test_a_clock_without_a_battery_does_not_make_records_old(tmp_path: Path) -> None:
    right = HandClock()
    with engine.open(tmp_path, WEEKLY, right) as store:
        store.store(memory(1))
        closed_s = store.now_s()
    with engine.open(tmp_path, WEEKLY, HandClock(wall_s=0.0)) as store:
        assert closed_s == store.now_s()
        store.store(memory(2))
    with engine.open(tmp_path, WEEKLY, right) as store:
        store.maintain()
        assert {1, 2} == set(store.scan(9))


@dataclass(slots=True)
class FastClock(HandClock):
    """A clock by which memories age 720 times as fast as things take."""

    def aging_ns(self) -> int:
        return 720 * self.monotonic_ns()


def test_fast_ages_go_on_after_a_close_and_after_a_crash(tmp_path: Path) -> None:
    now_s = 0.0
    for end in (engine.Engine.close, abandon, abandon, engine.Engine.close):
        clock = FastClock()
        store = engine.open(tmp_path, SMALL, clock)
        assert now_s <= store.now_s()
        for i in range(50):
            clock.elapsed_s += 20
            store._maintenance.run(explicit=False)
            store.store(memory(i))
        now_s = store.now_s()
        end(store)

    # Pauses of maintenance take time, too.
    assert pytest.approx(clock.wall_s + 4 * 720 * 1_000, abs=DAY_S) == now_s


class AgingClock(FastClock):
    """One whose wall clock goes as fast as memories age, as long as its process lives."""

    def now_s(self) -> float:
        return self.wall_s + self.aging_ns() / 1e9


def test_fast_ages_go_on_in_another_process_after_a_reopening_in_this_one(tmp_path: Path) -> None:
    clock = AgingClock()
    for _ in range(3):
        with engine.open(tmp_path, SMALL, clock) as store:
            clock.elapsed_s += 1_000
            store.store(memory(1))
            now_s = store.now_s()

    with engine.open(tmp_path, SMALL, AgingClock()) as store:
        assert now_s <= store.now_s() < now_s + DAY_S


class OldClock:
    """As clocks were before ages could be faster than durations."""

    def now_s(self) -> float:
        return 1.7e9

    def monotonic_ns(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        pass


def test_a_clock_that_knows_no_ages_is_enough(tmp_path: Path) -> None:
    with engine.open(tmp_path, SMALL, OldClock()) as store:
        assert 1.7e9 == store.now_s()


def test_fast_ages_do_not_make_maintenance_busy(tmp_path: Path) -> None:
    class Counting(engine.Disk):
        accesses = 0

        def reached(self, step: str) -> None:
            self.accesses += step == "access"

    disk, clock = Counting(), FastClock()
    with engine.open(tmp_path, SMALL, clock, disk=disk) as store:
        for _ in range(100):
            clock.elapsed_s += 0.05
            store._maintenance.run(explicit=False)
        assert 0 == disk.accesses

        clock.elapsed_s += 600
        store._maintenance.run(explicit=False)
        assert 1 == disk.accesses


def test_opening_is_declared_as_a_recovery(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store_batch([memory(i) for i in range(20)])
        assert [] == store.events()
        abandon(store)
    with (tmp_path / "000001.seg").open("r+b") as segment:
        segment.truncate(len(segment.read().rstrip(b"\0")) - 1)

    with open_small(tmp_path) as store:
        (event,) = store.events()

        cut_bytes = store.stats()["recovery_cut_bytes"]
        assert ("recover", 19, cut_bytes) == (event.kind, event.records, event.bytes_reclaimed)
        assert 1 == store.stats()["events_recover_count"]
        assert cut_bytes > 0
