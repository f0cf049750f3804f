"""cognee's vector memory: its adapter of LanceDB, in the worker; cognify would need a model.

docs/targets/cognee.md. Data points as cognify would store them, with vectors handed over in the
place of an embedding engine. `maintain` is its compact(), which cognee runs after each cognify.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, create_model

from soak.clock import Clock
from soak.result import TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._driven import Driven
from soak.targets._embedder import HandedOver
from soak.targets._loop import Loop
from soak.targets._packages import package

NEEDS = ("cognee", "lancedb")
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "maintain", "reopen"}
)
PLACE = "Memory_text"


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)


class Engine:
    """What the adapter asks of an embedding engine."""

    def __init__(self, vectors: HandedOver, dimensions: int) -> None:
        self._vectors = vectors
        self._dimensions = dimensions

    async def embed_text(self, texts: Sequence[str]) -> list[list[float]]:
        return self._vectors(texts)

    def get_vector_size(self) -> int:
        return self._dimensions


class Points:
    """A data point a record; its agent is a set that it belongs to."""

    def __init__(self, directory: Path, params: Params) -> None:
        point = package("cognee", "cognee.infrastructure.engine").DataPoint
        self._point: Any = create_model(
            "Memory",
            __base__=point,
            text=(str, ...),
            agent=(int, ...),
            metadata=(dict[str, list[str]], {"index_fields": ["text"]}),
        )
        self._dimensions = params.dimensions
        self._vectors = HandedOver()
        self._loop = Loop()
        lance = "cognee.infrastructure.databases.vector.lancedb.LanceDBAdapter"
        self._adapter = package("cognee", lance).LanceDBAdapter(
            str(directory), None, Engine(self._vectors, params.dimensions)
        )
        # First: where it is missing, create_data_points waits for a lock that it holds itself.
        self._loop.do(self._adapter.create_collection(PLACE, self._point))

    def put(self, records: Sequence[Record]) -> None:
        points = [
            self._point(
                id=UUID(int=one.key),
                text=one.text,
                agent=one.agent,
                importance_weight=one.importance,
                belongs_to_set=[_place(one.agent)],
            )
            for one in records
        ]
        # It strips a text before it has it embedded.
        embedded = [replace(one, text=one.text.strip()) for one in records]
        with self._vectors.knows(embedded):
            self._loop.do(self._adapter.create_data_points(PLACE, points))

    def get(self, key: int) -> Record | None:
        found = self._loop.do(self._adapter.retrieve(PLACE, [str(UUID(int=key))]))
        if not found:
            return None
        beside = found[0].payload
        return Record(
            key=key,
            agent=beside["agent"],
            text=beside["text"],
            vector=np.empty(0, dtype=np.float32),
            importance=beside["importance_weight"],
        )

    def search(self, query: Query) -> Sequence[Hit]:
        if query.vector.shape != (self._dimensions,):
            raise TargetError(f"vector of shape {query.vector.shape}")
        chosen = None if query.agent is None else [_place(query.agent)]
        found = self._loop.do(
            self._adapter.search(
                PLACE, query_vector=query.vector.tolist(), limit=query.k, node_name=chosen
            )
        )
        return [Hit(one.id.int, 1.0 - one.score) for one in found]

    def replace(self, record: Record) -> None:
        self.put([record])

    def delete(self, key: int) -> None:
        self._loop.do(self._adapter.delete_data_points(PLACE, [UUID(int=key)]))

    def scan(self, limit: int) -> int:
        raise TargetError("cognee's adapter has no call that lists data points")

    def maintain(self) -> None:
        """It fails without a word: what it could not do stands in the figures that it returns."""
        told = self._loop.do(self._adapter.compact(PLACE))
        failed = told.get("skipped") or told.get(PLACE, {}).get("error")
        if failed:
            raise TargetError(f"compact: {failed}")

    def stats(self) -> Mapping[str, float]:
        """Fragments and versions pile up from one compact to the next."""
        fragments, versions = self._loop.do(self._piled_up())
        return {"fragments_count": float(fragments), "version_count": float(versions)}

    def count(self) -> int:
        return int(self._loop.do(self._counted()))

    def close(self) -> None:
        self._loop.do(self._adapter.close())
        self._loop.close()

    async def _piled_up(self) -> tuple[int, int]:
        table = await self._adapter.get_collection(PLACE)
        stats = await table.stats()
        return stats["fragment_stats"]["num_fragments"], await table.version()

    async def _counted(self) -> Any:
        return await (await self._adapter.get_collection(PLACE)).count_rows()


def _place(agent: int) -> str:
    return f"agent {agent}"


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the tables in data_dir/cognee. Raises TargetUnavailable without the packages."""
    assert isinstance(params, Params)
    own = data_dir / "cognee-own"
    os.environ |= {
        "TELEMETRY_DISABLED": "1",
        "LOG_LEVEL": "ERROR",
        "COGNEE_LOGS_DIR": str(own),
        "SYSTEM_ROOT_DIRECTORY": str(own),
        "DATA_ROOT_DIRECTORY": str(own),
    }
    directory = data_dir / "cognee"
    for folder in (directory, own):
        folder.mkdir(parents=True, exist_ok=True)
    return Driven(
        lambda: Points(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(RuntimeError, ValueError, OSError),
    )
