"""At random, in bursts: every so often, for a while, many times the quiet rate; same mean."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from soak.scenario.quantities import Duration
from soak.seams import Arrivals, Floats


class Params(BaseModel):
    """A burst ends each period. height: rate in it as a multiple of the rate between bursts."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    every: Duration = Field(60.0, gt=0)
    length: Duration = Field(5.0, gt=0)
    height: float = Field(5.0, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.length >= self.every:
            raise ValueError("length must be shorter than every: it is a part of it")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Piecewise constant rate; the mean over a whole period is the phase's rate."""

    every_s: float
    quiet_s: float
    quiet_per_s: float
    burst_per_s: float
    duration_s: float
    is_open: bool = True

    def due(self, start_s: float, count: int, rng: np.random.Generator) -> Floats:
        per_period = self._within(self.every_s)
        periods, offset_s = divmod(start_s, self.every_s)
        passed = self._within(offset_s) + np.cumsum(rng.standard_exponential(count))
        whole, rest = np.divmod(passed, per_period)
        knots = [0.0, self.quiet_s * self.quiet_per_s, per_period]
        within_s = np.interp(rest, knots, [0.0, self.quiet_s, self.every_s])
        due_s = (periods + whole) * self.every_s + within_s
        return due_s[: np.searchsorted(due_s, self.duration_s, side="right")]

    def expected_rate(self, at_s: float) -> float:
        return self.quiet_per_s if at_s % self.every_s < self.quiet_s else self.burst_per_s

    def _within(self, offset_s: float) -> float:
        """Arrivals on average from the start of a period to an offset in it."""
        quiet_s = min(offset_s, self.quiet_s)
        return quiet_s * self.quiet_per_s + (offset_s - quiet_s) * self.burst_per_s


def build(params: object, rate_per_s: float, duration_s: float) -> Arrivals:
    """rate_per_s: the mean over a period."""
    assert isinstance(params, Params)
    quiet_s = params.every - params.length
    quiet_per_s = rate_per_s * params.every / (quiet_s + params.length * params.height)
    return Burst(
        every_s=params.every,
        quiet_s=quiet_s,
        quiet_per_s=quiet_per_s,
        burst_per_s=quiet_per_s * params.height,
        duration_s=duration_s,
    )
