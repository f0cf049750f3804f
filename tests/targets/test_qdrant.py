"""Does Qdrant by URL say which server is not there, and get its key? Where its package is."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.result import TargetUnavailable
from soak.targets import qdrant
from tests.servers import free_port, serving

pytestmark = pytest.mark.skipif(
    find_spec("qdrant_client") is None, reason="make test-targets asks qdrant in its own"
)


class Refusing(BaseHTTPRequestHandler):
    """Remembers the key it was asked with, and answers nothing."""

    def do_GET(self) -> None:
        self._refuse()

    def do_DELETE(self) -> None:
        self._refuse()

    def _refuse(self) -> None:
        self.server.keys.append(self.headers["api-key"])
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_server_that_is_not_there_is_named(tmp_path: Path):
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(TargetUnavailable, match=rf"^{url}: .*Connection refused"):
        qdrant.build(qdrant.Params(url=url), tmp_path, SystemClock())


def test_the_key_of_a_server_comes_from_the_environment(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("QDRANT_KEY", "s3cr3t")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    server.keys = []
    url = f"http://127.0.0.1:{server.server_port}"
    params = qdrant.Params.model_validate({"url": url, "api_key": {"env": "QDRANT_KEY"}})

    with serving(server), pytest.raises(TargetUnavailable, match=f"^{url}: .*403"):
        qdrant.build(params, tmp_path, SystemClock())

    assert {"s3cr3t"} == set(server.keys)
