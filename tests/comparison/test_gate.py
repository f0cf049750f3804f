"""Does a run that goes on still have to be as good as it had to be when it began?"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from soak.comparison.gate import Gate, as_check, gated, require_comparable, standing_gate
from soak.comparison.judgement import compare
from soak.report.record import load_run
from soak.rundir import RunDirectory
from soak.scenario import load
from soak.verdict import Mistake, Status
from tests.comparison.simulated import ENVIRONMENT, simulated, written
from tests.runs import write_run
from tests.snapshots import six_hours

AGREED = ("latency_p99=25%",)


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    return write_run(tmp_path / "before", length_s=600.0)


@pytest.fixture
def begun(tmp_path: Path, baseline: Path) -> RunDirectory:
    """The directory of a run that was begun with a gate."""
    directory = RunDirectory(tmp_path / "run")
    directory.make()
    gate = Gate(baselines=[load_run(baseline)], thresholds=AGREED)
    directory.replace_json(directory.gate, gate.document())
    return directory


def summary(gate: Gate) -> tuple[list[Path], list[str]]:
    return [record.directory for record in gate.baselines], list(gate.thresholds)


def test_a_run_that_goes_on_has_the_gate_it_was_begun_with(begun: RunDirectory, baseline: Path):
    assert ([baseline], list(AGREED)) == summary(standing_gate(begun, Gate()))


def test_what_is_given_now_comes_first(begun: RunDirectory, baseline: Path, tmp_path: Path):
    other = shutil.copytree(baseline, tmp_path / "other")

    changed = standing_gate(begun, Gate(thresholds=["memory=none"]))
    replaced = standing_gate(begun, Gate(baselines=[load_run(other)]))

    assert ([baseline], ["memory=none"]) == summary(changed)
    assert ([other], list(AGREED)) == summary(replaced)


def test_a_run_without_a_gate_has_none_later(tmp_path: Path):
    assert ([], []) == summary(standing_gate(RunDirectory(tmp_path), Gate()))
    assert {} == Gate().document()


def gone(directory: RunDirectory) -> None:
    shutil.rmtree(json.loads(directory.gate.read_bytes())["baselines"][0])


def damaged(directory: RunDirectory) -> None:
    directory.gate.write_text("{")


@pytest.mark.parametrize(
    ("spoil", "said"), [(gone, "its baseline is not there"), (damaged, "is damaged")]
)
def test_a_gate_that_cannot_be_asked_is_never_left_out(spoil, said: str, begun: RunDirectory):
    spoil(begun)

    with pytest.raises(Mistake, match=f"{said}.*pass --baseline"):
        standing_gate(begun, Gate())


def test_what_is_given_makes_up_for_a_damaged_gate(begun: RunDirectory, baseline: Path):
    damaged(begun)
    given = Gate(baselines=[load_run(baseline)])

    assert given is standing_gate(begun, given)


def test_a_threshold_that_cannot_be_read_is_told_before_the_run():
    with pytest.raises(Mistake, match="latency_p98=25%: is not METRIC=CHANGE"):
        require_comparable(load("smoke"), Gate(thresholds=["latency_p98=25%"]))


def test_a_run_is_never_its_own_baseline(baseline: Path):
    with pytest.raises(Mistake, match="cannot be its own baseline"):
        standing_gate(RunDirectory(baseline), Gate(baselines=[load_run(baseline)]))


@pytest.mark.parametrize(
    ("difference", "figures"),
    [
        ({"fewer": 0.85}, (pytest.approx(-0.15, abs=0.01), -0.1, "ratio")),
        ({"slower": 1.3}, (pytest.approx(0.3, abs=0.1), 0.1, "ratio")),
        ({"recall": 0.9}, (pytest.approx(-0.09, abs=0.01), -0.01, "recall")),
        ({"wrong": 3, "slower": 1.3}, (None, None, "")),
    ],
    ids=str,
)
def test_the_check_has_the_figures_of_what_came_off_worst(
    difference: dict[str, float], figures: tuple[object, ...]
):
    check = as_check(compare(simulated(1, spread=0.02, **difference), [simulated(2, spread=0.02)]))

    assert (Status.FAIL, *figures) == (check.status, check.effect, check.threshold, check.unit)


def test_the_check_of_a_faster_run_has_what_came_nearest_to_its_threshold():
    check = as_check(compare(simulated(1, spread=0.02, slower=0.6), [simulated(2, spread=0.02)]))

    assert Status.PASS == check.status
    assert abs(check.effect) < 0.05


def test_a_warning_is_said_with_a_run_that_passes(tmp_path: Path):
    slower, before = (
        written(simulated(seed, spread=0.02, slower=slower), tmp_path)
        for seed, slower in ((1, 1.2), (2, 1.0))
    )
    gate = Gate(baselines=[load_run(before)], thresholds=["service_p50=none"])
    passed = replace(six_hours(), state="finished", environment=ENVIRONMENT, verdicts=())

    judged = gated(passed, RunDirectory(slower), gate)

    assert Status.PASS == judged.verdict.status
    assert "; warning: " in judged.verdict.reason
    told = json.loads((slower / "comparison.json").read_text())
    rows = {row["name"]: (row["status"], row["level"]) for row in told["metrics"]}
    assert ("warn", "warn") == rows["get.latency_p99"]
    assert ("pass", "fail") == rows["throughput"]
    assert "| warning | get.latency_p99 |" in (slower / "comparison.md").read_text()
