"""Does the population know what must, may and must not be there, whatever overlaps what?"""

from pathlib import Path

import numpy as np
import pytest

from soak.oracle import answers as oracle
from soak.oracle.population import ABSENT, DOUBT, MAYBE, PRESENT, Population
from soak.result import Violation, violation_code
from soak.seams import Hit, Query
from soak.targets.null import Null
from tests.mixed_load import small_population

LATER_NS = 1 << 62  # a start after everything that a test did


class Full(Null):
    """A target whose wish to forget a test sets by hand."""

    capabilities = frozenset({"pin"})

    def __init__(self) -> None:
        self.forgets = False

    def may_forget(self) -> bool:
        return self.forgets


def stored(population: Population, *keys: int) -> None:
    for key in keys:
        population.commit_store(population.begin_store(key, 0.5))


def test_a_key_is_in_doubt_from_begin_to_commit(tmp_path):
    population = small_population(tmp_path)
    change = population.begin_store(3, 0.5)
    before = population.state[3]
    population.commit_store(change)

    assert (DOUBT, PRESENT) == (before, population.state[3])


def test_a_deleted_key_is_absent(tmp_path):
    population = small_population(tmp_path)
    stored(population, 3)
    population.commit_delete(population.begin_change(3))

    assert ABSENT == population.state[3]
    assert (1, 1) == (population.stored, population.deleted)


def test_an_update_writes_the_next_version(tmp_path):
    population = small_population(tmp_path)
    stored(population, 3)
    change = population.begin_change(3)
    before = population.version[3]
    population.commit_update(change)

    assert (1, 0, 1) == (change.version, before, population.version[3])


def test_two_writes_at_once_leave_doubt_until_the_next_one_alone(tmp_path):
    population = small_population(tmp_path)
    stored(population, 3)
    first, second = population.begin_change(3), population.begin_change(3)
    population.commit_update(first)
    population.commit_update(second)
    contested = population.state[3]
    population.commit_update(population.begin_change(3))

    # Maybe, not present: had one of the two been a delete, nobody would know.
    assert (DOUBT, MAYBE) == (contested, population.state[3])


def test_a_write_that_raised_leaves_doubt_for_the_life_of_the_key(tmp_path):
    population = small_population(tmp_path, keys=10)
    stored(population, 3)
    population.abandon(population.begin_change(3))
    population.commit_delete(population.begin_change(3))
    doubted = population.state[3]
    stored(population, 13)

    assert (DOUBT, PRESENT) == (doubted, population.state[3])


def test_a_refused_update_changes_nothing(tmp_path):
    population = small_population(tmp_path)
    stored(population, 3)
    change = population.begin_change(3)
    change.refused = True
    population.abandon(change)

    assert (PRESENT, 0) == (population.state[3], population.version[3])


@pytest.mark.parametrize("is_over", [True, False], ids=["ended before", "overlaps"])
def test_an_update_that_overtakes_the_store_of_its_key_is_not_forgotten(tmp_path, is_over):
    population = small_population(tmp_path)
    early = population.begin_change(3)
    if is_over:
        population.commit_update(early)
    store = population.begin_store(3, 0.5)
    if not is_over:
        population.commit_update(early)
    population.commit_store(store)

    # Ended before: it changed nothing that the store did not replace.
    assert (PRESENT if is_over else DOUBT) == population.state[3]
    assert (0 if is_over else 1) == population.version[3]


def test_a_late_answer_does_not_touch_the_next_key_of_the_slot(tmp_path):
    population = small_population(tmp_path, keys=10)
    stored(population, 3)
    late = population.begin_change(3)
    stored(population, 13)
    population.commit_delete(late)

    assert (PRESENT, 13) == (population.state[3], population.occupant[3])


def test_a_full_target_may_forget_all_but_pinned_records(tmp_path):
    population, target = small_population(tmp_path, pinned_ratio=0.2), Full()
    population.watch(target)
    stored(population, *range(100))
    target.forgets = True
    population.refresh_forgetting()

    expected = [PRESENT if population.is_pinned(key) else MAYBE for key in range(100)]
    assert expected == list(population.state[:100])
    assert 5 < expected.count(PRESENT) < 40


@pytest.mark.parametrize("ends_full", [True, False], ids=["still full", "full in between"])
def test_a_store_that_overlaps_fullness_may_be_forgotten(tmp_path, ends_full):
    population, target = small_population(tmp_path), Full()
    population.watch(target)
    change = population.begin_store(3, 0.5)
    target.forgets = True
    population.refresh_forgetting()
    target.forgets = ends_full
    population.refresh_forgetting()
    population.commit_store(change)

    assert MAYBE == population.state[3]


def test_what_is_stored_after_fullness_must_exist(tmp_path):
    population, target = small_population(tmp_path), Full()
    target.forgets = True
    population.watch(target)
    target.forgets = False
    population.refresh_forgetting()
    stored(population, 3)

    assert PRESENT == population.state[3]


def test_the_target_is_asked_before_a_record_is_called_lost(tmp_path):
    population, target = small_population(tmp_path), Full()
    population.watch(target)
    stored(population, 3)
    target.forgets = True  # and nobody has polled since

    assert oracle.MISSING == oracle.judge_missing(population, "get", 3, LATER_NS)
    assert MAYBE == population.state[3]


def test_a_target_that_cannot_pin_is_not_accused_of_losing_pinned_records(tmp_path):
    population = small_population(tmp_path, pinned_ratio=1.0)
    before = population.is_pinned(3)
    population.watch(Null())

    assert (True, False) == (before, population.is_pinned(3))
    assert not population.record(3, 0, 0.5).pinned


def test_an_answer_that_overlaps_a_change_is_not_judged(tmp_path):
    population = small_population(tmp_path)
    stored(population, 3)
    start_ns = population.changed_ns[3]  # not before the acknowledgement

    assert oracle.MISSING == oracle.judge_missing(population, "get", 3, start_ns)
    lost = violation_code(Violation.LOST)
    assert lost == oracle.judge_missing(population, "get", 3, start_ns + 1)


def test_where_the_file_may_be_older_than_the_target_every_key_is_in_doubt(tmp_path):
    population = small_population(tmp_path)
    stored(population, 3)
    population.doubt_all()
    missing = oracle.judge_missing(population, "get", 3, LATER_NS)
    stored(population, 3 + population.keys)

    assert (oracle.MISSING, 0) == (missing, population.checked)
    assert PRESENT == population.state[3]


def test_a_population_resumes_from_its_file(tmp_path):
    first = small_population(tmp_path)
    stored(first, 1, 2)
    first.begin_change(2)
    first.close()
    again = Population(
        tmp_path / "population.bin",
        first.content,
        first.shape,
        [np.zeros(65_536)],
        resume=True,
    )
    again.commit_update(again.begin_change(2))

    assert (PRESENT, DOUBT) == (again.state[1], again.state[2])
    assert 0 == again.changed_ns[1]


BREACHES = {
    "not best first": ([Hit(1, 0.5), Hit(2, 0.6)], Violation.DISORDER),
    "a score that is no number": ([Hit(1, float("nan"))], Violation.DISORDER),
    "a key twice": ([Hit(1, 0.5), Hit(1, 0.5)], Violation.DISORDER),
    "more than k": ([Hit(key, 0.5) for key in range(1, 7)], Violation.DISORDER),
    "never stored": ([Hit(900, 0.5)], Violation.GHOST),
    "negative key": ([Hit(-1, 0.5)], Violation.GHOST),
    "deleted": ([Hit(0, 0.5)], Violation.RESURRECTED),
    "not a hit": ([("a", 1)], Violation.CORRUPT),
    "not a list": (7, Violation.CORRUPT),
    "nothing": (None, Violation.CORRUPT),
}


@pytest.mark.parametrize(("hits", "violation"), BREACHES.values(), ids=BREACHES)
def test_a_search_that_breaks_a_promise_is_named(tmp_path, hits, violation):
    population = small_population(tmp_path)
    stored(population, *range(10))
    population.commit_delete(population.begin_change(0))
    query = Query(vector=population.content.query(1, 0, 0), k=5)

    assert violation_code(violation) == oracle.judge_hits(population, query, hits, LATER_NS)
    assert [violation] == [note.violation for note in population.drain_notes()]


def test_hits_of_keys_that_are_followed_no_more_are_not_judged(tmp_path):
    population = small_population(tmp_path, keys=10)
    stored(population, *range(20))
    query = Query(vector=population.content.query(1, 0, 0), k=5)

    assert 0 == oracle.judge_hits(population, query, [Hit(3, 0.5)], LATER_NS)


def test_the_latest_thousand_violations_are_kept_in_words(tmp_path: Path):
    population = small_population(tmp_path)
    for key in range(1_100):
        population.note_violation(Violation.GHOST, "search", key, 0, "")

    assert list(range(100, 1_100)) == [note.key for note in population.drain_notes()]
    assert 1_100 == population.violations[Violation.GHOST]
    assert [] == population.drain_notes()
