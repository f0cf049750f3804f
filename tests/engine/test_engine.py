import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import BadInputError, ClosedError, Memory, Options
from engine.graph import EdgeKey, Graph
from engine.log import Place
from tests.engine.model import Model
from tests.engine.scene import (
    DIMENSIONS,
    SMALL,
    HandClock,
    abandon,
    clustered,
    memory,
    memory_backed_directory,
    open_small,
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_answers_are_those_of_a_dictionary_through_maintenance_and_reopening(seed: int) -> None:
    model = Model(np.random.default_rng(seed))
    with memory_backed_directory() as directory:
        for _ in range(5):
            with open_small(directory) as store:
                model.check_all(store)
                for _ in range(600):
                    model.step(store)
                model.check_all(store)


def test_what_was_stored_is_there_after_reopening_without_close(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    store.store_batch([memory(i, agent=i % 3, tags=("a",)) for i in range(100)])
    store.link(1, 2, "knows", 0.5)
    store.delete(50)
    abandon(store)

    with open_small(tmp_path) as reopened:
        assert 99 == reopened.count()
        assert reopened.get(50) is None
        assert "memory 7" == reopened.get(7).text
        assert [2] == reopened.traverse(1, 1)
        assert 33 == len(reopened.search(memory(1).vector, 100, agent=1, tag="a"))


def test_eviction_takes_the_least_important_and_never_a_pinned_record(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store_batch([memory(i, importance=0.0, pinned=True) for i in range(50)])
        store.store_batch([memory(i, importance=i / 1000) for i in range(50, 500)])
        store.store(memory(999, importance=0.9))

        kept = set(store.scan(1000))

        assert kept.issuperset(range(50))
        evicted = set(range(500)) - kept
        assert set(range(50, 50 + len(evicted))) == evicted
        assert 51 == store.stats()["records_evicted_count"]


def test_a_store_of_nothing_but_pinned_records_refuses_one_more(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store_batch([memory(i, pinned=True) for i in range(500)])

        with pytest.raises(engine.CapacityError, match="pinned"):
            store.store(memory(999))

        assert store.get(999) is None
        assert "memory 3" == store.get(3).text


def test_explicit_maintenance_evicts_to_the_watermark_and_says_so(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store_batch([memory(i) for i in range(500)])

        store.maintain()

        assert 450 == store.count()
        event = next(event for event in store.events() if event.kind == "evict")
        assert (50, True) == (event.records, event.explicit)
        assert event.sequence not in [e.sequence for e in store.events(after=event.sequence)]


def test_compaction_gives_bytes_back_and_loses_nothing(tmp_path: Path) -> None:
    options = replace(SMALL, capacity_records=5000)
    with engine.open(tmp_path, options, HandClock()) as store:
        store.store_batch([memory(i, text="x" * 200) for i in range(3000)])
        for i in range(0, 3000, 3):
            store.store(memory(i, text="y" * 200))
        for i in range(1, 3000, 3):
            store.delete(i)
        before = store.stats()

        store.maintain()

        after = store.stats()
        reclaimed = sum(e.bytes_reclaimed for e in store.events() if e.kind == "compact")
        file_headers = 64 * after["segments_count"]
        assert reclaimed == pytest.approx(
            before["log_bytes"] - after["log_bytes"], abs=file_headers
        )
        assert after["log_bytes"] < 1.4 * after["disk_live_bytes"]
        texts = {store.get(i).text for i in range(0, 3000, 3)}
        assert {"y" * 200} == texts
        assert 2000 == store.count()
    with engine.open(tmp_path, options, HandClock()) as reopened:
        assert 2000 == reopened.count()
        assert "x" * 200 == reopened.get(2).text


def test_search_finds_what_brute_force_finds(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    vectors = clustered(rng, 5_000, 64)
    options = Options(dimensions=64, maintenance=False)
    with engine.open(tmp_path, options) as store:
        store.store_batch(
            [Memory(id=i, agent=i % 10, text="", vector=v) for i, v in enumerate(vectors)]
        )
        units = vectors / np.linalg.norm(vectors, axis=1)[:, None]
        found = found_by_agent = 0
        for query in clustered(np.random.default_rng(5), 50, 64):
            scores = units @ query
            truth = set(np.argsort(-scores)[:10].tolist())
            found += len(truth & {hit.id for hit in store.search(query)})
            mine = np.where(np.arange(5_000) % 10 == 3, scores, -np.inf)
            truth = set(np.argsort(-mine)[:10].tolist())
            hits = store.search(query, agent=3)
            found_by_agent += len(truth & {hit.id for hit in hits})
            assert all(hit.agent == 3 for hit in hits)

    assert found >= 490
    assert found_by_agent >= 490


def test_hits_are_ordered_and_scored_by_cosine(tmp_path: Path) -> None:
    axes = np.eye(DIMENSIONS, dtype=np.float32)
    with open_small(tmp_path) as store:
        store.store(Memory(id=1, agent=0, text="same", vector=3 * axes[0]))
        store.store(Memory(id=2, agent=0, text="half", vector=axes[0] + axes[1]))
        store.store(Memory(id=3, agent=0, text="none", vector=axes[2]))

        hits = store.search(axes[0], 2)

    assert [1, 2] == [hit.id for hit in hits]
    assert pytest.approx([1.0, 0.5**0.5], abs=1e-3) == [hit.score for hit in hits]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vector": np.ones(DIMENSIONS + 1, np.float32)}, "shape"),
        ({"vector": np.full(DIMENSIONS, np.nan, np.float32)}, "NaN"),
        ({"vector": np.zeros(DIMENSIONS, np.float32)}, "zero"),
        ({"id": -1}, "2\\^64"),
        ({"id": 2**64}, "2\\^64"),
        ({"id": 1.5}, "whole number"),
        ({"agent": -1}, "agent"),
        ({"importance": 1.5}, "importance"),
        ({"importance": float("nan")}, "importance"),
        ({"created_s": float("inf")}, "created_s"),
        ({"text": "x" * 2_000_000}, "limit"),
        ({"text": "\ud800"}, "text"),
        ({"tags": tuple(map(str, range(100)))}, "tags"),
        ({"tags": (1, 2)}, "not text"),
        ({"tags": 7}, "tags"),
        ({"tags": "tea"}, "tags 'tea'"),
        ({"importance": "0.5"}, "importance '0.5'"),
        ({"text": None}, "not text"),
        ({"agent": 1.5}, "agent"),
        ({"agent": None}, "agent"),
        ({"agent": 2**32}, "agent"),
        ({"importance": "much"}, "importance"),
        ({"created_s": "today"}, "created_s"),
        ({"vector": "a vector"}, "no array of real numbers"),
        ({"vector": [[1.0], [2.0, 3.0]]}, "no array of numbers"),
        ({"vector": None}, "shape|NaN|numbers"),
        ({"vector": np.full(DIMENSIONS, np.inf, np.float32)}, "infinity"),
        ({"id": "one"}, "whole number"),
        ({"id": None}, "whole number"),
        ({"id": [1]}, "whole number"),
        ({"importance": np.array([0.5])}, "importance is an array"),
        ({"importance": np.array([0.5, 0.6])}, "importance is an array"),
        ({"created_s": np.array([5.0])}, "created_s is an array"),
        ({"created_s": 10**400}, "created_s"),
        ({"pinned": "no"}, "pinned 'no'"),
        ({"pinned": np.array([1, 2])}, "pinned"),
        ({"vector": ["1"] * DIMENSIONS}, "no array of real numbers"),
        ({"vector": np.full(DIMENSIONS, 1j)}, "no array of real numbers"),
        ({"vector": np.full(DIMENSIONS, 1e300)}, "more than single precision"),
        ({"vector": np.full(DIMENSIONS, 1e-300)}, "all zero in single precision"),
    ],
)
def test_bad_input_is_refused_by_name_and_nothing_written(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with open_small(tmp_path) as store:
        with pytest.raises(BadInputError, match=message):
            store.store_batch([memory(1), replace(memory(2), **changes)])

        assert 0 == store.count()
        assert 0 == store.stats()["log_appended_bytes"]


@pytest.mark.parametrize("given", [None, 5, memory(1), [memory(1), None], [{"id": 1}]])
def test_a_batch_of_anything_but_memories_is_refused(tmp_path: Path, given: object) -> None:
    with open_small(tmp_path) as store:
        with pytest.raises(BadInputError, match="Memory"):
            store.store_batch(given)
        assert 0 == store.count()


def test_numpy_texts_and_numbers_are_fine(tmp_path: Path) -> None:
    given = Memory(
        id=np.int64(1),
        agent=np.uint32(2),
        text=np.str_("tea"),
        vector=list(range(1, DIMENSIONS + 1)),
        importance=np.float32(0.5),
        pinned=np.bool_(True),
        tags=(np.str_("taste"),),
        created_s=1_600_000_000,
    )
    with open_small(tmp_path) as store:
        store.store(given)
        found = store.get(1)

    kept = (found.text, found.tags, found.agent, found.pinned, found.importance, found.created_s)
    assert ("tea", ("taste",), 2, True, 0.5, 1_600_000_000.0) == kept


def test_bad_input_at_the_end_of_a_long_batch_is_refused_and_nothing_written(
    tmp_path: Path,
) -> None:
    with open_small(tmp_path) as store:
        with pytest.raises(BadInputError, match="record 300: importance"):
            store.store_batch([*map(memory, range(300)), memory(300, importance=2.0)])

        assert 0 == store.count()
        assert 0 == store.stats()["log_appended_bytes"]


def test_times_without_a_bound_are_a_question(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store(memory(1))

        hits = store.search(memory(1).vector, since_s=float("-inf"), until_s=float("inf"))

        assert [1] == [hit.id for hit in hits]


def test_a_traverse_ends_where_there_is_nothing_ahead() -> None:
    class Counted(Graph):
        looks = 0

        def _unseen(self, *frontier: object) -> list[int]:
            self.looks += 1
            return super()._unseen(*frontier)

    graph = Counted(10)
    graph.add(EdgeKey(1, 2, 0), 1.0, 1, Place(1, 64), 84)

    assert [2] == graph.traverse(1, 1_000, 10)
    assert 2 == graph.looks


def test_bad_questions_are_refused(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        with pytest.raises(BadInputError, match="k is 0"):
            store.search(memory(1).vector, 0)
        with pytest.raises(BadInputError, match="query"):
            store.search(np.zeros(DIMENSIONS, np.float32))
        with pytest.raises(BadInputError, match="medium"):
            store.search(memory(1).vector, tier="medium")
        with pytest.raises(engine.NotFoundError, match="no record 9"):
            store.update(9, text="nobody")
        with pytest.raises(engine.NotFoundError, match="no record 8"):
            store.link(8, 9, "knows")
        store.store_batch([memory(1), memory(2)])
        for question in (
            lambda: store.get("one"),
            lambda: store.get(-1),
            lambda: store.text(None),
            lambda: store.delete(1.0),
            lambda: store.delete_batch([1, "two"]),
            lambda: store.update(1, vector=np.ones(3)),
            lambda: store.update(1, importance=2.0),
            lambda: store.update("one", text=""),
            lambda: store.search(memory(1).vector, 2.5),
            lambda: store.search(memory(1).vector, agent="me"),
            lambda: store.search("tea"),
            lambda: store.link(1, 2, None),
            lambda: store.link(1, 2, ""),
            lambda: store.link(1, 2, -1),
            lambda: store.link(1, 2, "knows", float("nan")),
            lambda: store.link(1, 2, "knows", "a lot"),
            lambda: store.unlink(1, "two", "knows"),
            lambda: store.neighbours("one"),
            lambda: store.traverse(1, -1),
            lambda: store.shortest_path(1, None),
            lambda: store.scan("all"),
            lambda: store.transition(None, 0.5),
            lambda: store.transition("short", "x"),
            lambda: store.transition("short", float("nan")),
            lambda: store.link(1, 2, "a", 1e300),
            lambda: store.link(1, 2, "a", 10**400),
            lambda: store.link(1, 2, "a", "0.5"),
            lambda: store.link(1, 2, "\ud800"),
            lambda: store.search(memory(1).vector, tag=5),
            lambda: store.search(memory(1).vector, tag="\ud800"),
            lambda: store.search(memory(1).vector, tier=5),
            lambda: store.search(memory(1).vector, since_s="today"),
            lambda: store.search(memory(1).vector, until_s=float("nan")),
        ):
            with pytest.raises(BadInputError):
                question()
        assert 2 == store.count()


def test_a_closed_engine_says_so(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    store.close()
    store.close()

    for question in (store.count, store.stats, store.maintain, lambda: store.get(1)):
        with pytest.raises(ClosedError, match=str(tmp_path)):
            question()


def _try_to_open(directory: Path, answers: "multiprocessing.Queue[str]") -> None:
    try:
        engine.open(directory, SMALL).close()
        answers.put("opened")
    except engine.LockedError:
        answers.put("locked")


def test_a_second_process_is_locked_out_until_close(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    store = open_small(tmp_path)
    with pytest.raises(engine.LockedError):
        open_small(tmp_path)

    for expected in ("locked", "opened"):
        other = context.Process(target=_try_to_open, args=(tmp_path, answers))
        other.start()
        assert expected == answers.get(timeout=60)
        other.join()
        store.close()


def test_directories_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(engine.DirectoryError, match=r"thesis\.txt"):
        open_small(tmp_path)
    with pytest.raises(engine.DirectoryError, match="is a file"):
        open_small(tmp_path / "thesis.txt")


def test_another_dimension_or_format_is_refused(tmp_path: Path) -> None:
    with open_small(tmp_path / "a") as store:
        store.store(memory(1))
    with pytest.raises(engine.FormatError, match="vectors of 16"):
        engine.open(tmp_path / "a", replace(SMALL, dimensions=32))
    manifest = tmp_path / "a" / "manifest"
    manifest.write_bytes(manifest.read_bytes().replace(b'"format":1', b'"format":2'))
    with pytest.raises(engine.FormatError, match="format 2"):
        open_small(tmp_path / "a")
    manifest.unlink()
    with pytest.raises(engine.FormatError, match="vectors of 16"):
        engine.open(tmp_path / "a", replace(SMALL, dimensions=32))
