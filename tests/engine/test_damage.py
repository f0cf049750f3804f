import os
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import Disk, checkpoint
from engine.frame import MAGIC, Kind, decode_payload
from engine.live import Live
from engine.log import Log
from engine.recovery import recover
from engine.segment import Found, Segment
from tests.engine.scene import (
    DIMENSIONS,
    SMALL,
    abandon,
    memory,
    memory_backed_directory,
    open_small,
)


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


def logged(directory: Path, seed: int) -> tuple[bytes, dict[int, str]]:
    """A segment of 60 random stores and deletes of 12 records, and what they add up to."""
    store = open_small(directory)
    expected: dict[int, str] = {}
    rng = np.random.default_rng(seed)
    for step in range(60):
        record_id = int(rng.integers(12))
        if rng.random() < 0.25:
            store.delete(record_id)
            expected.pop(record_id, None)
        else:
            expected[record_id] = f"text {step}"
            store.store(memory(record_id, text=expected[record_id]))
    abandon(store)
    return (directory / "000001.seg").read_bytes().rstrip(b"\0"), expected


def recovered(directory: Path, content: bytes) -> dict[int, str] | None:
    """What recovery makes of a segment; None when it refuses the file."""
    (directory / "000001.seg").write_bytes(content)
    log = Log(Disk(), directory, DIMENSIONS, SMALL.segment_bytes)
    live = Live(SMALL, log)
    try:
        recover(Disk(), log, live)
    except (engine.CorruptError, engine.FormatError):
        return None
    found = {}
    for record_id in live.rows:
        where = live.where(record_id)
        body = live.read_body(where)
        found[record_id] = decode_payload(body[2 * DIMENSIONS :]).text
    return found


def test_no_flipped_bit_makes_a_frame_that_was_not_written(tmp_path: Path) -> None:
    """12,000 flips: each frame that passes for undamaged is one of those written."""
    rng = np.random.default_rng(15)
    content, _ = logged(tmp_path, seed=16)
    path = tmp_path / "000001.seg"
    path.write_bytes(content)
    segment = Segment.open(Disk(), path, DIMENSIONS)
    written = {frame.header.lsn: frame for frame in segment.walk().frames}
    for flip in rng.integers(64, len(content), 12_000).tolist():
        original = os.pread(segment.fd, 1, flip)
        os.pwrite(segment.fd, bytes([original[0] ^ 1 << int(rng.integers(8))]), flip)

        walk = segment.walk()

        os.pwrite(segment.fd, original, flip)
        for frame in walk.frames:
            truth = written[frame.header.lsn]
            assert truth.header.id == frame.header.id, f"flip at {flip}"
            assert frame.is_damaged or saves_all(frame, truth), f"flip at {flip}"
        assert len(walk.frames) >= len(written) - 1, f"flip at {flip}"


def saves_all(frame: Found, truth: Found) -> bool:
    """Is it the frame itself, or a delete read from its trailer?"""
    return frame == truth or Kind.DELETE == frame.header.kind == truth.header.kind


def test_any_flipped_bit_is_detected_or_harmless() -> None:
    """4,000 flips: a record is right or missing, at most one is missing, nothing hangs."""
    rng = np.random.default_rng(12)
    with memory_backed_directory() as directory:
        content, expected = logged(directory, seed=11)
        last_frame = content.rindex(MAGIC)
        for flip in rng.integers(0, len(content), 4_000).tolist():
            damaged = bytearray(content)
            damaged[flip] ^= 1 << int(rng.integers(8))

            found = recovered(directory, bytes(damaged))

            if flip < 64:
                assert found is None or expected == found
            elif flip < last_frame:
                assert found.items() <= expected.items(), f"flip at {flip}"
                assert len(found) >= len(expected) - 1, f"flip at {flip}"
            else:
                # A last frame without header and trailer cannot be told from a torn one.
                assert len(found.items() ^ expected.items()) <= 2, f"flip at {flip}"


def test_a_cut_at_every_byte_of_the_last_frames_leaves_what_was_whole() -> None:
    with memory_backed_directory() as directory:
        content, _ = logged(directory, seed=13)
        starts = [at for at in range(len(content)) if content.startswith(MAGIC, at)]
        whole = {end: recovered(directory, content[:end]) for end in starts[-6:]}
        for cut in range(starts[-6], len(content)):
            end = max(start for start in starts if start <= cut)

            assert whole[end] == recovered(directory, content[:cut]), f"cut at {cut}"


def test_a_flipped_checkpoint_is_noticed_and_the_segment_read_instead(tmp_path: Path) -> None:
    """4,000 flips and every cut: it is read as it was written, or not at all."""
    with open_small(tmp_path) as store:
        store.store_batch([memory(i) for i in range(20)])
        store.link(1, 2, "knows")
    path = tmp_path / "000001.ckpt"
    content = path.read_bytes()
    segment = Segment.open(Disk(), tmp_path / "000001.seg", DIMENSIONS)
    segment.end = segment.allocated
    rng = np.random.default_rng(14)
    for flip in rng.integers(0, len(content), 4_000).tolist():
        damaged = bytearray(content)
        damaged[flip] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        assert checkpoint.read(Disk(), segment, DIMENSIONS) is None, f"flip at {flip}"
    for cut in range(len(content)):
        path.write_bytes(content[:cut])
        assert checkpoint.read(Disk(), segment, DIMENSIONS) is None, f"cut at {cut}"

    with open_small(tmp_path) as reopened:
        assert 20 == reopened.count()
        assert [2] == reopened.traverse(1, 1)


def test_a_checkpoint_says_what_the_segment_says(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store_batch([memory(i, agent=i) for i in range(50)])
        store.delete(7)
    segment = Segment.open(Disk(), tmp_path / "000001.seg", DIMENSIONS)

    written = checkpoint.read(Disk(), segment, DIMENSIONS)
    read_anew = checkpoint.digest(segment)

    assert written.headers.tobytes() == read_anew.headers.tobytes()
    assert written.offsets.tobytes() == read_anew.offsets.tobytes()
    assert written.covered_bytes == read_anew.covered_bytes


def test_damage_under_a_checkpoint_is_told_and_never_answered() -> None:
    """1,000 flips in a segment whose checkpoint is sound: a record is right, or CorruptError."""
    rng = np.random.default_rng(17)
    refused = 0
    with memory_backed_directory() as directory:
        with open_small(directory) as store:
            store.store_batch([memory(i, text=f"text {i}") for i in range(20)])
        path = directory / "000001.seg"
        content = path.read_bytes()
        for flip in rng.integers(64, len(content), 1_000).tolist():
            damaged = bytearray(content)
            damaged[flip] ^= 1 << int(rng.integers(8))
            path.write_bytes(damaged)
            store = open_small(directory)
            told = [refuses_or_is_right(store, record_id, flip) for record_id in range(20)]
            hits = store.search(memory(3).vector, 20)
            abandon(store)

            assert all(f"text {hit.id}" == hit.text for hit in hits), f"flip at {flip}"
            assert len(hits) >= 19
            refused += sum(told)

    # The others fell into trailers, which nothing reads while headers are sound.
    assert refused > 700


def refuses_or_is_right(store: engine.Engine, record_id: int, flip: int) -> bool:
    try:
        assert f"text {record_id}" == store.get(record_id).text, f"flip at {flip}"
    except engine.CorruptError:
        return True
    return False


def test_compaction_carries_damage_along_and_nothing_older_comes_back(tmp_path: Path) -> None:
    """400 flips in what a running engine has written, which it then compacts."""
    rng = np.random.default_rng(18)
    for _ in range(400):
        with memory_backed_directory() as directory:
            store = open_small(directory)
            for version in ("old", "new"):
                store.store_batch([memory(i, text=f"{version} {i}" + "x" * 600) for i in range(90)])
            path = directory / "000001.seg"
            flip = int(rng.integers(64, path.stat().st_size))
            with path.open("r+b") as file:
                file.seek(flip)
                original = file.read(1)[0]
                file.seek(flip)
                file.write(bytes([original ^ 1 << int(rng.integers(8))]))

            store.maintain()

            assert not path.exists()
            for opened in (store, None):
                check_new(opened or open_small(directory), flip)


def check_new(store: engine.Engine, flip: int) -> None:
    """At most one record is missing or refused, and none is old."""
    missing = 0
    for record_id in range(90):
        try:
            found = store.get(record_id)
            assert found is None or found.text.startswith("new"), f"flip at {flip}"
            missing += found is None
        except engine.CorruptError:
            missing += 1
    assert missing <= 1, f"flip at {flip}"
    store.close()
