"""Does a window end with its figures, those of what is still in flight, too?"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from soak.clock import NS_PER_S
from soak.load.block import Block
from soak.load.ring import Ring
from soak.load.workload import Workload
from soak.result import OPERATIONS
from soak.rundir import LineLog, RunDirectory
from soak.scenario import Scenario, resolve
from soak.watch.checkpoint import Standing
from soak.watch.events import EventLog
from soak.watch.observer import Observer
from soak.watch.pages import Pages
from soak.watch.worker_log import LogTail, WorkerFacts

T0_NS = 1_000 * NS_PER_S


class Clock:
    """It says what it is told."""

    now_ns = T0_NS

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_s(self) -> float:
        return self.now_ns / NS_PER_S

    def sleep_s(self, duration_s: float) -> None:
        self.now_ns += round(duration_s * NS_PER_S)


class Scene:
    """A run of two phases of a minute, looked at when the test says."""

    def __init__(self, path: Path) -> None:
        directory, self.clock = RunDirectory(path), Clock()
        log = LineLog(directory.events)
        self.events = EventLog(log)
        self.ring = Ring.create(directory.ring, 16)
        tail, facts = LogTail(directory.worker_log), WorkerFacts()
        self.observer = Observer(scenario(), directory, self.clock, self.events, facts, tail)
        self.logs = log, *self.observer.logs
        standing = Standing()
        self.pages = Pages(
            scenario(),
            Workload(scenario()),
            self.ring,
            self.observer,
            self.events,
            standing,
            self.clock,
        )
        standing.begin(T0_NS, 0.0)
        self.events.begin(T0_NS, 0.0)
        self.ring.start(T0_NS)
        self.pages.begin()

    def turn(self, at_s: float) -> None:
        self.clock.now_ns = T0_NS + round(at_s * NS_PER_S)
        self.observer.take(self.ring.drain())
        self.pages.turn(at_s)
        self.observer.sample({})

    def schedule(self, *due_s: float) -> None:
        """Gets of key 0."""
        self.ring.write(
            Block(
                phase=0,
                is_open=True,
                begin_s=0.0,
                end_s=60.0,
                due_s=np.array(due_s),
                operation=np.full(len(due_s), OPERATIONS.index("get"), dtype=np.uint8),
                argument=np.zeros(len(due_s), dtype=np.int64),
            )
        )

    def issue(self, index: int, start_s: float, end_s: float | None = None) -> None:
        """As a client does, who had waited for it. end_s: None while it is in flight."""
        slots = self.ring.slots()
        slots.start[index] = -(T0_NS + round(start_s * NS_PER_S))
        if end_s is not None:
            slots.end[index] = T0_NS + round(end_s * NS_PER_S)


def scenario() -> Scenario:
    phases = [
        {"name": name, "duration": "60s", "mix": {"store": 1, "get": 1}} for name in ("one", "two")
    ]
    tree = {"name": "test", "rate": "1/s", "target": "null", "phases": phases}
    return resolve(tree | {"observe": {"window": "10s"}}, "test")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    for log in made.logs:
        log.close()


def test_a_call_that_does_not_come_back_grows_from_window_to_window(scene: Scene):
    scene.schedule(1.0, 2.0, 3.0)
    scene.issue(0, 1.0, 1.5)
    scene.issue(1, 2.0)
    for at_s in (5.0, 10.0, 15.0, 20.0):
        scene.turn(at_s)

    longest = scene.observer.columns()["stall_s_max"]

    assert [8.0, 18.0] == longest[np.isfinite(longest)].tolist()


def test_what_no_client_came_to_is_no_stall(scene: Scene):
    scene.schedule(1.0)
    scene.turn(10.0)

    assert "stall_s_max" not in scene.observer.columns()


def test_a_window_ends_where_the_phase_does(scene: Scene):
    for at_s in (10.0, 20.0, 55.0, 60.1, 69.0, 70.0):
        scene.turn(at_s)

    rates = scene.observer.columns()["achieved_per_s"]

    assert [True, True, True, True, False, True] == np.isfinite(rates).tolist()
    assert [("one", 0.0), ("two", 60.0)] == [
        (event.details["phase"], event.time_s) for event in scene.events.latest
    ]
