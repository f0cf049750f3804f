"""Do the rule files say what the code says, and does every alert in them fire and cease?"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from soak.alerts.checks import ALLOWED_BAD, check_groups
from soak.alerts.files import rule_files
from soak.alerts.general import general_groups
from soak.alerts.rule import RUNBOOK, Alert
from soak.histogram import BOUNDS_S
from soak.scenario import load
from soak.verdict import Mistake
from tests.alerts.cases import CASES, RUN, Case
from tests.programs import program

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
STEADY = load("steady")
GROUPS = [*general_groups(), *check_groups(STEADY)]
ALERTS = [rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert)]


LASTING = sorted(path.stem for path in (ROOT / "configs").glob("*.yaml"))  # not the benchmarks


@dataclass(frozen=True)
class Promtool:
    """What promtool said."""

    code: int
    words: str


def promtool(*arguments: str) -> Promtool:
    done = subprocess.run(
        [program("promtool"), *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    return Promtool(done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize("name", ["soak.yml", "steady.yml"])
def test_the_shipped_file_is_what_the_scenario_s_checks_say(name):
    """Else: soak rules steady --out deploy/prometheus"""
    assert rule_files([STEADY])[name] == (FOLDER / name).read_text()


def test_there_is_no_other_file():
    assert sorted(rule_files([STEADY])) == sorted(path.name for path in FOLDER.iterdir())


def test_promtool_finds_nothing_to_object_to():
    said = promtool("check", "rules", *(str(path) for path in FOLDER.iterdir()))
    assert (0, False) == (said.code, "FAILED" in said.words), said.words


def test_every_alert_has_a_heading_in_the_runbook_and_no_heading_is_left_over():
    headings = re.findall(r"^## (Soak\w+)$", (ROOT / RUNBOOK).read_text(), re.MULTILINE)
    assert {alert.name for alert in ALERTS} | {"SoakCheckFailed"} == set(headings)
    assert len(headings) == len(set(headings))


def test_every_alert_has_a_case():
    assert {alert.name for alert in ALERTS} == {case.alert for case in CASES}


def test_every_check_of_the_scenario_has_an_alert():
    asked = {check.name for check in STEADY.checks}
    answered = {a.labels["check"] for a in ALERTS if "soak_verdict_status" in a.expr}
    assert asked == answered


def rule_of(case: Case) -> Alert:
    check = case.labels.get("check")
    (found,) = [a for a in ALERTS if a.name == case.alert and check == a.labels.get("check")]
    return found


def expected(case: Case) -> dict[str, object]:
    """The alert as promtool is to find it: labels, and annotations with their templates filled."""
    rule = rule_of(case)
    labels = {**RUN, **case.labels, **rule.labels, "severity": rule.severity}

    def filled(template: str) -> str:
        known = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], template)
        return re.sub(r"\{\{ \$value[^}]*\}\}", case.value, known)

    annotations = {name: filled(text) for name, text in rule.annotations(RUNBOOK).items()}
    return {"exp_labels": labels, "exp_annotations": annotations}


def series_name(name: str, labels: dict[str, str]) -> str:
    return name + "{" + ",".join(f'{label}="{text}"' for label, text in labels.items()) + "}"


def as_test(case: Case) -> dict[str, object]:
    """Quiet, firing, quiet again: a test for `promtool test rules`, for that alert alone."""
    series = [
        {"series": series_name(name, {**RUN, **own}), "values": values}
        for name, own, values in case.series
    ]
    moments = ((case.quiet, []), (case.firing, [expected(case)]), (case.over, []))
    return {
        "interval": "1m",
        "input_series": series,
        "alert_rule_test": [
            {"alertname": case.alert, "eval_time": at, "exp_alerts": alerts}
            for at, alerts in moments
        ],
    }


@pytest.mark.slow
def test_every_alert_fires_and_ceases(tmp_path):
    document = {
        "rule_files": [str(path) for path in sorted(FOLDER.iterdir())],
        "evaluation_interval": "1m",
        "tests": [as_test(case) for case in CASES],
    }
    file = tmp_path / "rules_test.json"
    file.write_text(json.dumps(document))
    said = promtool("test", "rules", str(file))
    assert 0 == said.code, said.words


@pytest.mark.parametrize("name", LASTING)
def test_every_objective_lies_on_a_bound_of_the_published_histograms(name):
    """Else an alert is of the next bound, and another rule than the check."""
    asked = [check.params for check in load(name).checks if check.detector == "slo"]
    bounds = [one.max for one in asked if one.quantile in ALLOWED_BAD and one.operation and one.max]
    assert set(bounds) <= set(BOUNDS_S)


def test_a_scenario_without_checks_is_a_mistake():
    with pytest.raises(Mistake, match="has no checks"):
        check_groups(STEADY.model_copy(update={"checks": ()}))
