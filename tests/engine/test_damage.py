from pathlib import Path

import numpy as np
import pytest

import engine
from tests.engine.scene import SMALL, HandClock, abandon, memory, open_small


def written(directory: Path, count: int) -> Path:
    """A log of `count` records in one segment, as a killed process leaves it."""
    store = open_small(directory)
    for i in range(count):
        store.store(memory(i))
    abandon(store)
    return directory / "000001.seg"


def test_a_torn_tail_is_cut_and_only_the_torn_record_is_lost(tmp_path: Path) -> None:
    segment = written(tmp_path, 10)
    content = segment.read_bytes().rstrip(b"\0")
    frame_bytes = (len(content) - 64) // 10
    for cut in range(1, frame_bytes):
        segment.write_bytes(content[:-cut])

        with open_small(tmp_path) as store:
            assert 9 == store.count()
            assert store.get(9) is None
            store.store(memory(9))
            abandon(store)
        (tmp_path / "manifest").unlink()


def test_a_damaged_record_is_given_up_and_its_older_version_stays_dead(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    store.store(memory(1, text="old"))
    store.store(memory(1, text="new"))
    store.store(memory(2))
    abandon(store)
    segment = tmp_path / "000001.seg"
    content = bytearray(segment.read_bytes())
    content[content.index(b"new")] ^= 1
    segment.write_bytes(content)

    for _ in range(2):
        with open_small(tmp_path) as reopened:
            assert reopened.get(1) is None
            assert "memory 2" == reopened.get(2).text
            reopened.maintain()


def test_damage_found_while_reading_is_a_typed_error_that_says_where(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store(memory(1, text="findme"))
    segment = tmp_path / "000001.seg"
    content = bytearray(segment.read_bytes())
    content[content.index(b"findme")] ^= 1
    segment.write_bytes(content)

    with open_small(tmp_path) as store:
        with pytest.raises(engine.CorruptError, match=r"record 1: .*000001\.seg at 64"):
            store.get(1)
        assert [] == store.search(memory(1).vector)
        assert 1 == store.stats()["search_corrupt_count"]
        assert store.delete(1)


def test_any_flipped_bit_is_detected_or_harmless(tmp_path: Path) -> None:
    """Of 40 stores, updates and deletes: after a flip anywhere, a record is right or missing."""
    store = open_small(tmp_path / "a")
    expected: dict[int, str] = {}
    rng = np.random.default_rng(11)
    for step in range(40):
        record_id = int(rng.integers(12))
        if rng.random() < 0.25:
            store.delete(record_id)
            expected.pop(record_id, None)
        else:
            expected[record_id] = f"text {step}"
            store.store(memory(record_id, text=expected[record_id]))
    abandon(store)
    content = (tmp_path / "a" / "000001.seg").read_bytes()
    used = len(content.rstrip(b"\0"))
    last_frame = content.rindex(b"\xa5SKM")
    for flip in rng.integers(0, used, 400).tolist():
        damaged = bytearray(content[:used])
        damaged[flip] ^= 1 << int(rng.integers(8))
        directory = tmp_path / f"flip{flip}"
        directory.mkdir(exist_ok=True)
        (directory / "000001.seg").write_bytes(damaged)

        try:
            with engine.open(directory, SMALL, HandClock()) as damaged_store:
                found = {i: damaged_store.get(i) for i in range(12)}
        except (engine.CorruptError, engine.FormatError):
            assert flip < 64
            continue

        texts = {i: memory.text for i, memory in found.items() if memory}
        if flip < last_frame:
            assert texts.items() <= expected.items(), f"flip at {flip}"
            assert len(texts) >= len(expected) - 1
        for path in directory.iterdir():
            path.unlink()
