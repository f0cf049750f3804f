"""Do the shipped scenarios say what they ask, and does an editor see what the tester sees?"""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from soak.scenario import dump, json_schema, load, resolve, shipped
from soak.scenario.quantities import format_duration
from soak.scenario.yaml_source import read
from tests.source_tree import ROOT

SCHEMA_FILE = ROOT / "configs" / "scenario.schema.json"
NAMES = sorted(shipped())
EACH = pytest.mark.parametrize("name", NAMES)


def committed_schema() -> dict[str, object]:
    schema: dict[str, object] = json.loads(SCHEMA_FILE.read_text())
    return schema


def complaints_of_an_editor(tree: object) -> list[str]:
    validator = jsonschema.Draft7Validator(committed_schema())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(tree)]


def test_the_four_questions_have_their_scenarios() -> None:
    assert {"smoke", "steady", "growth", "control"} <= set(NAMES)


@EACH
def test_file_opens_with_its_schema_and_its_question(name: str) -> None:
    first, second, *_ = shipped()[name].read_text().splitlines()

    assert "# yaml-language-server: $schema=scenario.schema.json" == first
    assert "?" in second
    assert load(name).question.endswith("?")


@EACH
def test_editor_agrees_with_the_file(name: str) -> None:
    assert [] == complaints_of_an_editor(read(shipped()[name].read_bytes(), name).tree)


@EACH
def test_editor_agrees_with_the_resolved_scenario(name: str) -> None:
    assert [] == complaints_of_an_editor(read(dump(load(name)).encode(), name).tree)


@EACH
def test_resolved_scenario_repeats_the_run(name: str, tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(dump(load(name)))

    assert load(name) == load(file)


@EACH
def test_every_check_can_be_decided_in_the_planned_time(name: str) -> None:
    scenario = load(name)

    assert () != scenario.checks
    assert [] == [check.name for check in scenario.checks if check.needs > scenario.duration_s]


@EACH
def test_every_operation_of_a_latency_check_is_frequent_enough_for_its_quantile(name: str) -> None:
    scenario = load(name)
    for check in scenario.checks:
        operation = getattr(check.params, "operation", None)
        expected_count = sum(
            phase.duration
            * (phase.rate or 0)
            * phase.mix.get(operation, 0)
            / sum(phase.mix.values())
            for phase in scenario.phases
            if operation and not phase.warm
        )
        assert operation is None or expected_count > 400, check.name


def test_smoke_runs_half_a_minute_and_asks_for_everything() -> None:
    scenario = load("smoke")

    assert "30s" == format_duration(scenario.duration_s)
    assert 11 == len(scenario.operations)


def test_steady_lasts_six_hours_and_warms_up_for_a_twentieth() -> None:
    scenario = load("steady")

    assert "6h" == format_duration(scenario.duration_s)
    assert 0.05 == pytest.approx(scenario.phases[0].duration / scenario.duration_s)


def test_a_minute_of_steady_leaves_out_only_what_cannot_be_known_in_a_minute() -> None:
    scenario = load("steady", duration="60s")

    assert 60.0 == pytest.approx(scenario.duration_s)
    assert {"leak", "pile_up", "degradation"} == {
        check.detector for check in scenario.checks if check.needs > 60
    }


def test_control_costs_nothing_but_the_tester() -> None:
    scenario = load("control")

    assert ("null", 1000.0) == (scenario.target.name, scenario.rate)


def test_committed_schema_is_what_the_models_say() -> None:
    regenerated = json.loads(json.dumps(json_schema()))

    assert regenerated == committed_schema(), (
        "after a change of a model or a plug-in: soak schema > configs/scenario.schema.json"
    )


def test_schema_is_valid_draft_7() -> None:
    schema = committed_schema()

    jsonschema.Draft7Validator.check_schema(schema)
    assert "http://json-schema.org/draft-07/schema#" == schema["$schema"]
    assert "$defs" not in SCHEMA_FILE.read_text()


SOUND = {"phases": [{"name": "a", "duration": "1h", "mix": {"store": 1}}]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 0),
        ({"target": "null"}, 0),
        ({"target": "my.own.target"}, 0),
        ({"target": {"name": "my.own.target", "params": {"anything": 1}}}, 0),
        ({"target": {"name": "memory", "params": {"capacity_records": 5}}}, 0),
        ({"rate": "12/min"}, 0),
        ({"checks": ["never", {"name": "leak", "detector": "leak", "needs": "10m"}]}, 0),
        ({"rte": 5}, 1),
        ({"rate": "fast"}, 1),
        ({"target": "memry"}, 1),
        ({"target": {"name": "memory", "params": {"capacity": 5}}}, 1),
        ({"target": {"name": "memory", "clients": 0}}, 1),
        ({"phases": [{"name": "a", "duration": "1 hour", "mix": {"store": 1}}]}, 1),
        ({"phases": [{"name": "a", "duration": "1h", "mix": {"stor": 1}}]}, 1),
        (
            {
                "phases": [
                    {**SOUND["phases"][0], "popularity": {"kind": "zipf", "params": {"x": 1}}}
                ]
            },
            1,
        ),
        (
            {
                "phases": [
                    {**SOUND["phases"][0], "arrivals": {"kind": "closed", "params": {"x": 1}}}
                ]
            },
            1,
        ),
        ({"phases": []}, 1),
        ({"observe": {"window": 10}}, 1),
    ],
    ids=str,
)
def test_editor_sees_what_the_tester_refuses(change: dict[str, object], expected: int) -> None:
    assert expected == len(complaints_of_an_editor({**SOUND, **change}))


def test_every_check_of_the_document_about_them_can_be_asked():
    text = (ROOT / "docs" / "checks.md").read_text()
    written = [
        line.removeprefix("checks:")
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    phases = [
        {"name": name, "duration": "1h", "mix": {"store": 1, "search": 1}}
        for name in ("low", "peak")
    ]
    stated = read("\n".join(written).encode(), "docs/checks.md")
    assert not stated.problems
    scenario = resolve({"phases": phases, "checks": stated.tree}, "checks")

    asked = {check.detector for check in scenario.checks}
    assert {"never", "slo", "leak", "degradation", "worst_window", "burn_rate"} == asked
