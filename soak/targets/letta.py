"""Letta (MemGPT's successor): its archival memory on PostgreSQL with pgvector, by its own managers.

docs/targets/letta.md. The calls are those behind its HTTP interface; the server in the wheel
pgserver keeps the rows, and it and the worker are what is sampled. An archive an agent. It has no
call that maintains the rows: autovacuum stays as PostgreSQL ships it.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import RecordMissing, TargetError
from soak.seams import Hit, Query, Record, Target
from soak.targets._beside import beside, record_of
from soak.targets._driven import Driven
from soak.targets._embedder import HandedOver
from soak.targets._loop import Loop
from soak.targets._packages import package
from soak.targets._postgres import Postgres, started
from soak.targets._server import free_port

NEEDS = ("letta", "asyncpg", "pgserver", "pgvector")
CAPABILITIES = frozenset({"store", "store_batch", "get", "search", "update", "delete", "scan"})


class Params(BaseModel):
    """dimensions: Letta pads each vector to 4096 with zeros."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)


class Client:
    """What Letta asks for embeddings, in the place of its own client of model providers."""

    def __init__(self, vectors: HandedOver) -> None:
        self._vectors = vectors

    def create(self, **_: object) -> "Client":
        return self

    async def request_embeddings(self, texts: Sequence[str], _: object) -> list[list[float]]:
        return self._vectors(texts)


class Passages:
    """A passage a record, under an id made of its key."""

    def __init__(self, postgres: Postgres, address: str, params: Params) -> None:
        self._postgres = postgres
        database = package("letta", "letta.server.db")
        create = package("letta", "sqlalchemy.ext.asyncio").create_async_engine
        self._engine = create(address, **database.engine_args)
        # Its sessions are bound to the address that was known at import, which may be another's.
        database.async_session_factory.configure(bind=self._engine)
        self._dimensions = params.dimensions
        self._vectors = HandedOver()
        self._loop = Loop()
        self._archives: dict[int, str] = {}  # by agent
        self._archiving = Lock()
        in_services = "letta.services"
        asking: Any = package("letta", f"{in_services}.helpers.agent_manager_helper")
        asking.LLMClient = Client(self._vectors)
        self._passage = package("letta", "letta.schemas.passage").Passage
        self._absent = package("letta", "letta.orm.errors").NoResultFound
        self._config = package("letta", "letta.schemas.embedding_config").EmbeddingConfig(
            embedding_endpoint_type="openai",
            embedding_model="handed over",
            embedding_dim=params.dimensions,
        )
        self._rows = package("letta", f"{in_services}.passage_manager").PassageManager()
        self._queries = package("letta", f"{in_services}.agent_manager").AgentManager()
        self._actor = self._loop.do(self._made())

    async def _made(self) -> Any:
        """The tables (migrations are not in the wheel), and the default user."""
        sqlalchemy = package("letta", "sqlalchemy")
        tables = package("letta", "letta.orm").Base.metadata
        async with self._engine.begin() as db:
            await db.execute(sqlalchemy.text("create extension if not exists vector"))
            await db.run_sync(tables.create_all)
        users = package("letta", "letta.services.user_manager").UserManager()
        organizations = package("letta", "letta.services.organization_manager")
        await organizations.OrganizationManager().create_default_organization_async()
        return await users.create_default_actor_async()

    def put(self, records: Sequence[Record]) -> None:
        passages = [self._of(record) for record in records]
        self._loop.do(self._rows.create_agent_passages_async(passages, self._actor))

    def get(self, key: int) -> Record | None:
        try:
            found = self._loop.do(self._rows.get_agent_passage_by_id_async(_name(key), self._actor))
        except self._absent:
            return None
        return record_of(key, found.metadata, found.text, self._own(found))

    def search(self, query: Query) -> Sequence[Hit]:
        """Letta ranks and tells no scores: they are computed from the embeddings it hands over."""
        if query.vector.shape != (self._dimensions,):
            raise TargetError(f"vector of shape {query.vector.shape}")
        with self._vectors.asks(query) as text:
            found = self._loop.do(
                self._queries.query_agent_passages_async(
                    actor=self._actor,
                    archive_id=None if query.agent is None else self._archive(query.agent),
                    limit=query.k,
                    query_text=text,
                    embed_query=True,
                    embedding_config=self._config,
                )
            )
        return [
            Hit(_key(one.id), float(self._own(one) @ query.vector), one.metadata["agent"])
            for one, _, _ in found
        ]

    def replace(self, record: Record) -> None:
        try:
            self._loop.do(
                self._rows.update_agent_passage_by_id_async(
                    _name(record.key), self._of(record), self._actor
                )
            )
        except ValueError as error:
            raise RecordMissing(str(error)) from error

    def delete(self, key: int) -> None:
        try:
            self._loop.do(self._rows.delete_agent_passage_by_id_async(_name(key), self._actor))
        except self._absent as error:
            raise RecordMissing(str(error)) from error

    def scan(self, limit: int) -> int:
        return len(
            self._loop.do(self._queries.query_agent_passages_async(actor=self._actor, limit=limit))
        )

    def maintain(self) -> None:
        raise TargetError("letta has no call that maintains its rows")

    def stats(self) -> Mapping[str, float]:
        """The table of passages with its indexes, and rows that are dead but not vacuumed."""
        total_bytes, dead_count = self._loop.do(
            self._row(
                "select pg_total_relation_size('archival_passages'), n_dead_tup"
                " from pg_stat_user_tables where relname = 'archival_passages'"
            )
        )
        return {"relation_bytes": float(total_bytes), "dead_rows_count": float(dead_count)}

    def count(self) -> int:
        (rows,) = self._loop.do(self._row("select count(*) from archival_passages"))
        return int(rows)

    def close(self) -> None:
        self._loop.do(self._engine.dispose())
        self._loop.close()
        self._postgres.remove()

    async def _row(self, question: str) -> Any:
        sqlalchemy = package("letta", "sqlalchemy")
        async with self._engine.connect() as db:
            return (await db.execute(sqlalchemy.text(question))).one()

    def _of(self, record: Record) -> Any:
        return self._passage(
            id=_name(record.key),
            text=record.text,
            embedding=record.vector.tolist(),
            embedding_config=self._config,
            organization_id=self._actor.organization_id,
            archive_id=self._archive(record.agent),
            metadata=beside(record),
        )

    def _archive(self, agent: int) -> str:
        """The agent's; of a second one, a search would not see what is in the first."""
        with self._archiving:
            if agent not in self._archives:
                made = self._loop.do(
                    self._rows.archive_manager.create_archive_async(
                        f"agent {agent}", self._config, actor=self._actor
                    )
                )
                self._archives[agent] = made.id
            return self._archives[agent]

    def _own(self, passage: Any) -> Any:
        """Its vector without the zeros."""
        return np.array(passage.embedding[: self._dimensions], dtype=np.float32)


def _name(key: int) -> str:
    return f"passage-{UUID(int=key)}"


def _key(name: str) -> int:
    return UUID(name.removeprefix("passage-")).int


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Starts PostgreSQL, whose files are removed when it is closed, and makes Letta's tables."""
    assert isinstance(params, Params)
    port = free_port()
    address = f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres?ssl=disable"
    with started("letta", data_dir, clock, port) as postgres:
        os.environ |= {"LETTA_PG_URI": address, "LETTA_DIR": str(postgres.folder)}
        errors = package("letta", "sqlalchemy.exc").SQLAlchemyError
        ours = package("letta", "letta.errors").LettaError
        return Driven(
            lambda: Passages(postgres, address, params),
            capabilities=CAPABILITIES,
            directories=[postgres.folder / "data"],
            clock=clock,
            errors=(errors, ours, ValueError, OSError),
        )
