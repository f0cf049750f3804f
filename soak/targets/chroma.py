"""Chroma embedded in the worker: a persistent client with its default HNSW index.

docs/targets/chroma.md. It has no call that compacts an open store, so there is no `maintain`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import TargetError
from soak.seams import Hit, Query, Record, Scanned, Target
from soak.targets._beside import beside, record_of
from soak.targets._driven import Driven
from soak.targets._packages import package

NEEDS = ("chromadb",)
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "reopen"}
)


class Params(BaseModel):
    """search_ef: how widely HNSW searches; 100 is Chroma's own default."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    search_ef: int = Field(100, ge=1, le=10_000)


class Collection:
    """One collection; every call is one transaction of Chroma's."""

    def __init__(self, directory: Path, params: Params) -> None:
        chromadb = package("chroma", "chromadb")
        settings = package("chroma", "chromadb.config").Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(str(directory), settings)
        self._records = self._client.get_or_create_collection(
            "memories",
            configuration={"hnsw": {"space": "cosine", "ef_search": params.search_ef}},
            embedding_function=None,
        )

    def put(self, records: Sequence[Record]) -> None:
        self._records.add(**columns(records))

    def get(self, key: int) -> Record | None:
        found = self._records.get(ids=[str(key)], include=["documents", "metadatas", "embeddings"])
        if not found["ids"]:
            return None
        return record_of(key, found["metadatas"][0], found["documents"][0], found["embeddings"][0])

    def search(self, query: Query) -> Sequence[Hit]:
        found = self._records.query(
            query_embeddings=[query.vector],
            n_results=query.k,
            where=None if query.agent is None else {"agent": query.agent},
            include=["distances"],
        )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [Hit(int(name), 1.0 - distance) for name, distance in pairs]

    def replace(self, record: Record) -> None:
        self._records.update(**columns([record]))

    def delete(self, key: int) -> None:
        self._records.delete(ids=[str(key)])

    def scan(self, limit: int) -> Scanned:
        read = self._records.get(limit=limit, include=["documents", "metadatas"])
        return list(zip(map(int, read["ids"]), read["documents"], strict=True))

    def maintain(self) -> None:
        raise TargetError("chroma has no call that maintains an open store")

    def stats(self) -> Mapping[str, float]:
        return {}

    def count(self) -> int:
        return int(self._records.count())

    def close(self) -> None:
        self._client.close()


def columns(records: Sequence[Record]) -> dict[str, Any]:
    """Records as the parallel lists that Chroma takes."""
    return {
        "ids": [str(record.key) for record in records],
        "embeddings": [record.vector for record in records],
        "documents": [record.text for record in records],
        "metadatas": [beside(record) for record in records],
    }


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the store in data_dir/chroma. Raises TargetUnavailable without the package."""
    assert isinstance(params, Params)
    errors = package("chroma", "chromadb.errors")
    directory = data_dir / "chroma"
    return Driven(
        lambda: Collection(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(errors.ChromaError, errors.InternalError, ValueError, OSError),
    )
