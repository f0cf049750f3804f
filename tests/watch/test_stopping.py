"""Is what may still be answered waited for, and nothing else, once somebody asked for the end?"""

import signal
from pathlib import Path

import pytest

from soak.clock import NS_PER_S
from soak.load.ring import Ring
from soak.scenario import load
from soak.watch.stopping import StopRequest
from tests.load.test_ring import block

TARGET = load("smoke").target.model_copy(update={"clients": 2, "timeout": 30.0})
NOW_NS = 100 * NS_PER_S


@pytest.mark.parametrize(
    ("signal_number", "in_flight_s", "ended_s", "is_waited_for"),
    [
        (0, (50, 50), 9, True),
        (0, (1, 1), 10, False),
        (signal.SIGTERM, (1, 1), 3, True),
        (signal.SIGTERM, (1, 1), 4, False),
        (signal.SIGTERM, (50, 50), 0, False),
        (signal.SIGTERM, (50, 1), 0, True),
    ],
    ids=["end", "end, late", "stop", "stop, late", "all hang", "one hangs"],
)
def test_operations_in_flight_are_waited_for(
    tmp_path: Path,
    signal_number: int,
    in_flight_s: tuple[int, int],
    ended_s: int,
    is_waited_for: bool,
) -> None:
    ring = Ring.create(tmp_path / "ring.bin", 16)
    ring.start(1)
    ring.write(block(4))
    for slot, age_s in enumerate(in_flight_s):
        ring.slots().start[slot] = -(NOW_NS - age_s * NS_PER_S)

    stop = StopRequest(signal_number)

    assert is_waited_for == stop.is_waited_for(ring, TARGET, NOW_NS - ended_s * NS_PER_S, NOW_NS)
