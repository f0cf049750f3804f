"""Read one record by its key."""

from soak.oracle.answers import judge_missing, judge_record
from soak.oracle.population import Population
from soak.seams import Record, Target

CAPABILITY = "get"


class Get:
    """argument: the key, live, deleted or never stored."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> int:
        return argument

    def call(self, request: int) -> Record | None:
        return self._target.get(request)

    def check(self, request: int, answer: Record | None, start_ns: int) -> int:
        if answer is None:
            return judge_missing(self._population, CAPABILITY, request, start_ns)
        return judge_record(self._population, request, answer, start_ns)

    def abandon(self, request: int) -> None:
        """A read leaves nothing behind."""


def build(target: Target, population: Population) -> Get:
    return Get(target, population)
