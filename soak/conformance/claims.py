"""What does a capability promise? One claim each, asked of a target that nobody has used yet."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from soak.conformance.outlasting import outlasts_end, outlasts_reopen
from soak.conformance.scene import SEARCH_AGENT, Broken, Scene, require, require_same
from soak.result import OPERATIONS, RecordMissing, TargetError
from soak.seams import Edge, Query, Tiered

# What a target may have beside operations.
FEATURES = frozenset({"pin", "tiers", "exact_filter", SEARCH_AGENT})
UNITS = ("_bytes", "_s", "_count", "_ratio", "_per_s", "_ns")
NEAR = 0.95  # the cosine of a vector with what comes back of it, compressed
EXACT_SCORE = 0.02
NEAREST, AT_LEAST = 10, 9
# Room for so many records where room can be set, and for all of them in the uppermost tier.
FEW = {"capacity_records": 20}
ALL_ON_TOP = {"short_term_records": 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """ask raises Broken where it does not hold. needs: capabilities without which it is not made.

    remembers: only of a target that keeps what it is given. changes: asked with these parameters,
    where the target has them.
    """

    name: str
    ask: Callable[[Scene], None]
    needs: frozenset[str] = frozenset()
    remembers: bool = True
    changes: Mapping[str, object] = field(default_factory=dict)


def _capabilities(scene: Scene) -> None:
    found = scene.target.capabilities
    require_same(scene.promised, found, "capabilities, beside those that the module promises")
    require(found <= scene.possible, f"more than the module can: {sorted(found - scene.possible)}")
    unknown = sorted(found - set(OPERATIONS) - FEATURES)
    require(not unknown, f"no capabilities: {', '.join(unknown)}")
    require("store" in found and bool({"search", "get"} & found), "it cannot store and find")


def _comes_back(scene: Scene) -> None:
    given = scene.record(7, agent=3)
    scene.target.store(given)
    got = scene.target.get(7)
    if got is None:
        raise Broken("the record that was stored is not there")
    agent = got.agent if got.agent >= 0 else given.agent
    require_same((7, 3, given.text), (got.key, agent, got.text), "key, agent and text")
    near = 1.0 if not got.vector.size else float(given.vector @ got.vector)
    require(near >= NEAR, f"its vector has a cosine of {near:.3f} with the one that was stored")


def _batch(scene: Scene) -> None:
    scene.target.store_batch([scene.record(key) for key in range(10)])
    expected = [scene.content.text(key, 0) for key in range(10)]
    require_same(expected, [scene.text_of(key) for key in range(10)], "texts of the batch")
    require_same(10, scene.target.count(), "records")


def _never_stored(scene: Scene) -> None:
    require_same(None, scene.target.get(123_456), "a key that was never stored")


def _update_text(scene: Scene) -> None:
    scene.store(8)
    scene.target.update(scene.record(7, version=1))
    require_same(scene.content.text(7, 1), scene.text_of(7), "text after the update")
    require_same(8, scene.target.count(), "records")


def _update_vector(scene: Scene) -> None:
    scene.target.store(scene.record(7))
    scene.target.update(scene.record(7, version=1))
    nearest = scene.hits(Query(vector=scene.content.vector(7, 1), k=1))
    require_same([7], [hit.key for hit in nearest], "nearest to the new vector")
    score = nearest[0].score
    require(abs(score - 1) <= EXACT_SCORE, f"its score is {score:.3f}, that of another vector")


def _deleted_from_get(scene: Scene) -> None:
    scene.store(5)
    scene.target.delete(2)
    require_same(None, scene.text_of(2), "the deleted record")
    require_same(scene.content.text(3, 0), scene.text_of(3), "another record")
    require_same(4, scene.target.count(), "records")


def _deleted_from_search(scene: Scene) -> None:
    scene.store(5)
    scene.target.delete(2)
    hits = scene.hits(Query(vector=scene.content.vector(2, 0), k=5))
    found, others = {hit.key for hit in hits}, {0, 1, 3, 4}
    expected = others & found if scene.leaves_out else others
    require_same(expected, found, "keys of all hits")


def _nearest(scene: Scene) -> None:
    keys = np.arange(50)
    scene.store(keys.size)
    vector = scene.content.query(11, 0, 1)
    exact = scene.content.scores(vector, keys, np.zeros_like(keys))
    hits = scene.hits(Query(vector=vector, k=NEAREST))
    scores = [hit.score for hit in hits]
    require_same(NEAREST, len(hits), "hits")
    require_same(sorted(scores, reverse=True), scores, "scores in their order")
    found = set(np.argsort(-exact)[:NEAREST].tolist()) & {hit.key for hit in hits}
    require(len(found) >= AT_LEAST, f"only {len(found)} of the {NEAREST} nearest were found")


def _own_only(scene: Scene) -> None:
    scene.store(40, agents=4)
    hits = scene.hits(Query(vector=scene.content.query(11, 0, 1), k=10, agent=3))
    scene.require_hits(10, hits)
    require_same({3}, {hit.key % 4 for hit in hits}, "agents of the hits")


def _exactly_own(scene: Scene) -> None:
    keys = np.arange(200)
    scene.store(keys.size, agents=4)
    vector = scene.content.query(11, 0, 1)
    exact = scene.content.scores(vector, keys, np.zeros_like(keys))
    exact[keys % 4 != 3] = -np.inf
    least = np.sort(exact)[-NEAREST] - EXACT_SCORE
    found = {hit.key for hit in scene.hits(Query(vector=vector, k=NEAREST, agent=3))}
    nearest = {key for key in found if key in keys and exact[key] >= least}
    require_same(NEAREST, len(nearest), "of the nearest among the agent's records, found")


def _more_than_there_is(scene: Scene) -> None:
    scene.store(3)
    scene.require_hits(3, scene.hits(Query(vector=scene.content.query(1, 0, 1), k=10)))


def _search_of_nothing(scene: Scene) -> None:
    hits = scene.hits(Query(vector=scene.content.query(1, 0, 1), k=10))
    require_same(0, len(hits), "hits in an empty target")


def _scan(scene: Scene) -> None:
    scene.store(8)
    texts = {key: scene.content.text(key, 0) for key in range(8)}
    for limit, expected in ((5, 5), (100, 8)):
        read = scene.target.scan(limit)
        counted = read if isinstance(read, int) else len(read)
        require_same(expected, counted, f"records of a scan of at most {limit}")
        if not isinstance(read, int):
            found = dict(read)
            require_same(expected, len(found), "different records of it")
            require_same({key: texts.get(key) for key in found}, found, "texts by key")


def _edges(scene: Scene) -> None:
    scene.store(4)
    for source in range(3):
        scene.target.link(Edge(source=source, target=source + 1))
    require_same([1, 2], list(scene.target.traverse(0, 2)), "two steps from 0")
    scene.target.delete(1)
    require_same([], list(scene.target.traverse(0, 2)), "two steps when the first is deleted")


def _edge_to_nothing(scene: Scene) -> None:
    scene.store(2)
    scene.target.delete(1)
    with suppress(RecordMissing):
        scene.target.link(Edge(source=0, target=1))
    require_same([], list(scene.target.traverse(0, 1)), "a step from 0 to what was deleted")


def _pinned(scene: Scene) -> None:
    scene.target.store(scene.record(0, pinned=True))
    for key in range(1, 60):
        scene.target.store(scene.record(key))
    found = scene.target.get(0)
    if found is None:
        raise Broken("a pinned record is gone after 59 others were stored")
    require(found.pinned, "the record comes back, and is not pinned")


def _tiers(scene: Scene) -> None:
    scene.store(20)
    counts = scene.tiers()
    require(bool(counts), "its figures have no tier_<NAME>_count")
    require_same(scene.target.count(), int(sum(counts.values())), "records in all its tiers")


def _transition(scene: Scene) -> None:
    target = scene.target
    require(isinstance(target, Tiered), "it has no method transition")
    assert isinstance(target, Tiered), "required"
    scene.store(20)
    before = scene.tiers()
    moved = target.transition(0.5)
    require(0 < moved <= 20, f"{moved} of 20 records were moved")
    after = scene.tiers()
    left = sum(max(0.0, n - after.get(name, 0.0)) for name, n in before.items())
    if before:
        require_same(moved, int(left), "records that left a tier, as those said to be moved")
    require_same(20, scene.target.count(), "records")
    if scene.can("get"):
        expected = [scene.content.text(key, 0) for key in range(20)]
        require_same(expected, [scene.text_of(key) for key in range(20)], "texts after it")


def _delete_nothing(scene: Scene) -> None:
    with suppress(RecordMissing):
        scene.target.delete(123_456)
    require_same(None, scene.target.get(123_456), "what was deleted without being there")


def _wrong_size(scene: Scene) -> None:
    scene.target.store(scene.record(1))
    size = scene.content.dimensions + 1
    try:
        scene.target.search(Query(vector=np.ones(size, dtype=np.float32), k=3))
    except TargetError:
        return
    raise Broken(f"a vector of {size} numbers was searched for, and nothing said")


def _figures(scene: Scene) -> None:
    scene.target.store(scene.record(1))
    figures = scene.target.stats()
    strange = sorted(name for name, value in figures.items() if not np.isfinite(value))
    require(not strange, f"not finite: {', '.join(strange)}")
    unitless = sorted(name for name in figures if not name.endswith(UNITS))
    require(not unitless, f"without a unit: {', '.join(unitless)}")


def _events(scene: Scene) -> None:
    before_ns = scene.clock.monotonic_ns()
    scene.target.store(scene.record(1))
    scene.target.maintain()
    events = list(scene.target.events(0))
    numbers = [event.sequence for event in events]
    require_same(sorted(set(numbers)), numbers, "numbers of its events")
    again = list(scene.target.events(max(numbers, default=0)))
    require_same([], again, "events after the last one")
    after_ns = scene.clock.monotonic_ns()
    told = [event for event in events if event.explicit]
    in_time = all(before_ns <= event.start_ns <= after_ns for event in told)
    require(in_time, "maintenance began before it was asked for, or after it was over")
    require(
        all(e.duration_s >= 0 and e.kind for e in events), "an event has no kind, or ends early"
    )


def _places(scene: Scene) -> None:
    missing = [str(path) for path in scene.target.directories() if not path.is_dir()]
    require(not missing, f"no directories: {', '.join(missing)}")
    require(all(pid > 0 for pid in scene.target.processes() or ()), "a process has no number")


def _empty(scene: Scene) -> None:
    require_same(0, scene.target.count(), "records in an empty target")
    require(isinstance(scene.target.may_forget(), bool), "may_forget says neither yes nor no")


def _claim(
    name: str,
    ask: Callable[[Scene], None],
    *needs: str,
    remembers: bool = True,
    changes: Mapping[str, object] | None = None,
) -> Claim:
    return Claim(
        name=name, ask=ask, needs=frozenset(needs), remembers=remembers, changes=changes or {}
    )


CLAIMS = (
    _claim("capabilities are those of the module", _capabilities, remembers=False),
    _claim("a record comes back as it was stored", _comes_back, "get"),
    _claim("a batch is stored whole", _batch, "store_batch", "get"),
    _claim("what was never stored is none", _never_stored, "get", remembers=False),
    _claim("an update replaces the text", _update_text, "get", "update"),
    _claim("an update replaces the vector", _update_vector, "search", "update"),
    _claim("a deleted record is gone from get", _deleted_from_get, "get", "delete"),
    _claim("a deleted record is gone from search", _deleted_from_search, "search", "delete"),
    _claim("a search answers the nearest, best first", _nearest, "search"),
    _claim("an agent's search sees its own records only", _own_only, "search", SEARCH_AGENT),
    _claim(
        "an agent's search misses none of them",
        _exactly_own,
        "search",
        SEARCH_AGENT,
        "exact_filter",
    ),
    _claim("a search for more than there is has all", _more_than_there_is, "search"),
    _claim("a search of nothing is empty", _search_of_nothing, "search", remembers=False),
    _claim("a scan reads at most what was asked for", _scan, "scan"),
    _claim("an edge goes with its end", _edges, "link", "traverse", "delete"),
    _claim("no edge leads to what was deleted", _edge_to_nothing, "link", "traverse", "delete"),
    _claim("what was acknowledged outlasts a reopen", outlasts_reopen, "reopen"),
    _claim("what was acknowledged is there when it is built again", outlasts_end, "reopen"),
    _claim("a pinned record is not forgotten", _pinned, "pin", "get", changes=FEW),
    _claim("all records are in its tiers", _tiers, "tiers"),
    _claim("a transition moves, and loses nothing", _transition, "transition", changes=ALL_ON_TOP),
    _claim("what is not there can be deleted", _delete_nothing, "delete", "get", remembers=False),
    _claim("a vector of the wrong size is refused", _wrong_size, "search"),
    _claim("figures are finite, with units", _figures, remembers=False),
    _claim("events are numbered and told once", _events, "maintain", remembers=False),
    _claim("directories and processes are there", _places, remembers=False),
    _claim("an empty target has no records", _empty, remembers=False),
)
