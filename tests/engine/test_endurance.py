import multiprocessing
import re
import threading
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import Memory, Options
from tests.engine.model import Model
from tests.engine.scene import (
    HandClock,
    clustered,
    memory,
    memory_backed_directory,
    open_small,
)


@pytest.mark.slow
def test_two_hundred_thousand_operations_answer_as_a_dictionary_does() -> None:
    check_model(range(100, 110))


@pytest.mark.soak
def test_a_million_operations_answer_as_a_dictionary_does() -> None:
    check_model(range(200, 250))


def check_model(seeds: range) -> None:
    """20,000 operations for each seed, in four sessions on one directory."""
    for seed in seeds:
        model = Model(np.random.default_rng(seed))
        with memory_backed_directory() as directory:
            for _ in range(4):
                with open_small(directory, HandClock()) as store:
                    for _ in range(5_000):
                        model.step(store)
                    model.check_all(store)
        print(f"seed {seed}: 20,000 operations")  # noqa: T201 - names the seed of a failure


def private_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status)[1]) * 1024


def _churn(
    turnovers: int, live: int, answers: "multiprocessing.Queue[list[dict[str, float]]]"
) -> None:
    rng = np.random.default_rng(9)
    options = Options(dimensions=64, durability="never", maintenance=False, segment_bytes=1 << 20)
    samples = []
    vectors = clustered(rng, live, 64)
    with (
        memory_backed_directory() as directory,
        engine.open(directory, options, HandClock()) as store,
    ):
        text = "a memory of some length, as memories are " * 5

        def put(ids: np.ndarray) -> None:
            store.store_batch(
                [
                    Memory(id=i, agent=i % 50, text=text, vector=vectors[i % live])
                    for i in ids.tolist()
                ]
            )

        put(np.arange(live))
        alive = np.arange(live)
        next_id = live
        for _ in range(turnovers):
            order = rng.permutation(live)
            for first in range(0, live, 500):
                slots = order[first : first + 500]
                for record_id in alive[slots].tolist():
                    store.delete(record_id)
                alive[slots] = np.arange(next_id, next_id + len(slots))
                put(alive[slots])
                next_id += len(slots)
                put(alive[order[: len(slots)]])
                put(alive[order[-len(slots) :]])
                if first % 2_500 == 0:
                    store.maintain()
            store.maintain()
            units = vectors[alive % live]
            units = units / np.linalg.norm(units, axis=1)[:, None]
            found = 0
            for query in clustered(np.random.default_rng(1), 40, 64):
                truth = set(alive[np.argsort(-(units @ query))[:10]].tolist())
                found += len(truth & {hit.id for hit in store.search(query)})
            stats = store.stats()
            samples.append(
                {
                    "recall": found / 400,
                    "private": private_bytes(),
                    "accounted": stats["accounted_bytes"],
                    "log": stats["log_bytes"],
                    "live": stats["disk_live_bytes"],
                    "disk": stats["disk_total_bytes"],
                    "tombstones": stats["tombstones_bytes"],
                }
            )
    answers.put(samples)


@pytest.mark.slow
def test_a_million_deletes_and_stores_leave_memory_disk_and_recall_where_they_were() -> None:
    """25 turnovers of 10,000 records, each record stored three times and deleted once in each.

    In a process of its own; the end of the last turnover is held against that of the first.
    """
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_churn, args=(25, 10_000, answers))
    process.start()
    samples = answers.get(timeout=500)
    process.join()
    first, settled, last = samples[0], samples[1], samples[-1]
    print(first, last)  # noqa: T201 - the figures are the proof

    assert last["recall"] >= first["recall"] - 0.005
    assert last["private"] <= 1.05 * first["private"]
    assert last["disk"] <= 1.05 * first["disk"]
    # What is kept compressed in RAM fills up during the first two.
    assert last["accounted"] <= 1.05 * settled["accounted"]
    assert max(sample["log"] for sample in samples) <= 1.25 * last["live"]


def test_readers_and_writers_at_once_see_only_what_is_true(tmp_path: Path) -> None:
    """Two writers, two readers and the maintenance thread on one engine."""
    options = Options(
        dimensions=16,
        capacity_records=2_000,
        segment_bytes=64 << 10,
        short_term_records=50,
        durability="never",
    )
    problems: list[str] = []
    stop = threading.Event()

    def write(store: engine.Engine, half: int) -> None:
        rng = np.random.default_rng(half)
        for step in range(3_000):
            record_id = int(rng.integers(500)) * 2 + half
            if rng.random() < 0.3:
                store.delete(record_id)
            else:
                text = f"{record_id} {step} " + "x" * 100
                store.store(memory(record_id, agent=record_id % 5, text=text, pinned=True))

    def read(store: engine.Engine, seed: int) -> None:
        rng = np.random.default_rng(seed)
        while not stop.is_set():
            record_id = int(rng.integers(1_000))
            found = store.get(record_id)
            if found and not found.text.startswith(f"{record_id} "):
                problems.append(f"get {record_id} gave {found.text[:20]}")
            for hit in store.search(memory(record_id).vector, 5, agent=record_id % 5):
                if hit.agent != record_id % 5 or not hit.text.startswith(f"{hit.id} "):
                    problems.append(f"search for {record_id} gave {hit}")

    with engine.open(tmp_path, options) as store:
        writers = [threading.Thread(target=write, args=(store, half)) for half in range(2)]
        readers = [threading.Thread(target=read, args=(store, seed)) for seed in (7, 8)]
        for thread in writers + readers:
            thread.start()
        for thread in writers:
            thread.join()
        stop.set()
        for thread in readers:
            thread.join()
        expected = {i: store.get(i) for i in range(1_000)}
        assert 0 == store.stats()["maintenance_failed_count"]
    assert [] == problems
    with engine.open(tmp_path, options) as store:
        for record_id, record in expected.items():
            found = store.get(record_id)
            assert (record and record.text) == (found and found.text)
