"""What is left of a run on many nodes? One record of it, as that of any run, made by the head.

Results belong to the window in which the head heard of them, at most a look of a second late; the
sum over windows.csv is the totals, exactly. What each worker alone saw is in its own directory.
"""

import io
from collections import deque
from collections.abc import Mapping

import numpy as np

from soak.histogram import Histogram, lower_bound_ns
from soak.report.document import event_row
from soak.result import OUTCOMES
from soak.rundir import LineLog, RunDirectory
from soak.scenario import Scenario
from soak.seams import Floats
from soak.sentences import count
from soak.series import Series
from soak.snapshot import NAN, Event, OperationTotals, Quantiles, Snapshot
from soak.verdict import Verdict
from soak.watch.events import KEPT
from soak.watch.outline import outline
from soak.watch.windows import HEADER, MEASURES, Window

SAMPLED = (
    *("t_s", "achieved_per_s", "offered_per_s", "operations_total", "errors_total"),
    *("violations_total", "live_records", "stored_total", "deleted_total", "evicted_total"),
    *("recall", "score", "resident_bytes", "anonymous_bytes", "accounted_bytes", "disk_bytes"),
    *("open_fds", "threads", "cpu_s", "tester_resident_bytes", "tester_cpu_s"),
)
QUANTILES = ("p50", "p99")
NOBODY = OperationTotals(
    count=0,
    outcomes=dict.fromkeys(OUTCOMES, 0),
    latency=Histogram(),
    service=Histogram(),
    lateness=Histogram(),
)


class Journal:
    """The files of a run on many nodes that grow while it goes; bounded memory."""

    def __init__(self, directory: RunDirectory, scenario: Scenario) -> None:
        """Raises RunDirError."""
        self._directory = directory
        self._names = scenario.operations
        self._sampled = (*SAMPLED, *(f"{o}_{q}_s" for o in self._names for q in QUANTILES))
        self._events, self._verdicts = LineLog(directory.events), LineLog(directory.verdicts)
        self._windows, self._samples = LineLog(directory.windows), LineLog(directory.samples)
        self._windows.begin(HEADER)
        self._samples.begin(",".join(self._sampled))
        self._closed: Mapping[str, OperationTotals] = {}
        self._opened_s = 0.0
        self._windowed: dict[str, float] = {}
        self._series = Series()
        self._sampled_s = -1.0
        self._scored_count = 0
        self.latest: deque[Event] = deque(maxlen=KEPT)

    def tell(self, event: Event) -> None:
        self.latest.append(event)
        self._events.append_json(event_row(event))

    def judged(self, at_s: float, verdict: Verdict) -> None:
        fields = ("check", "detector", "concern", "status", "reason", "effect", "threshold")
        line = {name: getattr(verdict, name) for name in (*fields, "unit", "since_s", "interval")}
        self._verdicts.append_json({"t_s": at_s, **line})

    def close_window(self, snapshot: Snapshot, phase: str) -> None:
        """What came since the last one, a row per operation. phase: that it lay in."""
        now, end_s = snapshot.operations, snapshot.elapsed_s
        figures: dict[str, float] = {}
        done_count = 0
        for name, totals in now.items():
            row = self._row(name, totals, phase, end_s)
            if row.count:
                self._windows.append_row(row.row())
                figures[f"{name}_p50_s"], figures[f"{name}_p99_s"] = (
                    row.latency.p50,
                    row.latency.p99,
                )
            done_count += row.count
        length_s = end_s - self._opened_s
        figures["achieved_per_s"] = done_count / length_s if length_s > 0 else NAN
        self._closed, self._opened_s, self._windowed = now, end_s, figures

    def sample(self, snapshot: Snapshot) -> None:
        """A row of what all workers hold and do together."""
        if snapshot.elapsed_s <= self._sampled_s:
            return
        self._sampled_s = snapshot.elapsed_s
        operations, records = snapshot.operations.values(), snapshot.records
        is_scored = snapshot.recall.samples > self._scored_count
        self._scored_count = snapshot.recall.samples
        row = {
            **{name: snapshot.resources.get(name, NAN) for name in SAMPLED},
            "t_s": snapshot.elapsed_s,
            "offered_per_s": snapshot.certificate.offered_rate,
            "operations_total": float(sum(each.count for each in operations)),
            "errors_total": float(
                sum(each.outcomes["error"] + each.outcomes["timeout"] for each in operations)
            ),
            "violations_total": float(sum(snapshot.violations.values())),
            "live_records": records.get("live", NAN),
            **{f"{n}_total": records.get(n, NAN) for n in ("stored", "deleted", "evicted")},
            "recall": snapshot.recall.last if is_scored else NAN,
            "score": snapshot.health.get("score", NAN),
            "achieved_per_s": NAN,
            **self._windowed,
        }
        self._windowed = {}
        self._series.append(row)
        self._samples.append_row([row.get(name, NAN) for name in self._sampled])

    def columns(self) -> dict[str, Floats]:
        return self._series.columns()

    def trend(self) -> dict[str, tuple[float, ...]]:
        columns = self._series.columns()
        return outline(columns, columns)

    def close(self) -> None:
        """No line more."""
        for log in self._logs:
            log.close()

    def count_all(self, snapshot: Snapshot) -> None:
        """Write the counts of the whole run. Raises RunDirError."""
        arrays = {
            f"{name}.{measure}": getattr(totals, measure).counts
            for name, totals in snapshot.operations.items()
            for measure in MEASURES
        }
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays)
        self._directory.replace(self._directory.histograms, content.getvalue())

    @property
    def loss(self) -> str:
        """What the record lacks, a sentence; empty where it is whole."""
        lost_count = sum(log.lost_count for log in self._logs)
        trouble = next((log.trouble for log in self._logs if log.trouble), "")
        return f"{count(lost_count)} lines of the record were lost: {trouble}" if trouble else ""

    @property
    def _logs(self) -> tuple[LineLog, ...]:
        return self._events, self._verdicts, self._windows, self._samples

    def _row(self, name: str, now: OperationTotals, phase: str, end_s: float) -> Window:
        before = self._closed.get(name, NOBODY)
        seen = {m: Quantiles.of(since(getattr(before, m), getattr(now, m))) for m in MEASURES}
        return Window(
            start_s=self._opened_s,
            end_s=end_s,
            phase=phase,
            operation=name,
            outcomes=tuple(now.outcomes[o] - before.outcomes[o] for o in OUTCOMES),
            latency=seen["latency"],
            service=seen["service"],
            lateness=seen["lateness"],
        )


def since(before: Histogram, now: Histogram) -> Histogram:
    """What was counted between two looks at one histogram; its largest to a bucket's width."""
    found = Histogram()
    found.counts = now.counts - before.counts
    found.sum_ns = now.sum_ns - before.sum_ns
    filled = np.flatnonzero(found.counts)
    if filled.size:
        above = int(lower_bound_ns(filled[-1:] + 1)[0]) - 1
        found.max_ns = now.max_ns if now.max_ns > before.max_ns else min(above, now.max_ns)
    return found


def relocated(event: Event, worker: int, started_s: float, from_s: float) -> Event:
    """A worker's event in the run's time. from_s: where in it the worker's own time zero lies."""
    time_s = from_s + event.time_s
    return Event(
        time_s=time_s,
        wall_time=started_s + time_s,
        kind=event.kind,
        source=event.source,
        duration_s=event.duration_s,
        details={**event.details, "worker": worker},
    )
