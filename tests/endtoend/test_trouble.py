"""Does trouble end in one clear message, the right exit code, and an intact record?"""

import json
import os
import select
import signal
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from tests.endtoend.conftest import only_run, soak
from tests.servers import free_port

Start = Callable[..., Popen[str]]
LONG = ("run", "configs/smoke.yaml", "--plain", "--duration", "10m")


def wait_until_running(process: Popen[str]) -> str:
    """Read its lines until it says how it goes; everything said so far."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if " of " in line and "records" in line:
            return said
    pytest.fail(f"it ended before it ran: {said}")


def worker_pid(out: Path) -> int:
    first = (only_run(out) / "worker.jsonl").read_text().splitlines()[0]
    return int(json.loads(first)["pid"])


def test_a_scenario_with_a_typo_is_refused_and_nothing_is_written(tmp_path: Path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("phases:\n  - name: a\n    duration: 5s\n    mix: {serach: 1}\n")
    done = soak("run", str(bad), out=tmp_path / "runs")
    assert 2 == done.code
    assert "bad.yaml:4" in done.stderr
    assert "did you mean search" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_taken_port_is_named_with_the_remedy_and_nothing_is_written(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        listen = f"127.0.0.1:{port}"
        done = soak("run", "configs/smoke.yaml", "--listen", listen, out=tmp_path / "runs")
    assert 2 == done.code
    assert listen in done.stderr
    assert "--listen" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_an_output_path_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "runs").write_text("a file")
    done = soak("run", "configs/smoke.yaml", "--listen", "127.0.0.1:0", out=tmp_path / "runs")
    assert 2 == done.code
    assert "cannot make the run directory" in done.stderr


def test_a_target_that_cannot_start_ends_with_14_in_its_own_words(tmp_path: Path):
    done = soak(
        *("run", "configs/smoke.yaml", "--target", "faulty", "--listen", "127.0.0.1:0"),
        *("--set", "target.params.unavailable=true"),
        out=tmp_path / "runs",
    )
    assert 14 == done.code, done.stderr
    assert "target faulty: connection refused" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_killed_worker_ends_the_run_with_14_and_an_intact_report(start: Start, tmp_path: Path):
    process = start(*LONG, "--listen", "127.0.0.1:0")
    wait_until_running(process)
    os.kill(worker_pid(tmp_path / "runs"), signal.SIGKILL)
    process.communicate(timeout=60)
    assert 14 == process.returncode
    report = json.loads((only_run(tmp_path / "runs") / "report.json").read_text())
    assert "SIGKILL" in report["verdict"]["reason"]
    assert report["operations"]["get"]["count"] > 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_signal_ends_the_run_with_a_report(start: Start, tmp_path: Path, number: int, code: int):
    process = start(*LONG, "--listen", "127.0.0.1:0")
    wait_until_running(process)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert code == process.returncode
    directory = only_run(tmp_path / "runs")
    assert (directory / "report.html").is_file()
    assert "interrupted" == json.loads((directory / "report.json").read_text())["state"]


def clinging(start: Start, tmp_path: Path) -> tuple[Popen[str], Path, int]:
    """A soak whose target hangs in every get, and in close; its run, and a child of the target."""
    path = tmp_path / "clinging.yaml"
    path.write_text(
        "rate: 100/s\nlisten: null\n"
        "target: {name: tests.scripted_target, clients: 2, params: {what: cling, at_get: 2}}\n"
        "phases: [{name: only, duration: 10m, arrivals: constant, mix: {store: 1, get: 1}}]\n"
    )
    process = start("run", str(path), "--plain")
    wait_until_running(process)
    directory = only_run(tmp_path / "runs")
    return process, directory, int((directory / "data" / "child").read_text())


@pytest.mark.slow
def test_the_worker_ends_when_its_controller_is_killed_while_the_target_will_not_close(
    start: Start, tmp_path: Path
):
    process, _, child = clinging(start, tmp_path)
    worker = os.pidfd_open(worker_pid(tmp_path / "runs"))
    signal.pidfd_send_signal(worker, signal.SIGTERM)
    assert [] == select.select([worker], [], [], 1)[0]
    process.kill()

    assert [worker] == select.select([worker], [], [], 20)[0]
    os.kill(child, signal.SIGKILL)


@pytest.mark.slow
def test_a_target_that_hangs_for_ever_and_will_not_close_delays_no_report(
    start: Start, tmp_path: Path
):
    process, directory, child = clinging(start, tmp_path)
    left = [os.pidfd_open(pid) for pid in (worker_pid(tmp_path / "runs"), child)]

    process.terminate()

    # What Dockerfile and manifests promise.
    process.communicate(timeout=20)
    assert 143 == process.returncode
    assert "interrupted" == json.loads((directory / "report.json").read_text())["state"]
    assert (directory / "report.html").is_file()
    # A descriptor of a process can be read from when it has ended.
    assert left == select.select(left, [], [], 5)[0]


def test_a_signal_before_the_target_is_ready_is_no_failure_of_the_target(
    start: Start, tmp_path: Path
):
    preload = ("--set", "population.preload=300000", "--set", "population.keys=300000")
    process = start(*LONG, *preload, "--set", "target.params.capacity_records=300000")
    assert process.stderr is not None
    said = process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=60)[1]

    assert (143, 2) == (process.returncode, said.count("\n")), said
    assert "soak: stopped before target engine was ready" in said
    assert not any((tmp_path / "runs").iterdir())


def test_the_worker_ends_when_its_controller_is_killed(start: Start, tmp_path: Path):
    process = start(*LONG, "--listen", "127.0.0.1:0")
    wait_until_running(process)
    pid = worker_pid(tmp_path / "runs")
    process.kill()
    process.wait()
    descriptor = os.pidfd_open(pid)
    ended, _, _ = select.select([descriptor], [], [], 20)
    assert ended


def test_metrics_health_and_the_run_are_served_while_it_runs(start: Start):
    port = free_port()
    process = start(*LONG, "--listen", f"127.0.0.1:{port}")
    wait_until_running(process)
    where = f"http://127.0.0.1:{port}"
    for path, wanted in (("/healthz", "ok"), ("/readyz", ""), ("/", "<html")):
        with urllib.request.urlopen(where + path, timeout=10) as answer:
            assert wanted in answer.read().decode().lower()
    with urllib.request.urlopen(where + "/metrics", timeout=10) as answer:
        assert b"soak_operations_total{" in answer.read()
    with urllib.request.urlopen(where + "/api/run", timeout=10) as answer:
        assert "running" == json.load(answer)["state"]


def test_a_target_that_is_slow_to_close_answered_no_slower(tmp_path: Path):
    path = tmp_path / "slow-to-close.yaml"
    path.write_text(
        "rate: 100/s\nlisten: null\n"
        "target: {name: tests.scripted_target, params: {what: close_slowly, stall_s: 3.0}}\n"
        "phases: [{name: only, duration: 3s, arrivals: constant, mix: {store: 1, get: 1}}]\n"
        "checks: [{name: rate, detector: slo, params: {total: achieved_per_s, min: 90/s}}]\n"
        "observe: {window: 1s}\n"
    )

    done = soak("run", str(path), "--plain", out=tmp_path / "runs")

    (rate,) = done.report["checks"]
    assert "pass" == rate["status"], rate
    last = (done.directory / "windows.csv").read_text().splitlines()[-1]
    assert 4.0 > float(last.split(",")[1])


def test_a_detector_that_raises_at_the_last_look_leaves_a_report(tmp_path: Path):
    path = tmp_path / "broken.yaml"
    path.write_text(
        "rate: 100/s\nlisten: null\n"
        "target: {name: tests.scripted_target}\n"
        "phases: [{name: only, duration: 3s, arrivals: constant, mix: {store: 1}}]\n"
        "checks: [{name: mine, detector: tests.broken_detector, params: {from_s: 3.0}}]\n"
    )

    done = soak("run", str(path), "--plain", out=tmp_path / "runs")

    assert 13 == done.code, done.stderr
    assert "Traceback" not in done.stderr
    assert "LookupError" in done.report["verdict"]["reason"]
