"""What stands at each path of the web server? Made once per snapshot, kept as bytes.

/metrics     text 0.0.4, OpenMetrics or protobuf, by Accept; compressed if accepted
/healthz     200 while the controller's loop is alive, else 503 and why
/readyz      200 while operations are being sent, else 503 and why
/api/run     the snapshot in the shape of report.json
/api/events  its latest events
/            a page for people; needs nothing from anywhere else
"""

import gzip
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Protocol

from soak.report.document import document, event_row
from soak.report.palette import css_variables
from soak.rundir import finite
from soak.show.exporter import OPENMETRICS_TYPE, TEXT_TYPE, Exporter
from soak.show.family import Family
from soak.show.native import PROTOBUF_TYPE, render_native
from soak.snapshot import Snapshot

STALE_S = 5.0
JSON_TYPE = "application/json; charset=utf-8"
PLAIN_TYPE = "text/plain; charset=utf-8"
ASSETS = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/figures.js": ("figures.js", "text/javascript; charset=utf-8"),
    "/picture.js": ("picture.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
COLOURS_PATH = "/colours.css"  # soak/report/palette.py as CSS: figures, reports and page agree
PATHS = ("/", "/metrics", "/healthz", "/readyz", "/api/run", "/api/events")
# /metrics, when the scraper prefers that format.
METRICS_PATHS = {
    TEXT_TYPE: "/metrics",
    OPENMETRICS_TYPE: "/metrics.openmetrics",
    PROTOBUF_TYPE: "/metrics.protobuf",
}
CHANGING_PATHS = ("/healthz", "/readyz")  # true now or not at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back. body: not compressed. policy: what a browser may load and run for it."""

    status: HTTPStatus = HTTPStatus.OK
    type: str = PLAIN_TYPE
    body: bytes
    policy: str = "default-src 'self'"


Extra = Callable[[], Sequence[Family]]


def nothing() -> Sequence[Family]:
    """No metrics besides the run's."""
    return ()


def answer(
    path: str,
    snapshot: Snapshot,
    beat_age_s: float,
    exporter: Exporter,
    extra: Extra = nothing,
) -> Answer:
    """What stands at that path, made anew. beat_age_s: since the controller's loop last turned.

    extra: metrics that are not the run's but of those who show it.
    """
    match path:
        case "/metrics":
            return Answer(type=TEXT_TYPE, body=exporter.render(snapshot, extra=extra()))
        case _ if path == METRICS_PATHS[PROTOBUF_TYPE]:
            return Answer(type=PROTOBUF_TYPE, body=render_native(snapshot, extra=extra()))
        case _ if path == METRICS_PATHS[OPENMETRICS_TYPE]:
            body = exporter.render(snapshot, openmetrics=True, extra=extra())
            return Answer(type=OPENMETRICS_TYPE, body=body)
        case "/healthz":
            return health(beat_age_s)
        case "/readyz":
            return _readiness(snapshot)
        case "/api/run":
            return Answer(type=JSON_TYPE, body=_json(document(snapshot)))
        case "/api/events":
            rows = [event_row(event) for event in snapshot.events]
            return Answer(type=JSON_TYPE, body=_json(finite(rows)))
        case _ if path == COLOURS_PATH:
            return Answer(type="text/css; charset=utf-8", body=colours().encode())
        case _ if path in ASSETS:
            name, media_type = ASSETS[path]
            return Answer(type=media_type, body=(files("soak.show") / "page" / name).read_bytes())
        case _:
            listed = "\n".join(PATHS)
            text = f"there is nothing at this path; there is\n{listed}\n"
            return Answer(status=HTTPStatus.NOT_FOUND, body=text.encode())


def health(beat_age_s: float) -> Answer:
    """Whether the loop that does the work turns. beat_age_s: how long ago it last did."""
    if beat_age_s < STALE_S:
        return Answer(body=b"ok\n")
    text = f"the controller's loop has not turned for {beat_age_s:.1f} s\n"
    return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body=text.encode())


def _readiness(snapshot: Snapshot) -> Answer:
    if snapshot.state == "running":
        return Answer(body=b"ok\n")
    text = f"no operations are being sent: the run is {snapshot.state}\n"
    return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body=text.encode())


def colours() -> str:
    """The palette as variables of CSS."""
    light, dark = css_variables(is_dark=False), css_variables(is_dark=True)
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


class Answers(Protocol):
    """What a server asks: a `Shelf`, which has a run's answers, or the daemon's."""

    def get(self, path: str, *, compressed: bool) -> tuple[Answer, bytes]:
        """The answer and the bytes to send for it."""
        ...


class Shelf:
    """The answers made for the newest snapshot, plain and compressed; at most one per path."""

    def __init__(
        self,
        source: Callable[[], Snapshot],
        beat_age_s: Callable[[], float],
        extra: Extra = nothing,
    ) -> None:
        self._extra = extra
        self._source = source
        self._beat_age_s = beat_age_s
        self._exporter = Exporter()
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._made: dict[str, Answer] = {}
        self._compressed: dict[str, bytes] = {}

    def get(self, path: str, *, compressed: bool) -> tuple[Answer, bytes]:
        """The answer and the bytes to send for it."""
        if path in CHANGING_PATHS or not is_known(path):
            made = answer(path, self._source(), self._beat_age_s(), self._exporter)
            return made, made.body
        # One at a time: fifty scrapers that come together wait for one rendering, not for fifty.
        with self._lock:
            snapshot = self._source()
            if snapshot is not self._snapshot:
                self._snapshot, self._made, self._compressed = snapshot, {}, {}
            if path not in self._made:
                self._made[path] = answer(path, snapshot, 0.0, self._exporter, self._extra)
            made = self._made[path]
            if not compressed:
                return made, made.body
            if path not in self._compressed:
                self._compressed[path] = gzip.compress(made.body, compresslevel=1, mtime=0)
            return made, self._compressed[path]


def is_known(path: str) -> bool:
    return path in PATHS or path in ASSETS or path in (*METRICS_PATHS.values(), COLOURS_PATH)
