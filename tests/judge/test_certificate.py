"""Is a run distrusted for what could change its verdict, and for nothing else?"""

import math
from dataclasses import replace

import pytest

from soak.judge.certificate import Conditions, SamplerRecord, certify, doubted, is_slow
from soak.judge.machine import Machine
from soak.snapshot import Quantiles
from soak.verdict import Concern, Status, Verdict

# A smoke run on two shared virtual CPUs beside two busy processes, as measured.
SMOKE = Conditions(
    lateness=Quantiles(mean=0.0004, p50=0.00003, p95=0.001, p99=0.004, p999=0.02, max=0.044),
    idle_lateness=Quantiles(mean=0.0001, p50=0.00003, p95=0.0001, p99=0.001, max=0.044),
    idle_count=8000,
    hiccup=Quantiles(mean=0.0002, p50=0.0001, p95=0.001, p99=0.004, max=0.05),
    due_count=8000,
    unissued_count=8,
    busy_ratio=0.1,
    tightest_s=0.05,
    machine=Machine(
        tester_rss_bytes=9e7,
        tester_cpu_ratio=0.12,
        steal_ratio=0.01,
        cpu_pressure_ratio=0.4,
        memory_pressure_ratio=0.0,
        throttled_ratio=0.0,
        clock_step_s=0.002,
    ),
    samples={"process": 60, "disk": 60},
    failures={"process": 0, "disk": 1},
    worst_gap={"process": 0, "disk": 1},
)


def late(p50: float = 0.00003, p99: float = 0.001) -> Quantiles:
    return replace(SMOKE.idle_lateness, p50=p50, p99=p99)


def machine(**changed: float) -> Machine:
    return replace(SMOKE.machine, **changed)


def test_a_smoke_run_on_a_noisy_shared_machine_is_trusted():
    certificate = certify(SMOKE)

    assert (True, ()) == (certificate.trusted, certificate.reasons)


def test_nothing_measured_yet_is_no_reason_for_distrust():
    assert certify(Conditions()).trusted


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (replace(SMOKE, idle_lateness=late(p50=0.002)), "started 2 ms late or more, above 1 ms"),
        (replace(SMOKE, idle_lateness=late(p99=0.03)), "beside an objective of 50 ms"),
        (replace(SMOKE, dropped_results=3), "3 results were lost"),
        (replace(SMOKE, unissued_count=400), "400 of 8,000 operations were not issued"),
        (
            replace(SMOKE, is_slow=False, written_late_count=9, written_late_s=17.0),
            "9 of 8,000 operations were scheduled after they were due, up to 17 s late",
        ),
        (replace(SMOKE, loss="the run directory /r lacks lines"), "/r lacks lines"),
        (replace(SMOKE, hiccup=Quantiles(p50=0.02)), "woke 20 ms late"),
        (replace(SMOKE, machine=machine(tester_cpu_ratio=0.95)), "used 95 % of a CPU, above 90 %"),
        (replace(SMOKE, machine=machine(steal_ratio=0.2)), "took 20 % of the CPU time away"),
        (replace(SMOKE, machine=machine(memory_pressure_ratio=0.3)), "waited for memory 30 %"),
        (replace(SMOKE, machine=machine(throttled_ratio=0.06)), "control group"),
        (
            replace(SMOKE, machine=machine(starved_ratio=0.88, foreign_ratio=0.7)),
            "waited for a CPU 88 % of the time it wanted one, while other processes used 70 %",
        ),
        (replace(SMOKE, machine=machine(clock_step_s=3600.0)), "parted by 01:00:00"),
        (replace(SMOKE, worst_gap={"disk": 4}), "sampler disk gave nothing 4 times in a row"),
        (replace(SMOKE, failures={"disk": 5}), "sampler disk failed 5 of 60 times"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_disturbance_is_a_sentence(conditions: Conditions, said: str):
    certificate = certify(conditions)

    assert (False, 1) == (certificate.trusted, len(certificate.reasons))
    assert said in certificate.reasons[0]


@pytest.mark.parametrize(
    "conditions",
    [
        replace(SMOKE, unissued_count=3200, busy_ratio=0.9),
        replace(SMOKE, unissued_count=3200, is_hanging=True),
        replace(SMOKE, written_late_count=8, written_late_s=0.1),
        replace(SMOKE, idle_lateness=late(p99=0.03), tightest_s=0.2),
        replace(SMOKE, idle_lateness=late(p50=0.1, p99=0.5), idle_count=99),
        replace(SMOKE, machine=machine(starved_ratio=0.9, foreign_ratio=0.05)),
        replace(
            SMOKE,
            is_slow=False,
            idle_lateness=late(p50=0.1, p99=0.5),
            hiccup=Quantiles(p50=0.5),
            machine=machine(starved_ratio=0.9, foreign_ratio=0.9, steal_ratio=0.5),
        ),
        replace(SMOKE, failures={"disk": 9}, worst_gap={"disk": 9}, samples={"disk": 1000}),
        replace(SMOKE, idle_lateness=late(p99=0.004), tightest_s=math.nan),
    ],
    ids=[
        "busy target",
        "hanging target",
        "hardly ever late",
        "loose objective",
        "hardly idle",
        "in its own way",
        "kept anyway",
        "rare failures",
        "no objective",
    ],
)
def test_what_cannot_change_a_verdict_is_tolerated(conditions: Conditions):
    assert () == certify(conditions).reasons


def test_wrong_figures_are_distrusted_even_when_every_objective_is_kept():
    lossy = replace(SMOKE, is_slow=False, dropped_results=1)
    stepped = replace(SMOKE, is_slow=False, machine=machine(clock_step_s=5.0))

    assert [False, False] == [certify(lossy).trusted, certify(stepped).trusted]


def verdict(status: Status, unit: str, concern: Concern = Concern.OBJECTIVE) -> Verdict:
    return Verdict(
        check="x", detector="slo", concern=concern, status=status, reason="it is so", unit=unit
    )


@pytest.mark.parametrize(
    ("status", "unit", "slow"),
    [
        (Status.FAIL, "s", True),
        (Status.FAIL, "1/s", True),
        (Status.PASS, "s", False),
        (Status.FAIL, "ratio", False),
        (Status.FAIL, "B/s", False),
    ],
)
def test_only_a_broken_time_or_rate_can_be_the_disturbance_s_fault(
    status: Status, unit: str, slow: bool
):
    assert slow == is_slow([verdict(status, unit)])


def test_a_crowded_machine_excuses_what_is_slow_and_no_leak():
    crowded = certify(replace(SMOKE, machine=machine(steal_ratio=0.5)))
    slow, leak = verdict(Status.FAIL, "s"), verdict(Status.FAIL, "B/s", Concern.LEAK)

    told = doubted([slow, leak], crowded)

    assert [Status.UNKNOWN, Status.FAIL] == [one.status for one in told]
    assert "it is so, but the host took 50 % of the CPU time away" in told[0].reason


def test_a_change_of_speed_is_doubted_and_one_of_quality_is_not():
    crowded = certify(replace(SMOKE, machine=machine(steal_ratio=0.5)))
    changed = verdict(Status.FAIL, "ratio")
    both = [replace(changed, details={"measures": what}) for what in ("speed", "quality")]

    assert [Status.UNKNOWN, Status.FAIL] == [one.status for one in doubted(both, crowded)]


def test_lost_results_void_the_run_and_change_no_check():
    lossy = certify(replace(SMOKE, dropped_results=1))
    slow = verdict(Status.FAIL, "s")

    assert (True, (slow,)) == (lossy.is_void, doubted([slow], lossy))


def test_failures_in_a_row_are_counted_and_reset_by_a_success():
    record = SamplerRecord()
    for is_good in (True, False, False, True, False):
        record.add(is_good=is_good)

    assert (5, 3, 2) == (record.samples, record.failures, record.worst_gap)
