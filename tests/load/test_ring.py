from pathlib import Path

import numpy as np
import pytest

from soak.load.block import Block
from soak.load.ring import Ring, RingError
from soak.load.slots import HEADER_BYTES
from soak.result import Outcome, slot_code
from soak.rundir import RunDirError
from tests.crowded import largest_file

T0_NS = 1_000_000_000
SLOTS = 16
GET = 2


def block(count: int, *, first_s: float = 0.0, is_open: bool = True) -> Block:
    """count gets of the keys 100, 101, ..., a second apart from first_s on."""
    return Block(
        phase=3,
        is_open=is_open,
        begin_s=0.0,
        end_s=60.0,
        due_s=first_s + np.arange(count, dtype=np.float64) if is_open else np.zeros(count),
        operation=np.full(count, GET, dtype=np.uint8),
        argument=np.arange(100, 100 + count, dtype=np.int64),
    )


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    """A small ring that has started."""
    made = Ring.create(tmp_path / "ring.bin", SLOTS)
    made.start(T0_NS)
    return made


def answer(ring: Ring, index: int, *, start_ns: int = 5, end_ns: int = 9, code: int = 0) -> None:
    """What a client leaves in the slot."""
    slots = ring.slots()
    slot = index & slots.mask
    slots.start[slot] = start_ns
    if code:
        slots.code[slot] = code
    slots.end[slot] = end_ns


def test_the_worker_sees_what_the_controller_wrote(tmp_path: Path) -> None:
    ring = Ring.create(tmp_path / "ring.bin", SLOTS)
    ring.start(T0_NS)
    ring.write(block(2, first_s=0.5))

    slots = Ring.open(tmp_path / "ring.bin").slots()

    assert [0 << 16 | 3 << 8 | GET, 1 << 16 | 3 << 8 | GET] == slots.tag[:2].tolist()
    assert [T0_NS + 500_000_000, T0_NS + 1_500_000_000] == slots.due[:2].tolist()
    assert [100, 101] == slots.argument[:2].tolist()
    assert [-1] * 14 == slots.tag[2:].tolist()


def test_a_result_is_drained_once_with_all_its_columns(ring: Ring) -> None:
    ring.write(block(3))
    answer(ring, 0, start_ns=-70, end_ns=90, code=slot_code(Outcome.ERROR, 4))

    first, second = ring.drain(), ring.drain()

    assert (1, 0) == (len(first), len(second))
    drained = {name: getattr(first, name).tolist() for name in first.__dataclass_fields__}
    assert {
        "index": [0],
        "operation": [GET],
        "phase": [3],
        "due_ns": [T0_NS],
        "argument": [100],
        "start_ns": [70],
        "end_ns": [90],
        "code": [slot_code(Outcome.ERROR, 4)],
        "is_idle": [True],
    } == drained


def test_results_come_out_of_order_while_the_oldest_operation_hangs(ring: Ring) -> None:
    ring.write(block(4))
    ring.slots().start[0] = 50
    answer(ring, 2)
    answer(ring, 3)

    drained = ring.drain()

    assert [2, 3] == drained.index.tolist()
    assert (0, GET, T0_NS, 50) == ring.oldest_unfinished(T0_NS)
    assert SLOTS - 4 == ring.room()


def test_a_full_ring_makes_room_only_for_what_was_drained(ring: Ring) -> None:
    ring.write(block(SLOTS))
    with pytest.raises(RingError):
        ring.write(block(1))

    for index in range(5):
        answer(ring, index)
    ring.drain()

    assert 5 == ring.room()


def test_nothing_is_lost_or_doubled_over_many_laps(ring: Ring) -> None:
    rng = np.random.default_rng(3)
    seen: list[int] = []
    written = waiting = 0
    while written < 40 * SLOTS:
        count = int(rng.integers(0, ring.room() + 1))
        ring.write(block(count))
        written += count
        for index in rng.permutation(np.arange(waiting, written))[: rng.integers(1, SLOTS)]:
            if ring.slots().tag[int(index) % SLOTS] >> 16 == index:
                answer(ring, int(index))
        seen += ring.drain().index.tolist()
        waiting = ring.folded
    for index in range(waiting, written):
        answer(ring, index)
    seen += ring.drain().index.tolist()

    assert list(range(written)) == sorted(set(seen))
    assert written == len(seen)


def test_overdue_operations_are_owed_even_when_no_client_came(ring: Ring) -> None:
    ring.write(block(3, first_s=10.0))

    assert None is ring.oldest_unfinished(T0_NS)
    due_ns = T0_NS + 10 * 1_000_000_000
    assert (0, GET, due_ns, 0) == ring.oldest_unfinished(due_ns)


def test_cutting_keeps_what_is_due_and_withdraws_the_rest(ring: Ring) -> None:
    ring.write(block(6))

    total = ring.cut(T0_NS + 2_500_000_000)

    assert 3 == total
    assert [False, True] == [ring.slots().is_closed(2), ring.slots().is_closed(3)]
    assert max(ring.slots().tag[3:6]) < 0
    for index in range(3):
        answer(ring, index)
    assert 3 == len(ring.drain())
    assert ring.is_done()


def test_cutting_keeps_what_a_client_has_begun(ring: Ring) -> None:
    ring.write(block(4, is_open=False))
    ring.slots().start[1] = 77

    assert 2 == ring.cut(T0_NS)


def test_cutting_a_wrapped_ring_counts_from_the_oldest(ring: Ring) -> None:
    ring.write(block(SLOTS))
    for index in range(10):
        answer(ring, index)
    ring.drain()
    ring.write(block(8, first_s=100.0))

    assert SLOTS + 3 == ring.cut(T0_NS + 102 * 1_000_000_000)


def test_what_is_owed_at_the_end_is_a_timeout_and_the_rest_void(ring: Ring) -> None:
    ring.write(block(3))
    ring.slots().start[0] = T0_NS + 5

    abandoned = ring.abandon_unfinished(T0_NS + 1_000_000_000)

    now_ns = T0_NS + 1_000_000_000
    assert [0, 1] == abandoned.index.tolist()
    assert [T0_NS + 5, now_ns] == abandoned.start_ns.tolist()
    assert [now_ns, now_ns] == abandoned.end_ns.tolist()
    assert {slot_code(Outcome.TIMEOUT)} == set(abandoned.code.tolist())
    assert 1 == ring.void_count
    assert ring.folded == ring.scheduled


def test_void_operations_are_counted_and_not_drained(ring: Ring) -> None:
    ring.write(block(2, is_open=False))
    answer(ring, 0, start_ns=0, end_ns=5, code=slot_code(Outcome.VOID))
    answer(ring, 1)

    assert [1] == ring.drain().index.tolist()
    assert 1 == ring.void_count
    assert 1 == ring.due_count(T0_NS + 10_000_000_000)


def test_overdue_is_what_is_due_and_untouched(ring: Ring) -> None:
    ring.write(block(3))
    answer(ring, 0)

    assert [0, 2] == [ring.overdue_count(T0_NS - 1), ring.overdue_count(T0_NS + 10_000_000_000)]
    ring.slots().start[1] = T0_NS
    assert 1 == ring.overdue_count(T0_NS + 10_000_000_000)


def test_only_a_ring_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "ring.bin"
    path.write_bytes(bytes(HEADER_BYTES))

    with pytest.raises(RingError, match=r"ring\.bin is not a slot ring"):
        Ring.open(path)


def test_a_ring_without_room_is_refused_and_leaves_no_half_one(tmp_path):
    path = tmp_path / "ring.bin"
    with largest_file(4096), pytest.raises(RunDirError, match=r"ring.bin: .*; make room there"):
        Ring.create(path, SLOTS)
    assert not path.exists()


def test_what_ends_just_before_the_rest_is_abandoned_is_a_result(ring: Ring) -> None:
    ring.write(block(3))
    answer(ring, 1)

    abandoned = ring.abandon_unfinished(T0_NS + 1_000_000_000)
    answer(ring, 0)
    found = ring.drain()

    assert ([0], [1]) == (abandoned.index.tolist(), found.index.tolist())
    assert (1, 3, 0) == (ring.void_count, ring.folded, len(ring.drain()))
