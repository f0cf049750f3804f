"""Does a Prometheus with native histograms get them, and do its quantiles agree with ours?"""

import gzip
import urllib.request
from dataclasses import replace

import numpy as np
import pytest

from soak.histogram import Histogram
from soak.show import wire
from soak.show.exporter import OPENMETRICS_TYPE, TEXT_TYPE
from soak.show.native import PROTOBUF_TYPE, SCHEMA, native_buckets, render_native
from soak.show.negotiation import preferred
from soak.show.web import Refused, serve
from tests.servers import FEATURES, prometheus, until
from tests.snapshots import six_hours

FACTOR = 2 ** (1 / (1 << SCHEMA)) * 1.002
CONFIGURATION = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
scrape_configs:
  - job_name: soak
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""
PROMETHEUS_WITH_FEATURE = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
    "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT_TYPE),
        ("*/*", TEXT_TYPE),
        ("text/plain", TEXT_TYPE),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", OPENMETRICS_TYPE),
        ("text/plain, application/openmetrics-text;q=0.5", TEXT_TYPE),
        (PROMETHEUS_WITH_FEATURE, PROTOBUF_TYPE),
        ("application/vnd.google.protobuf;proto=another;encoding=delimited", TEXT_TYPE),
        ("application/openmetrics-text;q=much,text/plain;q=0.1", TEXT_TYPE),
    ],
)
def test_a_scraper_gets_the_format_that_it_prefers(accept, expected):
    assert expected == preferred(accept)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, b"\0"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (300, b"\xac\x02"),
        (1 << 63, b"\x80" * 9 + b"\1"),
    ],
)
def test_varints_are_those_of_the_specification(value, expected):
    assert expected == wire.varint(value)


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (-1, 1), (1, 2), (-2, 3), (2**31, 2**32)])
def test_signed_numbers_are_folded_around_zero(value, expected):
    assert expected == wire.zigzag(value)


def test_native_buckets_hold_what_was_counted_where_it_belongs():
    histogram = Histogram()
    values_ns = np.random.default_rng(4).lognormal(14, 3, 5_000).astype(np.int64) + 1
    histogram.add(values_ns)
    numbers, counts = native_buckets(histogram.counts)
    assert values_ns.size == counts.sum()
    upper_s = 2.0 ** (numbers / 16)
    below = np.searchsorted(np.sort(values_ns / 1e9), upper_s * 1.002, side="right")
    least = np.searchsorted(np.sort(values_ns / 1e9), upper_s / 1.002, side="right")
    assert (least <= counts.cumsum()).all()
    assert (counts.cumsum() <= below).all()


def test_an_empty_histogram_has_no_buckets():
    numbers, counts = native_buckets(Histogram().counts)
    assert (0, 0) == (numbers.size, counts.size)


def test_the_protobuf_page_obeys_the_cap_on_series():
    snapshot = six_hours(200)
    crowd = {f"reported_tenant_{n}_bytes": float(n) for n in range(100_000)}
    full = render_native(replace(snapshot, resources={**snapshot.resources, **crowd}))
    assert full.count(b"soak_target_reported") == 1
    assert full.count(b"tenant_") < 5_000


@pytest.mark.slow
def test_quantiles_by_a_real_prometheus_are_the_exact_ones_within_a_bucket(tmp_path):
    snapshot = six_hours(4_000)
    server = serve("127.0.0.1:0", lambda: snapshot, lambda: 0.0)
    flags = (f"--enable-feature={FEATURES}",)
    with prometheus(tmp_path, CONFIGURATION.format(port=server.port), *flags) as scraper:
        until(lambda: scraper.query("soak_run_info"), "a scrape")
        for share in (0.5, 0.99):
            shown = scraper.query(f"histogram_quantile({share}, soak_operation_latency_seconds)")
            shown = {dict(labels)["operation"]: value for labels, value in shown.items()}
            exact = {
                name: totals.latency.quantile_s(share)
                for name, totals in snapshot.operations.items()
            }
            assert exact.keys() == shown.keys()
            wrong = {n: (exact[n], shown[n]) for n in exact if not near(exact[n], shown[n])}
            assert {} == wrong
        counted = scraper.query("histogram_count(soak_operation_latency_seconds)")
        summed = scraper.query("histogram_sum(soak_operation_latency_seconds)")
        outcomes = scraper.query("sum(soak_operations_total)")
        (target,) = scraper.ask("targets")["activeTargets"]
    server.close()
    assert ("up", "") == (target["health"], target["lastError"])
    assert {frozenset(): float(sum(t.count for t in snapshot.operations.values()))} == outcomes
    assert sorted(t.count for t in snapshot.operations.values()) == sorted(counted.values())
    exact_s = sorted(t.latency.sum_ns / 1e9 for t in snapshot.operations.values())
    assert pytest.approx(exact_s) == sorted(summed.values())


def near(exact: float, shown: float) -> bool:
    return exact / FACTOR <= shown <= exact * FACTOR


def test_the_server_answers_in_protobuf_when_asked():
    snapshot = six_hours(200)
    server = serve("127.0.0.1:0", lambda: snapshot, lambda: 0.0)
    headers = {"Accept": PROMETHEUS_WITH_FEATURE, "Accept-Encoding": "gzip"}
    request = urllib.request.Request(f"{server.url}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as reply:
        body = gzip.decompress(reply.read())
        assert PROTOBUF_TYPE == reply.headers["Content-Type"]
    server.close()
    assert render_native(snapshot, extra=(Refused().family(),)) == body
