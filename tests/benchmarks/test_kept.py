"""Are results read back as they were told, and those of other programs, too?"""

import json
from pathlib import Path

import pytest

from soak.bench.kept import ResultsError, keep, read
from soak.bench.table import exit_code
from tests.benchmarks.documents import told


def in_run(document: dict, run: Path) -> dict:
    run.mkdir(parents=True)
    return {**document, "metadata": {**document["metadata"], "run": str(run)}}


def test_what_a_suite_kept_in_its_run_directories_is_read_back(tmp_path: Path):
    suite = [
        in_run(told("storage/read"), tmp_path / "runs" / "a"),
        in_run(told("latency/mixed"), tmp_path / "runs" / "b"),
    ]
    keep(suite)

    assert suite[::-1] == read([tmp_path / "runs"])
    assert suite[:1] == read([tmp_path / "runs" / "a"])


def test_of_two_results_of_one_benchmark_the_later_counts(tmp_path: Path):
    later = {**told("storage/read", per_s=7.0), "timestamp": "2026-03-02T00:00:00Z"}
    (tmp_path / "results.json").write_text(json.dumps([later, told("storage/read")]))

    assert [later] == read([tmp_path / "results.json"])


def test_results_of_another_program_get_what_they_lack(tmp_path: Path):
    foreign = {"benchmark": "insert", "results": {"mean_ms": 3}, "timestamp": "2024-01-01"}
    (tmp_path / "old.json").write_text(json.dumps(foreign))

    (found,) = read([tmp_path / "old.json"])
    assert 0 == exit_code([found])
    assert ("imported", {"mean_ms": 3}, {}) == (
        found["category"],
        found["results"],
        found["metadata"],
    )


@pytest.mark.parametrize("text", ["", "[1, 2]", "{}", '{"benchmark": "a"}', "[]", '[{"a": 1}]'])
def test_what_are_no_results_is_said(text: str, tmp_path: Path):
    (tmp_path / "odd.json").write_text(text)

    with pytest.raises(ResultsError, match=r"odd\.json"):
        read([tmp_path / "odd.json"])


def test_a_folder_without_results_is_said(tmp_path: Path):
    with pytest.raises(ResultsError, match="no results of benchmarks"):
        read([tmp_path])
