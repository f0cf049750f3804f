"""Run directories to read back: made by formulas, the same each time, of any length.

healthy: flat memory, all checks pass. leaking: anonymous memory rises from a quarter of the run
on. crashed: as leaking, but the end is missing, no report was written and last lines are torn.
"""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from soak.report.document import document, event_row
from soak.rundir import finite
from soak.snapshot import Event, Snapshot
from soak.verdict import Concern, Status, Verdict, merge
from soak.watch.windows import HEADER
from tests.snapshots import MEDIANS_MS, SHARES, STARTED, six_hours

MIB = 1 << 20
RATE = 200.0
CYCLE_S = 1_500.0
SCENARIO = """\
name: steady
question: Does memory stay flat while records come and go?
seed: 7
rate: 200/s
target:
  name: engine
  params: {capacity_records: 40000}
phases:
- name: warm-up
  duration: 15m
  warm: true
  mix: {store: 40, get: 30, search: 20, update: 5, delete: 5}
- name: steady
  duration: 5h
  mix: {store: 20, get: 40, search: 30, update: 5, delete: 5}
- name: drain
  duration: 45m
  mix: {get: 40, search: 30, delete: 30}
checks:
- {name: search-p99, detector: slo, params: {operation: search, quantile: p99, max: 50ms}}
- {name: store-p99, detector: slo, params: {operation: store, quantile: p99, max: 50ms}}
- {name: throughput, detector: slo, params: {total: achieved_per_s, min: 100/s}}
- {name: errors, detector: slo, params: {total: error_count, per: count, max: 0.1%}}
- {name: recall, detector: recall, params: {min: 0.95}}
- {name: oracle, detector: never, params: {}}
- {name: memory, detector: leak, params: {column: anonymous_bytes}}
"""


def phase_at(at_s: float, length_s: float) -> str:
    return "warm-up" if at_s < length_s / 24 else "drain" if at_s >= length_s * 0.875 else "steady"


def samples(length_s: float, step_s: float, leak_per_s: float) -> dict[str, np.ndarray]:
    t_s = np.arange(step_s, length_s + step_s / 2, step_s)
    noise = np.random.default_rng(3)
    cycle = (t_s % CYCLE_S) / CYCLE_S
    live = np.floor(np.minimum(t_s * 40, 31_000 + 9_000 * cycle))
    evicting = cycle > 0.97
    leaked = leak_per_s * np.maximum(t_s - length_s / 4, 0)
    anonymous = 90 * MIB + live * 2_400 + leaked + noise.normal(0, 4e5, t_s.size)
    recall = np.where(t_s % 5 < step_s, 0.99 + noise.normal(0, 0.004, t_s.size), np.nan)
    stored = RATE * 0.2 * t_s
    return {
        "t_s": t_s,
        "resident_bytes": anonymous + 41 * MIB + noise.normal(0, 6e5, t_s.size),
        "anonymous_bytes": anonymous,
        "open_fds": 41 + np.floor(3 * cycle),
        "threads": np.full(t_s.size, 5.0),
        "cpu_s": 0.11 * t_s,
        "disk_bytes": 60 * MIB + 4_000 * live + 30 * MIB * ((t_s % (2 * CYCLE_S)) / CYCLE_S),
        "disk_allocated_bytes": 64 * MIB + 4_200 * live + 31 * MIB * ((t_s % 3_000) / CYCLE_S),
        "disk_files": np.full(t_s.size, 12.0),
        "live_records": live,
        "stored_total": stored,
        "evicted_total": np.maximum(stored * 0.95 - live, 0),
        "deleted_total": stored * 0.05,
        "score": np.clip(0.97 - 0.15 * evicting + noise.normal(0, 4e-3, t_s.size), 0, 1),
        "offered_per_s": np.full(t_s.size, RATE),
        "achieved_per_s": RATE + noise.normal(0, 0.8, t_s.size),
        "recall": np.clip(recall, 0, 1),
    }


def window_rows(length_s: float, window_s: float, operations: dict[str, float]) -> Iterator[list]:
    noise = np.random.default_rng(4)
    for number in range(math.ceil(length_s / window_s)):
        start_s = number * window_s
        end_s = min(start_s + window_s, length_s)
        slow = (1.6 if (end_s % CYCLE_S) / CYCLE_S > 0.97 else 0.0) + noise.lognormal(0, 0.05)
        for name, share in operations.items():
            count = round(RATE * share * (end_s - start_s) * noise.lognormal(0, 0.02))
            median_s = MEDIANS_MS.get(name, 1.0) / 1e3 * slow
            tail = median_s * noise.lognormal(0, 0.15)
            errors = 3 if name == "update" and number % 97 == 31 else 0
            missing = count // 50 if name == "get" else 0
            yield [
                *(start_s, end_s, phase_at(start_s, length_s), name, count),
                *(count - errors - missing, missing, 0, errors, 0),
                *(median_s, tail * 2.4, tail * 4, tail * 7, tail * 11),
                *(median_s * 0.9, tail * 3.6, tail * 10, 6e-5, 1.3e-4),
            ]


def run_events(length_s: float) -> list[Event]:
    def event(at_s: float, kind: str, source: str, duration_s: float, **details: object) -> Event:
        return Event(
            time_s=at_s,
            wall_time=STARTED + at_s,
            kind=kind,
            source=source,
            duration_s=duration_s,
            details=details,
        )

    found = []
    for name in ("warm-up", "steady", "drain"):
        at_s = next(s for s in range(int(length_s) + 1) if phase_at(s, length_s) == name)
        found.append(event(at_s, "phase", "injected", 0.0, phase=name))
    for cycle in range(1, int(length_s // CYCLE_S) + 1):
        at_s = cycle * CYCLE_S - 40
        kept = {"maintenance": True, "records": 9_000, "bytes_reclaimed": 9_000 * 1_900}
        found.append(event(at_s, "evict", "declared", 14.0, longest_pause_s=0.004, **kept))
        found.append(event(at_s + 1, "evict", "detected", 12.0, **kept))
        if cycle % 2 == 0:
            freed = {"maintenance": True, "records": 0, "bytes_reclaimed": 30 * MIB}
            found.append(
                event(at_s + 60, "compact", "declared", 41.0, longest_pause_s=0.009, **freed)
            )
    return sorted(found, key=lambda each: each.time_s)


def run_verdicts(*, leaks: bool) -> tuple[Verdict, ...]:
    def verdict(
        check: str, detector: str, concern: Concern, reason: str, *figures: float
    ) -> Verdict:
        effect, threshold = figures
        unit = {"errors": "ratio", "throughput": "1/s", "recall": "recall", "oracle": "answers"}
        return Verdict(
            check=check,
            detector=detector,
            concern=concern,
            status=Status.PASS,
            reason=reason,
            effect=effect,
            threshold=threshold,
            unit=unit.get(check, "s"),
        )

    objective, right = Concern.OBJECTIVE, Concern.CORRECTNESS
    searched = verdict(
        "search-p99", "slo", objective, "search p99 is 11.2 ms, not above 50 ms", 0.0112, 0.05
    )
    stored = verdict(
        "store-p99", "slo", objective, "store p99 is 3.6 ms, not above 50 ms", 0.0036, 0.05
    )
    rate = verdict("throughput", "slo", objective, "achieved per s is 200 per second", 199.9, 100)
    errors = verdict("errors", "slo", objective, "error count per count is 0.00072 %", 7.2e-6, 1e-3)
    recall = verdict("recall", "recall", right, "recall is 0.990 over 4,320 searches", 0.99, 0.95)
    oracle = verdict("oracle", "never", right, "no wrong answer in 4,320,000", 0, 0)
    memory = Verdict(
        check="memory",
        detector="leak",
        concern=Concern.LEAK,
        status=Status.FAIL if leaks else Status.PASS,
        reason="anonymous memory grows by 3.1 MiB per hour, since 01:30:00"
        if leaks
        else "anonymous memory does not grow: 0.1 MiB per hour, at most 1 MiB",
        effect=900.0 if leaks else 29.0,
        threshold=291.0,
        unit="bytes/s",
        since_s=5_400.0 if leaks else None,
        interval=(780.0, 1_010.0) if leaks else (-40.0, 98.0),
    )
    return (
        searched,
        stored,
        rate,
        errors,
        replace(recall, interval=(0.988, 0.992)),
        oracle,
        memory,
    )


def last_snapshot(length_s: float, *, leaks: bool) -> Snapshot:
    verdicts = run_verdicts(leaks=leaks)
    happened = run_events(length_s)
    counts: dict[tuple[str, str], int] = {}
    for event in happened:
        if event.details.get("maintenance"):
            counts[event.kind, event.source] = counts.get((event.kind, event.source), 0) + 1
    leak = {
        "resource": "anonymous_bytes",
        "bytes_per_s": 900.0,
        "low_bytes_per_s": 780.0,
        "high_bytes_per_s": 1_010.0,
        "bytes_per_operation": 4.5,
        "onset_s": length_s / 4,
        "exhaustion_s": 5.1e6,
    }
    return replace(
        six_hours(count=200_000),
        state="finished",
        phase="drain",
        phase_index=2,
        elapsed_s=length_s,
        planned_s=length_s,
        verdicts=verdicts,
        verdict=merge(verdicts, trusted=True),
        events=tuple(happened[-300:]),
        event_counts=counts,
        leaks=(leak,) if leaks else (),
        environment={
            "soak": "0.1.0",
            "python": "3.11.7",
            "kernel": "6.1.0",
            "machine": "x86_64",
            "cpu_model": "Example CPU @ 2.5 GHz",
            "cpus": 2,
            "cpus_allowed": 2,
            "memory_total": "24000000 kB",
            "packages": {"numpy": "2.4.6", "psutil": "7.1.0"},
            "command": ["soak", "run", "configs/steady.yaml", "--seed", "7"],
            "target": {"capabilities": ["get", "search", "store"], "config": {"capacity": 40_000}},
        },
    )


def write_run(
    path: Path,
    kind: str = "healthy",
    *,
    length_s: float = 21_600.0,
    window_s: float = 10.0,
    sample_s: float = 1.0,
    operations: dict[str, float] = SHARES,
) -> Path:
    """A run directory of that kind at path, which must not exist yet."""
    leaks = kind != "healthy"
    path.mkdir(parents=True)
    written_s = length_s if kind != "crashed" else length_s * 0.4
    (path / "scenario.yaml").write_text(SCENARIO)
    last = last_snapshot(length_s, leaks=leaks)
    (path / "environment.json").write_text(json.dumps(dict(last.environment)))
    with (path / "windows.csv").open("w", newline="") as file:
        file.write(HEADER + "\n")
        rows = window_rows(length_s, window_s, operations)
        shown = (_short(row) for row in rows if row[1] <= written_s)
        csv.writer(file, lineterminator="\n").writerows(shown)
    columns = samples(written_s, sample_s, 900.0 if leaks else 0.0)
    with (path / "samples.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(_short(row) for row in zip(*columns.values(), strict=True))
    _write_lines(
        path / "events.jsonl",
        [event_row(event) for event in run_events(length_s) if event.time_s <= written_s],
    )
    _write_lines(
        path / "verdicts.jsonl",
        [
            {
                **{"t_s": written_s, "check": verdict.check, "detector": verdict.detector},
                **{"concern": str(verdict.concern), "status": str(verdict.status)},
                **{"reason": verdict.reason, "effect": verdict.effect, "unit": verdict.unit},
                **{"threshold": verdict.threshold, "since_s": verdict.since_s},
            }
            for verdict in last.verdicts
        ],
    )
    _write_lines(path / "worker.jsonl", [{"t_ns": 1, "kind": "hello", "pid": 1}])
    if kind == "crashed":
        for name in ("windows.csv", "samples.csv", "events.jsonl", "worker.jsonl"):
            torn = (path / name).read_bytes()[:-9]
            (path / name).write_bytes(torn)
    else:
        (path / "report.json").write_text(json.dumps(document(last), allow_nan=False))
    return path


def _short(row: object) -> list[object]:
    """Floats as the tester writes them: nine digits, nan as nothing."""
    return [
        ("" if math.isnan(value) else f"{value:.9g}") if isinstance(value, float) else value
        for value in row
    ]


def _write_lines(path: Path, lines: list) -> None:
    path.write_text("".join(json.dumps(finite(line)) + "\n" for line in lines))
