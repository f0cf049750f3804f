"""Does a real Prometheus take what /metrics serves, in the format it asks for?"""

from collections.abc import Iterator

import pytest

from soak.show.web import serve
from soak.snapshot import Snapshot
from tests.servers import Prometheus, prometheus, until
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
def scraping(snapshot, tmp_path_factory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the snapshot every second."""
    server = serve("127.0.0.1:0", lambda: snapshot, lambda: 0.0)
    configuration = CONFIGURATION.format(port=server.port)
    with prometheus(tmp_path_factory.mktemp("prometheus"), configuration) as started:
        until(lambda: started.query("soak_run_info"), "the first scrape")
        yield started
    server.close()


def test_the_scrape_succeeds(scraping):
    (target,) = scraping.ask("targets")["activeTargets"]
    assert ("up", "") == (target["health"], target["lastError"])


def test_counts_arrive_as_the_snapshot_has_them(scraping, snapshot):
    shown = scraping.query("sum by (operation) (soak_operations_total)")
    expected = {
        frozenset({("operation", name)}): t.count for name, t in snapshot.operations.items()
    }
    assert expected == shown


def test_quantiles_by_promql_are_the_histogram_s_within_a_bucket(scraping, snapshot):
    expression = "histogram_quantile(0.5, soak_operation_latency_seconds_bucket)"
    found = scraping.query(expression).items()
    shown = {dict(labels)["operation"]: value for labels, value in found}
    for name, totals in snapshot.operations.items():
        # Neighbouring bounds are a factor of 2.5 apart at most.
        exact = totals.latency.quantile_s(0.5)
        assert exact / 2.5 < shown[name] < exact * 2.5


def test_a_dashboard_can_ask_for_the_run_s_identity(scraping):
    (labels,) = scraping.query("soak_run_info")
    assert {"run_id": "20260301T120000Z-steady-1f3a", "seed": "7"}.items() <= dict(labels).items()
    assert {"scenario": "steady", "target": "engine"}.items() <= dict(labels).items()
