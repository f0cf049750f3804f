"""What stands at each path of a daemon's server? Made anew for whoever asks.

/metrics    of all schedules and of the runs that go on, as text 0.0.4
/healthz    200 while the loop turns, else 503 and why
/readyz     the same; also 503 while the runs are being stopped or daemon.json cannot be written
/           a page for people, with links to
/runs/SCHEDULE/RUN/report.html
/live/SCHEDULE/    the page of the run that goes on, with all that its own server has
"""

import re
from http import HTTPStatus
from importlib.resources import files

from soak.daemon.daemon import Daemon
from soak.daemon.metrics import fetched, merged, schedule_text
from soak.daemon.page import Shown, page
from soak.daemon.passing import passed_on
from soak.rundir import RunDirectory
from soak.show.exporter import TEXT_TYPE
from soak.show.pages import (
    COLOURS_PATH,
    METRICS_PATHS,
    PLAIN_TYPE,
    Answer,
    colours,
    health,
    is_known,
)

HTML_TYPE = "text/html; charset=utf-8"
CSS_TYPE = "text/css; charset=utf-8"
PATHS = (
    *("/", "/metrics", "/healthz", "/readyz"),
    *("/runs/SCHEDULE/RUN/report.html", "/live/SCHEDULE/"),
)
LIVE = re.compile(r"/live/([a-z0-9][a-z0-9_-]*)(/[a-z/.]*)")
REPORT = re.compile(r"/runs/([a-z0-9][a-z0-9_-]*)/(\d{8}T\d{6}Z-[a-z0-9_-]+)/report\.html")
# A report has its style and script within; it loads nothing from anywhere.
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
REPORT_POLICY += "; img-src data:"


class DaemonAnswers:
    """The answers of one daemon; called on the server's threads."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def get(self, path: str, *, compressed: bool) -> tuple[Answer, bytes]:
        """The answer and the bytes to send for it, which are never compressed."""
        del compressed
        made = self._answer(path)
        return made, made.body

    def _answer(self, path: str) -> Answer:
        match path:
            case "/":
                return Answer(type=HTML_TYPE, body=self._page().encode())
            case "/healthz":
                return health(self._daemon.beat_age_s())
            case "/readyz":
                return self._readiness()
            case "/report.css":
                text = (files("soak.report") / "templates" / "report.css").read_bytes()
                return Answer(type=CSS_TYPE, body=text)
            case "/icon.svg":
                icon = (files("soak.show") / "page" / "icon.svg").read_bytes()
                return Answer(type="image/svg+xml", body=icon)
            case _ if path == COLOURS_PATH:
                return Answer(type=CSS_TYPE, body=colours().encode())
            case _ if path in METRICS_PATHS.values():
                return Answer(type=TEXT_TYPE, body=self._metrics().encode())
            case _:
                return self._live(path) or self._report(path)

    def _readiness(self) -> Answer:
        alive, why = health(self._daemon.beat_age_s()), self._daemon.unready()
        if alive.status != HTTPStatus.OK or not why:
            return alive
        return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body=f"{why}\n".encode())

    def _metrics(self) -> str:
        """Of each schedule, and of its run, if one goes on."""
        daemon, now_s = self._daemon, self._daemon.now_s()
        standings, pages = daemon.standings, []
        urls = {name: each.going.url for name, each in standings.items() if each.going}
        of_runs = {name: fetched(url) for name, url in urls.items() if url}
        for soak in daemon.soaks:
            if soak.name in standings:
                found = of_runs.get(soak.name)
                pages.append(schedule_text(soak, standings[soak.name], now_s, found))
        return merged([*pages, *(found for found in of_runs.values() if found)])

    def _page(self) -> str:
        daemon = self._daemon
        standings = daemon.standings
        shown = [
            Shown(
                soak=soak,
                standing=standings[soak.name],
                runs=daemon.runs(soak.name).latest(),
            )
            for soak in daemon.soaks
            if soak.name in standings
        ]
        return page(shown, daemon.now_s())

    def _live(self, path: str) -> Answer | None:
        asked = LIVE.fullmatch(path)
        standing = self._daemon.standings.get(asked[1]) if asked else None
        if not asked or not standing or not is_known(asked[2]):
            return None
        url = standing.going.url if standing.going else ""
        answer = passed_on(url, asked[2]) if url else None
        text = f"no run of {asked[1]} goes on, or it does not answer\n"
        return answer or Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body=text.encode())

    def _report(self, path: str) -> Answer:
        asked = REPORT.fullmatch(path)
        if asked and asked[1] in self._daemon.standings:
            file = RunDirectory(self._daemon.runs(asked[1]).folder / asked[2]).report_html
            if file.is_file():
                return Answer(type=HTML_TYPE, body=file.read_bytes(), policy=REPORT_POLICY)
        listed = "\n".join(PATHS)
        text = f"there is nothing at this path; there is\n{listed}\n"
        return Answer(status=HTTPStatus.NOT_FOUND, type=PLAIN_TYPE, body=text.encode())
