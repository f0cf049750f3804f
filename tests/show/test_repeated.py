"""Is a scraper that asks the same again and again answered as one that asks once?"""

import gzip
import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from soak.show.pages import STALE_S
from soak.show.web import Access, Server, serve
from soak.snapshot import Snapshot
from tests.snapshots import six_hours

REPEATED = b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"


@dataclass
class Board:
    """A run to look at."""

    snapshot: Snapshot
    beat_age_s: float = 0.1


@pytest.fixture
def board() -> Board:
    return Board(six_hours(200))


@contextmanager
def served(board: Board, access: Access | None = None) -> Iterator[Server]:
    running = serve("127.0.0.1:0", lambda: board.snapshot, lambda: board.beat_age_s, access)
    yield running
    running.close()


@pytest.fixture
def server(board) -> Iterator[Server]:
    with served(board) as running:
        yield running


class Scraper:
    """A connection that stays open, and what is sent on it as it is."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)

    def ask(self, head: bytes) -> tuple[int, dict[str, str], bytes]:
        self._socket.sendall(head)
        reply = http.client.HTTPResponse(self._socket)
        reply.begin()
        body = reply.read()
        return reply.status, dict(reply.getheaders()), body

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def scraper(server) -> Iterator[Scraper]:
    made = Scraper(server)
    yield made
    made.close()


def test_what_is_asked_again_is_answered_the_same_until_there_is_a_newer_snapshot(scraper, board):
    first, second = scraper.ask(REPEATED), scraper.ask(REPEATED)
    assert (200, first[2]) == (second[0], second[2])
    assert first[1].keys() == second[1].keys()
    board.snapshot = replace(board.snapshot, elapsed_s=12_345.0)
    page = gzip.decompress(scraper.ask(REPEATED)[2])
    assert b'soak_run_elapsed_seconds{scenario="steady",target="engine"} 12345.0\n' in page


def test_another_request_on_the_same_connection_gets_its_own_answer(scraper):
    scraper.ask(REPEATED)
    plain = scraper.ask(REPEATED.replace(b"Accept-Encoding: gzip\r\n", b""))
    assert b"# HELP" == plain[2][:6]
    assert 404 == scraper.ask(REPEATED.replace(b"metrics", b"nothing"))[0]
    assert gzip.decompress(scraper.ask(REPEATED)[2]) == plain[2]


def test_what_is_true_now_or_not_at_all_is_never_answered_from_memory(scraper, board):
    asked = REPEATED.replace(b"metrics", b"healthz")
    assert [200, 200] == [scraper.ask(asked)[0], scraper.ask(asked)[0]]
    board.beat_age_s = STALE_S
    assert 503 == scraper.ask(asked)[0]


def test_a_request_in_pieces_or_two_at_once_are_answered(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        read = raw.makefile("rb")
        for sent in (REPEATED[:9], REPEATED[9:], REPEATED + REPEATED, REPEATED):
            raw.sendall(sent)
        for _ in range(4):
            assert b"HTTP/1.1 200 OK\r\n" == read.readline()
            head = dict(line.split(b": ") for line in iter(read.readline, b"\r\n"))
            read.read(int(head[b"Content-Length"]))


def test_a_bad_token_is_refused_as_often_as_it_comes(board):
    with served(board, Access(token="s3cret")) as server:
        scraper = Scraper(server)
        wrong = REPEATED.replace(b"Host: x", b"Host: x\r\nAuthorization: Bearer wrong")
        assert [401, 401] == [scraper.ask(wrong)[0], scraper.ask(wrong)[0]]
        right = wrong.replace(b"wrong", b"s3cret")
        assert [200, 200, 401] == [scraper.ask(asked)[0] for asked in (right, right, wrong)]
        scraper.close()
