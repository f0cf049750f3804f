"""Delete one record; afterwards it must never be seen again."""

from soak.oracle.answers import judge_gone
from soak.oracle.population import Change, Population
from soak.result import RecordMissing
from soak.seams import Target

CAPABILITY = "delete"


class Delete:
    """argument: the key. Deleting what is not there succeeds, or says RecordMissing."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> Change:
        return self._population.begin_change(argument)

    def call(self, request: Change) -> bool:
        """False where the target said that there is no such record."""
        try:
            self._target.delete(request.key)
        except RecordMissing:
            return False
        return True

    def check(self, request: Change, answer: bool, start_ns: int) -> int:
        code = 0 if answer else judge_gone(self._population, CAPABILITY, request, start_ns)
        self._population.commit_delete(request)
        return code

    def abandon(self, request: Change) -> None:
        self._population.abandon(request)


def build(target: Target, population: Population) -> Delete:
    return Delete(target, population)
