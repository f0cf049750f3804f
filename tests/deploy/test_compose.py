"""Is the compose file whole, on loopback alone, and do real programs take its configurations?"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.programs import deploy_program
from tests.programs import program
from tests.servers import Prometheus, fetched, free_port, running

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())


def test_it_keeps_to_the_specification():
    schema = ["--builtin-schema", "vendor.compose-spec"]
    command = [deploy_program("check-jsonschema"), *schema, FOLDER / "compose.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout


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


def mounted(service: str, path: str) -> Path | None:
    """The file or folder of the checkout that the service sees there."""
    for mount in COMPOSE["services"][service].get("volumes", ()):
        here, there = mount.split(":")[:2]
        if here.startswith(".") and (path == there or path.startswith(f"{there}/")):
            return (FOLDER / here / path.removeprefix(there).lstrip("/")).resolve()
    return None


def addresses() -> set[str]:
    """Every host:port in what is mounted."""
    files = [*FOLDER.glob("*.yml"), *FOLDER.glob("grafana/*/*.yaml")]
    text = "".join(path.read_text() for path in files if path.name != "local.yml")
    return set(re.findall(r"(?<=['/])[a-z]+:\d+", text))


def test_services_speak_to_each_other_by_name_at_the_port_that_each_has():
    told = {
        f"{name}:{port.split(':')[2]}"
        for name, service in COMPOSE["services"].items()
        for port in service["ports"]
    }
    assert {"soak:9464", "prometheus:9090", "alertmanager:9093"} == addresses()
    assert addresses() <= told
    assert "SOAK_LISTEN=0.0.0.0:9464" in (ROOT / "Dockerfile").read_text()


def provisioned(folder: str, what: str) -> dict[str, Any]:
    (found,) = yaml.safe_load((FOLDER / "grafana" / folder / "soak.yaml").read_text())[what]
    return found


def test_grafana_finds_its_source_and_boards():
    source = provisioned("datasources", "datasources")
    assert ("prometheus", "http://prometheus:9090") == (source["type"], source["url"])
    provider = provisioned("boards", "providers")
    assert ROOT / "deploy/grafana/dashboards" == mounted("grafana", provider["options"]["path"])
    environment = COMPOSE["services"]["grafana"]["environment"]
    found = mounted("grafana", environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert found
    assert found.is_file()


def test_every_panel_asks_the_source_that_is_there():
    """Boards name a variable; its choice is every source of its type, and there is one."""
    source = provisioned("datasources", "datasources")
    assert ("prometheus", True) == (source["uid"], source["isDefault"])
    asked = set()
    for path in (ROOT / "deploy/grafana/dashboards").iterdir():
        board = json.loads(path.read_text())
        (chosen,) = (v for v in board["templating"]["list"] if v["name"] == "datasource")
        assert ("datasource", source["type"]) == (chosen["type"], chosen["query"])
        asked |= {(name, uid) for name, uid in sources(board) if uid != "-- Grafana --"}
    assert {(source["type"], "${datasource}")} == asked


def sources(tree: Any) -> Iterator[tuple[str, str]]:
    """Type and uid wherever a board names where its data come from."""
    if isinstance(tree, dict):
        found = tree.get("datasource")
        if isinstance(found, dict):
            yield found["type"], found["uid"]
        tree = list(tree.values())
    for inner in tree if isinstance(tree, list) else ():
        yield from sources(inner)


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


def on_this_machine(service: str, folder: Path) -> list[str]:
    """The service's command with the paths of this machine; what has no mount is below folder."""
    command = []
    for word in COMPOSE["services"][service]["command"]:
        name, sign, value = word.partition("=")
        if value.startswith("/"):
            value = str(mounted(service, value) or folder / service)
        command.append(f"{name}{sign}{value}")
    return command


@pytest.mark.slow
def test_prometheus_starts_with_the_command_that_is_written_there(tmp_path):
    listen = f"127.0.0.1:{free_port()}"
    text = (FOLDER / "prometheus.yml").read_text()
    rules = mounted("prometheus", "/etc/prometheus/rules")
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/rules", str(rules)))
    command = on_this_machine("prometheus", tmp_path)
    command[0] = f"--config.file={tmp_path / 'prometheus.yml'}"
    command = [program("prometheus"), *command, f"--web.listen-address={listen}"]
    with running(command, tmp_path / "log", f"http://{listen}/-/ready"):
        server = Prometheus(f"http://{listen}")
        loaded = server.ask("status/config")["yaml"]
        groups = server.ask("rules")["groups"]
    assert "- soak:9464\n" in loaded
    assert len(groups) >= 7


@pytest.mark.slow
def test_alertmanager_starts_with_the_command_that_is_written_there(tmp_path):
    listen = f"127.0.0.1:{free_port()}"
    command = [program("prometheus-alertmanager"), *on_this_machine("alertmanager", tmp_path)]
    command.append(f"--web.listen-address={listen}")
    with running(command, tmp_path / "log", f"http://{listen}/-/ready"):
        told = json.loads(fetched(f"http://{listen}/api/v2/status"))
    assert "disabled" == told["cluster"]["status"]
