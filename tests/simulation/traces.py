"""What does memory look like, clean and leaking? Seeded traces of which the truth is known.

A trace is base + records x size, held back by an allocator, plus what confuses detectors: a
warm-up, a cache that fills, arenas that come and go, slow and fast noise; and perhaps a leak.
Ranges were chosen after real traces of small stores (dictionary, flat array, HNSW, SQLite).
"""

from dataclasses import dataclass

import numpy as np

from soak.seams import Evidence, Floats

MIB = float(1 << 20)
STEP_S = 5.0
RATE_PER_S = 200.0
LIVES = ("steady", "growing", "filling", "sawtooth", "cycling")
LEAKS = ("time", "operation", "chunks", "late")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """bytes_per_hour: the true leak. typical: memory held without it, in bytes."""

    evidence: Evidence
    bytes_per_hour: float
    typical: float


def trace(
    seed: int, live: str, *, hours: float = 1.0, share: float = 0.0, leak: str = "time"
) -> Trace:
    """One run. share: the leak per hour as a share of the memory held; 0 for a clean run."""
    rng = np.random.default_rng([seed, LIVES.index(live), LEAKS.index(leak)])
    t_s = np.arange(STEP_S, hours * 3600 + 1, STEP_S)
    records = np.round(40_000 * _live(rng, live, t_s) * (1 + rng.normal(0, 0.001, t_s.size)))
    clean = rng.uniform(60, 150) * MIB + _held(rng, records) * rng.uniform(1500, 6000)
    typical = float(np.median(clean))
    clean += typical * (_warm_up(rng, t_s) + _noise(rng, t_s)) + _arenas(rng, t_s)
    rate = RATE_PER_S * (1 + 0.2 * np.sin(2 * np.pi * t_s / rng.uniform(600, 1800)))
    done = np.cumsum(rate * STEP_S)
    per_hour = share * typical
    held = clean + per_hour * _leaked(rng, leak, t_s, done)
    columns = {
        "t_s": t_s,
        "anonymous_bytes": np.round(held / 4096) * 4096,
        "live_records": records,
        "operations_total": done,
    }
    evidence = Evidence(
        columns=columns, totals={}, warm_until_s=0.05 * t_s[-1], planned_s=hours * 3600
    )
    return Trace(evidence=evidence, bytes_per_hour=per_hour, typical=typical)


def until(evidence: Evidence, end_s: float) -> Evidence:
    """What was known at that moment."""
    known = evidence.columns["t_s"] <= end_s
    return Evidence(
        columns={name: column[known] for name, column in evidence.columns.items()},
        totals=evidence.totals,
        warm_until_s=evidence.warm_until_s,
        planned_s=evidence.planned_s,
    )


def _live(rng: np.random.Generator, live: str, t_s: Floats) -> Floats:
    """Records alive, as a share of the population."""
    share = t_s / t_s[-1]
    match live:
        case "growing":
            return 0.4 + rng.uniform(0.2, 0.8) * share
        case "filling":
            return 1 - 0.9 * np.exp(-share / rng.uniform(0.05, 0.25))
        case "sawtooth":
            period_s = rng.uniform(120, 900)
            return 1 - rng.uniform(0.05, 0.3) * (t_s / period_s % 1)
        case "cycling":
            return 1 + rng.uniform(0.02, 0.2) * np.sin(2 * np.pi * t_s / rng.uniform(900, 5400))
        case _:
            return np.ones(t_s.size)


def _held(rng: np.random.Generator, records: Floats) -> Floats:
    """An allocator gives back only a part of what is freed, and slowly."""
    keeps = rng.choice([0.0, 0.7, 1.0])
    most = np.maximum.accumulate(records)
    return keeps * most + (1 - keeps) * records


def _warm_up(rng: np.random.Generator, t_s: Floats) -> Floats:
    cache = rng.choice([0.0, 0.03]) * (1 - np.exp(-t_s / (t_s[-1] * rng.uniform(0.03, 0.3))))
    return cache - 0.05 * np.exp(-t_s / rng.uniform(20, 120))


def _noise(rng: np.random.Generator, t_s: Floats) -> Floats:
    """A slow wander with a time constant of 1 to 20 minutes, and fast, mostly upward noise."""
    phi = np.exp(-STEP_S / rng.uniform(60, 1200))
    steps = rng.normal(0, rng.uniform(0.0003, 0.002) * np.sqrt(1 - phi**2), t_s.size)
    wander = np.empty(t_s.size)
    level = 0.0
    for i, step in enumerate(steps):
        level = phi * level + step
        wander[i] = level
    return wander + np.abs(rng.normal(0, rng.uniform(0.0003, 0.003), t_s.size))


def _arenas(rng: np.random.Generator, t_s: Floats) -> Floats:
    """Blocks of memory taken and given back again, a few an hour; a queue, so no lasting trend."""
    size = rng.choice([0.25, 1.0, 4.0]) * MIB
    stay_s = rng.uniform(300, 1200)
    held = np.zeros(t_s.size)
    for start_s in rng.uniform(-2 * stay_s, t_s[-1], rng.poisson(4 * (1 + t_s[-1] / 3600))):
        held += size * ((t_s >= start_s) & (t_s < start_s + rng.exponential(stay_s)))
    return held


def _leaked(rng: np.random.Generator, leak: str, t_s: Floats, done: Floats) -> Floats:
    """Hours' worth of leak so far; 1 per hour on average while it leaks."""
    hours = t_s / 3600
    match leak:
        case "operation":
            return done / RATE_PER_S / 3600
        case "chunks":
            chunk = rng.uniform(0.01, 0.05) * hours[-1]
            return np.floor(hours / chunk) * chunk
        case "late":
            return np.maximum(0.0, hours - 0.4 * hours[-1])
        case _:
            return hours
