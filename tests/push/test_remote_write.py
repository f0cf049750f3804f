"""Does what is written arrive, after an outage of the receiver too, and is what is lost counted?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from soak.clock import NS_PER_S, Clock, SystemClock
from soak.push.backlog import Backlog
from soak.push.gateway import PushError, outcome_text, push_outcome
from soak.push.remote_write import EVERY_S, Receiver, RemoteWrite
from soak.push.samples import series, snappy
from soak.snapshot import Exemplar
from tests.programs import program
from tests.servers import fetched, free_port, prometheus, running, serving, until
from tests.snapshots import STARTED, six_hours

BUCKET = "soak_operation_latency_seconds_bucket"
HOUR_S = 3_600.0
SLOW = (
    Exemplar(index=812, duration_s=1.9, wall_time=STARTED + 900),
    Exemplar(index=4_711, duration_s=0.067, wall_time=STARTED + 10_790),
)


class Taker(BaseHTTPRequestHandler):
    """Answers with the server's `status` and keeps the bodies that it took."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status < 300:
            self.server.taken.append((self.headers, body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def taker(status: int = 204) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    server.status, server.taken = status, []
    with serving(server):
        yield server


@pytest.fixture(scope="module")
def snapshot():
    return replace(six_hours(200), exemplars={("search", "latency"): SLOW})


def writer(
    url: str, snapshot, folder: Path, said: list[str], token: str = "", clock: Clock | None = None
) -> RemoteWrite:
    receiver = Receiver(url=url, token=token, fixed={"job": "soak", "instance": "a"})
    return RemoteWrite(receiver, lambda: snapshot, folder, clock or SystemClock(), said.append)


@dataclass
class Turns(SystemClock):
    """From one question for the wall time to the next as much passes as between two turns."""

    at_s: float

    def wall_s(self) -> float:
        self.at_s += EVERY_S
        return self.at_s

    def monotonic_ns(self) -> int:
        return round(self.at_s * NS_PER_S)


def test_snappy_literals_say_their_lengths():
    assert b"\x03\xf4\x02\x00abc" == snappy(b"abc")
    assert (1 << 16) + 10 + 3 + 3 + 3 == len(snappy(b"x" * ((1 << 16) + 10)))


def test_what_an_interrupted_run_left_waiting_goes_first_and_what_is_torn_is_counted(tmp_path):
    folder = tmp_path / "backlog"
    before = Backlog(folder)
    before.add(b"whole", 3)
    before.add(b"torn", 5)
    (torn,) = folder.glob("*-5.z")
    torn.write_bytes(torn.read_bytes()[:4])

    after = Backlog(folder)
    after.add(b"new", 7)

    assert (b"whole", 3) == after.oldest()
    after.done()
    assert (b"new", 7) == after.oldest()
    after.done()
    assert (None, 5, 0) == (after.oldest(), after.dropped_count, after.size_bytes)
    assert [] == list(folder.iterdir())


def test_the_oldest_goes_when_there_is_no_room(tmp_path):
    backlog = Backlog(tmp_path / "backlog", max_bytes=40)
    for number in range(5):
        backlog.add(bytes([number]) * 9, 10)
    kept = []
    while (waiting := backlog.oldest()) is not None:
        kept.append(waiting[0][0])
        backlog.done()
    assert list(range(5))[-len(kept) :] == kept
    assert (5 - len(kept)) * 10 == backlog.dropped_count > 0
    assert (0, []) == (backlog.size_bytes, list((tmp_path / "backlog").iterdir()))


def test_an_outage_loses_nothing_and_is_told_once(tmp_path, snapshot):
    said: list[str] = []
    port = free_port()
    gone = writer(f"http://127.0.0.1:{port}/", snapshot, tmp_path / "b", said)
    for _ in range(4):
        gone.turn()
    assert (4, 0, 1) == (len(gone.backlog), gone.sent_count, len(said))
    with taker() as server:
        back = gone
        back._receiver = Receiver(url=f"http://127.0.0.1:{server.server_port}/")
        back.turn()
        assert 5 == len(server.taken)
    per_turn = len(list(series(snapshot, gone.families())))
    assert (0, 0, 5 * per_turn) == (len(gone.backlog), gone.backlog.dropped_count, gone.sent_count)


@pytest.mark.parametrize(
    ("status", "left", "is_lost"), [(400, 0, True), (503, 1, False), (429, 1, False)]
)
def test_what_is_refused_is_dropped_and_what_is_put_off_is_kept(
    tmp_path, snapshot, status, left, is_lost
):
    said: list[str] = []
    with taker(status) as server:
        refused = writer(f"http://127.0.0.1:{server.server_port}/", snapshot, tmp_path, said)
        refused.turn()
    assert left == len(refused.backlog)
    assert is_lost == (refused.backlog.dropped_count > 0)
    assert str(status) in said[0]


def test_the_token_and_the_headers_of_the_protocol_are_sent(tmp_path, snapshot):
    with taker() as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        pushing = writer(url, snapshot, tmp_path, [], token="s3cret")
        pushing.turn()
        pushing.use_token("n3w")
        pushing.turn()
        (headers, _), (later, _) = server.taken
    assert "Bearer s3cret" == headers["Authorization"]
    assert "Bearer n3w" == later["Authorization"]
    assert "snappy" == headers["Content-Encoding"]
    assert "0.1.0" == headers["X-Prometheus-Remote-Write-Version"]


@pytest.mark.slow
def test_a_real_prometheus_holds_what_was_written_and_close_writes_the_last_word(
    tmp_path, snapshot
):
    flags = ("--web.enable-remote-write-receiver",)
    with prometheus(tmp_path / "prometheus", "global: {}\n", *flags) as server:
        said: list[str] = []
        push = writer(f"{server.url}/api/v1/write", snapshot, tmp_path / "b", said)
        push.start()
        push.close()
        assert [] == said
        operations = server.query("sum by (operation) (soak_operations_total)")
        inf = 'soak_operation_latency_seconds_bucket{le="+Inf", instance="a", job="soak"}'
        counted = server.query(inf)
    expected = {frozenset({("operation", n)}): t.count for n, t in snapshot.operations.items()}
    assert expected == operations
    assert sorted(expected.values()) == sorted(counted.values())


@pytest.mark.slow
def test_a_real_prometheus_keeps_the_exemplars_of_the_buckets(tmp_path, snapshot):
    """In the test above it has no room for any, and takes the samples all the same."""
    flags = ("--web.enable-remote-write-receiver", "--enable-feature=exemplar-storage")
    with prometheus(tmp_path / "prometheus", "global: {}\n", *flags) as server:
        said: list[str] = []
        push = writer(f"{server.url}/api/v1/write", snapshot, tmp_path / "b", said)
        push.turn()
        push.turn()  # it has them all already
        span = {"start": STARTED, "end": STARTED + 4 * HOUR_S}
        found = server.ask("query_exemplars", query=f'{BUCKET}{{job="soak"}}', **span)
    kept = {
        (one["seriesLabels"]["operation"], one["seriesLabels"]["le"]): [
            (told["labels"]["operation_id"], float(told["value"]), told["timestamp"])
            for told in one["exemplars"]
        ]
        for one in found
    }
    expected = {
        ("search", "2.5"): [("812", 1.9, STARTED + 900)],
        ("search", "0.075"): [("4711", 0.067, STARTED + 10_790)],
    }
    assert ([], expected) == (said, kept)
    assert {snapshot.identity.run_id} == {
        told["labels"]["run_id"] for one in found for told in one["exemplars"]
    }
    log = (tmp_path / "prometheus" / "prometheus.log").read_text()
    assert "out-of-order exemplars" not in log


@pytest.mark.slow
def test_a_prometheus_that_was_away_for_an_hour_has_all_of_it_afterwards(tmp_path, snapshot):
    said: list[str] = []
    turns, ended_s = round(HOUR_S / EVERY_S), SystemClock().wall_s()
    clock = Turns(ended_s - HOUR_S)
    push = writer(f"http://127.0.0.1:{free_port()}/", snapshot, tmp_path / "b", said, clock=clock)
    for _ in range(turns - 1):
        push.turn()
    assert (turns - 1, 0, 60) == (len(push.backlog), push.sent_count, len(said))
    flags = ("--web.enable-remote-write-receiver",)
    with prometheus(tmp_path / "prometheus", "global: {}\n", *flags) as server:
        push._receiver = replace(push._receiver, url=f"{server.url}/api/v1/write")
        push.turn()
        counted = server.query("count_over_time(soak_run_info[2h])", ended_s)
        oldest = server.query("time() - min_over_time(timestamp(soak_run_info)[2h:15s])", ended_s)
    assert (0, 0, [turns]) == (
        len(push.backlog),
        push.backlog.dropped_count,
        list(counted.values()),
    )
    assert [pytest.approx(HOUR_S - EVERY_S, abs=1)] == list(oldest.values())


@pytest.mark.slow
def test_a_real_pushgateway_keeps_how_the_last_run_ended(tmp_path, snapshot):
    listen = f"127.0.0.1:{free_port()}"
    command = [
        *(program("prometheus-pushgateway"), f"--web.listen-address={listen}"),
        "--persistence.file=",
    ]
    with running(command, tmp_path / "log", f"http://{listen}/-/ready"):
        push_outcome(f"http://{listen}", snapshot)
        page = until(lambda: fetched(f"http://{listen}/metrics").decode(), "the page")
    assert (
        'soak_outcome_exit_code{instance="",job="soak",scenario="steady",target="engine"} 12'
        in page
    )
    assert 'check="memory"' in page


def test_a_gateway_that_is_away_is_an_error_with_its_address(snapshot):
    with pytest.raises(PushError, match=r"127\.0\.0\.1.*refused"):
        push_outcome(f"http://127.0.0.1:{free_port()}", snapshot)


def test_the_outcome_has_a_status_for_each_check(snapshot):
    text = outcome_text(snapshot)
    assert 'soak_outcome_check_status{check="memory",status="fail"} 1.0' in text
    assert "soak_outcome_duration_seconds{} 10800.0" in text
