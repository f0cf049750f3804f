"""Is an acknowledged write on disk within the interval, whatever else goes on?"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import engine
from tests.engine.scene import SMALL, memory
from tests.engine.test_closing import Halting

TIMED = replace(SMALL, durability="interval", capacity_records=5_000)


def within_a_minute(holds: Callable[[], bool]) -> bool:
    until_s = time.monotonic() + 60
    while not holds() and time.monotonic() < until_s:
        threading.Event().wait(0.001)
    return holds()


def test_a_lone_write_is_synced_without_maintenance_and_without_another(tmp_path: Path) -> None:
    with engine.open(tmp_path, TIMED) as store:
        for i in range(3):
            store.store(memory(i))

            assert within_a_minute(lambda: not store._live.log.has_unsynced)


def test_a_write_beside_compaction_is_synced_before_it_ends(tmp_path: Path) -> None:
    disk = Halting("compact")
    with engine.open(tmp_path, TIMED, disk=disk) as store:
        store.store_batch([memory(i, text="x" * 300) for i in range(600)])
        store.delete_batch(range(0, 600, 2))
        maintaining = threading.Thread(target=store.maintain)
        maintaining.start()
        disk.is_there.wait(60)
        store.store(memory(999))

        is_synced = within_a_minute(lambda: not store._live.log.has_unsynced)

        disk.goes_on.set()
        maintaining.join(60)
    assert is_synced


def test_nothing_is_synced_while_nothing_is_written(tmp_path: Path) -> None:
    with engine.open(tmp_path, TIMED) as store:
        before = store.stats()["fsync_count"]
        store.store(memory(1))
        assert within_a_minute(lambda: store.stats()["fsync_count"] > before)
        syncs = store.stats()["fsync_count"]
        threading.Event().wait(0.05)

        assert syncs == store.stats()["fsync_count"]


def test_a_sync_that_fails_is_told_and_ends_neither_thread_nor_reads(tmp_path: Path) -> None:
    class Brittle(engine.Disk):
        is_broken = False

        def sync(self, fd: int) -> None:
            if self.is_broken:
                raise OSError(5, "broken")
            super().sync(fd)

    disk = Brittle()
    with engine.open(tmp_path, replace(TIMED, interval_s=0.02), disk=disk) as store:
        store.store(memory(0))
        disk.is_broken = True
        store.store(memory(1))

        assert within_a_minute(lambda: store.health().components["durability"] == 0.0)
        assert 1.0 == store.health().components["maintenance"]
        assert store.get(1) is not None
