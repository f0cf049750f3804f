"""Does a run that is stopped or killed go on as if nothing had been?"""

import json
from pathlib import Path

import pytest

from tests.endtoend.conftest import only_run
from tests.endtoend.killed import (
    CODES,
    Kill,
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

    courses = list(killed_run(scenario, out, kills))

    report = report_of(out)
    assert [CODES[kill.who] for kill in kills] == [code for kill, code, _ in courses if kill]
    assert missing(scenario, report) == in_doubt(report), courses
    assert 0 == sum(report["oracle"]["violations"].values()), courses
    assert ["pass"] == [check["status"] for check in report["checks"]]
    assert [] == report["errors"]
    assert courses[-1][1] in (0, 13), courses
    gaps = report["certificate"]["gaps"]
    lines = (only_run(out) / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    # A kill before the load began again makes the same gap longer.
    assert sum(kill.after > 0 for kill in kills) == len(gaps)
    assert [gap["at_s"] for gap in gaps] == pytest.approx(
        [event["time_s"] for event in events if event["kind"] == "gap"], abs=0.1
    )
    assert report["duration_s"] >= 24
