"""How is a noisy, cycling series made comparable? Cut into blocks of equal length, in several ways.

The window begins after warm-up, after a fifth of the time so far, after the records were first
nearly as many as ever (filling), and after stores have then replaced all of them once, unless
that leaves too little. Until records are replaced, an allocator that never has to reuse memory
looks like a leak: measured on a dictionary of 20,000 records with 40 stores per 36 deletes, 700
bytes per store until 1.05 times the live records had been stored anew, then 5 bytes.

Long blocks average over what comes and goes in minutes, short ones resolve when a trend began; the
median is what is typical, the floor what is held even when everything that comes and goes is gone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, product
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

BLOCK_COUNTS = (48, 24, 14)
# What comes and goes for an hour is gone only from the lowest rows of long blocks.
LONG = ((14, 0.02), (8, 0.1), (8, 0.02))  # blocks and quantile
BLOCK_S = 12.0  # at least, while there are more than the fewest blocks
ROWS_PER_BLOCK = 3
FLOOR = 0.1  # quantile

# A covariate that hardly moves explains nothing and would only take the trend's place.
VARIES_RATIO = 0.01
COLLINEAR = 0.995
# A disturbance is mostly over after this long; what lasts for many hours is growth, not noise.
FORGOTTEN_S = 3600.0
# How soon a cache may be nearly full, in windows; and how much better than none it must explain.
FILLS = (0.06, 0.12, 0.25, 0.5)
FILL_COST = 4.0
# The same in planned times, for caches instead of a trend: who plans a run lets caches fill in it.
PLANNED_FILLS = (0.03, 0.06, 0.12, 0.2, 0.3)


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
class Window:
    """What is judged, row by row: t_s, held and live of shape (n,), nothing missing in them.

    counters: by name, what went on, cumulative; nan where not known. stored_count: records stored
    within the window, nan where nobody counted. is_settled: whether all records were replaced
    before it. planned_s: of the whole run.
    """

    start_s: float
    planned_s: float
    t_s: Floats
    held: Floats
    live: Floats
    dead: Floats
    most: Floats
    counters: Mapping[str, Floats]
    stored_count: float
    is_settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """One figure per block, each shape (n,); covariates (n, p), the first column constant.

    span_s: from the middle of the first block to the middle of the last. phi_most: how much of a
    disturbance may last to the next block. fills: (n, k), how caches could have filled, from 0 to
    1. counters: by name.
    """

    start_s: float
    span_s: float
    phi_most: float
    held: Floats
    covariates: Floats
    fills: Floats
    counters: Mapping[str, Floats]
    stored_count: float
    live_count: float
    is_settled: bool

    @property
    def typical(self) -> float:
        return float(np.median(self.held))


def cut(evidence: Evidence, asked: Asked, until_s: float) -> list[Blocks]:
    """The run up to until_s as blocks, finest first, medians before floors. Raises TooShort."""
    window = _window(evidence, asked, until_s)
    counts = _block_counts(window, asked)
    names: tuple[str, ...] | None = None
    ways = []
    for number, quantile in [*product(counts, (0.5, FLOOR)), *LONG]:
        blocks, names = _blocks(window, min(number, counts[0]), quantile, names)
        ways.append(blocks)
    return ways


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


def _window(evidence: Evidence, asked: Asked, until_s: float) -> Window:
    columns = evidence.columns
    held = columns[asked.column].copy()
    for name in asked.plus:
        if name in columns:
            held += np.nan_to_num(columns[name])
    live = columns[asked.records]
    dead = np.nan_to_num(columns.get("tombstones", np.zeros(live.size)))
    is_usable = ~np.isnan(held) & ~np.isnan(live) & (columns["t_s"] <= until_s)
    t_s, stored = columns["t_s"][is_usable], columns.get("stored_total")
    stored = None if stored is None else stored[is_usable]
    filled = _Filled.of(t_s, live[is_usable], stored)
    start_s, is_settled = _start(evidence, filled, until_s)
    most = np.maximum.accumulate((live + dead)[is_usable])
    inside = t_s >= start_s
    if not inside.any():
        raise TooShort("no sample since warm-up")
    counters = {
        name: column[is_usable][inside]
        for name, column in columns.items()
        if name.endswith("_total")
    }
    return Window(
        start_s=start_s,
        planned_s=max(evidence.planned_s, until_s),
        t_s=t_s[inside],
        held=held[is_usable][inside],
        live=live[is_usable][inside],
        dead=dead[is_usable][inside],
        most=most[inside],
        counters=counters,
        stored_count=math.nan if stored is None else _rise(stored[inside]),
        is_settled=is_settled,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    """When the records were first nearly as many as ever, and when as many had come and gone.

    replaced_s: 0 where nobody counts stores, infinite where it has not happened yet.
    """

    full_s: float
    replaced_s: float

    @staticmethod
    def of(t_s: Floats, live: Floats, stored: Floats | None) -> "_Filled":
        if not live.size:
            return _Filled(full_s=0.0, replaced_s=math.inf)
        full_s = float(t_s[np.argmax(live >= FULL_RATIO * live.max())])
        if stored is None:
            return _Filled(full_s=full_s, replaced_s=0.0)
        # What was stored and lives no more made room that was used again.
        is_replaced = stored - live >= TURNOVERS * np.maximum.accumulate(live)
        replaced_s = float(t_s[np.argmax(is_replaced)]) if is_replaced.any() else math.inf
        return _Filled(full_s=full_s, replaced_s=replaced_s)


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


def _block_counts(window: Window, asked: Asked) -> list[int]:
    window_s = float(window.t_s[-1]) - window.start_s
    if window_s < asked.min_window:
        raise TooShort(
            f"{figure(max(0.0, window_s), 's')} since warm-up, "
            f"at least {figure(asked.min_window, 's')} are needed to tell a leak"
        )
    rows = window.t_s.size
    most = min(BLOCK_COUNTS[0], int(window_s / BLOCK_S), rows // ROWS_PER_BLOCK)
    if most < asked.min_blocks:
        raise TooShort(
            f"{count(rows)} samples since warm-up make {count(most)} blocks, "
            f"at least {count(asked.min_blocks)} are needed"
        )
    return sorted({min(most, max(asked.min_blocks, n)) for n in BLOCK_COUNTS}, reverse=True)


def _blocks(
    window: Window, number: int, quantile: float, names: tuple[str, ...] | None
) -> tuple[Blocks, tuple[str, ...]]:
    """One way to cut, and the covariates it has; those of the finest medians serve for all."""
    edges = np.linspace(window.start_s, float(window.t_s[-1]), number + 1)
    at = np.searchsorted(window.t_s, edges)
    at[-1] = window.t_s.size
    if np.any(np.diff(at) < 1):
        raise TooShort("samples are missing for a stretch of the run")
    held = _quantiles(window.held, at, quantile)
    counters = {name: _last_known(column, at) for name, column in window.counters.items()}
    candidates = _candidates(window, at, quantile, counters)
    phi_most = math.exp(-float(edges[1] - edges[0]) / FORGOTTEN_S)
    names = _chosen(held, candidates, phi_most) if names is None else names
    steady = [name for name in names if not _varies(candidates[name])]
    kept = [candidates[name] / candidates[name].mean() for name in names if name not in steady]
    span_s = float(edges[-1] - edges[0]) * (1 - 1 / number)
    blocks = Blocks(
        start_s=window.start_s,
        span_s=span_s,
        phi_most=phi_most,
        held=held,
        covariates=np.column_stack([np.ones(number), *kept]),
        fills=_fills(number, np.array(PLANNED_FILLS) * window.planned_s / span_s),
        counters=counters,
        stored_count=window.stored_count,
        live_count=float(np.median(window.live)),
        is_settled=window.is_settled,
    )
    return blocks, names


def _quantiles(values: Floats, at: np.ndarray, quantile: float) -> Floats:
    """Per block. The floor is a rank, not interpolated: at least the third lowest of many."""
    parts = [np.sort(values[i:j]) for i, j in pairwise(at)]
    if quantile == 0.5:
        return np.array([(part[(part.size - 1) // 2] + part[part.size // 2]) / 2 for part in parts])
    return np.array([part[int(quantile * part.size)] for part in parts])


def _last_known(counter: Floats, at: np.ndarray) -> Floats:
    """The counter in the middle of each block; nan where it was not known."""
    middle = (at[:-1] + at[1:]) // 2
    known: Floats = counter[np.minimum(middle, counter.size - 1)]
    return known


def _candidates(
    window: Window, at: np.ndarray, quantile: float, counters: Mapping[str, Floats]
) -> dict[str, Floats]:
    """What memory may follow by right. What an allocator holds follows the most that ever was."""
    found = {
        "live": _quantiles(window.live, at, quantile),
        "most": _quantiles(window.most, at, 0.5),
        "dead": _quantiles(window.dead, at, quantile),
    }
    done = counters.get("operations_total")
    if done is not None and not np.isnan(done).any():
        found["rate"] = np.gradient(done)
    fills = _fills(found["live"].size, np.array(FILLS)).T
    return found | {f"fill {tau:g}": fill for tau, fill in zip(FILLS, fills, strict=True)}


def _fills(number: int, windows: Floats) -> Floats:
    """Caches that are nearly full after so many windows, from 0 to 1: shape (number, windows)."""
    share = np.linspace(0.0, 1.0, number)[:, None]
    fills: Floats = np.expm1(-share / windows) / np.expm1(-1 / windows)
    return fills


def _chosen(held: Floats, candidates: Mapping[str, Floats], phi_most: float) -> tuple[str, ...]:
    """Records, live and dead, where they vary; others where they explain more than they cost."""

    def beside(names: list[str], rise: Floats) -> Floats:
        """Those covariates beside a rise, which may have no column."""
        chosen = (candidates[name] / candidates[name].mean() for name in names)
        return np.column_stack([np.ones(held.size), rise, *chosen])

    def cost(names: list[str], rise: Floats) -> float:
        return information(held, beside(names, rise), phi_most)

    trend, none = np.linspace(0.0, 1.0, held.size), np.empty((held.size, 0))
    names = ["live"] if _varies(candidates["live"]) else []
    # What is deleted and still held, or kept by an allocator, may rise as evenly as a leak does.
    for name, rises in (("dead", ()), ("most", (trend, none)), ("rate", (trend,))):
        values = candidates.get(name)
        if values is None or not _varies(values):
            continue
        if any(_is_collinear(values, candidates[known]) for known in names):
            continue
        more = [*names, name]
        if not rises or any(cost(more, rise) < cost(names, rise) for rise in rises):
            names = more
    fills = [f"fill {tau:g}" for tau in FILLS]
    # A cache only takes: one that gives would be a leak that begins late.
    fills = [one for one in fills if _share(held, beside([*names, one], trend)) > 0]
    costs = {one: cost([*names, one], trend) for one in fills}
    fill = min(costs, key=costs.__getitem__, default="")
    is_better = fill and costs[fill] < cost(names, trend) - FILL_COST
    return (*names, fill) if is_better else tuple(names)


def _share(held: Floats, columns: Floats) -> float:
    """The last column's in a least-squares fit."""
    return float(np.linalg.lstsq(columns, held, rcond=None)[0][-1])


def _varies(values: Floats) -> bool:
    middle = float(np.abs(values).mean())
    return middle > 0 and float(values.max() - values.min()) > VARIES_RATIO * middle


def _is_collinear(one: Floats, other: Floats) -> bool:
    return abs(float(np.corrcoef(one, other)[0, 1])) > COLLINEAR
