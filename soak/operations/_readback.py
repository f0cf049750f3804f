"""Is what was stored still there? Some records read back after the target turned itself over."""

from collections.abc import Iterable

import numpy as np

from soak.clock import monotonic_ns
from soak.oracle.answers import MISSING, judge_missing, judge_record
from soak.oracle.population import Population
from soak.result import Failure, attempt
from soak.seams import Target


def first_broken(
    target: Target, population: Population, operation: str, slots: Iterable[int]
) -> int:
    """The code of the first of these slots whose record is not as it must be; 0 where all are."""
    for slot in slots:
        code = _read_back(target, population, operation, population.occupant[slot])
        if code not in (0, MISSING):
            return code
    return 0


def _read_back(target: Target, population: Population, operation: str, key: int) -> int:
    start_ns = monotonic_ns()
    record = attempt(target.get, key)
    if isinstance(record, Failure):
        return 0
    if record is None:
        return judge_missing(population, operation, key, start_ns)
    return judge_record(population, key, record, start_ns)


def latest(population: Population, state: int, count: int) -> list[int]:
    """The slots in this state that changed last."""
    slots = np.flatnonzero((population.states == state) & (population.occupants >= 0))
    chosen: list[int] = slots[np.argsort(population.changes_ns[slots])[-count:]].tolist()
    return chosen


def spread(population: Population, state: int, count: int) -> list[int]:
    """Slots in this state, evenly spread over all there are."""
    slots = np.flatnonzero(population.states == state)
    chosen: list[int] = slots[:: max(1, slots.size // count)][:count].tolist()
    return chosen
