"""Do the pods of the two Deployments do their work when something runs them? By podman.

Podman 4.3 knows neither Jobs nor ports without a network of its own, so a pod goes without ports
and probes, cut off from everything; what the probes ask is asked from inside.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.deploy import containers
from tests.deploy.containers import IMAGE, call
from tests.deploy.manifests import Object, amount, objects, soak
from tests.servers import until

pytestmark = pytest.mark.soak

KINDS = ("ConfigMap", "PersistentVolumeClaim", "Deployment")
ASK = (
    "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:9464{}').read().decode())"
)
DUE_NOW = "schedules: [{name: pod-nightly, scenario: /scenarios/pod.yaml, every: 1s}]"


def playable(form: str) -> list[Object]:
    found = [each for each in objects(form) if each["kind"] in KINDS]
    (deployment,) = [each for each in found if each["kind"] == "Deployment"]
    for each in deployment["spec"]["template"]["spec"]["containers"]:
        for name in ("ports", "startupProbe", "livenessProbe", "readinessProbe"):
            del each[name]
    return found


@contextmanager
def playing(form: str, found: list[Object], folder: Path) -> Iterator[str]:
    """The name of soak's container in a pod that runs."""
    call("podman", "tag", IMAGE, f"docker.io/library/{soak(form)['image']}")
    manifest = folder / "pod.yaml"
    manifest.write_text(yaml.safe_dump_all(found))
    claims = [each["metadata"]["name"] for each in found if "Claim" in each["kind"]]
    call("podman", "play", "kube", "--network=none", "--start", str(manifest))
    name = f"soak-{form}-pod-0-soak"
    try:
        until(lambda: "Up" in call("podman", "ps", "--filter", f"name={name}"), "the pod to start")
        yield name
    finally:
        call("podman", "play", "kube", "--down", str(manifest))
        call("podman", "volume", "rm", *claims)


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    containers.build()


def asked(name: str, path: str) -> str:
    return call("podman", "exec", name, "/opt/soak/bin/python3", "-c", ASK.format(path))


def answer(name: str, path: str) -> str:
    """Empty while nothing listens, or says that it is not ready."""
    try:
        return asked(name, path)
    except AssertionError:
        return ""


def figures(text: str, wanted: dict[str, float]) -> dict[str, float]:
    return {
        metric: float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        for metric in wanted
        if line.startswith((f"{metric}{{", f"{metric} "))
    }


def test_a_soak_gets_ready_and_sees_the_limits_of_its_manifest(tmp_path: Path):
    limits = soak("deployment")["resources"]["limits"]
    wanted = {
        "soak_host_limit_bytes": amount(limits["memory"]),
        "soak_host_limit_cpus": amount(limits["cpu"]),
    }
    with playing("deployment", playable("deployment"), tmp_path) as name:
        until(lambda: "ok\n" in answer(name, "/readyz"), "operations to be sent")
        until(lambda: wanted == figures(asked(name, "/metrics"), wanted), "limits to be sampled")
        assert "ok\n" in asked(name, "/healthz")
        assert 'scenario="pod"' in asked(name, "/metrics")


def test_a_daemon_that_is_stopped_goes_on_with_its_soak_in_the_next_container(tmp_path: Path):
    found = playable("daemon")
    (files,) = [each["data"] for each in found if each["kind"] == "ConfigMap"]
    assert "pod-nightly" in files["daemon.yaml"]
    files["daemon.yaml"] = DUE_NOW
    with playing("daemon", found, tmp_path) as name:
        until(lambda: is_soaking(name), "the daemon to soak")
        first = run_id(asked(name, "/metrics"))
        assert "ok\n" in asked(name, "/healthz")
        call("podman", "stop", "--time", "110", name)
        assert 143 == containers.inspect(name)["State"]["ExitCode"]
        call("podman", "start", name)
        until(lambda: is_soaking(name), "the daemon to go on")
        assert first == run_id(asked(name, "/metrics"))


def is_soaking(name: str) -> bool:
    """Whether operations are counted by a run that the daemon sees."""
    text = answer(name, "/metrics")
    counts = re.findall(r"^soak_operations_total{.*} (.+)$", text, re.MULTILINE)
    return bool(run_id(text)) and sum(map(float, counts)) > 0


def run_id(text: str) -> str:
    match = re.search(r'^soak_run_info{.*run_id="([^"]+)"', text, re.MULTILINE)
    return match[1] if match else ""
