"""Is the compose file whole, on loopback alone, and do real programs take its configurations?"""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from soak.show.web import serve
from tests.programs import program
from tests.servers import prometheus, until
from tests.snapshots import six_hours

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())


def test_every_port_is_on_loopback():
    ports = [port for service in COMPOSE["services"].values() for port in service["ports"]]
    assert 4 == len(ports)
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_images_have_versions_and_no_host():
    images = [s["image"] for s in COMPOSE["services"].values() if "image" in s]
    assert all(re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", image) for image in images)


def test_what_is_mounted_is_there():
    mounts = [m for s in COMPOSE["services"].values() for m in s.get("volumes", ())]
    paths = [mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    assert len(paths) == 6
    assert all((FOLDER / path).exists() for path in paths)


def test_grafana_finds_its_source_and_boards():
    (source,) = yaml.safe_load((FOLDER / "grafana/datasources/soak.yaml").read_text())[
        "datasources"
    ]
    assert ("prometheus", "http://prometheus:9090") == (source["type"], source["url"])
    (provider,) = yaml.safe_load((FOLDER / "grafana/boards/soak.yaml").read_text())["providers"]
    mounts = COMPOSE["services"]["grafana"]["volumes"]
    assert any(mount.split(":")[1] == provider["options"]["path"] for mount in mounts)


@pytest.mark.parametrize("name", ["local.yml", "prometheus.yml"])
def test_promtool_takes_the_configuration(name, tmp_path):
    text = (FOLDER / name).read_text()
    rules = str(ROOT / "deploy" / "prometheus" / "*.yml")
    (tmp_path / name).write_text(re.sub(r"rule_files: \[.*\]", f"rule_files: ['{rules}']", text))
    command = [program("promtool"), "check", "config", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "2 rule files found" in done.stdout


def test_amtool_takes_the_configuration():
    command = [program("amtool"), "check-config", str(FOLDER / "alertmanager.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr


@pytest.mark.slow
def test_with_the_local_configuration_the_overview_has_data(tmp_path):
    """As the README says it, but for the port."""
    snapshot = six_hours(500)
    server = serve("127.0.0.1:0", lambda: snapshot, lambda: 0.0)
    text = (FOLDER / "local.yml").read_text().replace("127.0.0.1:9464", f"127.0.0.1:{server.port}")
    rules = str(ROOT / "deploy" / "prometheus" / "*.yml")
    text = text.replace("../prometheus/*.yml", json.dumps(rules)).replace("5s", "1s")
    with prometheus(tmp_path, text.replace("4s", "1s")) as scraper:
        until(lambda: scraper.query("soak_run_info"), "a scrape")
        (found,) = scraper.query("max(soak_run_verdict_status{status='fail'})").values()
        groups = scraper.ask("rules")["groups"]
    server.close()
    assert 1 == found
    assert len(groups) >= 7
