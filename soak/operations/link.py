"""Join two records by an edge."""

from itertools import count

from soak.oracle import keyhash
from soak.oracle.answers import MISSING, may_have_forgotten, must_exist
from soak.oracle.population import Population
from soak.result import RecordMissing, Violation
from soak.seams import Edge, Target

CAPABILITY = "link"
# Few partners a key, so that a popular one does not collect edges without end.
PARTNERS = 4
# Spread so that the partners of partners are others: a walk reaches 4, some 20, some 60 records.
WITHIN = 128


class Link:
    """argument: the key the edge starts at; it ends at one of four keys stored not long before."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population
        self._turns = count()

    def prepare(self, argument: int, phase: int) -> Edge:
        partner = next(self._turns) % PARTNERS
        bits = keyhash.mixed(argument * PARTNERS + partner)
        distance = 1 + keyhash.quantile_bits(bits) % min(WITHIN, max(1, argument))
        return Edge(source=argument, target=max(0, argument - distance))

    def call(self, request: Edge) -> bool:
        """False where the target said that one of the two is not there."""
        try:
            self._target.link(request)
        except RecordMissing:
            return False
        return True

    def check(self, request: Edge, answer: bool, start_ns: int) -> int:
        population = self._population
        if answer and request.source != request.target:
            population.note_link(request.source, request.target)
        if answer:
            return 0
        population.checked += 1
        ends = (request.source, request.target)
        if not all(must_exist(population, key, start_ns) for key in ends):
            return MISSING
        if may_have_forgotten(population):
            return MISSING
        note = f"no edge to {request.target}: one of the two was not found"
        return population.note_violation(Violation.LOST, CAPABILITY, request.source, start_ns, note)

    def abandon(self, request: Edge) -> None:
        """An edge that may be there is never asked for."""


def build(target: Target, population: Population) -> Link:
    return Link(target, population)
