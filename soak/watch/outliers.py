"""Which operations deserve a look of their own? The slowest of each kind, and those that failed.

A row of operations.csv each, times in ns since time zero. The metrics' exemplars lead to the slow
ones, and `soak show RUN --operation ID` says what is known of any of them. The controller picks
them from what it folds anyway; the load knows nothing of it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from soak.clock import NS_PER_S
from soak.histogram import BOUNDS_S
from soak.load.results import Results
from soak.result import DETAIL_SHIFT, OPERATIONS, OUTCOME_MASK, OUTCOMES, Outcome
from soak.rundir import LineLog
from soak.snapshot import Exemplar
from soak.state import Tree, put_back, taken
from soak.watch.events import EventLog

HEADER = "id,operation,phase,key,due_ns,start_ns,end_ns,outcome,detail,is_idle,slowest_by"
# Rows are bounded: at most so many stretches of time have their slowest written down (a window
# each up to six hours, longer stretches in a longer run), and so many failures of each outcome.
MOST_STRETCHES = 2_160
MOST_FAILED = 1_000
FAILED = (Outcome.WRONG, Outcome.ERROR, Outcome.TIMEOUT)
STATE = ("_written_s", "_exemplars", "_failed_room")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """One operation. Times in ns since time zero; detail: of its slot's code."""

    index: int
    operation: str
    phase: str
    key: int
    due_ns: int
    start_ns: int
    end_ns: int
    outcome: str
    detail: int
    is_idle: bool

    def row(self, slowest_by: Sequence[str]) -> list[object]:
        """The fields in the order of HEADER."""
        return [
            *(self.index, self.operation, self.phase, self.key),
            *(self.due_ns, self.start_ns, self.end_ns),
            *(self.outcome, self.detail, int(self.is_idle), " ".join(slowest_by)),
        ]


class Outliers:
    """Fed by the controller's loop. Holds one operation per kind and measure, and an exemplar per
    kind, measure and published bucket: a few hundred small objects at most.
    """

    def __init__(
        self,
        log: LineLog,
        events: EventLog,
        phases: Sequence[str],
        *,
        timeout_s: float,
        planned_s: float,
    ) -> None:
        self._log = log
        log.begin(HEADER)
        self._events = events
        self._phases = phases
        self._timeout_ns = round(timeout_s * NS_PER_S)
        self._stretch_s = planned_s / MOST_STRETCHES
        self._written_s = 0.0
        self._slowest: dict[tuple[str, str], tuple[int, Outlier]] = {}
        self._exemplars: dict[tuple[str, str], dict[int, Exemplar]] = {}
        self._failed_room = dict.fromkeys(FAILED, MOST_FAILED)

    def take(self, results: Results) -> None:
        """Look at what was drained; what failed is written at once."""
        outcome = results.code & OUTCOME_MASK
        outcome[results.end_ns - results.start_ns > self._timeout_ns] = Outcome.TIMEOUT
        durations = {
            "latency": results.end_ns - results.due_ns,
            "service": results.end_ns - results.start_ns,
            "lateness": results.start_ns - results.due_ns,
        }
        for code in np.unique(results.operation):
            mine = np.flatnonzero(results.operation == code)
            for measure, values_ns in durations.items():
                i = int(mine[values_ns[mine].argmax()])
                key, value_ns = (OPERATIONS[code], measure), int(values_ns[i])
                if value_ns > (self._slowest[key][0] if key in self._slowest else 0):
                    self._slowest[key] = value_ns, self._outlier(results, outcome, i)
        for kind, room in self._failed_room.items():
            for i in np.flatnonzero(outcome == kind)[:room]:
                self._failed_room[kind] -= 1
                self._log.append_row(self._outlier(results, outcome, int(i)).row(()))

    def close(self, end_s: float) -> None:
        """A window ends: write down the slowest unless that was done a moment ago."""
        if end_s - self._written_s >= self._stretch_s:
            self._written_s = end_s
            self.flush()

    def flush(self) -> None:
        """Write down the slowest since the last time; only then metrics may lead there."""
        written: dict[int, tuple[Outlier, list[str]]] = {}
        for (_, measure), (_, outlier) in self._slowest.items():
            written.setdefault(outlier.index, (outlier, []))[1].append(measure)
        for outlier, measures in written.values():
            self._log.append_row(outlier.row(measures))
        for key, (duration_ns, outlier) in self._slowest.items():
            found = Exemplar(
                index=outlier.index,
                duration_s=duration_ns / NS_PER_S,
                wall_time=self._events.wall_time(outlier.end_ns / NS_PER_S),
            )
            held = self._exemplars.setdefault(key, {})
            place = bisect_left(BOUNDS_S, found.duration_s)
            # What a bucket shows never gets older: Prometheus refuses that, and says so each time.
            if place not in held or held[place].wall_time < found.wall_time:
                held[place] = found
        self._slowest.clear()

    def exemplars(self) -> dict[tuple[str, str], tuple[Exemplar, ...]]:
        """By operation and measure, oldest first: the latest of each bucket."""
        return {
            key: tuple(sorted(held.values(), key=lambda exemplar: exemplar.wall_time))
            for key, held in self._exemplars.items()
        }

    def state(self) -> Tree:
        slowest = {key: (ns, asdict(outlier)) for key, (ns, outlier) in self._slowest.items()}
        return {**taken(self, STATE), "_slowest": slowest}

    def restore(self, tree: Tree) -> None:
        """What `state` gave."""
        put_back(self, {name: tree[name] for name in STATE})
        self._slowest = {key: (ns, Outlier(**held)) for key, (ns, held) in tree["_slowest"].items()}

    def _outlier(self, results: Results, outcome: NDArray[np.integer], i: int) -> Outlier:
        origin_ns = self._events.origin_ns
        return Outlier(
            index=int(results.index[i]),
            operation=OPERATIONS[results.operation[i]],
            phase=self._phases[results.phase[i]],
            key=int(results.argument[i]),
            due_ns=int(results.due_ns[i]) - origin_ns,
            start_ns=int(results.start_ns[i]) - origin_ns,
            end_ns=int(results.end_ns[i]) - origin_ns,
            outcome=OUTCOMES[outcome[i]],
            detail=int(results.code[i]) >> DETAIL_SHIFT,
            is_idle=bool(results.is_idle[i]),
        )
