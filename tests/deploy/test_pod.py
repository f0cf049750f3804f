"""Does the Deployment's pod do its work when something runs it? By podman, without a cluster.

Podman 4.3 knows neither Jobs nor ports without a network of its own, so the pod goes without ports
and probes, cut off from everything; what the probes ask is asked from inside.
"""

from collections.abc import Iterator
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


def playable() -> list[Object]:
    found = [each for each in objects("deployment") if each["kind"] in KINDS]
    (deployment,) = [each for each in found if each["kind"] == "Deployment"]
    for each in deployment["spec"]["template"]["spec"]["containers"]:
        for name in ("ports", "startupProbe", "livenessProbe", "readinessProbe"):
            del each[name]
    return found


@pytest.fixture
def started(tmp_path: Path) -> Iterator[str]:
    """The name of soak's container in a pod that runs."""
    containers.build()
    call("podman", "tag", IMAGE, f"docker.io/library/{soak('deployment')['image']}")
    manifest = tmp_path / "pod.yaml"
    manifest.write_text(yaml.safe_dump_all(playable()))
    claims = [each["metadata"]["name"] for each in playable() if "Claim" in each["kind"]]
    call("podman", "play", "kube", "--network=none", "--start", str(manifest))
    yield "soak-deployment-pod-0-soak"
    call("podman", "play", "kube", "--down", str(manifest))
    call("podman", "volume", "rm", *claims)


def asked(name: str, path: str) -> str:
    return call("podman", "exec", name, "/opt/soak/bin/python3", "-c", ASK.format(path))


def test_it_gets_ready_and_sees_the_limits_of_its_manifest(started: str):
    until(lambda: "Up" in call("podman", "ps", "--filter", f"name={started}"), "the pod to start")
    until(lambda: is_ready(started), "operations to be sent")
    limits = soak("deployment")["resources"]["limits"]
    wanted = {
        "soak_host_limit_bytes": amount(limits["memory"]),
        "soak_host_limit_cpus": amount(limits["cpu"]),
    }
    until(lambda: wanted == figures(started, wanted), "the limits to be sampled")
    assert "ok\n" in asked(started, "/healthz")
    assert 'scenario="pod"' in asked(started, "/metrics")


def is_ready(name: str) -> bool:
    try:
        return "ok\n" in asked(name, "/readyz")
    except AssertionError:
        return False  # not listening yet, or 503


def figures(name: str, wanted: dict[str, float]) -> dict[str, float]:
    lines = asked(name, "/metrics").splitlines()
    return {
        metric: float(line.rsplit(" ", 1)[1])
        for line in lines
        for metric in wanted
        if line.startswith((f"{metric}{{", f"{metric} "))
    }
