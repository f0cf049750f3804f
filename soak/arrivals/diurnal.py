"""At random, with a rate that rises and falls like a day's: a sine around the phase's rate."""

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.scenario.quantities import Duration
from soak.seams import Arrivals, Floats

GRID = 4097  # points of a period; the rate between two is off by less than 1e-6 of the swing


class Params(BaseModel):
    """swing: how far the rate moves, as a share of its mean. The phase begins at the trough."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    period: Duration = Field(86_400.0, gt=0)
    swing: float = Field(0.8, ge=0, le=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diurnal:
    """Rate r (1 - s cos(2 pi t / p)), so A(t) = r (t - s p / (2 pi) sin(2 pi t / p))."""

    rate_per_s: float
    swing: float
    period_s: float
    duration_s: float
    is_open: bool = True

    def due(self, start_s: float, count: int, rng: np.random.Generator) -> Floats:
        periods, offset_s = divmod(start_s, self.period_s)
        per_period = self.rate_per_s * self.period_s
        passed = self._passed(offset_s) + np.cumsum(rng.standard_exponential(count))
        whole, rest = np.divmod(passed, per_period)
        grid_s = np.linspace(0.0, self.period_s, GRID)
        turn = 2 * pi / self.period_s
        grid_passed = self.rate_per_s * (grid_s - self.swing / turn * np.sin(turn * grid_s))
        due_s = (periods + whole) * self.period_s + np.interp(rest, grid_passed, grid_s)
        return due_s[: np.searchsorted(due_s, self.duration_s, side="right")]

    def expected_rate(self, at_s: float) -> float:
        return self.rate_per_s * (1 - self.swing * cos(2 * pi * at_s / self.period_s))

    def _passed(self, offset_s: float) -> float:
        turn = 2 * pi / self.period_s
        return self.rate_per_s * (offset_s - self.swing / turn * sin(turn * offset_s))


def build(params: object, rate_per_s: float, duration_s: float) -> Arrivals:
    """rate_per_s: the mean over a period."""
    assert isinstance(params, Params)
    return Diurnal(
        rate_per_s=rate_per_s,
        swing=params.swing,
        period_s=params.period,
        duration_s=duration_s,
    )
