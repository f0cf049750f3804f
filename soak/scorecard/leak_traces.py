"""What does memory look like, clean and leaking? Seeded runs of which the truth is known.

demand = base + live records x size + tombstones + cache + leak; heap = demand + noise;
private memory = what an allocator holds for it: a share of its peak, rounded up to whole blocks,
with wander, noise and arenas that come and go. Ranges were chosen after real traces of small
stores (dictionary, flat array, HNSW, SQLite). Rows are as far apart as in a run of that length.
"""

from dataclasses import dataclass

import numpy as np

from soak.scorecard.noise import MIB, arenas, filling, upward, wander
from soak.seams import Evidence, Floats

LIVES = ("steady", "growing", "holding", "sawtooth", "periodic", "cycling")
LEAKS = ("time", "operation", "error", "eviction", "chunks", "late")
RATE_PER_S = 200.0
STORE_SHARE = 0.15
MAX_ROWS = 4096
PRIVATE, HEAP = "anonymous_bytes", "used_heap_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakTrace:
    """leaked_bytes: by row. onset_s: when it begins, infinite for a clean run.

    typical_bytes: memory held without the leak.
    """

    evidence: Evidence
    leaked_bytes: Floats
    onset_s: float
    typical_bytes: float

    def bytes_per_s(self, since_s: float, until_s: float) -> float:
        """What really leaked from then to then, per second."""
        t_s = self.evidence.columns["t_s"]
        edges = np.interp([max(since_s, self.onset_s), until_s], t_s, self.leaked_bytes)
        return float(edges[1] - edges[0]) / (until_s - max(since_s, self.onset_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """What was done up to each row, shape (n,) each."""

    t_s: Floats
    rate_per_s: Floats
    operations: Floats
    stored: Floats
    evicted: Floats
    errors: Floats


def leak_trace(
    seed: int, live: str, *, hours: float, share: float = 0.0, leak: str = "time"
) -> LeakTrace:
    """One run. share: the leak per hour as a share of the memory held; 0 for a clean run."""
    rng = np.random.default_rng([seed, LIVES.index(live), LEAKS.index(leak), round(hours * 60)])
    length_s = hours * 3600
    step_s = 2.0 ** max(0, np.ceil(np.log2(length_s / MAX_ROWS)))
    t_s = np.arange(step_s, length_s + 1, step_s)
    population = rng.uniform(5_000, 40_000)
    records = np.round(population * _live(rng, live, t_s) * rng.normal(1, 0.001, t_s.size))
    load = _load(rng, t_s, records)
    size = rng.uniform(1500, 6000)
    tombstones = _tombstones(rng, load, records)
    clean = rng.uniform(60, 150) * MIB + (records + tombstones) * size
    typical = float(np.median(clean))
    clean += typical * (filling(rng, t_s) + rng.choice([0, 0.01]) * load.rate_per_s / RATE_PER_S)
    per_hour = share * typical
    leaked = per_hour * _leaked(rng, leak, load) if share else np.zeros(t_s.size)
    columns = {
        "t_s": t_s,
        **_memory(rng, t_s, clean + leaked, typical),
        "live_records": records,
        "operations_total": np.round(load.operations),
        "stored_total": np.round(load.stored),
        "evicted_total": np.round(load.evicted),
        "errors_total": load.errors,
        "tombstones": np.round(tombstones),
    }
    if not tombstones.any():
        del columns["tombstones"]
    evidence = Evidence(
        columns=columns, totals={}, warm_until_s=0.05 * length_s, planned_s=length_s
    )
    onset_s = np.inf if not share else 0.4 * length_s if leak == "late" else 0.0
    return LeakTrace(evidence=evidence, leaked_bytes=leaked, onset_s=onset_s, typical_bytes=typical)


def _live(rng: np.random.Generator, live: str, t_s: Floats) -> Floats:
    """Records alive, as a share of the population."""
    share: Floats = t_s / t_s[-1]
    phase = rng.uniform()
    ones = np.ones(t_s.size)
    match live:
        case "growing":
            return 0.4 * ones + rng.uniform(0.2, 0.8) * share ** rng.uniform(0.5, 1.5)
        case "holding":
            ramp: Floats = np.minimum(1.0, 0.2 + share * rng.uniform(3, 10))
            return ramp
        case "sawtooth":
            return ones - rng.uniform(0.05, 0.3) * ((t_s / rng.uniform(120, 900) + phase) % 1)
        case "periodic":
            period_s = rng.uniform(1 / 40, 1 / 10) * t_s[-1]
            falls: Floats = 1 - rng.uniform(0.1, 0.5) * (1 - (t_s / period_s + phase) % 1)
            return falls
        case "cycling":
            turns = t_s / rng.uniform(900, 86_400) + phase
            waves: Floats = 1 + rng.uniform(0.02, 0.2) * np.sin(2 * np.pi * turns)
            return waves
        case _:
            return ones


def _load(rng: np.random.Generator, t_s: Floats, records: Floats) -> _Load:
    step_s = t_s[1] - t_s[0]
    turns = t_s / rng.choice([900.0, 86_400.0]) + rng.uniform()
    rate_per_s = RATE_PER_S * (1 + rng.choice([0, 0.3]) * np.sin(2 * np.pi * turns))
    operations = np.cumsum(rate_per_s * step_s)
    stored = records[0] + STORE_SHARE * operations
    # What was stored and is no longer there left by deletion or by forgetting, half each.
    left = np.maximum.accumulate(np.maximum(0.0, stored - records))
    # Errors come in bouts: none for a while, then one operation in a hundred.
    is_bout = wander(rng, t_s, 1.0, t_s[-1] / 50) > 0.5
    errors = np.cumsum(rng.poisson(0.01 * rate_per_s * step_s * is_bout))
    return _Load(
        t_s=t_s,
        rate_per_s=rate_per_s,
        operations=operations,
        stored=stored,
        evicted=left / 2,
        errors=errors.astype(np.float64),
    )


def _tombstones(rng: np.random.Generator, load: _Load, records: Floats) -> Floats:
    """Records deleted and not yet compacted away; in two of five targets."""
    if rng.uniform() > 0.4:
        return np.zeros(records.size)
    most = rng.uniform(0.1, 0.4) * records.max()
    dead: Floats = (load.evicted + rng.uniform(0, most)) % most
    return dead


def _memory(
    rng: np.random.Generator, t_s: Floats, demand: Floats, typical: float
) -> dict[str, Floats]:
    kept_ratio = rng.choice([0.0, 0.7, 1.0])
    held = kept_ratio * np.maximum.accumulate(demand) + (1 - kept_ratio) * demand
    block_bytes = rng.choice([4096.0, MIB / 8, MIB])
    held = np.ceil(held / block_bytes) * block_bytes + arenas(rng, t_s)
    slow = wander(rng, t_s, rng.uniform(0.0003, 0.002), rng.uniform(60, 1200))
    held += typical * (slow + upward(rng, t_s.size, rng.uniform(0.0003, 0.003)))
    heap = demand + typical * upward(rng, t_s.size, rng.uniform(0.0001, 0.001))
    return {PRIVATE: np.round(held / 4096) * 4096, HEAP: np.round(heap)}


def _leaked(rng: np.random.Generator, leak: str, load: _Load) -> Floats:
    """Hours' worth of leak so far; 1 per hour on average while it leaks."""
    hours: Floats = load.t_s / 3600
    counter = {"operation": load.operations, "error": load.errors, "eviction": load.evicted}
    if leak in counter:
        done: Floats = counter[leak] - counter[leak][0]
        done *= float(hours[-1] / max(1.0, float(done[-1])))
        return done
    if leak == "chunks":
        chunk = rng.uniform(0.01, 0.05) * hours[-1]
        steps: Floats = np.floor(hours / chunk) * chunk
        return steps
    onset = 0.4 if leak == "late" else 0.0
    late: Floats = np.maximum(0.0, hours - onset * hours[-1])
    return late
