"""Does the README lead a newcomer from nothing to a dashboard with data?"""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from soak.clock import SystemClock
from tests.dashboards.asked import LATER, Question, questions, unanswered
from tests.endtoend.conftest import ROOT, SOAK, environment
from tests.programs import program
from tests.servers import Prometheus, free_port, running, until

HEADING = "## From nothing to a dashboard with data\n"
SECTION = (ROOT / "README.md").read_text().partition(HEADING)[2].partition("\n## ")[0]


def shown(begins: str) -> list[str]:
    """The words of the one command of that section that begins so."""
    (line,) = (line for line in SECTION.replace("\\\n", "").splitlines() if line.startswith(begins))
    return shlex.split(line, comments=True)


def test_the_one_command_with_containers_leads_to_the_page_that_is_named():
    words = shown("docker compose")
    composed = yaml.safe_load((ROOT / words[words.index("-f") + 1]).read_text())
    (port,) = composed["services"]["grafana"]["ports"]
    assert f"<http://{port.rpartition(':')[0]}>" in SECTION


def test_what_is_to_be_imported_is_there():
    paths = re.findall(r"`(deploy/grafana/\S+\.json)`", SECTION)
    assert paths
    assert [] == [path for path in paths if not (ROOT / path).is_file()]


def started_beside(folder: Path, port: int) -> list[str]:
    """The README's Prometheus with its files below folder, its port and the soak's replaced."""
    words = shown("prometheus ")
    (named,) = (word for word in words if word.startswith("--config.file="))
    text = (ROOT / named.partition("=")[2]).read_text()
    rules = json.dumps(str(ROOT / "deploy" / "prometheus" / "*.yml"))
    text = text.replace("../prometheus/*.yml", rules).replace("5s", "1s").replace("4s", "1s")
    (folder / "local.yml").write_text(text.replace(":9464", f":{port}"))
    assert "../prometheus/*.yml" not in text
    return [
        *(program("prometheus"), f"--config.file={folder / 'local.yml'}"),
        f"--storage.tsdb.path={folder / 'tsdb'}",
        *(word for word in words[1:] if not word.startswith(("--config", "--storage", "--web"))),
    ]


def silent(server: Prometheus, asked: list[Question], run: str) -> list[str]:
    now_s = SystemClock().wall_s()
    return unanswered(asked, server, run, now_s - 60, now_s)


@pytest.mark.slow
def test_a_soak_and_a_prometheus_as_shown_fill_the_overview(tmp_path: Path):
    """But for what needs a leak, a fault, maintenance or the time after warm-up: one waits."""
    (make,) = re.findall(r"`make (run [^`]+)`", SECTION)
    printed = subprocess.run(
        ["make", "-n", *shlex.split(make)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (run,) = re.findall(r"^\.venv/bin/soak (run .+)$", printed.stdout, re.MULTILINE)
    port, listen = free_port(), f"127.0.0.1:{free_port()}"
    soaking = [
        *(SOAK, *shlex.split(run), "--plain"),
        *("--listen", f"127.0.0.1:{port}", "--out", tmp_path / "runs"),
    ]
    scraping = [*started_beside(tmp_path, port), f"--web.listen-address={listen}"]
    of_overview = [q for q in questions() if q.board == "soak-overview"]
    asked = [q for q in of_overview if not LATER.search(q.expr) and "soak_health" not in q.expr]
    server = Prometheus(f"http://{listen}")
    with (tmp_path / "log").open("wb") as log:
        soak = subprocess.Popen(soaking, cwd=ROOT, env=environment(), stdout=log, stderr=log)
    try:
        with running(scraping, tmp_path / "prometheus.log", f"http://{listen}/-/ready"):
            (labels,) = until(lambda: server.query("soak_run_info"), "a first scrape")
            run_id = dict(labels)["run_id"]
            until(lambda: not silent(server, asked, run_id), "data in every panel")
            assert len(server.ask("rules")["groups"]) >= 7
    finally:
        soak.terminate()
        soak.wait(60)
