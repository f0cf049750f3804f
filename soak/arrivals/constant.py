"""Evenly spaced: operation n is due n / rate seconds after the phase began."""

from dataclasses import dataclass

import numpy as np

from soak.seams import Arrivals, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """Due times come from whole numbers, so that days of them add up to no error."""

    rate_per_s: float
    duration_s: float
    is_open: bool = True

    def due(self, start_s: float, count: int, rng: np.random.Generator) -> Floats:
        del rng
        done = round(start_s * self.rate_per_s)
        due_s = np.arange(done + 1, done + 1 + count) / self.rate_per_s
        return due_s[: np.searchsorted(due_s, self.duration_s, side="right")]

    def expected_rate(self, at_s: float) -> float:
        del at_s
        return self.rate_per_s


def build(params: object, rate_per_s: float, duration_s: float) -> Arrivals:
    """rate_per_s > 0; params has no fields."""
    del params
    return Constant(rate_per_s=rate_per_s, duration_s=duration_s)
