"""The index answers as one dictionary would, and holds no more than its entries need."""

import numpy as np
import pytest

from engine.index import Index


def churned(index: Index, expected: dict[int, int], turnovers: int) -> None:
    """Replace all ids so many times, as deletes and stores at a constant size do."""
    fresh = max(expected) + 1
    for _ in range(turnovers * len(expected)):
        oldest = next(iter(expected))
        row = expected.pop(oldest)
        assert index.pop(oldest) == row
        index.put([fresh], [row])
        expected[fresh] = row
        fresh += 1


def test_answers_as_a_dictionary_after_any_operations() -> None:
    rng = np.random.default_rng(1)
    index, expected = Index(), dict[int, int]()
    for step in range(20_000):
        record_id = int(rng.integers(0, 2_000)) * 2**53
        if rng.random() < 0.4:
            assert index.pop(record_id) == expected.pop(record_id, None)
        elif rng.random() < 0.02:
            index.shrink()
        else:
            index.put([record_id, 7], [step, step + 1])
            expected |= {record_id: step, 7: step + 1}
        assert (record_id in index) == (record_id in expected)
        assert len(index) == len(expected)
    assert {record_id: index[record_id] for record_id in index} == expected


def test_unknown_ids_have_no_row() -> None:
    index = Index()
    assert index.get(3) is None
    assert index.pop(3) is None
    assert 3 not in index


def test_churn_leaves_no_more_behind_than_a_fresh_index_takes() -> None:
    index, fresh = Index(), Index()
    rows = range(60_000)
    expected = dict(zip(rows, rows, strict=True))
    index.put(expected, rows)
    churned(index, expected, turnovers=2)
    before_bytes = index.accounted_bytes
    while index.shrink():
        pass
    fresh.put(expected, expected.values())
    assert index.accounted_bytes < before_bytes
    assert index.accounted_bytes <= 1.1 * fresh.accounted_bytes
    assert {record_id: index[record_id] for record_id in index} == expected


@pytest.mark.parametrize("left", range(12))
def test_shrinking_ends_however_few_are_left(left: int) -> None:
    index = Index()
    index.put(range(20_000), range(20_000))
    for record_id in range(left, 20_000):
        index.pop(record_id)
    steps = [index.shrink() for _ in range(20)]
    assert steps[0]
    assert not steps[-1]


def test_what_is_left_of_many_takes_little() -> None:
    index = Index()
    index.put(range(100_000), range(100_000))
    full_bytes = index.accounted_bytes
    for record_id in range(90_000):
        index.pop(record_id)
    steps = 0
    while index.shrink():
        steps += 1
    # The whole numbers' own room is never given back by the interpreter.
    numbers_bytes = 64 * 100_000
    assert index.accounted_bytes - numbers_bytes < 0.2 * (full_bytes - numbers_bytes)
    assert steps > 1
