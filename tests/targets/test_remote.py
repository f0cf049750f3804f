"""A server that nobody here can look into: what of it is judged, and what is unknown?"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from soak.result import TargetError
from soak.targets import _metrics as metrics
from soak.targets._server import watched
from tests.endtoend.conftest import soak
from tests.servers import serving

METRICS = b"""\
# HELP process_resident_memory_bytes Resident memory size in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.5e+08
items_total{collection="a"} 3
items_total{collection="b, c"} 4 1700000000000
broken_total NaN
not a metric
"""
SCENARIO = """\
question: Is the memory of a server elsewhere known?
rate: 100/s
target:
  name: http
  params:
    url: URL
    metrics: {url: URL/metrics, figures: {accounted_bytes: process_resident_memory_bytes}}
    search: {path: /search, body: {k: $k}, keys: hits.*.id, scores: hits.*.score}
population: {keys: 200, agents: 1, agent_filter: 0}
phases: [{name: only, duration: 3s, mix: {store: 1, search: 1}}]
checks:
  - {name: answers, detector: never}
  - {name: memory, detector: leak}
  - {name: files, detector: pile_up}
  - {name: size, detector: density, params: {column: accounted_bytes, max: 10GB, min_records: 1}}
"""


class Elsewhere(BaseHTTPRequestHandler):
    """Takes whatever is stored, and tells how large it is."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: the second of two would wait for an acknowledgement

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(json.dumps({"hits": []}).encode())

    def do_GET(self) -> None:
        self._answer(METRICS)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


def test_metrics_are_summed_over_their_labels_and_other_lines_are_skipped():
    expected = {"process_resident_memory_bytes": 1.5e8, "items_total": 7.0}

    assert expected == metrics.sums(METRICS.decode())


def test_metrics_come_by_our_names_and_missing_ones_are_left_out(url: str):
    figures = {"accounted_bytes": "process_resident_memory_bytes", "lost_count": "lost_total"}

    assert {"accounted_bytes": 1.5e8} == metrics.read(f"{url}/metrics", figures)


def test_metrics_that_nobody_serves_are_a_target_error():
    with pytest.raises(TargetError, match=r"127\.0\.0\.1:9"):
        metrics.read("http://127.0.0.1:9/metrics", {})


class Talkative(BaseHTTPRequestHandler):
    """Answers in no protocol."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"hello, who is there?\r\n")


@pytest.mark.parametrize("path", ["/metrics", "/two words"])
def test_metrics_in_no_protocol_or_at_no_address_are_a_target_error(path: str):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Talkative)
    with serving(server), pytest.raises(TargetError, match=r"BadStatusLine|InvalidURL"):
        metrics.read(f"http://127.0.0.1:{server.server_port}{path}", {})


def test_a_named_process_is_watched_and_without_one_nothing_is():
    assert (7,) == watched(None, 7)
    assert watched(None, None) is None


@pytest.mark.slow
def test_memory_out_of_reach_is_unknown_and_what_the_server_tells_is_judged(
    url: str, tmp_path: Path
):
    file = tmp_path / "remote.yaml"
    file.write_text(SCENARIO.replace("URL", url))
    done = soak("run", str(file), "--plain", "--listen", "127.0.0.1:0", out=tmp_path / "runs")
    checks = {check["name"]: (check["status"], check["reason"]) for check in done.report["checks"]}

    assert 13 == done.code, done.stderr
    assert "pass" == checks["answers"][0]
    unknown = "memory: anonymous_bytes not measured, so a leak cannot be told from growth"
    assert ("unknown", unknown) == checks["memory"]
    assert ("unknown", "files: open_fds not measured") == checks["files"]
    assert "pass" == checks["size"][0]
    assert 1.5e8 == done.report["resources"]["accounted_bytes"]["last"]
    assert "rss_bytes" not in done.report["resources"]
    assert {} == {
        name: n for name, n in done.report["certificate"]["sampler_failures"].items() if n
    }
