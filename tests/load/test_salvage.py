"""Is every operation of a killed run told once, wherever in its slot the kill came?"""

from pathlib import Path

import numpy as np
import pytest

from soak.load.block import Block
from soak.load.feeder import Feeder
from soak.load.ring import Ring, RingError
from soak.load.salvage import NONE, Ours, Wreck, blocks, renumbered, salvage, unanswered
from soak.load.slots import Carried
from soak.load.workload import Workload
from soak.result import Outcome, slot_code
from soak.scenario import Scenario, load, resolve
from soak.state import packed, unpacked

T0_NS = 1_000_000_000
SLOTS = 16


def block(count: int, *, first_s: float = 0.0, phase: int = 0) -> Block:
    return Block(
        phase=phase,
        is_open=True,
        begin_s=0.0,
        end_s=60.0,
        due_s=first_s + np.arange(count, dtype=np.float64),
        operation=np.full(count, 2, dtype=np.uint8),
        argument=np.arange(100, 100 + count, dtype=np.int64),
    )


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    made = Ring.create(tmp_path / "ring.bin", SLOTS)
    made.secured = 0
    made.start(T0_NS)
    return made


def begun(ring: Ring, index: int, *, end_ns: int = 0, code: int = 0) -> None:
    slots = ring.slots()
    slots.start[index & slots.mask] = -(T0_NS + index)
    slots.code[index & slots.mask] = code
    slots.end[index & slots.mask] = end_ns


def none_again(phase: int) -> Block | None:
    return None


def test_a_result_that_was_drained_after_the_checkpoint_is_found(ring: Ring, tmp_path: Path):
    ring.write(block(4))
    begun(ring, 0, end_ns=T0_NS + 50)
    ring.drain()
    ours, scheduled = unanswered(ring), ring.scheduled
    begun(ring, 2, end_ns=T0_NS + 70, code=slot_code(Outcome.ERROR, 3))
    ring.drain()
    begun(ring, 1, end_ns=T0_NS + 90)

    found = salvage(Wreck(tmp_path / "ring.bin"), ours, scheduled, none_again)

    assert [1, 2] == found.results.index.tolist()
    assert [T0_NS + 90, T0_NS + 70] == found.results.end_ns.tolist()
    assert [0, slot_code(Outcome.ERROR, 3)] == found.results.code.tolist()
    assert [True, True] == found.results.is_idle.tolist()
    assert ([3], [3.0]) == (found.waiting.index.tolist(), found.waiting.due_s.tolist())
    assert (0, T0_NS + 2) == (found.in_doubt_count, found.last_ns)


def test_what_was_in_flight_is_in_doubt_and_not_issued_again(ring: Ring, tmp_path: Path):
    ring.write(block(3))
    ours = unanswered(ring)
    begun(ring, 0)

    found = salvage(Wreck(tmp_path / "ring.bin"), ours, 3, none_again)

    assert (1, 0) == (found.in_doubt_count, len(found.results))
    assert [1, 2] == found.waiting.index.tolist()


def test_what_a_stop_withdrew_is_issued_when_the_run_goes_on(ring: Ring, tmp_path: Path):
    ring.write(block(4))
    ours = unanswered(ring)
    begun(ring, 0, end_ns=T0_NS + 5)
    ring.cut(T0_NS + 1_500_000_000)
    ring.abandon_unfinished(T0_NS + 2_000_000_000)

    found = salvage(Wreck(tmp_path / "ring.bin"), ours, 4, none_again)

    assert [0] == found.results.index.tolist()
    assert [1, 2, 3] == found.waiting.index.tolist()


def test_what_was_void_is_neither_a_result_nor_issued_again(ring: Ring, tmp_path: Path):
    ring.write(block(2))
    ours = unanswered(ring)
    begun(ring, 0, end_ns=T0_NS + 5, code=slot_code(Outcome.VOID))

    found = salvage(Wreck(tmp_path / "ring.bin"), ours, 2, none_again)

    assert (1, 0, [1]) == (found.void_count, len(found.results), found.waiting.index.tolist())


def test_what_was_scheduled_after_the_checkpoint_is_drawn_again(ring: Ring, tmp_path: Path):
    ring.write(block(2))
    ours = unanswered(ring)
    ring.write(block(3, first_s=2.0))
    begun(ring, 3, end_ns=T0_NS + 9)

    found = salvage(Wreck(tmp_path / "ring.bin"), ours, 2, lambda phase: block(3, first_s=2.0))

    assert 5 == found.scheduled
    assert [3] == found.results.index.tolist()
    assert [0.0, 1.0, 2.0, 4.0] == found.waiting.due_s.tolist()


def test_another_schedule_than_the_one_in_the_ring_is_refused(ring: Ring, tmp_path: Path):
    ring.write(block(2))
    ours = Ours.of(block(2, phase=1), 0)

    with pytest.raises(RingError, match="not those of this scenario"):
        salvage(Wreck(tmp_path / "ring.bin"), ours, 2, none_again)


def test_a_ring_that_went_on_without_a_checkpoint_is_refused(ring: Ring, tmp_path: Path):
    ring.write(block(SLOTS))
    ours = unanswered(ring)
    for index in range(SLOTS):
        begun(ring, index, end_ns=T0_NS + 5)
    ring.drain()
    ring.secured = ring.folded
    ring.write(block(1, first_s=20.0))

    with pytest.raises(RingError, match="results are lost"):
        salvage(Wreck(tmp_path / "ring.bin"), ours, SLOTS, none_again)


def test_drained_slots_are_not_reused_before_they_are_secured(ring: Ring):
    ring.write(block(SLOTS))
    for index in range(SLOTS):
        begun(ring, index, end_ns=T0_NS + 5)

    assert SLOTS == len(ring.drain())
    assert 0 == ring.room()
    ring.secured = ring.folded
    assert SLOTS == ring.room()


def test_a_ring_goes_on_at_the_index_it_is_given(tmp_path: Path):
    old = renumbered(Ours.of(block(3), 40), 57)
    ring = Ring.create(tmp_path / "ring.bin", SLOTS)
    carried = Carried(generation=2, first_index=57, checked_count=5, stored_count=6, is_torn=True)
    ring.carry(carried)
    ring.start(T0_NS)
    for part in blocks(old, lambda phase: (True, 0.0, 60.0)):
        ring.write(part)

    assert [57, 58, 59] == unanswered(ring).index.tolist()
    assert carried == Ring.open(tmp_path / "ring.bin").carried
    assert [] == blocks(NONE, lambda phase: (True, 0.0, 60.0))


CLOSED = {
    "name": "closed",
    "rate": "100/s",
    "target": {"name": "engine"},
    "population": {"keys": 500, "preload": 100},
    "phases": [
        {
            "name": name,
            "duration": "20s",
            "mix": {"store": 3, "get": 2, "delete": 2},
            "arrivals": {"kind": "closed", "params": {"think": "5ms", "spread": "exponential"}},
        }
        for name in ("one", "two")
    ],
}


def drawn(feeder: Feeder, count: int) -> list[object]:
    found = [feeder.again(0) for _ in range(count)]
    return [
        (b.phase, b.due_s.tolist(), b.operation.tolist(), b.argument.tolist()) for b in found if b
    ]


@pytest.mark.parametrize(
    "scenario", [load("smoke"), resolve(CLOSED, "test")], ids=["open", "closed"]
)
@pytest.mark.parametrize("blocks_before", [0, 7, 40])
def test_a_schedule_goes_on_bit_for_bit(
    scenario: Scenario, blocks_before: int, tmp_path: Path
) -> None:
    ring = Ring.create(tmp_path / "ring.bin", SLOTS)
    workload, other = Workload(scenario), Workload(scenario)
    feeder, resumed = Feeder(workload, ring), Feeder(other, ring)
    drawn(feeder, blocks_before)

    tree = unpacked(*packed({"workload": workload.state(), "feeder": feeder.state()}))
    other.restore(tree["workload"])
    resumed.restore(tree["feeder"])

    assert drawn(feeder, 30) == drawn(resumed, 30)


def test_a_closed_phase_that_was_left_is_left_again(tmp_path: Path):
    ring = Ring.create(tmp_path / "ring.bin", SLOTS)
    feeder = Feeder(Workload(resolve(CLOSED, "test")), ring)
    first, second = feeder.again(0), feeder.again(1)

    assert first
    assert second
    assert [0, 1] == [first.phase, second.phase]
