"""Six hours of pages, made by formulas: what a short soak has no time for, leaks and faults."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from soak.histogram import Histogram
from soak.show.exporter import Exporter
from soak.snapshot import Event, OperationTotals, Snapshot
from soak.verdict import Status, Verdict
from tests.snapshots import CYCLE_S, IDENTITY, MEDIANS_MS, SHARES, maintenance_event, six_hours

LENGTH_S = 6 * 3600.0
STEP_S = 30.0
RATE = 20.0
MIB = 1 << 20
ONSET_S = 2 * 3600.0
RUN_ID = "20260301T120000Z-invented-1f3a"
OCCURRENCES = (
    ("phase", 0.0),
    ("phase", 900.0),
    ("fault_kill", 9_000.0),
    ("gap", 9_010.0),
    ("change_point", 12_000.0),
)


def pages(started_s: float) -> Iterator[tuple[float, str]]:
    """(wall time, OpenMetrics) from the first half minute to the last."""
    exporter = Exporter()
    sums = {name: Histogram() for name in SHARES}
    rng = np.random.default_rng(2)
    basis = six_hours(200)
    for at_s in np.arange(STEP_S, LENGTH_S + 1, STEP_S):
        for name, share in SHARES.items():
            fold(sums[name], name, share, float(at_s), rng)
        snapshot = snapshot_at(basis, sums, float(at_s), started_s)
        yield started_s + at_s, exporter.render(snapshot, openmetrics=True).decode()


def fold(held: Histogram, name: str, share: float, at_s: float, rng: np.random.Generator) -> None:
    slowed = 4.0 if is_evicting(at_s) else 1.0
    drawn_ms = rng.lognormal(np.log(MEDIANS_MS[name] * slowed), 0.6, round(RATE * STEP_S * share))
    held.add((drawn_ms * 1e6).astype(np.int64))


def is_evicting(at_s: float) -> bool:
    return at_s % CYCLE_S < 60


def snapshot_at(
    basis: Snapshot, sums: dict[str, Histogram], at_s: float, started_s: float
) -> Snapshot:
    """The run at that moment; figures that nobody asks for are those of the basis."""
    live = min(at_s * 20, 31_000 + 9_000 * (at_s % CYCLE_S) / CYCLE_S)
    leaked = max(0.0, at_s - ONSET_S) * 2_000
    columns = {
        "anonymous_bytes": 90 * MIB + live * 2_400 + leaked,
        "resident_bytes": 131 * MIB + live * 2_500 + leaked,
        "proportional_bytes": 120 * MIB + live * 2_450 + leaked,
        "cpu_s": 0.1 * at_s,
        "host_limit_bytes": 400.0 * MIB,
        "health_ratio": 0.97,
    }
    return replace(
        basis,
        identity=replace(IDENTITY, run_id=RUN_ID, scenario="invented", started=started_s),
        elapsed_s=at_s,
        operations={name: totals(held) for name, held in sums.items()},
        resources={**basis.resources, **columns},
        records={"live": live, "stored": at_s * 8, "evicted": at_s * 5, "deleted": at_s * 2},
        events=tuple(events(at_s, started_s)),
        event_counts={("evict", "declared"): int(at_s // CYCLE_S)},
        verdicts=(broken_objective(basis), basis.verdicts[1], leak_verdict(at_s)),
        leaks=(
            {
                "resource": "leak",
                "bytes_per_s": leaked / at_s,
                "low_bytes_per_s": 0.8 * leaked / at_s,
                "high_bytes_per_s": 1.2 * leaked / at_s,
                "bytes_per_operation": leaked / at_s / RATE,
            },
        ),
    )


def totals(held: Histogram) -> OperationTotals:
    outcomes = {"ok": held.count - 2, "missing": 0, "wrong": 0, "error": 2, "timeout": 0}
    return OperationTotals(
        count=held.count, outcomes=outcomes, latency=held, service=held, lateness=held
    )


def events(at_s: float, started_s: float) -> Iterator[Event]:
    for cycle in range(1, int(at_s // CYCLE_S) + 1):
        begun = replace(
            maintenance_event(cycle * CYCLE_S, "evict", 40.0, 9_000),
            wall_time=started_s + cycle * CYCLE_S,
        )
        yield begun
        if cycle % 2 == 0:
            yield replace(begun, kind="compact", wall_time=begun.wall_time + 100)
            yield replace(begun, kind="checkpoint", wall_time=begun.wall_time + 200)
    for kind, begun_s in OCCURRENCES:
        if begun_s <= at_s:
            yield Event(time_s=begun_s, wall_time=started_s + begun_s, kind=kind, source="injected")


def broken_objective(basis: Snapshot) -> Verdict:
    return replace(basis.verdicts[0], status=Status.FAIL, since_s=STEP_S)


def leak_verdict(at_s: float) -> Verdict:
    (leak,) = [v for v in six_hours(200).verdicts if v.detector == "leak"]
    is_seen = at_s > ONSET_S + 1_800
    return replace(
        leak,
        check="leak",
        status=Status.FAIL if is_seen else Status.PASS,
        since_s=ONSET_S if is_seen else None,
    )
