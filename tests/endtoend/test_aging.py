"""Does a run of seconds show a month of forgetting, and say so?"""

from pathlib import Path

import pytest

from tests.endtoend.conftest import soak

DAYS_PER_S = 86_400
SHORT = ("--plain", "--listen", "127.0.0.1:0", "--duration", "8s", "--rate", "60")


@pytest.mark.slow
def test_thirty_days_of_forgetting_pass_in_eight_seconds(tmp_path: Path):
    scale = f"target.time_scale={30 * DAYS_PER_S / 8}"

    done = soak("run", "configs/aging.yaml", *SHORT, "--set", scale, out=tmp_path / "runs")

    report = done.report
    assert done.code in (0, 10, 13), done.stderr
    assert 30 * DAYS_PER_S / 8 == report["time_scale"]
    assert report["duration_s"] < 60
    declared = {row["kind"]: row["count"] for row in report["maintenance"]["counts"]}
    # Three weeks are over after less than six seconds.
    assert declared["expire"] > 0
    assert 0 == sum(report["oracle"]["violations"].values())
    assert report["operations"]["store"]["latency_s"]["max"] < 60
    assert "324000 times as fast as the load" in (done.directory / "report.html").read_text()
