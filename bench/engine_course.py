"""What does one system cost over its life? Loaded, churned, half forgotten; one process each.

python -m bench.engine_course SYSTEM PLAN ROOT DIRECTORY LIMIT_S RESULT    (PLAN as JSON)

A system is a module in bench/peers with VERSION and Store(directory, dimensions, records), a store
of add(ids, vectors, texts, agents), get(id) -> text, search(vector, k, agent=None) -> [(id, text)],
delete(ids), settle() once after the load, clean_up() after the mass delete (what its documents
advise), figures() of its own, close().
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench import engine_meter as meter
from bench.engine_truth import K, recall, truth
from bench.engine_workload import (
    AGENTS,
    BATCH,
    STEPS_PER_TURNOVER,
    TEXT_BYTES,
    Ids,
    Plan,
    Workload,
    churn,
    half,
)

# Of several rounds the cheapest counts: what else runs on the machine only ever adds.
_ROUNDS = 3
_READ_ROUNDS = 5
_SINGLES = 300
_BATCHES = 20
_GETS = 2_000
_GETS_PER_BLOCK = 50
_ROUND_LIMIT_S = 2.0
_QUIET_LIMIT_S = 45.0
# As the goals say: half deleted, and so long idle.
_IDLE_S = 10.0
# Above this a load in hundreds would be most of the bench for the slower peers.
_BIG = 50_000
_BIG_BATCH = 1_000


class Course:
    """One store on its way."""

    def __init__(self, system: str, workload: Workload, root: Path, directory: Path) -> None:
        module = importlib.import_module(f"bench.peers.{system}")
        self.version: str = module.VERSION
        self._is_own = system == "engine"
        self._workload = workload
        self._root = root
        self._directory = directory / "store"
        plan = workload.plan
        self._live: Ids = np.arange(plan.records)
        self._rng = np.random.default_rng(7)
        self._truth = truth(workload, root, self._live)
        meter.give_back()
        self._idle_bytes = meter.private_bytes()
        self._store: Any = module.Store(self._directory, plan.dimensions, plan.records)

    def run(self, limit_s: float) -> dict[str, Any]:
        """All phases, each a dictionary of figures.

        limit_s bounds the churn; 0 leaves out both it and the deletion of half.
        """
        result: dict[str, Any] = {"version": self.version, "idle_bytes": self._idle_bytes}
        result["load"] = meter.once(self._load)
        result["load"]["private_bytes"] = meter.private_bytes() - self._idle_bytes
        self._store.settle()
        result["loaded"] = self._space() | self._speed()
        if limit_s > 0:
            result["churn"] = self._churn(limit_s)
            self._truth = truth(self._workload, self._root, self._live)
            result["churned"] = self._space() | self._speed()
            result["halved"] = self._halve()
        self._store.close()
        return result

    def _load(self) -> None:
        size = BATCH if len(self._live) < _BIG else _BIG_BATCH
        self._add(self._live, size)

    def _add(self, ids: Ids, size: int = BATCH) -> None:
        for first in range(0, len(ids), size):
            self._store.add(*self._workload.batch(ids[first : first + size]))

    def _delete(self, ids: Ids) -> None:
        for first in range(0, len(ids), BATCH):
            self._store.delete(ids[first : first + BATCH].tolist())

    def _space(self) -> dict[str, Any]:
        """Memory above what the process held before the store was opened, and disk over live.

        At rest: what background work has still to do is done first, within limits. A library that
        is loaded for the first search belongs to what a store holds.
        """
        self._store.search(self._workload.queries[0], K, None)
        waited = meter.quiet(_QUIET_LIMIT_S * max(1.0, len(self._live) / _BIG))
        if not self._is_own:
            meter.give_back()
        figures = self._store.figures()
        live_bytes = len(self._live) * (2 * self._workload.plan.dimensions + TEXT_BYTES)
        return {
            "quiet": waited,
            "records": len(self._live),
            "private_bytes": meter.private_bytes() - self._idle_bytes,
            "disk_bytes": meter.disk_bytes(self._directory),
            "live_bytes": live_bytes,
            "own": {name: figures[name] for name in _KEPT if name in figures},
        }

    def _speed(self) -> dict[str, Any]:
        """Every kind of operation; what is stored for it is deleted again."""
        speed: dict[str, Any] = {
            "store_1": _cheapest(lambda turn: self._stores(_SINGLES, 1, turn)),
            "store_100": _cheapest(lambda turn: self._stores(_BATCHES, BATCH, turn)),
        }
        meter.quiet(_QUIET_LIMIT_S)
        meter.warm(self._directory)
        # In turn: a processor stays slower for a second or so, and a get costs 15 us instead of 10.
        rounds = [self._reads() for _ in range(_READ_ROUNDS)]
        return speed | {name: min((each[name] for each in rounds), key=_cpu) for name in rounds[0]}

    def _reads(self) -> dict[str, dict[str, float]]:
        wanted = self._rng.choice(self._live, _GETS).tolist()
        return {
            "get": meter.cost(
                self._store.get, wanted, limit_s=_ROUND_LIMIT_S, block=_GETS_PER_BLOCK
            ),
            "search": self._search(by_agent=False),
            "search_agent": self._search(by_agent=True),
        }

    def _stores(self, count: int, size: int, turn: int) -> dict[str, float]:
        workload, store = self._workload, self._store
        groups = workload.spare(turn * count * size, count * size).reshape(count, size)
        ready = [workload.batch(ids) for ids in groups]
        figures = meter.cost(lambda a: store.add(*a), ready, limit_s=_ROUND_LIMIT_S)
        self._delete(groups[: int(figures["count"])].ravel())
        return figures

    def _search(self, by_agent: bool) -> dict[str, float]:
        queries = self._workload.queries
        found: list[list[int]] = []

        def one(i: int) -> None:
            agent = i % AGENTS if by_agent else None
            found.append([hit[0] for hit in self._store.search(queries[i], K, agent)])

        figures = meter.cost(one, range(len(queries)), limit_s=_ROUND_LIMIT_S)
        return figures | {"recall": recall(found, self._truth[int(by_agent)])}

    def _churn(self, limit_s: float) -> dict[str, float]:
        """Deletes and adds at a constant live set, until the turnovers are done or time is up."""
        end_s = time.monotonic() + limit_s
        steps = peak_bytes = 0
        start_cpu_s = time.process_time()
        for victims, fresh, live in churn(self._workload.plan):
            self._delete(victims)
            self._add(fresh)
            self._live = live
            steps += 1
            peak_bytes = max(peak_bytes, meter.disk_bytes(self._directory))
            if time.monotonic() > end_s:
                break
        replaced = steps * len(self._live) // STEPS_PER_TURNOVER
        return {
            "turnovers": steps / STEPS_PER_TURNOVER,
            "cpu_us": (time.process_time() - start_cpu_s) / (2 * replaced) * 1e6,
            "peak_disk_bytes": float(peak_bytes),
        }

    def _halve(self) -> dict[str, Any]:
        victims, self._live = half(self._live)
        self._delete(victims)
        self._store.clean_up()
        time.sleep(_IDLE_S)
        space = self._space()
        # What the allocator alone kept, as against what the store holds.
        meter.give_back()
        return space | {"trimmed_bytes": meter.private_bytes() - self._idle_bytes}


def _cheapest(measure: Callable[[int], dict[str, float]]) -> dict[str, float]:
    """The figures of the round that took least CPU; measure is told which round it is."""
    return min(map(measure, range(_ROUNDS)), key=_cpu)


def _cpu(figures: dict[str, float]) -> float:
    return figures["cpu_us"]


_KEPT = (
    "accounted_bytes",
    "log_bytes",
    "disk_total_bytes",
    "disk_live_bytes",
    "disk_checkpoint_bytes",
    "disk_ballast_bytes",
    "amplification_ratio",
    "search_candidates_count",
)


def main() -> None:
    system, plan, root, directory, limit_s, result = sys.argv[1:]
    workload = Workload(Plan(**json.loads(plan)), Path(root))
    course = Course(system, workload, Path(root), Path(directory))
    Path(result).write_text(json.dumps(course.run(float(limit_s))))


if __name__ == "__main__":
    main()
