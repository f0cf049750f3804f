"""Ask the target to maintain itself now: compact, vacuum, merge, whatever it calls it."""

from soak.oracle.population import Population
from soak.seams import Target

CAPABILITY = "maintain"


class Maintain:
    """The argument is not used."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target

    def prepare(self, argument: int, phase: int) -> None:
        """Nothing to prepare."""

    def call(self, request: None) -> None:
        self._target.maintain()

    def check(self, request: None, answer: object, start_ns: int) -> int:
        """What maintenance broke is found by the operations that follow."""
        return 0

    def abandon(self, request: None) -> None:
        """What failed maintenance broke is found by the operations that follow."""


def build(target: Target, population: Population) -> Maintain:
    return Maintain(target, population)
