import errno
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import EngineError, Options
from tests.engine.faults import FailingDisk, Ledger, LittleDisk
from tests.engine.full_disk import NOT_PERMITTED
from tests.engine.scene import SMALL, HandClock, memory, memory_backed_directory, open_small


@pytest.mark.parametrize("error_number", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_no_failing_call_makes_an_acknowledgement_false(error_number: int) -> None:
    """The N-th call of a run of 120 operations fails, for N from 1 until none does."""
    failing_call = 0
    while True:
        failing_call += 1
        disk = FailingDisk(failing_call, error_number)
        ledger = Ledger()
        with memory_backed_directory() as directory:
            run_until_refused(directory, disk, ledger)
            with open_small(directory) as reopened:
                ledger.check(reopened)
        if not disk.failed_in:
            break

    assert failing_call > 150


def run_until_refused(directory: Path, disk: FailingDisk, ledger: Ledger) -> None:
    try:
        store = engine.open(directory, replace(SMALL, ballast_bytes=0), HandClock(), disk=disk)
    except (OSError, EngineError):
        assert disk.failed_in
        return
    rng = np.random.default_rng(7)
    for _ in range(120):
        ledger.attempt(store, rng, 30)
    # Reads go on whatever failed, and show what was acknowledged or might have been.
    ledger.check(store)
    try:
        store.close()
    except (OSError, EngineError):
        assert disk.failed_in


def test_after_a_failed_sync_nothing_is_acknowledged_until_reopened(tmp_path: Path) -> None:
    class Brittle(engine.Disk):
        is_broken = False

        def sync(self, fd: int) -> None:
            if self.is_broken:
                raise OSError(errno.EIO, "broken")
            super().sync(fd)

    disk = Brittle()
    store = engine.open(tmp_path, SMALL, HandClock(), disk=disk)
    store.store(memory(1))
    disk.is_broken = True
    with pytest.raises(engine.DurabilityError, match="reopen"):
        store.store(memory(2))
    disk.is_broken = False

    with pytest.raises(engine.DurabilityError, match="reopen"):
        store.store(memory(3))
    assert store.get(2) is None
    assert "memory 1" == store.get(1).text
    assert 0.0 == store.health().components["durability"]
    store.close()
    with open_small(tmp_path) as reopened:
        reopened.store(memory(3))
        assert reopened.get(1)
        assert reopened.get(3)


def test_a_full_disk_is_relieved_by_evicting_and_compacting(tmp_path: Path) -> None:
    options = replace(SMALL, capacity_records=100_000, segment_bytes=256 << 10)
    disk = LittleDisk(6 << 20)
    with engine.open(tmp_path, options, HandClock(), disk=disk) as store:
        for i in range(12_000):
            store.store(memory(i, importance=i / 12_000, text="x" * 500))

        emergencies = [event for event in store.events() if event.kind == "emergency"]
        assert emergencies
        assert all(event.bytes_reclaimed > 0 for event in emergencies)
        assert "x" * 500 == store.get(11_999).text
        assert store.get(0) is None
        count = store.count()
    with engine.open(tmp_path, options, HandClock()) as reopened:
        assert count == reopened.count()


def test_a_disk_full_of_pinned_records_refuses_writes_and_serves_reads(tmp_path: Path) -> None:
    options = replace(SMALL, capacity_records=100_000, segment_bytes=256 << 10)
    disk = LittleDisk(3 << 20)
    with engine.open(tmp_path, options, HandClock(), disk=disk) as store:
        with pytest.raises(engine.CapacityError):
            fill_with_pinned(store)
        held = store.count()
        assert all(store.get(i) for i in range(held))
        assert store.search(memory(5).vector, 1)[0].id == 5

        disk.room_bytes = 16 << 20

        store.store(memory(held))
        assert held + 1 == store.count()


@pytest.mark.parametrize("maintenance", ["background", "emergencies"])
def test_a_file_system_that_is_really_full_and_then_is_not(
    tmp_path: Path, maintenance: str
) -> None:
    command = [sys.executable, "-m", "tests.engine.full_disk", str(tmp_path), maintenance]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if NOT_PERMITTED == ended.returncode:
        pytest.skip("this system permits no mount namespaces; disks of a test double are tested")

    assert (0, "") == (ended.returncode, ended.stderr)
    print(ended.stdout)  # noqa: T201 - the figures are the proof


def fill_with_pinned(store: engine.Engine) -> None:
    for i in range(20_000):
        store.store(memory(i, pinned=True, text="x" * 500))


@pytest.mark.parametrize(
    "failing_call", [1, 2, 3, 4, 5], ids=["open", "write", "write again", "sync", "rename"]
)
def test_a_file_that_could_not_be_replaced_leaves_no_half_of_the_new_one(
    tmp_path: Path, failing_call: int
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"old")
    disk = FailingDisk(failing_call, errno.ENOSPC)
    with pytest.raises(OSError, match="No space"):
        disk.replace_file(kept, b"half", b"and half")

    assert [kept] == list(tmp_path.iterdir())
    assert b"old" == kept.read_bytes()


def test_the_directory_stays_within_its_limit(tmp_path: Path) -> None:
    limit = 3 << 20
    options = replace(SMALL, capacity_records=100_000, segment_bytes=128 << 10, disk_bytes=limit)
    with engine.open(tmp_path, options, HandClock()) as store:
        for i in range(8_000):
            store.store(memory(i, importance=i / 8_000, text="x" * 300))
            if i % 500 == 0:
                store.maintain()
                assert store.stats()["disk_total_bytes"] <= 1.4 * limit
        assert store.count() > 3_000
        assert store.get(7_999)


def test_memory_stays_within_its_limit(tmp_path: Path) -> None:
    options = Options(dimensions=16, capacity_bytes=2 << 20, maintenance=False)
    with engine.open(tmp_path, options, HandClock()) as store:
        for first in range(0, 20_000, 100):
            store.store_batch([memory(i, importance=i / 20_000) for i in range(first, first + 100)])

        store.maintain()

        assert store.stats()["accounted_bytes"] <= 1.15 * (2 << 20)
        assert store.count() > 4_000
        assert store.get(19_999)


def test_deletes_are_counted_once_when_an_emergency_comes_between(tmp_path: Path) -> None:
    class Refusing(engine.Disk):
        """Has no room for the second group of deletes, nor for its first step."""

        writes = -1_000_000

        def write(self, fd: int, content: bytes | memoryview, offset: int) -> None:
            self.writes += 1
            if self.writes in (2, 3):
                raise OSError(errno.ENOSPC, "full")
            super().write(fd, content, offset)

    disk = Refusing()
    with engine.open(tmp_path, SMALL, HandClock(), disk=disk) as store:
        store.store_batch([memory(i, pinned=i < 200) for i in range(400)])
        disk.writes = 0

        assert 200 == store.delete_batch(range(200))

        assert 1 == store.stats()["events_emergency_count"]
        assert set(store.scan(500)) <= set(range(200, 400))


@pytest.mark.parametrize(
    ("error_number", "is_told"), [(errno.ENOSPC, False), (errno.EDQUOT, False), (errno.EIO, True)]
)
def test_a_close_tells_what_failed_when_all_the_rest_is_done(
    tmp_path: Path, error_number: int, is_told: bool
) -> None:
    class Refusing(engine.Disk):
        is_closing = False

        def rename(self, source: Path, target: Path) -> None:
            if self.is_closing and target.name in ("access", "000001.ckpt"):
                raise OSError(error_number, "refused", target.name)
            super().rename(source, target)

    disk = Refusing()
    store = engine.open(tmp_path, SMALL, HandClock(), disk=disk)
    store.store_batch([memory(i, text="x" * 200) for i in range(300)])
    disk.is_closing = True
    told = []
    try:
        store.close()
    except OSError as error:
        told.append((error.errno, error.strerror))

    assert [(error_number, "refused")] * is_told == told
    assert [] == list(tmp_path.glob("*.tmp"))
    assert (tmp_path / "000002.ckpt").exists()
    # The room that was allocated in advance, up to 1 MiB, was given back.
    assert all(path.stat().st_size < 256 << 10 for path in tmp_path.glob("*.seg"))
    with open_small(tmp_path) as reopened:
        assert 300 == reopened.count()
        assert 1 == reopened.stats()["recovery_walked_count"]


def test_stores_that_had_to_evict_first_are_counted(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store_batch([memory(i) for i in range(500)])
        assert 0 == store.stats()["evictions_inline_count"]

        store.store(memory(500))
        store.store(memory(501))

        assert 1 == store.stats()["evictions_inline_count"]
