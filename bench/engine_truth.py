"""Which are the ten nearest, exactly? In float32, in a process of its own.

Apart from the measured process, whose private memory must not show the scan. Ids that live come in
on stdin as int64; what goes out is int64 of shape (2, queries, 10): among all, and among one
agent's, whose number is the query's modulo the number of agents.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.engine_workload import AGENTS, QUERIES, Ids, Plan, Workload

K = 10
_CHUNK = 20_000


def truth(workload: Workload, root: Path, live: Ids) -> NDArray[np.int64]:
    """Ask the other process. Raises CalledProcessError."""
    command = [sys.executable, "-m", "bench.engine_truth", json.dumps(asdict(workload.plan)), root]
    done = subprocess.run(command, input=live.tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, dtype=np.int64).reshape(2, QUERIES, K)


def recall(found: list[list[int]], nearest: NDArray[np.int64]) -> float:
    """Share of the true nearest that were found; found may answer only the first queries.

    Fewer than ten may exist (-1 in nearest); NaN-free: nothing to find counts as found.
    """
    hits = wanted = 0
    for ids, true in zip(found, nearest.tolist(), strict=False):
        expected = {i for i in true if i >= 0}
        hits += len(expected & set(ids))
        wanted += len(expected)
    return hits / wanted if wanted else 1.0


def nearest(workload: Workload, live: Ids) -> NDArray[np.int64]:
    """By brute force, in chunks; shape (2, queries, 10), -1 where there are fewer."""
    best = np.full((2, QUERIES, K), -np.inf, dtype=np.float32)
    ids = np.full((2, QUERIES, K), -1, dtype=np.int64)
    own = np.arange(QUERIES) % AGENTS
    for first in range(0, len(live), _CHUNK):
        chunk = np.sort(live[first : first + _CHUNK])
        scores = workload.queries @ np.array(workload.vectors[chunk]).T
        foreign = workload.agents[chunk][None, :] != own[:, None]
        for which, these in enumerate((scores, np.where(foreign, -np.inf, scores))):
            every = np.concatenate([best[which], these], axis=1)
            named = np.concatenate([ids[which], np.broadcast_to(chunk, these.shape)], axis=1)
            order = np.argpartition(-every, K - 1, axis=1)[:, :K]
            best[which] = np.take_along_axis(every, order, axis=1)
            ids[which] = np.take_along_axis(named, order, axis=1)
    ids[np.isinf(best)] = -1
    return ids


if __name__ == "__main__":
    chosen = Workload(Plan(**json.loads(sys.argv[1])), Path(sys.argv[2]))
    alive = np.frombuffer(sys.stdin.buffer.read(), dtype=np.int64)
    sys.stdout.buffer.write(nearest(chosen, alive).tobytes())
