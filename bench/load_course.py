"""How does a real worker process keep its schedule? Runs of the load path without a controller."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soak.clock import NS_PER_S, monotonic_ns, process_cpu_ns, sleep_s
from soak.load.feeder import Feeder
from soak.load.ring import Ring
from soak.load.workload import Workload
from soak.rundir import RunDirectory
from soak.scenario import dump, resolve
from soak.watch.windows import Windows
from soak.watch.worker_log import LogTail, WorkerFacts

ROOT = Path(__file__).parent.parent
TICK_S = 0.1
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a run measured. Times in ns, CPU per operation; memory is anonymous bytes."""

    due_ns: Integers
    start_ns: Integers
    is_idle: NDArray[np.bool_]
    windows: Windows
    hiccup: Mapping[str, float]
    worker_cpu_ns: float
    feeder_cpu_ns: float
    worker_growth_bytes: float
    feeder_growth_bytes: float

    def rate_error(self, rate_per_s: float) -> float:
        """How far the rate from the first to the last start is off, as a share."""
        taken_s = (int(self.start_ns[-1]) - int(self.start_ns[0])) / NS_PER_S
        return (self.start_ns.size - 1) / taken_s / rate_per_s - 1

    def idle_lateness_s(self, share: float) -> float:
        late_ns = (self.start_ns - self.due_ns)[self.is_idle]
        return float(np.quantile(late_ns, share)) / NS_PER_S if late_ns.size else float("nan")


def run(directory: Path, rate_per_s: float, duration_s: float, *, keep: bool = True) -> Course:
    """Gets at constant arrivals against a target that answers at once."""
    return _run(directory, rate_per_s, duration_s, at_get=0, keep=keep)


def run_with_stall(directory: Path, rate_per_s: float, duration_s: float) -> Course:
    """The same with a second without an answer in the middle."""
    at_get = round(rate_per_s * duration_s / 2)
    return _run(directory, rate_per_s, duration_s, at_get=at_get, keep=True)


def _run(
    directory: Path, rate_per_s: float, duration_s: float, *, at_get: int, keep: bool
) -> Course:
    directory.mkdir()
    phase = {
        "name": "only",
        "duration": f"{duration_s:.6f}s",
        "arrivals": "constant",
        "mix": {"get": 1},
    }
    scenario = resolve(
        {
            "name": "bench",
            "rate": f"{rate_per_s:.0f}/s",
            "target": {"name": "bench.stalling", "params": {"at_get": at_get}},
            "population": {"keys": 10_000, "preload": 10_000},
            "phases": [phase],
        },
        "bench",
    )
    here = RunDirectory(directory)
    here.scenario.write_text(dump(scenario))
    ring = Ring.create(here.ring)
    worker = subprocess.Popen(
        [sys.executable, "-m", "soak.worker", str(directory)],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
    )
    try:
        return _Follower(ring, Feeder(Workload(scenario), ring), worker.pid, here, keep).follow()
    finally:
        worker.terminate()
        worker.wait()


class _Follower:
    """Feeds and drains one run; `keep` keeps every result, which a long one must not."""

    def __init__(
        self, ring: Ring, feeder: Feeder, pid: int, directory: RunDirectory, keep: bool
    ) -> None:
        self._ring = ring
        self._feeder = feeder
        self._pid = pid
        self._keep = keep
        self._tail = LogTail(directory.worker_log)
        self._facts = WorkerFacts()
        self._windows = Windows(["get"], 10.0, 30.0)
        self._columns: list[tuple[Integers, Integers, NDArray[np.bool_]]] = []
        self._count = 0

    def follow(self) -> Course:
        while self._facts.ready is None:
            self._listen()
            sleep_s(0.02)
        self._ring.start(monotonic_ns() + NS_PER_S // 4)
        cpu_ns, own_cpu_ns = _cpu_ns(self._pid), process_cpu_ns()
        early: tuple[int, int, int] | None = None
        while not self._ring.is_done():
            self._turn()
            # The first operations fill caches and pools; what grows after them is growth.
            if early is None and self._count > 0 and self._count >= self._warm_count():
                early = self._count, _anonymous_bytes(self._pid), _anonymous_bytes(os.getpid())
        counted, worker_bytes, own_bytes = early or (0, 0, 0)
        more = max(1, self._count - counted)
        columns = [np.concatenate(parts) for parts in zip(*self._columns, strict=True)]
        return Course(
            due_ns=columns[0],
            start_ns=columns[1],
            is_idle=columns[2],
            windows=self._windows,
            hiccup=self._facts.hiccup,
            worker_cpu_ns=(_cpu_ns(self._pid) - cpu_ns) / self._count,
            feeder_cpu_ns=(process_cpu_ns() - own_cpu_ns) / self._count,
            worker_growth_bytes=(_anonymous_bytes(self._pid) - worker_bytes) / more,
            feeder_growth_bytes=(_anonymous_bytes(os.getpid()) - own_bytes) / more,
        )

    def _warm_count(self) -> int:
        return 1_000_000 if not self._keep else 1

    def _turn(self) -> None:
        """A tick; without a pause while there is more to do than one tick holds."""
        self._feeder.feed(monotonic_ns())
        found = self._ring.drain()
        self._count += len(found)
        self._windows.add(found.operation, found.due_ns, found.start_ns, found.end_ns, found.code)
        if self._keep or not self._columns:
            self._columns.append((found.due_ns, found.start_ns, found.is_idle))
        self._listen()
        sleep_s(TICK_S if len(found) < self._ring.size // 4 else 0.0)

    def _listen(self) -> None:
        for line in self._tail.new_lines():
            self._facts.fold(line)
        assert not self._facts.failed, self._facts.failed


def _cpu_ns(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks * NS_PER_S // os.sysconf("SC_CLK_TCK")


def _anonymous_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024
