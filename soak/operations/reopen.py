"""Close the target and open it again; what was acknowledged must be there, what was deleted not."""

import numpy as np

from soak.clock import monotonic_ns
from soak.oracle.answers import MISSING, judge_missing, judge_record
from soak.oracle.population import ABSENT, PRESENT, Population
from soak.result import Failure, attempt
from soak.seams import Target

CAPABILITY = "reopen"
LATEST, SPREAD, DELETED = 16, 16, 8


class Reopen:
    """The argument is not used. At most 40 records are read back, the latest changes first."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> None:
        """Nothing to prepare."""

    def call(self, request: None) -> None:
        self._target.reopen()

    def check(self, request: None, answer: object, start_ns: int) -> int:
        population = self._population
        slots = [
            *_latest(population, PRESENT, LATEST),
            *_spread(population, PRESENT, SPREAD),
            *_latest(population, ABSENT, DELETED),
        ]
        for slot in slots:
            code = self._read_back(population.occupant[slot])
            if code not in (0, MISSING):
                return code
        return 0

    def _read_back(self, key: int) -> int:
        start_ns = monotonic_ns()
        record = attempt(self._target.get, key)
        if isinstance(record, Failure):
            return 0
        if record is None:
            return judge_missing(self._population, CAPABILITY, key, start_ns)
        return judge_record(self._population, key, record, start_ns)

    def abandon(self, request: None) -> None:
        """What a failed reopen lost is found by the operations that follow."""


def _latest(population: Population, state: int, count: int) -> list[int]:
    """The slots in this state that changed last."""
    slots = np.flatnonzero((population.states == state) & (population.occupants >= 0))
    chosen: list[int] = slots[np.argsort(population.changes_ns[slots])[-count:]].tolist()
    return chosen


def _spread(population: Population, state: int, count: int) -> list[int]:
    """Slots in this state, evenly spread over all there are."""
    slots = np.flatnonzero(population.states == state)
    chosen: list[int] = slots[:: max(1, slots.size // count)][:count].tolist()
    return chosen


def build(target: Target, population: Population) -> Reopen:
    return Reopen(target, population)
