"""At random, with a rate that changes evenly from one value to another over the phase."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.scenario.quantities import Rate
from soak.seams import Arrivals, Floats


class Params(BaseModel):
    """start and end: rates; the phase's own rate where they are absent. start may be 0."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    start: Annotated[Rate, Field(ge=0)] = 0.0
    end: Annotated[Rate, Field(gt=0)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """Rate a + b t, so by t there were A(t) = a t + b t^2 / 2 arrivals on average.

    Unit exponential gaps on the scale of A give the due times (Cinlar 1975, inversion method).
    """

    start_per_s: float
    growth_per_s2: float
    duration_s: float
    is_open: bool = True

    def due(self, start_s: float, count: int, rng: np.random.Generator) -> Floats:
        a, b = self.start_per_s, self.growth_per_s2
        before = a * start_s + b * start_s**2 / 2
        whole = a * self.duration_s + b * self.duration_s**2 / 2
        passed = before + np.cumsum(rng.standard_exponential(count))
        passed = passed[: np.searchsorted(passed, whole, side="right")]
        # The root of b/2 t^2 + a t - A in the form that neither b = 0 nor a = 0 divides by zero.
        return 2 * passed / (a + np.sqrt(np.maximum(a * a + 2 * b * passed, 0.0)))

    def expected_rate(self, at_s: float) -> float:
        return self.start_per_s + self.growth_per_s2 * at_s


def build(params: object, rate_per_s: float, duration_s: float) -> Arrivals:
    """From params.start to params.end, or to rate_per_s where the end is not given."""
    assert isinstance(params, Params)
    end_per_s = rate_per_s if params.end is None else params.end
    growth_per_s2 = (end_per_s - params.start) / duration_s
    return Ramp(start_per_s=params.start, growth_per_s2=growth_per_s2, duration_s=duration_s)
