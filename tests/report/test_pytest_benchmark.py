"""Are the figures those that pytest-benchmark would have computed from the single timings?"""

import statistics
from pathlib import Path

import numpy as np
import pytest

from soak.histogram import Histogram
from soak.report.pytest_benchmark import benchmark_json, stats
from soak.report.record import load_run
from soak.rundir import RunDirectory
from tests.runs import write_run

# What readers of the format look for; pytest-benchmark 5, stats.py.
FIELDS = {
    *("min", "max", "mean", "stddev", "rounds", "median", "iqr", "q1", "q3", "iqr_outliers"),
    *("stddev_outliers", "outliers", "ld15iqr", "hd15iqr", "ops", "total", "iterations"),
}


def timings(count: int = 2_000) -> np.ndarray:
    return np.random.default_rng(5).lognormal(-6, 0.4, count)


def counted(values_s: np.ndarray) -> Histogram:
    histogram = Histogram()
    histogram.add((values_s * 1e9).astype(np.int64))
    return histogram


def test_stats_are_those_of_the_single_timings():
    values = timings()
    found = stats(counted(values), {"mean": float(values.mean()), "max": float(values.max())})
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")

    expected = {
        "min": values.min(),
        "max": values.max(),
        "mean": values.mean(),
        "stddev": statistics.stdev(values),
        "median": median,
        "q1": q1,
        "q3": q3,
        "ops": 1 / values.mean(),
        "total": values.sum(),
    }
    assert expected == {name: pytest.approx(found[name], rel=5e-3) for name in expected}
    assert (2_000, 1) == (found["rounds"], found["iterations"])
    beyond = ((values < q1 - 1.5 * (q3 - q1)) | (values > q3 + 1.5 * (q3 - q1))).sum()
    assert beyond == pytest.approx(found["iqr_outliers"], abs=3)
    assert FIELDS == found.keys()


def test_one_timing_has_no_spread():
    found = stats(counted(np.array([0.002])), {})

    assert (1, "0;0", 0.0) == (found["rounds"], found["outliers"], found["iqr"])
    assert pytest.approx(0.002, rel=5e-3) == found["median"] == found["mean"]


def test_a_run_is_one_group_with_a_benchmark_per_operation_it_counted(tmp_path: Path):
    run = write_run(tmp_path / "run", length_s=600.0)
    counts = {"search.service": counted(timings()).counts, "get.service": Histogram().counts}
    np.savez(RunDirectory(run).histograms, **counts)
    written = benchmark_json([load_run(run)])

    (search,) = written["benchmarks"]
    assert ("steady", "search", "steady::search[engine]") == (
        search["group"],
        search["name"],
        search["fullname"],
    )
    assert 2_000 == search["stats"]["rounds"]
    assert "pass" == search["extra_info"]["verdict"]
    assert {"machine_info", "commit_info", "benchmarks", "datetime", "version"} == written.keys()


def test_no_run_is_an_empty_file_of_the_same_shape():
    assert [] == benchmark_json([])["benchmarks"]
