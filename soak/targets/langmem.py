"""LangMem's memory: the stores of LangGraph that its tools write to, in SQLite or in the process.

docs/targets/langmem.md. Called as its tools call it (put, search, delete of a BaseStore), with keys
of ours, because the tools give each memory an id of their own. It has nothing that compacts; what
InMemoryStore holds is gone when it is closed, so with it there is no `reopen`.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._beside import beside_with_text, record_of
from soak.targets._driven import Driven
from soak.targets._embedder import HandedOver
from soak.targets._packages import package

NEEDS = ("langgraph", "langmem", "pysqlite3")
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "reopen"}
)
PLACE = ("memories",)


class Params(BaseModel):
    """kept_in: memory is LangGraph's InMemoryStore, sqlite its SqliteStore."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    kept_in: Literal["sqlite", "memory"] = "sqlite"


def capabilities_of(params: Params) -> frozenset[str]:
    """What is in the process alone cannot be opened again."""
    return CAPABILITIES - ({"reopen"} if params.kept_in == "memory" else set())


class Items:
    """One namespace. The embedder checks nothing: the store does not know how wide vectors are."""

    def __init__(self, directory: Path, params: Params) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._dimensions = params.dimensions
        self._embedder = HandedOver()
        self._put = package("langmem", "langgraph.store.base").PutOp
        self._db: Any = None
        index = {"dims": params.dimensions, "embed": self._embedder}
        if params.kept_in == "memory":
            store = package("langmem", "langgraph.store.memory").InMemoryStore
            self._store = store(index=index | {"fields": ["text"]})
            return
        # pysqlite3, because the store loads an extension, which many a Python's own cannot.
        self._db = package("langmem", "pysqlite3").connect(
            str(directory / "store.db"), check_same_thread=False, isolation_level=None
        )
        # With `fields`, as the other store has it, this one would embed the item's whole JSON.
        store = package("langmem", "langgraph.store.sqlite").SqliteStore
        self._store = store(self._db, index=index | {"text_fields": ["text"]})
        self._store.setup()

    def put(self, records: Sequence[Record]) -> None:
        with self._embedder.knows(records):
            self._store.batch(
                [self._put(PLACE, str(one.key), beside_with_text(one)) for one in records]
            )

    def get(self, key: int) -> Record | None:
        item = self._store.get(PLACE, str(key))
        if item is None:
            return None
        return record_of(key, item.value, item.value["text"])

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
        rows = self._rows("store_vectors") if self._db else len(self._store._vectors[PLACE])
        return {"vector_rows_count": float(rows)}

    def count(self) -> int:
        return self._rows("store") if self._db else len(self._store._data[PLACE])

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def _rows(self, table: str) -> int:
        with self._store.lock:
            (rows,) = self._db.execute(f"select count(*) from {table}").fetchone()
        return int(rows)


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the store, in data_dir/langmem. Raises TargetUnavailable without the packages."""
    assert isinstance(params, Params)
    directory = data_dir / "langmem"
    # RuntimeError: InMemoryStore searches a dictionary that another thread may write to meanwhile.
    errors = (package("langmem", "pysqlite3").Error, sqlite3.Error, ValueError, RuntimeError)
    return Driven(
        lambda: Items(directory, params),
        capabilities=capabilities_of(params),
        directories=[directory] if params.kept_in == "sqlite" else [],
        clock=clock,
        errors=errors,
    )
