"""Does short-term keep what it says it keeps, and give back the room of what has gone?"""

import mmap

import numpy as np
import pytest

from engine.tiers import Tiers

BODY = b"x" * 1_000


@pytest.fixture
def tiers() -> Tiers:
    """Room for about 270 bodies: the slack alone."""
    return Tiers(16, 0, 8 << 10)


def test_bodies_come_back_and_a_later_one_replaces_an_earlier(tiers: Tiers) -> None:
    tiers.keep_whole([1, 2, 1], [b"first", b"", b"second"])

    assert (b"second", b"", None) == (tiers.body(1), tiers.body(2), tiers.body(3))
    assert [2, 1] == tiers.oldest_short(5)


def test_what_finds_no_room_is_named_and_the_oldest_go_first(tiers: Tiers) -> None:
    outside: list[int] = []
    for record_id in range(400):
        outside += tiers.keep_whole([record_id], [BODY + bytes([record_id % 256])])

    assert list(range(len(outside))) == outside
    assert 400 == len(outside) + tiers.short_count()
    assert 250 < tiers.short_count() < 270
    assert all(BODY + bytes([i % 256]) == tiers.body(i) for i in range(len(outside), 400))
    assert [7] == tiers.keep_whole([7], [b"y" * (300 << 10)])
    assert None is tiers.body(7)


@pytest.mark.parametrize("seed", range(5))
def test_bodies_of_any_size_are_right_or_named_as_outside(tiers: Tiers, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept: dict[int, bytes] = {}
    for _ in range(200):
        ids = rng.integers(0, 40, 8).tolist()
        bodies = [rng.bytes(int(rng.integers(0, 60_000))) for _ in ids]
        outside = tiers.keep_whole(ids, bodies)
        kept |= dict(zip(ids, bodies, strict=True))
        kept = {record_id: body for record_id, body in kept.items() if record_id not in outside}
        assert kept == {record_id: tiers.body(record_id) for record_id in tiers.oldest_short(99)}

    for record_id in list(kept):
        tiers.forget(record_id)
    assert (0, 0) == (tiers.needed_short_bytes, tiers.short_count())


def test_room_of_what_has_gone_comes_back(tiers: Tiers) -> None:
    tiers.keep_whole(range(200), [BODY] * 200)
    full_bytes = tiers.short_bytes
    for record_id in range(100):
        tiers.forget(record_id)
    tiers.give_back()

    assert tiers.short_bytes <= full_bytes // 2 + mmap.PAGESIZE
    for record_id in range(100, 200):
        tiers.forget(record_id)
    tiers.give_back()
    assert (0, 0) == (tiers.needed_short_bytes, tiers.short_count())
    assert tiers.short_bytes <= mmap.PAGESIZE


def test_holes_between_what_is_left_are_noticed() -> None:
    tiers = Tiers(16, 2 << 20, 8 << 10)
    tiers.keep_whole(range(1_000), [BODY] * 1_000)
    assert not tiers.is_short_sparse

    for record_id in range(1_000):
        if record_id % 10:
            tiers.forget(record_id)
    tiers.give_back()

    assert tiers.is_short_sparse
    assert tiers.needed_short_bytes < tiers.short_bytes // 5


def test_what_is_learned_from_is_bounded_and_accounted(tiers: Tiers) -> None:
    rng = np.random.default_rng(1)
    tiers.compressed(bytes(32) + rng.bytes(100_000))
    before_bytes = tiers.compression_bytes
    for _ in range(400):
        tiers.compressed(bytes(32) + rng.bytes(100_000))

    assert 400 * 2_048 == tiers.compression_bytes - before_bytes
