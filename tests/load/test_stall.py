"""One second without an answer must show in the quantiles as what callers felt.

The truth comes from the schedule alone: while the target stalls for a second, whoever is due
waits until it ends, and the backlog is worked off in no time. At 1,000/s over 60 s that is a p99
of 400 ms, where a tester that counts from when it got to send reports one slow operation of 60,000.
"""

from pathlib import Path

import numpy as np
import pytest

from soak.clock import NS_PER_S
from soak.load.ring import Ring
from soak.load.workload import Workload
from soak.result import OPERATIONS
from soak.scenario import resolve
from soak.watch.windows import Windows

T0_NS = 7 * NS_PER_S
STALL_NS = T0_NS + 30 * NS_PER_S
SERVICE_NS = 1
GET = OPERATIONS.index("get")
SHARES = (0.985, 0.99, 0.999)


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_a_second_of_stall_is_reported_as_the_schedule_says(arrivals: str, tmp_path: Path) -> None:
    phase = {"name": "only", "duration": "60s", "arrivals": arrivals, "mix": {"get": 1}}
    population = {"keys": 1000, "preload": 1000}
    tree = {"name": "stall", "seed": 3, "rate": "1000/s", "target": "null", "phases": [phase]}
    workload = Workload(resolve(tree | {"population": population}, "stall"))
    ring = Ring.create(tmp_path / "ring.bin", 2048)
    ring.start(T0_NS)
    windows = Windows(["get"], 10.0, 30.0)
    slots, free_ns, index, due_s = ring.slots(), T0_NS, 0, []

    while (block := workload.next_block()) is not None:
        ring.write(block)
        due_s.append(block.due_s)
        for _ in range(len(block)):
            slot = index & slots.mask
            start_ns = max(slots.due[slot], free_ns)
            is_first = slots.due[slot] >= STALL_NS > free_ns
            free_ns = STALL_NS + NS_PER_S if is_first else start_ns + SERVICE_NS
            slots.start[slot] = start_ns
            slots.end[slot] = free_ns
            index += 1
        results = ring.drain()
        windows.add(
            results.operation, results.due_ns, results.start_ns, results.end_ns, results.code
        )

    due_ns = T0_NS + np.concatenate(due_s) * NS_PER_S
    in_stall = (due_ns >= STALL_NS) & (due_ns < STALL_NS + NS_PER_S)
    truth_ns = np.where(in_stall, STALL_NS + NS_PER_S - due_ns, SERVICE_NS)
    truth_s = np.quantile(truth_ns, SHARES, method="inverted_cdf") / NS_PER_S
    reported = windows.totals()["get"]
    assert reported.latency.quantiles_s(SHARES) == pytest.approx(list(truth_s), rel=0.005)
    assert reported.service.quantile_s(0.999) < 1e-6
