"""Does a client get over the loss of its connection? Asked in the environment of pgvector."""

from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.result import TargetError
from soak.targets import pgvector

psycopg = pytest.importorskip("psycopg")
DROP = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"


@pytest.mark.slow
def test_a_dropped_connection_fails_one_operation_and_not_the_next(tmp_path: Path):
    target = pgvector.build(pgvector.Params(dimensions=2), tmp_path, SystemClock())
    first = target.count()
    with psycopg.connect(target._store._url, autocommit=True) as db:
        db.execute(f"{DROP} and backend_type = 'client backend'")

    with pytest.raises(TargetError, match="AdminShutdown"):
        target.count()
    assert (0, 0) == (first, target.count())
    target.close()
