"""Does a real Prometheus take what /metrics serves, in the format it asks for?"""

import json
import os
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from soak.show.web import serve
from soak.snapshot import Snapshot
from tests.snapshots import six_hours

pytestmark = pytest.mark.slow

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: soak
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return six_hours(2_000)


@pytest.fixture(scope="module")
def prometheus(snapshot, tmp_path_factory) -> Iterator[str]:
    """The address of a Prometheus that scrapes the snapshot every second."""
    program = shutil.which("prometheus")
    if program is None and not os.environ.get("CI"):
        pytest.skip("prometheus is missing: apt-get install -y --no-install-recommends prometheus")
    assert program, "apt-get install -y --no-install-recommends prometheus"
    folder: Path = tmp_path_factory.mktemp("prometheus")
    server = serve("127.0.0.1:0", lambda: snapshot, lambda: 0.0)
    (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=server.port))
    listen = f"127.0.0.1:{free_port()}"
    command = [
        *(program, f"--config.file={folder / 'prometheus.yml'}"),
        *(f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={listen}"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until_scraped(listen)
        yield listen
    finally:
        process.terminate()
        process.wait(30)
        server.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until_scraped(listen: str) -> None:
    pause = threading.Event()
    for _ in range(120):
        try:
            if query(listen, "soak_run_info"):
                return
        except urllib.error.URLError:
            pass  # not listening yet
        pause.wait(0.25)
    raise AssertionError(f"not scraped: {targets(listen)}")


def ask(listen: str, path: str) -> dict[str, object]:
    with urllib.request.urlopen(f"http://{listen}{path}", timeout=10) as reply:
        return json.load(reply)["data"]


def query(listen: str, expression: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Labels (without those that Prometheus adds) to value."""
    found = ask(listen, f"/api/v1/query?query={urllib.parse.quote(expression)}")["result"]
    added = ("__name__", "instance", "job")
    return {
        tuple(sorted((k, v) for k, v in one["metric"].items() if k not in added)): float(
            one["value"][1]
        )
        for one in found
    }


def targets(listen: str) -> list[dict[str, object]]:
    return ask(listen, "/api/v1/targets")["activeTargets"]


def test_the_scrape_succeeds(prometheus):
    (target,) = targets(prometheus)
    assert ("up", "") == (target["health"], target["lastError"])


def test_counts_arrive_as_the_snapshot_has_them(prometheus, snapshot):
    shown = query(prometheus, "sum by (operation) (soak_operations_total)")
    expected = {(("operation", name),): t.count for name, t in snapshot.operations.items()}
    assert expected == shown


def test_quantiles_by_promql_are_the_histogram_s_within_a_bucket(prometheus, snapshot):
    expression = "histogram_quantile(0.5, soak_operation_latency_seconds_bucket)"
    shown = {
        dict(labels)["operation"]: value for labels, value in query(prometheus, expression).items()
    }
    for name, totals in snapshot.operations.items():
        # Neighbouring bounds are a factor of 2.5 apart at most.
        exact = totals.latency.quantile_s(0.5)
        assert exact / 2.5 < shown[name] < exact * 2.5


def test_a_dashboard_can_ask_for_the_run_s_identity(prometheus):
    (labels,) = query(prometheus, "soak_run_info")
    assert {"run_id": "20260301T120000Z-steady-1f3a", "seed": "7"}.items() <= dict(labels).items()
    assert {"scenario": "steady", "target": "engine"}.items() <= dict(labels).items()
