"""Is another process taken for a change of the old one, or a standstill for slowness?"""

from dataclasses import replace

import numpy as np
import pytest

from soak.detectors import degradation, growth_law, leak, pile_up, threshold_rule
from soak.detectors._stretch import of_one_process, unspoilt
from soak.seams import Evidence, Floats
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


DAY_S = 86_400.0
DISK = leak.Params(column="disk_allocated_bytes", plus=())
FILES = pile_up.Params(column="disk_files")
MEMORY = leak.Params(column="anonymous_bytes", plus=())


def killed_day(gaps: int) -> Evidence:
    """24 hours in equal parts. On disk 8 MB and 4 files more each hour, and a saw of 3 MB and 3
    files beside; memory and descriptors are flat."""
    t_s = np.arange(10.0, DAY_S, 10.0)
    hours, saw = t_s / 3_600, t_s % 600 / 600
    rng = np.random.default_rng(3)
    held = 2e8 + 8e6 * hours + 3e6 * saw + rng.normal(0, 1e5, t_s.size)
    return Evidence(
        columns={
            "t_s": t_s,
            "disk_allocated_bytes": held,
            "anonymous_bytes": np.full(t_s.size, 2e8) + rng.normal(0, 1e5, t_s.size),
            "live_records": np.full(t_s.size, 5_000.0),
            "disk_files": np.floor(100 + 4 * hours + 3 * saw),
            "open_fds": np.full(t_s.size, 40.0),
            # A count of the target's own, which each of its processes begins anew.
            "compacted_total": hours % (24 / (gaps + 1)),
        },
        totals={},
        warm_until_s=1_080.0,
        planned_s=DAY_S,
        gaps_s=tuple(DAY_S * (1 + i) / (gaps + 1) for i in range(gaps)),
    )


@pytest.mark.parametrize("gaps", [0, 1, 5, 23])
def test_a_leak_on_disk_is_found_however_often_the_run_was_interrupted(gaps: int) -> None:
    run = killed_day(gaps)
    disk, files = leak.detect(run, DISK), pile_up.detect(run, FILES)

    assert (Status.FAIL, Status.FAIL) == (disk.status, files.status)
    assert pytest.approx(8e6, rel=0.05) == 3_600 * disk.effect
    assert pytest.approx(4, rel=0.05) == files.effect


@pytest.mark.parametrize(
    ("gaps", "status"),
    [(0, Status.PASS), (3, Status.PASS), (5, Status.UNKNOWN), (23, Status.UNKNOWN)],
)
def test_a_small_part_of_a_run_is_too_little_to_pass(gaps: int, status: Status) -> None:
    run = killed_day(gaps)

    assert status == leak.detect(run, MEMORY).status
    assert status == pile_up.detect(run, pile_up.Params()).status


def test_why_a_small_part_does_not_pass_is_said() -> None:
    found = pile_up.detect(killed_day(23), pile_up.Params())

    assert found.reason.endswith(
        "01:00:00 to 02:00:00 alone, the longest time with one process of the target, "
        "which is 4% of what follows warm-up; at least 25% are needed to pass"
    )


T_S = np.arange(1.0, 3_601.0)
AFTER_1200 = 1 + 0.3 * (T_S > 1_200)
SLOWER = degradation.Params()


def hour(values: Floats, **landmarks: object) -> Evidence:
    """An hour of a search's median in windows of ten seconds, beside a machine that does nothing.

    values: by how much it is slower, second by second.
    """
    rng = np.random.default_rng(5)
    steady = 1e-3 * np.exp(rng.normal(0, 0.01, T_S.size))
    until_s = float(landmarks.pop("until_s", T_S[-1]))
    columns = {
        "t_s": T_S,
        "search_service_p50_s": np.where(T_S % 10 == 0, steady * values, np.nan),
        "recall": np.clip(0.97 - 0.1 * (values - 1) + rng.normal(0, 0.01, T_S.size), 0, 1),
        "stall_s_max": np.where(T_S % 10 == 0, np.maximum(0.01, (values - 1) * 0.2), np.nan),
        "control_s": 5e-5 * np.exp(rng.normal(0, 0.03, T_S.size)),
    }
    return Evidence(
        columns={name: column[until_s >= T_S] for name, column in columns.items()},
        totals={},
        warm_until_s=120.0,
        planned_s=3_600.0,
        **landmarks,
    )


def stopped(from_s: float, to_s: float) -> Floats:
    """Late while the tester is stopped, and as long again until all has been caught up."""
    return 1 + 50.0 * ((from_s < T_S) & (2 * to_s - from_s >= T_S))


def test_what_came_late_because_the_tester_was_stopped_is_no_degradation() -> None:
    late = hour(stopped(2_200.0, 2_800.0), until_s=3_400.0)
    known = replace(late, standstills_s=((2_200.0, 2_800.0),))

    assert Status.FAIL == degradation.detect(late, degradation.Params()).status
    assert Status.PASS == degradation.detect(known, degradation.Params()).status


def test_a_step_after_a_standstill_is_found_all_the_same() -> None:
    slower = stopped(1_000.0, 1_060.0) * (1 + 0.3 * (T_S > 2_000))

    found = degradation.detect(hour(slower, standstills_s=((1_000.0, 1_060.0),)), SLOWER)

    assert Status.FAIL == found.status
    assert pytest.approx(0.3, abs=0.03) == found.effect
    assert pytest.approx(2_000.0, abs=20) == found.since_s


def test_a_call_that_seemed_to_last_while_the_tester_was_stopped_is_no_stall() -> None:
    late = hour(stopped(1_000.0, 1_060.0))
    known = replace(late, standstills_s=((1_000.0, 1_060.0),))
    params = degradation.Params(max_stalls=0)

    assert 1.0 == degradation.detect(late, params).details["stalls"]
    assert 0.0 == degradation.detect(known, params).details["stalls"]


def test_a_standstill_that_leaves_too_little_is_said() -> None:
    late = hour(stopped(300.0, 500.0), until_s=800.0, standstills_s=((300.0, 500.0),))

    found = degradation.detect(late, degradation.Params())

    assert Status.UNKNOWN == found.status
    assert "the tester stood still once, and what was measured then is left out" in found.reason


def test_another_process_that_is_slower_from_its_start_is_no_degradation() -> None:
    found = degradation.detect(hour(AFTER_1200, gaps_s=(1_200.0,)), SLOWER)

    assert Status.FAIL == degradation.detect(hour(AFTER_1200), SLOWER).status
    assert Status.PASS == found.status
    assert "so this is about 00:20:00 to 01:00:00 alone" in found.reason


def test_a_process_that_gets_slower_is_found_between_its_gaps() -> None:
    slower = AFTER_1200 * (1 + 0.3 * (T_S > 2_600))

    found = degradation.detect(hour(slower, gaps_s=(1_200.0,)), SLOWER)

    assert Status.FAIL == found.status
    assert pytest.approx(2_600.0, abs=20) == found.since_s


def test_recall_has_to_outlast_a_process() -> None:
    params = degradation.Params(series="recall")

    assert Status.FAIL == degradation.detect(hour(AFTER_1200, gaps_s=(1_200.0,)), params).status


def test_a_gap_that_leaves_too_little_is_said() -> None:
    slower = hour(AFTER_1200, gaps_s=(500.0, 1_000.0), until_s=1_400.0)

    found = degradation.detect(slower, SLOWER)

    assert Status.UNKNOWN == found.status
    assert "the run was interrupted" in found.reason


def test_in_a_long_run_a_row_that_stands_for_both_sides_is_left_out() -> None:
    t_s = np.arange(32.0, 6_400.0, 64.0)
    figures = np.ones(t_s.size)
    run = replace(hour(T_S), columns={"t_s": t_s}, standstills_s=((3_000.0, 3_040.0),))

    kept = unspoilt(run, figures)

    assert [2_976.0, 3_040.0, 3_104.0] == (t_s[np.isnan(kept)]).tolist()


def test_memory_that_another_process_does_not_hold_was_not_given_back() -> None:
    fallen = evidence(1_800.0)
    fallen = replace(
        fallen, columns={**fallen.columns, "anonymous_bytes": np.where(T_S[:-1] < 1_800, 9e8, 1e8)}
    )

    def seen(run: Evidence) -> float | None:
        return threshold_rule.detect(run, threshold_rule.Params()).effect

    assert (1.0, 0.0) == (seen(replace(fallen, gaps_s=())), seen(fallen))


def test_another_process_does_not_bend_the_law_of_growth() -> None:
    live = 10.0 * T_S
    # Each process holds 200 MB from the start, the second one garbage of twice the records besides.
    held = 2e8 + live * 1e3 + np.where(T_S > 700, 4e8, 0.0)
    run = Evidence(
        columns={"t_s": T_S, "live_records": live, "anonymous_bytes": held},
        totals={},
        warm_until_s=60.0,
        planned_s=3_600.0,
        gaps_s=(700.0,),
    )

    found = growth_law.detect(run, growth_law.Params(above=600_000_000))
    across = growth_law.detect(replace(run, gaps_s=()), growth_law.Params(above=200_000_000))

    assert Status.PASS == found.status
    assert "the run was interrupted" in found.reason
    assert Status.PASS != across.status
