"""How does a run go from start to verdict? The process that schedules, drains, watches and judges.

    start:   run directory -> ring -> worker process -> ready -> time zero
    resume:  checkpoint -> what the ring still knows -> the same, where run time stopped
    tick:    feed the schedule ahead, drain results, follow the worker's log   (ten a second)
    keep:    checkpoint (every ten seconds)
    jobs:    sample (every second), judge (every ten): APScheduler, an executor each
    stop:    last results -> last window -> last sample -> verdict -> report.json

The load never waits for any of this: what it needs is in the ring seconds ahead.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from soak.clock import NS_PER_S, Clock
from soak.load.feeder import Feeder
from soak.load.ring import Ring
from soak.load.salvage import blocks
from soak.load.turns import beginning
from soak.load.workload import Workload
from soak.logs import log
from soak.rundir import LineLog, RunDirectory, RunDirError
from soak.scenario import Scenario, dump
from soak.snapshot import Snapshot, State
from soak.state import Tree
from soak.watch.allocator import settle, sweep
from soak.watch.checkpoint import Checkpoints, NotResumable, Parts, Standing
from soak.watch.conditions import Moment, hang_of
from soak.watch.ending import Ending, write_checkpoint, write_histograms
from soak.watch.environment import describe, identity_of, with_target
from soak.watch.events import EventLog
from soak.watch.jobs import Notice, every
from soak.watch.losses import Losses
from soak.watch.observer import Observer
from soak.watch.pages import Pages
from soak.watch.readiness import Stopped, await_ready
from soak.watch.resumption import Stop, absent_s, await_release, forget_end, taken_up
from soak.watch.status import Status, starting
from soak.watch.stopping import StopRequest
from soak.watch.worker_log import LogTail, WorkerFacts
from soak.watch.worker_process import WorkerProcess

TICK_S = 0.1
SNAPSHOT_S = 1.0

Show = Callable[[Snapshot], None]


class Controller:
    """One run, from an empty run directory to its report.json."""

    def __init__(
        self,
        scenario: Scenario,
        directory: RunDirectory,
        clock: Clock,
        arguments: Sequence[str],
        gate: Mapping[str, object],
        kept: Tree | None = None,
    ) -> None:
        """gate: for gate.json, if any. kept: the checkpoint of a run to go on with."""
        self._scenario = scenario
        self._directory = directory
        self._clock = clock
        self._environment = describe(arguments)
        self._identity = identity_of(scenario, directory, clock)
        self.latest = starting(self._identity, scenario)
        self._facts = WorkerFacts()
        self._tail = LogTail(directory.worker_log)
        self._ending = Ending.of(scenario)
        self._broken_jobs: set[str] = set()  # they raised, and would do so again at the end
        self._gate = gate
        self._kept = kept
        self._standing = Standing()
        self._stop: Stop | None = None
        self._has_begun = kept is not None
        self.t0_ns = 0  # time zero on the monotonic clock; 0 before
        self.beat_ns = clock.monotonic_ns()

    def run(self, stop: StopRequest, show: Show) -> Snapshot:
        """Block until the run is over; show gets a snapshot a second.

        Makes the run directory. Raises RunDirError, NotResumable, Stopped, and Unavailable when the
        target cannot start.
        """
        if self._kept is None:
            self._directory.make()
        held = self._directory.claim(self._directory.path)
        if held is None:
            raise NotResumable(f"{self._directory.path}: this run is still going on")
        try:
            return self._run(stop, show)
        except (RunDirError, NotResumable, Stopped):
            self._directory.ring_to_be.unlink(missing_ok=True)
            if not self._has_begun:
                self._directory.discard()
            raise
        finally:
            self._directory.release(held)

    def _run(self, stop: StopRequest, show: Show) -> Snapshot:
        if self._kept is None:
            self._directory.replace(self._directory.scenario, dump(self._scenario).encode())
            self._directory.replace_json(self._directory.environment, self._environment)
        else:
            await_release(self._directory, self._clock)
        self._prepare()
        with WorkerProcess(self._scenario, self._directory, stop.closing_s) as worker:
            self._await_ready(worker, stop)
            self._begin()
            with self._jobs() as notice:
                self._loop(worker, stop, show, notice)
                over_s = self._elapsed_s()
            return self._end(worker, stop, over_s)

    def _prepare(self) -> None:
        """Build everything before time zero: what comes after it is charged to somebody."""
        scenario, directory = self._scenario, self._directory
        is_fresh = self._kept is None
        self._ring = Ring.create(directory.ring if is_fresh else directory.ring_to_be)
        self._workload = Workload(scenario)
        self._feeder = Feeder(self._workload, self._ring)
        resumption = taken_up(scenario, directory, self._kept, self._workload, self._feeder)
        self._logs = [LineLog(directory.events), LineLog(directory.verdicts)]
        self._events = EventLog(self._logs[0])
        self._observer = Observer(
            scenario, directory, self._clock, self._events, self._facts, self._tail
        )
        self._logs += self._observer.logs
        self._losses = Losses(
            directory, self._logs, self._ring, self._tail, self._events, self._clock
        )
        self._status = Status(
            scenario, self._identity, self._observer, self._events, self._logs[1], self._losses
        )
        parts = Parts(
            workload=self._workload,
            feeder=self._feeder,
            observer=self._observer,
            events=self._events,
            facts=self._facts,
            tail=self._tail,
            status=self._status,
            losses=self._losses,
            logs={log.name: log for log in self._logs},
        )
        self._checkpoints = Checkpoints(directory, parts, self._clock)
        if resumption is not None:
            self._stop, self._standing = resumption.fold(parts), resumption.standing
            resumption.carry_over(self._ring, self._checkpoints)
        self._pages = Pages(
            scenario,
            self._workload,
            self._ring,
            self._observer,
            self._events,
            self._standing,
            self._clock,
        )
        settle()

    def _await_ready(self, worker: WorkerProcess, stop: StopRequest) -> None:
        def stopped_by() -> int:
            self.beat_ns = self._clock.monotonic_ns()
            return stop.signal_number

        scenario, facts = self._scenario, self._facts
        ready = await_ready(
            worker, self._directory, scenario, facts, self._tail, self._clock, stopped_by
        )
        log().info("target_ready", target=scenario.target.name, pids=ready["pids"])
        self._environment = with_target(self._environment, ready)
        self._directory.replace_json(self._directory.environment, self._environment)

    def _begin(self) -> None:
        """Fix time zero, which every gap moves, and fill the ring."""
        self._has_begun = True
        self._status.environment = self._environment
        standing = self._standing
        begin_ns, wall_s = beginning(self._scenario.turns, self._clock)
        self.t0_ns = standing.begin(begin_ns, wall_s)
        self._events.begin(self.t0_ns, standing.wall_s)
        self._status.identity = replace(self._identity, started=standing.started_s)
        if self._stop is None:
            self._pages.begin()
        else:
            forget_end(self._directory)
            gap = standing.close_gap(absent_s(self._stop, self._clock))
            details = {"absent_s": gap.absent_s, "in_doubt": gap.in_doubt_count}
            self._events.add("gap", "detected", begin_ns, 0, details)
        self._status.gaps = standing.gaps
        if self._gate:
            self._directory.replace_json(self._directory.gate, self._gate)
        self._checkpoints.write_still(standing)
        self._ring.start(self.t0_ns)
        for block in blocks(standing.waiting, self._workload.bounds):
            self._ring.write(block)
        self._feeder.feed(self._clock.monotonic_ns())

    def beat_age_s(self) -> float:
        """How long ago the loop last turned."""
        return (self._clock.monotonic_ns() - self.beat_ns) / NS_PER_S

    def _jobs(self) -> AbstractContextManager[Notice]:
        observe = self._scenario.observe
        jobs = {"sample": (observe.sample, self._sample), "judge": (observe.judge, self._judge)}
        return every(jobs, self._on_job_error, self._clock)

    def _on_job_error(self, name: str, error: BaseException) -> None:
        self._broken_jobs.add(name)
        self._ending.tester_failure = f"{name}: {error!r}"
        log().error("job_failed", job=name, error=repr(error))

    def _sample(self) -> None:
        if (at_s := self._elapsed_s()) > self._standing.at_s:
            # The last row tells of the last window, for which load was asked until its end.
            asked_s = min(at_s, math.nextafter(self._scenario.duration_s, 0.0))
            self._observer.sample(self._status.known(self._workload.offered_rate(asked_s)))

    def _judge(self) -> None:
        self._status.judge(self._elapsed_s())
        sweep()

    def _loop(self, worker: WorkerProcess, stop: StopRequest, show: Show, notice: Notice) -> None:
        next_snapshot_ns = self.t0_ns
        self.beat_ns = self._clock.monotonic_ns()
        while not self._is_over(worker, stop):
            now_ns = self._clock.monotonic_ns()
            self._observer.note_turn(self.beat_ns, now_ns)
            self.beat_ns = now_ns
            self._feeder.feed(now_ns)
            self._observer.take(self._ring.drain())
            self._observer.follow_worker()
            self._pages.turn((now_ns - self.t0_ns) / NS_PER_S)
            if now_ns >= next_snapshot_ns:
                next_snapshot_ns = now_ns + round(SNAPSHOT_S * NS_PER_S)
                notice()
                self._losses.look()
                self.latest = self._status.snapshot(self._moment("running"))
                self._ending.heed(self.latest, self._status.held, self._events)
                show(self.latest)
            if self._checkpoints.is_due(now_ns, self._ring):
                self._keep()
            self._clock.sleep_s(TICK_S)

    def _keep(self) -> None:
        """What could not be written is tried again; till then the last one is what there is."""
        try:
            self._checkpoints.write(self._standing, self._ring)
        except RunDirError as error:
            log().warning("checkpoint_failed", error=str(error))

    def _is_over(self, worker: WorkerProcess, stop: StopRequest) -> bool:
        if self._ending.has_died(worker, self._observer):
            log().error("worker_ended", exit_code=worker.exit_code())
        self._ending.hear(self._facts)
        if stop.signal_number or self._ending.is_near:
            return True
        return self._elapsed_s() >= self._scenario.duration_s

    def _moment(self, state: State) -> Moment:
        elapsed_s, ring = self._elapsed_s(), self._ring
        now_ns = self._clock.monotonic_ns()
        lost_count = ring.folded - ring.void_count - self._observer.result_count
        lost_count -= self._standing.lost_track_count
        return Moment(
            state=state,
            phase=self._scenario.phases[self._standing.phase_index].name,
            phase_index=self._standing.phase_index,
            elapsed_s=elapsed_s,
            due_count=ring.due_count(now_ns),
            overdue_count=ring.overdue_count(now_ns),
            dropped_count=max(0, lost_count),
            written_late=self._feeder.late,
            hang=hang_of(ring, now_ns),
        )

    def _elapsed_s(self) -> float:
        return (self._clock.monotonic_ns() - self.t0_ns) / NS_PER_S

    def _end(self, worker: WorkerProcess, stop: StopRequest, over_s: float) -> Snapshot:
        """Let operations in flight end, judge a last time, and write what remains.

        over_s: when the load was, and with it the sampling.
        """
        self._keep()
        self._feeder.stop(self._clock.monotonic_ns())
        self._await_answers(worker, stop)
        now_ns = self._clock.monotonic_ns()
        self._observer.abandon(self._ring.abandon_unfinished(now_ns), now_ns)
        self._observer.take(self._ring.drain())
        answered_s = self._elapsed_s()  # what the target takes to close is no time to answer in
        self._pages.close(answered_s)  # before the last sample, which carries its figures
        self._observer.excuse(answered_s - over_s)
        if worker.exit_code() is None and "sample" not in self._broken_jobs:
            self._sample()
        worker.stop()
        self._observer.follow_worker()
        self._observer.outliers.flush()
        if "judge" not in self._broken_jobs:
            self._status.judge(answered_s)
        return self._conclude(stop, answered_s)

    def _await_answers(self, worker: WorkerProcess, stop: StopRequest) -> None:
        began_ns = now_ns = self._clock.monotonic_ns()
        target = self._scenario.target
        while worker.exit_code() is None and stop.is_waited_for(
            self._ring, target, began_ns, now_ns
        ):
            self._observer.take(self._ring.drain())
            self._observer.follow_worker()
            if self._ring.is_done():
                break
            self._clock.sleep_s(TICK_S / 5)
            self.beat_ns = now_ns = self._clock.monotonic_ns()

    def _conclude(self, stop: StopRequest, answered_s: float) -> Snapshot:
        self._ending.signal_number = stop.signal_number
        self._ending.hear(self._facts)
        moment = replace(self._moment(self._ending.state), elapsed_s=answered_s)
        directory, losses = self._directory, self._losses
        losses.look()
        self._ring.close()
        if losses.sentence() and moment.state == "finished":
            # What the schedule took is room for the report, and nobody goes on.
            directory.ring.unlink(missing_ok=True)
            directory.resumable.unlink(missing_ok=True)
        losses.keep(lambda: write_histograms(directory, self._observer.windows))
        snapshot = self._last(moment)
        for each in snapshot.verdicts:
            self._status.log_verdict(snapshot.elapsed_s, each)
        losses.keep(lambda: write_checkpoint(directory, snapshot, self._ring.scheduled))
        if snapshot.state == "finished":
            directory.resumable.unlink(missing_ok=True)
        for written in self._logs:
            written.close()
        # The last lines and files may have been lost, too.
        return self._last(moment)

    def _last(self, moment: Moment) -> Snapshot:
        verdict = self._ending.verdict(moment.elapsed_s, self._losses.sentence())
        return self._ending.told(self._status.snapshot(moment, verdict))
