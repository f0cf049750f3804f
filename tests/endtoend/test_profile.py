"""Can one see where a run that goes on spends its time, and is every other run refused?"""

import subprocess
from pathlib import Path

import pytest

from tests.endtoend.conftest import ROOT, SOAK, environment, only_run
from tests.endtoend.test_trouble import LONG, Start, wait_until_running
from tests.runs import write_run


def profile(run: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SOAK, "profile", str(run), *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_run_that_goes_on_is_looked_into_and_is_not_disturbed(start: Start, tmp_path: Path):
    process = start(*LONG, "--listen", "127.0.0.1:0")
    wait_until_running(process)
    run = only_run(tmp_path / "runs")
    done = profile(run, "--for", "2s")

    assert 0 == done.returncode, done.stderr
    assert "load/client:run_client" in (run / "profile.txt").read_text()
    assert "samples of threads at work" in done.stdout.splitlines()[0]
    assert (run / "profile.svg").read_text().startswith("<svg")
    assert None is process.poll()


def test_a_run_of_an_older_soak_is_refused_because_the_signal_would_kill_it(tmp_path: Path):
    run = write_run(tmp_path / "run", length_s=60.0)
    done = profile(run)

    assert (2, "") == (done.returncode, done.stdout)
    assert "its worker cannot be profiled" in done.stderr


def test_a_run_that_is_over_is_refused(tmp_path: Path):
    run = write_run(tmp_path / "run", length_s=60.0)
    (run / "worker.jsonl").write_text('{"kind": "hello", "pid": 1, "profiles": true}\n')

    assert "its worker is not running here" in profile(run).stderr


def test_a_look_longer_than_the_worker_takes_is_refused(tmp_path: Path):
    done = profile(write_run(tmp_path / "run", length_s=60.0), "--for", "2h")

    assert (2, "") == (done.returncode, done.stdout)
    assert "--for 2h: a look takes 10m at most" in done.stderr
