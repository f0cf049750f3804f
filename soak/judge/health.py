"""How well is the target, from 0 to 1? One formula for every target (docs/health.md).

    score = product of component ** weight, weights of the components that are known scaled to 1

    errors       weight 3  1 at no failed operation, 0 from 1 % on                      linear
    latency      weight 3  1 up to 1.2 x its own times after warm-up, 0 from 5 x on     logarithmic
    throughput   weight 2  1 from 0.95 of the rate asked for on, 0 at 0.5               linear
    recall       weight 2  1 from 0.95 on, 0 at 0.5                                     linear
    memory       weight 2  1 up to 1.05 x its own bytes per live record, 0 from 2 x on  logarithmic
    maintenance  weight 1  1 up to 2 x the room that live records need, 0 from 5 x on   logarithmic

A weighted geometric mean, so that one component at zero cannot be outvoted. A component that is not
known is nan and has no say: the score is that of the others, and nan where none is known. What a
target says of its own health is shown beside the score and is no part of it.

Errors are those of all operations since warm-up, the rest is about the last minutes (at most five):
medians, of recall and throughput the mean, so that no single window moves the score. Latency,
memory and disk space are compared with the first minutes after warm-up: health is about change, the
objectives are about the level. After a gap another process has begun, which is compared with its
own first minutes. Before two minutes after either these are not known, throughput before one.

Latency is the geometric mean of the changes of p50 and p99 per window, the median over operations;
what takes less than a millisecond counts as one, because p99 of ten seconds on a shared machine
moves threefold by itself and nobody feels microseconds. Throughput is not known where clients wait
for answers before they ask again (closed arrivals): there latency tells. Maintenance is what is
left to be cleared away, the worse of live and dead records over live ones, where a target counts
its tombstones, and of disk space per live record over that at first; less than 64 MiB of files is
not worth clearing away.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np

from soak.seams import Floats

WEIGHTS = {
    **{"errors": 3.0, "latency": 3.0, "throughput": 2.0},
    **{"recall": 2.0, "memory": 2.0, "maintenance": 1.0},
}
SPAN_S = 300.0
MIN_SPAN_S = 60.0
FELT_S = 0.001
ERROR_RATIO_WORST = 0.01
RECALL_BEST, RECALL_WORST = 0.95, 0.5
# Poisson arrivals at 10/s miss their rate by 4 % in a minute, one time in three.
THROUGHPUT_BEST, THROUGHPUT_WORST = 0.95, 0.5
LATENCY_BEST, LATENCY_WORST = 1.2, 5.0
MEMORY_BEST, MEMORY_WORST = 1.05, 2.0
# A log that is rewritten when half of it is dead is twice as large just before.
ROOM_BEST, ROOM_WORST = 2.0, 5.0
ROOM_BYTES = 64 * 2**20
MIN_RECORDS = 1000


def health(
    columns: Mapping[str, Floats],
    totals: Mapping[str, float],
    warm_until_s: float,
    gaps_s: Sequence[float] = (),
) -> dict[str, float]:
    """ "score" and one entry per component, nan where it is not known.

    columns: the series. totals: of the run after warm-up, as detectors get them. gaps_s: when the
    run was interrupted.
    """
    since_s = max((warm_until_s, *gaps_s))
    components = {
        "errors": errors_component(totals.get("error_count", 0.0), totals.get("count", 0.0)),
        "latency": _latency(columns, since_s),
        "throughput": level_component(
            _throughput(columns, since_s), THROUGHPUT_BEST, THROUGHPUT_WORST
        ),
        "recall": level_component(
            _mean(_recent(columns, columns.get("recall"), since_s)), RECALL_BEST, RECALL_WORST
        ),
        "memory": ratio_component(
            _change(columns, _per_record(columns, "anonymous_bytes"), since_s),
            *(MEMORY_BEST, MEMORY_WORST),
        ),
        "maintenance": ratio_component(_room(columns, since_s), ROOM_BEST, ROOM_WORST),
    }
    return {"score": weighted(components)} | components


def weighted(components: Mapping[str, float]) -> float:
    """The score of components in 0 to 1; nan ones have no say, zero as soon as one is zero."""
    known = {name: value for name, value in components.items() if not math.isnan(value)}
    if not known:
        return math.nan
    if min(known.values()) <= 0:
        return 0.0
    total = sum(WEIGHTS[name] for name in known)
    return math.exp(sum(WEIGHTS[n] * math.log(v) for n, v in known.items()) / total)


def errors_component(errors: float, operations: float) -> float:
    """1 without failures, 0 when one operation in a hundred fails; nan before the first."""
    return _clip(1 - errors / operations / ERROR_RATIO_WORST) if operations else math.nan


def level_component(level: float, best: float, worst: float) -> float:
    """1 from best on, 0 at worst, linear between; nan for nan."""
    return _clip((level - worst) / (best - worst))


def ratio_component(ratio: float, best: float, worst: float) -> float:
    """1 up to best, 0 from worst on, logarithmic between; nan for nan or no ratio."""
    if math.isnan(ratio) or ratio <= 0:
        return math.nan
    return _clip(math.log(worst / ratio) / math.log(worst / best))


def _latency(columns: Mapping[str, Floats], since_s: float) -> float:
    """The median over operations of times now against times at first."""
    ratios = []
    for name in columns:
        if name.endswith("_p99_s") and not name.endswith("_service_p99_s"):
            middle = name.removesuffix("_p99_s") + "_p50_s"
            both = (columns[name], columns.get(middle, columns[name]))
            p99, p50 = (_change(columns, np.maximum(c, FELT_S), since_s) for c in both)
            ratios.append(math.sqrt(p99 * p50))
    known = [ratio for ratio in ratios if not math.isnan(ratio)]
    return ratio_component(median(known), LATENCY_BEST, LATENCY_WORST) if known else math.nan


def _throughput(columns: Mapping[str, Floats], since_s: float) -> float:
    """Operations done over those asked for, in the windows of the last minutes.

    A window is held against what was asked for since the one before: rates may change.
    """
    t_s, done, asked = columns["t_s"], columns.get("achieved_per_s"), columns.get("offered_per_s")
    ends = np.flatnonzero(np.isfinite(done)) if done is not None else np.empty(0, dtype=np.int64)
    if done is None or asked is None or not ends.size:
        return math.nan
    begins = np.concatenate([[0], ends[:-1] + 1])
    # nan where arrivals were closed for a part of it.
    rates = np.add.reduceat(asked[: ends[-1] + 1], begins) / (ends + 1 - begins)
    is_seen = np.isfinite(rates) & (t_s[begins] >= max(since_s, t_s[-1] - SPAN_S))
    begins, ends, rates = begins[is_seen], ends[is_seen], rates[is_seen]
    if not ends.size or t_s[ends[-1]] - t_s[begins[0]] < MIN_SPAN_S or not rates.sum() > 0:
        return math.nan
    return float(done[ends].sum() / rates.sum())


def _room(columns: Mapping[str, Floats], since_s: float) -> float:
    """How many times the room of the live records is taken up, by the worse of two figures."""
    live, dead = columns.get("live_records"), columns.get("tombstones")
    ratios = []
    if live is not None and dead is not None:
        taken = np.where(live >= MIN_RECORDS, 1 + dead / np.maximum(live, 1), np.nan)
        ratios.append(_median(_recent(columns, taken, since_s)))
    change = _change(columns, _per_record(columns, "disk_allocated_bytes"), since_s)
    size = _median(_recent(columns, columns.get("disk_allocated_bytes"), since_s))
    ratios.append(float(np.minimum(change, size / ROOM_BYTES)))
    return max((ratio for ratio in ratios if not math.isnan(ratio)), default=math.nan)


def _per_record(columns: Mapping[str, Floats], name: str) -> Floats:
    """nan where few records share what is there without any."""
    held, live = columns.get(name), columns.get("live_records")
    if held is None or live is None:
        return np.full(columns["t_s"].size, np.nan)
    return np.where(live >= MIN_RECORDS, held / np.maximum(live, 1), np.nan)


def _change(columns: Mapping[str, Floats], values: Floats, since_s: float) -> float:
    """Median of the last minutes over median of the first; nan unless they are apart."""
    t_s = columns["t_s"]
    is_seen = ~np.isnan(values) & (t_s >= since_s)
    t_s, values = t_s[is_seen], values[is_seen]
    if t_s.size < 2:
        return math.nan
    span_s = min(SPAN_S, (t_s[-1] - t_s[0]) / 2)
    if span_s < MIN_SPAN_S:
        return math.nan
    first, last = values[t_s <= t_s[0] + span_s], values[t_s >= t_s[-1] - span_s]
    start = float(np.median(first))
    return float(np.median(last)) / start if start > 0 else math.nan


def _recent(columns: Mapping[str, Floats], values: Floats | None, since_s: float) -> Floats:
    """What is known of the last minutes."""
    t_s = columns["t_s"]
    if values is None or not t_s.size:
        return np.empty(0)
    recent = values[t_s >= max(since_s, t_s[-1] - SPAN_S)]
    known: Floats = recent[~np.isnan(recent)]
    return known


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else math.nan


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else math.nan


def _clip(value: float) -> float:
    return value if math.isnan(value) else min(1.0, max(0.0, value))
