from pathlib import Path

import numpy as np
import pytest

from soak.clock import NS_PER_S
from soak.load.feeder import CLOSED_AHEAD, Feeder
from soak.load.ring import Ring
from soak.load.workload import Workload
from soak.scenario import resolve

T0_NS = 5 * NS_PER_S


class Fed:
    """A ring, what feeds it, and a worker that answers what it is told to."""

    def __init__(self, path: Path, phases: list[dict[str, object]], slots: int) -> None:
        tree = {"name": "test", "seed": 1, "rate": "1000/s", "target": "null", "phases": phases}
        self.ring = Ring.create(path / "ring.bin", slots)
        self.ring.start(T0_NS)
        self.feeder = Feeder(Workload(resolve(tree, "test")), self.ring)
        self.slots = self.ring.slots()
        self.answered = 0

    def feed(self, at_s: float) -> bool:
        return self.feeder.feed(T0_NS + round(at_s * NS_PER_S))

    def answer(self, most: int) -> int:
        """Answer what was written, at most so many; returns how many were drained."""
        last = min(self.ring.scheduled, self.answered + most)
        for index in range(self.answered, last):
            self.slots.start[index & self.slots.mask] = 1
            self.slots.end[index & self.slots.mask] = 2
        self.answered = last
        return len(self.ring.drain())

    def last_due_s(self) -> float:
        slot = (self.ring.scheduled - 1) & self.slots.mask
        return (self.slots.due[slot] - T0_NS) / NS_PER_S


def constant(duration: str) -> dict[str, object]:
    mix = {"get": 1, "store": 1}
    return {"name": f"open-{duration}", "duration": duration, "arrivals": "constant", "mix": mix}


def closed(duration: str) -> dict[str, object]:
    return constant(duration) | {"name": "closed", "arrivals": "closed"}


def test_the_schedule_is_written_two_seconds_ahead(tmp_path: Path) -> None:
    fed = Fed(tmp_path, [constant("60s")], 1 << 13)

    ahead_s = []
    for at_s in np.arange(0, 10, 0.1):
        assert not fed.feed(float(at_s))
        ahead_s.append(fed.last_due_s() - at_s)
        fed.answer(10_000)

    assert min(ahead_s) > 1.99
    assert max(ahead_s) <= 3.1


def test_every_operation_is_written_once_and_then_the_ring_is_finished(tmp_path: Path) -> None:
    fed = Fed(tmp_path, [constant("6s"), constant("2s")], 1 << 12)

    drained = 0
    for at_s in np.arange(0, 9, 0.1):
        fed.feed(float(at_s))
        drained += fed.answer(10_000)

    assert 8000 == drained
    assert fed.feeder.is_finished
    assert fed.ring.is_done()


def test_a_full_ring_delays_the_schedule_and_loses_nothing(tmp_path: Path) -> None:
    fed = Fed(tmp_path, [constant("5s")], 1 << 11)
    for at_s in np.arange(0, 10, 0.1):
        fed.feed(float(at_s))

    drained = 0
    for _ in range(100):
        drained += fed.answer(200)
        fed.feed(10.0)

    assert 5000 == drained
    assert fed.ring.is_done()


def test_closed_clients_have_a_store_of_operations_that_grows_with_their_speed(
    tmp_path: Path,
) -> None:
    fed = Fed(tmp_path, [closed("60s")], 1 << 16)
    fed.feed(0.0)
    slow = fed.ring.unclaimed()

    for at_s in range(1, 6):
        fed.answer(8000)
        fed.feed(at_s / 10)

    assert slow == pytest.approx(CLOSED_AHEAD, abs=256)
    assert fed.ring.unclaimed() > 3 * 8000


def test_a_closed_phase_is_followed_by_the_next_one_in_time(tmp_path: Path) -> None:
    fed = Fed(tmp_path, [closed("2s"), constant("3s")], 1 << 13)
    for at_s in (0.0, 1.0, 1.6):
        fed.feed(at_s)
    before = fed.slots.tag[(fed.ring.scheduled - 1) & fed.slots.mask] >> 8 & 255

    fed.feed(1.8)

    assert 0 == before
    assert 1 == fed.slots.tag[(fed.ring.scheduled - 1) & fed.slots.mask] >> 8 & 255
    assert (T0_NS, T0_NS + 2 * NS_PER_S) == fed.slots.phase_ns(0)


def test_a_closed_phase_at_the_end_finishes_the_ring(tmp_path: Path) -> None:
    fed = Fed(tmp_path, [closed("2s")], 1 << 13)
    fed.feed(0.0)

    assert fed.feed(1.9)


def test_stopping_withdraws_what_is_not_due(tmp_path: Path) -> None:
    fed = Fed(tmp_path, [constant("60s")], 1 << 13)
    fed.feed(0.0)

    fed.feeder.stop(T0_NS + NS_PER_S)

    assert 1000 == fed.ring.scheduled
    assert fed.feed(30.0)
    assert 1000 == fed.ring.scheduled


def test_what_fell_due_while_the_feeder_was_away_is_written_at_the_stop(tmp_path: Path) -> None:
    fed = Fed(tmp_path, [constant("60s")], 1 << 13)
    fed.feed(0.0)

    fed.feeder.stop(T0_NS + 5 * NS_PER_S)

    assert 5_000 == fed.ring.scheduled
