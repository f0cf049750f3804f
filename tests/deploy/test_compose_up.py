"""Does the compose file start as it stands, and do its services find each other? By podman-compose.

Where there is no registry others stand in, under the names of its images: Debian's Prometheus and
Alertmanager for theirs, and for Grafana a server of the files that it would read. So this proves
the file, what it mounts, names and ports; not those images. Its four ports must be free.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from soak.clock import SystemClock
from tests.dashboards.asked import LATER, questions, unanswered
from tests.deploy import containers
from tests.deploy.containers import BASE, IMAGE, STORE, call
from tests.deploy.test_compose import COMPOSE, FOLDER, ROOT, provisioned
from tests.servers import Prometheus, fetched, until

pytestmark = pytest.mark.soak

# As the images of the registry: a user without rights, and a folder of its own.
SERVER = """\
FROM {base}
COPY {files}
RUN install --directory --owner=nobody /{name}
USER nobody
VOLUME /{name}
WORKDIR /{name}
ENTRYPOINT ["/bin/{program}"]
"""
READER = """\
FROM {base}
USER nobody
ENTRYPOINT ["python3", "-m", "http.server", "3000", "--directory", "/"]
"""
TEMPLATES = "share/prometheus/alertmanager"  # where Debian's looks for them
STAND_INS = {
    "prometheus": SERVER.format(
        base=BASE, name="prometheus", program="prometheus", files="bin/prometheus /bin/"
    ),
    "alertmanager": SERVER.format(
        base=BASE,
        name="alertmanager",
        program="prometheus-alertmanager",
        files=f"bin/prometheus-alertmanager /bin/\nCOPY {TEMPLATES} /usr/{TEMPLATES}",
    ),
    "grafana": READER.format(base=BASE),
}


def compose(*words: str) -> str:
    return call("podman-compose", "-p", "soak", "-f", str(FOLDER / "compose.yaml"), *words)


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """The Prometheus of a compose that is up; soak's image is the one that is built here."""
    containers.build()
    call("podman", "tag", IMAGE, "localhost/soak_soak")
    for service, recipe in STAND_INS.items():
        file = STORE / f"Dockerfile.{service}"
        file.write_text(recipe)
        name = f"docker.io/{COMPOSE['services'][service]['image']}"
        how = ("--layers", "--pull-never", "--format=docker", "--network=host")
        call("buildah", "bud", *how, "--tag", name, "--file", str(file), "/usr")
    try:
        compose("up", "--detach", "--no-build")
        yield Prometheus("http://127.0.0.1:9090")
    finally:
        compose("down", "--volumes")


def states(server: Prometheus) -> set[str]:
    return {target["health"] for target in server.ask("targets")["activeTargets"]}


def test_prometheus_finds_the_soak_by_its_name_and_can_answer_the_overview(server: Prometheus):
    until(lambda: states(server) == {"up"}, "a first scrape")
    rules = [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 20
    (labels,) = until(lambda: server.query("soak_run_info"), "the run")
    run_id = dict(labels)["run_id"]
    asked = [q for q in questions() if q.board == "soak-overview" and not LATER.search(q.expr)]

    def silent() -> list[str]:
        now_s = SystemClock().wall_s()
        return unanswered(asked, server, run_id, now_s - 60, now_s)

    until(lambda: not silent(), "data in every panel")


def test_grafana_sees_its_source_and_its_boards(server: Prometheus):
    seen = "http://127.0.0.1:3000"
    until(lambda: fetched(seen), "the files")
    for kind, here in (("datasources", "datasources"), ("dashboards", "boards")):
        there = fetched(f"{seen}/etc/grafana/provisioning/{kind}/soak.yaml")
        assert (FOLDER / "grafana" / here / "soak.yaml").read_bytes() == there
    told = COMPOSE["services"]["grafana"]["environment"]
    home = fetched(seen + told["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert "soak-overview" == json.loads(home)["uid"]
    folder = provisioned("boards", "providers")["options"]["path"]
    listed = set(re.findall(r'href="(soak-\w+\.json)"', fetched(seen + folder + "/").decode()))
    assert {path.name for path in (ROOT / "deploy/grafana/dashboards").iterdir()} == listed


def test_a_soak_that_is_stopped_leaves_its_report_and_somebody_hears_of_it(server: Prometheus):
    call("podman", "stop", "--time", "60", "soak_soak_1")
    runs = call("podman", "volume", "inspect", "soak_runs", "--format", "{{.Mountpoint}}")
    (report,) = Path(runs.strip()).glob("*/report.json")
    assert "interrupted" == json.loads(report.read_text())["state"]

    def firing() -> list[str]:
        """What Prometheus fires, then what has reached Alertmanager."""
        alerts = server.ask("alerts")["alerts"]
        return [a["labels"]["alertname"] for a in alerts if a["state"] == "firing"]

    until(lambda: "SoakTargetAbsent" in firing(), "the alert")
    told = "http://127.0.0.1:9093/api/v2/alerts"
    until(lambda: b"SoakTargetAbsent" in fetched(told), "the alert at Alertmanager")
