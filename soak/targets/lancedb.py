"""LanceDB embedded in the worker: columnar files, a version of the table for every write.

docs/targets/lancedb.md. `maintain` is optimize(), which merges fragments and drops old versions;
Lance does neither by itself. No index is made: a search reads all vectors.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from soak.clock import Clock
from soak.scenario.quantities import Duration
from soak.seams import Hit, Query, Record, Scanned, Target
from soak.targets._beside import beside_with_text, record_of
from soak.targets._driven import Driven
from soak.targets._packages import package

NEEDS = ("lancedb",)
CAPABILITIES = frozenset(
    {"store", "store_batch", "get", "search", "update", "delete", "scan", "maintain", "reopen"}
)


class Params(BaseModel):
    """keep_s: optimize() drops older versions than this; a search may still read a newer one."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    keep_s: Duration = Field(10.0, gt=0)


class Table:
    """One table. Writers take turns: two commits at once would conflict, and one would fail."""

    def __init__(self, directory: Path, params: Params) -> None:
        pa = package("lancedb", "pyarrow")
        self._writing = Lock()
        self._keep = timedelta(seconds=params.keep_s)
        fields = [("id", pa.int64()), ("agent", pa.int64()), ("importance", pa.float64())]
        vector = pa.list_(pa.float32(), params.dimensions)
        schema = pa.schema([*fields, ("text", pa.string()), ("vector", vector)])
        self._db = package("lancedb", "lancedb").connect(str(directory))
        self._table = self._db.create_table("memories", schema=schema, exist_ok=True)

    def put(self, records: Sequence[Record]) -> None:
        with self._writing:
            self._table.add([_row(record) for record in records])

    def get(self, key: int) -> Record | None:
        rows = self._table.search().where(f"id = {key}").limit(1).to_list()
        if not rows:
            return None
        return record_of(key, rows[0], rows[0]["text"], rows[0]["vector"])

    def search(self, query: Query) -> Sequence[Hit]:
        asked = self._table.search(query.vector).distance_type("cosine").limit(query.k)
        if query.agent is not None:
            asked = asked.where(f"agent = {query.agent}", prefilter=True)
        rows = asked.select(["id", "agent", "_distance"]).to_list()
        return [Hit(row["id"], 1.0 - row["_distance"], row["agent"]) for row in rows]

    def replace(self, record: Record) -> None:
        with self._writing:
            merge = self._table.merge_insert("id").when_matched_update_all()
            merge.execute([_row(record)])

    def delete(self, key: int) -> None:
        with self._writing:
            self._table.delete(f"id = {key}")

    def scan(self, limit: int) -> Scanned:
        rows = self._table.search().limit(limit).to_list()
        return [(row["id"], row["text"]) for row in rows]

    def maintain(self) -> None:
        with self._writing:
            self._table.optimize(cleanup_older_than=self._keep)

    def stats(self) -> Mapping[str, float]:
        """Fragments and versions pile up from one optimize to the next."""
        figures = self._table.stats()
        return {
            "fragments_count": float(figures["fragment_stats"]["num_fragments"]),
            "version_count": float(self._table.version),
        }

    def count(self) -> int:
        return int(self._table.count_rows())

    def close(self) -> None:
        """There is nothing to close: dropping the table's object drops its files."""
        del self._table, self._db


def _row(record: Record) -> dict[str, Any]:
    return {"id": record.key, "vector": record.vector, **beside_with_text(record)}


def build(params: object, data_dir: Path, clock: Clock) -> Target:
    """Opens the database in data_dir/lancedb. Raises TargetUnavailable without the package."""
    assert isinstance(params, Params)
    directory = data_dir / "lancedb"
    directory.mkdir(parents=True, exist_ok=True)
    return Driven(
        lambda: Table(directory, params),
        capabilities=CAPABILITIES,
        directories=[directory],
        clock=clock,
        errors=(RuntimeError, ValueError, OSError),
    )
