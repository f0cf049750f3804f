"""What must the engine answer? A dictionary that is told everything the engine was told."""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from engine import Engine, Memory, NotFoundError
from tests.engine.scene import DIMENSIONS

TAGS = ("red", "green", "blue")


@dataclass(slots=True)
class Model:
    """Plain twins of the engine's state, and the random steps that both take."""

    rng: np.random.Generator
    ids: int = 200
    records: dict[int, Memory] = field(default_factory=dict)
    edges: dict[tuple[int, int, str], float] = field(default_factory=dict)

    def memory(self) -> Memory:
        rng = self.rng
        return Memory(
            id=int(rng.integers(self.ids)),
            agent=int(rng.integers(4)),
            text="x" * int(rng.integers(120)),
            vector=rng.standard_normal(DIMENSIONS).astype(np.float32),
            importance=float(np.float32(rng.random())),
            pinned=bool(rng.random() < 0.1),
            tags=tuple(tag for tag in TAGS if rng.random() < 0.2),
            created_s=float(rng.integers(1, 1_000_000)),
        )

    def step(self, store: Engine) -> None:
        """One random operation on both, answers compared."""
        name = _STEPS[int(np.searchsorted(_CHANCES, self.rng.random()))]
        getattr(self, f"_{name}")(store)

    def _store(self, store: Engine) -> None:
        memory = self.memory()
        store.store(memory)
        self.records[memory.id] = memory

    def _batch(self, store: Engine) -> None:
        memories = [self.memory() for _ in range(int(self.rng.integers(1, 8)))]
        store.store_batch(memories)
        self.records |= {memory.id: memory for memory in memories}

    def _delete(self, store: Engine) -> None:
        record_id = int(self.rng.integers(self.ids))
        assert (record_id in self.records) == store.delete(record_id)
        self.records.pop(record_id, None)
        self.edges = {k: w for k, w in self.edges.items() if record_id not in k[:2]}

    def _update(self, store: Engine) -> None:
        record_id = int(self.rng.integers(self.ids))
        text = f"new {self.rng.integers(1000)}"
        importance = float(np.float32(self.rng.random()))
        if record_id not in self.records:
            assert raises_not_found(store, record_id)
            return
        store.update(record_id, text=text, importance=importance)
        self.records[record_id] = replace(self.records[record_id], text=text, importance=importance)

    def _get(self, store: Engine) -> None:
        self.check_record(store, int(self.rng.integers(self.ids)))

    def _link(self, store: Engine) -> None:
        if len(self.records) < 2:
            return
        source, target = self.rng.choice(sorted(self.records), 2).tolist()
        weight = float(np.float32(self.rng.random()))
        kind = str(self.rng.choice(("knows", "likes")))
        store.link(source, target, kind, weight)
        self.edges[source, target, kind] = weight

    def _unlink(self, store: Engine) -> None:
        if not self.edges:
            return
        key = list(self.edges)[int(self.rng.integers(len(self.edges)))]
        assert store.unlink(*key)
        del self.edges[key]

    def _search(self, store: Engine) -> None:
        query = self.rng.standard_normal(DIMENSIONS).astype(np.float32)
        agent = int(self.rng.integers(4)) if self.rng.random() < 0.5 else None
        tag = str(self.rng.choice(TAGS)) if self.rng.random() < 0.3 else None
        expected = self.nearest(query, agent, tag)
        hits = store.search(query, 5, agent=agent, tag=tag)
        assert [round(score, 2) for score, _ in expected] == [round(h.score, 2) for h in hits] or (
            np.allclose([score for score, _ in expected], [h.score for h in hits], atol=4e-3)
        )
        assert all(self.records[hit.id].text == hit.text for hit in hits)

    def nearest(
        self, query: np.ndarray, agent: int | None, tag: str | None
    ) -> list[tuple[float, int]]:
        wanted = [
            memory
            for memory in self.records.values()
            if agent in (None, memory.agent) and (tag is None or tag in memory.tags)
        ]
        if not wanted:
            return []
        vectors = np.array([memory.vector for memory in wanted])
        scores = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
        ids = [memory.id for memory in wanted]
        return sorted(zip(scores.tolist(), ids, strict=True), reverse=True)[:5]

    def _neighbours(self, store: Engine) -> None:
        self.check_edges(store, int(self.rng.integers(self.ids)))

    def _traverse(self, store: Engine) -> None:
        start = int(self.rng.integers(self.ids))
        assert self.reached(start, 3) == set(store.traverse(start, 3))

    def reached(self, start: int, depth: int) -> set[int]:
        seen = {start: 0}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for source, target, _ in self.edges:
                if source == node and target not in seen and seen[node] < depth:
                    seen[target] = seen[node] + 1
                    queue.append(target)
        return set(seen) - {start}

    def _maintain(self, store: Engine) -> None:
        store.maintain()

    def check_record(self, store: Engine, record_id: int) -> None:
        expected, found = self.records.get(record_id), store.get(record_id)
        if expected is None or found is None:
            assert expected is found
            return
        assert plain(expected) == plain(found)
        assert cosine(expected.vector, found.vector) > 0.9999

    def check_edges(self, store: Engine, record_id: int) -> None:
        expected = {(t, k): w for (s, t, k), w in self.edges.items() if s == record_id}
        found = {(edge.target, edge.kind): edge.weight for edge in store.neighbours(record_id)}
        assert expected == found

    def check_all(self, store: Engine) -> None:
        """Every id, every edge, the count and the scan, and what the ring says is wanted of it."""
        with store._live.lock:
            kept = store._live.columns.kept_length[: store._live.columns.n]
            assert kept.sum() == store._live.tiers.ring.live_bytes
            tiers = store._live.tiers
            bodies = [tiers.body(record_id) for record_id in tiers.oldest_short(10_000)]
            assert sum(map(len, bodies)) == tiers._room.live_bytes
        assert len(self.records) == store.count()
        assert sorted(self.records) == sorted(store.scan(10_000))
        for record_id in range(self.ids):
            self.check_record(store, record_id)
            self.check_edges(store, record_id)


_WEIGHTS = {
    "store": 24,
    "batch": 6,
    "delete": 12,
    "update": 10,
    "get": 16,
    "link": 8,
    "unlink": 4,
    "search": 8,
    "neighbours": 6,
    "traverse": 1,
    "maintain": 0.5,
}
_STEPS = list(_WEIGHTS)
_CHANCES = np.cumsum(list(_WEIGHTS.values())) / sum(_WEIGHTS.values())


def plain(memory: Memory) -> tuple[object, ...]:
    return (
        memory.id,
        memory.agent,
        memory.text,
        memory.importance,
        memory.pinned,
        memory.tags,
        memory.created_s,
    )


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def raises_not_found(store: Engine, record_id: int) -> bool:
    try:
        store.update(record_id, text="nobody")
    except NotFoundError:
        return True
    return False
