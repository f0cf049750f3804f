"""Snapshots to show: a run of six hours, three of them past, made up by formulas that add up.

Histograms hold exactly the counts that the totals state, records = stored - evicted - deleted,
and each event in the list is in the counts. Only the figures themselves are invented.
"""

import math
from collections import Counter
from dataclasses import replace

import numpy as np

from soak.histogram import Histogram
from soak.result import VIOLATIONS
from soak.snapshot import (
    Certificate,
    Event,
    Identity,
    OperationTotals,
    Quantiles,
    Recall,
    Snapshot,
)
from soak.verdict import Concern, RunVerdict, Status, Verdict

STARTED = 1_772_366_400.0  # 2026-03-01T12:00:00Z
ELAPSED_S, PLANNED_S = 10_800.0, 21_600.0
CYCLE_S = 1_500.0  # from one eviction to the next
MB = 1_000_000
SHARES = {"store": 0.2, "get": 0.4, "search": 0.3, "update": 0.05, "delete": 0.05}
MEDIANS_MS = {"store": 0.9, "get": 0.12, "search": 2.8, "update": 1.1, "delete": 0.4}


def a_histogram(median_ms: float, count: int, seed: int, spread: float = 0.6) -> Histogram:
    histogram = Histogram()
    drawn = np.random.default_rng(seed).lognormal(math.log(median_ms * 1e6), spread, count)
    histogram.add(drawn.astype(np.int64))
    return histogram


def operation_totals(name: str, count: int, errors: int = 0, wrong: int = 0) -> OperationTotals:
    seed = sorted(MEDIANS_MS).index(name)
    missing = count // 50 if name == "get" else 0
    outcomes = {
        "ok": count - missing - errors - wrong,
        "missing": missing,
        "wrong": wrong,
        "error": errors,
        "timeout": 0,
    }
    latency = a_histogram(MEDIANS_MS[name], count, seed)
    quantiles = Quantiles.of(latency)
    worst = Quantiles(**{f: getattr(quantiles, f) * 2.5 for f in quantiles.__slots__})
    return OperationTotals(
        count=count,
        outcomes=outcomes,
        latency=latency,
        service=a_histogram(MEDIANS_MS[name] * 0.9, count, seed + 10),
        lateness=a_histogram(0.06, count, seed + 20, spread=0.3),
        recent=quantiles,
        worst=worst,
    )


def maintenance_event(time_s: float, kind: str, duration_s: float, records: int) -> Event:
    return Event(
        time_s=time_s,
        wall_time=STARTED + time_s,
        kind=kind,
        source="declared",
        duration_s=duration_s,
        details={
            "maintenance": True,
            "records": records,
            "bytes_reclaimed": records * 1_900,
            "longest_pause_s": 0.004,
        },
    )


def six_hour_events() -> tuple[Event, ...]:
    """Phases, an eviction per cycle (declared and detected), a compaction after each second."""
    found = [
        Event(
            time_s=at,
            wall_time=STARTED + at,
            kind="phase",
            source="injected",
            details={"phase": phase},
        )
        for at, phase in ((0.0, "warm-up"), (900.0, "steady"))
    ]
    for cycle in range(1, int(ELAPSED_S // CYCLE_S) + 1):
        at = cycle * CYCLE_S - 40
        declared = maintenance_event(at, "evict", 14.0, 9_000)
        found += [declared, replace(declared, source="detected", time_s=at + 1.0)]
        if cycle % 2 == 0:
            found.append(maintenance_event(at + 60, "compact", 41.0, 0))
    return tuple(sorted(found, key=lambda event: event.time_s))


def six_hour_trend(points: int = 300) -> dict[str, tuple[float, ...]]:
    t_s = np.linspace(ELAPSED_S / points, ELAPSED_S, points)
    noise = np.random.default_rng(5)
    since_eviction = (t_s % CYCLE_S) / CYCLE_S
    live = np.minimum(t_s * 20, 31_000 + 9_000 * since_eviction)
    evicting = since_eviction > 0.97
    columns = {
        "t_s": t_s,
        "live_records": np.floor(live),
        "anonymous_bytes": 90 * MB + live * 2_400 + t_s * 900 + noise.normal(0, 4e5, points),
        "resident_bytes": 131 * MB + live * 2_500 + t_s * 900 + noise.normal(0, 9e5, points),
        "offered_per_s": np.full(points, 200.0),
        "achieved_per_s": 200 + noise.normal(0, 0.8, points),
        "score": np.clip(0.97 - 0.15 * evicting + noise.normal(0, 0.004, points), 0, 1),
        "recall": np.clip(0.992 - 4e-7 * t_s + noise.normal(0, 0.002, points), 0, 1),
    }
    for name, median_ms in MEDIANS_MS.items():
        slowed = 1 + 1.6 * evicting + 0.15 * live / 40_000
        columns[f"{name}_p50_s"] = median_ms / 1e3 * slowed * noise.lognormal(0, 0.04, points)
        columns[f"{name}_p99_s"] = 4 * median_ms / 1e3 * slowed * noise.lognormal(0, 0.12, points)
    columns["recall"][:4] = math.nan
    return {name: tuple(float(v) for v in values) for name, values in columns.items()}


def six_hour_verdicts() -> tuple[Verdict, ...]:
    return (
        Verdict(
            check="search-p99",
            detector="slo",
            concern=Concern.OBJECTIVE,
            status=Status.PASS,
            reason="search p99 is 11.2 ms of at most 50 ms",
            effect=0.0112,
            threshold=0.05,
            unit="s",
        ),
        Verdict(
            check="oracle",
            detector="never",
            concern=Concern.CORRECTNESS,
            status=Status.PASS,
            reason="no promise broken in 1,206,000 checked answers",
            effect=0.0,
            threshold=0.0,
        ),
        Verdict(
            check="memory",
            detector="leak",
            concern=Concern.LEAK,
            status=Status.FAIL,
            reason="anonymous memory grows by 3.2 MB per hour since 00:25",
            effect=900.0,
            threshold=291.0,
            unit="bytes/s",
            since_s=1_500.0,
            interval=(780.0, 1_010.0),
        ),
        Verdict(
            check="recall",
            detector="slo",
            concern=Concern.OBJECTIVE,
            status=Status.UNKNOWN,
            reason="300 probes of the 1,000 that the bound needs",
        ),
    )


CERTIFICATE = Certificate(
    trusted=True,
    reasons=(),
    lateness=Quantiles(mean=6.2e-5, p50=6.0e-5, p95=1.0e-4, p99=1.3e-4, p999=3.0e-4, max=0.0021),
    hiccup=Quantiles(mean=1e-4, p50=9e-5, p95=2e-4, p99=4e-4, p999=1e-3, max=0.006),
    dropped_results=0,
    offered_rate=200.0,
    achieved_rate=199.9,
    tester_rss_bytes=88.0 * MB,
    tester_cpu_ratio=0.04,
    host_steal_ratio=0.0,
    host_pressure_ratio=0.03,
    clock_step_s=0.0,
    sampler_failures={"process": 0, "disk": 0},
)

IDENTITY = Identity(
    run_id="20260301T120000Z-steady-1f3a",
    scenario="steady",
    target="engine",
    seed=7,
    version="0.1.0",
    started=STARTED,
    directory="runs/20260301T120000Z-steady-1f3a",
)


def six_hours(count: int = 20_000) -> Snapshot:
    """Half-way through; count: operations issued so far (fewer than a real run, for speed)."""
    operations = {
        name: operation_totals(name, round(count * share), errors=3 if name == "update" else 0)
        for name, share in SHARES.items()
    }
    events = six_hour_events()
    trend = six_hour_trend()
    kept = [name for name in trend if name.endswith("_bytes")]
    ranges = {name: (trend[name][0], trend[name][-1], max(trend[name])) for name in kept}
    live = trend["live_records"][-1]
    verdicts = six_hour_verdicts()
    return Snapshot(
        identity=IDENTITY,
        state="running",
        phase="steady",
        phase_index=1,
        phases=("warm-up", "steady", "drain"),
        elapsed_s=ELAPSED_S,
        planned_s=PLANNED_S,
        operations=operations,
        errors={("update", "CapacityRefused"): 3},
        violations={str(kind): 0 for kind in VIOLATIONS},
        checked=1_206_000,
        resources={name: last for name, (_, last, _) in ranges.items()}
        | {
            "open_fds": 41.0,
            "threads": 5.0,
            "cpu_s": 1_204.5,
            "disk_bytes": 212.0 * MB,
            "accounted_bytes": 171.0 * MB,
            "uss_bytes": math.nan,
            "reported_segments_count": 12.0,
            "tester_resident_bytes": 88.0 * MB,
        },
        resource_range=ranges,
        sampler_success={"process": True, "disk": True, "host": False},
        records={
            "live": live,
            "stored": live + 63_000 + 5_000,
            "evicted": 63_000.0,
            "deleted": 5_000.0,
        },
        recall=Recall(k=10, samples=300, mean=0.989, first=0.992, last=0.987),
        health={"score": 0.93, "latency": 0.98, "memory": 0.81, "errors": 0.999},
        health_min=0.78,
        verdicts=verdicts,
        verdict=RunVerdict(status=Status.FAIL, exit_code=12, reason=verdicts[2].reason),
        certificate=CERTIFICATE,
        events=events,
        event_counts=Counter(
            (event.kind, event.source) for event in events if event.details.get("maintenance")
        ),
        trend=trend,
        eviction={"inversion_ratio": 0.004, "survival_0.2_to_0.4_ratio": 0.31},
    )
