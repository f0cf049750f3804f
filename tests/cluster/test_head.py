"""Runs on nodes that are threads of the test, with real controllers and worker processes."""

import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from soak.clock import Clock, SystemClock
from soak.cluster.agent import Agent, Look
from soak.cluster.head import Head, Refused
from soak.cluster.member import Lost, Remote
from soak.report.document import document
from soak.report.record import load_run
from soak.rundir import RunDirectory
from soak.scenario import Scenario, resolve
from soak.snapshot import Snapshot
from soak.verdict import ExitCode, Status
from soak.watch.stopping import StopRequest

CHECKS = [
    {"name": "wrong-answers", "detector": "never", "params": {"min_checked": 1}},
    {"name": "rate", "detector": "slo", "params": {"total": "achieved_per_s", "min": "100/s"}},
]


class Seat:
    """An agent in this process that is lost when the test says so."""

    def __init__(self) -> None:
        self.agent = Agent()
        self.is_gone = False
        self.ended_count = 0

    def look(self) -> Look:
        if self.is_gone:
            raise Lost("the node went away")
        return self.agent.look()

    def stop(self, signal_number: int) -> None:
        self.agent.stop(signal_number)

    def end(self) -> None:
        self.agent.stop(signal.SIGTERM)
        self.ended_count += 1


class Stepped(SystemClock):
    """A wall clock that somebody puts forward."""

    def __init__(self) -> None:
        super().__init__()
        self.step_s = 0.0

    def wall_s(self) -> float:
        return super().wall_s() + self.step_s


class Rack:
    """Nodes by name, and who sits where."""

    def __init__(self, *there: str) -> None:
        self.there = list(there)
        self.seats: list[tuple[str, Path, Seat]] = []

    def names(self) -> Sequence[str]:
        return self.there

    def begin(self, node: str, share: str, path: Path, arguments: Sequence[str]) -> Remote:
        seat = Seat()
        seat.agent.begin(share, str(path), arguments)
        self.seats.append((node, path, seat))
        return seat

    def lose(self, node: str) -> None:
        self.there.remove(node)
        for place, _, seat in self.seats:
            if place == node:
                seat.is_gone = True


def scenario(duration: str, **changes: object) -> Scenario:
    phase = {"name": "only", "duration": duration, "mix": {"store": 1, "get": 1}}
    tree = {"name": "test", "rate": "200/s", "target": "null", "phases": [phase]}
    observe = {"window": "1s", "judge": "1s", "sample": "500ms"}
    return resolve(tree | {"checks": CHECKS, "observe": observe} | changes, "test")


def ran(
    path: Path,
    asked: Scenario,
    nodes: Rack,
    workers: int,
    show: Callable[[Snapshot], None] = lambda snapshot: None,
    clock: Clock | None = None,
) -> tuple[Snapshot, RunDirectory]:
    directory = RunDirectory(path / "run")
    head = Head(asked, directory, clock or SystemClock(), ["soak"], nodes, workers)
    last = head.run(StopRequest(), show)
    directory.replace_json(directory.report, document(last))
    return last, directory


def test_two_workers_are_one_run(tmp_path: Path) -> None:
    nodes = Rack("a", "b")
    last, directory = ran(tmp_path, scenario("3s"), nodes, 2)
    told = [json.loads((path / "report.json").read_text()) for _, path, _ in nodes.seats]
    record = load_run(directory.path)

    assert (Status.PASS, "finished") == (last.verdict.status, last.state), last.verdict.reason
    assert ["a", "b"] == [node for node, _, _ in nodes.seats]
    for name, totals in last.operations.items():
        assert sum(each["operations"][name]["count"] for each in told) == totals.count
        assert totals.count == record.windows.of(name)["count"].sum()
        with np.load(directory.histograms) as counts:
            assert totals.count == counts[f"{name}.latency"].sum()
    assert 2 == len({each["seed"] for each in told})
    assert {1} == {seat.ended_count for _, _, seat in nodes.seats}
    assert () == record.notes or "worker.jsonl" in record.notes[0]


def test_the_share_of_a_lost_node_is_taken_over(tmp_path: Path) -> None:
    nodes, clock = Rack("a", "b", "c"), Stepped()

    def show(snapshot: Snapshot) -> None:
        if snapshot.elapsed_s > 2 and "b" in nodes.there:
            nodes.lose("b")
            clock.step_s = 3600.0

    last, directory = ran(tmp_path, scenario("8s"), nodes, 2, show, clock)
    events = {event.kind: event.details for event in last.events}
    told = [load_run(path).document["operations"] for _, path, _ in nodes.seats]

    assert ["a", "b", "c"] == [node for node, _, _ in nodes.seats]
    assert {"worker": 1, "node": "b", "reason": "the node went away"} == events["worker_lost"]
    assert (1, "c") == (events["share_taken_over"]["worker"], events["share_taken_over"]["node"])
    assert directory.path.resolve() / "worker-1-1" == nodes.seats[2][1]
    assert "finished" == last.state
    assert 3600 > last.elapsed_s, "the run's time is no wall clock's"
    assert Status.PASS is last.verdict.status, last.verdict.reason
    for name, totals in last.operations.items():
        kept = sum(each[name]["count"] for each in (told[0], told[2]))
        # What the lost one had told of its results until then.
        assert kept < totals.count <= kept + told[1][name]["count"]


def test_a_target_that_cannot_start_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    params = {"url": "http://127.0.0.1:$port", "store": {"path": "/memories"}}
    phase = {"name": "only", "duration": "3s", "mix": {"store": 1}}
    asked = scenario("3s", target={"name": "http", "params": params}, phases=[phase])

    with pytest.raises(Refused, match="worker 0: target http") as refused:
        ran(tmp_path, asked, Rack("a"), 1)

    assert ExitCode.TARGET == refused.value.exit_code
    assert not (tmp_path / "run").exists()


def test_more_workers_than_nodes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"has 1 nodes.*pass --workers 1"):
        ran(tmp_path, scenario("3s"), Rack("a"), 2)


def test_a_stopped_run_says_so(tmp_path: Path) -> None:
    stop = StopRequest()
    head = Head(
        scenario("60s"), RunDirectory(tmp_path / "run"), SystemClock(), [], Rack("a", "b"), 2
    )

    def show(snapshot: Snapshot) -> None:
        stop.signal_number = signal.SIGTERM

    last = head.run(stop, show)

    assert (143, "interrupted") == (last.verdict.exit_code, last.state)
