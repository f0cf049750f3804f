"""Does the web server answer what was asked, on time, and nobody else's address?"""

import base64
import gzip
import http.client
import json
import socket
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from soak.report.document import document
from soak.show.exporter import OPENMETRICS_TYPE, TEXT_TYPE, Exporter
from soak.show.pages import STALE_S, Shelf
from soak.show.web import (
    MAX_CONNECTIONS,
    Access,
    ListenError,
    Refused,
    Server,
    address,
    serve,
)
from soak.snapshot import Snapshot
from tests.programs import program
from tests.snapshots import six_hours


@dataclass
class Board:
    """A run to look at: the newest snapshot, and how old the controller's last beat is."""

    snapshot: Snapshot
    beat_age_s: float = 0.1
    asked: int = 0

    def newest(self) -> Snapshot:
        self.asked += 1
        return self.snapshot


NOBODY = (Refused().family(),)  # was turned away


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return six_hours(1_000)


@pytest.fixture
def board(snapshot) -> Board:
    return Board(snapshot)


@pytest.fixture
def server(board) -> Iterator[Server]:
    with served(board) as running:
        yield running


@contextmanager
def served(board: Board, access: Access | None = None) -> Iterator[Server]:
    running = serve("127.0.0.1:0", board.newest, lambda: board.beat_age_s, access)
    yield running
    running.close()


def ask(
    server: Server, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case, body as it came."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        reply = connection.getresponse()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
    finally:
        connection.close()


def test_metrics_are_the_exporter_s_page(server, snapshot):
    status, headers, body = ask(server, "/metrics")
    assert 200 == status
    assert TEXT_TYPE == headers["content-type"]
    assert Exporter().render(snapshot, extra=NOBODY) == body


def test_a_scraper_that_prefers_openmetrics_gets_it(server, snapshot):
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    _, headers, body = ask(server, "/metrics", Accept=accept)
    assert OPENMETRICS_TYPE == headers["content-type"]
    assert Exporter().render(snapshot, openmetrics=True, extra=NOBODY) == body


@pytest.mark.parametrize("path", ["/metrics", "/api/run", "/"])
def test_compression_changes_the_bytes_and_not_the_content(server, path):
    _, plain_headers, plain = ask(server, path)
    _, headers, packed = ask(server, path, Accept_Encoding="gzip, deflate")
    assert "content-encoding" not in plain_headers
    assert "gzip" == headers["content-encoding"]
    assert plain == gzip.decompress(packed)


def test_the_run_is_the_report_s_document(server, snapshot):
    _, headers, body = ask(server, "/api/run")
    assert headers["content-type"].startswith("application/json")
    assert json.loads(json.dumps(document(snapshot))) == json.loads(body)


def test_events_come_with_their_details(server, snapshot):
    rows = json.loads(ask(server, "/api/events")[2])
    assert len(snapshot.events) == len(rows)
    evicted = next(row for row in rows if row["kind"] == "evict")
    assert 9_000 == evicted["records"]


@pytest.mark.parametrize(
    ("beat_age_s", "status"), [(0.0, 200), (STALE_S - 0.1, 200), (STALE_S, 503), (3_600, 503)]
)
def test_health_is_that_of_the_controller_s_loop(server, board, beat_age_s, status):
    board.beat_age_s = beat_age_s
    given, _, body = ask(server, "/healthz")
    assert status == given
    assert (b"ok" in body) == (status == 200)


@pytest.mark.parametrize(
    ("state", "status"),
    [("starting", 503), ("running", 200), ("stopping", 503), ("finished", 503)],
)
def test_ready_means_that_operations_are_being_sent(server, board, state, status):
    board.snapshot = replace(board.snapshot, state=state)
    given, _, body = ask(server, "/readyz")
    assert status == given
    assert (status == 200) or state.encode() in body


def test_an_unknown_path_is_told_what_there_is(server):
    status, _, body = ask(server, "/metric")
    assert 404 == status
    assert {"/metrics", "/healthz", "/readyz", "/api/run", "/api/events"} <= set(
        body.decode().split()
    )


@pytest.mark.parametrize("path", ["/..%2fweb.py", "/../web.py", "/page/index.html", "//[", "/\x7f"])
def test_nothing_else_of_the_package_can_be_read(server, path):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        assert b" 404 " in raw.makefile("rb").readline()


def test_head_is_get_without_the_body(server):
    _, got, body = ask(server, "/metrics")
    status, headed, nothing = ask(server, "/metrics", method="HEAD")
    assert (200, b"") == (status, nothing)
    assert str(len(body)) == headed["content-length"] == got["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed_from_outside(server, method):
    status, headers, _ = ask(server, "/metrics", method=method)
    assert 405 == status
    assert "GET, HEAD" == headers["allow"]


def test_a_newer_snapshot_is_shown_at_the_next_request(server, board):
    ask(server, "/api/run")
    board.snapshot = replace(board.snapshot, elapsed_s=12_345.0)
    assert 12_345.0 == json.loads(ask(server, "/api/run")[2])["duration_s"]


@pytest.mark.parametrize("compressed", [False, True])
def test_one_snapshot_is_rendered_once_however_many_scrape_it(board, compressed):
    shelf = Shelf(board.newest, lambda: 0.0)
    _, first = shelf.get("/metrics", compressed=compressed)
    _, second = shelf.get("/metrics", compressed=compressed)
    assert first is second


def test_fifty_scrapers_at_once_are_all_answered(server):
    pages: list[int] = []

    def scrape() -> None:
        pages.append(len(ask(server, "/metrics")[2]))

    scrapers = [threading.Thread(target=scrape) for _ in range(50)]
    for scraper in scrapers:
        scraper.start()
    for scraper in scrapers:
        scraper.join()
    assert [len(ask(server, "/metrics")[2])] * 50 == pages


def test_connections_beyond_the_bound_are_told_to_come_back(server):
    held = [http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(MAX_CONNECTIONS)]
    for connection in held:  # an answered connection that stays open keeps its place
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        assert b"503" in raw.makefile("rb").readline()
    for connection in held:
        connection.close()


def test_a_client_that_hangs_up_does_no_harm(server, capfd):
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
    assert 200 == ask(server, "/metrics")[0]
    assert ("", "") == capfd.readouterr()


def test_a_port_in_use_names_the_port_and_the_flag(server, board):
    with pytest.raises(ListenError) as failure:
        serve(f"127.0.0.1:{server.port}", board.newest, lambda: 0.0)
    assert str(server.port) in str(failure.value)
    assert "--listen" in str(failure.value)


@pytest.mark.parametrize("listen", ["9464", "localhost:", ":9464", "127.0.0.1:http", "::1:70000"])
def test_an_address_that_is_none_is_refused_with_an_example(listen):
    with pytest.raises(ListenError, match=r"host:port, such as --listen 127.0.0.1:9464"):
        address(listen)


def test_addresses_of_both_families_are_understood():
    assert ("127.0.0.1", 9464) == address("127.0.0.1:9464")
    assert ("::1", 9464) == address("[::1]:9464")


def test_a_closed_server_gives_its_port_back(board):
    first = serve("127.0.0.1:0", board.newest, lambda: 0.0)
    first.close()
    second = serve(f"127.0.0.1:{first.port}", board.newest, lambda: 0.0)
    second.close()
    assert first.port == second.port


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 401),
        ("Bearer wrong", 401),
        ("Bearer s3cret", 200),
        ("Basic " + base64.b64encode(b"me:s3cret").decode(), 200),
        ("Basic " + base64.b64encode(b"s3cret:").decode(), 401),
        ("Basic %%%", 401),
    ],
)
def test_with_a_token_only_its_bearer_is_answered(board, header, status):
    with served(board, Access(token="s3cret")) as server:
        headers = {"Authorization": header} if header else {}
        given, answered, body = ask(server, "/metrics", **headers)
        assert status == given
        assert ("www-authenticate" in answered) == (status == 401)
        assert (b"soak_run_info" in body) == (status == 200)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A key and a certificate for 127.0.0.1 that it signed itself, in one PEM file."""
    path: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    openssl = program("openssl")
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [openssl, *request.split(), *subject, "-keyout", path, "-out", path.with_suffix(".c")]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".c").read_bytes())
    return path


def test_with_a_certificate_the_connection_is_encrypted(board, snapshot, certificate, capfd):
    with served(board, Access(certificate=certificate)) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"{server.url}/metrics", context=trusting) as reply:
            assert Exporter().render(snapshot, extra=NOBODY) == reply.read()
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(server, "/metrics")
    assert ("", "") == capfd.readouterr()


def test_only_clients_with_a_certificate_get_in_where_one_is_asked_for(board, certificate):
    trusting = ssl.create_default_context(cafile=str(certificate))
    known = ssl.create_default_context(cafile=str(certificate))
    known.load_cert_chain(certificate)
    with served(board, Access(certificate=certificate, clients=certificate)) as server:
        with pytest.raises((OSError, http.client.HTTPException)):
            urllib.request.urlopen(f"{server.url}/metrics", context=trusting).read()
        board.snapshot = replace(board.snapshot)
        with urllib.request.urlopen(f"{server.url}/metrics", context=known) as reply:
            page = reply.read().decode()
    assert (
        'soak_exporter_refused_total{scenario="steady",target="engine",reason="certificate"} 1'
        in page
    )


def test_bad_tokens_are_counted(board):
    with served(board, Access(token="s3cret")) as server:
        for _ in range(3):
            assert 401 == ask(server, "/metrics", Authorization="Bearer wrong")[0]
        board.snapshot = replace(board.snapshot)
        page = ask(server, "/metrics", Authorization="Bearer s3cret")[2].decode()
    assert 'reason="token"} 3' in page


def test_who_came_in_by_an_old_token_has_to_come_in_again(board):
    with served(board, Access(token="old")) as server:
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        old = {"Authorization": "Bearer old"}
        for _ in range(2):
            kept.request("GET", "/metrics", headers=old)
            answered = kept.getresponse()
            answered.read()
            assert 200 == answered.status

        server.admit(Access(token="new"))

        kept.request("GET", "/metrics", headers=old)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            kept.getresponse()
        kept.close()
        assert 401 == ask(server, "/metrics", **old)[0]
        assert 200 == ask(server, "/metrics", Authorization="Bearer new")[0]


def test_what_cannot_be_used_admits_as_before(board, tmp_path):
    with served(board, Access(token="old")) as server:
        with pytest.raises(ListenError):
            server.admit(Access(token="new", certificate=tmp_path / "missing.pem"))
        assert 200 == ask(server, "/metrics", Authorization="Bearer old")[0]


def test_a_certificate_that_cannot_be_read_is_named(board, tmp_path):
    missing = tmp_path / "missing.pem"
    with pytest.raises(ListenError, match=r"missing\.pem"):
        serve("127.0.0.1:0", board.newest, lambda: 0.0, Access(certificate=missing))


def test_nothing_is_cached_framed_or_loaded_from_elsewhere(server):
    _, headers, _ = ask(server, "/")
    assert "no-store" == headers["cache-control"]
    assert "default-src 'self'" in headers["content-security-policy"]
