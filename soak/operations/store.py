"""Store one new record and wait for the acknowledgement."""

from soak.oracle.population import Change, Population
from soak.result import CapacityRefused
from soak.seams import Record, Target

CAPABILITY = "store"
Request = tuple[Change, Record]


class Store:
    """argument: the new key."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> Request:
        population = self._population
        importance = population.drawn_importance(argument, 0, phase)
        record = population.record(argument, 0, importance)
        return population.begin_store(argument, importance), record

    def call(self, request: Request) -> None:
        try:
            self._target.store(request[1])
        except CapacityRefused:
            request[0].refused = True
            raise

    def check(self, request: Request, answer: object, start_ns: int) -> int:
        self._population.commit_store(request[0])
        return 0

    def abandon(self, request: Request) -> None:
        self._population.abandon(request[0])


def build(target: Target, population: Population) -> Store:
    return Store(target, population)
