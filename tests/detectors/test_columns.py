"""Is a column that there is not refused, and every one of a run allowed?"""

import csv
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from soak.clock import SystemClock
from soak.detectors._columns import known_column
from soak.plugins import params_of
from soak.samplers.reported import KNOWN
from soak.seams import Subject
from soak.watch.observer import SAMPLERS, _build_samplers


@pytest.mark.parametrize(
    ("detector", "params"),
    [
        ("leak", {"column": "anonymus_bytes"}),
        ("leak", {"plus": ["anonymus_bytes"]}),
        ("leak", {"records": "anonymus_bytes"}),
        ("pile_up", {"column": "anonymus_bytes"}),
        ("density", {"column": "anonymus_bytes"}),
        ("growth_law", {"column": "anonymus_bytes"}),
        ("growth_law", {"records": "anonymus_bytes"}),
        ("threshold_rule", {"memory": "anonymus_bytes"}),
        ("threshold_rule", {"latency": "anonymus_bytes"}),
    ],
    ids=str,
)
def test_a_column_that_there_is_not_is_refused_with_the_nearest(
    detector: str, params: Mapping[str, object]
):
    with pytest.raises(ValidationError, match=r"no column.*did you mean anonymous_bytes"):
        params_of("detectors", detector, params)


def test_whatever_a_target_says_of_itself_can_be_named():
    assert "reported_pool_bytes" == known_column("reported_pool_bytes")
    assert KNOWN == {known_column(name) for name in KNOWN}


def test_every_figure_of_the_samplers_can_be_named(tmp_path: Path):
    subject = Subject(
        pids=lambda: (os.getpid(),),
        directories=lambda: (tmp_path,),
        reported=lambda: ({"accounted_bytes": 1.0, "pool_bytes": 1.0}, 0.0),
        clock=SystemClock(),
    )
    samplers = _build_samplers(subject)
    # Differences come with the second sample.
    rows = [sampler.sample() for _ in range(2) for sampler in samplers.values()]
    names = {name for row in rows for name in row}

    assert len(SAMPLERS) < len(names)
    assert names == {known_column(name) for name in names}


@pytest.mark.slow
def test_every_column_of_a_run_can_be_named(tmp_path: Path):
    script = Path(sys.executable).with_name("soak")
    subprocess.run(
        [script, "run", "smoke", "--duration", "3s", "--out", tmp_path],
        check=False,
        capture_output=True,
    )
    (samples,) = tmp_path.glob("*/samples.csv")
    with samples.open(newline="") as file:
        names = set(next(csv.reader(file)))

    assert {"live_records", "search_p99_s", "control_s"} < names
    assert names == {known_column(name) for name in names}
