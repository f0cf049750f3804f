"""Does a run that is slower than its kept baseline end with the exit code a CI job waits for?"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.endtoend.conftest import ROOT, SOAK, Finished, environment, soak

SCENARIO = """\
question: Is this target slower than it was?
rate: 60/s
target: {name: faulty, params: {delay_s: 3ms}}
population: {keys: 1000, agents: 4, preload: 200}
phases:
  - {name: warm-up, duration: 1s, warm: true, mix: &mix {store: 1, get: 2}}
  - {name: steady, duration: 7s, mix: *mix}
checks: [{name: wrong-answers, detector: never}]
observe: {window: 500ms, sample: 500ms}
"""
pytestmark = pytest.mark.slow
QUIET = ("--plain", "--listen", "127.0.0.1:0")
# Only what a slower target shows on any machine; the tail of seven seconds is anybody's.
THRESHOLDS = ("--threshold", "latency_p99=none", "--threshold", "service_p50=30%")


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SOAK, *map(str, arguments)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = tmp_path_factory.mktemp("comparison")
    (scene / "paced.yaml").write_text(SCENARIO)
    return scene


@pytest.fixture(scope="module")
def before(scene: Path) -> Finished:
    return soak("run", str(scene / "paced.yaml"), *QUIET, out=scene / "before")


@pytest.fixture(scope="module")
def after(scene: Path, before: Finished) -> Finished:
    """Three times as slow, with the baseline kept under a name."""
    kept = command("baseline", "set", before.directory, "--name", "main", "--store", scene / "kept")
    assert 0 == kept.returncode, kept.stderr
    slower = ("--set", "target.params.delay_s=9ms")
    against = ("--baseline", "main", "--store", str(scene / "kept"))
    run = ("run", str(scene / "paced.yaml"), *QUIET, *slower, *against, *THRESHOLDS)
    return soak(*run, out=scene / "after")


def test_a_slower_target_fails_the_run(after: Finished):
    assert 10 == after.code, after.stderr + after.stdout
    assert "worse than the baseline: " in after.stdout


def test_the_report_has_the_baseline_as_a_check(after: Finished):
    (check,) = [row for row in after.report["checks"] if row["name"] == "baseline"]

    assert ("fail", "compare", "ratio") == (check["status"], check["detector"], check["unit"])
    assert check["effect"] > 1.0


def test_the_comparison_lies_in_the_run_directory(after: Finished, before: Finished):
    told = json.loads((after.directory / "comparison.json").read_text())

    assert [before.directory.name] == told["baselines"]
    assert "the target's parameters differ: delay_s" in told["notes"]
    assert (after.directory / "comparison.md").read_text().startswith("## regression: ")


def test_who_goes_on_with_the_run_finds_its_gate(after: Finished, scene: Path):
    kept = json.loads((after.directory / "gate.json").read_text())

    assert [scene / "kept/main"] == [Path(path).parent for path in kept["baselines"]]
    assert ["latency_p99=none", "service_p50=30%"] == kept["thresholds"]


def test_compare_says_the_same_of_the_two_directories(
    after: Finished, before: Finished, scene: Path
):
    done = command("compare", after.directory, before.directory, "--json", *THRESHOLDS)

    assert 10 == done.returncode, done.stderr
    assert json.loads((after.directory / "comparison.json").read_text()) == json.loads(done.stdout)


def test_what_is_kept_is_listed_and_shown(after: Finished, scene: Path):
    listed = command("baseline", "list", "--store", scene / "kept", "--json")
    shown = command("baseline", "show", "main", "--store", scene / "kept")

    assert ["main"] == [row["name"] for row in json.loads(listed.stdout)]
    assert "get.service_p50" in shown.stdout


def test_another_load_is_refused_before_it_runs(after: Finished, scene: Path):
    store = ("--store", str(scene / "kept"), "--baseline", "main")
    done = soak("run", str(scene / "paced.yaml"), "--rate", "9", *store, out=scene / "none")

    assert 2 == done.code
    assert "the loads differ" in done.stderr
    assert not (scene / "none").exists()


def test_a_run_is_not_compared_with_itself(before: Finished):
    done = command("compare", before.directory, before.directory)

    assert 2 == done.returncode
    assert "the baseline itself" in done.stderr


def test_a_file_that_cannot_be_written_costs_only_itself(
    after: Finished, before: Finished, scene: Path
):
    into = scene / "paced.yaml" / "x.md"
    done = command("compare", after.directory, before.directory, "--markdown", into)

    assert (2, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "regression: " in done.stdout
    assert f"{into}: the report cannot be written" in done.stderr
