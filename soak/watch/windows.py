"""What happened in the last ten seconds, and since the start? Results folded, then forgotten.

Every drained result is counted once in the totals; a window is the difference between the totals
at its end and at its start, so the sum over windows.csv is the totals, exactly.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soak.histogram import Histogram, Integers
from soak.result import (
    DETAIL_SHIFT,
    OPERATIONS,
    OUTCOME_MASK,
    OUTCOMES,
    VIOLATIONS,
    Outcome,
)
from soak.snapshot import OperationTotals, Quantiles
from soak.state import Tree, put_back, taken

RECENT_S = 300.0
MEASURES = ("latency", "service", "lateness")

STATE = ("_measured_count", "_opened_s", "measured_s", "measured_due_count", "_codes")
TALLY_STATE = (
    *("outcomes", "total", "measured", "measured_outcomes", "recent", "worst", "_outcomes_before"),
    *("_measured_now", "_window", "_warm", "_kept"),
)

HEADER = (
    "start_s,end_s,phase,operation,count,ok,missing,wrong,error,timeout,"
    "latency_p50_s,latency_p95_s,latency_p99_s,latency_p999_s,latency_max_s,"
    "service_p50_s,service_p99_s,service_max_s,lateness_p50_s,lateness_p99_s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One operation in one stretch of time; a row of windows.csv."""

    start_s: float
    end_s: float
    phase: str
    operation: str
    outcomes: tuple[int, ...]
    latency: Quantiles
    service: Quantiles
    lateness: Quantiles

    @property
    def count(self) -> int:
        return sum(self.outcomes)

    def row(self) -> list[object]:
        """The fields in the order of HEADER."""
        latency, service, lateness = self.latency, self.service, self.lateness
        return [
            *(
                self.start_s,
                self.end_s,
                self.phase,
                self.operation,
                self.count,
                *self.outcomes,
            ),
            *(latency.p50, latency.p95, latency.p99, latency.p999, latency.max),
            *(service.p50, service.p99, service.max, lateness.p50, lateness.p99),
        ]


class _Tally:
    """One operation's counts: since the start, and what they were when the window opened."""

    def __init__(self, windows_kept: int) -> None:
        self.outcomes: Integers = np.zeros(len(OUTCOMES), dtype=np.int64)
        self.total = _lasting()
        # The same without the warm-up; what objectives are judged on.
        self.measured = _lasting()
        self.measured_outcomes: Integers = np.zeros(len(OUTCOMES), dtype=np.int64)
        self.recent = Quantiles()
        self.worst = Quantiles()
        self._outcomes_before = self.outcomes.copy()
        self._measured_now = self.outcomes.copy()
        self._window = _lasting()
        # What belongs to the warm-up, whenever it was drained.
        self._warm = _lasting()
        # Sparse (indices, counts, max) of the latest windows: a few kB each, not 68.
        self._kept: deque[tuple[Integers, Integers, int]] = deque(maxlen=windows_kept)

    def add(
        self, codes: Integers, durations_ns: Mapping[str, Integers], *, is_measured: bool
    ) -> None:
        seen = np.bincount(codes, minlength=len(OUTCOMES))
        self.outcomes += seen
        self._measured_now += seen * is_measured
        held = self._window if is_measured else self._warm
        for measure, values_ns in durations_ns.items():
            held[measure].add(values_ns)

    def close(self) -> tuple[tuple[int, ...], dict[str, Quantiles]]:
        """Outcomes and quantiles of the window, which ends here."""
        difference = self.outcomes - self._outcomes_before
        outcomes = tuple(int(n) for n in difference)
        self._outcomes_before = self.outcomes.copy()
        self.measured_outcomes = self._measured_now.copy()
        for measure in MEASURES:
            self.measured[measure].merge(self._window[measure])
            self._window[measure].merge(self._warm[measure])
            self._warm[measure].clear()
        quantiles = {measure: Quantiles.of(self._window[measure]) for measure in MEASURES}
        latency = self._window["latency"]
        index = np.flatnonzero(latency.counts)
        self._kept.append((index, latency.counts[index].copy(), latency.max_ns))
        self._refresh_recent()
        for measure in MEASURES:
            self.total[measure].merge(self._window[measure])
            self._window[measure].clear()
        return outcomes, quantiles

    def _refresh_recent(self) -> None:
        together = Histogram()
        for index, counts, max_ns in self._kept:
            together.counts[index] += counts
            together.max_ns = max(together.max_ns, max_ns)
        self.recent = Quantiles.of(together)
        if not self.worst.p99 >= self.recent.p99:
            self.worst = self.recent

    def state(self) -> Tree:
        return taken(self, TALLY_STATE)

    def restore(self, tree: Tree) -> None:
        put_back(self, tree)

    def now(self) -> OperationTotals:
        """Totals up to the last drained result, the open window included."""
        merged = {}
        for measure in MEASURES:
            merged[measure] = Histogram()
            merged[measure].merge(self.total[measure])
            merged[measure].merge(self._window[measure])
            merged[measure].merge(self._warm[measure])
        return self._totals(self.outcomes, merged)

    def after_warm_up(self) -> OperationTotals:
        """What the closed windows have seen of operations that are not warm-up."""
        return self._totals(self.measured_outcomes, self.measured)

    def _totals(self, outcomes: Integers, held: Mapping[str, Histogram]) -> OperationTotals:
        return OperationTotals(
            count=int(outcomes.sum()),
            outcomes={name: int(n) for name, n in zip(OUTCOMES, outcomes, strict=True)},
            latency=held["latency"],
            service=held["service"],
            lateness=held["lateness"],
            recent=self.recent,
            worst=self.worst,
        )


def _lasting() -> dict[str, Histogram]:
    """One for each measure, for the whole run: their memory is written now, not only reserved, lest
    a rare value that first touches a page look like growth of the tester."""
    histograms = {measure: Histogram() for measure in MEASURES}
    for histogram in histograms.values():
        histogram.clear()
    return histograms


class Windows:
    """Folds drained results into totals per operation and closes a window when asked.

    first_measured: the phase from which on results are judged; those before are the warm-up. A
    result belongs to the phase in which it was due, whenever it came.
    """

    def __init__(
        self,
        operations: Sequence[str],
        window_s: float,
        timeout_s: float,
        first_measured: int = 0,
    ) -> None:
        kept = max(1, round(RECENT_S / window_s))
        self._tallies = {OPERATIONS.index(name): _Tally(kept) for name in operations}
        self._timeout_ns = round(timeout_s * 1e9)
        self._first_measured = first_measured
        self._measured_count = 0
        self._opened_s = 0.0
        self.measured_s = 0.0  # how long the closed windows are that are not warm-up
        self.measured_due_count = 0  # how many operations were due in them
        # How often each slot code was seen per operation: errors by class, violations by kind.
        self._codes: Integers = np.zeros((len(OPERATIONS), 256), dtype=np.int64)

    @property
    def opened_s(self) -> float:
        """When the open window began; seconds since time zero."""
        return self._opened_s

    def add(
        self,
        operation: NDArray[np.integer],
        due_ns: Integers,
        start_ns: Integers,
        end_ns: Integers,
        code: NDArray[np.integer],
        phase: NDArray[np.integer] | None = None,
    ) -> None:
        """Count results, all of shape (n,). Slots that were never issued (VOID) are dropped.

        phase: in which each was due; without it all are measured.
        """
        outcome = code.astype(np.int64) & OUTCOME_MASK
        np.add.at(self._codes, (operation, code), 1)
        late = (end_ns - start_ns > self._timeout_ns) & (outcome != Outcome.VOID)
        outcome[late] = Outcome.TIMEOUT
        is_due = outcome != Outcome.VOID
        is_measured = np.ones_like(is_due) if phase is None else phase >= self._first_measured
        self._measured_count += int(np.count_nonzero(is_due & is_measured))
        for belongs in (True, False):
            these = is_due & (is_measured == belongs)
            if these.any():
                times = operation[these], due_ns[these], start_ns[these], end_ns[these]
                self._fold(*times, outcome[these], is_measured=belongs)

    def _fold(
        self,
        operation: NDArray[np.integer],
        due_ns: Integers,
        start_ns: Integers,
        end_ns: Integers,
        outcome: Integers,
        *,
        is_measured: bool,
    ) -> None:
        for kind in np.unique(operation):
            mine = operation == kind
            due, start, end = due_ns[mine], start_ns[mine], end_ns[mine]
            durations = {
                "latency": end - due,
                "service": end - start,
                "lateness": start - due,
            }
            self._tallies[int(kind)].add(outcome[mine], durations, is_measured=is_measured)

    def close(
        self, end_s: float, phase: str, pending_count: int = 0, *, is_measured: bool = True
    ) -> list[Window]:
        """End the open window at end_s; one row per operation that was issued in it.

        pending_count: operations that are due and not answered yet.
        is_measured: False for warm-up, which counts in the totals but is not judged.
        """
        rows = []
        for code, tally in self._tallies.items():
            outcomes, quantiles = tally.close()
            if not any(outcomes):
                continue
            rows.append(
                Window(
                    start_s=self._opened_s,
                    end_s=end_s,
                    phase=phase,
                    operation=OPERATIONS[code],
                    outcomes=outcomes,
                    latency=quantiles["latency"],
                    service=quantiles["service"],
                    lateness=quantiles["lateness"],
                )
            )
        self.measured_s += (end_s - self._opened_s) * is_measured
        if is_measured:
            self.measured_due_count = self._measured_count + pending_count
        self._opened_s = end_s
        return rows

    def state(self) -> Tree:
        tallies = {code: tally.state() for code, tally in self._tallies.items()}
        return {**taken(self, STATE), "tallies": tallies}

    def restore(self, tree: Tree) -> None:
        """What `state` gave, of the same operations."""
        put_back(self, {name: tree[name] for name in STATE})
        for code, tally in self._tallies.items():
            tally.restore(tree["tallies"][code])

    def answered(self, operation: str, outcomes: Sequence[Outcome]) -> int:
        """How many results of that operation had such a code in their slot."""
        codes = np.arange(256) & OUTCOME_MASK
        return int(self._codes[OPERATIONS.index(operation)][np.isin(codes, outcomes)].sum())

    def totals(self) -> dict[str, OperationTotals]:
        return {OPERATIONS[code]: tally.now() for code, tally in self._tallies.items()}

    def after_warm_up(self) -> dict[str, OperationTotals]:
        return {OPERATIONS[code]: tally.after_warm_up() for code, tally in self._tallies.items()}

    def failed_count(self) -> int:
        """How many operations ended with an error or took too long, as totals count them."""
        failed = [OUTCOMES.index(name) for name in ("error", "timeout")]
        return int(sum(tally.outcomes[failed].sum() for tally in self._tallies.values()))

    def violations(self) -> dict[str, int]:
        """Broken promises by kind, all kinds, as the slots tell."""
        seen = self._codes.sum(axis=0)
        wrong = int(Outcome.WRONG)
        return {
            str(kind): int(seen[wrong | (position + 1) << DETAIL_SHIFT])
            for position, kind in enumerate(VIOLATIONS)
        }

    def errors(self) -> dict[tuple[str, int], int]:
        """(operation, error class) to count; the worker's log names the classes."""
        found = {}
        for operation, code in zip(*np.nonzero(self._codes), strict=True):
            if code & OUTCOME_MASK == Outcome.ERROR:
                key = OPERATIONS[operation], int(code) >> DETAIL_SHIFT
                found[key] = int(self._codes[operation, code])
        return found

    def arrays(self) -> dict[str, Integers]:
        """What histograms.npz holds: `<operation>.<measure>` to counts, and the outcomes."""
        held: dict[str, Integers] = {}
        for name, totals in self.totals().items():
            held[f"{name}.latency"] = totals.latency.counts
            held[f"{name}.service"] = totals.service.counts
            held[f"{name}.lateness"] = totals.lateness.counts
            held[f"{name}.outcomes"] = np.array(list(totals.outcomes.values()), dtype=np.int64)
        return held
