"""Sign sketches against counting bit by bit, and the room that they lie in."""

import numpy as np
import pytest

from engine.columns import Columns
from engine.reserved import Reserved
from engine.sketch import nearest, sketches_of, word_count


def drawn(rng: np.random.Generator, n: int, dimensions: int) -> np.ndarray:
    return rng.integers(-127, 128, (n, dimensions)).astype(np.int8)


@pytest.mark.parametrize("dimensions", [1, 63, 64, 65, 200, 384])
def test_the_nearest_are_those_with_fewest_signs_that_differ(dimensions):
    rng = np.random.default_rng(dimensions)
    levels, query = drawn(rng, 300, dimensions), drawn(rng, 1, dimensions)
    differing = ((levels >= 0) != (query >= 0)).sum(axis=1)

    for count in (1, 7, 299):
        found = nearest(sketches_of(query)[0], sketches_of(levels), count)

        order = np.argsort(differing, kind="stable")
        assert set(order[:count].tolist()) == set(found.tolist())


def test_more_rows_are_looked_at_than_one_step_counts():
    rng = np.random.default_rng(1)
    levels = drawn(rng, 300_000, 64)
    words = sketches_of(levels)

    for wanted in (0, 65_535, 65_536, 299_999):
        assert wanted in nearest(words[wanted], words, 5).tolist()


def test_all_rows_come_where_there_are_no_more():
    words = sketches_of(drawn(np.random.default_rng(2), 5, 64))

    assert [0, 1, 2, 3, 4] == nearest(words[0], words, 9).tolist()
    assert [] == nearest(words[0], words[:0], 9).tolist()


def test_columns_keep_the_sketch_of_each_row_through_removal_and_trimming():
    rng = np.random.default_rng(3)
    columns = Columns(40_000, 384)
    words = sketches_of(drawn(rng, 30_000, 384))
    columns.sketch[columns.extend(30_000)] = words

    columns.remove(0)
    columns.remove_many(np.array([3, 29_998, 17]))
    columns.remove_many(np.arange(10_000, 29_996))
    while columns.trim():
        pass

    kept = np.arange(10_000)
    kept[0] = 29_999
    moved = columns.sketch[[3, 17]]
    assert columns.n == 10_000
    assert (
        np.delete(words[kept], [3, 17], axis=0)
        == np.delete(columns.sketch[:10_000], [3, 17], axis=0)
    ).all()
    assert {29_996, 29_997} == {int(np.flatnonzero((words == one).all(axis=1))[0]) for one in moved}


def test_giving_rows_back_leaves_those_before_them_of_every_item():
    room = Reserved(3_000, word_count(384), np.uint64, is_by_item=True)
    room.array[:] = np.arange(18_000, dtype=np.uint64).reshape(3_000, 6) + np.uint64(1)
    before = room.array[:1_000].copy()

    room.release(1_000, 3_000)

    assert (before == room.array[:1_000]).all()
    assert not room.array[1_024:].any()
    assert 6 * 8_192 == room.touched_bytes(1_000)
