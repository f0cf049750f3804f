"""Under what conditions did the run take place? What the certificate is made of, gathered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from soak.clock import NS_PER_S
from soak.histogram import Histogram
from soak.judge.certificate import Conditions, is_slow
from soak.judge.machine import MACHINE_COLUMNS, machine_of
from soak.load.feeder import WrittenLate
from soak.load.ring import Ring
from soak.result import OPERATIONS
from soak.snapshot import NAN, Hang, OperationTotals, Quantiles, State
from soak.verdict import Verdict
from soak.watch.observer import Observer

HANG_S = 1.0  # an operation this long in flight is shown as hanging


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where the run is in its plan, and what became of its schedule.

    due_count: operations that were to be issued so far; overdue_count: those of them to which no
    client has come yet. dropped_count: results that never came back.
    """

    state: State
    phase: str
    phase_index: int
    elapsed_s: float
    due_count: int
    overdue_count: int = 0
    dropped_count: int = 0
    written_late: WrittenLate = field(default_factory=WrittenLate)
    hang: Hang | None = None


def conditions_of(
    moment: Moment,
    observer: Observer,
    operations: Mapping[str, OperationTotals],
    verdicts: tuple[Verdict, ...],
    *,
    clients: int,
    asked_s: float,
    tightest_s: float,
) -> Conditions:
    """asked_s: how long load was asked for. tightest_s: the smallest latency bound, or nan."""
    hiccup, records = observer.facts.hiccup, observer.sampler_records
    unissued_count = observer.unissued_count + moment.overdue_count
    in_target_s = together(operations, "service").sum_ns / NS_PER_S
    return Conditions(
        lateness=Quantiles.of(together(operations, "lateness")),
        idle_lateness=Quantiles.of(observer.idle_lateness),
        idle_count=observer.idle_lateness.count,
        due_count=moment.due_count,
        unissued_count=unissued_count,
        busy_ratio=in_target_s / (clients * asked_s) if asked_s > 0 else 0.0,
        is_hanging=observer.hanging_count >= clients,
        written_late_count=moment.written_late.count,
        written_late_s=moment.written_late.worst_s,
        hiccup=Quantiles(
            p50=hiccup.get("p50_s", NAN),
            p99=hiccup.get("p99_s", NAN),
            max=hiccup.get("max_s", NAN),
        ),
        dropped_results=moment.dropped_count,
        offered_rate=moment.due_count / asked_s if asked_s > 0 else NAN,
        achieved_rate=(moment.due_count - unissued_count) / asked_s if asked_s > 0 else NAN,
        tightest_s=tightest_s,
        is_slow=is_slow(verdicts),
        machine=machine_of(observer.columns(MACHINE_COLUMNS)),
        samples={name: record.samples for name, record in records.items()},
        failures={name: record.failures for name, record in records.items()},
        worst_gap={name: record.worst_gap for name, record in records.items()},
    )


def hang_of(ring: Ring, now_ns: int) -> Hang | None:
    """The operation that hangs, if one does."""
    oldest = ring.oldest_unfinished(now_ns)
    if oldest is None:
        return None
    index, operation, due_ns, start_ns = oldest
    age_s = (now_ns - (start_ns or due_ns)) / NS_PER_S
    if age_s < HANG_S:
        return None
    return Hang(operation=OPERATIONS[operation], index=index, age_s=age_s)


def in_flight_s(ring: Ring, now_ns: int) -> float:
    """For how long the target has had its oldest operation in hand; 0 where it has none."""
    oldest = ring.oldest_unfinished(now_ns)
    # Operations are claimed in order, so where nobody has come to the oldest, none is in flight.
    return (now_ns - oldest[3]) / NS_PER_S if oldest and oldest[3] else 0.0


def together(operations: Mapping[str, OperationTotals], measure: str) -> Histogram:
    """One measure of operations of all kinds."""
    merged = Histogram()
    for totals in operations.values():
        merged.merge(getattr(totals, measure))
    return merged
