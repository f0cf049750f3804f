"""Agno's MemoryManager over its SqliteDb, in the worker: a user's memories, read in their order.

docs/targets/agno_memory.md. It has no search by similarity (its agentic one asks a model), so there
is no `search`; `scan` is its search_user_memories, which sorts all memories for the last of them.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from soak.clock import Clock
from soak.result import TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._driven import Driven
from soak.targets._packages import package

NEEDS = ("agno", "sqlalchemy")
CAPABILITIES = frozenset({"store", "get", "update", "delete", "scan", "reopen"})
USER = "soak"


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Memories:
    """All memories are one user's; the manager swallows the database's errors, and says nothing."""

    def __init__(self, directory: Path) -> None:
        package("agno_memory", "agno.utils.log").logger.setLevel("ERROR")
        self._memory = package("agno_memory", "agno.db.schemas.memory").UserMemory
        self._db = package("agno_memory", "agno.db.sqlite").SqliteDb(
            db_file=str(directory / "memories.db")
        )
        self._manager = package("agno_memory", "agno.memory").MemoryManager(db=self._db)

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            self._manager.add_user_memory(self._of(record), user_id=USER)

    def get(self, key: int) -> Record | None:
        """From the database: the manager's own get reads all memories of the user."""
        found = self._db.get_user_memory(str(key), user_id=USER)
        if found is None:
            return None
        return Record(
            key=key,
            agent=int(found.agent_id),
            text=found.memory,
            vector=np.empty(0, dtype=np.float32),
            importance=float(found.topics[0]),
        )

    def search(self, query: Query) -> Sequence[Hit]:
        raise TargetError("agno's memories cannot be searched by similarity")

    def replace(self, record: Record) -> None:
        self._manager.replace_user_memory(str(record.key), self._of(record), user_id=USER)

    def delete(self, key: int) -> None:
        self._manager.delete_user_memory(str(key), user_id=USER)

    def scan(self, limit: int) -> int:
        return len(self._manager.search_user_memories(limit=limit, user_id=USER))

    def maintain(self) -> None:
        raise TargetError("agno's optimize_memories asks a language model")

    def stats(self) -> Mapping[str, float]:
        return {}

    def count(self) -> int:
        _, total = self._db.get_user_memories(user_id=USER, limit=1, page=1, deserialize=False)
        return int(total)

    def close(self) -> None:
        self._db.close()

    def _of(self, record: Record) -> Any:
        return self._memory(
            memory=record.text,
            memory_id=str(record.key),
            agent_id=str(record.agent),
            topics=[f"{record.importance:.6f}"],
        )


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the file in data_dir/agno_memory. Raises TargetUnavailable without the packages."""
    assert isinstance(params, Params)
    os.environ["AGNO_TELEMETRY"] = "false"
    directory = data_dir / "agno_memory"
    directory.mkdir(parents=True, exist_ok=True)
    errors = package("agno_memory", "sqlalchemy.exc").SQLAlchemyError
    return Driven(
        lambda: Memories(directory),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(errors, ValueError),
    )
