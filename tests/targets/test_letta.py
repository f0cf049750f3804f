"""Has an agent one archive, whoever stores first? Asked in the environment of letta."""

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from soak.clock import SystemClock
from soak.seams import Query, Record
from soak.targets import letta

CLIENTS = 4
AGENT = 3


# Not imported to find out: at its import it chooses a database, by what `build` sets.
@pytest.mark.skipif(find_spec("letta") is None, reason="make target-letta")
@pytest.mark.filterwarnings("ignore")  # its own, at every call
@pytest.mark.slow
def test_clients_that_store_at_once_for_an_agent_share_its_archive(tmp_path: Path):
    target = letta.build(letta.Params(dimensions=2), tmp_path, SystemClock())
    vector, together = np.array([1.0, 0.0], dtype=np.float32), Barrier(CLIENTS)

    def store(key: int) -> None:
        record = Record(key=key, agent=AGENT, text=f"text {key}", vector=vector, importance=0.5)
        together.wait()
        target.store(record)

    try:
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(store, range(CLIENTS)))
        hits = target.search(Query(vector=vector, k=10, agent=AGENT, text="text"))
    finally:
        target.close()

    assert set(range(CLIENTS)) == {hit.key for hit in hits}
