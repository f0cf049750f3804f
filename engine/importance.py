"""What is a record worth now? The lowest goes first.

value = importance x 2^(-age / half-life) x (1 + 0.2 log2(1 + accesses))

age counts from the last access (at first: the creation), so that use keeps a record alive.
Salience, recency and frequency multiply as in the generative-agents memory (Park et al. 2023,
section 4.1, there a sum); a product lets none of them hide that another is zero.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FREQUENCY_WEIGHT = 0.2


def values(
    importance: NDArray[np.float32],
    accessed_s: Floats,
    accesses: NDArray[np.uint32],
    now_s: float,
    half_life_s: float,
) -> Floats:
    """The binary logarithms of the values, shapes (n,): after a thousand half-lives the values
    themselves are all zero. Of importance 0 it is minus infinity.

    Ages before zero count as zero, so a clock set back makes nothing precious.
    """
    ages_s = np.maximum(now_s - accessed_s, 0.0)
    frequency = 1.0 + _FREQUENCY_WEIGHT * np.log2(1.0 + accesses)
    with np.errstate(divide="ignore"):
        scores: Floats = np.log2(importance * frequency) - ages_s / half_life_s
    return scores


def lowest(scores: Floats, count: int) -> NDArray[np.intp]:
    """Positions of the `count` lowest scores, lowest first."""
    if count >= len(scores):
        return np.argsort(scores, kind="stable")
    chosen = np.argpartition(scores, count)[:count]
    return chosen[np.argsort(scores[chosen], kind="stable")]
