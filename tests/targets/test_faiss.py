"""Is the number of records right while the index is built anew? Its packages have to be here."""

from pathlib import Path

import numpy as np
import pytest

from soak.seams import Record
from soak.targets import faiss

pytest.importorskip("faiss")
RECORDS = 200
STEPS = 50  # of SQLite's, between two questions


def test_records_are_counted_while_the_index_is_built_anew(tmp_path: Path):
    rows = faiss.Rows(tmp_path, faiss.Params(dimensions=2))
    vector = np.array([1.0, 0.0], dtype=np.float32)
    rows.put(
        [
            Record(key=key, agent=1, text=f"text {key}", vector=vector, importance=0.5)
            for key in range(RECORDS)
        ]
    )
    seen: list[tuple[int, float]] = []

    def ask() -> None:
        seen.append((rows.count(), rows.stats()["index_rows_count"]))

    rows._db.set_progress_handler(ask, STEPS)
    rows.maintain()
    rows._db.set_progress_handler(None, 0)
    rows.close()

    assert len(seen) > RECORDS / STEPS
    assert {(RECORDS, RECORDS)} == set(seen)
