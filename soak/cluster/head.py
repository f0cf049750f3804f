"""How does a soak on many nodes go from start to verdict? The process that begins, joins, judges.

    start:  shares -> a node each -> all ready -> time zero is that of the first
    look:   every second each worker's newest snapshot -> one snapshot, one /metrics, one record
    lost:   an event; the rest of the share begins anew on another node
    end:    the last snapshots -> verdict -> report.json

No result waits for the head: a worker's load goes on while nobody looks at it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from soak.clock import NS_PER_S, Clock
from soak.cluster.joining import joined, leaks, ranges
from soak.cluster.journal import Journal
from soak.cluster.judging import JointJudge, concluded, lacking
from soak.cluster.member import Lost, Member, Nodes
from soak.cluster.parts import Part
from soak.cluster.shares import rest, shares
from soak.logs import log
from soak.rundir import RunDirectory, RunDirError
from soak.scenario import Scenario, dump
from soak.sentences import count
from soak.snapshot import NAN, Event, Snapshot, State
from soak.verdict import ExitCode, Mistake, RunVerdict, Status
from soak.watch.environment import describe, identity_of
from soak.watch.status import starting
from soak.watch.stopping import StopRequest

LOOK_S = 1.0
# For the last words of the workers, once they were asked to stop: see soak/watch/stopping.py.
GRACE_S = 12.0
# A pod that takes a lost one's place is there within minutes.
NODE_WAIT_S = 300.0
# What takes down one node after another is the target's doing.
MOST_PARTS = 5


class Refused(Mistake):
    """A worker cannot begin; the message is in its own words."""

    def __init__(self, words: str, exit_code: int) -> None:
        super().__init__(words)
        self.exit_code = ExitCode(exit_code or ExitCode.UNKNOWN)


class Head:
    """One run on many nodes; to `soak run` it is what a Controller is."""

    def __init__(
        self,
        scenario: Scenario,
        directory: RunDirectory,
        clock: Clock,
        arguments: Sequence[str],
        nodes: Nodes,
        worker_count: int,
    ) -> None:
        """Raises NotDivisible, and Refused where there are fewer nodes than workers."""
        there = list(nodes.names())
        if len(there) < worker_count:
            raise Refused(
                f"--workers {worker_count}: the cluster has {count(len(there))} nodes that take a "
                f"worker; add nodes, or pass --workers {max(len(there), 1)}",
                ExitCode.USAGE,
            )
        self._scenario = scenario
        self._directory = directory
        self._clock = clock
        self._arguments = arguments
        self._nodes = nodes
        self._members = [Member(i, share) for i, share in enumerate(shares(scenario, worker_count))]
        self._identity = identity_of(scenario, directory, clock)
        self.latest = starting(self._identity, scenario)
        self._judge = JointJudge(scenario)
        self._started_s: float | None = None
        self._began_s: float | None = None  # the same moment on the monotonic clock
        self._phase_index = -1
        self._window_end_s = scenario.observe.window
        self._judge_next_s = 0.0
        self._statuses: dict[str, Status] = {}
        self._failure: tuple[str, int] | None = None
        self._environment = describe(arguments)
        self._beat_ns = clock.monotonic_ns()

    def beat_age_s(self) -> float:
        """How long ago the loop last turned."""
        return (self._clock.monotonic_ns() - self._beat_ns) / NS_PER_S

    def run(self, stop: StopRequest, show: Callable[[Snapshot], None]) -> Snapshot:
        """Block until the run is over. Raises RunDirError, and Refused: a worker cannot begin."""
        self._directory.make()
        try:
            self._directory.replace(self._directory.scenario, dump(self._scenario).encode())
            self._directory.replace_json(self._directory.environment, self._environment)
            with closing(Journal(self._directory, self._scenario)) as self._journal:
                self._begin()
                self._loop(stop, show)
                return self._conclude(stop)
        except (RunDirError, Refused):
            if self._started_s is None:
                self._directory.discard()
            raise
        finally:
            for member in self._members:
                member.end()

    def _begin(self) -> None:
        """A node for each; which share lands where is no matter."""
        for member, node in zip(self._members, self._nodes.names(), strict=False):
            try:
                self._place(member, node, member.share)
            except Lost as error:
                raise Refused(f"worker {member.worker}: {error}", ExitCode.UNKNOWN) from error

    def _place(self, member: Member, node: str, share: Scenario) -> None:
        run = self._directory.path.resolve()
        member.place(self._nodes, node, share, run, self._arguments)
        log().info("share_begun", worker=member.worker, node=node, part=member.begun_count)

    def _loop(self, stop: StopRequest, show: Callable[[Snapshot], None]) -> None:
        asked_ns = 0
        while not all(member.is_over for member in self._members):
            self._beat_ns = self._clock.monotonic_ns()
            for member in self._members:
                # A node that does not answer is waited for at each look.
                if asked_ns and self._clock.monotonic_ns() - asked_ns > GRACE_S * NS_PER_S:
                    return
                self._follow(member, is_stopping=bool(asked_ns))
            self._zero()
            if self._started_s is not None:
                self._turn()
                show(self.latest)
            self._notice_failure()
            if (stop.signal_number or self._failure) and not asked_ns:
                asked_ns = self._beat_ns
                self._ask_to_stop(stop.signal_number)
            self._clock.sleep_s(LOOK_S)

    def _follow(self, member: Member, *, is_stopping: bool) -> None:
        """Look at it, or find it another node."""
        if member.is_over:
            return
        try:
            if member.is_placed:
                version = member.look(self._clock, self._began_s)
                self._require_sound(member, version)
            elif is_stopping:
                member.is_over = True
            else:
                self._take_over(member)
        except Lost as error:
            self._lose(member, str(error))

    def _require_sound(self, member: Member, version: str) -> None:
        words, code = member.trouble or ("", 0)
        if version and version != self._identity.version:
            mine = self._identity.version
            words = f"its node has soak {version}, this is {mine}; install the same on all nodes"
            code = ExitCode.USAGE
        if not words:
            return
        if self._started_s is None:
            raise Refused(f"worker {member.worker}: {words}", code)
        self._failure = self._failure or (f"worker {member.worker}: {words}", code)

    def _lose(self, member: Member, why: str) -> None:
        if self._started_s is None:
            raise Refused(f"worker {member.worker}: lost before it began: {why}", 0)
        self._hear(member)
        at_s = self._elapsed_s()
        member.lose(at_s)
        self._tell("worker_lost", at_s, worker=member.worker, node=member.node, reason=why)
        log().warning("worker_lost", worker=member.worker, node=member.node, reason=why)

    def _take_over(self, member: Member) -> None:
        """The rest of its share, from now on, where the fewest shares are."""
        at_s = self._elapsed_s()
        remaining = rest(member.share, at_s, member.begun_count)
        if remaining is None:
            member.is_over = True
            return
        waited_s = at_s - member.lost_s
        if member.begun_count >= MOST_PARTS or waited_s > NODE_WAIT_S:
            why = f"lost {member.begun_count} times, {waited_s:.0f} s without a node"
            self._failure = self._failure or (f"worker {member.worker}: {why}", 0)
            return
        taken = Counter(each.node for each in self._members if each.is_placed)
        nodes = sorted(self._nodes.names(), key=lambda node: taken[node])
        if not nodes:
            return
        self._place(member, nodes[0], remaining)

    def _zero(self) -> None:
        """Time zero is that of the first worker, known when all have one."""
        found_s = [member.began_s for member in self._members]
        known_s = [began_s for began_s in found_s if began_s is not None]
        if self._began_s is not None or len(known_s) < len(found_s):
            return
        self._began_s = min(known_s)
        self._started_s = self._clock.wall_s() - self._elapsed_s()
        self._identity = replace(self._identity, started=self._started_s)
        for member in self._members:
            member.settle(self._began_s)
        workers = [
            {
                "worker": member.worker,
                "node": member.node,
                "clock_ahead_s": member.clock_ahead_s(self._started_s),
                "url": member.url,
            }
            for member in self._members
        ]
        self._environment = {**self._environment, "workers": workers}
        self._directory.replace_json(self._directory.environment, self._environment)

    def _turn(self) -> None:
        """One look's worth of record: events, phases, window, sample, verdicts."""
        for member in self._members:
            self._hear(member)
        snapshot = self._joined("running")
        if snapshot.phase_index > self._phase_index:
            self._close_window(snapshot)
            self._phase_index = snapshot.phase_index
            begun = self._scenario.phases[: snapshot.phase_index]
            self._tell("phase", sum(phase.duration for phase in begun), phase=snapshot.phase)
        elif snapshot.elapsed_s >= self._window_end_s:
            self._close_window(snapshot)
        self._journal.sample(snapshot)
        self.latest = self._judged(snapshot)

    def _close_window(self, snapshot: Snapshot) -> None:
        phase = self._scenario.phases[max(0, self._phase_index)]
        self._journal.close_window(snapshot, phase.name)
        self._window_end_s = snapshot.elapsed_s + self._scenario.observe.window

    def _hear(self, member: Member) -> None:
        assert self._started_s is not None
        absent = member.absence()
        if absent is not None:
            from_s, until_s = absent
            self._tell(
                "share_taken_over",
                until_s,
                worker=member.worker,
                node=member.node,
                absent_s=until_s - from_s,
            )
        for event in member.events(self._started_s):
            self._journal.tell(event)

    def _tell(self, kind: str, at_s: float, **details: float | str) -> None:
        assert self._started_s is not None
        self._journal.tell(
            Event(
                time_s=at_s,
                wall_time=self._started_s + at_s,
                kind=kind,
                source="injected" if kind == "phase" else "detected",
                details=details,
            )
        )

    def _parts(self) -> list[Part]:
        return [part for member in self._members for part in member.parts]

    def _joined(self, state: State) -> Snapshot:
        snapshot = joined(self._identity, self._scenario, self._parts())
        return replace(
            snapshot,
            state=state,
            certificate=lacking(snapshot.certificate, self._journal.loss),
            resource_range=ranges(self.latest.resource_range, snapshot.resources),
            events=tuple(self._journal.latest),
            environment=self._environment,
        )

    def _judged(self, snapshot: Snapshot, *, is_last: bool = False) -> Snapshot:
        """With verdicts: asked as often as the scenario says, and a last time."""
        found, verdicts = self._parts(), self.latest.verdicts
        if is_last or snapshot.elapsed_s >= self._judge_next_s:
            self._judge_next_s = snapshot.elapsed_s + self._scenario.observe.judge
            columns = self._journal.columns()
            verdicts = self._judge.judge(found, snapshot.elapsed_s, columns)
        settled, verdict = concluded(verdicts, snapshot.certificate)
        for each in settled:
            if is_last or self._statuses.get(each.check) is not each.status:
                self._journal.judged(snapshot.elapsed_s, each)
            self._statuses[each.check] = each.status
        judged = replace(
            snapshot,
            verdicts=settled,
            verdict=verdict,
            skipped=self._judge.skipped(found),
            health_min=float(np.fmin(self.latest.health_min, snapshot.health.get("score", NAN))),
            trend=self._journal.trend(),
        )
        return replace(judged, leaks=leaks(judged))

    def _notice_failure(self) -> None:
        """A worker whose target or tester failed ends the run: the load is not what was asked."""
        for part in self._parts():
            if part.snapshot.state == "failed" and self._failure is None:
                last = part.snapshot.verdict
                self._failure = f"worker {part.worker}: {last.reason}", int(last.exit_code)

    def _ask_to_stop(self, signal_number: int) -> None:
        for member in self._members:
            try:
                member.stop(signal_number or 15)
            except Lost as error:
                log().warning("worker_lost", worker=member.worker, reason=str(error))

    def _conclude(self, stop: StopRequest) -> Snapshot:
        state: State = "finished"
        if self._failure:
            state = "failed"
        elif stop.signal_number:
            state = "interrupted"
        snapshot = self._joined(state)
        self._close_window(snapshot)
        self._journal.sample(snapshot)
        last = self._judged(snapshot, is_last=True)
        try:
            self._journal.count_all(last)
        except RunDirError as error:
            log().warning("counts_not_written", reason=str(error))
        if self._failure:
            words, code = self._failure
            status = Status.FAIL if code == ExitCode.TARGET else Status.UNKNOWN
            code = code or int(ExitCode.UNKNOWN)
            last = replace(last, verdict=RunVerdict(status=status, exit_code=code, reason=words))
        elif stop.signal_number:
            reason = f"stopped by signal {stop.signal_number} after {last.elapsed_s:.0f} s"
            code = 128 + stop.signal_number
            verdict = RunVerdict(status=Status.UNKNOWN, exit_code=code, reason=reason)
            last = replace(last, verdict=verdict)
        return last

    def _elapsed_s(self) -> float:
        assert self._began_s is not None
        return self._clock.monotonic_ns() / NS_PER_S - self._began_s
