"""A target that answers at once, and once keeps everybody waiting for a second."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from soak.clock import Clock
from soak.seams import Record
from soak.targets.null import CAPABILITIES, Null

__all__ = ["CAPABILITIES", "REMEMBERS", "Params", "build"]

REMEMBERS = False
STALL_S = 1.0


class Params(BaseModel):
    """at_get: which get stalls; 0: none."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    at_get: int = 0


class Stalling(Null):
    def __init__(self, params: Params, clock: Clock) -> None:
        self._gets_left = params.at_get
        self._clock = clock

    def get(self, key: int) -> Record | None:
        self._gets_left -= 1
        if self._gets_left == 0:
            self._clock.sleep_s(STALL_S)
        return None


def build(params: Params, data_dir: Path, clock: Clock) -> Stalling:
    return Stalling(params, clock)
