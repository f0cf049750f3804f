"""Real servers on loopback for tests: started on a free port, waited for, and ended."""

import json
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.programs import program

PATIENCE_S = 120.0
STEP_S = 0.1
FEATURES = "exemplar-storage,native-histograms"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], Any], what: str) -> Any:
    """What the condition says as soon as it says something; servers that are not up yet do not."""
    pause = threading.Event()
    trouble = ""
    for _ in range(round(PATIENCE_S / STEP_S)):
        try:
            if found := condition():
                return found
        except (urllib.error.URLError, ConnectionError) as error:
            trouble = repr(error)
        pause.wait(STEP_S)
    raise AssertionError(f"waited {PATIENCE_S:g} s in vain for {what}: {trouble}")


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as reply:
        return reply.read()


@contextmanager
def running(command: Sequence[str], log: Path, ready: str) -> Iterator[None]:
    """A server until the block is left; ready: an address that answers once it is."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        until(lambda: process.poll() is None and fetched(ready), log.name)
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """An HTTP server of a test's own, in a thread, until the block is left."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def prometheus(folder: Path, configuration: str, *flags: str) -> Iterator["Prometheus"]:
    """folder/tsdb holds the samples; what is there already is served."""
    folder.mkdir(exist_ok=True)
    (folder / "prometheus.yml").write_text(configuration)
    listen = f"127.0.0.1:{free_port()}"
    command = [
        *(program("prometheus"), f"--config.file={folder / 'prometheus.yml'}"),
        *(f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={listen}"),
        *("--storage.tsdb.retention.time=100y", *flags),
    ]
    with running(command, folder / "prometheus.log", f"http://{listen}/-/ready"):
        yield Prometheus(f"http://{listen}")


class Prometheus:
    """Questions to a server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **parameters: object) -> Any:
        asked = urllib.parse.urlencode(parameters)
        return json.loads(fetched(f"{self.url}/api/v1/{path}?{asked}"))["data"]

    def query(self, expression: str, at_s: float | None = None) -> dict[frozenset, float]:
        """Labels (without those that Prometheus adds) to value."""
        when = {} if at_s is None else {"time": at_s}
        found = self.ask("query", query=expression, **when)["result"]
        added = ("__name__", "instance", "job")
        return {
            frozenset((k, v) for k, v in one["metric"].items() if k not in added): float(
                one["value"][1]
            )
            for one in found
        }

    def range(self, expression: str, start_s: float, end_s: float, step_s: float) -> list[Any]:
        asked = {"query": expression, "start": start_s, "end": end_s, "step": step_s}
        return self.ask("query_range", **asked)["result"]


def backfill(pages: Sequence[tuple[float, str]], folder: Path) -> None:
    """OpenMetrics pages, each with its time, become blocks in folder/tsdb; exemplars do not."""
    folder.mkdir(exist_ok=True)
    file = folder / "pages.om"
    with file.open("w") as written:
        for at_s, page in pages:
            for line in page.splitlines():
                if line and not line.startswith("#"):
                    written.write(f"{line.partition(' # {')[0]} {at_s:.3f}\n")
        written.write("# EOF\n")
    command = [program("promtool"), *("tsdb", "create-blocks-from", "openmetrics")]
    subprocess.run(
        [*command, str(file), str(folder / "tsdb")], check=True, capture_output=True, timeout=300
    )
