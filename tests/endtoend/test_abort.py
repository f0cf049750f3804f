"""Does a check with `abort` end a run early, with its own exit code and a whole record?"""

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.endtoend.conftest import SOAK, environment, soak

SCENARIO = """\
rate: 100/s
listen: null
target: {name: faulty, params: {error_ratio: 0.2}}
phases:
  - {name: warm-up, duration: 2s, warm: true, mix: {store: 1}}
  - {name: steady, duration: 10m, mix: {store: 1, get: 2}}
checks:
  - {name: wrong-answers, detector: never, abort: 0}
  - {name: errors, detector: slo, abort: 2s, params: {total: error_count, per: count, max: 1%}}
observe: {window: 1s, judge: 1s}
"""
CODE = 10
PATIENCE_S, WARM_UP_S = 2.0, 2.0


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SOAK, *arguments], env=environment(), capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_check_that_goes_on_failing_ends_the_run_with_its_own_verdict(tmp_path: Path) -> None:
    scenario = tmp_path / "aborting.yaml"
    scenario.write_text(SCENARIO)
    done = soak("run", str(scenario), "--plain", out=tmp_path / "runs")

    assert CODE == done.code, done.stderr
    report = done.report
    assert ("finished", "fail", CODE) == (
        report["state"],
        report["verdict"]["status"],
        report["verdict"]["exit_code"],
    )
    lines = (done.directory / "events.jsonl").read_text().splitlines()
    (event,) = [each for each in map(json.loads, lines) if each["kind"] == "abort"]
    assert "errors" == event["check"]
    assert PATIENCE_S - 0.1 <= event["failed_s"] < event["time_s"] - WARM_UP_S
    assert event["time_s"] < report["duration_s"] < 60
    assert "the check errors, which had failed for" in report["verdict"]["reason"]
    assert "aborted the run at 00:00:" in done.stdout
    assert (done.directory / "report.html").is_file()
    junit = tmp_path / "junit.xml"
    assert 0 == command("report", str(done.directory), "--junit", str(junit)).returncode
    (failure,) = ElementTree.parse(junit).iter("failure")
    assert "aborted the run at" in failure.attrib["message"]
    again = command("resume", str(done.directory))
    assert 2 == again.returncode
    assert "this run is finished" in again.stderr
