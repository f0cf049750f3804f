"""Store several new records in one call."""

from soak.oracle.population import Change, Population
from soak.seams import Record, Target

CAPABILITY = "store_batch"
Request = tuple[list[Change], list[Record]]


class StoreBatch:
    """argument: the first of the new keys. A batch that raised may have been stored in part."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> Request:
        population = self._population
        changes, records = [], []
        for key in range(argument, argument + population.shape.batch_count):
            importance = population.drawn_importance(key, 0, phase)
            records.append(population.record(key, 0, importance))
            changes.append(population.begin_store(key, importance))
        return changes, records

    def call(self, request: Request) -> None:
        self._target.store_batch(request[1])

    def check(self, request: Request, answer: object, start_ns: int) -> int:
        for change in request[0]:
            self._population.commit_store(change)
        return 0

    def abandon(self, request: Request) -> None:
        for change in request[0]:
            self._population.abandon(change)


def build(target: Target, population: Population) -> StoreBatch:
    return StoreBatch(target, population)
