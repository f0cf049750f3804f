"""LangMem's memory: the SQLite store of LangGraph that its tools write to, in the worker.

docs/targets/langmem.md. Called as its tools call it (put, search, delete of a BaseStore), with keys
of ours, because the tools give each memory an id of their own. It has nothing that compacts.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._driven import Driven
from soak.targets._embedder import HandedOver
from soak.targets._packages import package

NEEDS = ("langgraph", "langmem", "pysqlite3")
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "reopen"}
)
PLACE = ("memories",)


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)


class Items:
    """One namespace. The embedder checks nothing: the store does not know how wide vectors are."""

    def __init__(self, directory: Path, params: Params) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._dimensions = params.dimensions
        self._embedder = HandedOver()
        # pysqlite3, because the store loads an extension, which many a Python's own cannot.
        self._db = package("langmem", "pysqlite3").connect(
            str(directory / "store.db"), check_same_thread=False, isolation_level=None
        )
        self._put = package("langmem", "langgraph.store.base").PutOp
        index = {"dims": params.dimensions, "embed": self._embedder, "text_fields": ["text"]}
        self._store = package("langmem", "langgraph.store.sqlite").SqliteStore(
            self._db, index=index
        )
        self._store.setup()

    def put(self, records: Sequence[Record]) -> None:
        with self._embedder.knows(records):
            self._store.batch([self._put(PLACE, str(one.key), _value(one)) for one in records])

    def get(self, key: int) -> Record | None:
        item = self._store.get(PLACE, str(key))
        if item is None:
            return None
        value = item.value
        return Record(
            key=key,
            agent=value["agent"],
            text=value["text"],
            vector=np.empty(0, dtype=np.float32),
            importance=value["importance"],
        )

    def search(self, query: Query) -> Sequence[Hit]:
        if query.vector.shape != (self._dimensions,):
            raise TargetError(f"vector of shape {query.vector.shape}")
        chosen = None if query.agent is None else {"agent": query.agent}
        with self._embedder.asks(query) as text:
            found = self._store.search(PLACE, query=text, filter=chosen, limit=query.k)
        return [Hit(int(one.key), float(one.score), one.value["agent"]) for one in found]

    def replace(self, record: Record) -> None:
        self.put([record])

    def delete(self, key: int) -> None:
        self._store.delete(PLACE, str(key))

    def scan(self, limit: int) -> int:
        return len(self._store.search(PLACE, limit=limit))

    def maintain(self) -> None:
        raise TargetError("langgraph's store has no call that compacts it")

    def stats(self) -> Mapping[str, float]:
        """Rows of vectors beside those of items: a deleted item should take its vectors along."""
        return {"vector_rows_count": float(self._rows("store_vectors"))}

    def count(self) -> int:
        return self._rows("store")

    def close(self) -> None:
        self._db.close()

    def _rows(self, table: str) -> int:
        with self._store.lock:
            (rows,) = self._db.execute(f"select count(*) from {table}").fetchone()
        return int(rows)


def _value(record: Record) -> dict[str, Any]:
    return {"text": record.text, "agent": record.agent, "importance": record.importance}


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the store in data_dir/langmem. Raises TargetUnavailable without the packages."""
    assert isinstance(params, Params)
    directory = data_dir / "langmem"
    errors = (package("langmem", "pysqlite3").Error, sqlite3.Error, ValueError)
    return Driven(
        lambda: Items(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=errors,
    )
