"""Neuroca's MemoryManager with its in-memory tiers, in the worker: memories added and read back.

docs/targets/neuroca.md. Loaded from a checkout that the scenario names. The manager can neither
delete nor update, and a search with an embedding finds nothing: of the operations, `store` and
`get` are left. Consolidation and decay run in its own tasks, every five and ten minutes.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from soak.clock import Clock
from soak.result import TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._checkout import importable
from soak.targets._driven import Driven
from soak.targets._loop import Loop
from soak.targets._packages import package

NEEDS = ("aiosqlite", "asyncpg", "dotenv", "psycopg2", "pydantic_settings", "sqlalchemy")
CAPABILITIES = frozenset({"store", "get"})
REPOSITORY = "Modern-Prometheus-AI/Neuroca"
TIERS = ("stm", "mtm", "ltm")


class Params(BaseModel):
    """checkout: a clone of Modern-Prometheus-AI/Neuroca."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    checkout: str | None = None


class Memories:
    """Memories start in the short-term tier. Neuroca gives ids of its own; they are kept here."""

    def __init__(self) -> None:
        backends = package("neuroca", "neuroca.memory.backends").BackendType.MEMORY
        core = package("neuroca", "neuroca.memory.manager.core")
        # It logs to the terminal at every call.
        package("neuroca", "logging").getLogger("neuroca").setLevel("CRITICAL")
        self._ids: dict[int, str] = {}
        self._loop = Loop()
        self._memory = core.MemoryManager(
            mtm_storage_type=backends, ltm_storage_type=backends, vector_storage_type=backends
        )
        self._loop.do(self._memory.initialize())

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            self._ids[record.key] = self._loop.do(
                self._memory.add_memory(
                    record.text,
                    importance=record.importance,
                    metadata={"source": str(record.agent)},
                    embedding=record.vector.tolist(),
                )
            )

    def get(self, key: int) -> Record | None:
        name = self._ids.get(key)
        found = self._loop.do(self._memory.retrieve_memory(name)) if name else None
        if found is None:
            return None
        return Record(
            key=key,
            agent=int(found.metadata.source),
            text=found.content.text,
            vector=np.array(found.embedding, dtype=np.float32),
            importance=found.metadata.importance,
        )

    def search(self, query: Query) -> Sequence[Hit]:
        raise TargetError("neuroca's search with an embedding finds nothing")

    def replace(self, record: Record) -> None:
        raise TargetError("neuroca's manager has no call that updates a memory")

    def delete(self, key: int) -> None:
        raise TargetError("neuroca's manager has no call that deletes a memory")

    def scan(self, limit: int) -> int:
        raise TargetError("neuroca's manager has no call that lists memories")

    def maintain(self) -> None:
        raise TargetError("neuroca maintains itself in tasks of its own")

    def stats(self) -> Mapping[str, float]:
        return {f"tier_{tier}_count": float(self._held(tier)) for tier in TIERS}

    def count(self) -> int:
        """Of all tiers: a memory moves from one to the next."""
        return sum(self._held(tier) for tier in TIERS)

    def close(self) -> None:
        self._loop.do(self._memory.shutdown())
        self._loop.close()

    def _held(self, tier: str) -> int:
        """From the storage's own store: the storage's count() calls a method that is not there."""
        return int(getattr(self._memory, f"{tier}_storage").storage.count_items())


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Makes an empty manager. Raises TargetUnavailable without a checkout."""
    assert isinstance(params, Params)
    os.environ["NCA_LOGGING_FILE_ENABLED"] = "false"  # it would lie where the tester was started
    importable("neuroca", REPOSITORY, params.checkout, "src")
    errors = package("neuroca", "neuroca.memory.exceptions").MemoryException
    return Driven(
        Memories, capabilities=CAPABILITIES, directories=[], clock=clock, errors=(errors,)
    )
