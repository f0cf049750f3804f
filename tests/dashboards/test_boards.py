"""Are the shipped boards those of the code, whole, and is each of their questions answered?"""

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import promql_parser
import pytest

from dashboards.board import UNUSED
from dashboards.files import board_files
from tests.dashboards import six_hours
from tests.dashboards.asked import BOARDS, LATER, filled, panels, questions, unanswered
from tests.dashboards.recorded import Recording, recorded
from tests.dashboards.screenshots import drawn, setup
from tests.deploy.programs import deploy_program
from tests.programs import required
from tests.servers import Prometheus, backfill, prometheus

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
HALF_AS_FAST = ("--seed", "8", "--duration", "4m", "--rate", "6/s")


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
    other: Recording
    invented_end_s: float


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> Iterator[Answers]:
    """Two real soaks of a few minutes at the same time, and six invented hours that ended three
    hours ago."""
    folder: Path = tmp_path_factory.mktemp("boards")
    with ThreadPoolExecutor() as both:
        first = both.submit(recorded, folder / "soak")
        second = both.submit(recorded, folder / "other", *HALF_AS_FAST)
    soak, other = first.result(), second.result()
    invented_end_s = soak.pages[0][0] - 3 * 3600
    invented = list(six_hours.pages(invented_end_s - six_hours.LENGTH_S))
    backfill([*invented, *soak.seen_at("first:9464"), *other.seen_at("second:9464")], folder)
    with prometheus(folder, "global: {}\n", "--query.lookback-delta=2m") as server:
        yield Answers(server, soak, other, invented_end_s)


@pytest.mark.slow
def test_a_real_soak_answers_every_question_but_those_that_need_longer(answers):
    asked = [question for question in questions() if not LATER.search(question.expr)]
    assert len(asked) > 90
    begun_s, ended_s = answers.soak.pages[0][0], answers.soak.pages[-1][0]
    run = answers.soak.run_id
    assert [] == unanswered(asked, answers.server, run, begun_s, ended_s)


def compared(answers: Answers, run: str, other: str, page: int = -1) -> dict[str, float]:
    """Figure to the first run's over the second one's, as the board's table has it at that page."""
    (asked,) = [q for q in questions() if q.title == "This run over the other"]
    found = answers.server.query(filled(asked.expr, run, other), answers.other.pages[page][0])
    return {dict(labels)["figure"]: value for labels, value in found.items()}


@pytest.mark.slow
def test_two_runs_of_one_scenario_are_told_apart(answers):
    asked = [question for question in questions() if question.board == "soak-compare"]
    run, other = answers.soak.run_id, answers.other.run_id
    span_s = answers.other.pages[0][0], answers.other.pages[-1][0]
    assert len(asked) > 10
    assert [] == unanswered(asked, answers.server, run, *span_s, other)
    forth, back = compared(answers, run, other), compared(answers, other, run)
    assert pytest.approx(forth) == {figure: 1 / ratio for figure, ratio in back.items()}
    assert {"soak_target_anonymous_bytes", "soak_health_ratio"} <= forth.keys()
    # Of many windows: that of a single one is what the machine they share lets it be.
    pages = range(-1, -len(answers.other.pages) // 2, -1)
    ratios = [compared(answers, run, other, page)["soak_achieved_rate"] for page in pages]
    assert pytest.approx(2, rel=0.2) == median(ratios)


@pytest.mark.slow
def test_grafana_s_own_panels_draw_the_overview_with_data(answers, tmp_path):
    """The page that does it is made by `make test` where there is npm."""
    page = ROOT / "build" / "front" / "dist" / "index.html"
    advice = f"the page that draws boards is missing: make {page.relative_to(ROOT)}"
    front = Path(required(page if page.is_file() else None, advice)).parent
    span_s = answers.soak.pages[0][0], answers.soak.pages[-1][0]
    uid = "soak-overview"
    wanted = {uid: setup(BOARDS[uid], *span_s, "a few minutes", answers.soak.run_id)}
    (found,) = drawn(front, answers.server.url, wanted, tmp_path)
    late = {question.title for question in questions() if LATER.search(question.expr)}
    assert set() == set(found.empty) - late
    assert found.event_count > 0
    assert (tmp_path / f"{uid}.png").stat().st_size > 50_000


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
