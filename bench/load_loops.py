"""What does one operation that does nothing cost? Loops to compare, in one process, in turns."""

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
from prometheus_client import CollectorRegistry, Histogram

from soak.clock import monotonic_ns, thread_cpu_ns
from soak.load.block import Block
from soak.load.client import ErrorClasses, Stop, run_client
from soak.load.ring import SLOTS, Ring
from soak.load.workload import Workload
from soak.scenario import resolve
from soak.watch.windows import Windows

GET = 2
MIX = {"store": 20, "get": 40, "search": 30, "update": 5, "delete": 5}


class Nothing:
    """The cheapest operation there can be."""

    capability = "get"

    def prepare(self, argument: int, phase: int) -> int:
        return argument

    def call(self, request: object) -> object:
        return None

    def check(self, request: object, answer: object, start_ns: int) -> int:
        return 0

    def abandon(self, request: object) -> None:
        pass


def no_operation(request: int) -> None:
    """What the plain loops call."""


class LoadLoop:
    """The worker's own loop over a full ring of operations that are all due."""

    def __init__(self, path: Path) -> None:
        self.ring = Ring.create(path)
        self.ring.start(1)
        self._block = Block(
            phase=0,
            is_open=True,
            begin_s=0.0,
            end_s=1.0,
            due_s=np.full(SLOTS, 1e-9),
            operation=np.full(SLOTS, GET, dtype=np.uint8),
            argument=np.arange(SLOTS, dtype=np.int64),
        )
        self._slots = self.ring.slots()

    def __call__(self) -> tuple[float, float]:
        """(CPU, elapsed) ns per operation of one lap."""
        first = self.ring.scheduled
        self.ring.write(self._block)
        self.ring.finish()
        claims = count(first)
        costs = _timed(
            lambda: run_client(self._slots, {GET: Nothing()}, claims, Stop(), ErrorClasses()), SLOTS
        )
        assert len(self.ring.drain()) == SLOTS
        return costs


def floor() -> None:
    """Two clock readings and a call: what no tester in this language can go below."""
    for argument in range(SLOTS):
        monotonic_ns()
        no_operation(argument)
        monotonic_ns()


def observe_loop() -> Callable[[], None]:
    """The same, observed by a Histogram of prometheus_client, whose child is looked up once."""
    family = Histogram("latency_seconds", "x", ["operation"], registry=CollectorRegistry())
    observe = family.labels("get").observe

    def run() -> None:
        for argument in range(SLOTS):
            before_ns = monotonic_ns()
            no_operation(argument)
            observe((monotonic_ns() - before_ns) / 1e9)

    return run


def operation_costs(directory: Path, rounds: int) -> Mapping[str, float]:
    """Median CPU ns per operation of each loop, taking turns, and the load loop's best rate."""
    load, observe = LoadLoop(directory / "ring.bin"), observe_loop()
    taken: dict[str, list[tuple[float, float]]] = {"load": [], "floor": [], "observe": []}
    for _ in range(rounds):
        taken["load"].append(load())
        taken["floor"].append(_timed(floor, SLOTS))
        taken["observe"].append(_timed(observe, SLOTS))
    medians = {f"{name}_ns": median(cpu for cpu, _ in laps) for name, laps in taken.items()}
    fastest_ns = min(elapsed for _, elapsed in taken["load"])
    return medians | {"rate_per_s": 1e9 / fastest_ns}


def controller_costs(directory: Path, blocks: int) -> Mapping[str, float]:
    """CPU ns per operation of drawing and writing the schedule, of draining, and of folding.

    The median of the blocks: the first ones and those in which a neighbour empties the caches
    would say more about the machine.
    """
    scenario = resolve(
        {
            "name": "bench",
            "rate": "100000/s",
            "target": "null",
            "population": {"keys": 100_000, "preload": 90_000},
            "phases": [{"name": "only", "duration": "1d", "mix": MIX}],
        },
        "bench",
    )
    workload, ring = Workload(scenario), Ring.create(directory / "costs.bin")
    windows = Windows(list(MIX), 10.0, 30.0)
    ring.start(1)
    end = np.frombuffer(ring.slots().end, dtype=np.int64)
    spent: dict[str, list[float]] = {"schedule_ns": [], "drain_ns": [], "fold_ns": []}
    done = 0
    for _ in range(blocks):
        before = thread_cpu_ns()
        block = workload.next_block()
        assert block is not None
        ring.write(block)
        spent["schedule_ns"].append((thread_cpu_ns() - before) / len(block))
        slots = np.arange(done, done + len(block)) & (ring.size - 1)
        end[slots] = np.arange(2, 2 + len(block)) * 1000
        done += len(block)
        before = thread_cpu_ns()
        found = ring.drain()
        drained = thread_cpu_ns()
        windows.add(found.operation, found.due_ns, found.due_ns, found.end_ns, found.code)
        spent["fold_ns"].append((thread_cpu_ns() - drained) / len(block))
        spent["drain_ns"].append((drained - before) / len(block))
    return {name: median(each) for name, each in spent.items()}


def _timed(run: Callable[[], None], operations: int) -> tuple[float, float]:
    cpu_ns, elapsed_ns = thread_cpu_ns(), monotonic_ns()
    run()
    return (
        (thread_cpu_ns() - cpu_ns) / operations,
        (monotonic_ns() - elapsed_ns) / operations,
    )
