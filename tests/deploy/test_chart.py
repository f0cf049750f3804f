"""Does Helm make of the chart what kustomize makes of the same source, and heed its values?"""

import json
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.kubernetes.chart import CHART, FOLDERS, TEMPLATES, templates
from tests.deploy.manifests import FORMS, KUBERNETES, ROOT, Object, objects, rendered
from tests.deploy.programs import deploy_program

every_form = pytest.mark.parametrize("form", FORMS)
# A ConfigMap's name ends in a hash of its own, which kustomize and Helm reckon differently.
HASHED = re.compile(r"(soak-scenarios-\w+)-[a-z0-9]{10}")


def helm(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [deploy_program("helm"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@cache
def charted(
    form: str, *values: str, release: str = "soak", namespace: str = "soak"
) -> list[Object]:
    words = [word for value in (f"form={form}", *values) for word in ("--set", value)]
    done = helm("template", release, str(CHART), "--namespace", namespace, *words)
    assert (0, "") == (done.returncode, done.stderr)
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def only(found: list[Object], kind: str) -> Object:
    (one,) = [each for each in found if each["kind"] == kind]
    return one


def alike(value: Any) -> Any:
    """Without what is meant to differ: who manages it, hashes, and that Helm keeps the runs."""
    if isinstance(value, dict):
        kept = {name: alike(inner) for name, inner in value.items()}
        meant = {"app.kubernetes.io/managed-by", "helm.sh/resource-policy"}
        return {name: inner for name, inner in kept.items() if name not in meant and inner != {}}
    if isinstance(value, list):
        return [alike(inner) for inner in value]
    match = HASHED.fullmatch(str(value))
    return match[1] if match else value


def by_name(found: list[Object]) -> dict[tuple[str, str], Object]:
    named = {(each["kind"], each["metadata"]["name"]): alike(each) for each in found}
    assert len(named) == len(found)
    return {(kind, alike(name)): each for (kind, name), each in named.items()}


@every_form
def test_the_chart_makes_the_objects_that_kustomize_makes(form: str):
    assert by_name(objects(form)) == by_name(charted(form))


def test_the_chart_makes_the_monitoring_that_kustomize_makes_beside_a_form():
    both = [*objects("job"), *objects("monitoring")]
    assert by_name(both) == by_name(charted("job", "monitoring.enabled=true"))


def test_the_namespace_is_that_of_the_manifests_where_it_is_asked_for():
    (namespace,) = yaml.safe_load_all((KUBERNETES / "namespace.yaml").read_text())
    assert namespace == only(charted("job", "namespace.create=true"), "Namespace")


def test_the_templates_are_as_they_are_made_now():
    made = templates({form: rendered(form) for form in FOLDERS})
    kept = {path.name: path.read_text() for path in TEMPLATES.glob("[!N]*")}
    assert made == kept, "make chart"


def test_its_version_is_that_of_the_product_and_lint_has_no_objection():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert {project["version"]} == {chart["version"], chart["appVersion"]}
    done = helm("lint", "--strict", str(CHART))
    assert 0 == done.returncode, done.stdout + done.stderr


def test_two_releases_and_two_forms_share_a_namespace():
    releases = [charted("job"), charted("daemon"), charted("job", release="soak-nightly")]
    releases += [charted("job", release="weekly")]
    names = [tuple(sorted(by_name(found))) for found in releases]
    assert len({name for found in names for name in found}) == sum(map(len, names))
    assert ("Job", "soak-nightly") in by_name(releases[2])
    assert ("Job", "soak-weekly") in by_name(releases[3])
    # What an object names is of its own release.
    assert "soak-job" not in json.dumps(releases[2:])


def test_values_reach_the_pod():
    found = charted(
        "job",
        "image=registry.test/soak:7",
        "args={run,steady,--plain}",
        "resources.cpu=4",
        "pod.nodeSelector.disk=fast",
        namespace="elsewhere",
    )
    spec = only(found, "Job")["spec"]["template"]["spec"]
    (soak,) = spec["containers"]
    assert "registry.test/soak:7" == soak["image"]
    assert ["run", "steady", "--plain"] == soak["args"]
    asked = {"cpu": 4, "memory": "1Gi", "ephemeral-storage": "256Mi"}
    assert {"limits": asked, "requests": asked} == soak["resources"]
    assert {"disk": "fast"} == spec["nodeSelector"]
    assert {"elsewhere"} == {each["metadata"]["namespace"] for each in found}


def test_values_reach_what_stands_around_the_pod():
    found = charted(
        "cronjob",
        "storage.size=1Ti,storage.class=fast",
        "schedule=1 2 * * *",
        "monitoring.enabled=true,monitoring.namespace=watch,monitoring.labels.release=prometheus",
        "egress[0].to[0].ipBlock.cidr=10.0.0.1/32",
    )
    claim = only(found, "PersistentVolumeClaim")
    assert "1Ti" == claim["spec"]["resources"]["requests"]["storage"]
    assert "fast" == claim["spec"]["storageClassName"]
    assert {"helm.sh/resource-policy": "keep"} == claim["metadata"]["annotations"]
    assert "1 2 * * *" == only(found, "CronJob")["spec"]["schedule"]
    policy = only(found, "NetworkPolicy")["spec"]
    (allowed,) = policy["ingress"][0]["from"]
    assert "watch" == allowed["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert [{"to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}] == policy["egress"]
    for kind in ("PodMonitor", "PrometheusRule"):
        assert "prometheus" == only(found, kind)["metadata"]["labels"]["release"]


def test_another_scenario_takes_the_place_of_the_shipped_one_and_renews_the_pods(tmp_path: Path):
    values = tmp_path / "values.yaml"
    values.write_text(json.dumps({"scenarios": {"pod.yaml": "mine", "more.yaml": "also"}}))
    done = helm("template", "soak", str(CHART), "--set", "form=daemon", "--values", str(values))
    found = list(yaml.safe_load_all(done.stdout))
    scenarios = only(found, "ConfigMap")
    shipped = only(charted("daemon"), "ConfigMap")
    kept = shipped["data"]["daemon.yaml"]
    assert {"daemon.yaml": kept, "pod.yaml": "mine", "more.yaml": "also"} == scenarios["data"]
    name = scenarios["metadata"]["name"]
    assert name != shipped["metadata"]["name"]
    volumes = only(found, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert [name] == [each["configMap"]["name"] for each in volumes if "configMap" in each]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("form=jobs", "/form"),
        ("resource.cpu=2", "resource"),
        ("resources.cpu=1.5", "/resources/cpu"),
        ("resources.memory=lots", "/resources/memory"),
        ("monitoring.enabled=yes", "/monitoring/enabled"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(value: str, complaint: str):
    done = helm("template", "soak", str(CHART), "--set", value)
    assert 0 != done.returncode
    assert complaint in done.stderr
