"""Are the shipped boards those of the code, whole, and is each of their questions answered?"""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from dashboards.board import UNUSED
from dashboards.files import board_files, boards
from tests.dashboards import six_hours
from tests.dashboards.recorded import Recording, recorded
from tests.deploy.programs import deploy_program
from tests.servers import Prometheus, backfill, prometheus

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
BOARDS = boards()
# What a few minutes of a soak cannot show: a leak takes longer, and nobody injected a fault.
LATER = re.compile(
    r'soak_leak_|detector="leak"|kind=~"(fault|change_point|gap|evict|checkpoint)|^soak_check_broken'
)


@dataclass(frozen=True)
class Question:
    """One query of a panel or an annotation. is_instant: asked for one moment."""

    board: str
    title: str
    expr: str
    is_instant: bool

    def __str__(self) -> str:
        return f"{self.board}: {self.title}: {self.expr}"


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] not in ("row", "text")]


def questions() -> list[Question]:
    asked = [
        Question(uid, panel["title"], target["expr"], target["instant"])
        for uid, board in BOARDS.items()
        for panel in panels(board)
        for target in panel["targets"]
    ]
    marks = BOARDS["soak-overview"]["annotations"]["list"]
    return asked + [Question("annotation", m["name"], m["target"]["expr"], False) for m in marks]


def filled(expr: str, run: str, other: str) -> str:
    """As Grafana fills the variables in when a run is chosen."""
    known = {
        "$scenario": ".+",
        "$target": ".+",
        "$run_id": run,
        "$other_run": other,
        "$__rate_interval": "2m",
        "$__range": "5m",
    }
    for name, value in known.items():
        expr = expr.replace(name, value)
    return expr


def test_the_shipped_boards_are_what_the_code_says():
    """Else: soak dashboards --out deploy/grafana/dashboards"""
    assert board_files() == {path.name: path.read_text() for path in sorted(FOLDER.iterdir())}


def test_there_are_six_boards_with_names_that_last():
    names = ("overview", "memory", "latency", "maintenance", "compare", "tester")
    assert {f"soak-{name}" for name in names} == set(BOARDS)
    assert {42} == {board["schemaVersion"] for board in BOARDS.values()}


@pytest.mark.parametrize("uid", sorted(BOARDS))
def test_every_panel_says_what_it_shows_in_which_unit_from_the_chosen_source(uid):
    for panel in panels(BOARDS[uid]):
        assert panel["title"], panel
        assert panel["description"].endswith("."), panel["title"]
        assert {"type": "prometheus", "uid": "${datasource}"} == panel["datasource"]
        assert all(t["datasource"] == panel["datasource"] and t["refId"] for t in panel["targets"])
        defaults = panel["fieldConfig"]["defaults"]
        has_unit = defaults.get("unit") or panel["type"] in ("table", "heatmap", "state-timeline")
        assert has_unit, panel["title"]


@pytest.mark.parametrize("uid", sorted(BOARDS))
def test_panels_do_not_overlap_and_have_ids_of_their_own(uid):
    every = BOARDS[uid]["panels"]
    assert len(every) == len({panel["id"] for panel in every})
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in every)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_each_annotation_has_a_switch_and_a_colour_of_its_own():
    marks = BOARDS["soak-overview"]["annotations"]["list"]
    assert {True} == {mark["enable"] for mark in marks}
    assert len(marks) == len({mark["iconColor"] for mark in marks})


def test_thresholds_begin_below_everything():
    pattern = r'"steps": \[\s*{\s*"color": "[^"]+",\s*"value": (\w+)'
    assert {"null"} == set(re.findall(pattern, json.dumps(BOARDS)))


@pytest.mark.parametrize("question", questions(), ids=str)
def test_every_question_is_promql(question):
    promql_parser.parse(filled(question.expr, "a", "b"))


def test_grafana_knows_every_field_of_every_board():
    """By Grafana's own types, its panels' included. Annotations have what its schema asks for."""
    deploy_program("check-jsonschema")  # comes with those types
    script = Path(__file__).parent / "known.py"
    command = [deploy_program("python"), script, *sorted(FOLDER.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    asked_for = {f".annotations.list[].target.{name}: unknown" for name in UNUSED}
    assert ("", asked_for) == (done.stderr, set(done.stdout.splitlines()))


def test_a_slow_operation_is_a_dot_where_latency_is_drawn():
    dotted = {
        (uid, panel["title"])
        for uid, board in BOARDS.items()
        for panel in panels(board)
        if any(target.get("exemplar") for target in panel["targets"])
    }
    assert {
        ("soak-latency", "Latency of all operations"),
        ("soak-latency", "Latency p99"),
        ("soak-overview", "Latency p99"),
    } <= dotted


@dataclass(frozen=True)
class Answers:
    server: Prometheus
    soak: Recording
    invented_end_s: float


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> Iterator[Answers]:
    """A real soak of a few minutes, and six invented hours that ended three hours ago."""
    folder: Path = tmp_path_factory.mktemp("boards")
    soak = recorded(folder / "soak")
    invented_end_s = soak.pages[0][0] - 3 * 3600
    invented = list(six_hours.pages(invented_end_s - six_hours.LENGTH_S))
    backfill([*invented, *soak.pages], folder)
    with prometheus(folder, "global: {}\n", "--query.lookback-delta=2m") as server:
        yield Answers(server, soak, invented_end_s)


def unanswered(
    asked: list[Question], server: Prometheus, run: str, start_s: float, end_s: float
) -> list[str]:
    silent = []
    for question in asked:
        expr = filled(question.expr, run, run)
        if question.is_instant:
            found = server.query(expr, end_s)
        else:
            found = server.range(expr, start_s, end_s, 15.0)
        if not found:
            silent.append(str(question))
    return silent


@pytest.mark.slow
def test_a_real_soak_answers_every_question_but_those_that_need_longer(answers):
    asked = [question for question in questions() if not LATER.search(question.expr)]
    assert len(asked) > 90
    begun_s, ended_s = answers.soak.pages[0][0], answers.soak.pages[-1][0]
    run = answers.soak.run_id
    assert [] == unanswered(asked, answers.server, run, begun_s, ended_s)


@pytest.mark.slow
def test_six_hours_with_a_leak_and_faults_answer_the_rest(answers):
    asked = [question for question in questions() if LATER.search(question.expr)]
    end_s = answers.invented_end_s
    start_s = end_s - six_hours.LENGTH_S + 60
    assert [] == unanswered(asked, answers.server, six_hours.RUN_ID, start_s, end_s)


@pytest.mark.slow
def test_an_eviction_is_a_region_from_its_start_to_its_end(answers):
    (mark,) = [
        m for m in BOARDS["soak-overview"]["annotations"]["list"] if m["name"] == "Evictions"
    ]
    expr = filled(mark["target"]["expr"], ".+", ".+")
    begun_s = answers.invented_end_s - six_hours.LENGTH_S + six_hours.CYCLE_S
    (series,) = answers.server.range(expr, begun_s - 300, begun_s + 600, 10.0)
    seen_s = [float(at) for at, _ in series["values"]]
    assert begun_s - 10 <= seen_s[0] <= begun_s
    assert begun_s + 40 <= seen_s[-1] <= begun_s + 50
    assert len(seen_s) >= 5
