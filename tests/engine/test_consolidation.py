"""What is looked at for near duplicates, and what remains of them?"""

from dataclasses import replace
from pathlib import Path

import pytest

import engine
from engine import Memory
from tests.engine.scene import SMALL, HandClock, memory

ALIKE = replace(SMALL, consolidate_similarity=0.98)


def twin(record_id: int, **fields: object) -> Memory:
    """A memory that says what memory 1 says."""
    return replace(memory(1), id=record_id, **fields)


def looked_at(store: engine.Engine, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list that grows by one with every record that is compared with others."""
    looks: list[object] = []
    nearest = store._search.nearest

    def noted(*question: object) -> list[engine.Hit]:
        looks.append(question)
        return nearest(*question)

    monkeypatch.setattr(store._search, "nearest", noted)
    return looks


def test_only_what_was_stored_since_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.open(tmp_path, ALIKE, HandClock()) as store:
        looks = looked_at(store, monkeypatch)
        store.store_batch([memory(i) for i in range(200)])
        store._maintenance.run(explicit=False)
        assert 64 == len(looks)
        store.maintain()
        assert 200 == len(looks)

        store.maintain()
        store.get(3)
        store.delete(5)  # the last record moves into its row
        store.maintain()
        assert 200 == len(looks)

        store.store(memory(300))
        store.update(7, importance=0.9)
        store.maintain()
        assert 202 == len(looks)


def test_more_changes_than_are_remembered_are_looked_at_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.open(tmp_path, ALIKE, HandClock()) as store:
        store.store_batch([memory(i) for i in range(20)])
        store.maintain()
        looks = looked_at(store, monkeypatch)
        store.store_batch([memory(i) for i in range(100, 130)])
        store._live.columns.changes += 20_000

        store.maintain()

        assert 30 == len(looks)


def test_many_that_say_the_same_become_one(tmp_path: Path) -> None:
    with engine.open(tmp_path, ALIKE, HandClock()) as store:
        store.store_batch([twin(i) for i in range(300)])

        store.maintain()
        assert 1 == store.count()

        store.store(twin(400))
        store.maintain()
        assert 1 == store.count()


def test_what_remains_is_as_young_as_the_youngest(tmp_path: Path) -> None:
    clock = HandClock()
    with engine.open(tmp_path, replace(ALIKE, ttl_s=100.0), clock) as store:
        store.store(twin(1))
        for _ in range(9):
            store.get(1)
        clock.elapsed_s += 90
        store.get(1)
        store.store(twin(2))
        store.maintain()
        assert [1] == store.scan(10)
        clock.elapsed_s += 20

        store.maintain()

        assert "memory 1" == store.get(1).text


@pytest.mark.parametrize("importance", [0.4, 0.6])
def test_what_remains_was_read_as_often_as_all(tmp_path: Path, importance: float) -> None:
    clock = HandClock()
    with engine.open(tmp_path, ALIKE, clock) as store:
        store.store_batch([twin(1, importance=0.5), twin(2, importance=importance)])
        for _ in range(100):
            store.get(1)
        clock.elapsed_s += 60
        for _ in range(5):
            store.get(2)
        read_at_s = store.now_s()
        clock.elapsed_s += 60

        store.maintain()

        (survivor,) = store.scan(10)
        row = store._live.rows[survivor]
        assert 105 == store._live.columns.accesses[row]
        assert read_at_s == store._live.columns.accessed[row]
        assert pytest.approx(max(0.5, importance)) == store.get(survivor).importance


def test_without_room_for_what_remains_all_stay_and_maintenance_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.open(tmp_path, ALIKE, HandClock()) as store:
        store.store_batch([twin(1, importance=0.5), twin(2, importance=0.6)])
        for _ in range(100):
            store.get(1)
        is_full = True
        replaced = store._writer.replace

        def refused(*what: object) -> int:
            if is_full:
                raise engine.CapacityError("full")
            return replaced(*what)

        monkeypatch.setattr(store._writer, "replace", refused)
        store.maintain()
        assert {1, 2} == set(store.scan(10))

        is_full = False
        store.maintain()
        assert 1 == store.count()
