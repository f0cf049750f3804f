"""AgentiCraft's memories: its vector memory over Chroma, and its knowledge graph, in the worker.

docs/targets/agenticraft.md. Loaded from a checkout that the scenario names. Its store writes over
what is there; reading by id and deleting are calls of the Chroma below. The graph is kept in the
process alone, so there is no `reopen`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import RecordMissing, TargetError
from soak.seams import Edge, Hit, Query, Record, Target
from soak.targets._beside import beside, record_of
from soak.targets._checkout import importable
from soak.targets._driven import Driven
from soak.targets._embedder import HandedOver
from soak.targets._loop import Loop
from soak.targets._packages import package

NEEDS = ("chromadb", "httpx", "opentelemetry", "pydantic_settings")
CAPABILITIES = frozenset({"store", "get", "search", "update", "delete", "scan", "link", "traverse"})
REPOSITORY = "agenticraft/agenticraft"
KIND = "memory"


class Params(BaseModel):
    """checkout: a clone of agenticraft/agenticraft."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    checkout: str | None = None


class Embedder:
    """What Chroma asks of an embedding function; the names of the arguments are Chroma's."""

    def __init__(self, vectors: HandedOver) -> None:
        self._vectors = vectors

    def __call__(self, input: Sequence[str]) -> list[list[float]]:
        return self._vectors(input)

    def embed_query(self, input: Sequence[str]) -> list[list[float]]:
        return self._vectors(input)

    @staticmethod
    def name() -> str:
        return "soak"

    def is_legacy(self) -> bool:
        """True: it cannot be built again from what Chroma would write down."""
        return True

    def default_space(self) -> str:
        return "cosine"

    def supported_spaces(self) -> list[str]:
        return ["cosine"]


class Memories:
    """A document a record, and an entity for each record that an edge names."""

    def __init__(self, directory: Path, params: Params) -> None:
        self._dimensions = params.dimensions
        self._vectors = HandedOver()
        self._loop = Loop()
        self._documents = package("agenticraft", "agenticraft.memory.vector").ChromaDBMemory(
            "memories", str(directory), Embedder(self._vectors)
        )
        self._rows = self._documents.collection
        self._edges = Lock()  # an end that goes while it is linked would come back as an entity
        self._graph = package("agenticraft", "agenticraft.memory.graph").KnowledgeGraphMemory()

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            with self._vectors.knows([record]):
                self._loop.do(self._documents.store(record.text, beside(record), _name(record.key)))

    def get(self, key: int) -> Record | None:
        found = self._rows.get(ids=[_name(key)], include=["documents", "metadatas", "embeddings"])
        if not found["ids"]:
            return None
        return record_of(key, found["metadatas"][0], found["documents"][0], found["embeddings"][0])

    def search(self, query: Query) -> Sequence[Hit]:
        """AgentiCraft drops the distances: scores are computed from the embeddings it found."""
        if query.vector.shape != (self._dimensions,):
            raise TargetError(f"vector of shape {query.vector.shape}")
        chosen = None if query.agent is None else {"agent": query.agent}
        with self._vectors.asks(query) as text:
            found = self._loop.do(self._documents.search(text, query.k, chosen))
        agents = {entry.id: entry.metadata["agent"] for entry in found}
        rows = self._rows.get(ids=list(agents), include=["embeddings"]) if agents else {"ids": []}
        near = {name: rows["embeddings"][row] for row, name in enumerate(rows["ids"])}
        hits = [
            Hit(_key(name), float(np.dot(near[name], query.vector)), agent)
            for name, agent in agents.items()
            if name in near  # deleted between the two questions otherwise
        ]
        return sorted(hits, key=lambda hit: -hit.score)

    def replace(self, record: Record) -> None:
        self.put([record])

    def delete(self, key: int) -> None:
        with self._edges:
            self._rows.delete(ids=[_name(key)])
            entity = self._loop.do(self._graph.get_entity(_name(key)))
            if entity is not None:
                self._loop.do(self._graph.remove_entity(entity.id))

    def scan(self, limit: int) -> int:
        return len(self._loop.do(self._documents.get_recent(limit)))

    def link(self, edge: Edge) -> None:
        """The graph takes any name; that both records are there is asked of the documents."""
        ends = [_name(edge.source), _name(edge.target)]
        with self._edges:
            missing = set(ends) - set(self._rows.get(ids=list(set(ends)), include=[])["ids"])
            if missing:
                raise RecordMissing(f"no document {', '.join(sorted(missing))}")
            source, target = (self._entity(name) for name in ends)
            self._loop.do(self._graph.add_relationship(source.id, target.id, edge.kind))

    def traverse(self, start: int, depth: int) -> Sequence[int]:
        """Breadth first, by the graph's own call for one step."""
        first = self._loop.do(self._graph.get_entity(_name(start)))
        seen = {} if first is None else {first.id: first}
        border = list(seen.values())
        for _ in range(depth):
            reached = [
                entity
                for one in border
                for entity in self._loop.do(self._graph.get_related_entities(one.id))
            ]
            border = [entity for entity in reached if entity.id not in seen]
            seen |= {entity.id: entity for entity in border}
        return [_key(entity.name) for entity in seen.values() if entity.name != _name(start)]

    def maintain(self) -> None:
        raise TargetError("agenticraft has no call that maintains a memory")

    def stats(self) -> Mapping[str, float]:
        """The graph's names, which stay when their entity goes, beside its entities."""
        return {
            "entities_count": float(len(self._graph.entities)),
            "entity_names_count": float(len(self._graph.entity_name_index)),
        }

    def count(self) -> int:
        return int(self._rows.count())

    def close(self) -> None:
        self._loop.close()
        self._documents.client.close()

    def _entity(self, name: str) -> Any:
        """The record's entity, made where no edge has named it yet."""
        return self._loop.do(self._graph.add_entity(name, KIND))


def _name(key: int) -> str:
    return f"m{key}"


def _key(name: str) -> int:
    return int(name[1:])


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the memories in data_dir/agenticraft. Raises TargetUnavailable without a checkout."""
    assert isinstance(params, Params)
    errors = package("agenticraft", "chromadb.errors")
    importable("agenticraft", REPOSITORY, params.checkout, ".")
    directory = data_dir / "agenticraft"
    return Driven(
        lambda: Memories(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(errors.ChromaError, errors.InternalError, ValueError, OSError),
    )
