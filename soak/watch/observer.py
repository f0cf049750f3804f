"""What has been seen so far? Results, samples and the worker's words, folded as they come.

Two threads come here: the controller's loop (results, windows, the worker's log) and the sampling
job. One lock guards the series; nothing is read from the target or from /proc under it.
"""

import itertools
import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from pathlib import Path

import numpy as np

from soak.clock import NS_PER_S, TIME_SCALE, Clock
from soak.histogram import Histogram
from soak.judge.certificate import SamplerRecord
from soak.load.results import Results
from soak.plugins import load
from soak.rundir import LineLog, RunDirectory
from soak.scenario import Scenario
from soak.seams import Floats, SampleError, Sampler, Subject
from soak.series import Series
from soak.snapshot import NAN
from soak.state import Tree, put_back, taken
from soak.watch.events import EventLog
from soak.watch.outliers import Outliers
from soak.watch.upkeep import Upkeep
from soak.watch.windows import HEADER, Window, Windows
from soak.watch.worker_log import Line, LogTail, WorkerFacts

SAMPLERS = ("process", "disk", "host", "network", "reported", "tester")
# Rows of samples.csv over a whole run; a longer run writes every n-th sample.
SAMPLE_ROWS = 21_600
# The columns of samples.csv are those of the first few samples: a sampler may need a second one
# for a difference. What appears later is in the series, the metrics and the report.
HEADER_AFTER = 3
# Counters of processes and of the machine: when a run goes on they do where they were.
CUMULATIVE = (
    *("cpu_s", "cpu_wait_s", "tester_cpu_s", "host_busy_s", "host_throttled_s"),
    *("faults_minor", "faults_major", "read_bytes", "written_bytes"),
    *("tcp_sent_bytes", "tcp_received_bytes"),
    *("host_loopback_bytes", "host_received_bytes", "host_sent_bytes"),
)
# Away for longer, the tester was stopped or frozen, or its machine was: nobody schedules, and what
# falls due comes late. Shorter, and the schedule that is written ahead hardly lets it be felt.
STANDSTILL_S = 5.0 * TIME_SCALE
MAX_STANDSTILLS = 1_000  # the latest
STATE = (
    *("idle_lateness", "result_count", "unissued_count", "latest", "ranges", "standstills_s"),
    *("_sample_header", "_sample_count", "_waiting"),
)


class Observer:
    """Everything measured in one run. Time zero is `events.origin_ns`."""

    def __init__(
        self,
        scenario: Scenario,
        directory: RunDirectory,
        clock: Clock,
        events: EventLog,
        facts: WorkerFacts,
        tail: LogTail,
    ) -> None:
        self._clock = clock
        self._events = events
        self._tail = tail
        self.facts = facts
        self.windows = Windows(
            scenario.operations,
            scenario.observe.window,
            scenario.target.timeout,
            sum(itertools.takewhile(bool, (phase.warm for phase in scenario.phases))),
        )
        self._operations_log = LineLog(directory.operations)
        self.outliers = Outliers(
            self._operations_log,
            events,
            [phase.name for phase in scenario.phases],
            timeout_s=scenario.target.timeout,
            planned_s=scenario.duration_s,
        )
        self.idle_lateness = Histogram()
        self.result_count = 0
        self.unissued_count = 0  # no client came to them within the planned time
        self.hanging_count = 0
        self._given_up_count = 0
        self._planned_ns = round(scenario.duration_s * NS_PER_S)
        self._sample_s = scenario.observe.sample
        self._sampled_s = 0.0
        self.standstills_s: deque[tuple[float, float]] = deque(maxlen=MAX_STANDSTILLS)
        self.series = Series()
        self.latest: dict[str, float] = {}
        self.ranges: dict[str, tuple[float, float, float]] = {}
        self.sampler_records = {name: SamplerRecord() for name in SAMPLERS}
        self.sampler_success = dict.fromkeys(SAMPLERS, True)
        self._samplers = _build_samplers(self._subject())
        self._upkeep = Upkeep()
        self._before: dict[str, float] = {}  # a gap, CUMULATIVE columns
        self._carried: dict[str, float] = {}  # what is added to them since
        self._lock = threading.Lock()
        self._windowed: dict[str, float] = {}
        self._samples_log = LineLog(directory.samples)
        self._sample_header: list[str] = []
        self._sample_count = 0
        self._waiting: list[Mapping[str, float]] = []
        self._samples_every = max(
            1, round(scenario.duration_s / scenario.observe.sample / SAMPLE_ROWS)
        )
        self._windows_log = LineLog(directory.windows)
        self._windows_log.begin(HEADER)

    def take(self, results: Results) -> None:
        """Fold what was drained."""
        if not len(results):
            return
        times = results.due_ns, results.start_ns, results.end_ns
        self.windows.add(results.operation, *times, results.code, results.phase)
        self.outliers.take(results)
        late_ns = results.start_ns - results.due_ns
        self.idle_lateness.add(late_ns[results.is_idle])
        self.result_count += len(results)
        planned_end_ns = self._events.origin_ns + self._planned_ns
        self.unissued_count += int(np.count_nonzero(results.start_ns > planned_end_ns))

    def abandon(self, results: Results, now_ns: int) -> None:
        """Fold what was given up on at the end; what was in the target hangs there."""
        self.take(results)
        self._given_up_count = len(results)
        self.hanging_count = int(np.count_nonzero(results.start_ns < now_ns))

    def follow_worker(self) -> None:
        """Take in what the worker wrote since the last call; its events become the run's."""
        for line in self._tail.new_lines():
            self.facts.fold(line)
            if line.get("kind") == "maintenance":
                self._declare(line)

    def note_turn(self, before_ns: int, now_ns: int) -> None:
        """The controller's loop turned then and now: ends of a standstill, if that is long ago."""
        away_s = (now_ns - before_ns) / NS_PER_S
        if away_s > STANDSTILL_S:
            event = self._events.add("standstill", "detected", before_ns, away_s)
            self.standstills_s.append((event.time_s, event.time_s + away_s))

    def close_window(
        self,
        end_s: float,
        phase: str,
        due_count: int,
        in_flight_s: float = 0.0,
        *,
        is_measured: bool,
    ) -> list[Window]:
        """Write the open window's rows, and let the next sample carry its quantiles.

        A window in which no time passed stays open: a run that was killed as soon as it went on has
        operations that began, and not a moment in which they did. due_count: operations that were
        to be issued since the run began. in_flight_s: how long the target has had the one that it
        has had for longest; who waits for a call that never comes back stands still, too.
        """
        opened_s = self.windows.opened_s
        if end_s <= opened_s:
            return []
        pending_count = due_count - self.result_count
        rows = self.windows.close(end_s, phase, pending_count, is_measured=is_measured)
        self.outliers.close(end_s)
        figures: dict[str, float] = {}
        for row in rows:
            self._windows_log.append_row(row.row())
            figures[f"{row.operation}_p50_s"] = row.latency.p50
            figures[f"{row.operation}_p99_s"] = row.latency.p99
            figures[f"{row.operation}_service_p50_s"] = row.service.p50
            figures[f"{row.operation}_service_p99_s"] = row.service.p99
        longest_s = max([in_flight_s, *(row.service.max for row in rows)])
        # Once the load is over its last answers are waited for, and nothing is asked.
        if (loaded_s := min(end_s, self._planned_ns / NS_PER_S) - opened_s) > 0:
            answered_count = sum(row.count for row in rows) - self._given_up_count
            figures["achieved_per_s"] = answered_count / loaded_s
        with self._lock:
            if rows or in_flight_s:
                # The next sample may come after several windows.
                longest_s = max(longest_s, self._windowed.get("stall_s_max", 0.0))
                figures["stall_s_max"] = longest_s
            self._windowed |= figures
        return rows

    def sample(self, known: Mapping[str, float]) -> None:
        """One row: what the samplers read, what `known` adds, and the last window's figures."""
        at_s = (self._clock.monotonic_ns() - self._events.origin_ns) / NS_PER_S
        self._count_missed(at_s)
        sampled = {"bare_bytes": self.facts.bare_bytes}
        for name, sampler in self._samplers.items():
            sampled |= self._read(name, sampler)
        self._carry_on(sampled)
        row = {"t_s": at_s, "errors_total": float(self.windows.failed_count()), **known, **sampled}
        self._tell_upkeep(row)
        with self._lock:
            row |= self._windowed
            self._windowed = {}
            self.series.append(row)
        self.latest |= {name: value for name, value in row.items() if value == value}
        for name, value in sampled.items():
            if value == value:
                first, _, most = self.ranges.get(name, (value, value, value))
                self.ranges[name] = first, value, max(most, value)
        self._log_sample(row)

    def _count_missed(self, at_s: float) -> None:
        """Samples that were due since the last one and not taken, by whatever kept us away."""
        missed = round((at_s - self._sampled_s) / self._sample_s) - 1
        self._sampled_s = at_s
        for record in self.sampler_records.values():
            for _ in range(missed):
                record.add(is_good=False)

    def _carry_on(self, sampled: dict[str, float]) -> None:
        for name in [name for name in CUMULATIVE if name in sampled]:
            if name in self._before:
                self._carried[name] = self._before.pop(name) - sampled[name]
            sampled[name] += self._carried.get(name, 0.0)

    def state(self) -> Tree:
        """Everything but what samplers and the watch for maintenance remember."""
        with self._lock:
            series = self.series.state()
        kept = {name: copy(value) for name, value in taken(self, STATE).items()}
        records = {name: taken(each, each.__slots__) for name, each in self.sampler_records.items()}
        parts = {"windows": self.windows.state(), "outliers": self.outliers.state()}
        return {**kept, **parts, "series": series, "samplers": records}

    def restore(self, tree: Tree) -> None:
        """What `state` gave."""
        put_back(self, {name: tree[name] for name in STATE})
        self.windows.restore(tree["windows"])
        self.outliers.restore(tree["outliers"])
        self.series.restore(tree["series"])
        for name, record in tree["samplers"].items():
            put_back(self.sampler_records[name], record)
        self._before = {name: self.latest[name] for name in CUMULATIVE if name in self.latest}

    def resume(self, at_s: float) -> None:
        """What was not sampled before that time nobody could have sampled."""
        self._sampled_s = at_s

    def excuse(self, length_s: float) -> None:
        """For so long nobody was to sample: the load was over, its last answers were waited for."""
        self._sampled_s += length_s

    def columns(
        self, names: Collection[str] | None = None, room: dict[str, Floats] | None = None
    ) -> dict[str, Floats]:
        """Copies of those columns of the series, or of all; room as `Series.columns` has it."""
        with self._lock:
            return self.series.columns(names, room)

    @property
    def logs(self) -> tuple[LineLog, LineLog, LineLog]:
        """samples.csv, windows.csv and operations.csv."""
        return self._samples_log, self._windows_log, self._operations_log

    def _subject(self) -> Subject:
        return Subject(
            pids=lambda: [p for p in _sequence(self.facts.ready, "pids") if isinstance(p, int)],
            directories=lambda: [Path(str(d)) for d in _sequence(self.facts.ready, "directories")],
            reported=self._reported,
            clock=self._clock,
        )

    def _reported(self) -> tuple[Mapping[str, float], float]:
        age_s = (self._clock.monotonic_ns() - self.facts.stats_ns) / NS_PER_S
        return self.facts.stats, age_s

    def _read(self, name: str, sampler: Sampler) -> Mapping[str, float]:
        """The sampler's figures. A failure is an event when it begins, and always counted."""
        try:
            figures = sampler.sample()
        except SampleError as error:
            if self.sampler_success[name]:
                details = {"sampler": name, "reason": str(error)}
                self._events.add(
                    "sampler_failed", "detected", self._clock.monotonic_ns(), 0, details
                )
            figures = {}
            self.sampler_success[name] = False
        else:
            self.sampler_success[name] = True
        self.sampler_records[name].add(is_good=self.sampler_success[name])
        return figures

    def _declare(self, line: Line) -> None:
        details = {
            key: value
            for key, value in line.items()
            if key not in ("kind", "t_ns", "event", "start_ns")
            and isinstance(value, int | float | str | bool)
        }
        kind, start_ns = str(line.get("event")), line.get("start_ns")
        at_ns = start_ns if isinstance(start_ns, int) else self._clock.monotonic_ns()
        self._events.add_maintenance(kind, "declared", at_ns, details)

    def _tell_upkeep(self, row: Mapping[str, float]) -> None:
        """Maintenance that this sample shows from outside becomes an event."""
        for seen in self._upkeep.take({name: v for name, v in row.items() if v == v}):
            at_ns = self._events.origin_ns + round(seen.start_s * NS_PER_S)
            details = {
                "duration_s": seen.end_s - seen.start_s,
                "records": round(seen.records),
                "bytes_reclaimed": round(seen.bytes_reclaimed),
            }
            self._events.add_maintenance(seen.kind, "detected", at_ns, details)

    def _log_sample(self, row: Mapping[str, float]) -> None:
        """The first rows wait until the columns are known; then every n-th goes to the file."""
        self._sample_count += 1
        if not self._sample_header:
            self._waiting.append(row)
            if len(self._waiting) < HEADER_AFTER:
                return
            per_window = [f"{o}_{q}_s" for o in self.windows.totals() for q in ("p50", "p99")]
            seen = [name for waiting in self._waiting for name in waiting]
            self._sample_header = list(dict.fromkeys([*seen, *per_window, "achieved_per_s"]))
            self._samples_log.begin(",".join(self._sample_header))
            for waiting in self._waiting:
                self._write_sample(waiting)
            self._waiting.clear()
        elif self._sample_count % self._samples_every == 0:
            self._write_sample(row)

    def _write_sample(self, row: Mapping[str, float]) -> None:
        self._samples_log.append_row([row.get(name, NAN) for name in self._sample_header])


def _build_samplers(subject: Subject) -> dict[str, Sampler]:
    return {name: load("samplers", name).build(subject) for name in SAMPLERS}


def _sequence(line: Line | None, name: str) -> Sequence[object]:
    value = line.get(name) if line else None
    return value if isinstance(value, list) else []
