"""Qdrant through its own client: its local mode in the worker, or a server by URL.

docs/targets/qdrant.md. Local mode is the client's brute-force search in numpy over a SQLite file,
not the engine of the server. A server tells its figures at /metrics; its process is watched where
`pid` names it.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from soak.clock import Clock
from soak.result import TargetError, TargetUnavailable
from soak.scenario.credentials import MaybeSecret, read, require_reference
from soak.seams import Hit, Query, Record, Scanned, Target
from soak.targets import _metrics as metrics
from soak.targets._beside import beside_with_text, record_of
from soak.targets._driven import Driven
from soak.targets._packages import package
from soak.targets._server import watched

NEEDS = ("qdrant_client",)
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "reopen"}
)
NAME = "soak_memories"
# What the server tells of itself; memory as its allocator counts it.
FIGURES = {
    "accounted_bytes": "memory_allocated_bytes",
    "server_resident_bytes": "memory_resident_bytes",
    "vectors_count": "collections_vector_total",
}


class Params(BaseModel):
    """url: of a running server, whose collection soak_memories is made anew; null: local mode."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    url: str | None = None
    api_key: MaybeSecret | None = Field(None, description="Of that server: {env: NAME}.")
    pid: int | None = Field(None, ge=1, description="The process of a server by URL, if here.")

    @model_validator(mode="after")
    def _names_its_key(self) -> Self:
        require_reference("api_key", self.api_key)
        return self


class Points:
    """One collection. Local mode takes one call at a time: it was not made for threads."""

    def __init__(self, directory: Path, params: Params) -> None:
        self._models = models = package("qdrant", "qdrant_client").models
        self._url = params.url
        self._key = _key(params)
        self._turn: Any = nullcontext() if params.url else Lock()
        self._client = _client(directory, params)
        if not self._client.collection_exists(NAME):
            size = models.VectorParams(size=params.dimensions, distance=models.Distance.COSINE)
            self._client.create_collection(NAME, vectors_config=size)

    def put(self, records: Sequence[Record]) -> None:
        points = [
            self._models.PointStruct(
                id=one.key,
                vector=one.vector.tolist(),
                payload=beside_with_text(one),
            )
            for one in records
        ]
        with self._turn, _quietly():
            self._client.upsert(NAME, points, wait=True)

    def get(self, key: int) -> Record | None:
        with self._turn:
            found = self._client.retrieve(NAME, [key], with_vectors=True)
        if not found:
            return None
        kept = found[0].payload
        return record_of(key, kept, kept["text"], found[0].vector)

    def search(self, query: Query) -> Sequence[Hit]:
        models, chosen = self._models, None
        if query.agent is not None:
            same = models.MatchValue(value=query.agent)
            chosen = models.Filter(must=[models.FieldCondition(key="agent", match=same)])
        with self._turn:
            found = self._client.query_points(
                NAME,
                query=query.vector.tolist(),
                limit=query.k,
                query_filter=chosen,
                with_payload=False,
            )
        return [Hit(int(point.id), point.score) for point in found.points]

    def replace(self, record: Record) -> None:
        self.put([record])

    def delete(self, key: int) -> None:
        with self._turn:
            self._client.delete(NAME, points_selector=[key], wait=True)

    def scan(self, limit: int) -> Scanned:
        with self._turn:
            points, _ = self._client.scroll(NAME, limit=limit)
        return [(int(point.id), point.payload["text"]) for point in points]

    def maintain(self) -> None:
        raise TargetError("qdrant's client has no call that maintains a collection")

    def stats(self) -> Mapping[str, float]:
        """Of local mode: its arrays, and their rows, which deleted points keep."""
        if self._url is not None:
            sent = {"api-key": self._key} if self._key else {}
            return metrics.read(f"{self._url.rstrip('/')}/metrics", FIGURES, headers=sent)
        inside = self._client._client.collections[NAME]
        arrays_bytes = sum(array.nbytes for array in inside.vectors.values())
        return {
            "accounted_bytes": float(arrays_bytes),
            "rows_count": float(len(inside.ids_inv)),
        }

    def count(self) -> int:
        with self._turn:
            return int(self._client.count(NAME).count)

    def close(self) -> None:
        self._client.close()


def _client(directory: Path, params: Params) -> Any:
    make = package("qdrant", "qdrant_client").QdrantClient
    with _quietly():
        if params.url is None:
            return make(path=str(directory), force_disable_check_same_thread=True)
        # Its check of versions asks from a thread of its own, and warns where nobody listens.
        return make(url=params.url, api_key=_key(params), check_compatibility=False)


def _key(params: Params) -> str | None:
    return None if params.api_key is None else read(params.api_key)


@contextmanager
def _quietly() -> Iterator[None]:
    """Local mode advises a server from 20,000 points on; that it is slower is what we measure.

    A key over plain HTTP is the scenario's choice.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        warnings.filterwarnings("ignore", message="Local mode is not recommended")
        yield


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens local mode in data_dir/qdrant, or the server's collection.

    What an earlier run left on the server is dropped; the directory says whose the collection is.
    """
    assert isinstance(params, Params)
    directory = data_dir / "qdrant"
    answers = package("qdrant", "qdrant_client.http.exceptions")
    errors = (answers.ApiException, ValueError, OSError)
    try:
        if params.url and not directory.exists():
            _client(directory, params).delete_collection(NAME)
        directory.mkdir(parents=True, exist_ok=True)
        return Driven(
            lambda: Points(directory, params),
            capabilities=CAPABILITIES,
            directories=[] if params.url else [directory],
            processes=watched(None, params.pid) if params.url else (),
            clock=clock,
            errors=errors,
        )
    except (TargetUnavailable, *errors) as error:
        raise TargetUnavailable(f"{params.url or directory}: {error}") from error
