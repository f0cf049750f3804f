"""Does the disk sampler count every file once, and only what is there?"""

import os
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.samplers.disk import build, measure, outermost
from soak.seams import SampleError, Subject


def subject(*directories: Path) -> Subject:
    return Subject(
        pids=tuple,
        directories=lambda: directories,
        reported=lambda: ({}, 0.0),
        clock=SystemClock(),
    )


def test_files_of_all_depths_are_summed(tmp_path: Path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one").write_bytes(b"x" * 1000)
    (tmp_path / "a" / "b" / "two").write_bytes(b"x" * 500)

    row = build(subject(tmp_path)).sample()

    assert (1500, 2) == (row["disk_bytes"], row["disk_files"])
    assert row["disk_free_bytes"] > 0


def test_a_hole_takes_size_but_no_blocks(tmp_path: Path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 20)

    row = measure([tmp_path])

    assert (1 << 20, 0) == (row["disk_bytes"], row["disk_allocated_bytes"])


def test_a_linked_file_counts_once_and_a_symbolic_link_not_at_all(tmp_path: Path):
    (tmp_path / "one").write_bytes(b"x" * 1000)
    os.link(tmp_path / "one", tmp_path / "again")
    (tmp_path / "pointer").symlink_to(tmp_path / "one")

    row = measure([tmp_path])

    assert (1000, 1) == (row["disk_bytes"], row["disk_files"])


def test_a_directory_within_another_counts_once(tmp_path: Path):
    inner = tmp_path / "inner"
    inner.mkdir()
    other = tmp_path.parent / (tmp_path.name + "-other")

    assert [tmp_path, other] == outermost([inner, tmp_path, other])


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(SampleError, match="not there"):
        build(subject(tmp_path / "gone")).sample()


def test_too_many_files_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("soak.samplers.disk.MAX_FILES", 2)
    for name in "abc":
        (tmp_path / name).touch()

    with pytest.raises(SampleError, match="more than 2 files"):
        measure([tmp_path])


def test_a_target_without_directories_has_no_disk_columns():
    assert {} == build(subject()).sample()


def test_a_walk_that_costs_much_is_made_less_often(tmp_path: Path):
    now_ns = 0

    class FakeClock(SystemClock):
        def monotonic_ns(self) -> int:
            return now_ns

    spent = iter(range(0, 1 << 40, 20_000_000))
    watching = build(
        Subject(
            pids=tuple,
            directories=lambda: (tmp_path,),
            reported=lambda: ({}, 0.0),
            clock=FakeClock(),
        ),
        lambda: next(spent),
    )

    walked = []
    for _ in range(4):
        walked.append(bool(watching.sample()))
        now_ns += 1_000_000_000

    assert [True, False, True, False] == walked
