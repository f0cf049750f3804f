"""How well is the target, from 0 to 1? Its own word where it gives one, else this formula.

    score = product of component ** weight, weights of the components that are known scaled to 1

    errors   weight 3   1 at no failed operation, 0 from 1 % on                     linear
    latency  weight 3   1 up to 1.2 x its own times after warm-up, 0 from 5 x on    logarithmic
    recall   weight 2   1 from 0.95 on, 0 at 0.5                                    linear
    growth   weight 2   1 up to 1.05 x its own bytes per live record, 0 from 2 x on logarithmic

A weighted geometric mean, so that one component at zero cannot be outvoted. Latency and growth
compare the medians of the last minutes (at most five, at least one) with those of the first ones
after warm-up: health is about change, the objectives are about the level. After a gap another
process has begun, which is compared with its own first minutes. Before two minutes after either
these two are not known. Latency is the geometric mean of the changes of p50 and p99
per window, the median over operations; what takes less than a millisecond counts as one, because
p99 of ten seconds on a shared machine moves threefold by itself and nobody feels microseconds.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np

from soak.seams import Floats

WEIGHTS = {"errors": 3.0, "latency": 3.0, "recall": 2.0, "growth": 2.0}
SPAN_S = 300.0
MIN_SPAN_S = 60.0
FELT_S = 0.001
ERROR_RATIO_WORST = 0.01
RECALL_BEST, RECALL_WORST = 0.95, 0.5
LATENCY_BEST, LATENCY_WORST = 1.2, 5.0
GROWTH_BEST, GROWTH_WORST = 1.05, 2.0
MIN_RECORDS = 1000

_PREFIX, _SUFFIX = "reported_health_", "_ratio"


def health(
    columns: Mapping[str, Floats],
    totals: Mapping[str, float],
    warm_until_s: float,
    gaps_s: Sequence[float] = (),
) -> dict[str, float]:
    """ "score" and one entry per component; empty while nothing is known.

    columns: the series. totals: of the run after warm-up, as detectors get them. gaps_s: when the
    run was interrupted.
    """
    since_s = max((warm_until_s, *gaps_s))
    own = _last(columns.get("health_ratio"))
    if not math.isnan(own):
        said = {
            name.removeprefix(_PREFIX).removesuffix(_SUFFIX): _last(column)
            for name, column in columns.items()
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX)
        }
        return {"score": own} | {name: v for name, v in said.items() if not math.isnan(v)}
    components = {
        "errors": errors_component(totals.get("error_count", 0.0), totals.get("count", 0.0)),
        "latency": _latency(columns, since_s),
        "recall": recall_component(_recent_mean(columns, "recall")),
        "growth": _growth(columns, since_s),
    }
    known = {name: value for name, value in components.items() if not math.isnan(value)}
    return {"score": weighted(known)} | known if known else {}


def weighted(components: Mapping[str, float]) -> float:
    """The score of components in 0 to 1; zero as soon as one is zero."""
    if min(components.values()) <= 0:
        return 0.0
    total = sum(WEIGHTS[name] for name in components)
    return math.exp(sum(WEIGHTS[n] * math.log(v) for n, v in components.items()) / total)


def errors_component(errors: float, operations: float) -> float:
    """1 without failures, 0 when one operation in a hundred fails; nan before the first."""
    return _clip(1 - errors / operations / ERROR_RATIO_WORST) if operations else math.nan


def recall_component(recall: float) -> float:
    return _clip((recall - RECALL_WORST) / (RECALL_BEST - RECALL_WORST))


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


def _growth(columns: Mapping[str, Floats], since_s: float) -> float:
    held, live = columns.get("anonymous_bytes"), columns.get("live_records")
    if held is None or live is None:
        return math.nan
    per_record = np.where(live >= MIN_RECORDS, held / np.maximum(live, 1), np.nan)
    return ratio_component(_change(columns, per_record, since_s), GROWTH_BEST, GROWTH_WORST)


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


def _recent_mean(columns: Mapping[str, Floats], name: str) -> float:
    column = columns.get(name)
    if column is None:
        return math.nan
    recent = column[columns["t_s"] >= columns["t_s"][-1] - SPAN_S]
    seen = recent[~np.isnan(recent)]
    return float(seen.mean()) if seen.size else math.nan


def _last(column: Floats | None) -> float:
    if column is None:
        return math.nan
    seen = column[~np.isnan(column)]
    return float(seen[-1]) if seen.size else math.nan


def _clip(value: float) -> float:
    return value if math.isnan(value) else min(1.0, max(0.0, value))
