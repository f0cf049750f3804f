"""The obvious home-made store: a faiss index in the worker beside SQLite, rebuilt at each start.

docs/targets/faiss.md. `index: flat` is exact and removes; `index: hnsw` is the usual shortcut for
more records: faiss cannot remove from it, so deleted rows stay in the graph and are left out of the
answers afterwards, as home-made stores do.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import RecordMissing, TargetError
from soak.seams import Hit, Query, Record, Scanned, Target
from soak.targets._driven import Driven
from soak.targets._packages import package

NEEDS = ("faiss",)
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "maintain", "reopen"}
)
SCHEMA = """
create table if not exists memories (
    id integer primary key, agent integer, importance real, text text, vector blob
);
create index if not exists by_agent on memories (agent);
"""
NEIGHBOURS = 32


class Params(BaseModel):
    """overfetch: with hnsw, how many times k are asked for before the deleted ones are left out."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    index: Literal["flat", "hnsw"] = "flat"
    overfetch: int = Field(4, ge=1, le=1000)
    synchronous: Literal["full", "normal"] = "full"


class Labelled:
    """A faiss index: vectors by label, and a label per version of a key.

    live: label to key and agent, of what is not deleted.
    """

    def __init__(self, params: Params) -> None:
        faiss: Any = package("faiss", "faiss")
        self._removes = params.index == "flat"
        kind = (
            faiss.IndexFlatIP(params.dimensions)
            if self._removes
            else faiss.IndexHNSWFlat(params.dimensions, NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
        )
        self.index = faiss.IndexIDMap(kind)
        self.live: dict[int, tuple[int, int]] = {}
        self._label: dict[int, int] = {}
        self._labels_given = 0

    def add(self, key: int, agent: int, vector: Any) -> None:
        self.forget(key)
        label = self._labels_given
        self._labels_given += 1
        self.index.add_with_ids(vector[None, :], np.array([label]))
        self._label[key] = label
        self.live[label] = (key, agent)

    def forget(self, key: int) -> None:
        label = self._label.pop(key, None)
        if label is None:
            return
        del self.live[label]
        if self._removes:
            self.index.remove_ids(np.array([label]))


class Rows:
    """SQLite has the records; the index their vectors. One call at a time."""

    def __init__(self, directory: Path, params: Params) -> None:
        self._params = params
        self._lock = Lock()
        directory.mkdir(parents=True, exist_ok=True)
        self._db = db = sqlite3.connect(
            directory / "memories.db", isolation_level=None, check_same_thread=False
        )
        db.execute("pragma journal_mode = wal")
        db.execute(f"pragma synchronous = {params.synchronous}")
        db.executescript(SCHEMA)
        self._vectors = self._filled()

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            self._check(record.vector.shape)
        with self._lock:
            with self._db:
                self._db.execute("begin")
                self._db.executemany(
                    "insert or replace into memories values (?, ?, ?, ?, ?)",
                    [
                        (one.key, one.agent, one.importance, one.text, one.vector.tobytes())
                        for one in records
                    ],
                )
            for record in records:
                self._vectors.add(record.key, record.agent, record.vector)

    def get(self, key: int) -> Record | None:
        with self._lock:
            row = self._db.execute(
                "select agent, importance, text, vector from memories where id = ?", [key]
            ).fetchone()
        if row is None:
            return None
        agent, importance, text, blob = row
        vector = np.frombuffer(blob, dtype=np.float32)
        return Record(key=key, agent=agent, text=text, vector=vector, importance=importance)

    def search(self, query: Query) -> Sequence[Hit]:
        self._check(query.vector.shape)
        faiss: Any = package("faiss", "faiss")
        with self._lock:
            live, chosen, k = self._vectors.live, None, query.k
            if self._params.index == "hnsw":
                k *= self._params.overfetch
            elif query.agent is not None:
                labels = [label for label in live if live[label][1] == query.agent]
                selector = faiss.IDSelectorBatch(np.array(labels, dtype=np.int64))
                chosen = faiss.SearchParameters(sel=selector)
            scores, found = self._vectors.index.search(query.vector[None, :], k, params=chosen)
            pairs = zip(found[0].tolist(), scores[0].tolist(), strict=True)
            hits = [Hit(live[l][0], s, live[l][1]) for l, s in pairs if l in live]
        return [hit for hit in hits if query.agent in (None, hit.agent)][: query.k]

    def replace(self, record: Record) -> None:
        if self.get(record.key) is None:
            raise RecordMissing(f"no row {record.key}")
        self.put([record])

    def delete(self, key: int) -> None:
        with self._lock:
            self._db.execute("delete from memories where id = ?", [key])
            self._vectors.forget(key)

    def scan(self, limit: int) -> Scanned:
        asked = "select id, text from memories limit ?"
        with self._lock:
            return self._db.execute(asked, [limit]).fetchall()

    def maintain(self) -> None:
        """Vacuum, and an index built anew, which takes the old one's place when it is whole."""
        with self._lock:
            self._db.execute("vacuum")
            self._db.execute("pragma wal_checkpoint(truncate)")
            self._vectors = self._filled()

    def stats(self) -> Mapping[str, float]:
        return {"index_rows_count": float(self._vectors.index.ntotal)}

    def count(self) -> int:
        return len(self._vectors.live)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _filled(self) -> "Labelled":
        index = Labelled(self._params)
        for key, agent, blob in self._db.execute("select id, agent, vector from memories"):
            index.add(key, agent, np.frombuffer(blob, dtype=np.float32))
        return index

    def _check(self, shape: tuple[int, ...]) -> None:
        """faiss asserts the width of a matrix; an assertion is no answer."""
        if shape != (self._params.dimensions,):
            raise TargetError(f"vector of shape {shape}, expected ({self._params.dimensions},)")


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the database in data_dir/faiss and builds the index from it."""
    assert isinstance(params, Params)
    package("faiss", "faiss")
    directory = data_dir / "faiss"
    return Driven(
        lambda: Rows(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(sqlite3.Error, RuntimeError),
    )
