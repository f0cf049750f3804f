"""Are the machine's doings read rightly out of the samples?"""

import math

import numpy as np
import pytest

from soak.judge.machine import machine_of


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
