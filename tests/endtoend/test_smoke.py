"""Does one run of the shipped smoke scenario tell one story in all the places it is told?"""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.endtoend.conftest import Finished, soak

FILES = (
    *("scenario.yaml", "environment.json", "ring.bin", "worker.jsonl", "events.jsonl"),
    *("windows.csv", "samples.csv", "histograms.npz", "verdicts.jsonl", "checkpoint.json"),
    *("report.json", "report.html", "data"),
)
STABLE_KEYS = {
    *("schema_version", "run_id", "scenario", "target", "seed", "started", "duration_s"),
    *("verdict", "checks", "certificate", "operations", "resources", "records", "maintenance"),
    *("leaks", "oracle", "recall", "eviction", "health", "environment"),
}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out = tmp_path_factory.mktemp("smoke") / "runs"
    return soak("run", "configs/smoke.yaml", "--plain", "--listen", "127.0.0.1:0", out=out)


def window_counts(directory: Path) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    with (directory / "windows.csv").open() as file:
        for row in csv.DictReader(file):
            mine = counts.setdefault(row["operation"], Counter())
            for name in ("count", "ok", "missing", "wrong", "error", "timeout"):
                mine[name] += int(row[name])
    return counts


def test_smoke_passes(smoke: Finished):
    assert 0 == smoke.code, smoke.stderr + smoke.stdout
    assert smoke.stdout.startswith("pass: ")


def test_the_run_directory_holds_every_file_of_the_contract(smoke: Finished):
    assert [] == [name for name in FILES if not (smoke.directory / name).exists()]


def test_the_report_has_every_stable_key(smoke: Finished):
    assert set() == STABLE_KEYS - smoke.report.keys()


def test_windows_report_and_histograms_agree_exactly(smoke: Finished):
    windows = window_counts(smoke.directory)
    held = np.load(smoke.directory / "histograms.npz")
    reported = smoke.report["operations"]
    assert {name for name, row in reported.items() if row["count"]} == windows.keys()
    for name, counts in windows.items():
        row = reported[name]
        assert counts["count"] == row["count"] == held[f"{name}.latency"].sum()
        assert row["outcomes"] == {k: n for k, n in counts.items() if k != "count"}


def test_every_operation_was_issued_and_none_failed(smoke: Finished):
    for name, row in smoke.report["operations"].items():
        assert row["count"] > 0, name
        assert (0, 0, 0) == tuple(row["outcomes"][o] for o in ("wrong", "error", "timeout")), name


def test_the_oracle_looked_and_found_nothing_wrong(smoke: Finished):
    oracle = smoke.report["oracle"]
    assert oracle["checked"] > 1_000
    assert {0} == set(oracle["violations"].values())


def test_the_engine_evicted_and_said_so(smoke: Finished):
    report = smoke.report
    assert report["records"]["evicted"] > 0
    assert report["records"]["live"] <= 2_000
    assert report["maintenance"]["declared"] > 0


def test_recall_was_measured(smoke: Finished):
    recall = smoke.report["recall"]
    assert recall["samples"] > 0
    assert 0.9 <= recall["mean"] <= 1.0


def test_the_resolved_scenario_repeats_the_run(smoke: Finished, tmp_path: Path):
    again = soak(
        "run",
        str(smoke.directory / "scenario.yaml"),
        *("--set", "phases[1].duration=2s", "--duration", "3s"),
        *("--plain", "--listen", "127.0.0.1:0"),
        out=tmp_path / "runs",
    )
    assert again.code in (0, 13), again.stderr
    assert smoke.report["seed"] == again.report["seed"]


def test_events_name_the_phases_in_order(smoke: Finished):
    lines = (smoke.directory / "events.jsonl").read_text().splitlines()
    phases = [e["phase"] for e in map(json.loads, lines) if e["kind"] == "phase"]
    assert ["warm-up", "steady", "pressure"] == phases
