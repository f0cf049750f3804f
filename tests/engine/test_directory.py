"""Which directories does an engine take, and what in them is its own?"""

from dataclasses import replace
from pathlib import Path

import pytest

import engine
from engine import CapacityError, CorruptError, DirectoryError
from engine.live import HEADROOM_RECORDS
from tests.engine.scene import SMALL, HandClock, memory, open_small


@pytest.mark.parametrize(
    "name",
    [
        "notes.tmp",
        "100.ckpt",
        "7.seg",
        "1abc.seg",
        "0000001.seg",
        "000001.seg.tmp",
        "Lock",
        "x.tmp",
    ],
)
def test_files_of_others_are_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    open_small(tmp_path).close()
    (tmp_path / name).write_text("years of work")

    with pytest.raises(DirectoryError, match=name):
        open_small(tmp_path)

    assert "years of work" == (tmp_path / name).read_text()


@pytest.mark.parametrize(
    "name", ["000009.seg", "000001.ckpt", "manifest", "access", "ballast", "access.tmp"]
)
def test_a_directory_in_the_place_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with open_small(tmp_path) as store:
        store.store(memory(1))
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).mkdir()

    with pytest.raises(DirectoryError, match=name):
        open_small(tmp_path)


@pytest.mark.parametrize("content", [b"hello", b"years of work " * 9])
def test_a_file_of_our_name_that_is_no_segment_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "000001.seg"
    path.write_bytes(content)

    with pytest.raises(CorruptError, match=r"000001\.seg"):
        open_small(tmp_path)

    assert content == path.read_bytes()


@pytest.mark.parametrize("content", [b"", b"SOAK", b"SOAKSEG\n", bytes(64), bytes(5_000)])
def test_a_segment_whose_creation_was_cut_short_is_begun_anew(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "000001.seg").write_bytes(content)

    with open_small(tmp_path) as store:
        store.store(memory(1))

        assert 1 == store.count()


def test_unfinished_replacements_of_our_files_are_removed(tmp_path: Path) -> None:
    for name in ("manifest.tmp", "access.tmp", "000007.ckpt.tmp"):
        (tmp_path / name).write_bytes(b"half")

    with open_small(tmp_path):
        assert [] == list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("directory", [None, 5, b"bytes", "a\0b", "x" * 5_000])
def test_what_is_no_path_is_refused(directory: object) -> None:
    with pytest.raises(DirectoryError):
        engine.open(directory)


@pytest.mark.parametrize("options", [{"dimensions": 16}, {}, "small", 0])
def test_what_are_no_options_is_refused(tmp_path: Path, options: object) -> None:
    with pytest.raises(engine.BadInputError, match="options"):
        engine.open(tmp_path, options)


def test_more_records_than_the_limit_are_opened_and_evicted_up_to_a_bound(tmp_path: Path) -> None:
    roomy = replace(SMALL, capacity_records=9_000, durability="never")
    with engine.open(tmp_path, roomy, HandClock()) as store:
        store.store_batch([memory(i) for i in range(100 + HEADROOM_RECORDS + 1)])
    with pytest.raises(CapacityError, match="capacity_records must be at least 101"):
        engine.open(tmp_path, replace(SMALL, capacity_records=100), HandClock())

    with engine.open(tmp_path, replace(SMALL, capacity_records=101), HandClock()) as store:
        store.maintain()

        assert 90 == store.count()
