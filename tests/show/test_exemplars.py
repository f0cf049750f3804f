"""Does a slow bucket lead to the operation behind it, in every format that can say so?"""

import re
import subprocess
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from soak.histogram import BOUNDS_S
from soak.show.exemplars import labels_of
from soak.show.exporter import OPENMETRICS_TYPE, Exporter
from soak.show.web import serve
from soak.snapshot import Exemplar, Snapshot
from tests.endtoend.conftest import SOAK
from tests.servers import FEATURES, free_port, prometheus, until
from tests.snapshots import STARTED, six_hours

LATENCY = "soak_operation_latency_seconds"
CONFIGURATION = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
scrape_configs:
  - job_name: soak
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""
EXEMPLARS = {
    ("search", "latency"): (
        Exemplar(index=812, duration_s=1.9, wall_time=STARTED + 900),
        Exemplar(index=4_711, duration_s=0.067, wall_time=STARTED + 10_790),
    ),
    ("get", "service"): (Exemplar(index=9, duration_s=75.0, wall_time=STARTED + 60),),
}
SCENARIO = """
name: pointed-at
question: Which operation was that?
rate: 100/s
target: memory
population: {keys: 1000, agents: 2}
phases: [{name: steady, duration: 2m, mix: {store: 40, get: 60}}]
checks:
  - {name: get-p99, detector: slo, params: {operation: get, max: 50ms}}
  - {name: store-p99, detector: slo, params: {operation: store, max: 50ms}}
observe: {window: 1s, judge: 1s}
"""


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return replace(six_hours(500), exemplars=EXEMPLARS)


def pointers(page: str, name: str) -> dict[tuple[str, float], tuple[dict[str, str], float, float]]:
    """(operation, upper bound) to labels, value and time of the exemplar there."""
    return {
        (s.labels["operation"], float(s.labels["le"])): (
            s.exemplar.labels,
            s.exemplar.value,
            float(s.exemplar.timestamp),
        )
        for family in parse(page)
        for s in family.samples
        if s.name == f"{name}_bucket" and s.exemplar
    }


def test_an_exemplar_stands_in_the_bucket_that_its_duration_falls_into(snapshot):
    page = Exporter().render(snapshot, openmetrics=True).decode()
    run = snapshot.identity.run_id
    expected = {
        ("search", 0.075): ({"run_id": run, "operation_id": "4711"}, 0.067, STARTED + 10_790),
        ("search", 2.5): ({"run_id": run, "operation_id": "812"}, 1.9, STARTED + 900),
    }
    assert expected == pointers(page, LATENCY)
    (service,) = pointers(page, "soak_operation_service_seconds")
    assert ("get", float("inf")) == service


def test_the_latest_of_two_in_one_bucket_is_shown(snapshot):
    older, newer = EXEMPLARS["search", "latency"]
    same = {("search", "latency"): (replace(older, duration_s=0.07), newer)}
    page = Exporter().render(replace(snapshot, exemplars=same), openmetrics=True).decode()
    ((labels, _, _),) = pointers(page, LATENCY).values()
    assert "4711" == labels["operation_id"]


def test_plain_text_has_no_exemplars(snapshot):
    plain = Exporter().render(snapshot)
    assert Exporter().render(replace(snapshot, exemplars={})) == plain


def test_a_long_name_of_a_run_does_not_make_the_exemplar_too_long(snapshot):
    exemplar = EXEMPLARS["search", "latency"][0]
    assert {"operation_id": "812"} == labels_of(exemplar, "r" * 120)


@pytest.mark.slow
@pytest.mark.parametrize("features", ["exemplar-storage", FEATURES])
def test_a_real_prometheus_keeps_exemplars_of_both_formats(snapshot, features, tmp_path):
    """With native histograms it asks for protobuf, else for OpenMetrics."""
    server = serve("127.0.0.1:0", lambda: snapshot, lambda: 0.0)
    configuration = CONFIGURATION.format(port=server.port)
    with prometheus(tmp_path, configuration, f"--enable-feature={features}") as scraper:
        asked = {
            "query": f'{{__name__=~"{LATENCY}.*", operation="search"}}',
            "start": STARTED,
            "end": STARTED + 86_400,
        }
        found = until(lambda: scraper.ask("query_exemplars", **asked), "exemplars")
    server.close()
    kept = [exemplar for series in found for exemplar in series["exemplars"]]
    latest = max(kept, key=lambda exemplar: exemplar["timestamp"])
    labels = {"run_id": snapshot.identity.run_id, "operation_id": "4711"}
    assert (labels, 0.067) == (latest["labels"], float(latest["value"]))
    assert pytest.approx(STARTED + 10_790) == latest["timestamp"]
    out_of_order = "out-of-order exemplars"
    assert out_of_order not in (tmp_path / "prometheus.log").read_text()


def scraped(url: str) -> str:
    request = urllib.request.Request(f"{url}/metrics", headers={"Accept": OPENMETRICS_TYPE})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return reply.read().decode()


@pytest.mark.slow
def test_the_exemplar_of_a_live_run_leads_to_the_operation_in_its_directory(tmp_path: Path):
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        *(SOAK, "run", tmp_path / "scenario.yaml", "--plain"),
        *("--listen", url.removeprefix("http://"), "--out", tmp_path / "runs"),
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        found = until(lambda: pointers(scraped(url), LATENCY), "an exemplar")
        (operation, bound), (labels, value_s, _) = max(found.items(), key=lambda one: one[1][1])
        run = tmp_path / "runs" / labels["run_id"]
        shown = subprocess.run(
            [SOAK, "show", run, "--operation", labels["operation_id"]],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    finally:
        process.terminate()
        process.wait(60)
    lower = max((b for b in BOUNDS_S if b < bound), default=0.0)
    latency_ms = re.search(r"^latency +(\S+) ms", shown, re.MULTILINE)
    assert latency_ms, shown
    assert lower < float(latency_ms[1]) / 1e3 <= bound
    assert pytest.approx(value_s) == float(latency_ms[1]) / 1e3
    assert re.search(rf"^kind +{operation}$", shown, re.MULTILINE)
    assert re.search(r"^outcome +ok$", shown, re.MULTILINE)
    assert re.search(rf"^kept as +the slowest {operation} of its window by .*latency", shown, re.M)
    assert re.search(rf"^check +{operation}-p99: ", shown, re.MULTILINE)
