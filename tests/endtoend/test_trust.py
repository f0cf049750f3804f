"""Is a run distrusted when the tester failed it, and not when the target did?"""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Event

from tests.endtoend.conftest import only_run, soak
from tests.endtoend.test_trouble import wait_until_running

PAUSE_S = 7.0


def test_a_tester_that_stood_still_is_no_ground_for_a_verdict(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
):
    process = start("run", "control", "--duration", "16s", "--plain", "--listen", "127.0.0.1:0")
    wait_until_running(process)
    os.kill(process.pid, signal.SIGSTOP)
    Event().wait(PAUSE_S)
    os.kill(process.pid, signal.SIGCONT)
    process.communicate(timeout=60)

    assert 13 == process.returncode
    report = json.loads((only_run(tmp_path / "runs") / "report.json").read_text())
    said = "; ".join(report["certificate"]["reasons"])
    assert "operations were scheduled after they were due" in said
    assert "sampler process gave nothing" in said


def test_a_target_that_hangs_has_missed_its_objective(tmp_path: Path):
    done = soak(
        *("run", "smoke", "--target", "faulty", "--duration", "12s", "--listen", "127.0.0.1:0"),
        *("--set", "target.params.hang_at_operation=600", "--set", "target.timeout=2s"),
        out=tmp_path / "runs",
    )

    assert 10 == done.code, done.report["verdict"]
    errors = next(check for check in done.report["checks"] if check["name"] == "errors")
    assert "fail" == errors["status"]


def test_a_target_that_hangs_at_the_end_is_judged_by_the_last_window(tmp_path: Path):
    """What it waits for is longer than the certificate lets samplers be silent."""
    path = tmp_path / "hanging.yaml"
    path.write_text(
        "rate: 200/s\nlisten: null\n"
        "target: {name: tests.scripted_target, clients: 1, timeout: 7s, "
        "params: {what: hang, at_get: 200}}\n"
        "phases: [{name: only, duration: 4s, arrivals: constant, mix: {store: 1, get: 1}}]\n"
        "checks:\n"
        "  - {name: errors, detector: slo, params: {total: error_count, per: count, max: 0.1%}}\n"
        "  - name: stalls\n"
        "    detector: degradation\n"
        "    params: {series: error_ratio, stall: 5s, max_stalls: 0}\n"
    )

    done = soak("run", str(path), "--plain", out=tmp_path / "runs")

    assert 10 == done.code, done.report["verdict"]
    errors, stalls = done.report["checks"]
    assert "fail" == errors["status"]
    # Where a busy neighbour casts doubt on what is slow, it is unknown, and else failed.
    is_trusted = done.report["certificate"]["trusted"]
    assert stalls["status"] == ("fail" if is_trusted else "unknown")
    assert "1 stall" in stalls["reason"]
    assert not any("sampler" in why for why in done.report["certificate"]["reasons"])
