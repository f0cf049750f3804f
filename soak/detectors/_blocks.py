"""How is a noisy, cycling series made comparable? Cut into blocks of equal length, medians taken.

The window begins after warm-up, after a fifth of the time so far, after the records were first
nearly as many as ever (filling), and after stores have then replaced all of them once, unless
that leaves too little. Until records are replaced, an allocator that never has to reuse memory
looks like a leak: measured on a dictionary of 20,000 records with 40 stores per 36 deletes, 700
bytes per store until 1.05 times the live records had been stored anew, then 5 bytes.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from soak.detectors._trend import information
from soak.seams import Evidence, Floats
from soak.sentences import count, figure

MIN_SKIPPED_S = 90.0
SKIPPED_RATIO = 0.2  # of the time so far
PLANNED_RATIO = 0.05
FULL_RATIO = 0.95
FILL_LEAVES = 0.4
TURNOVERS = 1.2

MAX_BLOCKS = 48
BLOCK_S = 12.0  # at least, while there are more than the fewest blocks
ROWS_PER_BLOCK = 3

# A covariate that hardly moves explains nothing and would only take the trend's place.
VARIES_RATIO = 0.01
COLLINEAR = 0.995


class TooShort(ValueError):
    """There is not enough to judge yet; the message says how much is missing."""


class Asked(Protocol):
    """What to cut: parameters of a detector."""

    @property
    def column(self) -> str: ...
    @property
    def plus(self) -> tuple[str, ...]: ...
    @property
    def records(self) -> str: ...
    @property
    def min_window(self) -> float: ...
    @property
    def min_blocks(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Block medians, each shape (n,); covariates (n, p), the first column constant.

    span_s: from the middle of the first block to the middle of the last; start_s: of the window.
    stored_count: records stored from first to last block, nan where nobody counted; live_count:
    the median. is_settled: whether all records were replaced before the window.
    """

    start_s: float
    span_s: float
    held: Floats
    covariates: Floats
    operations: Floats | None
    stored_count: float
    live_count: float
    is_settled: bool

    @property
    def typical(self) -> float:
        return float(np.median(self.held))


def cut(evidence: Evidence, asked: Asked, until_s: float) -> Blocks:
    """The run up to until_s as blocks. Raises TooShort."""
    columns = evidence.columns
    held = columns[asked.column].copy()
    for name in asked.plus:
        if name in columns:
            held += np.nan_to_num(columns[name])
    live = columns[asked.records]
    is_usable = ~np.isnan(held) & ~np.isnan(live) & (columns["t_s"] <= until_s)
    t_s, held, live = columns["t_s"][is_usable], held[is_usable], live[is_usable]
    done, stored = columns.get("operations_total"), columns.get("stored_total")
    filled = _Filled.of(t_s, live, None if stored is None else stored[is_usable])
    start_s, is_settled = _start(evidence, filled, until_s)
    inside = t_s >= start_s
    edges = _edges(t_s[inside], start_s, asked)
    span_s = float(edges[-1] - edges[0]) * (1 - 1 / (edges.size - 1))
    medians = _medians(t_s, held, edges)
    return Blocks(
        start_s=start_s,
        span_s=span_s,
        held=medians,
        covariates=_covariates(medians, t_s, live, edges),
        operations=None if done is None else _medians_or_none(t_s, done[is_usable], edges),
        stored_count=math.nan if stored is None else _rise(stored[is_usable][inside]),
        live_count=float(np.median(live[inside])),
        is_settled=is_settled,
    )


def rank_correlation(y: Floats) -> float:
    """Spearman's correlation of y with its own order, -1 to 1; ties get the order they come in."""
    n = y.size
    ranks = np.empty(n)
    ranks[np.argsort(y, kind="stable")] = np.arange(n)
    return float(1 - 6 * ((ranks - np.arange(n)) ** 2).sum() / (n * (n**2 - 1)))


def robust_slope(y: Floats) -> float:
    """Median of all pairwise slopes, per step. Source: Sen (1968). O(n^2), n is small."""
    i, j = np.triu_indices(y.size, k=1)
    return float(np.median((y[j] - y[i]) / (j - i)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    """When the records were first nearly as many as ever, and when all were replaced since.

    replaced_s: 0 where nobody counts stores, infinite where it has not happened yet.
    """

    full_s: float
    replaced_s: float

    @staticmethod
    def of(t_s: Floats, live: Floats, stored: Floats | None) -> "_Filled":
        if not live.size:
            return _Filled(full_s=0.0, replaced_s=math.inf)
        full = int(np.argmax(live >= FULL_RATIO * live.max()))
        if stored is None:
            return _Filled(full_s=float(t_s[full]), replaced_s=0.0)
        since = stored - np.nan_to_num(stored[full])
        is_replaced = (since >= TURNOVERS * live.max()) & (t_s >= t_s[full])
        replaced_s = float(t_s[np.argmax(is_replaced)]) if is_replaced.any() else math.inf
        return _Filled(full_s=float(t_s[full]), replaced_s=replaced_s)


def _start(evidence: Evidence, filled: _Filled, until_s: float) -> tuple[float, bool]:
    """Where the window begins, and whether all records were replaced before."""
    skipped_s = max(
        evidence.warm_until_s,
        MIN_SKIPPED_S,
        PLANNED_RATIO * evidence.planned_s,
        SKIPPED_RATIO * until_s,
    )
    latest_s = until_s * (1 - FILL_LEAVES)
    wanted_s = (filled.replaced_s, filled.full_s)
    start_s = max([skipped_s, *(at_s for at_s in wanted_s if at_s <= latest_s)])
    return start_s, start_s >= filled.replaced_s


def _rise(counter: Floats) -> float:
    seen = counter[~np.isnan(counter)]
    return float(seen[-1] - seen[0]) if seen.size else math.nan


def _edges(t_s: Floats, start_s: float, asked: Asked) -> Floats:
    window_s = float(t_s[-1]) - start_s if t_s.size else 0.0
    if window_s < asked.min_window:
        raise TooShort(
            f"{figure(max(0.0, window_s), 's')} since warm-up, "
            f"at least {figure(asked.min_window, 's')} are needed to tell a leak"
        )
    most = min(MAX_BLOCKS, int(window_s / BLOCK_S), t_s.size // ROWS_PER_BLOCK)
    if most < asked.min_blocks:
        raise TooShort(
            f"{count(t_s.size)} samples since warm-up make {count(most)} blocks, "
            f"at least {count(asked.min_blocks)} are needed"
        )
    return np.linspace(start_s, float(t_s[-1]), most + 1)


def _medians(t_s: Floats, values: Floats, edges: Floats) -> Floats:
    """Median per block, shape (len(edges) - 1,). Raises TooShort for a gap in the samples."""
    at = np.searchsorted(t_s, edges)
    at[-1] = t_s.size
    if np.any(np.diff(at) < 1):
        raise TooShort("samples are missing for a stretch of the run")
    return np.array([np.median(values[i:j]) for i, j in pairwise(at)])


def _medians_or_none(t_s: Floats, values: Floats, edges: Floats) -> Floats | None:
    is_seen = ~np.isnan(values)
    try:
        return _medians(t_s[is_seen], values[is_seen], edges)
    except TooShort:
        return None


def _covariates(held: Floats, t_s: Floats, live: Floats, edges: Floats) -> Floats:
    """A constant; live records where they vary; their running maximum where that explains more.

    What an allocator holds follows the most that ever lived, not what lives.
    """
    chosen = [np.ones(held.size)]
    median_live = _medians(t_s, live, edges)
    most_live = _medians(t_s, np.maximum.accumulate(live), edges)
    if _varies(median_live):
        chosen.append(median_live / median_live.mean())
    if _varies(most_live) and not _is_collinear(most_live, median_live):
        more = [*chosen, most_live / most_live.mean()]
        trend = np.linspace(0.0, 1.0, held.size)
        with_it = information(held, np.column_stack([*more, trend]))
        if with_it < information(held, np.column_stack([*chosen, trend])):
            chosen = more
    return np.column_stack(chosen)


def _varies(values: Floats) -> bool:
    middle = float(np.abs(values).mean())
    return middle > 0 and float(values.max() - values.min()) > VARIES_RATIO * middle


def _is_collinear(one: Floats, other: Floats) -> bool:
    if not _varies(other):
        return False
    return abs(float(np.corrcoef(one, other)[0, 1])) > COLLINEAR
