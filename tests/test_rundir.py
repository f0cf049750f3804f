"""Does a run directory survive crashes, full disks and figures that are not numbers?"""

import json
from pathlib import Path

import pytest

from soak.rundir import LineLog, RunDirectory, RunDirError
from soak.watch.worker_log import LogTail, WorkerFacts
from tests.crowded import largest_file


def made(out: Path) -> RunDirectory:
    directory = RunDirectory.named(out, "steady", wall_s=0.0)
    directory.make()
    return directory


def test_a_run_directory_is_named_by_time_and_scenario(tmp_path):
    directory = RunDirectory.named(tmp_path, "steady", wall_s=1_772_366_400.0)
    directory.make()
    assert directory.run_id.startswith("20260301T120000Z-steady-")
    assert directory.data.is_dir()


def test_an_output_path_that_is_a_file_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunDirError, match="pass --out DIR"):
        made(tmp_path / "runs")


def test_figures_that_are_not_finite_become_null(tmp_path):
    directory = made(tmp_path)
    directory.replace_json(directory.report, {"a": float("nan"), "b": [float("inf"), 1.5]})
    assert {"a": None, "b": [None, 1.5]} == json.loads(directory.report.read_text())


def test_replacing_a_file_leaves_no_partial_one_behind(tmp_path):
    directory = made(tmp_path)
    directory.replace(directory.report, b"one")
    directory.replace(directory.report, b"two")
    assert b"two" == directory.report.read_bytes()
    assert [] == list(directory.path.glob("*.partial"))


def test_lines_that_a_full_disk_refuses_are_counted():
    log = LineLog(Path("/dev/full"))
    log.append("a line")
    log.append("another")
    log.close()
    assert ("full: No space left on device", 2) == (log.trouble, log.lost_count)


def test_half_a_line_is_taken_back_and_the_log_goes_on_when_there_is_room(tmp_path):
    path = tmp_path / "samples.csv"
    log = LineLog(path)
    log.append("first")
    with largest_file(10):
        log.append("second")
        log.append("third")
    log.append("fourth")
    log.close()
    assert ("first\nfourth\n", 2) == (path.read_text(), log.lost_count)


def test_the_head_comes_before_the_first_line_that_finds_room(tmp_path):
    path = tmp_path / "samples.csv"
    log = LineLog(path)
    log.begin("t_s,recall")
    with largest_file(12):
        log.append("1.0,0.9")
    log.append("2.0,0.9")
    log.append("3.0,0.9")
    log.close()
    assert "t_s,recall\n2.0,0.9\n3.0,0.9\n" == path.read_text()


def test_a_run_that_never_began_leaves_nothing(tmp_path):
    directory = made(tmp_path)
    directory.replace(directory.scenario, b"name: steady")
    directory.discard()
    assert [] == list(tmp_path.iterdir())


def test_csv_rows_leave_unknown_figures_empty(tmp_path):
    log = LineLog(tmp_path / "windows.csv")
    log.append_row(["steady", 3, 0.1, float("nan")])
    log.close()
    assert "steady,3,0.1,\n" == (tmp_path / "windows.csv").read_text()


def test_a_torn_last_line_waits_until_it_is_whole(tmp_path):
    path = tmp_path / "worker.jsonl"
    tail = LogTail(path)
    path.write_text('{"kind": "ready"}\n{"kind": "sta')
    assert ["ready"] == [line["kind"] for line in tail.new_lines()]
    with path.open("a") as file:
        file.write('ts"}\n')
    assert ["stats"] == [line["kind"] for line in tail.new_lines()]


def test_a_damaged_line_is_counted_and_skipped(tmp_path):
    path = tmp_path / "worker.jsonl"
    path.write_text('{"kind": "ready"}\n\x00garbage\n{"kind": "stopped"}\n')
    tail = LogTail(path)
    assert ["ready", "stopped"] == [line["kind"] for line in tail.new_lines()]
    assert 1 == tail.damaged_lines


def test_facts_keep_the_newest_and_bound_the_rest():
    facts = WorkerFacts()
    for number in range(100):
        facts.fold({"kind": "recall", "recall": number / 100, "k": 10})
    facts.fold(
        {
            "kind": "stats",
            "t_ns": 5,
            "live": 7,
            "values": {"health_ratio": 0.9, "x": "no"},
        }
    )
    assert (100, 20, 20) == (
        facts.recall_samples,
        len(facts.recall_first),
        len(facts.recall_last),
    )
    assert 0.99 == facts.recall_last[-1]
    assert ({"health_ratio": 0.9}, 7.0, 5) == (
        facts.stats,
        facts.live_records,
        facts.stats_ns,
    )
