"""Arrivals from outside the tester, for tests of plug-ins: closed, and with rates to scale."""

from pydantic import BaseModel, ConfigDict

from soak.scenario.quantities import Rate

IS_OPEN = False


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    peak: Rate = 100.0
    floor: Rate | None = None
    weight: float = 3.0


def build(params: object, rate_per_s: float, duration_s: float) -> object:
    return params, rate_per_s, duration_s
