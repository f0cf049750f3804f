"""Read a bounded number of records in the target's own order."""

from soak.oracle.answers import judge_scan
from soak.oracle.population import Population
from soak.seams import Scanned, Target

CAPABILITY = "scan"


class Scan:
    """The argument is not used: a scan has no key. A request is how many records to read."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> int:
        return self._population.shape.scan_count

    def call(self, request: int) -> Scanned:
        return self._target.scan(request)

    def check(self, request: int, answer: Scanned, start_ns: int) -> int:
        return judge_scan(self._population, request, answer, start_ns)

    def abandon(self, request: int) -> None:
        """A read leaves nothing behind."""


def build(target: Target, population: Population) -> Scan:
    return Scan(target, population)
