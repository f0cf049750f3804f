"""Does every target keep what it promises? The same questions to each, by its capabilities.

Asked of the targets whose packages are here; SOAK_CONTRACT=chroma asks that one alone, in its own
environment (`make test-targets`). SOAK_CONTRACT_PARAMS is JSON with further parameters of it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from soak import plugins
from soak.clock import SystemClock
from soak.result import OPERATIONS, RecordMissing, TargetError
from soak.scenario import load
from soak.seams import Edge, Query, Record, Target
from tests.mixed_load import DIMENSIONS, small_content
from tests.source_tree import ROOT

FEATURES = {"pin", "tiers", "exact_filter"}
CONTENT = small_content()
PARAMS = {"dimensions": DIMENSIONS}
MAPPED = {"http"}  # needs somebody's server


def record(key: int, *, version: int = 0, agent: int = 1) -> Record:
    return Record(
        key=key,
        agent=agent,
        text=CONTENT.text(key, version),
        vector=CONTENT.vector(key, version),
        importance=0.5,
    )


def asked() -> list[str]:
    """The targets under test: those that can be built here, or the one that was named."""
    named = os.environ.get("SOAK_CONTRACT")
    if named:
        return [named]
    return [name for name in plugins.shipped("targets") if is_here(name)]


def is_here(name: str) -> bool:
    """Whether it can be built from what is installed, without a server or a checkout."""
    if name in MAPPED or "checkout" in plugins.params_model("targets", name).model_fields:
        return False
    return all(map(find_spec, getattr(plugins.load("targets", name), "NEEDS", ())))


def params_of(name: str) -> BaseModel:
    """For vectors as wide as those of this suite; http is mapped as in its example."""
    if name == "http":
        return load(str(ROOT / "configs" / "http.yaml")).target.params
    fields = plugins.params_model("targets", name).model_fields
    mapping = {field: value for field, value in PARAMS.items() if field in fields}
    mapping |= json.loads(os.environ.get("SOAK_CONTRACT_PARAMS", "{}"))
    return plugins.params_of("targets", name, mapping)


@pytest.fixture(params=asked())
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    module = plugins.load("targets", request.param)
    built = module.build(params_of(request.param), tmp_path, SystemClock())
    yield built
    built.close()


@pytest.fixture
def remembering(request: pytest.FixtureRequest, target: Target) -> Target:
    """A target that keeps what it is given; null does not."""
    if not getattr(
        plugins.load("targets", request.node.callspec.params["target"]), "REMEMBERS", True
    ):
        pytest.skip("remembers nothing, and says so")
    return target


def needs(target: Target, *capabilities: str) -> None:
    missing = sorted(set(capabilities) - target.capabilities)
    if missing:
        pytest.skip(f"cannot {', '.join(missing)}, and says so")


def answers_all(name: str) -> None:
    """Some leave records out of an answer that has room for them."""
    left_out = getattr(plugins.load("targets", name), "LEAVES_OUT", "")
    if left_out:
        pytest.skip(f"a search leaves out {left_out}, and says so")


def test_capabilities_are_known_words_and_those_of_the_module(request, target):
    name = request.node.callspec.params["target"]
    module = plugins.load("targets", name)
    promised = getattr(module, "capabilities_of", lambda _: module.CAPABILITIES)(params_of(name))

    assert promised == target.capabilities
    assert target.capabilities <= module.CAPABILITIES
    assert set() == target.capabilities - set(OPERATIONS) - FEATURES
    assert "store" in target.capabilities
    assert {"search", "get"} & target.capabilities


def test_a_record_comes_back_as_it_was_stored(remembering):
    needs(remembering, "get")
    given = record(7, agent=3)
    remembering.store(given)
    got = remembering.get(7)

    assert got is not None
    assert (7, 3, given.text) == (got.key, got.agent if got.agent >= 0 else 3, got.text)
    assert got.vector.size == 0 or 0.95 <= float(given.vector @ got.vector)


def test_a_batch_is_stored_whole(remembering):
    needs(remembering, "store_batch", "get")
    remembering.store_batch([record(key) for key in range(10)])

    texts = [remembering.get(key).text for key in range(10)]
    assert [CONTENT.text(key, 0) for key in range(10)] == texts
    assert 10 == remembering.count()


def test_what_was_never_stored_is_none(target):
    needs(target, "get")

    assert target.get(123_456) is None


def test_an_update_replaces_the_text(remembering):
    needs(remembering, "get", "update")
    remembering.store(record(7))
    remembering.update(record(7, version=1))

    assert CONTENT.text(7, 1) == remembering.get(7).text
    assert 1 == remembering.count()


def test_an_update_replaces_the_vector(remembering):
    needs(remembering, "search", "update")
    remembering.store(record(7))
    remembering.update(record(7, version=1))
    nearest = remembering.search(Query(vector=CONTENT.vector(7, 1), k=1))

    assert [7] == [hit.key for hit in nearest]
    assert nearest[0].score == pytest.approx(1.0, abs=0.02)


def test_a_deleted_record_is_gone_from_get(remembering):
    needs(remembering, "get", "delete")
    for key in range(5):
        remembering.store(record(key))
    remembering.delete(2)

    assert remembering.get(2) is None
    assert CONTENT.text(3, 0) == remembering.get(3).text
    assert 4 == remembering.count()


def test_a_deleted_record_is_gone_from_search(request, remembering):
    answers_all(request.node.callspec.params["target"])
    needs(remembering, "search", "delete")
    for key in range(5):
        remembering.store(record(key))
    remembering.delete(2)
    hits = remembering.search(Query(vector=CONTENT.vector(2, 0), k=5))

    assert {0, 1, 3, 4} == {hit.key for hit in hits}


def test_a_search_answers_the_nearest_best_first(remembering):
    needs(remembering, "search")
    keys = np.arange(50)
    for key in keys.tolist():
        remembering.store(record(key))
    vector = CONTENT.query(11, 0, 1)
    exact = CONTENT.scores(vector, keys, np.zeros_like(keys))
    hits = remembering.search(Query(vector=vector, k=10))
    scores = [hit.score for hit in hits]

    assert 10 == len(hits)
    assert sorted(scores, reverse=True) == scores
    found = set(np.argsort(-exact)[:10].tolist()) & {hit.key for hit in hits}
    assert len(found) >= 9


def test_a_search_by_an_agent_sees_its_own_records_only(request, remembering):
    answers_all(request.node.callspec.params["target"])
    needs(remembering, "search")
    for key in range(40):
        remembering.store(record(key, agent=key % 4))
    hits = remembering.search(Query(vector=CONTENT.query(11, 0, 1), k=10, agent=3))

    assert 10 == len(hits)
    assert {3} == {hit.key % 4 for hit in hits}


def test_a_search_for_more_than_there_is_answers_all(request, remembering):
    answers_all(request.node.callspec.params["target"])
    needs(remembering, "search")
    for key in range(3):
        remembering.store(record(key))

    assert 3 == len(remembering.search(Query(vector=CONTENT.query(1, 0, 1), k=10)))


def test_a_search_of_nothing_is_empty(target):
    needs(target, "search")

    assert 0 == len(target.search(Query(vector=CONTENT.query(1, 0, 1), k=10)))


def test_a_scan_counts_at_most_what_was_asked_for(remembering):
    needs(remembering, "scan")
    for key in range(8):
        remembering.store(record(key))

    assert [5, 8] == [remembering.scan(5), remembering.scan(100)]


def test_an_edge_is_walked_until_an_end_is_deleted(remembering):
    needs(remembering, "link", "traverse", "delete")
    for key in range(4):
        remembering.store(record(key))
    for source, end in ((0, 1), (1, 2), (2, 3)):
        remembering.link(Edge(source=source, target=end))
    walked = list(remembering.traverse(0, 2))
    remembering.delete(1)

    assert [1, 2] == walked
    assert [] == list(remembering.traverse(0, 2))


def test_what_was_acknowledged_is_there_after_a_reopen(remembering):
    needs(remembering, "reopen", "get", "update", "delete")
    for key in range(6):
        remembering.store(record(key))
    remembering.update(record(1, version=1))
    remembering.delete(2)
    remembering.reopen()
    texts = [found.text if (found := remembering.get(key)) else None for key in range(6)]

    versions = {1: 1}
    expected = [CONTENT.text(key, versions.get(key, 0)) for key in range(6)]
    expected[2] = None
    assert expected == texts
    assert 5 == remembering.count()


def test_deleting_what_is_not_there_leaves_it_not_there(target):
    needs(target, "delete", "get")
    with suppress(RecordMissing):
        target.delete(123_456)

    assert target.get(123_456) is None


def test_a_vector_of_the_wrong_size_is_a_target_error(remembering):
    needs(remembering, "search")
    remembering.store(record(1))
    with pytest.raises(TargetError):
        remembering.search(Query(vector=np.ones(DIMENSIONS + 1, dtype=np.float32), k=3))


def test_figures_are_finite_numbers_with_a_unit_in_their_names(target):
    target.store(record(1))
    figures = target.stats()
    units = ("_bytes", "_s", "_count", "_ratio", "_per_s", "_ns")

    assert {} == {name: value for name, value in figures.items() if not np.isfinite(value)}
    assert [] == [name for name in figures if not name.endswith(units)]


def test_events_are_numbered_and_told_once(target):
    needs(target, "maintain")
    before_ns = SystemClock().monotonic_ns()
    target.store(record(1))
    target.maintain()
    events = list(target.events(0))
    sequences = [event.sequence for event in events]

    assert sorted(set(sequences)) == sequences
    assert [] == list(target.events(max(sequences, default=0)))
    after_ns = SystemClock().monotonic_ns()
    assert all(before_ns <= event.start_ns <= after_ns for event in events if event.explicit)
    assert all(event.duration_s >= 0 and event.kind for event in events)


def test_directories_exist_and_processes_are_numbers(target):
    assert [] == [path for path in target.directories() if not path.is_dir()]
    assert all(pid > 0 for pid in target.processes())


def test_an_empty_target_has_no_records(target):
    assert 0 == target.count()
    assert isinstance(target.may_forget(), bool)
