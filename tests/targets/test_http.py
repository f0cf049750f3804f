"""Does the target http ask what its scenario maps, and tell the service's faults from ours?"""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from soak.clock import SystemClock
from soak.result import RecordMissing, TargetError, TargetUnavailable
from soak.scenario import Scenario, ScenarioError, resolve
from soak.seams import Record, Target
from soak.targets import http
from soak.targets._mapping import Call, Wire
from soak.targets.http import Params
from tests.endtoend.conftest import soak
from tests.servers import free_port, serving

VECTOR = np.array([1.0, 0.0], dtype=np.float32)
GET = {"method": "GET", "path": "/m/$key", "text": "text"}
SEARCH = {"path": "/search", "body": {"k": "$k"}, "keys": "ids", "scores": "scores"}
COUNT = {"method": "GET", "path": "/count", "text": "n"}
TOKEN = "Bearer s3cr3tt0ken"
SOAK = """\
rate: 50/s
target:
  name: http
  params:
    url: URL
    headers: {Authorization: {env: STORE_TOKEN}}
    search: {path: /search, body: {k: $k}, keys: ids, scores: scores}
population: {keys: 200, agents: 1, agent_filter: 0}
phases: [{name: only, duration: 2s, mix: {store: 1}}]
checks: [{name: answers, detector: never}]
"""


class Remote(ThreadingHTTPServer):
    """Keeps texts by key, and what was sent to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.texts: dict[str, str] = {}
        self.seen: list[tuple[str, str, str | None]] = []
        self.hangs_up = False
        self.answers = b""


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Remote

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        texts = self.server.texts
        if self.path == "/memories":
            texts[str(body["id"])] = body["text"]
            self._answer({})
        elif self.path == "/search":
            keys = [int(key) for key in texts][: body["k"]]
            self._answer({"ids": keys, "scores": [1.0] * len(keys)})
        else:
            self._answer({"said": self.headers["Authorization"]}, 500)

    def do_GET(self) -> None:
        texts = self.server.texts
        if self.path == "/count":
            self._answer({"n": len(texts)})
        elif text := texts.get(self.path.rpartition("/")[2]):
            self._answer({"text": text})
        else:
            self._answer({}, 404)

    def do_DELETE(self) -> None:
        self._answer({}, 200 if self.server.texts else 404)
        self.server.texts.clear()

    def _answer(self, content: Mapping[str, object], status: int = 200) -> None:
        self.server.seen.append((self.command, self.path, self.headers["Authorization"]))
        body = self.server.answers or json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.server.hangs_up  # without a word of it

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def remote() -> Iterator[Remote]:
    server = Remote()
    with serving(server):
        yield server


def built(remote: Remote, folder: Path, **mapping: object) -> Target:
    params = Params.model_validate({"url": remote.url, "search": SEARCH, **mapping})
    return http.build(params, folder, SystemClock())


def record(key: int) -> Record:
    return Record(key=key, agent=1, text=f"text {key}", vector=VECTOR, importance=0.5)


def scenario(*, params: Mapping[str, object], agent_filter: float = 0.0, **mix: int) -> Scenario:
    phase = {"name": "a", "duration": "1m", "mix": {"store": 1, **mix}}
    population = {"agent_filter": agent_filter}
    target = {"name": "http", "params": params}
    tree = {"name": "t", "target": target, "phases": [phase], "population": population}
    return resolve(tree, "test")


def test_a_service_that_holds_records_is_refused_by_its_count(remote, tmp_path):
    remote.texts["4"] = "of an earlier run"

    with pytest.raises(TargetUnavailable, match=f"^{remote.url}: already holds records; empty"):
        built(remote, tmp_path, count=COUNT)


@pytest.mark.parametrize("mapping", [{}, {"get": GET, "search": {**SEARCH, "path": "/none"}}])
def test_where_nothing_counts_the_first_store_finds_what_is_there(remote, tmp_path, mapping):
    remote.texts["0"] = "of an earlier run"
    target = built(remote, tmp_path, **mapping)

    with pytest.raises(TargetUnavailable, match="already holds records"):
        target.store(record(0))
    target.close()

    assert {"0": "of an earlier run"} == remote.texts


def test_an_empty_service_is_asked_once(remote, tmp_path):
    target = built(remote, tmp_path, get=GET)
    for key in range(3):
        target.store(record(key))
    target.close()

    assert 1 == sum(path == "/search" for _, path, _ in remote.seen)
    assert ["0", "1", "2"] == list(remote.texts)


@pytest.mark.parametrize("left", [{}, {"4": "of an earlier run"}])
def test_setup_can_empty_a_service_whether_or_not_it_holds_anything(remote, tmp_path, left):
    remote.texts |= left
    setup = [{"method": "DELETE", "path": "/memories"}]

    target = built(remote, tmp_path, count=COUNT, setup=setup)
    target.close()

    assert {} == remote.texts


def test_a_connection_that_the_service_closed_meanwhile_is_no_failure(remote, tmp_path):
    remote.hangs_up = True
    target = built(remote, tmp_path, get=GET)
    for key in range(5):
        target.store(record(key))

    assert "text 3" == target.get(3).text
    target.close()


def test_a_connection_that_is_closed_again_before_an_answer_is_a_failure():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        tries = []

        def hang_up() -> None:
            connection, _ = listening.accept()
            with connection:
                tries.append(connection.recv(1000))

        thread = threading.Thread(target=hang_up)
        thread.start()
        wire = Wire(f"http://127.0.0.1:{port}", {}, 5.0)
        with pytest.raises(TargetError, match=f"^GET 127.0.0.1:{port}/x: RemoteDisconnected"):
            wire.ask(Call(method="GET", path="/x"), {})
        thread.join()
        wire.close()

    assert 1 == len(tries)


def test_an_answer_that_is_no_json_is_a_target_error_and_names_the_server(remote, tmp_path):
    target = built(remote, tmp_path, get=GET)
    target.store(record(1))
    remote.answers = b"<html>hello</html>"

    place = remote.url.removeprefix("http://")
    with pytest.raises(TargetError, match=f"^GET {place}/m/1: answers no JSON: <html>hello"):
        target.get(1)
    target.close()


def test_a_setup_that_is_answered_in_html_is_unavailable(remote, tmp_path):
    remote.answers = b"<html>hello</html>"

    with pytest.raises(TargetUnavailable, match="answers no JSON"):
        built(remote, tmp_path, setup=[{"path": "/memories", "body": {"id": 1, "text": "a"}}])


def test_a_server_that_is_not_there_is_named():
    port = free_port()
    wire = Wire(f"http://127.0.0.1:{port}/base", {}, 5.0)

    with pytest.raises(TargetError, match=f"^POST 127.0.0.1:{port}/base/x: ConnectionRefused"):
        wire.ask(Call(path="/x"), {})


def test_what_is_deleted_twice_is_missing(remote, tmp_path):
    target = built(remote, tmp_path, delete={"method": "DELETE", "path": "/m/$key"})
    target.store(record(1))
    target.delete(1)

    with pytest.raises(RecordMissing):
        target.delete(1)
    target.close()


def test_headers_come_from_the_environment_and_out_of_what_the_server_repeats(
    remote, tmp_path, monkeypatch
):
    monkeypatch.setenv("STORE_TOKEN", TOKEN)
    headers = {"Authorization": {"env": "STORE_TOKEN"}}
    target = built(remote, tmp_path, headers=headers, maintain={"path": "/broken"})

    with pytest.raises(TargetError, match=r'500: {"said": "\.\.\."}'):
        target.maintain()
    target.close()

    assert [("POST", "/broken", TOKEN)] == remote.seen


def test_a_variable_that_is_not_set_ends_the_run_before_it_begins(remote, tmp_path, monkeypatch):
    monkeypatch.delenv("STORE_TOKEN", raising=False)

    with pytest.raises(TargetUnavailable, match="STORE_TOKEN is not set"):
        built(remote, tmp_path, headers={"Authorization": {"env": "STORE_TOKEN"}})


@pytest.mark.slow
def test_a_secret_gets_to_the_service_and_into_no_file_of_the_run(remote, tmp_path, monkeypatch):
    monkeypatch.setenv("STORE_TOKEN", TOKEN)
    file = tmp_path / "remote.yaml"
    file.write_text(SOAK.replace("URL", remote.url))

    done = soak("run", str(file), "--plain", "--listen", "127.0.0.1:0", out=tmp_path / "runs")
    files = [path for path in done.directory.rglob("*") if path.is_file()]
    secret = TOKEN.encode()

    assert {TOKEN} == {sent for _, _, sent in remote.seen}
    assert {"scenario.yaml", "environment.json", "worker.jsonl", "report.html"} <= {
        path.name for path in files
    }, done.stderr
    assert [] == [path.name for path in files if secret in path.read_bytes()]


def test_a_search_of_one_agent_that_is_not_mapped_is_refused_before_the_run():
    with pytest.raises(ScenarioError, match=r"population\.agent_filter: the target http lacks"):
        scenario(params={}, agent_filter=0.5, search=1)


@pytest.mark.parametrize(
    ("params", "agent_filter", "mix"),
    [({}, 0.0, {"search": 1}), ({}, 0.5, {}), ({"search_agent": SEARCH}, 0.5, {"search": 1})],
)
def test_a_search_that_is_mapped_is_taken(params, agent_filter, mix):
    assert scenario(params=params, agent_filter=agent_filter, **mix)


def test_a_search_of_one_agent_is_promised_where_it_is_mapped():
    assert {"store", "search"} == http.capabilities_of(Params())
    assert "search_agent" in http.capabilities_of(Params.model_validate({"search_agent": SEARCH}))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"store": {"path": "/m", "body": {"id": "$kex"}}}, r"store: there is no \$kex; .*\$key"),
        ({"get": {**GET, "path": "/m/$text"}}, r"get: there is no \$text; there are: \$key"),
        ({"delete": {"path": "/$collection/$key"}}, r"delete: there is no \$collection"),
        ({"setup": [{"path": "/$later"}, {"path": "/", "keep": {"later": "id"}}]}, r"setup\[0\]"),
        ({"setup": [{"path": "/", "keep": {"the_id": "id"}}]}, "keep: the_id is no name"),
        ({"url": "localhost:8000"}, "url: localhost:8000 is no address like http://"),
        ({"url": "http://localhost:80x"}, "is no address"),
        ({"metrics": {"url": "127.0.0.1:1/metrics"}}, "metrics.url: 127.0.0.1:1/metrics is no"),
        ({"start": "serve --port 8000"}, r"start: has no \$port"),
    ],
)
def test_what_can_never_work_is_refused_before_the_run(params, expected):
    with pytest.raises(ScenarioError, match=expected):
        scenario(params=params)


def test_a_name_that_setup_keeps_may_be_used():
    kept = [{"path": "/c", "keep": {"collection": "id"}}]
    params = {"setup": kept, "store": {"path": "/$collection/$worker", "body": ["$text"]}}

    assert scenario(params=params)


def test_a_port_that_somebody_has_is_not_taken_for_the_started_server(remote, tmp_path):
    params = Params(start="sleep 60", url=remote.url)

    with pytest.raises(TargetUnavailable, match="somebody listens there already"):
        http.build(params, tmp_path, SystemClock())
