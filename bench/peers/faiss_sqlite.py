"""What does the obvious home-made store cost? faiss IndexFlatIP beside SQLite, commits synced.

Vectors lie in SQLite, too, from where the index would be rebuilt at the next start.
"""

import sqlite3
from importlib.metadata import version
from pathlib import Path

import faiss
import numpy as np

faiss.omp_set_num_threads(1)
VERSION = f"{version('faiss-cpu')}, SQLite {sqlite3.sqlite_version}"


class Store:
    def __init__(self, directory: Path, dimensions: int, records: int):
        directory.mkdir(parents=True)
        self._db = db = sqlite3.connect(directory / "memories.db", isolation_level=None)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute(
            "create table memories (id integer primary key, agent integer, text text, vector blob)"
        )
        db.execute("create index by_agent on memories (agent)")
        self._index = faiss.IndexIDMap(faiss.IndexFlatIP(dimensions))

    def add(self, ids, vectors, texts, agents):
        blobs = [vector.tobytes() for vector in vectors]
        self._db.execute("begin")
        rows = zip(ids, agents, texts, blobs, strict=True)
        self._db.executemany("insert into memories values (?, ?, ?, ?)", rows)
        self._db.execute("commit")
        self._index.add_with_ids(vectors, np.array(ids))

    def settle(self):
        """Nothing."""

    def get(self, record_id):
        row = self._db.execute("select text from memories where id = ?", [record_id]).fetchone()
        return row[0]

    def search(self, vector, k, agent=None):
        chosen = None
        if agent is not None:
            rows = self._db.execute("select id from memories where agent = ?", [agent]).fetchall()
            selector = faiss.IDSelectorBatch(np.array(rows)[:, 0])
            chosen = faiss.SearchParameters(sel=selector)
        _, found = self._index.search(vector[None, :], k, params=chosen)
        return [(i, self.get(i)) for i in found[0].tolist() if i >= 0]

    def delete(self, ids):
        self._db.execute("begin")
        self._db.executemany("delete from memories where id = ?", [(i,) for i in ids])
        self._db.execute("commit")
        self._index.remove_ids(np.array(ids))

    def clean_up(self):
        self._db.execute("vacuum")
        self._db.execute("pragma wal_checkpoint(truncate)")

    def figures(self):
        return {}

    def close(self):
        self._db.close()
