"""Is only deleted what is a run of the schedule, too old, and nobody's?"""

from pathlib import Path

import pytest

from soak.daemon.retention import forget_one
from soak.rundir import RunDirectory

RUNS = [f"2026010{day}T120000Z-smoke-0a1b2c" for day in range(1, 6)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*RUNS, "golden-run", "0-Z-first"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "scenario.yaml").write_text("question: Why?\n")
    (tmp_path / "run.stderr").write_text("")
    return tmp_path


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name in RUNS)


def test_the_oldest_goes_first_and_one_at_a_time(folder: Path):
    assert [RUNS[0], RUNS[1], RUNS[2], ""] == [forget_one(folder, 2, "") for _ in range(4)]
    assert RUNS[3:] == left(folder)
    assert {"golden-run", "0-Z-first", "run.stderr"} < {path.name for path in folder.iterdir()}


def test_the_last_one_stays_though_a_clock_put_back_calls_it_old(folder: Path):
    assert [RUNS[1], RUNS[2], RUNS[3], ""] == [forget_one(folder, 1, RUNS[0]) for _ in range(4)]
    assert [RUNS[0], RUNS[4]] == left(folder)


def test_a_run_that_somebody_resumed_stays(folder: Path):
    directory = RunDirectory(folder / RUNS[0])
    held = directory.claim(directory.path)
    assert held is not None

    assert [RUNS[1], ""] == [forget_one(folder, 3, "") for _ in range(2)]
    directory.release(held)
    assert RUNS[0] == forget_one(folder, 3, "")


def test_what_a_deletion_left_that_was_cut_off_is_gone_with_the_next(folder: Path):
    (folder / RUNS[0]).rename(folder / f".{RUNS[0]}.deleted")

    assert "" == forget_one(folder, 4, "")
    assert [] == list(folder.glob(".*"))


def test_a_folder_that_is_not_there_has_nothing_to_delete(tmp_path: Path):
    assert "" == forget_one(tmp_path / "none", 1, "")
