"""How sure is a measured rate? Intervals of 95 % for shares and medians."""

import math
from collections.abc import Sequence

import numpy as np

Z95 = 1.959964
Interval = tuple[float, float]


def wilson(hits: int, of: int) -> Interval:
    """For a share, also near 0 and 1; (0, 1) where nothing was tried. Source: Wilson (1927)."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = hits / of, Z95**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z95 / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def rarely(hits: int, spans: float) -> Interval:
    """For events per span, by a Poisson's square root: (sqrt(n) -+ z/2)^2 / spans, n + 1 above.

    Source: Barker (2002), the variance stabilising interval; conservative for no event.
    """
    low = max(0.0, math.sqrt(hits) - Z95 / 2) ** 2
    high = (math.sqrt(hits + 1) + Z95 / 2) ** 2
    return low / spans, high / spans


def of_median(values: Sequence[float]) -> Interval:
    """By order statistics, without a model; infinite below six values, which cannot tell."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = ordered.size
    if n < 6:
        return -math.inf, math.inf
    half = Z95 * math.sqrt(n) / 2
    low, high = math.floor(n / 2 - half), math.ceil(n / 2 + half)
    return float(ordered[max(0, low)]), float(ordered[min(n - 1, high)])
