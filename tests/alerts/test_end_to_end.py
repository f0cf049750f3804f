"""A faulty target, a real Prometheus, a real Alertmanager: does the word get out, and back?"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.conftest import ROOT, SOAK, environment, only_run
from tests.programs import program
from tests.servers import free_port, prometheus, running, serving, until

pytestmark = pytest.mark.slow

SCENARIO = """
name: alarming
question: Does somebody hear of it?
rate: 50/s
target: {name: faulty, params: {corrupt_ratio: 0.2, error_ratio: 0.05}}
population: {keys: 1000, agents: 2}
phases:
  - {name: steady, duration: 12s, mix: {store: 40, get: 60}}
checks:
  - {name: answers, detector: never}
  - {name: errors, detector: slo, params: {total: error_count, per: count, max: 1%}}
  - {name: get-p50, detector: slo, params: {operation: get, quantile: p50, max: 10s}}
observe: {window: 1s, judge: 1s}
"""
PROMETHEUS = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}}
rule_files: ['{rules}/*.yml']
alerting:
  alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]
scrape_configs:
  - job_name: soak
    static_configs: [{{targets: ['{soak}']}}]
"""
ALERTMANAGER = """
route: {{receiver: person, group_by: ['...'], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: person
    webhook_configs: [{{url: '{url}', send_resolved: true}}]
"""


class Person(BaseHTTPRequestHandler):
    """Who is woken; `heard` of the server has every alert that arrived."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard += body["alerts"]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def person() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Person)
    server.heard = []
    with serving(server):
        yield server


@contextmanager
def alertmanager(folder: Path, url: str) -> Iterator[str]:
    (folder / "alertmanager.yml").write_text(ALERTMANAGER.format(url=url))
    listen = f"127.0.0.1:{free_port()}"
    command = [
        *(program("prometheus-alertmanager"), f"--config.file={folder / 'alertmanager.yml'}"),
        *(f"--storage.path={folder / 'alertmanager'}", f"--web.listen-address={listen}"),
        "--cluster.listen-address=",
    ]
    with running(command, folder / "alertmanager.log", f"http://{listen}/-/ready"):
        yield listen


def named(heard: list[dict[str, Any]], status: str) -> dict[str, set[str]]:
    """Alert name to the checks it spoke of, of those with that status."""
    found: dict[str, set[str]] = {}
    for alert in heard:
        if alert["status"] == status:
            found.setdefault(alert["labels"]["alertname"], set()).add(
                alert["labels"].get("check", "")
            )
    return found


def test_a_wrong_answer_reaches_a_person_and_the_all_clear_too(tmp_path: Path):
    scenario = tmp_path / "alarming.yaml"
    scenario.write_text(SCENARIO)
    rules = tmp_path / "rules"
    subprocess.run([SOAK, "rules", str(scenario), "--out", str(rules)], check=True, cwd=ROOT)
    port = free_port()
    command = [
        *(SOAK, "run", str(scenario), "--plain", "--listen", f"127.0.0.1:{port}"),
        *("--out", str(tmp_path / "runs")),
    ]
    with (
        person() as woken,
        alertmanager(tmp_path, f"http://127.0.0.1:{woken.server_port}/") as receiver,
        prometheus(
            tmp_path / "prometheus",
            PROMETHEUS.format(rules=rules, alertmanager=receiver, soak=f"127.0.0.1:{port}"),
        ),
    ):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(lambda: named(woken.heard, "firing").get("SoakWrongAnswers"), "the alert")
            code = process.wait(180)
        finally:
            process.kill()
            process.wait()
        until(lambda: named(woken.heard, "resolved").get("SoakWrongAnswers"), "the all-clear")
        fired = named(woken.heard, "firing")
    report = json.loads((only_run(tmp_path / "runs") / "report.json").read_text())
    failed = {check["name"] for check in report["checks"] if check["status"] == "fail"}
    assert (11, {"answers", "errors"}) == (code, failed)
    assert {"answers"} == fired["SoakWrongAnswers"]
    assert {"errors"} == fired["SoakObjectiveMissed"]
    assert "answers" in next(
        alert["annotations"]["summary"]
        for alert in woken.heard
        if alert["labels"]["alertname"] == "SoakWrongAnswers"
    )
