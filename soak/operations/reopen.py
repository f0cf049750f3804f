"""Close the target and open it again; what was acknowledged must be there, what was deleted not."""

from soak.operations._cold import drop_cached
from soak.operations._readback import first_broken, latest, spread
from soak.oracle.population import ABSENT, PRESENT, Population
from soak.seams import Target

CAPABILITY = "reopen"
LATEST, SPREAD, DELETED = 16, 16, 8


class Reopen:
    """The argument is not used. At most 40 records are read back, the latest changes first.

    Where the population is cold the page cache is emptied of the target's files after that.
    """

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
            *latest(population, PRESENT, LATEST),
            *spread(population, PRESENT, SPREAD),
            *latest(population, ABSENT, DELETED),
        ]
        code = first_broken(self._target, population, CAPABILITY, slots)
        if population.shape.is_cold:
            drop_cached(self._target.directories())
        return code

    def abandon(self, request: None) -> None:
        """What a failed reopen lost is found by the operations that follow."""


def build(target: Target, population: Population) -> Reopen:
    return Reopen(target, population)
