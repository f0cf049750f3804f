"""A target from outside the tester, for tests of plug-ins: two parameters, few capabilities."""

from pydantic import BaseModel, ConfigDict, Field

from soak.scenario.quantities import Duration, Rate, Size

CAPABILITIES = frozenset({"store", "get", "delete"})


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    capacity: int = Field(10, ge=1)
    memory: Size = 1 << 20
    patience: Duration = 1.5
    refill: Rate = 20.0


def build(params: object, data_dir: object, clock: object) -> object:
    return params, data_dir, clock
