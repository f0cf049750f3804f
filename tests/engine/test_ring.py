import mmap

import numpy as np

from engine.ring import Ring


def test_what_is_read_is_what_was_added_until_it_is_overwritten() -> None:
    rng = np.random.default_rng(1)
    ring = Ring(8 * mmap.PAGESIZE)
    kept: list[tuple[int, bytes]] = []
    for step in range(2_000):
        content = rng.bytes(int(rng.integers(1, 600)))
        kept.append((ring.add(content), content))
        if step % 97 == 0:
            ring.drop_before(kept[len(kept) // 2][0])
        kept = [(position, bytes_) for position, bytes_ in kept if position >= ring.oldest]

        assert all(content == ring.read(at, len(content)) for at, content in kept)
        assert ring.touched_bytes <= 8 * mmap.PAGESIZE


def test_what_was_dropped_gives_its_pages_back_and_is_gone() -> None:
    ring = Ring(64 * mmap.PAGESIZE)
    positions = [ring.add(b"x" * 1_000) for _ in range(100)]

    ring.drop_before(positions[90])

    assert ring.read(positions[0], 1_000) is None
    assert b"x" * 1_000 == ring.read(positions[95], 1_000)
    assert ring.touched_bytes <= 12 * 1_000 + 2 * mmap.PAGESIZE
