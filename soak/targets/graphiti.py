"""Graphiti, the engine of Zep, over Kuzu embedded in the worker: entities, edges, vector search.

docs/targets/graphiti.md. Its episodes need a language model; entities and edges do not, and are
what an episode is made into. One event loop and one query at a time, as its Kuzu driver has it. An
agent is a label, because a walk never leaves its group. `maintain` is Kuzu's CHECKPOINT.
"""

import os
import warnings
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import TargetError
from soak.seams import Edge, Hit, Query, Record, Target
from soak.targets._driven import Driven
from soak.targets._loop import Loop
from soak.targets._packages import package

NEEDS = ("graphiti_core", "kuzu")
CAPABILITIES = frozenset(
    {"store", "get", "search", "update", "delete", "scan", "link", "traverse", "maintain"}
)
GROUP = "soak"
NODES_MAX = 1000


class Params(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)


class Entities:
    """A node a record; its embedding is the record's vector, its summary the text."""

    def __init__(self, directory: Path, params: Params, clock: Clock) -> None:
        self._dimensions = params.dimensions
        self._clock = clock
        self._turn = Lock()
        self._loop = Loop()
        driver = package("graphiti", "graphiti_core.driver.kuzu_driver")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The Kuzu backend is deprecated")
            self._driver = driver.KuzuDriver(db=str(directory / "graph.kuzu"))
        self._node = package("graphiti", "graphiti_core.nodes").EntityNode
        self._edge = package("graphiti", "graphiti_core.edges").EntityEdge
        self._find = package("graphiti", "graphiti_core.search.search_utils")
        self._filters = package("graphiti", "graphiti_core.search.search_filters").SearchFilters
        self._missing = package("graphiti", "graphiti_core.errors").NodeNotFoundError

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            node = self._node(
                uuid=_name(record.key),
                name=f"{record.importance:.6f}",
                group_id=GROUP,
                labels=[_label(record.agent)],
                created_at=self._now(),
                name_embedding=record.vector.tolist(),
                summary=record.text,
            )
            self._do(node.save(self._driver))

    def get(self, key: int) -> Record | None:
        try:
            node = self._do(self._node.get_by_uuid(self._driver, _name(key)))
        except self._missing:
            return None
        agents = [int(label[1:]) for label in node.labels if label[1:].isdecimal()]
        return Record(
            key=key,
            agent=agents[0] if agents else -1,
            text=node.summary,
            vector=np.empty(0, dtype=np.float32),
            importance=float(node.name),
        )

    def search(self, query: Query) -> Sequence[Hit]:
        """Graphiti ranks and tells no scores: they are computed from the embeddings it found."""
        if query.vector.shape != (self._dimensions,):
            raise TargetError(f"vector of shape {query.vector.shape}")
        labels = None if query.agent is None else [_label(query.agent)]
        chosen = self._filters(node_labels=labels)
        nodes = self._do(
            self._find.node_similarity_search(
                self._driver, query.vector.tolist(), chosen, [GROUP], query.k, -1.0
            )
        )
        names = [node.uuid for node in nodes]
        rows = self._query(
            "MATCH (n:Entity) WHERE n.uuid IN $names"
            " RETURN n.uuid AS name, n.name_embedding AS near",
            names=names,
        )
        near = {row["name"]: np.array(row["near"], dtype=np.float32) for row in rows}
        return [Hit(_key(name), float(near[name] @ query.vector)) for name in names if name in near]

    def replace(self, record: Record) -> None:
        self.put([record])

    def delete(self, key: int) -> None:
        self._do(self._node.delete_by_uuids(self._driver, [_name(key)]))

    def scan(self, limit: int) -> int:
        return len(self._do(self._node.get_by_group_ids(self._driver, [GROUP], limit=limit)))

    def link(self, edge: Edge) -> None:
        made = self._edge(
            uuid=f"e{edge.source}-{edge.target}",
            group_id=GROUP,
            source_node_uuid=_name(edge.source),
            target_node_uuid=_name(edge.target),
            created_at=self._now(),
            name=edge.kind,
            fact="",
            fact_embedding=[0.0] * self._dimensions,
        )
        self._do(made.save(self._driver))

    def traverse(self, start: int, depth: int) -> Sequence[int]:
        nodes = self._do(
            self._find.node_bfs_search(
                self._driver, [_name(start)], self._filters(), depth, [GROUP], NODES_MAX
            )
        )
        return list(dict.fromkeys(key for node in nodes if (key := _key(node.uuid)) != start))

    def maintain(self) -> None:
        self._query("CHECKPOINT")

    def stats(self) -> Mapping[str, float]:
        return {}

    def count(self) -> int:
        return int(self._query("MATCH (n:Entity) RETURN count(n) AS count")[0]["count"])

    def close(self) -> None:
        with self._turn:
            self._driver.client.close()
            self._driver.db.close()
            self._loop.close()

    def _query(self, text: str, **values: object) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._do(self._driver.execute_query(text, **values))[0]
        return rows

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        with self._turn:
            return self._loop.do(work)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall_s(), UTC)


def _name(key: int) -> str:
    return f"m{key}"


def _key(name: str) -> int:
    return int(name[1:])


def _label(agent: int) -> str:
    return f"A{agent}"


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens a graph in data_dir/graphiti. Raises TargetUnavailable without the packages."""
    assert isinstance(params, Params)
    os.environ["GRAPHITI_TELEMETRY_ENABLED"] = "false"
    directory = data_dir / "graphiti"
    directory.mkdir(parents=True, exist_ok=True)
    errors = package("graphiti", "graphiti_core.errors")
    return Driven(
        lambda: Entities(directory, params, clock),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(errors.GraphitiError, RuntimeError, ValueError),
    )
