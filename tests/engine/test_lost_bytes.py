"""What if the end of a segment is gone that was durable, and of which a checkpoint knows?"""

import os
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import CorruptError
from tests.engine.scene import memory, memory_backed_directory, open_small

FILLER = "f" * 2_000


def filled(store: engine.Engine, first: int, segments: int) -> int:
    """Store until there are so many segments; the next id."""
    while store.stats()["segments_count"] < segments:
        store.store(memory(first, text=FILLER))
        first += 1
    return first


def written(directory: Path) -> set[int]:
    """Old versions and links in the first segment, new ones in the second; the ids that live."""
    with open_small(directory) as store:
        for i in (1, 2, 3, 4):
            store.store(memory(i, text="old"))
        store.link(3, 4, "knows", 0.25)
        store.link(4, 3, "knows")
        last = filled(store, 100, 2)
        store.store(memory(1, text="new"))
        store.delete(2)
        store.link(3, 4, "knows", 0.75)
        store.unlink(4, 3, "knows")
        filled(store, last, 3)
        return set(store.scan(500))


def beside(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_segment_without_its_end_gives_up_what_was_there_and_revives_nothing(
    tmp_path: Path,
) -> None:
    live = written(tmp_path)
    os.truncate(tmp_path / "000002.seg", 64)

    for opening in range(3):
        with open_small(tmp_path) as store:
            stats = store.stats()
            kept = set(store.scan(500))
            assert store.get(1) is None
            assert store.get(2) is None
            assert [] == store.neighbours(3)
            assert [] == store.neighbours(4)
            assert {3, 4} <= kept < live - {1}
            assert all(store.get(i).text in ("old", FILLER) for i in kept)
            assert (stats["recovery_damaged_count"] > 0) == (opening == 0)
            assert (stats["recovery_cut_bytes"] > 60_000) == (opening == 0)
            # The checkpoints and what was copied must say the same as the log did.
            store.maintain()


def test_it_stays_so_when_the_next_session_is_killed(tmp_path: Path) -> None:
    """As a killed process leaves it: what it had on disk, with the checkpoint that knows more."""
    written(tmp_path)
    os.truncate(tmp_path / "000003.seg", 80)
    os.truncate(tmp_path / "000002.seg", 64)
    store = open_small(tmp_path)
    store.store(memory(7, text="since"))
    left = beside(tmp_path)
    store.close()
    for path in tmp_path.iterdir():
        path.unlink()
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)

    with open_small(tmp_path) as store:
        assert "since" == store.get(7).text
        assert store.get(1) is None
        assert store.get(2) is None
        assert [] == store.neighbours(3) + store.neighbours(4)


def test_wherever_it_is_cut_a_record_is_as_it_was_or_gone() -> None:
    rng = np.random.default_rng(21)
    with memory_backed_directory() as directory:
        written(directory)
        whole = beside(directory)
    for cut in rng.integers(64, len(whole["000002.seg"]), 25).tolist():
        with memory_backed_directory() as directory:
            directory.mkdir()
            for name, content in whole.items():
                (directory / name).write_bytes(content)
            os.truncate(directory / "000002.seg", cut)
            with open_small(directory) as store:
                found = store.get(1)
                assert found is None or "new" == found.text, f"cut at {cut}"
                assert store.get(2) is None, f"cut at {cut}"
                assert [] == store.neighbours(4), f"cut at {cut}"
                assert {0.75} >= {edge.weight for edge in store.neighbours(3)}, f"cut at {cut}"
                assert 0 < store.stats()["recovery_cut_bytes"], f"cut at {cut}"


@pytest.mark.parametrize("size", [0, 10, 63])
def test_a_segment_without_even_its_header_is_refused_and_left_alone(
    tmp_path: Path, size: int
) -> None:
    with open_small(tmp_path) as store:
        store.store_batch([memory(i) for i in range(50)])
    os.truncate(tmp_path / "000001.seg", size)

    with pytest.raises(CorruptError, match=r"000001\.seg"):
        open_small(tmp_path)

    assert size == (tmp_path / "000001.seg").stat().st_size
