"""Does a daemon soak by its schedules, and survive its own death and that of its runs?"""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from soak.clock import sleep_s
from soak.verdict import ExitCode, Status
from tests.endtoend.conftest import only_run

SCENARIO = """\
name: short
rate: 200/s
target: {name: engine, params: {capacity_records: 500}}
population: {keys: 1000, agents: 2, preload: 100}
phases:
  - {name: steady, duration: 2s, mix: {store: 30, get: 50, delete: 10}}
checks:
  - {name: wrong-answers, detector: never}
observe: {window: 1s, judge: 1s}
"""
CONFIG = """\
schedules:
  - {{name: short, scenario: {file}, target: "null", every: 30d, baseline: kept}}
  - {{name: long, scenario: {file}, duration: 1h, set: [rate=40/s], every: 30d}}
"""
# Their times have been missed for decades.
MISSED = {"since_s": 0, "going": None, "last": None, "counts": {}}
# Two seconds on a crowded machine may not be trusted; a daemon has to cope with that as well.
ENDS: dict[int, Status] = {ExitCode.PASS: Status.PASS, ExitCode.UNKNOWN: Status.UNKNOWN}
POLLS = 1_500
Start = Callable[..., subprocess.Popen[str]]


class Daemon:
    """One that runs, and what its server says."""

    def __init__(self, start: Start, tmp_path: Path) -> None:
        store = ("--store", str(tmp_path / "baselines"))
        config = ("--config", str(tmp_path / "daemon.yaml"))
        self.process = start("daemon", *config, *store, "--listen", "127.0.0.1:0")
        assert self.process.stderr
        self.url = self.process.stderr.readline().strip()
        assert self.url.startswith("http:"), self.url

    def page(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return str(answer.read().decode())

    def figure(self, series: str) -> float | None:
        """The value of the one series that the pattern matches; None where there is none."""
        found = re.findall(f"^{series} (.+)$", self.page("/metrics"), re.MULTILINE)
        return float(found[0]) if found else None

    def known(self, series: str) -> float:
        """The value of the one series that the pattern matches, as soon as there is one."""
        until(lambda: self.figure(series) is not None)
        value = self.figure(series)
        assert value is not None
        return value

    def waits_for(self, series: str, value: float) -> None:
        until(lambda: self.figure(series) == value)


def until(holds: Callable[[], bool]) -> None:
    for _ in range(POLLS):
        if holds():
            return
        sleep_s(0.2)
    raise AssertionError("waited in vain")


def going_pid(out: Path) -> int:
    """The process of the long run; 0 where none goes on."""
    going = json.loads((out / "daemon.json").read_text())["schedules"]["long"]["going"]
    return int(going["pid"]) if going else 0


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """A folder for runs, of which none is left behind."""
    folder = tmp_path / "runs"
    folder.mkdir()
    yield folder
    if pid := going_pid(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def gap_count(run: Path) -> int:
    return (run / "events.jsonl").read_text().count('"kind": "gap"')


@pytest.mark.slow
def test_missed_soaks_are_made_up_for_once_and_what_went_on_at_a_death_goes_on(
    out: Path, start: Start, tmp_path: Path
):
    scenario = tmp_path / "short.yaml"
    scenario.write_text(SCENARIO)
    (tmp_path / "daemon.yaml").write_text(CONFIG.format(file=scenario))
    missed = json.dumps({"schedules": {"short": MISSED, "long": MISSED}})
    (out / "daemon.json").write_text(missed)

    daemon = Daemon(start, tmp_path)
    status = ENDS[int(daemon.known('soak_schedule_last_exit_code{.*schedule="short"}'))]
    ended = f'soak_schedule_runs_total{{.*schedule="short",status="{status}"}}'
    daemon.waits_for(ended, 1)
    daemon.waits_for('soak_schedule_run_up{.*schedule="long"}', 1)
    short, long = only_run(out / "short"), only_run(out / "long")
    kept = tmp_path / "baselines" / "kept"
    until(lambda: kept.exists() == (status == Status.PASS))
    assert not kept.exists() or short.name == only_run(kept).name
    link = f"/runs/short/{short.name}/report.html"
    assert link in daemon.page("/")
    assert short.name in daemon.page(link)
    assert "ok\n" == daemon.page("/healthz")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        daemon.page("/runs/short/../daemon.json")

    daemon.process.kill()
    daemon.process.wait()
    daemon = Daemon(start, tmp_path)
    daemon.waits_for(f'soak_run_info{{.*run_id="{long.name}".*}}', 1)
    until(lambda: (long / "windows.csv").read_text().count("\n") > 2)
    assert 0 == gap_count(long)

    daemon.process.kill()
    os.kill(going_pid(out), signal.SIGKILL)
    daemon.process.wait()
    daemon = Daemon(start, tmp_path)
    until(lambda: gap_count(long) == 1)
    daemon.waits_for(f'soak_run_info{{.*run_id="{long.name}".*}}', 1)
    assert 1 == daemon.figure(ended)

    daemon.process.terminate()
    assert 143 == daemon.process.wait(timeout=120)
    report = json.loads((long / "report.json").read_text())
    assert ("interrupted", 143) == (report["state"], report["verdict"]["exit_code"])
    assert long == only_run(out / "long")
