import json
import os
import sqlite3
from pathlib import Path

import pytest

from soak.report.catalogue import INDEX, RunSummary, Wanted, as_json, runs


def a_run(out: Path, name: str, **report: object) -> Path:
    run = out / name
    run.mkdir(parents=True)
    (run / "scenario.yaml").write_text("name: x\n")
    if report:
        write_report(run, **report)
    return run


def write_report(run: Path, status: str = "pass", **report: object) -> None:
    code = {"pass": 0, "fail": 12, "unknown": 13}[status]
    verdict = {"status": status, "exit_code": code, "reason": f"because {status}"}
    document = {"scenario": "steady", "target": "engine", "seed": 7, "duration_s": 60.5}
    document |= {"started": "2026-03-01T12:00:00.000Z", "state": "finished", "verdict": verdict}
    (run / "report.json").write_text(json.dumps(document | report))


def three_runs(out: Path) -> Path:
    a_run(out, "1-steady", status="pass")
    a_run(out, "2-growth", status="fail", scenario="growth", started="2026-03-02T12:00:00.000Z")
    a_run(out, "3-chroma", status="pass", target="chroma", started="2026-03-03T12:00:00.000Z")
    return out


def names(out: Path, **wanted: object) -> list[str]:
    return [summary.name for summary in runs(out, Wanted(**wanted))]


def test_a_finished_run_is_told_whole(tmp_path: Path):
    a_run(tmp_path, "1-steady", status="fail")

    assert [
        RunSummary(
            name="1-steady",
            scenario="steady",
            target="engine",
            seed=7,
            started="2026-03-01T12:00:00.000Z",
            duration_s=60.5,
            state="finished",
            status="fail",
            exit_code=12,
            reason="because fail",
        )
    ] == runs(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["1-steady", "2-growth", "3-chroma"]),
        ({"scenario": "growth"}, ["2-growth"]),
        ({"target": "engine"}, ["1-steady", "2-growth"]),
        ({"status": "pass"}, ["1-steady", "3-chroma"]),
        ({"since": "2026-03-02"}, ["2-growth", "3-chroma"]),
        ({"last": 1}, ["3-chroma"]),
        ({"status": "pass", "last": 1, "target": "engine"}, ["1-steady"]),
        ({"scenario": "none"}, []),
    ],
    ids=str,
)
def test_filters_leave_what_is_wanted(wanted: dict, expected: list[str], tmp_path: Path):
    assert expected == names(three_runs(tmp_path), **wanted)


KILLED = "20260304T120000Z-growth-1f3a5c"
PLAN = "name: growth\nseed: 9\ntarget: {name: chroma, params: {}}\n"


def a_killed_run(out: Path, name: str = KILLED, plan: str = PLAN) -> Path:
    run = a_run(out, name)
    (run / "scenario.yaml").write_text(plan)
    return run


def test_a_run_without_a_report_is_told_by_its_scenario_and_name(tmp_path: Path):
    a_killed_run(tmp_path)

    assert [
        RunSummary(
            name=KILLED,
            scenario="growth",
            target="chroma",
            seed=9,
            started="2026-03-04T12:00:00.000Z",
        )
    ] == runs(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [
        ({"scenario": "growth"}, True),
        ({"target": "chroma", "since": "2026-03-04"}, True),
        ({"since": "2026-03-05"}, False),
        ({"scenario": "steady"}, False),
        ({"status": "pass"}, False),
    ],
    ids=str,
)
def test_filters_find_a_run_without_a_report(wanted: dict, is_found: bool, tmp_path: Path):
    a_killed_run(tmp_path)

    assert [KILLED] * is_found == names(tmp_path, **wanted)


def test_a_damaged_scenario_leaves_what_the_name_tells(tmp_path: Path):
    a_killed_run(tmp_path, plan="[[[")
    (found,) = runs(tmp_path)

    assert ("growth", "2026-03-04T12:00:00.000Z") == (found.scenario, found.started)
    assert (None, None) == (found.target, found.seed)


@pytest.mark.parametrize("name", ["mine", "20261399T120000Z-growth-1f3a5c"])
def test_what_nothing_tells_is_null(name: str, tmp_path: Path):
    a_killed_run(tmp_path, name, plan="")
    row = as_json(tmp_path, runs(tmp_path)[0])

    columns = ("target", "seed", "started", "duration_s", "state", "status", "exit_code")
    assert [None] * len(columns) == [row[column] for column in columns]


def test_a_scenario_that_changed_is_read_again(tmp_path: Path):
    run = a_killed_run(tmp_path)
    assert [9] == [summary.seed for summary in runs(tmp_path)]

    (run / "scenario.yaml").write_text(PLAN.replace("9", "10"))
    assert [10] == [summary.seed for summary in runs(tmp_path)]


def test_a_run_that_ended_since_is_read_again(tmp_path: Path):
    run = a_killed_run(tmp_path)
    assert [None] == [summary.status for summary in runs(tmp_path)]

    write_report(run, "pass")
    assert ["pass"] == [summary.status for summary in runs(tmp_path)]


def test_a_report_that_did_not_change_is_not_read_again(tmp_path: Path):
    run = a_run(tmp_path, "1-steady", status="pass")
    first = runs(tmp_path)
    seen = (run / "report.json").stat()
    (run / "report.json").write_bytes(b"x" * seen.st_size)
    os.utime(run / "report.json", ns=(seen.st_atime_ns, seen.st_mtime_ns))

    assert first == runs(tmp_path)


def test_a_run_that_is_gone_is_dropped(tmp_path: Path):
    run = a_run(three_runs(tmp_path), "4-last")
    assert 4 == len(runs(tmp_path))
    (run / "scenario.yaml").unlink()

    assert 3 == len(runs(tmp_path))


@pytest.mark.parametrize("damage", ["lost", "garbage", "other layout"])
def test_an_index_that_is_lost_or_damaged_is_made_anew(damage: str, tmp_path: Path):
    expected = runs(three_runs(tmp_path))
    index = tmp_path / INDEX
    if damage == "lost":
        index.unlink()
    elif damage == "garbage":
        index.write_bytes(b"not a database at all, but long enough for a header" * 99)
    else:
        with sqlite3.connect(index) as older:
            older.execute("DROP TABLE runs")
            older.execute("CREATE TABLE runs (name, other)")
            older.execute("PRAGMA user_version = 99")
        older.close()

    assert [expected] * 3 == [runs(tmp_path) for _ in range(3)]
    assert index.read_bytes().startswith(b"SQLite format 3")


def test_a_damaged_report_is_a_run_without_verdict(tmp_path: Path):
    run = a_run(tmp_path, "1-steady")
    (run / "report.json").write_text('{"verdict": ')

    (reason,) = [summary.reason for summary in runs(tmp_path)]
    assert reason.startswith("no verdict: its report.json is damaged")


def test_json_has_the_path_and_every_column(tmp_path: Path):
    a_run(tmp_path, "1-steady", status="pass")
    row = as_json(tmp_path, runs(tmp_path)[0])

    assert (str(tmp_path / "1-steady"), "1-steady") == (row["name"], row["run_id"])
    assert ("pass: because pass", 0, 60.5) == (row["what"], row["exit_code"], row["duration_s"])
