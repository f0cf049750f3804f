"""Which points of a long line must be drawn? Extremes survive, so no spike and no dip is lost."""

import numpy as np

from soak.seams import Floats

MAX_POINTS = 1_500


def thin(t: Floats, y: Floats, max_points: int = MAX_POINTS) -> tuple[Floats, Floats]:
    """At most max_points of the line, among them every bucket's lowest and highest.

    t: shape (n,), ascending; y: shape (n,), nan is a gap. The line is cut into max_points // 3
    buckets of equally many points; of each its smallest and largest value stay, in order of time,
    and one nan where the bucket has a gap, so a gap stays a gap. Lines that are short enough are
    returned as they are. O(n).
    """
    assert t.shape == y.shape
    assert max_points >= 3
    count = len(y)
    if count <= max_points:
        return t, y
    buckets = max_points // 3
    edges = np.linspace(0, count, buckets + 1).astype(np.int64)[:-1]
    missing = np.isnan(y)
    low = _first_at(np.where(missing, np.inf, y), edges, np.minimum)
    high = _first_at(np.where(missing, -np.inf, y), edges, np.maximum)
    gap = _first_at(missing.astype(np.float64), edges, np.maximum)
    gap = gap[missing[gap]]
    kept = np.unique(np.concatenate((low, high, gap)))
    return t[kept], y[kept]


def _first_at(values: Floats, edges: np.ndarray, reduce: np.ufunc) -> np.ndarray:
    """Index of the first point of each bucket that equals the bucket's extreme."""
    extremes = reduce.reduceat(values, edges)
    lengths = np.diff(np.append(edges, len(values)))
    hits = np.flatnonzero(values == np.repeat(extremes, lengths))
    bucket_of_hit = np.searchsorted(edges, hits, side="right") - 1
    first: np.ndarray = hits[np.unique(bucket_of_hit, return_index=True)[1]]
    return first


def cut_gaps(t: Floats, y: Floats, longest_s: float) -> tuple[Floats, Floats]:
    """The line with a nan where two points are further apart than longest_s."""
    holes = np.flatnonzero(np.diff(t) > longest_s) + 1
    if not holes.size:
        return t, y
    return np.insert(t, holes, t[holes - 1]), np.insert(y, holes, np.nan)
