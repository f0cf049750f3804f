"""Does the tester stay as small in hour six as it was after half an hour? `make endurance`."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.endtoend.conftest import soak

SCALE = 60  # six hours in six minutes
FLAT_RATIO = 0.02
HALF_AN_HOUR_S = 1_800.0
SPAN_S = 600.0


def columns(directory: Path, *names: str) -> list[np.ndarray]:
    with (directory / "samples.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [np.array([float(row[name] or "nan") for row in rows]) for name in names]


@pytest.mark.soak
def test_six_hours_of_steady_end_with_a_verdict_and_the_memory_of_the_first_half_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SOAK_TIME_SCALE", str(SCALE))
    done = soak(
        *("run", "steady", "--duration", "6h", "--rate", "8"),
        *("--plain", "--listen", "127.0.0.1:0"),
        out=tmp_path / "runs",
        timeout_s=1_200,
    )
    assert done.report["verdict"]["status"] in ("pass", "fail", "unknown"), done.stderr
    assert done.report["duration_s"] >= 6 * 3_600

    at_s, tester_bytes = columns(done.directory, "t_s", "tester_anonymous_bytes")
    early = np.nanmedian(tester_bytes[(at_s > HALF_AN_HOUR_S) & (at_s < HALF_AN_HOUR_S + SPAN_S)])
    late = np.nanmedian(tester_bytes[at_s > at_s[-1] - SPAN_S])
    sys.stdout.write(
        f"tester: {early / 1e6:.2f} MB after half an hour, {late / 1e6:.2f} MB after six\n"
    )
    assert late <= early * (1 + FLAT_RATIO)
