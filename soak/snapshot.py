"""What is known of a run at one instant: immutable, and the one shape everybody shows.

The controller makes one a second. The exporter turns it into metrics, the web page and the
terminal draw it, and the last one of a run is its report.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from soak.histogram import Histogram
from soak.verdict import RunVerdict, Verdict

SCHEMA_VERSION = 1

State = Literal["starting", "running", "stopping", "finished", "interrupted", "failed"]
Source = Literal["detected", "declared", "injected"]
NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which run this is. started: seconds since 1970, UTC. time_scale: how many times as fast as
    the load memories age in the target."""

    run_id: str
    scenario: str
    target: str
    seed: int
    version: str
    started: float
    directory: str
    time_scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """A distribution of durations in seconds; nan where nothing was counted."""

    mean: float = NAN
    p50: float = NAN
    p95: float = NAN
    p99: float = NAN
    p999: float = NAN
    max: float = NAN

    @staticmethod
    def of(histogram: Histogram) -> "Quantiles":
        p50, p95, p99, p999 = histogram.quantiles_s((0.5, 0.95, 0.99, 0.999))
        worst = histogram.max_ns / 1e9 if histogram.count else NAN
        return Quantiles(mean=histogram.mean_s(), p50=p50, p95=p95, p99=p99, p999=p999, max=worst)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationTotals:
    """One operation since the start of the run. The histograms are live: read, never write.

    recent and worst: latency of the last five minutes and of the worst five minutes (by p99).
    """

    count: int
    outcomes: Mapping[str, int]
    latency: Histogram
    service: Histogram
    lateness: Histogram
    recent: Quantiles = field(default_factory=Quantiles)
    worst: Quantiles = field(default_factory=Quantiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the objectives are judged on: the closed windows after warm-up, length_s together.

    The histograms are live: read, never write. due_count: operations that were due in them, nan
    where the clients decide. recall_sd: of the recall of one search.
    """

    operations: Mapping[str, OperationTotals] = field(default_factory=dict)
    length_s: float = 0.0
    due_count: float = NAN
    recall_sd: float = NAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """An operation that a histogram points at. index: its id in operations.csv of the run.

    duration_s: as that histogram counts it; wall_time: when it ended, since 1970.
    """

    index: int
    duration_s: float
    wall_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a time. time_s: since the start; wall_time: since 1970."""

    time_s: float
    wall_time: float
    kind: str
    source: Source
    duration_s: float = 0.0
    details: Mapping[str, float | int | str | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The tester was gone, and the run went on later. at_s: in run time, which stood still.

    absent_s: how long by the clock on the wall. in_doubt_count: operations in flight at that
    moment, whose answers nobody heard.
    """

    at_s: float
    absent_s: float
    in_doubt_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Can this run be trusted? reasons: why not, empty when it can.

    is_void: they spoil every figure; otherwise only times and rates are in doubt.
    """

    trusted: bool
    reasons: tuple[str, ...]
    lateness: Quantiles
    hiccup: Quantiles
    dropped_results: int
    offered_rate: float
    achieved_rate: float
    tester_rss_bytes: float
    tester_cpu_ratio: float
    host_steal_ratio: float
    host_pressure_ratio: float
    clock_step_s: float
    sampler_failures: Mapping[str, int]
    is_void: bool = False
    lost_lines: int = 0  # of the run's logs, on a full disk
    gaps: tuple[Gap, ...] = ()

    @property
    def absent_s(self) -> float:
        """How long the run was away, all interruptions together."""
        return sum(gap.absent_s for gap in self.gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Share of the true k nearest live records that searches returned; nan before the first."""

    k: int
    samples: int
    mean: float = NAN
    first: float = NAN
    last: float = NAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """The oldest operation in flight, when it is overdue."""

    operation: str
    index: int
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The run now. resources: newest figure by column name (see the samplers), nan if unread.

    trend: recent history for drawing, column name to at most a few hundred values, with "t_s".
    """

    identity: Identity
    state: State
    phase: str
    phase_index: int
    phases: tuple[str, ...]
    elapsed_s: float
    planned_s: float
    judged_s: float = NAN  # when the checks were asked last; nan where they never were
    operations: Mapping[str, OperationTotals]
    errors: Mapping[tuple[str, str], int]  # (operation, error type) to count
    violations: Mapping[str, int]
    checked: int
    resources: Mapping[str, float]
    resource_range: Mapping[str, tuple[float, float, float]]  # first, last, max
    sampler_success: Mapping[str, bool]
    records: Mapping[str, float]  # live, stored, evicted, deleted, tier_<name>
    recall: Recall
    health: Mapping[str, float]  # "score" and one entry per component, 0 to 1, nan if unknown
    health_min: float
    verdicts: tuple[Verdict, ...]
    verdict: RunVerdict
    certificate: Certificate
    events: tuple[Event, ...]  # the last few hundred
    event_counts: Mapping[tuple[str, str], int]  # (kind, source) to count, maintenance only
    trend: Mapping[str, tuple[float, ...]]
    eviction: Mapping[str, float] = field(default_factory=dict)
    fidelity: Mapping[str, float] = field(default_factory=dict)  # see soak/oracle/fidelity.py
    measured: Measured = field(default_factory=Measured)
    # (operation, latency or service or lateness) to slow ones, oldest first, at most 64
    exemplars: Mapping[tuple[str, str], tuple[Exemplar, ...]] = field(default_factory=dict)
    hang: Hang | None = None
    skipped: tuple[tuple[str, str], ...] = ()  # checks this run is too short for, and why
    leaks: tuple[Mapping[str, float | str], ...] = ()
    environment: Mapping[str, object] = field(default_factory=dict)

    @property
    def health_reported(self) -> float:
        """What the target says of its own health; nan where it does not, or no longer does."""
        is_fresh = self.sampler_success.get("reported", True)
        return self.resources.get("health_ratio", NAN) if is_fresh else NAN
