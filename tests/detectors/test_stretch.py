"""Is a new process of the target taken for a leak of the old one?"""

import numpy as np
import pytest

from soak.detectors import leak, pile_up
from soak.detectors._stretch import of_one_process
from soak.seams import Evidence
from soak.verdict import Status

MIB = float(1 << 20)


def evidence(*gaps_s: float, length_s: float = 3_600.0) -> Evidence:
    """A flat target of 50 MiB; after each gap its new process holds 30 MiB and 40 files more."""
    t_s = np.arange(1.0, length_s)
    started = np.searchsorted(gaps_s, t_s).astype(np.float64)
    rng = np.random.default_rng(3)
    return Evidence(
        columns={
            "t_s": t_s,
            "anonymous_bytes": (50 + 30 * started) * MIB + rng.normal(0, 1e5, t_s.size),
            "live_records": np.full(t_s.size, 5_000.0),
            "open_fds": 40.0 + 40 * started,
        },
        totals={},
        warm_until_s=60.0,
        planned_s=length_s,
        gaps_s=gaps_s,
    )


def test_without_a_gap_the_whole_run_is_judged() -> None:
    whole = evidence()

    assert whole is of_one_process(whole).evidence


@pytest.mark.parametrize(
    ("gaps_s", "first_s", "last_s"),
    [((3_000.0,), 1.0, 3_000.0), ((100.0, 900.0), 901.0, 3_599.0), ((1_800.0,), 1_801.0, 3_599.0)],
    ids=["before", "last", "warm-up does not count"],
)
def test_the_longest_stretch_between_gaps_is_judged(
    gaps_s: tuple[float, ...], first_s: float, last_s: float
) -> None:
    stretch = of_one_process(evidence(*gaps_s)).evidence

    assert [first_s, last_s] == stretch.columns["t_s"][[0, -1]].tolist()
    assert max(60.0, first_s - 1) == stretch.warm_until_s


@pytest.mark.parametrize("gaps_s", [(600.0, 1_200.0, 1_800.0, 2_400.0), (1_200.0,), (3_590.0,)])
def test_processes_that_hold_more_each_are_no_leak(gaps_s: tuple[float, ...]) -> None:
    found = leak.detect(evidence(*gaps_s), leak.Params())
    files = pile_up.detect(evidence(*gaps_s), pile_up.Params())

    assert Status.FAIL not in (found.status, files.status)
    assert "the run was interrupted" in found.reason
    assert "the run was interrupted" in files.reason


def test_a_run_that_has_just_gone_on_is_unknown() -> None:
    found = leak.detect(evidence(50.0, length_s=70.0), leak.Params())

    assert Status.UNKNOWN == found.status
