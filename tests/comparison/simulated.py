"""Runs whose difference is known: windows and samples drawn from a seed, one run as slow as asked.

The noise of a window is half the last window's and half its own, so windows depend on each other;
what the load does (a cycle every twelve windows) is the same in every run.
"""

import csv
import json
from pathlib import Path

import numpy as np

from soak.report.journal import WindowRows
from soak.report.record import RunRecord

MEDIANS_S = {"get": 0.0002, "search": 0.003, "store": 0.001}
SHARES = {"get": 0.5, "search": 0.3, "store": 0.2}
RATE = 100.0
BARE_BYTES = 60e6
PLAN = {
    "name": "simulated",
    "seed": 1,
    "rate": 100.0,
    "target": {"name": "engine", "clients": 1, "params": {"capacity_records": 5000}},
    "phases": [
        {"name": "warm-up", "duration": 50.0, "warm": True, "mix": {"get": 1.0}},
        {"name": "steady", "duration": 600.0, "mix": {"get": 1.0}},
    ],
}
ENVIRONMENT = {
    "python": "3.11.7",
    "cpu_model": "Example CPU",
    "cpus_allowed": 2,
    "machine": "x86_64",
    "memory_total": "24000000 kB",
}


def noise(rng: np.random.Generator, n: int, scale: float, memory: float = 0.5) -> np.ndarray:
    """An autoregressive series of that standard deviation, shape (n,)."""
    steps = rng.normal(0, scale * np.sqrt(1 - memory**2), n)
    steps[0] = rng.normal(0, scale)
    for i in range(1, n):
        steps[i] += memory * steps[i - 1]
    return steps


def simulated(
    seed: int,
    *,
    slower: float = 1.0,
    larger: float = 1.0,
    fewer: float = 1.0,
    windows: int = 60,
    spread: float = 0.05,
    errors: int = 0,
    recall: float = 0.99,
    wrong: int = 0,
    trusted: bool = True,
    plan: dict[str, object] | None = None,
    environment: dict[str, object] | None = None,
) -> RunRecord:
    """A run of `windows` windows of ten seconds after five of warm-up.

    slower: factor on every latency; larger: on memory and disk; fewer: on the rate; spread: of a
    window's noise, twice that in the tail; errors: in every window; wrong: answers in all.
    """
    rng = np.random.default_rng(seed)
    n = windows + 5
    start_s = np.arange(n) * 10.0
    figures = windows_table(rng, start_s, slower, RATE * fewer, spread, errors)
    return RunRecord(
        directory=Path(f"runs/simulated-{seed}"),
        document={
            "run_id": f"simulated-{seed}",
            "scenario": "simulated",
            "target": "engine",
            "version": "0.1.0",
            "state": "finished",
            "started": "2026-03-01T12:00:00Z",
            "certificate": {"trusted": trusted, "reasons": [] if trusted else ["it was late"]},
            "oracle": {"checked": 1_000, "violations": {"lost": wrong}},
            "environment": environment or ENVIRONMENT,
        },
        windows=WindowRows(
            phase=np.tile(np.where(start_s < 50, "warm-up", "steady"), len(MEDIANS_S)),
            operation=np.repeat(list(MEDIANS_S), n),
            figures=figures,
        ),
        samples=sampled(rng, n * 10, slower, larger, recall),
        events=(),
        worker=(),
        scenario="",
        plan=plan or PLAN,
        notes=(),
    )


def windows_table(
    rng: np.random.Generator,
    start_s: np.ndarray,
    slower: float,
    rate: float,
    spread: float,
    errors: int,
) -> dict[str, np.ndarray]:
    n = start_s.size
    cycle = 0.2 * np.sin(2 * np.pi * np.arange(n) / 12)
    table: dict[str, list[np.ndarray]] = {}
    for name, median_s in MEDIANS_S.items():
        body = median_s * slower * np.exp(cycle + noise(rng, n, spread))
        tail = body * 4 * np.exp(noise(rng, n, spread))
        figures = {
            **{"start_s": start_s, "end_s": start_s + 10},
            **{"count": np.full(n, rate * SHARES[name] * 10)},
            **{"error": np.full(n, float(errors)), "timeout": np.zeros(n)},
            **{"latency_p50_s": body * 1.2, "latency_p95_s": body * 3, "latency_p99_s": tail},
            **{"service_p50_s": body, "service_p99_s": tail * 0.9},
        }
        for column, values in figures.items():
            table.setdefault(column, []).append(values)
    return {name: np.concatenate(parts) for name, parts in table.items()}


def sampled(
    rng: np.random.Generator, length_s: int, slower: float, larger: float, recall: float
) -> dict[str, np.ndarray]:
    t_s = np.arange(1.0, length_s + 0.5)
    live = 4_000 + 500 * np.sin(t_s / 60)
    return {
        "t_s": t_s,
        "anonymous_bytes": larger * (90e6 + 2_000 * live) * np.exp(noise(rng, t_s.size, 0.01)),
        "bare_bytes": np.full(t_s.size, BARE_BYTES),
        "live_records": live,
        "disk_allocated_bytes": larger * 60e6 * (1 + 0.2 * np.sin(t_s / 90)),
        "cpu_s": 0.1 * slower * t_s,
        "recall": np.clip(recall + noise(rng, t_s.size, 0.01), 0, 1),
    }


def written(record: RunRecord, out: Path) -> Path:
    """The record as a run directory below out."""
    path = out / record.directory.name
    path.mkdir(parents=True)
    (path / "scenario.yaml").write_text(json.dumps(record.plan))  # JSON is YAML
    (path / "environment.json").write_text(json.dumps(record.document["environment"]))
    (path / "report.json").write_text(json.dumps(record.document))
    rows = {
        "phase": record.windows.phase,
        "operation": record.windows.operation,
        **record.windows.figures,
    }
    for name, columns in (("windows.csv", rows), ("samples.csv", record.samples)):
        with (path / name).open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    return path
