"""Does the oracle see what a scan read, and not only how much?"""

import pytest

from soak.clock import SystemClock
from soak.result import Violation
from soak.targets.memory import Memory, Params
from tests.mixed_load import DIMENSIONS, small_population
from tests.operations.test_operations import fill, issue


class Reads(Memory):
    """The honest memory, but for what a test makes of its scans."""

    def __init__(self, directory):
        super().__init__(Params(dimensions=DIMENSIONS), directory, SystemClock())
        self.told = lambda read: read

    def scan(self, limit):
        return self.told(super().scan(limit))


@pytest.fixture
def population(tmp_path):
    return small_population(tmp_path)


@pytest.fixture
def target(population, tmp_path):
    made = Reads(tmp_path / "target")
    population.watch(made)
    fill(made, population)
    return made


READS = {
    "all that is there": (lambda read: read, ("ok", None)),
    "their number": (len, ("ok", None)),
    "one less": (lambda read: read[1:], ("wrong", Violation.LOST)),
    "one twice": (lambda read: [read[0], *read[:-1]], ("wrong", Violation.DISORDER)),
    "one that was deleted": (lambda read: [(2, ""), *read], ("wrong", Violation.RESURRECTED)),
    "one never stored": (lambda read: [(33, ""), *read], ("wrong", Violation.GHOST)),
    "another's text": (lambda read: [(0, read[1][1]), *read[1:]], ("wrong", Violation.CORRUPT)),
    "keys without texts": (lambda read: [key for key, _ in read], ("wrong", Violation.CORRUPT)),
}


@pytest.mark.parametrize(("told", "result"), READS.values(), ids=READS)
def test_what_a_scan_read_is_what_was_stored(told, result, target, population):
    issue(target, population, "delete", 2)
    target.told = told

    assert result == issue(target, population, "scan")


def test_a_text_that_changes_while_it_is_read_is_not_judged(target, population):
    def told(read):
        issue(target, population, "update", 3)
        return read

    target.told = told

    assert ("ok", None) == issue(target, population, "scan")
