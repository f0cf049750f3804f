"""Does the RayJob ask for what `soak run --cluster` can do? docs/cluster.md names its schema."""

import shlex
import tomllib
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from soak.cli import app
from soak.cluster.shares import shares
from soak.scenario import load
from tests.deploy.manifests import amount
from tests.source_tree import ROOT

MANIFEST = ROOT / "deploy" / "kubernetes" / "cluster" / "ray-job.yaml"
CLAIM, JOB = yaml.safe_load_all(MANIFEST.read_text())
SPEC = JOB["spec"]["rayClusterSpec"]
HEAD, (WORKERS,) = SPEC["headGroupSpec"], SPEC["workerGroupSpecs"]
WORDS = shlex.split(JOB["spec"]["entrypoint"])
PAIRS = [word for word in WORDS[3:] if word != "--plain"]
OPTIONS = dict(zip(PAIRS[::2], PAIRS[1::2], strict=True))
PODS = pytest.mark.parametrize("group", [HEAD, WORKERS], ids=["head", "workers"])


def test_the_command_is_one_and_its_load_can_be_divided() -> None:
    shown = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200"}).output

    assert ["soak", "run"] == WORDS[:2]
    assert all(word in shown for word in WORDS if word.startswith("--"))
    scenario = load(WORDS[2], rate=OPTIONS["--rate"], duration=OPTIONS["--duration"])
    assert 4 == len(shares(scenario, int(OPTIONS["--workers"])))


def test_there_is_a_node_for_each_worker_and_none_beside_the_judge() -> None:
    assert int(OPTIONS["--workers"]) == WORKERS["replicas"]
    assert WORKERS["replicas"] == WORKERS["minReplicas"] == WORKERS["maxReplicas"]
    assert "0" == HEAD["rayStartParams"]["num-cpus"]
    (apart,) = WORKERS["template"]["spec"]["affinity"]["podAntiAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    wanted = apart["labelSelector"]["matchLabels"]
    labels = WORKERS["template"]["metadata"]["labels"] | {"ray.io/group": WORKERS["groupName"]}
    assert wanted == {name: labels[name] for name in wanted}


def test_ray_is_the_version_that_soak_asks_for() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert [f"ray=={SPEC['rayVersion']}"] == extras["optional-dependencies"]["cluster"]


def test_metrics_and_run_directories_are_where_the_command_puts_them() -> None:
    template: dict[str, Any] = HEAD["template"]
    port = int(OPTIONS["--listen"].rpartition(":")[2])
    (container,) = template["spec"]["containers"]

    assert str(port) == template["metadata"]["annotations"]["prometheus.io/port"]
    assert port in [each["containerPort"] for each in container["ports"]]
    assert [OPTIONS["--out"]] == [each["mountPath"] for each in container["volumeMounts"]]
    (volume,) = template["spec"]["volumes"]
    assert CLAIM["metadata"]["name"] == volume["persistentVolumeClaim"]["claimName"]


@PODS
def test_pods_keep_to_the_restricted_standard_and_to_what_they_ask_for(
    group: dict[str, Any],
) -> None:
    spec = group["template"]["spec"]
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"]
    assert {"type": "RuntimeDefault"} == spec["securityContext"]["seccompProfile"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert {"drop": ["ALL"]} == container["securityContext"]["capabilities"]
    assert container["resources"]["requests"] == container["resources"]["limits"]


def test_no_pod_is_made_that_the_manifest_does_not_describe() -> None:
    """The usual submitter is a pod without a security context, which the namespace refuses."""
    (namespace,) = yaml.safe_load_all((MANIFEST.parents[1] / "namespace.yaml").read_text())

    assert "restricted" == namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    assert "HTTPMode" == JOB["spec"]["submissionMode"]
    assert not {"submitterPodTemplate", "submitterConfig"} & JOB["spec"].keys()


def test_what_a_worker_s_volume_may_hold_is_within_what_its_pod_may() -> None:
    spec = WORKERS["template"]["spec"]
    (container,), (volume,) = spec["containers"], spec["volumes"]

    limit = container["resources"]["limits"]["ephemeral-storage"]
    assert amount(volume["emptyDir"]["sizeLimit"]) < amount(limit)
