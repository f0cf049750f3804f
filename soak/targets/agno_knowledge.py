"""Agno's Knowledge over its LanceDb, in the worker: documents with owners, found by vector.

docs/targets/agno_knowledge.md. It has no call that reads a document back by its id, so there is no
`get`; and the optimize() of its LanceDb does nothing, so there is no `maintain`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import RecordMissing, TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._driven import Driven
from soak.targets._embedder import HandedOver
from soak.targets._packages import package

NEEDS = ("agno", "lancedb")
CAPABILITIES = frozenset({"store", "store_batch", "search", "update", "delete", "reopen"})


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)


class Embedder:
    """What Agno asks of an embedding model."""

    enable_batch = False

    def __init__(self, vectors: HandedOver, dimensions: int) -> None:
        self.dimensions = dimensions
        self._vectors = vectors

    def get_embedding(self, text: str) -> list[float]:
        return self._vectors.embed(text)

    def get_embedding_and_usage(self, text: str) -> tuple[list[float], None]:
        return self._vectors.embed(text), None


class Documents:
    """A document a record; its owner is the agent. Writers take turns, as LanceDB wants."""

    def __init__(self, directory: Path, params: Params) -> None:
        # It tells on the terminal what every search found.
        package("agno_knowledge", "agno.utils.log").logger.setLevel("ERROR")
        self._document = package("agno_knowledge", "agno.knowledge.document").Document
        self._dimensions = params.dimensions
        self._writing = Lock()
        self._vectors = HandedOver()
        self._lance = package("agno_knowledge", "agno.vectordb.lancedb").LanceDb(
            uri=str(directory),
            table_name="memories",
            embedder=Embedder(self._vectors, params.dimensions),
            search_type=package("agno_knowledge", "agno.vectordb.search").SearchType.vector,
        )
        self._knowledge = package("agno_knowledge", "agno.knowledge.knowledge").Knowledge(
            vector_db=self._lance
        )

    def put(self, records: Sequence[Record]) -> None:
        owners = dict.fromkeys(record.agent for record in records)
        for agent in owners:
            own = [record for record in records if record.agent == agent]
            name = f"{own[0].key}" if len(own) == 1 else f"{own[0].key} to {own[-1].key}"
            with self._writing, self._vectors.knows(own):
                self._lance.insert(name, [self._of(one) for one in own], user_id=str(agent))

    def get(self, key: int) -> Record | None:
        raise TargetError("agno's Knowledge has no call that reads a document back")

    def search(self, query: Query) -> Sequence[Hit]:
        """Agno ranks and tells no scores: they are computed from the embeddings it hands over."""
        if query.vector.shape != (self._dimensions,):
            raise TargetError(f"vector of shape {query.vector.shape}")
        owner = None if query.agent is None else str(query.agent)
        with self._vectors.asks(query) as text:
            found = self._knowledge.search(text, max_results=query.k, user_id=owner)
        near = [np.array(one.embedding, dtype=np.float32) for one in found]
        return [
            Hit(int(one.content_id), float(vector @ query.vector), one.meta_data["agent"])
            for one, vector in zip(found, near, strict=True)
        ]

    def replace(self, record: Record) -> None:
        """The old document goes first: a batch shares one content hash, so upsert would not do."""
        self.delete(record.key)
        self.put([record])

    def delete(self, key: int) -> None:
        with self._writing:
            if not self._lance.delete_by_content_id(str(key)):
                raise RecordMissing(f"no document {key}, or it could not be deleted")

    def scan(self, limit: int) -> int:
        raise TargetError("agno's Knowledge has no call that lists documents")

    def maintain(self) -> None:
        raise TargetError("the optimize() of agno's LanceDb does nothing")

    def stats(self) -> Mapping[str, float]:
        """What Lance piles up below Agno, which nothing in Agno brings down."""
        table = self._lance.table
        fragments = table.stats()["fragment_stats"]["num_fragments"]
        return {"fragments_count": float(fragments), "version_count": float(table.version)}

    def count(self) -> int:
        return int(self._lance.get_count())

    def close(self) -> None:
        """There is nothing to close: dropping the table's object drops its files."""
        del self._knowledge, self._lance

    def _of(self, record: Record) -> Any:
        return self._document(
            content=record.text,
            id=str(record.key),
            content_id=str(record.key),
            meta_data={"agent": record.agent, "importance": record.importance},
        )


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the table in data_dir/agno_knowledge. Raises TargetUnavailable without the packages."""
    assert isinstance(params, Params)
    directory = data_dir / "agno_knowledge"
    directory.mkdir(parents=True, exist_ok=True)
    return Driven(
        lambda: Documents(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(RuntimeError, ValueError, OSError),
    )
