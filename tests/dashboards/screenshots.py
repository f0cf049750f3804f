"""What do the boards look like? `make screenshots`: pictures of a soak that a Prometheus scraped.

The panels are drawn by Grafana's front-end packages in headless Chromium (tests/dashboards/front);
Grafana itself is not needed. Asks nobody but this machine.

    python -m tests.dashboards.screenshots FRONT --prometheus URL --out docs/dashboards
"""

import argparse
import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from dashboards.files import boards
from tests.dashboards import six_hours
from tests.endtoend.conftest import ROOT, SOAK
from tests.programs import program
from tests.servers import backfill, free_port, prometheus, serving, until

STARTED_S = 1_772_366_400.0  # 2026-03-01T12:00:00Z
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
LIMIT_S = 120.0
PAIR = "soak-compare"  # of two runs, and there is one to show
SCRAPES = """
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
  - job_name: soak
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


class Desk(SimpleHTTPRequestHandler):
    """The built page, the board to show, and questions passed on to Prometheus."""

    def do_GET(self) -> None:
        if self.path.startswith("/api/v1/"):
            self._send(self._passed_on())
        elif self.path.startswith("/setup.json"):
            self._send(json.dumps(self.server.setup).encode())
        else:
            super().do_GET()

    def _passed_on(self) -> bytes:
        try:
            with urllib.request.urlopen(self.server.prometheus + self.path, timeout=60) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.read()

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def desk(front: Path, url: str) -> Iterator[ThreadingHTTPServer]:
    def made(*arguments: Any) -> Desk:
        return Desk(*arguments, directory=str(front))

    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    server.prometheus, server.setup = url, {}
    with serving(server):
        yield server


def setup(
    board: dict[str, Any], start_s: float, end_s: float, heading: str, run: str = ".+"
) -> dict[str, Any]:
    step_s = max(5, round((end_s - start_s) / 700))
    return {
        "board": board,
        "start_s": start_s,
        "end_s": end_s,
        "step_s": step_s,
        "heading": heading,
        "variables": {
            "scenario": ".+",
            "target": ".+",
            "run_id": run,
            "other_run": run,
            "__rate_interval": f"{max(30, 4 * step_s)}s",
            "__range": f"{round(end_s - start_s)}s",
        },
    }


@dataclass(frozen=True)
class Drawn:
    """What a board said when it was drawn. empty: titles of panels that have no data."""

    uid: str
    event_count: int
    empty: tuple[str, ...]


def drawn(
    front: Path,
    url: str,
    shown: Mapping[str, dict[str, Any]],
    out: Path,
) -> Iterator[Drawn]:
    """A picture per board. shown: uid to what `setup` makes.

    Raises AssertionError where a board is not drawn or asks somebody else than this machine.
    """
    out.mkdir(parents=True, exist_ok=True)
    chromium = program("chromium")
    with desk(front, url) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        home = f"http://127.0.0.1:{server.server_port}/"
        for uid, wanted in shown.items():
            server.setup = wanted
            tall = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in wanted["board"]["panels"])
            page = browser.new_page(viewport={"width": 1920, "height": 60 + 34 * tall})
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(f"{home}index.html")
            page.wait_for_selector("body[data-shown]", state="attached", timeout=LIMIT_S * 1000)
            said = page.evaluate("({...document.body.dataset})")
            assert said["shown"] == "yes", said["shown"]
            foreign = [found for found in asked if not found.startswith((home, "data:"))]
            assert foreign == [], foreign
            page.screenshot(path=out / f"{uid}.png")
            page.close()
            empty = tuple(title for title in said["empty"].split("; ") if title)
            yield Drawn(uid, int(said["events"]), empty)
        browser.close()


def pictures(
    front: Path, url: str, span: tuple[float, float], heading: str, out: Path
) -> list[str]:
    """One per board of a single run; returns the panels that have no data, as board: title."""
    shown = {uid: setup(board, *span, heading) for uid, board in boards().items() if uid != PAIR}
    missing = []
    for found in drawn(front, url, shown, out):
        sys.stdout.write(f"{found.uid}: {found.event_count} events\n")
        missing += [f"{found.uid}: {title}" for title in found.empty]
        lighten(out / f"{found.uid}.png")
    return missing


def lighten(picture: Path) -> None:
    """A quarter of the bytes: 256 colours, taken from far apart, so that thin lines keep theirs."""
    method, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    Image.open(picture).convert("RGB").quantize(256, method, dither=dither).save(
        picture, optimize=True
    )


def soaked(front: Path, out: Path) -> None:
    """Twenty-two minutes of tests/dashboards/leaky.yaml, scraped by a Prometheus.

    Raises AssertionError where a panel has no data.
    """
    folder = Path("build/screenshots")
    shutil.rmtree(folder, ignore_errors=True)
    port = free_port()
    command = [
        *(SOAK, "run", "tests/dashboards/leaky.yaml", "--plain"),
        *("--listen", f"127.0.0.1:{port}", "--out", str(folder / "runs")),
    ]
    with prometheus(folder, SCRAPES.format(port=port)) as server:
        subprocess.run(command, check=False, cwd=ROOT)
        found = server.query("max_over_time(soak_run_start_timestamp_seconds[1h])")
        begun_s = max(found.values())
        span = (begun_s, begun_s + 22 * 60)
        missing = pictures(front, server.url, span, "22 minutes of a target that leaks", out)
    assert missing == [], "no data in " + "; ".join(missing)


def invented(front: Path, out: Path) -> None:
    """Six hours at once, made by formulas; what those leave out is empty."""
    folder = Path("build/screenshots")
    shutil.rmtree(folder, ignore_errors=True)
    backfill(list(six_hours.pages(STARTED_S)), folder)
    with prometheus(folder, "global: {}\n") as server:
        until(lambda: server.query("soak_run_info", STARTED_S + 3600), "the six hours")
        span = (STARTED_S, STARTED_S + six_hours.LENGTH_S)
        pictures(front, server.url, span, "six invented hours", out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("front", type=Path, help="the built page")
    parser.add_argument("--out", type=Path, default=Path("docs/dashboards"))
    parser.add_argument("--prometheus", help="draw what this server scraped; with --span")
    parser.add_argument("--span", type=float, nargs=2, metavar=("START", "END"))
    parser.add_argument("--invented", action="store_true", help="six hours by formulas, at once")
    told = parser.parse_args()
    if told.prometheus:
        heading = "22 minutes of a target that leaks"
        pictures(told.front, told.prometheus, told.span, heading, told.out)
    elif told.invented:
        invented(told.front, told.out)
    else:
        soaked(told.front, told.out)


if __name__ == "__main__":
    main()
