"""How long did they take? Log-linear counts: fixed memory, mergeable, exact to 0.2 percent.

A value v in nanoseconds falls into octave o = max(0, bits(v) - 1 - SUB_BITS) and there into one
of 2**SUB_BITS equal buckets:

    index = (o << SUB_BITS) + (v >> o)          v >> o is in [2**SUB_BITS, 2 * 2**SUB_BITS)

so the first two octaves' worth of indices are exact integers and every later bucket is at most
2**-SUB_BITS of its value wide. Values above the last bucket are counted in it.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from soak.clock import NS_PER_S

SUB_BITS = 8
OCTAVES = 33  # up to 2**41 ns = 36 minutes
SIZE = (OCTAVES + 1) << SUB_BITS

# What is published of it: counts up to these bounds. An embedded engine answers in microseconds
# and a hanging one after a minute. A quantile is exact only where a bound lies, so one lies where
# the shipped scenarios set their objectives.
BOUNDS_S = (
    *(0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.025, 0.05),
    *(0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, math.inf),
)

Integers = NDArray[np.int64]


def bucket_index(values_ns: Integers) -> Integers:
    """The bucket of each value, shape as given. Negative values count as zero."""
    clipped = np.maximum(values_ns, 0)
    # frexp is exact below 2**53, and 2**53 ns is over a hundred days.
    octave = np.maximum(np.frexp(clipped.astype(np.float64))[1] - 1 - SUB_BITS, 0).astype(np.int64)
    index = (octave << SUB_BITS) + (clipped >> octave)
    bounded: Integers = np.minimum(index, SIZE - 1)
    return bounded


def lower_bound_ns(index: Integers) -> Integers:
    """The smallest value of each bucket in nanoseconds."""
    octave = np.maximum((index >> SUB_BITS) - 1, 0)
    bound: Integers = (index - (octave << SUB_BITS)) << octave
    return bound


_LOWER_NS = lower_bound_ns(np.arange(SIZE + 1, dtype=np.int64))
_MIDDLE_NS = (_LOWER_NS[:-1] + np.maximum(_LOWER_NS[1:] - 1, _LOWER_NS[:-1])) / 2


class Histogram:
    """Counts of durations; 68 kB whatever the length of the run."""

    __slots__ = ("counts", "max_ns", "sum_ns")

    def __init__(self) -> None:
        self.counts: Integers = np.zeros(SIZE, dtype=np.int64)
        self.sum_ns = 0
        self.max_ns = 0

    @property
    def count(self) -> int:
        return int(self.counts.sum())

    def add(self, values_ns: Integers) -> None:
        """Count durations given in nanoseconds, shape (n,); empty adds nothing."""
        if values_ns.size == 0:
            return
        index = bucket_index(values_ns)
        np.add.at(self.counts, index, 1)
        self.sum_ns += int(values_ns.sum())
        self.max_ns = max(self.max_ns, int(values_ns.max()))

    def clear(self) -> None:
        """Forget everything, and keep the memory: windows come and go for days."""
        self.counts.fill(0)
        self.sum_ns = 0
        self.max_ns = 0

    def merge(self, other: "Histogram") -> None:
        """Add the other's counts to these; the order of merging does not matter."""
        self.counts += other.counts
        self.sum_ns += other.sum_ns
        self.max_ns = max(self.max_ns, other.max_ns)

    def quantiles_s(self, shares: Sequence[float]) -> list[float]:
        """Durations in seconds below which those shares lie; nan when nothing was counted.

        Nearest-rank: the ceil(q*n)-th smallest, as the middle of its bucket, never above the
        exact maximum.
        """
        total = self.count
        if total == 0:
            return [float("nan")] * len(shares)
        ranks = np.maximum(np.ceil(np.asarray(shares) * total), 1)
        index = np.searchsorted(np.cumsum(self.counts), ranks)
        return [float(v) for v in np.minimum(_MIDDLE_NS[index], self.max_ns) / NS_PER_S]

    def quantile_s(self, share: float) -> float:
        return self.quantiles_s([share])[0]

    def mean_s(self) -> float:
        """The exact mean in seconds; nan when nothing was counted."""
        total = self.count
        return self.sum_ns / total / NS_PER_S if total else float("nan")

    def cumulative(self, bounds_s: Sequence[float]) -> list[int]:
        """How many lie at or below each bound; bounds fall on the nearest bucket edge above."""
        edges = np.searchsorted(_LOWER_NS, np.asarray(bounds_s) * NS_PER_S, side="right")
        running = np.concatenate(([0], np.cumsum(self.counts)))
        return [int(n) for n in running[np.minimum(edges, SIZE)]]
