import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from soak.clock import NS_PER_S, monotonic_ns, sleep_s
from soak.load.feeder import Feeder
from soak.load.results import Results
from soak.load.ring import Ring
from soak.load.workload import Workload
from soak.result import OUTCOME_MASK, Outcome
from soak.rundir import RunDirectory
from soak.scenario import Scenario, dump, resolve
from soak.watch.worker_log import LogTail, WorkerFacts

ROOT = Path(__file__).parent.parent
PATIENCE_S = 30.0

# What `-c` runs: a controller that starts a worker, says its pid and dies without a word.
DEAD_CONTROLLER = """
import os, subprocess, sys
worker = subprocess.Popen([sys.executable, "-m", "soak.worker", sys.argv[1]])
print(worker.pid, flush=True)
sys.stdin.read()
os._exit(1)
"""


def scenario(
    what: str = "answer",
    clients: int = 1,
    arrivals: object = "constant",
    duration: str = "500ms",
) -> Scenario:
    """Gets and a few stores at 400/s."""
    return resolve(
        {
            "name": "test",
            "seed": 7,
            "rate": "400/s",
            "target": {
                "name": "tests.scripted_target",
                "params": {"what": what},
                "clients": clients,
            },
            "population": {"keys": 1000, "preload": 50},
            "phases": [
                {
                    "name": "only",
                    "duration": duration,
                    "arrivals": arrivals,
                    "mix": {"get": 9, "store": 1},
                }
            ],
        },
        "test",
    )


class Bench:
    """What a controller has, without one."""

    def __init__(self, scenario: Scenario, path: Path) -> None:
        self.directory = RunDirectory(path)
        self.directory.scenario.write_text(dump(scenario))
        self.ring = Ring.create(self.directory.ring, 4096)
        self.feeder = Feeder(Workload(scenario), self.ring)
        self.results: list[Results] = [self.ring.drain()]
        self.facts = WorkerFacts()
        self._tail = LogTail(self.directory.worker_log)
        command = [sys.executable, "-m", "soak.worker", str(path)]
        self.worker = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)

    def turn(self) -> None:
        """What a controller does ten times a second."""
        for line in self._tail.new_lines():
            self.facts.fold(line)
        if self.ring.t0_ns:
            self.feeder.feed(monotonic_ns())
            self.results.append(self.ring.drain())

    def until(self, is_true: Callable[[], object]) -> None:
        """Turn until it is true; a test that waits in vain fails."""
        deadline_ns = monotonic_ns() + round(PATIENCE_S * NS_PER_S)
        while not is_true():
            assert monotonic_ns() < deadline_ns, "waited in vain"
            self.turn()
            sleep_s(0.02)

    def start(self) -> None:
        self.until(lambda: self.facts.ready or self.worker.poll() is not None)
        self.ring.start(monotonic_ns() + NS_PER_S // 10)

    def column(self, name: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.concatenate([getattr(part, name) for part in self.results]).astype(np.int64)

    def stop(self) -> int:
        self.worker.terminate()
        code = self.worker.wait(PATIENCE_S)
        self.turn()
        return code


@contextmanager
def bench(scenario: Scenario, path: Path) -> Iterator[Bench]:
    started = Bench(scenario, path)
    try:
        yield started
    finally:
        started.worker.kill()
        started.worker.communicate()


def test_every_scheduled_operation_comes_back_once(tmp_path: Path) -> None:
    with bench(scenario(clients=3), tmp_path) as run:
        run.start()
        run.until(run.ring.is_done)
        code = run.stop()

    assert 0 == code
    assert list(range(200)) == sorted(run.column("index"))
    assert {Outcome.OK, Outcome.MISSING} >= set(run.column("code") & OUTCOME_MASK)


def test_due_start_and_end_are_kept_apart(tmp_path: Path) -> None:
    with bench(scenario(), tmp_path) as run:
        run.start()
        run.until(run.ring.is_done)
        t0_ns = run.ring.t0_ns

    due_ns, start_ns, end_ns = (run.column(f"{name}_ns") for name in ("due", "start", "end"))
    expected = t0_ns + np.arange(1, 201) * (NS_PER_S // 400)
    assert expected.tolist() == due_ns.tolist()
    assert (start_ns >= due_ns).all()
    assert (end_ns >= start_ns).all()


@pytest.mark.parametrize(("what", "kind"), [("raise", "OSError"), ("panic", "Panic")])
def test_what_a_target_raises_is_an_outcome_with_its_class(
    what: str, kind: str, tmp_path: Path
) -> None:
    with bench(scenario(what), tmp_path) as run:
        run.start()
        run.until(run.ring.is_done)
        code = run.stop()

    outcomes = run.column("code") & OUTCOME_MASK
    assert (0, 1) == (code, np.count_nonzero(outcomes == Outcome.ERROR))
    assert {1: kind} == run.facts.error_types


def test_whoever_was_due_during_a_stall_has_waited_for_its_end(tmp_path: Path) -> None:
    with bench(scenario("stall", duration="1500ms"), tmp_path) as run:
        run.start()
        run.until(run.ring.is_done)

    due_ns, start_ns, end_ns = (run.column(f"{name}_ns") for name in ("due", "start", "end"))
    stalled = int(np.argmax(end_ns - start_ns))
    stall_end_ns = end_ns[stalled]
    waiting = (due_ns > due_ns[stalled]) & (due_ns < stall_end_ns)
    assert stall_end_ns - start_ns[stalled] >= NS_PER_S
    # At 400/s a second of stall keeps 399 or 400 others waiting.
    assert np.count_nonzero(waiting) >= 399
    assert (start_ns[waiting] >= stall_end_ns).all()


def test_an_operation_that_hangs_is_seen_while_it_hangs(tmp_path: Path) -> None:
    with bench(scenario("hang"), tmp_path) as run:
        run.start()
        run.until(lambda: len(run.column("index")) and run.ring.oldest_unfinished(monotonic_ns()))
        sleep_s(0.2)
        run.turn()
        index, _, due_ns, start_ns = run.ring.oldest_unfinished(monotonic_ns()) or (0, 0, 0, 0)
        hung_ns = monotonic_ns() - start_ns
        run.feeder.stop(monotonic_ns())
        abandoned = run.ring.abandon_unfinished(monotonic_ns())

    assert len(run.column("index")) == index
    assert start_ns >= due_ns > 0
    assert hung_ns > 0
    assert {int(Outcome.TIMEOUT)} == set(abandoned.code.tolist())
    assert index == abandoned.index[0]


def test_a_hanging_operation_does_not_keep_the_worker_alive(tmp_path: Path) -> None:
    with bench(scenario("hang"), tmp_path) as run:
        run.start()
        run.until(lambda: len(run.column("index")) > 5)
        code = run.stop()

    assert 0 == code
    assert run.facts.stopped


def test_interrupting_the_terminal_leaves_the_worker_to_its_controller(tmp_path: Path) -> None:
    with bench(scenario(), tmp_path) as run:
        run.start()
        run.worker.send_signal(signal.SIGINT)
        run.until(run.ring.is_done)
        code = run.stop()

    assert 0 == code
    assert 200 == len(run.column("index"))
    assert (tmp_path / "data" / "closed").exists()


def test_where_memory_runs_out_the_worker_goes_first(tmp_path: Path) -> None:
    with bench(scenario(), tmp_path) as run:
        run.start()
        score = Path(f"/proc/{run.worker.pid}/oom_score_adj").read_text()
        run.stop()

    assert "1000\n" == score


def test_a_target_that_cannot_be_built_is_unavailable_in_its_own_words(tmp_path: Path) -> None:
    with bench(scenario("refuse_to_start"), tmp_path) as run:
        code = run.worker.wait(PATIENCE_S)
        run.turn()

    assert 14 == code
    assert "no such engine on this machine" == run.facts.unavailable


def test_a_target_that_is_gone_for_good_ends_the_worker(tmp_path: Path) -> None:
    with bench(scenario("leave"), tmp_path) as run:
        run.start()
        run.until(lambda: run.worker.poll() is not None)
        run.turn()

    assert 14 == run.worker.returncode
    assert "gone for good" == run.facts.unavailable


@pytest.mark.parametrize("clients", [1, 4])
def test_closed_clients_go_on_when_they_are_free(clients: int, tmp_path: Path) -> None:
    arrivals = {"kind": "closed", "params": {"think": "20ms"}}
    with bench(scenario(clients=clients, arrivals=arrivals), tmp_path) as run:
        run.start()
        run.until(run.ring.is_done)
        t0_ns = run.ring.t0_ns

    due_ns, start_ns = run.column("due_ns"), run.column("start_ns")
    count = len(due_ns)
    assert (start_ns >= due_ns).all()
    assert 0 <= due_ns.min() - t0_ns
    assert due_ns.max() - t0_ns < NS_PER_S // 2
    # Half a second of waits of 20 ms is at most 25 a client, however fast the machine.
    assert 0 < count <= 26 * clients
    assert run.ring.void_count > 0


def test_a_worker_whose_controller_died_closes_its_target_and_ends(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.scenario.write_text(dump(scenario()))
    Ring.create(run.ring, 4096).close()
    command = [sys.executable, "-c", DEAD_CONTROLLER, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as controller:
        assert controller.stdout is not None
        worker = int(controller.stdout.readline())
        tail, facts = LogTail(run.worker_log), WorkerFacts()
        deadline_ns = monotonic_ns() + round(PATIENCE_S * NS_PER_S)
        while facts.ready is None and monotonic_ns() < deadline_ns:
            sleep_s(0.02)
            for line in tail.new_lines():
                facts.fold(line)

    while _is_alive(worker) and monotonic_ns() < deadline_ns:
        sleep_s(0.02)
    for line in tail.new_lines():
        facts.fold(line)
    assert not _is_alive(worker)
    assert facts.stopped
    assert (tmp_path / "data" / "closed").exists()


def _is_alive(pid: int) -> bool:
    """False also for a process that ended and that nobody has waited for."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and " Z " not in stat.read_text()


def test_a_target_with_bad_moments_is_filled_all_the_same(tmp_path: Path) -> None:
    tree = scenario().model_dump(mode="json")
    tree["target"] = {"name": "faulty", "params": {"error_ratio": 0.3}}
    with bench(resolve({**tree, "checks": []}, "test"), tmp_path) as run:
        run.start()
        assert run.facts.ready, run.facts.unavailable
        run.until(lambda: run.facts.counters)
        assert run.facts.counters["stored"] >= 50
        run.stop()
