"""Do the manifests fit together? What no schema sees: names, labels, ports, amounts, exit codes."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from deploy.kubernetes.rules import RULES, prometheus_rule
from soak.daemon.answers import PATHS as DAEMON_PATHS
from soak.daemon.config import read as schedules
from soak.scenario import load
from soak.show.pages import PATHS
from soak.verdict import ExitCode
from tests.deploy.manifests import (
    FORMS,
    KUBERNETES,
    ROOT,
    Object,
    amount,
    containers,
    job_spec,
    objects,
    of_kind,
    pod,
    rendered,
    selects,
    soak,
    walked,
)
from tests.programs import program

RECOMMENDED = {"name", "instance", "version", "component", "part-of", "managed-by"}
JOBS = ("job", "cronjob", "sidecar")
every_form = pytest.mark.parametrize("form", FORMS)


@every_form
def test_each_object_and_each_pod_has_the_recommended_labels(form: str):
    wanted = {f"app.kubernetes.io/{name}" for name in RECOMMENDED}
    labelled = [found["metadata"]["labels"] for found in objects(form)]
    assert all(wanted <= labels.keys() for labels in [*labelled, pod(form)["metadata"]["labels"]])


def test_no_two_forms_make_an_object_of_the_same_name():
    names = [
        (found["kind"], found["metadata"]["namespace"], found["metadata"]["name"])
        for form in FORMS
        for found in objects(form)
    ]
    assert len(names) == len(set(names))


@every_form
def test_selectors_find_the_pod_of_their_form_and_no_other(form: str):
    selectors = [
        found["spec"]["podSelector"]["matchLabels"] for found in of_kind(form, "NetworkPolicy")
    ]
    for kind in ("PodDisruptionBudget", "Deployment"):
        selectors += [found["spec"]["selector"]["matchLabels"] for found in of_kind(form, kind)]
    selectors += [found["spec"]["selector"] for found in of_kind(form, "Service")]
    assert len(selectors) >= 2
    for other in FORMS:
        labels = pod(other)["metadata"]["labels"]
        assert [other == form] * len(selectors) == [selects(each, labels) for each in selectors]


@every_form
def test_what_a_pod_names_exists(form: str):
    spec = pod(form)["spec"]
    existing = {(found["kind"], found["metadata"]["name"]) for found in objects(form)}
    claims = [
        v["persistentVolumeClaim"]["claimName"]
        for v in spec["volumes"]
        if "persistentVolumeClaim" in v
    ]
    maps = [v["configMap"]["name"] for v in spec["volumes"] if "configMap" in v]
    assert existing >= {
        ("ServiceAccount", spec["serviceAccountName"]),
        *(("PersistentVolumeClaim", name) for name in claims),
        *(("ConfigMap", name) for name in maps),
    }
    mounted = {mount["name"] for each in containers(form) for mount in each["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["volumes"]}


@pytest.mark.parametrize("form", [form for form in FORMS if form != "daemon"])
def test_the_scenario_that_is_run_is_in_the_config_map_and_is_one(form: str, tmp_path: Path):
    command, path, *_ = soak(form)["args"]
    assert "run" == command
    files = mounted_files(form)
    (tmp_path / "run.yaml").write_text(files[path])
    assert load(tmp_path / "run.yaml").checks


@pytest.mark.parametrize("form", ["job", "cronjob", "deployment"])
def test_what_a_restart_cuts_off_goes_on_below_the_claim(form: str):
    arguments = soak(form)["args"]
    assert "--resume" in arguments
    (claim,) = [m["mountPath"] for m in soak(form)["volumeMounts"] if m["name"] == "runs"]
    assert f"SOAK_OUT={claim}" in (ROOT / "Dockerfile").read_text()
    # A Job cannot be changed, and a Deployment's runs follow each other: their last run is theirs.
    nights = [arguments[arguments.index("--out") + 1]] if "--out" in arguments else []
    assert ([f"{claim}/$(NIGHT)"] if form == "cronjob" else []) == nights


def test_no_run_goes_on_whose_server_lost_its_files_with_the_pod():
    volumes = {each["name"] for each in pod("sidecar")["spec"]["volumes"] if "emptyDir" in each}
    (server,) = [each for each in containers("sidecar") if each["name"] == "target"]
    assert {mount["name"] for mount in server["volumeMounts"]} <= volumes
    assert "--resume" not in soak("sidecar")["args"]


def test_no_night_goes_on_with_what_another_one_left():
    (night,) = soak("cronjob")["env"]
    label = "metadata.labels['batch.kubernetes.io/job-name']"
    assert ("NIGHT", label) == (night["name"], night["valueFrom"]["fieldRef"]["fieldPath"])


def test_the_daemon_keeps_everything_on_its_volume_and_has_schedules_for_the_pod(tmp_path: Path):
    command, _, path, _, store = soak("daemon")["args"]
    assert ("daemon", "/runs/baselines") == (command, store)
    files = mounted_files("daemon")
    for file, text in files.items():
        there = tmp_path / Path(file).name
        there.write_text(text.replace(f"{Path(file).parent}/", f"{tmp_path}/"))
    found = schedules(tmp_path / Path(path).name)
    assert {("pod", "engine")} == {(each.scenario, each.target) for each in found}
    assert any(each.baseline for each in found)


def mounted_files(form: str) -> dict[str, str]:
    """The files of the ConfigMap by where soak finds them."""
    (scenarios,) = of_kind(form, "ConfigMap")
    (where,) = [m["mountPath"] for m in soak(form)["volumeMounts"] if m["name"] == "scenarios"]
    return {f"{where}/{name}": text for name, text in scenarios["data"].items()}


def test_a_drain_waits_for_what_has_an_end_soon_and_for_nothing_else():
    """A budget of none would hold up a node's upgrade for weeks or for ever; runs are resumed."""
    waits = {form: of_kind(form, "PodDisruptionBudget")[0]["spec"].keys() for form in FORMS}
    endless = {"daemon", "deployment"}
    assert endless == {form for form in FORMS if "maxUnavailable" in waits[form]}
    assert {*FORMS} - endless == {form for form in FORMS if "minAvailable" in waits[form]}


@every_form
def test_ports_are_named_and_what_names_them_finds_them(form: str):
    ports = {port["name"]: port for each in containers(form) for port in each["ports"]}
    names = [
        value
        for found in objects(form)
        for path, value in walked(found)
        if re.search(r"(httpGet\.port|ports\[\]\.(targetPort|port))$", path)
        and not isinstance(value, int)
    ]
    assert set(names) == {"metrics"} <= ports.keys()
    assert {"TCP"} == {port["protocol"] for port in ports.values()}
    annotated = pod(form)["metadata"]["annotations"]
    assert str(ports["metrics"]["containerPort"]) == annotated["prometheus.io/port"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"SOAK_LISTEN=0.0.0.0:{annotated['prometheus.io/port']} " in dockerfile


@every_form
def test_probes_and_scrapers_ask_for_what_soak_serves(form: str):
    probes = [
        soak(form)[f"{kind}Probe"]["httpGet"]["path"]
        for kind in ("startup", "liveness", "readiness")
    ]
    assert ["/healthz", "/healthz", "/readyz"] == probes
    served = set(DAEMON_PATHS if "daemon" == form else PATHS)
    assert {*probes, pod(form)["metadata"]["annotations"]["prometheus.io/path"]} <= served


@every_form
def test_pods_keep_to_the_restricted_standard(form: str):
    spec = pod(form)["spec"]
    assert {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001}.items() <= spec[
        "securityContext"
    ].items()
    assert {"type": "RuntimeDefault"} == spec["securityContext"]["seccompProfile"]
    for each in containers(form):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    allowed = {"configMap", "emptyDir", "persistentVolumeClaim"}
    assert {kind for volume in spec["volumes"] for kind in volume if kind != "name"} <= allowed
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & spec.keys()
    assert spec["automountServiceAccountToken"] is False


@every_form
def test_pods_are_guaranteed_what_they_ask_for(form: str):
    for each in containers(form):
        resources = each["resources"]
        assert resources["requests"] == resources["limits"]
        assert {"cpu", "memory", "ephemeral-storage"} == resources["limits"].keys()
        # Whole processors: only those can be a container's own.
        assert amount(resources["limits"]["cpu"]).is_integer()
        assert amount(resources["limits"]["memory"]) >= 2**29


@every_form
def test_every_amount_is_a_quantity(form: str):
    amounts = [
        value
        for found in objects(form)
        for path, value in walked(found)
        if re.search(r"\.(requests|limits)\.\w|sizeLimit$", path)
    ]
    assert all(amount(value) > 0 for value in amounts)
    assert len(amounts) > 6


@every_form
def test_what_volumes_may_hold_is_within_what_the_pod_may(form: str):
    """A pod whose volumes hold more than its containers' limits is evicted before they are full."""
    empty = [each["emptyDir"] for each in pod(form)["spec"]["volumes"] if "emptyDir" in each]
    limits = [each["resources"]["limits"]["ephemeral-storage"] for each in containers(form)]
    assert sum(amount(each["sizeLimit"]) for each in empty) < sum(map(amount, limits))


@every_form
def test_images_are_pinned_and_soak_has_its_own_version(form: str):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version == soak(form)["image"].partition(":")[2]
    assert all(re.search(r":v?\d|@sha256:", each["image"]) for each in containers(form))
    assert version == pod(form)["metadata"]["labels"]["app.kubernetes.io/version"]


@pytest.mark.parametrize("form", JOBS)
def test_a_job_tries_again_only_where_the_verdict_is_not_the_targets(form: str):
    rules = job_spec(form)["podFailurePolicy"]["rules"]
    actions = {
        code: rule["action"]
        for rule in reversed(rules)
        for code in rule.get("onExitCodes", {}).get("values", [])
    }
    unsure = {ExitCode.UNKNOWN, 130, 143}  # the last two: stopped by a signal
    # 137: killed, and not by a drain, which matches before: out of memory is the target's doing.
    final = {137, *(code.value for code in ExitCode)} - {ExitCode.PASS, *unsure}
    assert "Ignore" == rules[0]["action"]
    assert final == {code for code, action in actions.items() if action == "FailJob"}
    assert unsure == {c for c, action in actions.items() if action == "Count"}
    assert {"soak"} == {
        rule["onExitCodes"]["containerName"] for rule in rules if "onExitCodes" in rule
    }
    ignored = [rule["onPodConditions"] for rule in rules if rule["action"] == "Ignore"]
    assert [[{"type": "DisruptionTarget", "status": "True"}]] == ignored
    assert "Never" == pod(form)["spec"]["restartPolicy"]


@every_form
def test_a_stopped_pod_has_time_for_its_report(form: str):
    assert pod(form)["spec"]["terminationGracePeriodSeconds"] >= 30


def test_the_pod_monitor_finds_every_form_at_a_port_that_it_has():
    (monitor,) = of_kind("monitoring", "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["path"] in PATHS
    for form in FORMS:
        labels = pod(form)["metadata"]["labels"]
        assert selects(monitor["spec"]["selector"]["matchLabels"], labels)
        assert monitor["metadata"]["namespace"] == soak_namespace(form)
        assert endpoint["port"] in [port["name"] for port in soak(form)["ports"]]


def soak_namespace(form: str) -> str:
    (name,) = {found["metadata"]["namespace"] for found in objects(form)}
    (namespace,) = yaml.safe_load_all((KUBERNETES / "namespace.yaml").read_text())
    assert namespace["metadata"]["name"] == name
    return name


def test_the_rules_are_those_of_the_scenarios_and_promtool_takes_them(tmp_path: Path):
    assert prometheus_rule() == RULES.read_text(), "make kubernetes-rules"
    (rule,) = of_kind("monitoring", "PrometheusRule")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rule["spec"]))
    shared = yaml.safe_load((ROOT / "deploy/prometheus/soak.yml").read_text())["groups"]
    assert shared == rule["spec"]["groups"][: len(shared)]
    command = [program("promtool"), "check", "rules", str(tmp_path / "rules.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_dashboard_is_mounted_as_it_stands():
    files = {path.name: path for path in (ROOT / "deploy/grafana/dashboards").glob("*.json")}
    maps: list[Object] = of_kind("monitoring", "ConfigMap")
    mounted = {name: text for found in maps for name, text in found["data"].items()}
    assert files.keys() == mounted.keys() != set()
    assert all(json.loads(files[name].read_text()) == json.loads(mounted[name]) for name in files)
    assert {"1"} == {found["metadata"]["labels"]["grafana_dashboard"] for found in maps}
    # What one ConfigMap may hold.
    assert all(len(text) < 2**20 for text in mounted.values())


def test_nothing_is_rendered_that_a_person_has_to_fill_in():
    assert [] == [form for form in FORMS if re.search(r"CHANGE|EXAMPLE|<[a-z-]+>", rendered(form))]
