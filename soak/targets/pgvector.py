"""PostgreSQL with pgvector: rows under an HNSW index, in a server of its own or by URL.

docs/targets/pgvector.md. The server comes in the wheel pgserver, listens on a socket in its own
directory only, and is what is sampled. `maintain` is VACUUM; autovacuum stays as it ships. A server
by URL needs the extension; the table soak_memories is made anew, and its process is watched where
`pid` names it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import local
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import RecordMissing
from soak.seams import Hit, Query, Record, Scanned, Target
from soak.targets._driven import Driven
from soak.targets._packages import package
from soak.targets._postgres import Postgres, started
from soak.targets._server import watched

NEEDS = ("pgserver", "psycopg", "pgvector")
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "maintain"}
)
TABLE = "soak_memories"
SCHEMA = f"""
create extension if not exists vector;
drop table if exists {TABLE};
create table {TABLE} (
    id bigint primary key, agent integer, importance real, text text, embedding vector({{}})
);
"""
MAINTENANCE = {"vacuum": "vacuum", "full": "vacuum full", "reindex": "reindex table"}


class Params(BaseModel):
    """ef_search: how widely HNSW searches. maintenance: what `maintain` does to the table."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=2000)
    index: Literal["hnsw", "none"] = "hnsw"
    ef_search: int = Field(100, ge=1, le=1000)
    maintenance: Literal["vacuum", "full", "reindex"] = "vacuum"
    url: str | None = None
    pid: int | None = Field(None, ge=1, description="The process of a server by URL, if here.")


class Rows:
    """A connection for each client thread, every call a transaction of its own."""

    def __init__(self, url: str, params: Params, postgres: Postgres | None) -> None:
        self._url = url
        self._params = params
        self._postgres = postgres
        self._mine = local()
        self._opened: list[Any] = []  # one per client thread
        with package("pgvector", "psycopg").connect(url, autocommit=True) as admin:
            for statement in SCHEMA.format(params.dimensions).strip().split(";"):
                if statement.strip():
                    admin.execute(statement)
            if params.index == "hnsw":
                admin.execute(f"create index on {TABLE} using hnsw (embedding vector_cosine_ops)")

    def _db(self) -> Any:
        """This thread's connection; a new one where it was lost."""
        opened = getattr(self._mine, "db", None)
        if opened is not None and opened.closed:
            self._opened.remove(opened)
            opened = None
        if opened is None:
            opened = package("pgvector", "psycopg").connect(self._url, autocommit=True)
            package("pgvector", "pgvector.psycopg").register_vector(opened)
            if self._params.index == "hnsw":
                opened.execute(f"set hnsw.ef_search = {self._params.ef_search}")
            self._mine.db = opened
            self._opened.append(opened)
        return opened

    def put(self, records: Sequence[Record]) -> None:
        rows = [(one.key, one.agent, one.importance, one.text, one.vector) for one in records]
        db = self._db()
        with db.transaction(), db.cursor() as cursor:
            cursor.executemany(f"insert into {TABLE} values (%s, %s, %s, %s, %s)", rows)

    def get(self, key: int) -> Record | None:
        row = (
            self._db()
            .execute(f"select agent, importance, text, embedding from {TABLE} where id = %s", [key])
            .fetchone()
        )
        if row is None:
            return None
        agent, importance, text, embedding = row
        vector = np.asarray(embedding.to_numpy(), dtype=np.float32)
        return Record(key=key, agent=agent, text=text, vector=vector, importance=importance)

    def search(self, query: Query) -> Sequence[Hit]:
        where = "" if query.agent is None else f"where agent = {int(query.agent)}"
        rows = (
            self._db()
            .execute(
                f"select id, agent, embedding <=> %s as distance from {TABLE} {where}"
                " order by distance limit %s",
                [query.vector, query.k],
            )
            .fetchall()
        )
        return [Hit(key, 1.0 - distance, agent) for key, agent, distance in rows]

    def replace(self, record: Record) -> None:
        changed = self._db().execute(
            f"update {TABLE} set importance = %s, text = %s, embedding = %s where id = %s",
            [record.importance, record.text, record.vector, record.key],
        )
        if not changed.rowcount:
            raise RecordMissing(f"no row {record.key}")

    def delete(self, key: int) -> None:
        self._db().execute(f"delete from {TABLE} where id = %s", [key])

    def scan(self, limit: int) -> Scanned:
        asked = self._db().execute(f"select id, text from {TABLE} limit %s", [limit])
        rows: list[tuple[int, str]] = asked.fetchall()
        return rows

    def maintain(self) -> None:
        self._db().execute(f"{MAINTENANCE[self._params.maintenance]} {TABLE}")

    def stats(self) -> Mapping[str, float]:
        """Table with indexes, and rows that are dead but not vacuumed."""
        row = (
            self._db()
            .execute(
                "select pg_total_relation_size(%s::regclass), n_dead_tup"
                " from pg_stat_user_tables where relname = %s",
                [TABLE, TABLE],
            )
            .fetchone()
        )
        total_bytes, dead_count = row or (0, 0)
        return {"relation_bytes": float(total_bytes), "dead_rows_count": float(dead_count)}

    def count(self) -> int:
        return int(self._db().execute(f"select count(*) from {TABLE}").fetchone()[0])

    def close(self) -> None:
        for opened in self._opened:
            opened.close()
        if self._postgres is not None:
            self._postgres.remove()


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Starts a server, whose files are removed when it is closed, or takes the one at the URL."""
    assert isinstance(params, Params)
    if params.url is not None:
        return _driven(params.url, params, clock)
    with started("pgvector", data_dir, clock) as postgres:
        url = f"postgresql://postgres@/postgres?host={quote(str(postgres.socket))}"
        return _driven(url, params, clock, postgres)


def _driven(url: str, params: Params, clock: Clock, postgres: Postgres | None = None) -> Target:
    return Driven(
        lambda: Rows(url, params, postgres),
        capabilities=CAPABILITIES,
        directories=[postgres.folder / "data"] if postgres else [],
        clock=clock,
        errors=(package("pgvector", "psycopg").Error,),
        processes=watched(postgres.server if postgres else None, params.pid),
    )
