"""How does a run go on that was killed? Its parts brought to where they were when it stopped.

    ring       -> results since; what was in flight is in doubt; the rest waits. Or a refusal, and
                  nothing was touched
    checkpoint -> logs cut there; parts as they were, and the results folded
    worker.jsonl -> what the worker said since, while its clock still means something

Run time stands still until the load begins again: a gap has no length in it.
"""

from dataclasses import dataclass
from pathlib import Path

from soak.clock import NS_PER_S, TIME_SCALE, Clock, boot_id
from soak.load.feeder import Feeder
from soak.load.results import selected
from soak.load.ring import Ring, RingError
from soak.load.salvage import Remains, Wreck, renumbered, salvage
from soak.load.slots import Carried
from soak.load.workload import Workload
from soak.result import Outcome
from soak.rundir import RunDirectory
from soak.scenario import Scenario
from soak.state import Tree
from soak.watch.checkpoint import Checkpoints, NotResumable, Parts, standing_of
from soak.watch.status import warm_until_s

ANSWERED = (Outcome.OK, Outcome.MISSING, Outcome.WRONG)
# A worker without its controller ends by itself within a second.
ORPHAN_S = 30.0
POLL_S = 0.05
LONGEST_LINE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When the run stopped: in run time, and by clocks that go on in a gap."""

    at_s: float
    at_ns: int
    wall_s: float
    boot_id: str


def await_release(directory: RunDirectory, clock: Clock) -> None:
    """Until the last worker let go of the target's files. Raises NotResumable when it does not."""
    deadline_ns = clock.monotonic_ns() + round(ORPHAN_S * TIME_SCALE * NS_PER_S)
    while (held := directory.claim(directory.data)) is None:
        if clock.monotonic_ns() > deadline_ns:
            raise NotResumable(
                f"{directory.data}: a worker still has the target open after {ORPHAN_S:g} s; end "
                "it and try again"
            )
        clock.sleep_s(POLL_S * TIME_SCALE)
    directory.release(held)


def cut_logs(directory: RunDirectory, tree: Tree) -> None:
    """Logs end where the checkpoint knows them, the worker's after its last whole line."""
    for name, size in tree["offsets"].items():
        _truncate(directory.path / name, size)
    if directory.worker_log.exists():
        _truncate(directory.worker_log, _whole_lines_bytes(directory.worker_log))


def forget_end(directory: RunDirectory) -> None:
    """What was written of an end that was none goes, now that the load begins again."""
    for path in (directory.report, directory.report_html, directory.checkpoint):
        path.unlink(missing_ok=True)


def _whole_lines_bytes(path: Path) -> int:
    """How long the file is without a torn last line."""
    with path.open("rb") as file:
        begin = max(0, path.stat().st_size - LONGEST_LINE_BYTES)
        file.seek(begin)
        return begin + file.read().rfind(b"\n") + 1


def _truncate(path: Path, size: int) -> None:
    if path.exists() and path.stat().st_size > size:
        with path.open("r+b") as file:
            file.truncate(size)


def taken_up(
    scenario: Scenario,
    directory: RunDirectory,
    kept: Tree | None,
    workload: Workload,
    feeder: Feeder,
) -> "Resumption | None":
    """What there is to go on with; None for a run that begins. Raises NotResumable.

    The logs are cut only when nothing refuses the run any more, and before anybody opens them.
    """
    if kept is None:
        return None
    found = Resumption(scenario, directory, kept, workload, feeder)
    cut_logs(directory, kept)
    return found


class Resumption:
    """Brings the parts of a new controller where the old one's were; one use."""

    def __init__(
        self,
        scenario: Scenario,
        directory: RunDirectory,
        tree: Tree,
        workload: Workload,
        feeder: Feeder,
    ) -> None:
        """Reads the ring and draws the schedule again, and writes nothing. Raises NotResumable."""
        self._scenario = scenario
        self._directory = directory
        self._tree = tree
        self._workload = workload
        self._feeder = feeder
        self.standing = standing_of(tree)
        workload.restore(tree["workload"])
        feeder.restore(tree["feeder"])
        self._remains = self._salvaged()

    def fold(self, parts: Parts) -> Stop:
        """What happened until the stop, in order of time; the logs are cut already.

        `standing` is then that of the run at its stop, of the next generation.
        """
        self._parts = parts
        tree, standing, remains = self._tree, self.standing, self._remains
        parts.observer.restore(tree["observer"])
        parts.events.restore(tree["events"])
        parts.facts.restore(tree["facts"])
        parts.tail.offset = tree["tail_offset"]
        parts.status.health_min = tree["health_min"]
        parts.losses.restore(tree["losses"], remains.missing_lines)
        parts.events.begin(standing.t0_ns, standing.wall_s)
        at_ns = max(tree["now_ns"], remains.last_ns)
        at_s = (at_ns - standing.t0_ns) / NS_PER_S
        self._fold_by_phase(remains, at_s)
        parts.observer.follow_worker()
        parts.observer.resume(at_s)
        standing.at_s = at_s
        standing.generation += 1
        # What the worker wrote to its mapped file is safe from a kill, not from a power failure.
        standing.is_torn |= standing.boot_id != boot_id() and not parts.facts.stopped
        # What waits gets new indices, so its old ones belong to nobody.
        waiting_count = remains.waiting.index.size
        standing.void_count += remains.void_count + waiting_count
        standing.in_doubt_count += remains.in_doubt_count
        standing.scheduled = remains.scheduled + waiting_count
        standing.waiting = renumbered(remains.waiting, remains.scheduled)
        return Stop(at_s=at_s, at_ns=at_ns, wall_s=standing.wall_s + at_s, boot_id=standing.boot_id)

    def _salvaged(self) -> Remains:
        standing = self.standing
        try:
            return salvage(self._wreck(), standing.waiting, standing.scheduled, self._feeder.again)
        except (OSError, RingError) as error:
            raise NotResumable(
                f"{self._directory.ring}: {error}, so the run cannot go on; "
                f"`soak run {self._directory.scenario}` begins it anew"
            ) from error

    def _wreck(self) -> Wreck | None:
        """The ring of the last generation; None where that one had not begun."""
        standing = self.standing
        wreck = Wreck(self._directory.ring)
        is_ours = wreck.generation == standing.generation
        return wreck if is_ours and wreck.t0_ns else None

    def _fold_by_phase(self, remains: Remains, at_s: float) -> None:
        """Windows end where phases do, as if somebody had been there."""
        parts, standing, results = self._parts, self.standing, remains.results
        last = max(self._workload.phase_at(at_s), standing.phase_index)
        for index in range(standing.phase_index, last + 1):
            is_first, is_last = index == standing.phase_index, index == last
            begin_s = self._workload.bounds(index)[1]
            if not is_first:
                at_ns = standing.t0_ns + round(begin_s * NS_PER_S)
                name = self._scenario.phases[index].name
                parts.events.add("phase", "injected", at_ns, 0, {"phase": name})
            mine = (results.phase == index) | (is_first & (results.phase < index))
            parts.observer.take(selected(results, mine | (is_last & (results.phase > index))))
            self._close_window(index, at_s if is_last else self._workload.bounds(index)[2])
        standing.phase_index = last

    def _close_window(self, index: int, end_s: float) -> None:
        observer, name = self._parts.observer, self._scenario.phases[index].name
        is_measured = end_s > warm_until_s(self._scenario)
        observer.close_window(end_s, name, observer.result_count, is_measured=is_measured)

    def carry_over(self, ring: Ring, checkpoints: Checkpoints) -> None:
        """Put the new, empty ring in the old one's place, to go on where that one ended.

        Killed before or after, the run still can be resumed. Raises RunDirError.
        """
        facts, standing = self._parts.facts, self.standing
        windows, population = self._parts.observer.windows, self._scenario.population
        stored = facts.preloaded_count + windows.answered("store", ANSWERED)
        stored += population.batch * windows.answered("store_batch", ANSWERED)
        ring.carry(
            Carried(
                generation=standing.generation,
                first_index=standing.scheduled - standing.waiting.index.size,
                checked_count=int(facts.counters.get("checked", 0)),
                stored_count=stored,
                deleted_count=windows.answered("delete", ANSWERED),
                is_torn=standing.is_torn,
            )
        )
        ring.void_count = standing.void_count
        self._feeder.resume()
        ring.secured = ring.folded
        facts.forget_worker()
        checkpoints.write_still(standing)
        self._directory.ring_to_be.replace(self._directory.ring)


def absent_s(stop: Stop, clock: Clock) -> float:
    """How long nobody was there; by the wall clock where the machine was started anew."""
    if stop.boot_id == boot_id():
        return (clock.monotonic_ns() - stop.at_ns) / NS_PER_S
    return max(0.0, clock.wall_s() - stop.wall_s)
