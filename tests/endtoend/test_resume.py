"""Does a run that is stopped or killed go on as if nothing had been?"""

import json
import resource
from pathlib import Path

import pytest

from soak.clock import sleep_s
from soak.load.ring import Ring
from tests.endtoend.conftest import only_run
from tests.endtoend.killing import (
    CODES,
    POLL_S,
    POLLS,
    Kill,
    Running,
    Told,
    in_doubt,
    killed_run,
    missing,
    report_of,
    write_scenario,
)

KILLS = [Kill(who="controller", after=12), Kill(who="worker", after=3), Kill(who="both", after=0)]
STOPS = [Kill(who="term", after=4)]


@pytest.mark.slow
@pytest.mark.parametrize("kills", [KILLS, STOPS], ids=["killed", "stopped"])
def test_every_operation_is_answered_once_or_in_doubt_and_no_answer_is_wrong(
    kills: list[Kill], tmp_path: Path
):
    scenario = write_scenario(tmp_path / "killed.yaml", seed=7, seconds=24)
    out = tmp_path / "runs"

    courses = list(killed_run(["run", str(scenario)], out, kills))

    report = report_of(out)
    assert [CODES[kill.who] for kill in kills] == [each.code for each in courses if each.kill]
    assert missing(scenario, report) == in_doubt(report), courses
    assert 0 == sum(report["oracle"]["violations"].values()), courses
    assert ["pass"] == [check["status"] for check in report["checks"]]
    assert [] == report["errors"]
    assert courses[-1].code in (0, 13), courses
    gaps = report["certificate"]["gaps"]
    lines = (only_run(out) / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    # A kill before the load began again makes the same gap longer.
    assert sum(kill.after > 0 for kill in kills) == len(gaps)
    assert [gap["at_s"] for gap in gaps] == pytest.approx(
        [event["time_s"] for event in events if event["kind"] == "gap"], abs=0.1
    )
    assert report["duration_s"] >= 24


@pytest.mark.slow
def test_a_command_that_is_repeated_goes_on_with_what_was_killed_and_else_begins(tmp_path: Path):
    """As a pod does it, whose container is started again with the same arguments."""
    scenario = write_scenario(tmp_path / "killed.yaml", seed=13, seconds=12)
    out = tmp_path / "runs"
    command = ("run", str(scenario), "--resume", "--out", str(out))
    told = Told(out)
    running = Running(*command)
    assert running.has_told(told, 3)
    running.kill(told, "controller")
    killed = running.end()
    run = only_run(out)

    again = Running(*command).end()

    assert (-9, f"soak: begins a new run: {out}: holds no run of this scenario") == (
        killed.code,
        killed.words.splitlines()[0],
    )
    assert f"soak: goes on with {run}" == again.words.splitlines()[0]
    assert again.code in (0, 13), again.words
    assert run == only_run(out)
    report = report_of(out)
    assert "finished" == report["state"]
    assert 1 == len(report["certificate"]["gaps"])
    assert missing(scenario, report) == in_doubt(report)

    other = write_scenario(tmp_path / "other.yaml", seed=14, seconds=2)
    begun = Running("run", str(other), "--resume", "--out", str(out)).end()

    assert begun.words.startswith("soak: begins a new run: ")
    assert 2 == len([path for path in out.iterdir() if path.is_dir()])


def fill_disk(running: Running) -> None:
    """From now on no file of the controller grows: to it the disk is full."""
    _, most = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (1, most))


def lost_lines(out: Path, least: int) -> int:
    """What the ring says its record lacks, once that is so many."""
    for _ in range(POLLS):
        ring = Ring.open(only_run(out) / "ring.bin")
        found = ring.missing_lines
        ring.close()
        if found >= least:
            return found
        sleep_s(POLL_S)
    raise AssertionError("waited in vain")


@pytest.mark.slow
def test_a_run_that_lost_lines_goes_on_and_its_certificate_says_so(tmp_path: Path):
    scenario = write_scenario(tmp_path / "lossy.yaml", seed=11, seconds=12)
    out = tmp_path / "runs"
    running = Running("run", str(scenario), "--out", str(out))
    told = Told(out)
    assert running.has_told(told, 2)
    fill_disk(running)
    lost = lost_lines(out, 10)
    running.kill(told, "term")
    stopped = running.end()
    assert 143 == stopped.code, stopped.words
    # The last checkpoint that found room is from before the first loss.
    assert not (only_run(out) / "report.json").exists()

    end = Running("resume", str(only_run(out))).end()

    assert 13 == end.code, end.words
    report = report_of(out)
    certificate = report["certificate"]
    assert certificate["lost_lines"] >= lost
    assert not certificate["trusted"]
    assert any(
        f"lacks lines of its logs, {certificate['lost_lines']} in all" in reason
        for reason in certificate["reasons"]
    )
    assert missing(scenario, report) == in_doubt(report)
    assert 0 == sum(report["oracle"]["violations"].values())
    events = (only_run(out) / "events.jsonl").read_text().splitlines()
    assert 1 == sum(json.loads(event)["kind"] == "record_lost" for event in events)
