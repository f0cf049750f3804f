"""Qdrant Edge: the segments of Qdrant's own engine, embedded in the worker as one shard.

docs/targets/qdrant_edge.md. Nothing runs in its background: an index is built, and what deleted
points left is dropped, by `maintain` alone, which is its optimize() and then a flush.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.scenario.quantities import Size
from soak.seams import Hit, Query, Record, Scanned, Target
from soak.targets._beside import beside_with_text, record_of
from soak.targets._driven import Driven
from soak.targets._packages import package

NEEDS = ("qdrant_edge",)
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "maintain", "reopen"}
)
KIB = 1024


class Params(BaseModel):
    """index_from: vectors of a segment from which on optimize() builds HNSW; null: Edge's own."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    index_from: Size | None = Field(None, ge=KIB)


class Shard:
    """One shard, called by several threads at once: it is made for them."""

    def __init__(self, directory: Path, params: Params) -> None:
        self._edge = edge = package("qdrant_edge", "qdrant_edge")
        vectors = edge.EdgeVectorParams(size=params.dimensions, distance=edge.Distance.Cosine)
        threshold = None if params.index_from is None else params.index_from // KIB
        optimizers = edge.EdgeOptimizersConfig(indexing_threshold=threshold)
        config = edge.EdgeConfig(vectors=vectors, optimizers=optimizers)
        is_there = (directory / "segments").is_dir()
        self._shard = (
            edge.EdgeShard.load(str(directory), config)
            if is_there
            else edge.EdgeShard.create(str(directory), config)
        )

    def put(self, records: Sequence[Record]) -> None:
        points = [
            self._edge.Point(
                id=one.key,
                vector=one.vector.tolist(),
                payload=beside_with_text(one),
            )
            for one in records
        ]
        self._shard.update(self._edge.UpdateOperation.upsert_points(points))

    def get(self, key: int) -> Record | None:
        found = self._shard.retrieve([key], with_payload=True, with_vector=True)
        if not found:
            return None
        kept = found[0].payload
        return record_of(key, kept, kept["text"], found[0].vector)

    def search(self, query: Query) -> Sequence[Hit]:
        edge, chosen = self._edge, None
        if query.agent is not None:
            same = edge.FieldCondition(key="agent", match=edge.MatchValue(query.agent))
            chosen = edge.Filter(must=[same])
        near = edge.Query.Nearest(query.vector.tolist())
        found = self._shard.search(edge.SearchRequest(near, query.k, filter=chosen))
        return [Hit(int(point.id), point.score) for point in found]

    def replace(self, record: Record) -> None:
        self.put([record])

    def delete(self, key: int) -> None:
        self._shard.update(self._edge.UpdateOperation.delete_points([key]))

    def scan(self, limit: int) -> Scanned:
        points, _ = self._shard.scroll(self._edge.ScrollRequest(limit=limit, with_payload=True))
        return [(int(point.id), point.payload["text"]) for point in points]

    def maintain(self) -> None:
        self._shard.optimize()
        self._shard.flush()

    def stats(self) -> Mapping[str, float]:
        """Segments, and how many vectors stand in an HNSW index; the rest is searched one by one.

        The bindings tell no bytes.
        """
        told = self._shard.info()
        return {
            "segments_count": float(told.segments_count),
            "indexed_vectors_count": float(told.indexed_vectors_count),
        }

    def count(self) -> int:
        return int(self._shard.count(self._edge.CountRequest(exact=True)))

    def close(self) -> None:
        self._shard.close()


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens a shard in data_dir/qdrant_edge. Raises TargetUnavailable without the package."""
    assert isinstance(params, Params)
    directory = data_dir / "qdrant_edge"
    directory.mkdir(parents=True, exist_ok=True)
    return Driven(
        lambda: Shard(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(Exception,),  # its bindings raise nothing narrower
    )
