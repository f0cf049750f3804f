"""Is what a function found told like any benchmark?"""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from soak.bench.functions import FunctionError, Trials, run_function
from soak.bench.running import Bench, disturbance
from soak.bench.suite import chosen
from soak.bench.whole import run_suite
from soak.clock import SystemClock
from soak.verdict import Status
from tests.benchmarks.documents import told

OWN = """\
from soak.bench.functions import Findings
from soak.verdict import Status

def benchmark_answer(trials):
    '''What is the answer?'''
    row = {"name": "answer", "status": "pass", "effect": 42.0, "threshold": 43.0, "unit": ""}
    found = {"answer": 42, "odd": float("nan")}
    return Findings(status=Status.PASS, reason="42", results=found, objectives=(row,))
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    folder = tmp_path / "own" / "mine"
    folder.mkdir(parents=True)
    (folder / "answers.py").write_text(OWN)
    return Bench(out=tmp_path / "runs", quick=True, clock=SystemClock(), folder=folder.parent)


class Limited(Trials):
    """Trials of a target that keeps its objectives up to 1,000/s, and says so at once."""

    most_per_s = 1_000.0
    beyond = "unknown"

    def run(self, scenario: str, *flags: str) -> dict:
        rate = float(flags[0].removeprefix("--rate="))
        return told(scenario, per_s=rate, status="pass" if rate <= self.most_per_s else self.beyond)


@pytest.mark.parametrize("beyond", ["fail", "unknown"])
def test_where_no_rate_was_kept_it_is_as_bad_as_the_lowest(bench: Bench, beyond: str):
    trials = Limited(replace(bench, folder=None), chosen([], bench.folder)[0])
    trials.most_per_s, trials.beyond = 0.0, beyond

    assert beyond == trials.highest_rate("latency/mixed").status


@pytest.mark.parametrize(
    ("most_per_s", "beyond", "said"),
    [
        (0.0, "fail", "not even 10/s kept them: because"),
        (0.0, "unknown", "10/s could not be judged: because"),
        (1_000.0, "fail", "/s did not"),
        (1_000.0, "unknown", "/s could not be judged"),
    ],
)
def test_a_rate_that_could_not_be_judged_is_not_said_to_have_failed(
    bench: Bench, most_per_s: float, beyond: str, said: str
):
    trials = Limited(replace(bench, folder=None), chosen([], bench.folder)[0])
    trials.most_per_s, trials.beyond = most_per_s, beyond

    assert trials.highest_rate("latency/mixed").reason.endswith(said)


def test_the_most_that_was_tried_is_not_told_as_a_limit(bench: Bench):
    trials = Limited(replace(bench, folder=None), chosen([], bench.folder)[0])
    trials.most_per_s = math.inf
    found = trials.highest_rate("latency/mixed")

    assert "the most that was tried" in found.reason


def test_a_function_that_cannot_be_run_leaves_the_others_their_results(bench: Bench):
    (bench.folder / "mine" / "broken.py").write_text(
        "import no_such_package\n\ndef benchmark_broken(trials): ..."
    )
    answer, broken = run_suite(
        bench, chosen([], bench.folder), parallel=1, said=lambda benchmark, told: None
    )

    assert ("pass", "unknown") == (answer["verdict"]["status"], broken["verdict"]["status"])
    assert "no_such_package" in broken["verdict"]["reason"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no_such_name\n\ndef benchmark_broken(trials): ...", "NameError"),
        (
            "def benchmark_broken(trials):\n    return {}['no']",
            "broken.py:2: benchmark_broken: Key",
        ),
        ("def benchmark_broken(trials):\n    trials.runn('a/b')", "has no attribute 'runn'"),
        ("def benchmark_broken(trials): ...", "'NoneType' object has no attribute"),
        (OWN.replace("k_answer", "k_broken").replace(": 42,", ": {1},"), "set is not"),
    ],
    ids=["import", "raises", "attribute", "nothing", "not-json"],
)
def test_a_function_that_raises_is_unknown_and_the_others_go_on(bench: Bench, text: str, said: str):
    (bench.folder / "mine" / "broken.py").write_text(text)
    answer, broken = run_suite(bench, chosen([], bench.folder), parallel=1, said=lambda b, d: None)

    assert ("pass", "unknown") == (answer["verdict"]["status"], broken["verdict"]["status"])
    assert said in broken["verdict"]["reason"]


def test_the_line_at_which_a_function_raised_is_said_of_a_relative_folder(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    (bench.folder / "mine" / "broken.py").write_text("def benchmark_b(trials):\n    1 / 0")
    monkeypatch.chdir(bench.folder.parent)
    (broken,) = chosen(["mine/b"], Path("own"))

    with pytest.raises(FunctionError, match=r"^own/mine/broken\.py:2: benchmark_b: ZeroDivision"):
        run_function(bench, broken)


def test_a_function_of_ones_own_is_told_like_a_scenario(bench: Bench):
    (own,) = chosen([], bench.folder)
    document = run_function(bench, own)

    assert ("answer", "mine", {"answer": 42, "odd": None}) == (
        document["benchmark"],
        document["category"],
        document["results"],
    )
    assert {"status": "pass", "exit_code": 0, "reason": "42"} == document["verdict"]
    assert [42.0] == [row["effect"] for row in document["objectives"]]
    assert "own/mine/answers.py" == document["metadata"]["config"]


def test_the_highest_rate_is_told_with_its_trials_and_what_it_cost(bench: Bench):
    shipped = replace(bench, folder=None)
    found = Limited(shipped, chosen([], bench.folder)[0]).highest_rate("latency/mixed")

    assert Status.PASS == found.status
    assert found.results["kept_per_s"] <= 1_000 < found.results["lost_per_s"]
    assert found.results["kept_per_s"] == pytest.approx(found.results["operations_per_s"], abs=1.0)
    assert {"pass", "unknown"} == {row["status"] for row in found.results["trials"]}
    assert len(found.results["trials"]) <= 7
    assert "store-p99" in {row["name"] for row in found.objectives}


def test_a_suite_is_told_in_order_however_many_run_at_a_time(bench: Bench):
    suite = chosen([], bench.folder) * 5
    said = []
    documents = run_suite(bench, suite, parallel=3, said=lambda b, d: said.append(b.name))

    assert ([0] * 5, 5) == ([told["verdict"]["exit_code"] for told in documents], len(said))
    assert [3] * 5 == [document["metadata"]["parallel"] for document in documents]


@pytest.mark.parametrize(
    ("parallel", "cpus", "disturbs"), [(1, 1, False), (2, 4, False), (2, 2, True), (9, 16, True)]
)
def test_runs_that_share_processors_are_said_to_disturb(parallel: int, cpus: int, disturbs: bool):
    assert disturbs == bool(disturbance(parallel, cpus))
