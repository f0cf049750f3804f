"""Does a run go on to its verdict when nobody listens any more?"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.endtoend.conftest import ROOT, SOAK, environment, only_run, soak

ARGUMENTS = "run control --duration 3s --plain --listen 127.0.0.1:0"
UNHEARD = {
    "the reader of the lines leaves": "{run} 2>&1 >{out}/said | head -1 >{out}/first",
    "the reader of the verdict leaves": "{run} --json 2>/dev/full | true",
    "all descriptors are closed": "{run} <&- 2>&- >&-",
}


@pytest.mark.slow
@pytest.mark.parametrize("command", UNHEARD.values(), ids=UNHEARD.keys())
def test_a_run_ends_with_its_report_and_the_code_of_its_verdict(command: str, tmp_path: Path):
    run = f"{SOAK} {ARGUMENTS} --out {tmp_path}/runs"
    script = command.format(run=run, out=tmp_path)
    done = subprocess.run(
        ["bash", "-c", script + "; exit ${PIPESTATUS[0]}"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    directory = only_run(tmp_path / "runs")
    report = json.loads((directory / "report.json").read_text())
    assert report["verdict"]["exit_code"] == done.returncode, done.stderr
    assert report["state"] == "finished"
    assert (directory / "report.html").is_file()
    assert "Traceback" not in done.stderr


def test_a_failed_start_says_why_once_and_names_no_report(tmp_path: Path):
    done = soak(
        *("run", "configs/smoke.yaml", "--target", "faulty", "--listen", "127.0.0.1:0"),
        *("--set", "target.params.unavailable=true"),
        out=tmp_path / "runs",
    )
    assert 14 == done.code, done.stderr
    assert 1 == done.stderr.count("connection refused")
    assert "report:" not in done.stderr


@pytest.mark.parametrize("scale", ["abc", "0", "-1", "nan", "inf"])
def test_a_time_scale_that_is_none_is_refused(scale: str, tmp_path: Path):
    done = subprocess.run(
        [SOAK, "list", "targets"],
        env={**environment(), "SOAK_TIME_SCALE": scale},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 2 == done.returncode
    assert f"soak: SOAK_TIME_SCALE is {scale!r}" in done.stderr
    assert "Traceback" not in done.stderr
