"""Does a project's own test suite soak, fail with the verdict, and leave its figures?"""

import json
import tomllib
from pathlib import Path

import pytest

from soak.pytest_plugin import SoakFailed, require_pass
from soak.report.record import load_run
from tests.runs import write_run

pytest_plugins = ["pytester"]

SCENARIO = """\
question: Does it answer?
rate: 50/s
target: {name: faulty}
population: {keys: 200, agents: 2, preload: 50}
phases: [{name: steady, duration: 2s, mix: {store: 1, get: 2, search: 1}}]
checks: [{name: wrong-answers, detector: never}]
observe: {window: 1s, judge: 1s}
"""
TESTS = """\
import pytest

@pytest.mark.soak("quick.yaml", seed=7)
def test_it_soaks(soak):
    record = soak(judged=False)
    assert 7 == record.document["seed"]

def test_nothing_is_chosen(soak):
    soak()
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a scenario; of all plug-ins only soak's is loaded, wherever this runs."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.path.joinpath("quick.yaml").write_text(SCENARIO)
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest("-p", "soak.pytest_plugin", *arguments)


def test_pytest_finds_the_plugin_by_itself():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())

    assert {"soak": "soak.pytest_plugin"} == project["project"]["entry-points"]["pytest11"]


def test_without_options_nothing_is_soaked(project: pytest.Pytester):
    project.makepyfile("def test_own(): pass")

    run(project, "--strict-markers").assert_outcomes(passed=1)


def test_the_marker_is_known(project: pytest.Pytester):
    run(project, "--markers").stdout.fnmatch_lines(["*soak(scenario, target=*"])


def test_a_scenario_there_is_not_fails_in_soaks_words(project: pytest.Pytester):
    result = run(project, "--soak", "stedy")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no scenario of that name*did you mean steady*"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("soak", ["test_it_soaks", "quick.yaml"]), ("not soak", ["test_nothing_is_chosen"])],
)
def test_the_marker_chooses_runs_and_tests_alike(
    project: pytest.Pytester, chosen: str, expected: list[str]
):
    project.makepyfile(TESTS)
    result = run(project, "--soak", "quick.yaml", "--collect-only", "-q", "-m", chosen)

    assert expected == [line.partition("::")[2] for line in result.outlines if "::" in line]


@pytest.mark.slow
def test_scenario_fixture_and_marker_soak_and_their_figures_are_kept(project: pytest.Pytester):
    project.makepyfile(TESTS)
    # Wrong answers fail on the most crowded machine, too.
    wrong = SCENARIO.replace("faulty}", "faulty, params: {corrupt_ratio: 1.0}}")
    project.path.joinpath("wrong.yaml").write_text(wrong)
    figures = project.path / "out" / "figures.json"
    result = run(project, "--soak", "wrong.yaml", "--soak-json", str(figures))

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*TypeError: which scenario?*", "Failed after *wrong answers*"])
    written = json.loads(figures.read_text())
    assert ["get", "search", "store"] * 2 == [row["name"] for row in written["benchmarks"]]
    assert {"quick", "wrong"} == {row["group"] for row in written["benchmarks"]}


def test_a_verdict_that_is_no_pass_is_told_check_by_check(tmp_path: Path):
    record = load_run(write_run(tmp_path / "run", "leaking", length_s=600.0))

    with pytest.raises(SoakFailed, match=r"Failed after 10 min: (.|\n)*memory: fail: anonymous"):
        require_pass(record)


def test_a_pass_is_a_pass(tmp_path: Path):
    require_pass(load_run(write_run(tmp_path / "run", length_s=600.0)))
