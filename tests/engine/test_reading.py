"""Are many records read at once the same as one by one?"""

from dataclasses import replace
from pathlib import Path

import pytest

import engine
from tests.engine.scene import SMALL, HandClock, memory, open_small


@pytest.mark.parametrize("short_count", [0, 400], ids=["from disk", "from RAM"])
def test_records_are_whole_and_to_read_them_in_bulk_is_no_use_of_them(
    tmp_path: Path, short_count: int
) -> None:
    options = replace(SMALL, short_term_records=short_count, intermediate_bytes=0)
    with engine.open(tmp_path, options, HandClock()) as store:
        store.store_batch([memory(i, agent=i % 3, tags=("a",)) for i in range(300)])
        store.delete(7)

        read = {found.id: found for found in store.records(1_000)}
        accesses = int(store._live.columns.accesses[: store.count()].sum())

        assert set(range(300)) - {7} == set(read)
        assert 100 == len(store.records(100))
        assert 0 == accesses
        for i, found in read.items():
            one = store.get(i)
            assert one is not None
            assert (one.text, one.agent, one.tags) == (found.text, found.agent, found.tags)
            assert (one.vector == found.vector).all()


def test_what_is_past_its_time_is_not_read(tmp_path: Path) -> None:
    clock = HandClock()
    with engine.open(tmp_path, replace(SMALL, ttl_s=10.0), clock) as store:
        store.store_batch([memory(1), memory(2, pinned=True)])
        clock.sleep(11)

        assert [2] == [found.id for found in store.records(10)]

        store.delete(2)

        assert [] == store.records(10)


def test_a_number_of_records_below_none_is_refused(tmp_path: Path) -> None:
    with open_small(tmp_path) as store, pytest.raises(engine.BadInputError, match="limit"):
        store.records(-1)
