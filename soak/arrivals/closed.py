"""When the client has its answer and has thought: no rate, the target's speed decides."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from soak.scenario.quantities import Duration
from soak.seams import Arrivals, Floats

IS_OPEN = False


class Params(BaseModel):
    """think: the mean wait between an answer and the next operation of the same client."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    think: Duration = 0.0
    spread: Literal["none", "exponential"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A phase of any length has operations left; it ends by the clock."""

    think_s: float
    is_random: bool
    is_open: bool = False

    def due(self, start_s: float, count: int, rng: np.random.Generator) -> Floats:
        """Waits in seconds, shape (count,)."""
        del start_s
        if self.is_random:
            return self.think_s * rng.standard_exponential(count)
        return np.full(count, self.think_s)

    def expected_rate(self, at_s: float) -> float:
        del at_s
        return float("nan")


def build(params: object, rate_per_s: float, duration_s: float) -> Arrivals:
    """The rate is not used: the clients decide."""
    del rate_per_s, duration_s
    assert isinstance(params, Params)
    return Closed(think_s=params.think, is_random=params.spread == "exponential")
