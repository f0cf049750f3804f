"""What does maintenance look like from outside? Seeded hours with evictions and compactions known.

Live records under stores and deletes; evictions of 0.5 to 30 percent, at once or over a minute;
garbage that piles up until a compaction gives it back; memory as in soak/scorecard/noise.py. A full
store besides forgets, all the time, as much as it is given: from its first second or from later on.
"""

from dataclasses import dataclass

import numpy as np

from soak.scorecard.noise import arenas, upward, wander
from soak.seams import Floats

LENGTH_S = 3600
STORES_PER_S = 30.0
# For so long may a store that begins to forget be taken for one that evicts.
NOTICED_S = 90.0
PRIVATE, HEAP = "anonymous_bytes", "used_heap_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """ratio: share of the records or bytes that went, 0 for a full store that begins to forget."""

    kind: str
    start_s: float
    end_s: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTrace:
    columns: dict[str, Floats]
    truths: tuple[Truth, ...]


def event_trace(seed: int, column: str, *, is_full: bool = False) -> EventTrace:
    """One hour at one sample a second, with the memory column that the target offers."""
    rng = np.random.default_rng([seed, 77])
    t_s = np.arange(1.0, LENGTH_S + 1)
    start = rng.uniform(8_000, 40_000)
    stored = (start + np.cumsum(rng.poisson(STORES_PER_S, t_s.size))).astype(np.float64)
    deleted_ratio = rng.uniform(0.3, 0.9)
    deleted = np.cumsum(rng.poisson(STORES_PER_S * deleted_ratio, t_s.size)).astype(np.float64)
    truths, evicted = _evictions(rng, t_s, start)
    live: Floats = stored - deleted - evicted
    if is_full:
        onset, forgotten = _forgotten(seed, t_s, STORES_PER_S * (1 - deleted_ratio))
        truths, live = [*truths, *onset], live - forgotten
    size = rng.uniform(1500, 6000)
    process_bytes = rng.uniform(60e6, 150e6)
    compactions, garbage = _compactions(rng, t_s, process_bytes + live * size)
    held = process_bytes + live * size + garbage
    if column == PRIVATE:
        kept = rng.choice([0.0, 0.7])
        held = kept * np.maximum.accumulate(process_bytes + live * size) + (1 - kept) * (
            process_bytes + live * size
        )
        held += garbage + arenas(rng, t_s)
        held += process_bytes * wander(rng, t_s, rng.uniform(0.0003, 0.002), rng.uniform(60, 1200))
    held += process_bytes * upward(rng, t_s.size, rng.uniform(0.0003, 0.003))
    columns: dict[str, Floats] = {
        "t_s": t_s,
        column: np.round(held),
        # Asked a few milliseconds after the counters.
        "live_records": np.round(live + rng.poisson(0.2, t_s.size)),
        "stored_total": stored,
        "deleted_total": deleted,
    }
    return EventTrace(columns=columns, truths=(*truths, *compactions))


def _evictions(rng: np.random.Generator, t_s: Floats, start: float) -> tuple[list[Truth], Floats]:
    """A few of every size, at least a minute and a half apart; and what is gone by each second."""
    gone = np.zeros(t_s.size)
    truths = []
    at_s = rng.uniform(120, 600)
    while at_s < LENGTH_S - 200:
        ratio = float(np.exp(rng.uniform(np.log(0.005), np.log(0.3))))
        took_s = rng.choice([0.5, rng.uniform(5, 60)])
        gone += ratio * start * np.clip((t_s - at_s) / took_s, 0, 1)
        truths.append(Truth(kind="eviction", start_s=at_s, end_s=at_s + took_s, ratio=ratio))
        at_s += took_s + rng.uniform(200, 900)
    return truths, np.round(gone)


def _forgotten(seed: int, t_s: Floats, per_s: float) -> tuple[list[Truth], Floats]:
    """What a full store has forgotten by each second; that it begins to is an event of its own."""
    rng = np.random.default_rng([seed, 78])
    begin_s = float(rng.choice([0.0, rng.uniform(120, 1200)]))
    gone = np.cumsum(rng.poisson(per_s, t_s.size) * (t_s > begin_s)).astype(np.float64)
    ends = [] if begin_s == 0 else [begin_s + NOTICED_S]
    return [Truth(kind="eviction", start_s=begin_s, end_s=end, ratio=0.0) for end in ends], gone


def _compactions(rng: np.random.Generator, t_s: Floats, held: Floats) -> tuple[list[Truth], Floats]:
    """Garbage grows evenly and goes at once, in one target of two."""
    if rng.uniform() < 0.5:
        return [], np.zeros(t_s.size)
    period_s, ratio = rng.uniform(400, 1200), rng.uniform(0.02, 0.2)
    phase_s = rng.uniform(0, period_s)
    garbage = ratio * float(held.mean()) * (((t_s + phase_s) / period_s) % 1)
    ends = np.arange(period_s - phase_s, LENGTH_S, period_s)
    truths = [Truth(kind="compaction", start_s=e, end_s=e + 1, ratio=ratio) for e in ends]
    return truths, garbage
