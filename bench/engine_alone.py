"""What can only be asked of the engine itself? One question per process.

python -m bench.engine_alone QUESTION PLAN ROOT DIRECTORY RESULT    (PLAN as JSON)
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import engine
from bench import engine_meter as meter
from bench.engine_workload import BATCH, SPARE, Plan, Workload
from bench.peers.engine import memories, options
from engine.pressure import CHECKPOINT_BYTES

Figures = dict[str, float]
_SINGLES = 300
_BATCHES = 60
_FLIGHT_RECORDS = 40_000
_FLIGHT_ROUNDS = 7
_FLIGHT_SEGMENT_BYTES = 2 << 20
_FLIGHT_REPLACED_RATIO = 0.45
_IDLE_ROUND_S = 1.0
_NODES = 5_000
_EDGES_PER_NODE = 10


def process(workload: Workload, directory: Path) -> Figures:
    """An engine with nothing in it."""
    with engine.open(directory / "store", options(*_shape(workload))):
        return {
            "resident_bytes": float(meter.resident_bytes()),
            "private_bytes": float(meter.private_bytes()),
        }


def _shape(workload: Workload) -> tuple[int, int]:
    return workload.plan.records, workload.plan.dimensions


def _load(store: engine.Engine, workload: Workload, ids: np.ndarray, size: int = 1_000) -> None:
    for first in range(0, len(ids), size):
        store.store_batch(memories(*workload.batch(ids[first : first + size])))


def durable(workload: Workload, directory: Path) -> Figures:
    """Wall time of a durable store against append + fdatasync of the same bytes, in turns."""
    fd = os.open(directory / "plain", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    figures: Figures = {}
    with engine.open(directory / "store", options(*_shape(workload))) as store:
        _load(store, workload, np.arange(workload.plan.records))
        size = round(store.stats()["log_bytes"] / store.count())
        for name, count, width in (("1", _SINGLES, 1), ("100", _BATCHES, BATCH)):
            ids = workload.spare(0, count * width).reshape(count, width)
            ready = [memories(*workload.batch(row)) for row in ids]
            plain = b"x" * (size * width)

            def append(plain: bytes = plain) -> None:
                os.write(fd, plain)
                os.fdatasync(fd)

            pairs = []
            for batch in ready:
                stored = meter.once(lambda batch=batch: store.store_batch(batch))
                appended = meter.once(append)
                pairs.append((stored["wall_s"], appended["wall_s"], stored["cpu_s"]))
            ours, theirs, cpu = np.array(pairs).T
            figures |= {
                f"store_{name}_wall_ms": 1e3 * float(np.median(ours)),
                f"append_{name}_wall_ms": 1e3 * float(np.median(theirs)),
                f"store_{name}_wall_ms_p99": 1e3 * float(np.quantile(ours, 0.99)),
                f"append_{name}_wall_ms_p99": 1e3 * float(np.quantile(theirs, 0.99)),
                f"store_{name}_cpu_ms": 1e3 * float(np.median(cpu)),
                f"store_{name}_ratio": float(np.median(ours) / np.median(theirs)),
            }
    os.close(fd)
    return figures


class _Reader:
    """Gets and searches in turn, each timed by the wall, from the thread that calls."""

    def __init__(self, store: engine.Engine, workload: Workload, ids: np.ndarray) -> None:
        self._store = store
        self._queries = workload.queries
        self._ids = np.random.default_rng(3).permutation(ids).tolist()
        self._turn = 0
        self.get_ms: list[float] = []
        self.search_ms: list[float] = []

    def read_while(self, goes_on: Callable[[], bool]) -> None:
        while goes_on():
            start_ns = time.perf_counter_ns()
            self._store.get(self._ids[self._turn % len(self._ids)])
            middle_ns = time.perf_counter_ns()
            self._store.search(self._queries[self._turn % len(self._queries)])
            end_ns = time.perf_counter_ns()
            self.get_ms.append((middle_ns - start_ns) / 1e6)
            self.search_ms.append((end_ns - middle_ns) / 1e6)
            self._turn += 1

    def figures(self, name: str) -> Figures:
        return {
            f"{name}_count": float(len(self.get_ms)),
            f"{name}_get_ms": float(np.median(self.get_ms)),
            f"{name}_get_ms_p99": float(np.quantile(self.get_ms, 0.99)),
            f"{name}_get_ms_max": max(self.get_ms),
            f"{name}_search_ms": float(np.median(self.search_ms)),
            f"{name}_search_ms_p99": float(np.quantile(self.search_ms, 0.99)),
            f"{name}_search_ms_max": max(self.search_ms),
        }


def in_flight(workload: Workload, directory: Path) -> Figures:
    """Latency of reads with compaction running and without, in turns.

    Medians over the rounds: what else the machine does in one of them is not the engine's.
    """
    count = min(_FLIGHT_RECORDS, workload.plan.records)
    chosen = engine.Options(
        dimensions=workload.plan.dimensions,
        capacity_records=2 * count,
        segment_bytes=_FLIGHT_SEGMENT_BYTES,
        maintenance=False,
    )
    rng = np.random.default_rng(5)
    ids = np.arange(count)
    with engine.open(directory / "store", chosen) as store:
        _load(store, workload, ids)
        rounds = []
        for _ in range(_FLIGHT_ROUNDS):
            again = rng.choice(ids, int(count * _FLIGHT_REPLACED_RATIO), replace=False)
            _load(store, workload, again)
            rounds.append(_flight_round(store, workload, ids))
        compacted = [event for event in store.events() if event.kind == "compact"]
    figures = {name: float(np.median([each[name] for each in rounds])) for name in rounds[0]}
    return figures | {"compactions_count": float(len(compacted))}


def _flight_round(store: engine.Engine, workload: Workload, ids: np.ndarray) -> Figures:
    idle, busy = (_Reader(store, workload, ids) for _ in range(2))
    end_s = time.monotonic() + _IDLE_ROUND_S
    idle.read_while(lambda: time.monotonic() < end_s)
    thread = threading.Thread(target=store.maintain)
    thread.start()
    busy.read_while(thread.is_alive)
    figures = idle.figures("idle") | busy.figures("busy")
    for kind in ("get", "search"):
        ratio = figures[f"busy_{kind}_ms_p99"] / figures[f"idle_{kind}_ms_p99"]
        figures[f"{kind}_p99_ratio"] = ratio
    return figures


def recovery(workload: Workload, directory: Path) -> Figures:
    """Opening after a clean close, and with the checkpoints gone; all must be as it was."""
    records, dimensions = _shape(workload)
    chosen = options(records, dimensions)
    ids = np.arange(records)
    deleted, kept = ids[::50], np.setdiff1d(ids, ids[::50])
    with engine.open(directory / "store", chosen) as store:
        _load(store, workload, ids)
        for record_id in deleted.tolist():
            store.delete(record_id)
    figures: Figures = {}
    for name in ("checkpoint", "replay"):
        opened: list[engine.Engine] = []
        if name == "replay":
            for path in (directory / "store").glob("*.ckpt"):
                path.unlink()
        times = meter.once(lambda o=opened: o.append(engine.open(directory / "store", chosen)))
        with opened[0] as store:
            wrong = sum(store.text(i) != workload.text(i) for i in kept.tolist())
            wrong += sum(store.text(i) is not None for i in deleted.tolist())
        figures |= {f"{name}_{unit}": value for unit, value in times.items()}
        figures |= {f"{name}_wrong_count": float(wrong)}
    return figures


def emergency(workload: Workload, directory: Path) -> Figures:
    """A store runs into disk_bytes: from full to 0.80 while another thread reads."""
    records, dimensions = _shape(workload)
    plain = options(records, dimensions)
    with engine.open(directory / "store", plain) as store:
        _load(store, workload, np.arange(records))
        log_bytes = store.stats()["log_bytes"]
    # What the engine sets aside (checkpoints, ballast), and room for a few batches.
    aside = records * CHECKPOINT_BYTES + plain.ballast_size() + plain.segment_bytes // 4
    tight = engine.Options(
        dimensions=dimensions,
        capacity_records=2 * records,
        segment_bytes=plain.segment_bytes,
        disk_bytes=int(log_bytes) + aside,
        maintenance=False,
    )
    with engine.open(directory / "store", tight) as store:
        reader = _Reader(store, workload, np.arange(records))
        writer = threading.Thread(target=_store_until_emergency, args=(store, workload))
        start_cpu_s = time.process_time()
        writer.start()
        reader.read_while(writer.is_alive)
        cpu_s = time.process_time() - start_cpu_s
        found = [event for event in store.events() if event.kind == "emergency"]
        # Without the batch that met the limit: it was stored when there was room again.
        stored = store.stats()["records_stored_count"] - BATCH
    if not found:
        raise RuntimeError("the store never ran into disk_bytes")
    return {
        "wall_s": found[0].duration_s,
        "cpu_s_with_reads": cpu_s,
        "live_ratio": 1 - found[0].records / (records + stored),
        "stored_before_count": stored,
        "evicted_count": float(found[0].records),
        "reclaimed_bytes": float(found[0].bytes_reclaimed),
        **reader.figures("reads"),
    }


def _store_until_emergency(store: engine.Engine, workload: Workload) -> None:
    for first in range(0, SPARE, BATCH):
        store.store_batch(memories(*workload.batch(workload.spare(first, BATCH))))
        if any(event.kind == "emergency" for event in store.events()):
            return


def graph(workload: Workload, directory: Path) -> Figures:
    """Traversal of depth 3, at most 1,000 records, in a random graph of out-degree 10."""
    rng = np.random.default_rng(11)
    chosen = engine.Options(dimensions=8, capacity_records=2 * _NODES, durability="never")
    with engine.open(directory / "store", chosen) as store:
        vectors = rng.standard_normal((_NODES, 8)).astype(np.float32)
        store.store_batch(
            [
                engine.Memory(id=i, agent=0, text=workload.text(i), vector=vectors[i])
                for i in range(_NODES)
            ]
        )
        linked = meter.once(lambda: _link(store, rng))
        starts = rng.choice(_NODES, 200).tolist()
        reached = len(store.traverse(starts[0], 3))
        walked = meter.cost(lambda i: store.traverse(i, 3), starts, limit_s=5.0)
    return {
        "traverse_cpu_us": walked["cpu_us"],
        "reached_count": float(reached),
        "link_cpu_us": linked["cpu_s"] / (_NODES * _EDGES_PER_NODE) * 1e6,
    }


def _link(store: engine.Engine, rng: np.random.Generator) -> None:
    targets = rng.integers(0, _NODES, (_NODES, _EDGES_PER_NODE)).tolist()
    for source, row in enumerate(targets):
        for target in row:
            store.link(source, target, "near")


QUESTIONS: dict[str, Callable[[Workload, Path], Any]] = {
    "process": process,
    "durable": durable,
    "in_flight": in_flight,
    "recovery": recovery,
    "emergency": emergency,
    "graph": graph,
}


def main() -> None:
    question, plan, root, directory, result = sys.argv[1:]
    workload = Workload(Plan(**json.loads(plan)), Path(root))
    Path(result).write_text(json.dumps(QUESTIONS[question](workload, Path(directory))))


if __name__ == "__main__":
    main()
