"""Does the tester stay as small as early in its life? `make endurance`, `make endurance-week`."""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.endtoend.conftest import soak

FLAT_RATIO = 0.02
SPAN_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A run. early_s: when the tester has seen everything once; sample: how often it looks."""

    duration: str
    length_s: float
    early_s: float
    rate: str
    scale: int
    sample: str
    window: str


# In six minutes, and in 25: at such a speed a look a second would be more than two cores can do.
# With looks ten times as far apart, what an hour of them fills takes ten.
SIX_HOURS = Life(
    duration="6h", length_s=21_600, early_s=1_800, rate="8", scale=60, sample="1s", window="10s"
)
WEEK = Life(
    duration="7d", length_s=604_800, early_s=36_000, rate="1", scale=400, sample="10s", window="60s"
)


def columns(directory: Path, *names: str) -> list[np.ndarray]:
    with (directory / "samples.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [np.array([float(row[name] or "nan") for row in rows]) for name in names]


@pytest.mark.soak
@pytest.mark.parametrize("life", [SIX_HOURS, WEEK], ids=["six-hours", "week"])
def test_the_tester_ends_with_a_verdict_and_with_the_memory_it_had_early(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SOAK_TIME_SCALE", str(life.scale))
    done = soak(
        *("run", "steady", "--duration", life.duration, "--rate", life.rate),
        *("--set", f"observe.sample={life.sample}", "--set", f"observe.window={life.window}"),
        *("--set", f"observe.judge={life.window}", "--set", f"target.timeout={10 * life.scale}s"),
        *("--plain", "--listen", "127.0.0.1:0"),
        out=tmp_path / "runs",
        timeout_s=2 * life.length_s / life.scale,
    )
    assert done.report["verdict"]["status"] in ("pass", "fail", "unknown"), done.stderr
    assert done.report["duration_s"] >= life.length_s

    at_s, tester_bytes = columns(done.directory, "t_s", "tester_anonymous_bytes")
    span_s = max(SPAN_S, life.length_s / 100)
    early = np.nanmedian(tester_bytes[(at_s > life.early_s) & (at_s < life.early_s + span_s)])
    late = np.nanmedian(tester_bytes[at_s > at_s[-1] - span_s])
    sys.stdout.write(
        f"tester: {early / 1e6:.2f} MB after {life.early_s / 3_600:g} h, "
        f"{late / 1e6:.2f} MB after {life.length_s / 3_600:g} h\n"
    )
    assert late <= early * (1 + FLAT_RATIO)
