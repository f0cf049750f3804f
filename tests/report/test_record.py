import json
import os

import numpy as np
import pytest

from soak.histogram import Histogram
from soak.report.record import RunError, load_run
from tests.runs import write_run

NOW_S = 1_772_400_000.0
SHORT = {"length_s": 600.0, "window_s": 10.0}


class StandingClock:
    """The wall clock of a test; nothing here waits."""

    def __init__(self, wall_s: float) -> None:
        self._wall_s = wall_s

    def wall_s(self) -> float:
        return self._wall_s


def aged(path, seconds):
    """The run directory with every file last written that long before NOW_S."""
    for file in path.iterdir():
        os.utime(file, (NOW_S - seconds, NOW_S - seconds))
    return path


def test_a_finished_run_says_what_its_report_says(tmp_path):
    path = write_run(tmp_path / "run", **SHORT)

    record = load_run(path)

    assert json.loads((path / "report.json").read_text()) == record.document
    assert () == record.notes
    assert 600 == len(record.samples["t_s"])
    assert 60 * 5 == len(record.windows)
    assert 7 == record.plan["seed"]


def test_a_crashed_run_is_rebuilt_and_is_unknown(tmp_path):
    path = aged(write_run(tmp_path / "run", "crashed", **SHORT), seconds=3_600)

    found = load_run(path, StandingClock(NOW_S)).document

    assert {"status": "unknown", "exit_code": 13} == {
        key: found["verdict"][key] for key in ("status", "exit_code")
    }
    assert ("steady", "engine", 7, "interrupted") == tuple(
        found[key] for key in ("scenario", "target", "seed", "state")
    )
    assert "2026-03-01T12:00:00.000Z" == found["started"]
    assert 240.0 == found["duration_s"]


def test_torn_last_lines_are_skipped_and_counted(tmp_path):
    path = write_run(tmp_path / "run", "crashed", **SHORT)

    record = load_run(path)

    assert 239 == len(record.samples["t_s"])
    assert "samples.csv: 1 line was torn or damaged and skipped." in record.notes
    assert "windows.csv: 1 line was torn or damaged and skipped." in record.notes


def test_a_damaged_line_amid_others_costs_only_itself(tmp_path):
    path = write_run(tmp_path / "run", **SHORT)
    lines = (path / "samples.csv").read_text().splitlines()
    lines[5], lines[7] = "gibberish", lines[7].replace(",", ",x", 1)
    (path / "samples.csv").write_text("\n".join(lines) + "\n")
    with (path / "events.jsonl").open("ab") as file:
        file.write(b"\x00\xff{\n[1]\n")

    record = load_run(path)

    assert 598 == len(record.samples["t_s"])
    assert 3 == len(record.events)
    assert "samples.csv: 2 lines were torn or damaged and skipped." in record.notes
    assert "events.jsonl: 2 lines were torn or damaged and skipped." in record.notes


def test_what_the_worker_says_every_second_crowds_out_nothing(tmp_path):
    path = write_run(tmp_path / "run", "crashed", **SHORT)
    with (path / "worker.jsonl").open("a") as file:
        file.write("\n")
        for second in range(6_000):
            counted = {"t_ns": second, "kind": "counters", "checked": second, "violations": {}}
            file.write(json.dumps(counted) + "\n")
        file.write(json.dumps({"t_ns": 6_000, "kind": "violation", "index": 7}) + "\n")

    record = load_run(path)

    assert 5_999 == record.document["oracle"]["checked"]
    assert [7] == [line["index"] for line in record.worker if line["kind"] == "violation"]


def test_a_wrong_answer_on_record_fails_even_a_crashed_run(tmp_path):
    path = write_run(tmp_path / "run", "crashed", **SHORT)
    verdict = {"t_s": 1, "check": "oracle", "concern": "correctness", "status": "fail"}
    with (path / "verdicts.jsonl").open("a") as file:
        file.write(json.dumps({**verdict, "reason": "a record was lost"}) + "\n")

    found = load_run(path).document["verdict"]

    assert {"status": "fail", "exit_code": 11, "reason": "a record was lost"} == found


def test_counts_of_a_crashed_run_are_the_sums_of_its_windows(tmp_path):
    record = load_run(write_run(tmp_path / "run", "crashed", **SHORT))

    found = record.document["operations"]["get"]

    windows = record.windows.of("get")
    assert windows["count"].sum() == found["count"] == sum(found["outcomes"].values())
    assert windows["latency_max_s"].max() == found["latency_s"]["max"]
    assert found["latency_s"]["p99"] is None  # a quantile cannot be had from its parts


def test_saved_counts_give_a_crashed_run_its_quantiles(tmp_path):
    path = write_run(tmp_path / "run", "crashed", **SHORT)
    histogram = Histogram()
    histogram.add(np.arange(1_000, 101_000, 1_000, dtype=np.int64))
    np.savez(path / "histograms.npz", **{"get.latency": histogram.counts})

    found = load_run(path).document["operations"]["get"]["latency_s"]

    assert found["p50"] == pytest.approx(5e-5, rel=0.01)


def test_damaged_counts_are_noted_not_fatal(tmp_path):
    path = write_run(tmp_path / "run", "crashed", **SHORT)
    (path / "histograms.npz").write_bytes(b"PK\x03\x04 torn")

    assert "histograms.npz: 1 line was torn or damaged and skipped." in load_run(path).notes


@pytest.mark.parametrize(("silent_s", "state"), [(5, "running"), (3_600, "interrupted")])
def test_a_run_without_a_report_runs_as_long_as_it_writes(tmp_path, silent_s, state):
    path = aged(write_run(tmp_path / "run", "crashed", **SHORT), silent_s)

    assert state == load_run(path, StandingClock(NOW_S)).document["state"]


def test_a_report_that_says_running_is_not_believed_for_ever(tmp_path):
    path = write_run(tmp_path / "run", **SHORT)
    report = json.loads((path / "report.json").read_text())
    (path / "report.json").write_text(json.dumps({**report, "state": "running"}))

    found = load_run(aged(path, seconds=3_600), StandingClock(NOW_S)).document

    assert "interrupted" == found["state"]


def test_a_run_that_wrote_nothing_yet_can_be_read(tmp_path):
    (tmp_path / "scenario.yaml").write_text("name: steady\ntarget: engine\n")

    record = load_run(tmp_path)

    assert (0.0, "engine", {}) == tuple(
        record.document[key] for key in ("duration_s", "target", "operations")
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "there is no such directory"),
        (lambda path: path.write_text(""), "this is a file"),
        (lambda path: path.mkdir(), "it has no scenario.yaml"),
        (lambda path: write_run(path / "20260301", length_s=20.0), "pass one of them"),
    ],
    ids=["nothing", "a file", "another directory", "the directory above"],
)
def test_a_wrong_directory_is_named_with_what_to_do(tmp_path, make, said):
    path = tmp_path / "wrong"
    make(path)

    with pytest.raises(RunError, match=said):
        load_run(path)
