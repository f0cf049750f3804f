"""How popular is each rank? Ranks of live keys drawn in blocks, by inverse CDF."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from soak.scenario import Popularity
from soak.scenario.shapes import Hotspot, Latest, Zipf

# draw(count, live, rng): `count` ranks in [0, live), int64; live > 0.
Draw: TypeAlias = Callable[[int, int, np.random.Generator], NDArray[np.int64]]


def draw_of(popularity: Popularity, keys: int) -> Draw:
    """How ranks are drawn among at most `keys` live keys; rank 0 is the most popular."""
    match popularity.params:
        case Zipf(exponent=exponent) | Latest(exponent=exponent):
            return _zipf(exponent, keys)
        case Hotspot(keys=hot_keys, operations=hot_operations):
            return _hotspot(hot_keys, hot_operations)
        case _:
            return _uniform


def _uniform(count: int, live: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.integers(0, live, count)


def _zipf(exponent: float, keys: int) -> Draw:
    """Weight 1 / (rank + 1) ** exponent, cut at the number of live keys."""
    cumulative = np.cumsum(np.arange(1, keys + 1, dtype=np.float64) ** -exponent)

    def draw(count: int, live: int, rng: np.random.Generator) -> NDArray[np.int64]:
        # Sorted needles walk the table in order, which is four times as fast as jumping in it;
        # the shuffle after that costs less than it saved.
        needles = np.sort(rng.random(count)) * cumulative[live - 1]
        ranks = np.searchsorted(cumulative[:live], needles, side="right")
        rng.shuffle(ranks)
        drawn: NDArray[np.int64] = np.minimum(ranks, live - 1)
        return drawn

    return draw


def _hotspot(hot_keys: float, hot_operations: float) -> Draw:
    def draw(count: int, live: int, rng: np.random.Generator) -> NDArray[np.int64]:
        hot = max(1, round(hot_keys * live))
        is_hot = rng.random(count) < hot_operations
        cold = min(hot, live - 1)
        bounds = np.where(is_hot, hot, live - cold)
        ranks = (rng.random(count) * bounds).astype(np.int64)
        drawn: NDArray[np.int64] = np.where(is_hot, ranks, cold + ranks)
        return drawn

    return draw
