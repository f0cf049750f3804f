"""How is sqlite-vec driven? A vec0 table beside an ordinary one, WAL, every commit synced."""

from importlib.metadata import version
from pathlib import Path

import pysqlite3
import sqlite_vec

VERSION = version("sqlite-vec")


class Store:
    def __init__(self, directory: Path, dimensions: int, records: int):
        directory.mkdir(parents=True)
        self._db = db = pysqlite3.connect(directory / "memories.db", isolation_level=None)
        db.enable_load_extension(True)
        sqlite_vec.load(db)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute("create table memories (id integer primary key, agent integer, text text)")
        db.execute(
            "create virtual table vectors using vec0(id integer primary key, agent integer,"
            f" embedding float[{dimensions}] distance_metric=cosine)"
        )

    def add(self, ids, vectors, texts, agents):
        blobs = [vector.tobytes() for vector in vectors]
        self._db.execute("begin")
        rows = zip(ids, agents, texts, strict=True)
        self._db.executemany("insert into memories values (?, ?, ?)", rows)
        rows = zip(ids, agents, blobs, strict=True)
        self._db.executemany("insert into vectors values (?, ?, ?)", rows)
        self._db.execute("commit")

    def settle(self):
        """Nothing."""

    def get(self, record_id):
        row = self._db.execute("select text from memories where id = ?", [record_id]).fetchone()
        return row[0]

    def search(self, vector, k, agent=None):
        also = "" if agent is None else "and agent = ?"
        values = [vector.tobytes(), k] + ([] if agent is None else [agent])
        rows = self._db.execute(
            f"select n.id, m.text from (select id, distance from vectors where embedding match ?"
            f" and k = ? {also}) n join memories m on m.id = n.id order by n.distance",
            values,
        )
        return rows.fetchall()

    def delete(self, ids):
        self._db.execute("begin")
        for table in ("memories", "vectors"):
            self._db.executemany(f"delete from {table} where id = ?", [(i,) for i in ids])
        self._db.execute("commit")

    def clean_up(self):
        self._db.execute("vacuum")
        self._db.execute("pragma wal_checkpoint(truncate)")

    def figures(self):
        return {}

    def close(self):
        self._db.close()
