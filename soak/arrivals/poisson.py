"""At random, independent of one another, as many callers do: exponential gaps."""

from dataclasses import dataclass

import numpy as np

from soak.seams import Arrivals, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisson:
    rate_per_s: float
    duration_s: float
    is_open: bool = True

    def due(self, start_s: float, count: int, rng: np.random.Generator) -> Floats:
        due_s = start_s + np.cumsum(rng.standard_exponential(count)) / self.rate_per_s
        return due_s[: np.searchsorted(due_s, self.duration_s, side="right")]

    def expected_rate(self, at_s: float) -> float:
        del at_s
        return self.rate_per_s


def build(params: object, rate_per_s: float, duration_s: float) -> Arrivals:
    """rate_per_s > 0; params has no fields."""
    del params
    return Poisson(rate_per_s=rate_per_s, duration_s=duration_s)
