"""What becomes of calls under way when an engine is closed, and of one that was forked?"""

import gc
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import engine
from engine import ClosedError, LockedError
from tests.engine.scene import SMALL, HandClock, memory, open_small

ROOMY = replace(SMALL, capacity_records=10_000)


class Halting(engine.Disk):
    """Halts who reaches a step until let go; tells that he is there."""

    def __init__(self, step: str) -> None:
        self._step = step
        self.is_there = threading.Event()
        self.goes_on = threading.Event()

    def reached(self, step: str) -> None:
        if step == self._step:
            self.is_there.set()
            self.goes_on.wait(60)


def closed_beside(store: engine.Engine, disk: Halting, work: Callable[[], object]) -> list[object]:
    """What work answers or raises when a close comes in the middle of it; the close is over."""
    answers: list[object] = []

    def call() -> None:
        try:
            answers.append(work())
        except engine.EngineError as error:
            answers.append(error)

    caller = threading.Thread(target=call)
    closer = threading.Thread(target=store.close)
    caller.start()
    disk.is_there.wait(60)
    closer.start()
    while store._calls._allowed[0]:
        pass
    disk.goes_on.set()
    for thread in (caller, closer):
        thread.join(60)
    return answers


@pytest.mark.parametrize("durability", ["always", "never"])
def test_a_close_waits_for_a_batch_under_way_and_all_of_it_is_there(
    tmp_path: Path, durability: str
) -> None:
    disk = Halting("append")
    store = engine.open(tmp_path, replace(ROOMY, durability=durability), HandClock(), disk=disk)
    batch = [memory(i) for i in range(2_000)]

    assert [None] == closed_beside(store, disk, lambda: store.store_batch(batch))

    with pytest.raises(ClosedError):
        store.store(memory(1))
    with engine.open(tmp_path, ROOMY, HandClock()) as reopened:
        assert 2_000 == reopened.count()
        assert 0 == reopened.stats()["recovery_cut_bytes"]


def test_what_a_batch_under_way_deleted_does_not_come_back(tmp_path: Path) -> None:
    with engine.open(tmp_path, ROOMY, HandClock()) as store:
        store.store_batch([memory(i) for i in range(3_000)])
    disk = Halting("append")
    store = engine.open(tmp_path, ROOMY, HandClock(), disk=disk)

    assert [2_999] == closed_beside(store, disk, lambda: store.delete_batch(range(2_999)))

    with engine.open(tmp_path, ROOMY, HandClock()) as reopened:
        assert [2_999] == reopened.scan(10)


@pytest.mark.parametrize("step", ["compact", "checkpoint", "access"])
def test_a_close_waits_for_maintenance_under_way(tmp_path: Path, step: str) -> None:
    disk = Halting(step)
    store = engine.open(tmp_path, ROOMY, HandClock(), disk=disk)
    store.store_batch([memory(i, text="x" * 300) for i in range(600)])
    store.delete_batch(range(0, 600, 2))

    assert [None] == closed_beside(store, disk, store.maintain)

    assert not list(tmp_path.glob("*.tmp"))
    with engine.open(tmp_path, ROOMY, HandClock()) as reopened:
        assert 300 == reopened.count()
        assert 0 == reopened.stats()["recovery_walked_count"]


def test_who_closes_what_is_being_closed_waits_until_it_is(tmp_path: Path) -> None:
    disk = Halting("access")
    store = engine.open(tmp_path, SMALL, HandClock(), disk=disk)
    store.store(memory(1))
    opened: list[int] = []

    def close_and_open() -> None:
        store.close()
        with open_small(tmp_path) as reopened:
            opened.append(reopened.count())

    first = threading.Thread(target=store.close)
    second = threading.Thread(target=close_and_open)
    first.start()
    disk.is_there.wait(60)
    second.start()
    disk.goes_on.set()
    for thread in (first, second):
        thread.join(60)

    assert [1] == opened


def test_an_interrupt_on_the_way_into_a_call_does_not_keep_a_close_waiting(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    store._calls._inside.append(threading.get_ident())

    store.close()

    with pytest.raises(ClosedError):
        store.count()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_locked_out_and_the_parent_goes_on(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    store.store(memory(1))
    calls = (
        lambda: store.store(memory(2)),
        lambda: store.get(1),
        lambda: store.delete(1),
        lambda: store.search(memory(1).vector),
        store.maintain,
        store.stats,
    )
    pid = os.fork()
    if not pid:
        refused = 0
        try:
            for call in calls:
                try:
                    call()
                except LockedError as error:
                    refused += "is a fork" in str(error)
            store.close()
        finally:
            os._exit(refused)
    _, status = os.waitpid(pid, 0)

    assert len(calls) == os.waitstatus_to_exitcode(status)
    store.store(memory(3))
    assert {1, 3} == set(store.scan(10))
    store.close()
    with open_small(tmp_path) as reopened:
        assert {1, 3} == set(reopened.scan(10))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_closed_directory_can_be_opened_while_a_forked_child_lives(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    ended, ending = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(ending)
        os.read(ended, 1)
        os._exit(0)
    os.close(ended)
    try:
        store.close()
        open_small(tmp_path).close()
    finally:
        os.close(ending)
        os.waitpid(pid, 0)


def test_a_closed_engine_holds_neither_files_nor_memory(tmp_path: Path) -> None:
    with engine.open(tmp_path, ROOMY, HandClock()) as store:
        store.store_batch([memory(i) for i in range(2_000)])
    gc.collect()
    gc.disable()
    try:
        before = held(tmp_path)
        stores = [engine.open(tmp_path, ROOMY, HandClock())]
        is_open = held(tmp_path)
        stores[0].close()
        after = held(tmp_path)
    finally:
        gc.enable()

    assert before == after
    assert is_open[0] > before[0]
    assert is_open[1] > before[1] + 10


def held(directory: Path) -> tuple[int, int]:
    """Descriptors of its files, and mappings of this process beyond the libraries'."""
    links = [str(p.readlink()) for p in Path("/proc/self/fd").iterdir() if p.is_symlink()]
    reserved = [line for line in Path("/proc/self/smaps").read_text().splitlines() if " nh" in line]
    return sum(link.startswith(str(directory)) for link in links), len(reserved)
