"""mem0 as a library in the worker, over Qdrant's local mode, without a model: infer is off.

docs/targets/mem0.md. mem0 gives each memory an id of its own; they are kept here, by key.
Its telemetry is switched off. It has nothing that compacts, and its history is never pruned.
"""

import os
import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._driven import Driven
from soak.targets._embedder import HandedOver
from soak.targets._names import Names
from soak.targets._packages import package

NEEDS = ("mem0", "qdrant_client")
CAPABILITIES = frozenset({"store", "get", "search", "update", "delete", "scan"})
# A threshold below 0 is refused, so these never come back, whatever k is.
LEAVES_OUT = "records of negative similarity"
EVERYBODY = "soak"
COLLECTION = "memories"


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)


class Memories:
    """One call at a time: Qdrant's local mode was not made for threads."""

    def __init__(self, directory: Path, params: Params) -> None:
        os.environ["MEM0_TELEMETRY"] = "False"
        os.environ["MEM0_DIR"] = str(directory)
        self._dimensions = params.dimensions
        self._turn = Lock()
        self._names = Names()
        place = {
            "collection_name": COLLECTION,
            "embedding_model_dims": params.dimensions,
            "path": str(directory / "qdrant"),
            "on_disk": True,
        }
        unused = {"provider": "openai", "config": {"api_key": "none"}}
        self._memory = package("mem0", "mem0").Memory.from_config(
            {
                "vector_store": {"provider": "qdrant", "config": place},
                "llm": unused,
                "embedder": unused,
                "history_db_path": str(directory / "history.db"),
            }
        )
        self._embedder = HandedOver()
        self._memory.embedding_model = self
        self._history = sqlite3.connect(
            f"file:{directory / 'history.db'}?mode=ro", uri=True, check_same_thread=False
        )

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """What mem0 asks of an embedding model."""
        return self._embedder.embed(text)

    def embed_batch(self, texts: Sequence[str], memory_action: str | None = None) -> Any:
        """The same for several."""
        return self._embedder(texts)

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            with self._turn, self._embedder.knows([record]):
                answer = self._memory.add(
                    [{"role": "user", "content": record.text}],
                    user_id=str(record.agent),
                    agent_id=EVERYBODY,
                    metadata={"key": record.key, "importance": record.importance},
                    infer=False,
                )
                if not answer["results"]:
                    raise TargetError("mem0 added nothing, without a word")
                self._names.live[record.key] = answer["results"][0]["id"]

    def get(self, key: int) -> Record | None:
        with self._turn:
            name = self._names.known(key)
            found = self._memory.get(name) if name else None
        if found is None:
            return None
        return Record(
            key=key,
            agent=int(found["user_id"]),
            text=found["memory"],
            vector=np.empty(0, dtype=np.float32),
            importance=found["metadata"]["importance"],
        )

    def search(self, query: Query) -> Sequence[Hit]:
        if query.vector.shape != (self._dimensions,):
            raise TargetError(f"vector of shape {query.vector.shape}")
        chosen = {"agent_id": EVERYBODY}
        if query.agent is not None:
            chosen["user_id"] = str(query.agent)
        with self._turn, self._embedder.asks(query) as text:
            answer = self._memory.search(text, filters=chosen, top_k=query.k, threshold=0.0)
        return [
            Hit(int(one["metadata"]["key"]), one["score"], int(one["user_id"]))
            for one in answer["results"]
        ]

    def replace(self, record: Record) -> None:
        with self._turn, self._embedder.knows([record]):
            self._memory.update(self._names.of_live(record.key), record.text)

    def delete(self, key: int) -> None:
        with self._turn:
            self._memory.delete(self._names.of_live(key))
            self._names.forget(key)

    def scan(self, limit: int) -> int:
        with self._turn:
            answer = self._memory.get_all(filters={"agent_id": EVERYBODY}, top_k=limit)
        return len(answer["results"])

    def maintain(self) -> None:
        raise TargetError("mem0 has no call that compacts it")

    def stats(self) -> Mapping[str, float]:
        """Rows of the history: one for each add, update and delete, for ever."""
        (rows,) = self._history.execute("select count(*) from history").fetchone()
        return {"history_rows_count": float(rows)}

    def count(self) -> int:
        with self._turn:
            return int(self._memory.vector_store.client.count(COLLECTION).count)

    def close(self) -> None:
        self._history.close()
        with self._turn:
            self._memory.vector_store.client.close()


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens a memory in data_dir/mem0. Raises TargetUnavailable without the packages."""
    assert isinstance(params, Params)
    directory = data_dir / "mem0"
    directory.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore", message="Local mode is not recommended")
    return Driven(
        lambda: Memories(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(ValueError, KeyError, OSError, sqlite3.Error),
    )
