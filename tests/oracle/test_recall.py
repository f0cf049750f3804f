"""Is recall what a slow and obvious count over the live records says?"""

import numpy as np
import pytest

from soak.clock import SystemClock, monotonic_ns
from soak.oracle.recall import probe
from soak.result import TargetError
from soak.seams import Hit, Query
from soak.targets import memory
from soak.targets.null import Null
from tests.mixed_load import DIMENSIONS, small_population

K = 10


class Choosy(memory.Memory):
    """Forgets in silence, and leaves out of its answers, what a test tells it to."""

    omitted: frozenset[int] = frozenset()
    forgotten: frozenset[int] = frozenset()
    forgets = False
    is_broken = False

    def search(self, query):
        hidden = self.omitted | self.forgotten
        wide = super().search(Query(vector=query.vector, k=200, agent=query.agent))
        return [hit for hit in wide if hit.key not in hidden][: query.k]

    def get(self, key):
        if self.is_broken:
            raise TargetError("gone")
        return None if key in self.forgotten else super().get(key)

    def may_forget(self):
        return self.forgets


@pytest.fixture
def population(tmp_path):
    return small_population(tmp_path)


@pytest.fixture
def target(tmp_path):
    return Choosy(memory.Params(dimensions=DIMENSIONS), tmp_path / "target", SystemClock())


def fill(population, target, count=150):
    population.watch(target)
    for key in range(count):
        target.store(population.record(key, 0, 0.5))
        population.commit_store(population.begin_store(key, 0.5))


def ask(population, target, *, key=7, agent=None):
    """Search, offer the answer, and return it."""
    query = Query(vector=population.content.query(key, 0, 1), k=K, agent=agent)
    start_ns = monotonic_ns()
    hits = target.search(query)
    population.offer(query, hits, start_ns)
    return hits


def test_nothing_offered_has_no_recall(population, target):
    fill(population, target)

    assert probe(population, target) is None


@pytest.mark.parametrize("agent", [None, 2], ids=["of all", "of one agent"])
def test_an_exact_search_has_recall_one(population, target, agent):
    fill(population, target)
    ask(population, target, agent=agent)

    assert 1.0 == probe(population, target)


@pytest.mark.parametrize("missing", [1, 4, 10])
def test_recall_is_the_share_of_the_nearest_that_was_found(population, target, missing):
    fill(population, target)
    best = [hit.key for hit in ask(population, target)]
    target.omitted = frozenset(best[:missing])
    ask(population, target)

    assert 1 - missing / K == pytest.approx(probe(population, target))


def test_an_offer_is_probed_once(population, target):
    fill(population, target)
    ask(population, target)
    probe(population, target)

    assert probe(population, target) is None


def test_fewer_records_than_asked_for_are_all_that_counts(population, target):
    fill(population, target, count=4)
    ask(population, target)

    assert 1.0 == probe(population, target)


def test_records_written_since_the_search_do_not_count(population, target):
    fill(population, target)
    best = [hit.key for hit in ask(population, target)]
    # Found rightly, and gone or changed since; a newcomer that the search could not know.
    population.commit_delete(population.begin_change(best[0]))
    population.commit_update(population.begin_change(best[1]))
    population.commit_store(population.begin_store(500, 0.5))

    assert 1.0 == probe(population, target)


def test_what_a_full_target_forgot_is_not_held_against_its_search(population, target):
    fill(population, target)
    target.forgotten = frozenset(hit.key for hit in ask(population, target)[:5])
    target.forgets = True
    population.refresh_forgetting()
    ask(population, target)

    assert 1.0 == probe(population, target)
    assert 5 == population.eviction_quality()["missing"]


def test_too_many_questions_give_no_figure(population):
    target = Null()
    population.watch(target)
    for key in range(150):
        population.commit_store(population.begin_store(key, 0.5))
    ask(population, target)

    assert probe(population, target) is None


def test_a_target_that_fails_meanwhile_gives_no_figure(population, target):
    fill(population, target)
    target.forgets = True
    population.refresh_forgetting()
    target.omitted = frozenset(range(0, 150, 2))
    ask(population, target)
    target.is_broken = True

    assert probe(population, target) is None


def test_equal_vectors_are_equally_right(population, target):
    fill(population, target)
    hits = list(ask(population, target))
    population.content.scores = lambda query, keys, versions: np.full(len(keys), 0.5)
    population.offer(
        Query(vector=population.content.query(7, 0, 1), k=K),
        [Hit(key, 0.5) for key in range(K)],
        monotonic_ns(),
    )

    assert K == len(hits)
    assert 1.0 == probe(population, target)
