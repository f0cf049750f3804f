"""Is what a set rate takes what it is by hand, and is what nobody knows said to be unknown?"""

import math
from pathlib import Path

import numpy as np
import pytest

from soak.bench import page, table
from soak.bench.pictures import pictures
from soak.bench.resource_use import MOST_POINTS, resource_use
from soak.report.journal import WindowRows
from soak.report.record import RunRecord
from tests.benchmarks.documents import told

NOTHING = np.empty(0)


def run(**samples: list[float]) -> RunRecord:
    none = np.empty(0, dtype=np.str_)
    return RunRecord(
        directory=Path("run"),
        document={},
        windows=WindowRows(phase=none, operation=none, figures={"count": NOTHING}),
        samples={name: np.array(values) for name, values in samples.items()},
        events=(),
        worker=(),
        scenario="",
        plan={},
        notes=(),
    )


NAN = math.nan
SET_RATE = run(
    t_s=[1.0, 2.0, 3.0],
    operations_total=[100.0, 300.0, 500.0],
    cpu_s=[2.0, 2.1, 2.5],
    anonymous_bytes=[40e6, NAN, 60e6],
    written_bytes=[1_000.0, 5_000.0, 9_000.0],
    tcp_sent_bytes=[10.0, NAN, 810.0],
)


def test_totals_are_between_the_first_and_the_last_sample():
    found = resource_use(SET_RATE)

    assert (2.0, 400.0, 200.0) == tuple(
        found[name] for name in ("length_s", "operations", "operations_per_s")
    )
    assert pytest.approx([0.5, 0.25, 800.0, 8.0]) == [
        found[name] for name in ("cpu_s", "cpu_ratio", "operations_per_cpu_s", "operations_per_mb")
    ]
    assert (8_000.0, 800.0) == (found["disk_written_bytes"], found["tcp_sent_bytes"])
    assert (20.0, 2.0) == tuple(
        found["per_operation"][name] for name in ("disk_written_bytes", "tcp_sent_bytes")
    )


def test_what_was_never_read_is_unknown():
    found = resource_use(SET_RATE)

    assert math.isnan(found["tcp_received_bytes"])
    assert math.isnan(found["per_operation"]["disk_read_bytes"])
    assert {} == resource_use(run(t_s=[1.0]))


def test_the_course_is_short_however_long_the_run():
    long = run(t_s=list(range(10_000)), cpu_s=list(range(10_000)))
    course = resource_use(long)["timeline"]

    assert MOST_POINTS == len(course)
    assert (0.0, 9_999.0) == (course[0]["cpu_s"], course[-1]["t_s"])


def test_page_table_and_figures_have_what_was_taken():
    results = {"operations": {}, "resource_use": resource_use(SET_RATE)}
    document = {**told("scalability/resources"), "results": results}

    for text in (page.html([document]), table.table([document]), table.markdown([document])):
        assert "800 bytes" in text
        assert "25 %" in text
    assert {"scalability-resources-memory", "scalability-resources-traffic"} <= {
        picture.name for picture in pictures("scalability", [document])
    }
    assert "800 bytes" not in table.table([{**document, "benchmark": "agents-1"}])
