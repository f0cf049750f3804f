"""How is LanceDB driven? Embedded; no vector index, scalar indexes made once after the load."""

import warnings
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import lancedb
import pyarrow as pa

VERSION = version("lancedb")
# Nobody else reads this table: old versions may go at once.
warnings.filterwarnings("ignore", message="optimize")


class Store:
    def __init__(self, directory: Path, dimensions: int, records: int):
        self._schema = pa.schema(
            [
                pa.field("id", pa.int64()),
                pa.field("agent", pa.int64()),
                pa.field("text", pa.string()),
                pa.field("vector", pa.list_(pa.float32(), dimensions)),
            ]
        )
        self._table = lancedb.connect(str(directory)).create_table("memories", schema=self._schema)

    def add(self, ids, vectors, texts, agents):
        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        columns = [pa.array(ids), pa.array(agents), pa.array(texts), flat]
        self._table.add(pa.table(columns, schema=self._schema))

    def settle(self):
        self._table.create_scalar_index("id")
        self._table.create_scalar_index("agent")

    def get(self, record_id):
        return self._table.search().where(f"id = {record_id}").limit(1).to_list()[0]["text"]

    def search(self, vector, k, agent=None):
        query = self._table.search(vector).distance_type("cosine").limit(k)
        query = query.select(["id", "text", "_distance"])
        if agent is not None:
            query = query.where(f"agent = {agent}")
        return [(row["id"], row["text"]) for row in query.to_list()]

    def delete(self, ids):
        self._table.delete(f"id in ({', '.join(map(str, ids))})")

    def clean_up(self):
        self._table.optimize(cleanup_older_than=timedelta(0))

    def figures(self):
        return {}

    def close(self):
        """Nothing is open."""
