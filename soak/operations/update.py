"""Replace a record's text, vector and importance by those of its next version."""

from soak.oracle.answers import judge_gone
from soak.oracle.population import Change, Population
from soak.result import CapacityRefused, RecordMissing
from soak.seams import Record, Target

CAPABILITY = "update"
Request = tuple[Change, Record]


class Update:
    """argument: the key. Updating what is not there puts it there, does nothing, or says
    RecordMissing."""

    capability = CAPABILITY

    def __init__(self, target: Target, population: Population) -> None:
        self._target = target
        self._population = population

    def prepare(self, argument: int, phase: int) -> Request:
        population = self._population
        change = population.begin_change(argument)
        change.importance = population.drawn_importance(argument, change.version, phase)
        return change, population.record(argument, change.version, change.importance)

    def call(self, request: Request) -> bool:
        """False where the target said that there is no such record."""
        change, record = request
        try:
            self._target.update(record)
        except RecordMissing:
            return False
        except CapacityRefused:
            change.refused = True
            raise
        return True

    def check(self, request: Request, answer: bool, start_ns: int) -> int:
        change = request[0]
        if answer:
            self._population.commit_update(change)
            return 0
        code = judge_gone(self._population, CAPABILITY, change, start_ns)
        change.refused = True
        self._population.abandon(change)
        return code

    def abandon(self, request: Request) -> None:
        self._population.abandon(request[0])


def build(target: Target, population: Population) -> Update:
    return Update(target, population)
