"""How is the engine of this repository driven, as it ships: every write synced?"""

from pathlib import Path

import engine

VERSION = "this tree"
# A small store needs small files: the open segment and the ballast weigh as at 100,000 records.
_SMALL_SEGMENT_BYTES = 1 << 20


def options(records: int, dimensions: int) -> engine.Options:
    """Room for twice the records, so that nothing is evicted."""
    if records < 50_000:
        return engine.Options(
            dimensions=dimensions,
            capacity_records=2 * records,
            segment_bytes=_SMALL_SEGMENT_BYTES,
        )
    return engine.Options(dimensions=dimensions, capacity_records=2 * records)


def memories(ids, vectors, texts, agents):
    return [
        engine.Memory(id=i, agent=a, text=t, vector=v)
        for i, v, t, a in zip(ids, vectors, texts, agents, strict=True)
    ]


class Store:
    def __init__(self, directory: Path, dimensions: int, records: int):
        self._engine = engine.open(directory, options(records, dimensions))

    def add(self, ids, vectors, texts, agents):
        self._engine.store_batch(memories(ids, vectors, texts, agents))

    def settle(self):
        """Nothing: it maintains itself."""

    def get(self, record_id):
        found = self._engine.get(record_id)
        return found and found.text

    def search(self, vector, k, agent=None):
        return [(hit.id, hit.text) for hit in self._engine.search(vector, k, agent=agent)]

    def delete(self, ids):
        self._engine.delete_batch(ids)

    def clean_up(self):
        """Nothing: it gives back by itself."""

    def figures(self):
        return self._engine.stats()

    def close(self):
        self._engine.close()
