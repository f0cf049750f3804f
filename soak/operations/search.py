"""Find the k records nearest to a vector, of one agent or of all."""

from collections.abc import Sequence
from itertools import count

from soak.oracle import keyhash
from soak.oracle.answers import judge_hits
from soak.oracle.population import Population
from soak.seams import Hit, Query, Target

CAPABILITY = "search"


class Search:
    """argument: the key near which to search; each search is a fresh vector near that key's own."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population
        self._variants = count()
        self._filter_limit = round(population.shape.agent_filter_ratio * 65536)

    def prepare(self, argument: int, phase: int) -> Query:
        population = self._population
        variant = next(self._variants)
        is_filtered = keyhash.pin_bits(keyhash.mixed(variant)) < self._filter_limit
        return Query(
            vector=population.content.query(argument, 0, variant),
            k=population.shape.k,
            agent=population.agent_of(argument) if is_filtered else None,
        )

    def call(self, request: Query) -> Sequence[Hit]:
        return self._target.search(request)

    def check(self, request: Query, answer: Sequence[Hit], start_ns: int) -> int:
        code = judge_hits(self._population, request, answer, start_ns)
        if code == 0:
            self._population.offer(request, answer, start_ns)
        return code

    def abandon(self, request: Query) -> None:
        """A read leaves nothing behind."""


def build(target: Target, population: Population) -> Search:
    return Search(target, population)
