"""SQLite with the sqlite-vec extension, in the worker: exact search in a virtual table.

docs/targets/sqlite_vec.md. The driver is pysqlite3, because many a Python's own sqlite3 cannot load
extensions. One connection, one lock; `maintain` is VACUUM and a checkpoint.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.result import RecordMissing
from soak.seams import Hit, Query, Record, Scanned, Target
from soak.targets._driven import Driven
from soak.targets._packages import package

NEEDS = ("pysqlite3", "sqlite_vec")
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "maintain", "reopen"}
)
SCHEMA = """
create table if not exists memories (
    id integer primary key, agent integer, importance real, text text
);
create virtual table if not exists vectors using vec0(
    id integer primary key, agent integer, embedding float[{}] distance_metric=cosine
);
"""


class Params(BaseModel):
    """synchronous: full syncs every commit, normal only at checkpoints."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    synchronous: Literal["full", "normal"] = "full"


class Tables:
    """Texts in a table, vectors in another, both changed in one transaction."""

    def __init__(self, directory: Path, params: Params) -> None:
        driver = package("sqlite_vec", "pysqlite3")
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._db = db = driver.connect(
            str(directory / "memories.db"), isolation_level=None, check_same_thread=False
        )
        db.enable_load_extension(True)
        package("sqlite_vec", "sqlite_vec").load(db)
        db.execute("pragma journal_mode = wal")
        db.execute(f"pragma synchronous = {params.synchronous}")
        db.executescript(SCHEMA.format(params.dimensions))

    def put(self, records: Sequence[Record]) -> None:
        with self._lock, self._db:
            self._db.execute("begin")
            self._db.executemany(
                "insert into memories values (?, ?, ?, ?)",
                [(one.key, one.agent, one.importance, one.text) for one in records],
            )
            self._db.executemany(
                "insert into vectors values (?, ?, ?)",
                [(one.key, one.agent, one.vector.tobytes()) for one in records],
            )

    def get(self, key: int) -> Record | None:
        with self._lock:
            row = self._db.execute(
                "select memories.agent, importance, text, embedding"
                " from memories join vectors using (id) where id = ?",
                [key],
            ).fetchone()
        if row is None:
            return None
        agent, importance, text, embedding = row
        vector = np.frombuffer(embedding, dtype=np.float32)
        return Record(key=key, agent=agent, text=text, vector=vector, importance=importance)

    def search(self, query: Query) -> Sequence[Hit]:
        where, arguments = "", [query.vector.tobytes(), query.k]
        if query.agent is not None:
            where, arguments = "and agent = ?", [*arguments, query.agent]
        with self._lock:
            rows = self._db.execute(
                "select id, agent, distance from vectors where embedding match ? and k = ?"
                f" {where} order by distance",
                arguments,
            ).fetchall()
        return [Hit(key, 1.0 - distance, agent) for key, agent, distance in rows]

    def replace(self, record: Record) -> None:
        with self._lock, self._db:
            self._db.execute("begin")
            changed = self._db.execute(
                "update memories set text = ?, importance = ? where id = ?",
                [record.text, record.importance, record.key],
            )
            if not changed.rowcount:
                raise RecordMissing(f"no row {record.key}")
            self._db.execute(
                "update vectors set embedding = ? where id = ?",
                [record.vector.tobytes(), record.key],
            )

    def delete(self, key: int) -> None:
        with self._lock, self._db:
            self._db.execute("begin")
            self._db.execute("delete from memories where id = ?", [key])
            self._db.execute("delete from vectors where id = ?", [key])

    def scan(self, limit: int) -> Scanned:
        asked = "select id, text from memories limit ?"
        with self._lock:
            rows: list[tuple[int, str]] = self._db.execute(asked, [limit]).fetchall()
        return rows

    def maintain(self) -> None:
        with self._lock:
            self._db.execute("vacuum")
            self._db.execute("pragma wal_checkpoint(truncate)")

    def stats(self) -> Mapping[str, float]:
        """Pages that are free for reuse and those of the file."""
        with self._lock:
            (free_count,) = self._db.execute("pragma freelist_count").fetchone()
            (pages_count,) = self._db.execute("pragma page_count").fetchone()
        return {"pages_free_count": float(free_count), "pages_count": float(pages_count)}

    def count(self) -> int:
        with self._lock:
            (count,) = self._db.execute("select count(*) from memories").fetchone()
        return int(count)

    def close(self) -> None:
        with self._lock:
            self._db.close()


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the database in data_dir/sqlite_vec. Raises TargetUnavailable without the packages."""
    assert isinstance(params, Params)
    directory = data_dir / "sqlite_vec"
    return Driven(
        lambda: Tables(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(package("sqlite_vec", "pysqlite3").Error,),
    )
