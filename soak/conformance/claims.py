"""What does a capability promise? One claim each, asked of a target that nobody has used yet."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from soak.clock import Clock
from soak.result import OPERATIONS, RecordMissing, TargetError
from soak.seams import Content, Edge, Hit, Query, Record, Target

# What a target may have beside operations.
FEATURES = frozenset({"pin", "tiers", "exact_filter"})
UNITS = ("_bytes", "_s", "_count", "_ratio", "_per_s", "_ns")
NEAR = 0.95  # the cosine of a vector with what comes back of it, compressed
EXACT_SCORE = 0.02
NEAREST, AT_LEAST = 10, 9
SHOWN = 160


class Broken(Exception):
    """A claim that does not hold; the message says what should have come, and what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An empty target, and what can be stored in it. promised: by its module, for its parameters;
    possible: by its module at all."""

    target: Target
    content: Content
    clock: Clock
    promised: frozenset[str]
    possible: frozenset[str]

    def record(self, key: int, *, version: int = 0, agent: int = 1) -> Record:
        return Record(
            key=key,
            agent=agent,
            text=self.content.text(key, version),
            vector=self.content.vector(key, version),
            importance=0.5,
        )

    def store(self, count: int, agents: int = 1) -> None:
        """Records 0, 1, 2, ...; agents take turns, or all are agent 1's."""
        for key in range(count):
            self.target.store(self.record(key, agent=key % agents if agents > 1 else 1))

    def text_of(self, key: int) -> str | None:
        found = self.target.get(key)
        return None if found is None else found.text

    def hits(self, query: Query) -> list[Hit]:
        return list(self.target.search(query))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """ask raises Broken where it does not hold. needs: capabilities without which it is not made.

    remembers: only of a target that keeps what it is given. answers_all: only of one whose search
    leaves nothing out.
    """

    name: str
    ask: Callable[[Scene], None]
    needs: frozenset[str] = frozenset()
    remembers: bool = True
    answers_all: bool = False


def require_same(expected: object, found: object, what: str) -> None:
    """Raises Broken unless they are equal."""
    if expected != found:
        raise Broken(f"{what}: expected {_short(expected)}, got {_short(found)}")


def require(holds: bool, said: str) -> None:
    """Raises Broken with those words unless it holds."""
    if not holds:
        raise Broken(said)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


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
    require_same({0, 1, 3, 4}, {hit.key for hit in hits}, "keys of all hits")


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
    require_same(10, len(hits), "hits")
    require_same({3}, {hit.key % 4 for hit in hits}, "agents of the hits")


def _more_than_there_is(scene: Scene) -> None:
    scene.store(3)
    hits = scene.hits(Query(vector=scene.content.query(1, 0, 1), k=10))
    require_same(3, len(hits), "hits")


def _search_of_nothing(scene: Scene) -> None:
    hits = scene.hits(Query(vector=scene.content.query(1, 0, 1), k=10))
    require_same(0, len(hits), "hits in an empty target")


def _scan(scene: Scene) -> None:
    scene.store(8)
    read = [scene.target.scan(5), scene.target.scan(100)]
    counted = [each if isinstance(each, int) else len(each) for each in read]
    require_same([5, 8], counted, "records of scans of at most 5 and 100")


def _edges(scene: Scene) -> None:
    scene.store(4)
    for source in range(3):
        scene.target.link(Edge(source=source, target=source + 1))
    require_same([1, 2], list(scene.target.traverse(0, 2)), "two steps from 0")
    scene.target.delete(1)
    require_same([], list(scene.target.traverse(0, 2)), "two steps when the first is deleted")


def _reopen(scene: Scene) -> None:
    scene.store(6)
    scene.target.update(scene.record(1, version=1))
    scene.target.delete(2)
    scene.target.reopen()
    expected = [scene.content.text(key, int(key == 1)) for key in range(6)]
    kept = [None if key == 2 else text for key, text in enumerate(expected)]
    require_same(kept, [scene.text_of(key) for key in range(6)], "texts after the reopen")
    require_same(5, scene.target.count(), "records")


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
    name: str, ask: Callable[[Scene], None], *needs: str, remembers: bool = True, all_: bool = False
) -> Claim:
    return Claim(name=name, ask=ask, needs=frozenset(needs), remembers=remembers, answers_all=all_)


CLAIMS = (
    _claim("capabilities are those of the module", _capabilities, remembers=False),
    _claim("a record comes back as it was stored", _comes_back, "get"),
    _claim("a batch is stored whole", _batch, "store_batch", "get"),
    _claim("what was never stored is none", _never_stored, "get", remembers=False),
    _claim("an update replaces the text", _update_text, "get", "update"),
    _claim("an update replaces the vector", _update_vector, "search", "update"),
    _claim("a deleted record is gone from get", _deleted_from_get, "get", "delete"),
    _claim(
        "a deleted record is gone from search", _deleted_from_search, "search", "delete", all_=True
    ),
    _claim("a search answers the nearest, best first", _nearest, "search"),
    _claim("an agent's search sees its own records only", _own_only, "search", all_=True),
    _claim("a search for more than there is has all", _more_than_there_is, "search", all_=True),
    _claim("a search of nothing is empty", _search_of_nothing, "search", remembers=False),
    _claim("a scan counts at most what was asked for", _scan, "scan"),
    _claim("an edge goes with its end", _edges, "link", "traverse", "delete"),
    _claim("what was acknowledged outlasts a reopen", _reopen, "reopen", "get", "update", "delete"),
    _claim("what is not there can be deleted", _delete_nothing, "delete", "get", remembers=False),
    _claim("a vector of the wrong size is refused", _wrong_size, "search"),
    _claim("figures are finite, with units", _figures, remembers=False),
    _claim("events are numbered and told once", _events, "maintain", remembers=False),
    _claim("directories and processes are there", _places, remembers=False),
    _claim("an empty target has no records", _empty, remembers=False),
)
