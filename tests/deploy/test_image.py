"""Does the image do its work? Built, confined, scraped, stopped and starved. `make image-check`."""

import json
from pathlib import Path

import pytest

from tests.deploy import containers
from tests.deploy.containers import IMAGE, container
from tests.servers import fetched, free_port, prometheus, until

pytestmark = pytest.mark.soak

SCRAPE = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: soak
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
MEMORY_BYTES = 400 * 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    containers.build()


def metric(port: int, name: str) -> float:
    lines = fetched(f"http://127.0.0.1:{port}/metrics").decode().splitlines()
    found = [line.rsplit(" ", 1)[1] for line in lines if line.startswith((f"{name} ", name + "{"))]
    return float(found[0]) if found else 0.0


def is_ready(port: int) -> bool:
    return fetched(f"http://127.0.0.1:{port}/readyz") == b"ok\n"


def test_its_configuration_says_what_runs_and_how_it_is_watched():
    image = containers.inspect(IMAGE)
    told = image["Config"]
    assert "10001:10001" == told["User"]
    assert ["soak"] == told["Entrypoint"]
    assert ["9464/tcp"] == list(told["ExposedPorts"])
    assert ["/runs"] == list(told["Volumes"])
    assert "/healthz" in " ".join(image["Healthcheck"]["Test"])
    assert "checked" == told["Labels"]["org.opencontainers.image.revision"]


def test_it_can_install_nothing_and_needs_no_compiler(tmp_path: Path):
    with container("soak-bare", tmp_path, ["--entrypoint=ls"], "/opt/soak/bin") as ended:
        ended.process.wait(60)
    assert "soak" in ended.log.read_text().split()
    assert "pip" not in ended.log.read_text()


@pytest.mark.parametrize("temporary", ["--read-only-tmpfs=true", "--read-only-tmpfs=false"])
def test_a_soak_passes_on_a_read_only_root(tmp_path: Path, temporary: str):
    options = [temporary, "--env=SOAK_LISTEN=127.0.0.1:0"]
    words = ("run", "smoke", "--plain", "--rate", "40")
    with container("soak-passes", tmp_path, options, *words) as ended:
        assert ended.process.wait(240) in (0, 13), ended.log.read_text()
    report = json.loads((ended.only_run() / "report.json").read_text())
    assert "finished" == report["state"]
    assert report["operations"]["get"]["count"] > 0
    assert (ended.only_run() / "report.html").stat().st_size > 100_000


def test_it_is_scraped_and_leaves_a_report_when_it_is_stopped(tmp_path: Path):
    port = free_port()
    options = [f"--env=SOAK_LISTEN=127.0.0.1:{port}", f"--memory={MEMORY_BYTES}"]
    words = ("run", "smoke", "--plain", "--duration", "1h", "--rate", "50")
    with (
        container("soak-scraped", tmp_path, options, *words) as soak,
        prometheus(tmp_path / "prometheus", SCRAPE.format(port=port)) as server,
    ):
        until(lambda: is_ready(port), "the soak to be ready")
        check = containers.inspect(IMAGE)["Healthcheck"]["Test"][1:]
        here = [word.replace("9464", str(port)) for word in check]
        assert 0 == soak.execute(*here)
        assert 1 == soak.execute(*[word.replace("9464", "1") for word in check])
        until(lambda: server.query("sum(soak_operations_total)"), "Prometheus to have scraped it")
        until(lambda: metric(port, "soak_host_limit_bytes") == MEMORY_BYTES, "the limit it sees")
        containers.call("podman", "stop", "--time", "20", soak.name)
        assert 143 == soak.process.wait(60)
    report = json.loads((soak.only_run() / "report.json").read_text())
    assert "interrupted" == report["state"]
    assert (soak.only_run() / "report.html").is_file()


def test_a_target_that_takes_more_than_the_limit_is_killed_and_named(tmp_path: Path):
    """The kernel takes the worker, which asks for it: the tester lives to tell."""
    changes = ("target.params.leak_bytes_per_operation=1MiB", "population.preload=0")
    options = ["--env=SOAK_LISTEN=127.0.0.1:0", "--memory=300m", "--memory-swap=300m"]
    words = ("run", "smoke", "--plain", "--target", "faulty", "--duration", "10m")
    sets = [word for change in changes for word in ("--set", change)]
    with container("soak-starved", tmp_path, options, *words, *sets) as ended:
        code = ended.process.wait(240)
    assert 14 == code, ended.log.read_text()
    assert (
        "SIGKILL" in json.loads((ended.only_run() / "report.json").read_text())["verdict"]["reason"]
    )


def test_a_soak_that_was_killed_goes_on_in_another_container(tmp_path: Path):
    options = ["--env=SOAK_LISTEN=127.0.0.1:0"]
    words = ("run", "smoke", "--plain", "--duration", "1h", "--rate", "50")
    with container("soak-killed", tmp_path, options, *words) as killed:
        until(lambda: [*killed.runs.glob("*/checkpoint.bin")], "a checkpoint")
        containers.call("podman", "kill", killed.name)
        killed.process.wait(60)
    run = killed.only_run()
    words = ("resume", f"/runs/{run.name}", "--plain")
    with container("soak-resumed", tmp_path, options, *words) as resumed:
        # Windows are written before the target is ready, too: what the last process left.
        until(lambda: b'"gap"' in (run / "events.jsonl").read_bytes(), "it to go on")
        containers.call("podman", "stop", "--time", "20", resumed.name)
        assert 143 == resumed.process.wait(60)
    assert run == resumed.only_run()
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert 1 == [event["kind"] for event in events].count("gap")
