"""How large is a difference, and how sure is that? A mean of windows that depend on each other.

Windows that follow each other are alike, so n of them are worth fewer than n. The variance of
their mean is taken from the slowest movements of the series alone: the mean of its squared
projections on the first k cosines. The mean over its error then has Student's distribution with k
degrees of freedom (Lazarus, Lewis, Stock, Watson 2018, "HAR Inference", section 3: EWC), which
needs no block length and no drawing of lots, and is honest for a dozen windows as for a thousand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soak.detectors._student import student_quantile
from soak.seams import Floats

LEAST_WINDOWS = 8
LEAST_COSINES = 6
USUAL_FREEDOM = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean, its standard error, and how many degrees of freedom the error rests on."""

    mean: float
    error: float
    freedom: int

    def reach(self, confidence: float) -> float:
        """How far the truth may lie above the mean, at that one-sided confidence (0.5 to 1)."""
        return student_quantile(confidence, self.freedom) * self.error


def mean_of_windows(values: Floats) -> Estimate:
    """The mean of at least LEAST_WINDOWS values in order of time, shape (n,), no nan."""
    n = values.size
    assert n >= LEAST_WINDOWS, n
    k = cosine_count(n)
    mean = float(values.mean())
    phase = math.pi * np.outer(np.arange(1, k + 1), np.arange(n) + 0.5) / n
    projections = math.sqrt(2.0 / n) * (np.cos(phase) @ (values - mean))
    return Estimate(mean=mean, error=math.sqrt(float(np.mean(projections**2)) / n), freedom=k)


def cosine_count(n: int) -> int:
    """0.4 n^(2/3) as the source has it, and not so few that nothing could be decided."""
    return min(n // 4, max(LEAST_COSINES, round(0.4 * math.pow(n, 2 / 3))))


def with_spread(within: Estimate, usual: float, means: Sequence[float], noise: float) -> Estimate:
    """The estimate widened by what runs of the same thing differ by as a whole.

    usual: that standard deviation as it is known beforehand, worth USUAL_FREEDOM observations;
    means: one per baseline run, which correct it; noise: the standard error of each of these, which
    their windows already explain. Source: Smyth (2004), moderated variance; degrees of freedom by
    Satterthwaite (1946).
    """
    count = len(means)
    seen = max(0.0, float(np.var(means, ddof=1)) - noise**2) if count > 1 else 0.0
    freedom = USUAL_FREEDOM + count - 1
    spread = (USUAL_FREEDOM * usual**2 + (count - 1) * seen) / freedom * (1 + 1 / count)
    variance = within.error**2 + spread
    if variance == 0:
        return within
    both = variance**2 / (within.error**4 / within.freedom + spread**2 / freedom)
    return Estimate(mean=within.mean, error=math.sqrt(variance), freedom=int(both))
