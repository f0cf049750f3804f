"""What does the next process need, if this one is killed? All the controller knows, in one file.

checkpoint.bin is the state at a moment; everything since then is in the ring, whose slots are not
reused before the next one (`Ring.secured`). The two together lose nothing, whenever the end comes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soak import __version__
from soak.clock import NS_PER_S, TIME_SCALE, Clock, boot_id
from soak.load.feeder import Feeder
from soak.load.ring import Ring
from soak.load.salvage import NONE, Ours, unanswered
from soak.load.workload import Workload
from soak.rundir import LineLog, RunDirectory, RunDirError
from soak.scenario import Scenario
from soak.snapshot import Gap
from soak.state import Damaged, Tree, packed, unpacked
from soak.verdict import Mistake
from soak.watch.events import EventLog
from soak.watch.losses import Losses
from soak.watch.observer import Observer
from soak.watch.status import Status
from soak.watch.worker_log import LogTail, WorkerFacts

LAYOUT = 4
EVERY_S = 10.0
# Of the controller's time, at most, however large the population is.
COST_RATIO = 0.005
MAX_GAPS = 1_000  # told one by one


class NotResumable(Mistake):
    """This run cannot go on; the message says why, and what can be done instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Whatever in a controller changes as its run goes on."""

    workload: Workload
    feeder: Feeder
    observer: Observer
    events: EventLog
    facts: WorkerFacts
    tail: LogTail
    status: Status
    losses: Losses
    logs: Mapping[str, LineLog]  # by the file's name


@dataclass(slots=True, kw_only=True)
class Standing:
    """Where a run stands, beside its parts: all zero at its beginning.

    t0_ns and wall_s: time zero on both clocks, moved by every gap. boot_id: the start of the
    machine that t0_ns belongs to. started_s: when the run first began, on the wall clock. at_s: run
    time at which it goes on. waiting: operations to be issued then, the last ones below scheduled.
    in_doubt_count: operations of the gap that is not over yet. is_torn: the oracle's file may be
    older than the machine's last start.
    """

    generation: int = 0
    t0_ns: int = 0
    boot_id: str = ""
    wall_s: float = 0.0
    started_s: float = 0.0
    at_s: float = 0.0
    phase_index: int = 0
    scheduled: int = 0
    void_count: int = 0
    in_doubt_count: int = 0
    is_torn: bool = False
    waiting: Ours = NONE
    gaps: tuple[Gap, ...] = ()

    @property
    def lost_track_count(self) -> int:
        """Operations of which nobody will ever know what became of them."""
        return self.in_doubt_count + sum(gap.in_doubt_count for gap in self.gaps)

    def begin(self, begin_ns: int, wall_s: float) -> int:
        """The load begins, or goes on, at that moment of both clocks; returns time zero."""
        self.t0_ns = begin_ns - round(self.at_s * NS_PER_S)
        self.boot_id = boot_id()
        self.wall_s = wall_s - self.at_s
        self.started_s = self.started_s or self.wall_s
        return self.t0_ns

    def close_gap(self, absent_s: float) -> Gap:
        """It is over; what it was."""
        gap = Gap(at_s=self.at_s, absent_s=absent_s, in_doubt_count=self.in_doubt_count)
        self.gaps, self.in_doubt_count, self.is_torn = (*self.gaps, gap), 0, False
        if len(self.gaps) > MAX_GAPS:
            first, second, *rest = self.gaps
            both = Gap(
                at_s=second.at_s,
                absent_s=first.absent_s + second.absent_s,
                in_doubt_count=first.in_doubt_count + second.in_doubt_count,
            )
            self.gaps = both, *rest
        return gap


class Checkpoints:
    """Writes them, when they are due; belongs to the controller's loop."""

    def __init__(self, directory: RunDirectory, parts: Parts, clock: Clock) -> None:
        self._directory = directory
        self._parts = parts
        self._clock = clock
        self._scenario_digest = digest(directory)
        self._due_ns = 0

    def is_due(self, now_ns: int, ring: Ring) -> bool:
        """Every EVERY_S, more rarely where it is costly, at once where the ring gets full."""
        return now_ns >= self._due_ns or _is_filling(ring)

    def write(self, standing: Standing, ring: Ring) -> None:
        """While the ring is in use. Raises RunDirError, and the last one goes on to be good.

        Until the ring has no room beside what that one needs: then the load goes first, and the
        run can no longer be resumed before the next checkpoint that is written.
        """
        standing.scheduled, standing.void_count = ring.scheduled, ring.void_count
        try:
            self._write(standing, unanswered(ring), self._clock.monotonic_ns())
        except RunDirError:
            ring.secured = ring.folded if _is_filling(ring) else ring.secured or 0
            raise
        ring.secured = ring.folded

    def write_still(self, standing: Standing) -> None:
        """Before the ring is in use: nothing runs. Raises RunDirError."""
        self._write(standing, standing.waiting, standing.t0_ns + round(standing.at_s * NS_PER_S))

    def _write(self, standing: Standing, ours: Ours, now_ns: int) -> None:
        parts, began_ns = self._parts, self._clock.monotonic_ns()
        # The offsets first: what is written meanwhile is cut off, rather than found twice.
        offsets = {name: log.offset for name, log in parts.logs.items()}
        tree: Tree = {
            "layout": LAYOUT,
            "soak": __version__,
            "scenario_digest": self._scenario_digest,
            "time_scale": TIME_SCALE,
            "offsets": offsets,
            "now_ns": now_ns,
            "standing": {**_fields(standing), "waiting": _fields(ours)},
            "workload": parts.workload.state(),
            "feeder": parts.feeder.state(),
            "observer": parts.observer.state(),
            "events": parts.events.state(),
            "facts": parts.facts.state(),
            "tail_offset": parts.tail.offset,
            "health_min": parts.status.health_min,
            "losses": parts.losses.state(),
        }
        try:
            self._directory.replace(self._directory.resumable, *packed(tree), is_synced=False)
        finally:
            # A full disk is full at the next tick, too.
            done_ns = self._clock.monotonic_ns()
            wait_ns = max(EVERY_S * NS_PER_S, (done_ns - began_ns) / COST_RATIO)
            self._due_ns = done_ns + round(wait_ns)


def _is_filling(ring: Ring) -> bool:
    """Half of its slots wait for a checkpoint."""
    return ring.folded - (ring.secured or 0) > ring.size // 2


def read(directory: RunDirectory, scenario: Scenario) -> Tree:
    """The last checkpoint of a run that can go on. Raises NotResumable."""
    again = f"`soak run {directory.scenario}` begins it anew"
    _require_unfinished(directory, again)
    if not directory.resumable.exists():
        if _was_on_a_cluster(directory):
            raise NotResumable(f"{directory.path}: a run on a cluster cannot go on; {again}")
        raise NotResumable(
            f"{directory.path}: has no {directory.resumable.name}, because it ended before its "
            f"load began, or it finished; {again}"
        )
    try:
        tree = unpacked(directory.resumable.read_bytes())
    except Damaged as error:
        raise NotResumable(f"{directory.resumable}: {error}, so it cannot go on; {again}") from None
    _require_same(directory, tree, again)
    if "reopen" not in tree["facts"]["capabilities"]:
        raise NotResumable(
            f"{directory.path}: target {scenario.target.name} cannot be opened again with what it "
            f"held (it has no reopen), so the run cannot go on; {again}"
        )
    return tree


def standing_of(tree: Tree) -> Standing:
    """Where the run stood then."""
    kept = tree["standing"]
    return Standing(**{**kept, "waiting": Ours(**kept["waiting"])})


def digest(directory: RunDirectory) -> str:
    """Of the scenario as it stands in the run directory."""
    return hashlib.sha256(directory.scenario.read_bytes()).hexdigest()


def _was_on_a_cluster(directory: RunDirectory) -> bool:
    """Whether its environment names workers, each of which had a directory of its own."""
    return "workers" in _document(directory.environment)


def state_at_end(directory: RunDirectory) -> str:
    """How the run ended; empty where nobody was there to write it."""
    return str(_document(directory.checkpoint).get("state", ""))


def _document(path: Path) -> dict[str, Any]:
    """Empty where the file is missing or damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _require_unfinished(directory: RunDirectory, again: str) -> None:
    if state_at_end(directory) == "finished":
        raise NotResumable(
            f"{directory.path}: this run is finished, `soak show` tells how; {again}"
        )


def _require_same(directory: RunDirectory, tree: Tree, again: str) -> None:
    """What was drawn, kept and measured must mean the same now."""
    if (tree["layout"], tree["soak"]) != (LAYOUT, __version__):
        raise NotResumable(
            f"{directory.path}: was begun by soak {tree['soak']}, this is {__version__}; go on "
            f"with that version, or {again}"
        )
    if tree["scenario_digest"] != digest(directory):
        raise NotResumable(
            f"{directory.scenario}: was changed since the run began, so going on would be another "
            f"run; put it back, or {again}"
        )
    if tree["time_scale"] != TIME_SCALE:
        raise NotResumable(
            f"{directory.path}: was run with SOAK_TIME_SCALE={tree['time_scale']:g}, now it is "
            f"{TIME_SCALE:g}; set it to the same"
        )


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
