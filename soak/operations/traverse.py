"""Walk the graph a few steps from a record."""

from collections.abc import Sequence

from soak.oracle.answers import judge_missing, judge_neighbours
from soak.oracle.population import Population
from soak.result import RecordMissing
from soak.seams import Target

CAPABILITY = "traverse"
Request = tuple[int, int]


class Traverse:
    """argument: the key to start at. A request is that key and a neighbour to be found, or -1."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> Request:
        return argument, self._population.linked_of(argument)

    def call(self, request: Request) -> Sequence[int] | None:
        """None where the target said that the start is not there."""
        try:
            return self._target.traverse(request[0], self._population.shape.depth)
        except RecordMissing:
            return None

    def check(self, request: Request, answer: Sequence[int] | None, start_ns: int) -> int:
        start, expected = request
        if answer is None:
            return judge_missing(self._population, CAPABILITY, start, start_ns)
        return judge_neighbours(self._population, start, expected, answer, start_ns)

    def abandon(self, request: Request) -> None:
        """A read leaves nothing behind."""


def build(target: Target, population: Population) -> Traverse:
    return Traverse(target, population)
