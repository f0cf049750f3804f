import json
import shutil
from pathlib import Path

import pytest

from soak.comparison.baselines import BaselineError, Baselines
from soak.comparison.judgement import compare
from soak.report.record import load_run
from soak.verdict import Status
from tests.comparison.simulated import ENVIRONMENT, simulated, written


def test_a_kept_baseline_is_what_the_run_was(tmp_path: Path):
    run = written(simulated(1), tmp_path / "runs")
    baselines = Baselines(tmp_path / "kept")

    assert tmp_path / "kept" / "simulated-engine" == baselines.keep([run])
    (read,) = baselines.read("simulated-engine")
    assert load_run(run).document == read.document
    other = compare(simulated(2, spread=0.02), [simulated(1)])
    again = compare(simulated(2, spread=0.02), [read])
    assert [each.change for each in other.changes] == pytest.approx(
        [each.change for each in again.changes]
    )


def test_a_baseline_of_several_runs_has_them_all_and_replaces_the_old(tmp_path: Path):
    runs = [written(simulated(seed), tmp_path / "runs") for seed in (1, 2, 3)]
    baselines = Baselines(tmp_path / "kept")
    baselines.keep(runs[:1], "main")
    baselines.keep(runs[1:], "main")

    assert ["simulated-2", "simulated-3"] == [r.directory.name for r in baselines.read("main")]
    assert ["main"] == baselines.names()
    (entry,) = baselines.entries()
    assert "simulated on engine, 2 runs, 2026-03-01 12:00 UTC" == entry["what"]


def test_a_run_directory_and_a_folder_of_them_can_be_read(tmp_path: Path):
    run = written(simulated(1), tmp_path / "runs")
    written(simulated(2), tmp_path / "runs")

    assert 1 == len(Baselines(tmp_path / "kept").read(str(run)))
    assert 2 == len(Baselines(tmp_path / "kept").read(str(tmp_path / "runs")))


@pytest.mark.parametrize(
    ("records", "name", "message"),
    [
        ([simulated(1, trusted=False)], None, "cannot be trusted: it was late"),
        ([simulated(1)], "../elsewhere", "a name has letters"),
        (
            [simulated(1), simulated(2, environment={**ENVIRONMENT, "cpus_allowed": 64})],
            None,
            "the machines differ",
        ),
    ],
    ids=["untrusted", "name", "machines"],
)
def test_what_cannot_be_a_baseline_is_refused(
    records: list, name: str | None, message: str, tmp_path: Path
):
    runs = [written(record, tmp_path / "runs") for record in records]
    with pytest.raises(BaselineError, match=message):
        Baselines(tmp_path / "kept").keep(runs, name)
    assert not list(tmp_path.glob("kept/*"))


def test_a_run_that_a_check_aborted_is_refused(tmp_path: Path):
    run = written(simulated(1), tmp_path / "runs")
    event = {"time_s": 9.0, "wall_time": 9.0, "kind": "abort", "source": "detected"}
    with (run / "events.jsonl").open("a") as file:
        file.write(json.dumps({**event, "duration_s": 0, "check": "errors"}) + "\n")

    with pytest.raises(BaselineError, match="a check aborted this run"):
        Baselines(tmp_path / "kept").keep([run], "main")


@pytest.mark.parametrize("renamed", ["", "other", "apart/simulated-2"])
def test_a_run_that_is_given_twice_is_refused(renamed: str, tmp_path: Path):
    runs = [written(simulated(seed), tmp_path / "runs") for seed in (1, 2)]
    again = shutil.copytree(runs[1], tmp_path / "copies" / renamed) if renamed else runs[1]

    with pytest.raises(BaselineError, match="is given twice"):
        Baselines(tmp_path / "kept").keep([*runs, again], "main")


def test_two_runs_of_one_name_are_refused(tmp_path: Path):
    runs = [written(simulated(seed), tmp_path / f"{seed}") for seed in (1, 2)]
    alike = runs[1].rename(runs[1].with_name(runs[0].name))

    with pytest.raises(BaselineError, match="two runs of one name"):
        Baselines(tmp_path / "kept").keep([runs[0], alike], "main")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    run = written(simulated(1), tmp_path / "runs")
    (tmp_path / "file").write_text("")

    with pytest.raises(BaselineError, match="file/main: cannot be kept there: Not a directory"):
        Baselines(tmp_path / "file").keep([run], "main")


def test_a_name_there_is_not_is_said_with_those_there_are(tmp_path: Path):
    baselines = Baselines(tmp_path)
    with pytest.raises(BaselineError, match="there is none"):
        baselines.read("main")
    baselines.keep([written(simulated(1), tmp_path / "runs")], "main")
    with pytest.raises(BaselineError, match="there are: main"):
        baselines.read("mian")


def test_an_interrupted_set_leaves_the_old_baseline(tmp_path: Path):
    baselines = Baselines(tmp_path / "kept")
    baselines.keep([written(simulated(1), tmp_path / "runs")], "main")
    (tmp_path / "kept" / ".main.partial" / "torn").mkdir(parents=True)

    assert ["main"] == baselines.names()
    assert Status.PASS == compare(simulated(2, spread=0.02), baselines.read("main")).verdict.status
