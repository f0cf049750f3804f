"""Is a run distrusted for what could change its verdict, and for nothing else?"""

import math
from dataclasses import replace

import numpy as np
import pytest

from soak.judge.certificate import Conditions, Machine, SamplerRecord, certify, is_slow, machine_of
from soak.snapshot import Quantiles
from soak.verdict import Concern, Status, Verdict

# A smoke run on two shared virtual CPUs beside two busy processes, as measured.
SMOKE = Conditions(
    lateness=Quantiles(mean=0.0004, p50=0.00003, p95=0.001, p99=0.004, p999=0.02, max=0.044),
    idle_lateness=Quantiles(mean=0.0001, p50=0.00003, p95=0.0001, p99=0.001, max=0.044),
    idle_count=8000,
    hiccup=Quantiles(mean=0.0002, p50=0.0001, p95=0.001, p99=0.004, max=0.05),
    offered_rate=200.0,
    achieved_rate=199.6,
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
        (replace(SMOKE, achieved_rate=190.0), "190 per second of 200 per second"),
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
        (replace(SMOKE, worst_gap={"disk": 4}), "sampler disk failed 4 times in a row"),
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
        replace(SMOKE, achieved_rate=120.0, busy_ratio=0.9),
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
        replace(SMOKE, failures={"disk": 9}, samples={"disk": 1000}),
        replace(SMOKE, idle_lateness=late(p99=0.004), tightest_s=math.nan),
    ],
    ids=[
        "busy target",
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


@pytest.mark.parametrize(
    ("detector", "status", "slow"),
    [("slo", Status.FAIL, True), ("slo", Status.PASS, False), ("never", Status.FAIL, False)],
)
def test_only_a_broken_objective_can_be_the_disturbance_s_fault(
    detector: str, status: Status, slow: bool
):
    verdict = Verdict(
        check="x", detector=detector, concern=Concern.OBJECTIVE, status=status, reason=""
    )

    assert slow == is_slow([verdict])


def test_failures_in_a_row_are_counted_and_reset_by_a_success():
    record = SamplerRecord()
    for is_good in (True, False, False, True, False):
        record.add(is_good=is_good)

    assert (5, 3, 2) == (record.samples, record.failures, record.worst_gap)


def test_machine_figures_are_means_and_rates_of_the_columns():
    columns = {
        "t_s": np.array([0.0, 10.0, 20.0]),
        "tester_resident_bytes": np.array([1.0, 2.0, np.nan]),
        "tester_cpu_s": np.array([1.0, np.nan, 5.0]),
        "host_steal_ratio": np.array([np.nan, 0.1, 0.3]),
        "host_clock_step_s_max": np.array([0.0, 0.5, 0.1]),
        "cpu_wait_s": np.array([0.0, 1.0, 2.0]),
        "cpu_s": np.array([3.0, 6.0, 9.0]),
        "host_busy_s": np.array([100.0, 110.0, 120.0]),
        "host_cpus": np.array([2.0, 2.0, 2.0]),
    }

    machine = machine_of(columns)

    assert (2.0, 0.2, pytest.approx(0.2), 0.5) == (
        machine.tester_rss_bytes,
        machine.tester_cpu_ratio,
        machine.steal_ratio,
        machine.clock_step_s,
    )
    # 2 s of 2 + 6 waited; of 20 s busy, 6 were the target's and 4 the tester's.
    assert (0.25, 0.25) == (machine.starved_ratio, pytest.approx(machine.foreign_ratio))
    assert math.isnan(machine.memory_pressure_ratio)
