import math
from dataclasses import replace

import pytest

from soak.bench import table
from soak.bench.outcome import Outcome, document, results
from soak.bench.suite import benchmarks
from soak.report.record import load_run
from tests.benchmarks.test_resource_use import SET_RATE
from tests.runs import write_run

LATENCY = next(b for b in benchmarks() if b.category == "latency")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict:
    run = write_run(tmp_path_factory.mktemp("bench") / "run", "leaking", length_s=600.0)
    outcome = Outcome(benchmark=LATENCY, exit_code=12, execution_s=61.5, record=load_run(run))
    return document(outcome)


def test_json_has_the_shape_that_is_read_back(told: dict):
    assert ("mixed", "latency") == (told["benchmark"], told["category"])
    assert {"results", "metadata", "timestamp", "objectives", "verdict"} <= told.keys()
    assert (61.5, "configs/bench/latency/mixed.yaml"[8:]) == (
        told["metadata"]["execution_time_s"],
        told["metadata"]["config"],
    )
    assert "cpu_model" in told["metadata"]["environment"]
    assert (
        200 == told["metadata"]["params"]["rate"] or "200/s" == told["metadata"]["params"]["rate"]
    )


def test_results_are_the_report_by_time_and_record():
    report = {
        "duration_s": 10.0,
        "operations": {"store": {"count": 500}, "store_batch": {"count": 20}},
        "records": {"live": 2_000},
        "resources": {
            "anonymous_bytes": {"last": 60e6},
            "bare_bytes": {"last": 40e6},
            "disk_allocated_bytes": {"last": 8e6},
        },
    }
    found = results(report, {"population": {"batch": 100}})

    assert (52.0, 250.0) == (found["operations_per_s"], found["records_stored_per_s"])
    assert (10e6, 4e6) == (
        found["memory_bytes_per_1000_records"],
        found["disk_bytes_per_1000_records"],
    )


def test_processor_and_memory_of_an_operation_count_from_the_first_sample():
    record = replace(SET_RATE, document={"resources": {"cpu_s": {"last": 2.5}}})
    told = document(Outcome(benchmark=LATENCY, exit_code=0, execution_s=3.0, record=record))
    found, used = told["results"], told["results"]["resource_use"]

    # Half a second for 400 operations; the two before the first sample went into the start.
    assert pytest.approx(0.5 / 400) == found["cpu_s_per_operation"]
    for name in ("operations_per_cpu_s", "operations_per_mb"):
        assert used[name] == found[name]


def test_every_objective_is_measured_against_its_target(told: dict):
    text = table.table([told])
    (row,) = [line for line in text.splitlines() if "search-p99" in line]

    assert ["latency/mixed", "search-p99", "ok", "11.2", "ms", "50", "ms"] == row.split()
    assert "MISSED" in next(line for line in text.splitlines() if " memory  " in line)
    assert table.markdown([told]).count("| latency/mixed |") == 10


def test_a_benchmark_that_left_no_run_is_unknown_and_says_why():
    outcome = Outcome(
        benchmark=LATENCY, exit_code=14, execution_s=1.0, record=None, trouble="soak: no package"
    )
    told = document(outcome)

    assert {"status": "unknown", "exit_code": 14, "reason": "soak: no package"} == told["verdict"]
    assert "latency/mixed" in table.table([told])


def test_a_benchmark_that_was_cut_off_says_its_last_words(tmp_path):
    run = write_run(tmp_path / "run", "crashed", length_s=600.0)
    outcome = Outcome(
        benchmark=LATENCY,
        exit_code=14,
        execution_s=1.0,
        record=load_run(run),
        trouble="soak: target engine was not ready (after 300 s)",
    )
    assert "running" == outcome.record.document["state"]
    assert outcome.trouble == document(outcome)["verdict"]["reason"]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([0, 0], 0),
        ([0, 13], 13),
        ([13, 10], 10),
        ([10, 12, 0], 12),
        ([12, 11, 14], 11),
        ([0, 130], 130),
        ([None, 10], 10),
        ([None], 0),
    ],
)
def test_the_exit_code_is_the_worst_of_those_that_were_judged(
    codes: list[int | None], expected: int
):
    verdicts = [None if code is None else {"exit_code": code} for code in codes]
    assert expected == table.exit_code([{"verdict": verdict} for verdict in verdicts])


def test_memory_that_was_not_measured_is_no_saving():
    told = results({"records": {"live": 1_000.0}}, {})

    assert math.isnan(told["memory_bytes_per_1000_records"])
