import numpy as np
import pytest

from soak.report.objectives import asked_checks, latency_columns, warm_until, worst
from soak.report.record import load_run
from tests.runs import write_run


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return load_run(write_run(tmp_path_factory.mktemp("runs") / "run", length_s=7_200.0))


def test_latency_checks_know_their_column(record):
    assert {
        "search-p99": ("search", "latency_p99_s"),
        "store-p99": ("store", "latency_p99_s"),
    } == latency_columns(record)


def test_warm_up_ends_with_its_last_window(record):
    assert 300.0 == warm_until(record)


def test_worst_latency_is_the_highest_window_after_warm_up(record):
    found = worst(record, asked_checks(record)["search-p99"])

    mine = record.windows.of("search")
    after = mine["start_s"] >= 300
    assert mine["latency_p99_s"][after].max() == found.value
    assert found.value == mine["latency_p99_s"][mine["start_s"] == found.start_s][0]


def test_worst_throughput_is_the_slowest_window_of_all_operations(record):
    found = worst(record, asked_checks(record)["throughput"])

    counts = {}
    figures = record.windows.figures
    for start_s, count in zip(figures["start_s"], figures["count"], strict=True):
        counts[start_s] = counts.get(start_s, 0) + count
    assert found.value == min(n for start_s, n in counts.items() if start_s >= 300) / 10


def test_worst_errors_are_a_share_of_their_window(record):
    found = worst(record, asked_checks(record)["errors"])

    inside = record.windows.figures["start_s"] == found.start_s
    errors = record.windows.figures["error"][inside].sum()
    assert 3 == errors
    assert found.value == errors / record.windows.figures["count"][inside].sum()


def test_worst_recall_is_the_lowest_sample(record):
    found = worst(record, asked_checks(record)["recall"])

    after = record.samples["t_s"] >= 300
    assert np.nanmin(record.samples["recall"][after]) == found.value


@pytest.mark.parametrize("name", ["oracle", "memory"])
def test_checks_that_no_window_shows_have_no_worst_one(record, name):
    assert worst(record, asked_checks(record)[name]) is None
