"""Does a target with a trouble to order show it, as much as was ordered, and from its onset on?"""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.result import TargetError
from soak.samplers.disk import measure
from soak.seams import Query
from soak.targets import faulty, memory
from soak.targets._troubles import CHUNK_BYTES, TroubleParams, Troubles
from tests.mixed_load import DIMENSIONS, EVERYTHING, MixedLoad, small_population
from tests.targets.test_contract import record


class HandClock:
    """Time that a test moves; sleeping moves it, too."""

    def __init__(self):
        self.now_ns = 0
        self.slept_s = []

    def monotonic_ns(self):
        return self.now_ns

    def wall_s(self):
        return self.now_ns / 1e9

    def sleep_s(self, duration_s):
        self.slept_s.append(duration_s)
        self.now_ns += round(duration_s * 1e9)


class Killed(BaseException):
    """What a test does instead of killing the process."""


def kill():
    raise Killed


@pytest.fixture
def clock():
    return HandClock()


def troubled(tmp_path, clock, **params):
    return Troubles(TroubleParams(**params), tmp_path, clock, kill)


def test_without_orders_there_is_no_trouble(tmp_path, clock):
    troubles = troubled(tmp_path, clock)
    for _ in range(1_000):
        troubles.linger(troubles.strike("get"))

    assert ([], 0) == (clock.slept_s, troubles.leaked_bytes())


def test_a_leak_per_operation_adds_up_to_what_was_ordered(tmp_path, clock):
    troubles = troubled(tmp_path, clock, leak_bytes_per_operation=40, leak_operation="store")
    for _ in range(10_000):
        troubles.strike("store")
        troubles.strike("get")

    assert 400_000 == pytest.approx(troubles.leaked_bytes(), abs=CHUNK_BYTES)


def test_a_leak_per_second_follows_the_clock_from_its_onset(tmp_path, clock):
    troubles = troubled(tmp_path, clock, leak_bytes_per_s=100_000, onset_s=10.0)
    troubles.strike("get")
    clock.now_ns = int(15e9)
    troubles.strike("get")

    assert 500_000 == pytest.approx(troubles.leaked_bytes(), abs=CHUNK_BYTES)


def test_each_error_leaks_what_was_ordered(tmp_path, clock):
    troubles = troubled(tmp_path, clock, leak_bytes_per_error=CHUNK_BYTES)
    for _ in range(5):
        troubles.strike("get")
        troubles.has_failed()
        troubles.strike("get")

    assert 5 * CHUNK_BYTES == troubles.leaked_bytes()


def test_a_target_of_errors_leaks_per_error(tmp_path):
    params = {"error_ratio": 1.0, "leak_bytes_per_error": CHUNK_BYTES, "dimensions": DIMENSIONS}
    target = faulty.build(faulty.Params(**params), tmp_path, SystemClock())
    for key in range(3):
        with pytest.raises(TargetError):
            target.get(key)

    # That of the last error is held from the next call on.
    assert 2 * CHUNK_BYTES == target._troubles.leaked_bytes()


def test_a_leak_in_steps_is_held_step_by_step(tmp_path, clock):
    troubles = troubled(tmp_path, clock, leak_bytes_per_s=10_000, leak_step_bytes=100_000)
    held = []
    for second in (9, 10, 19, 20, 45):
        clock.now_ns = int(second * 1e9)
        troubles.strike("get")
        held.append(troubles.leaked_bytes())

    assert [0, 100_000, 100_000, 200_000, 400_000] == held


def test_a_leak_on_disk_lies_where_the_target_says_its_files_are(tmp_path):
    params = {"leak_disk_bytes_per_operation": 1_000, "dimensions": DIMENSIONS, "inner": "engine"}
    target = faulty.build(faulty.Params(**params), tmp_path, SystemClock())
    before = measure(target.directories())["disk_bytes"]
    for key in range(500):
        target.get(key)
    leaked_bytes = measure(target.directories())["disk_bytes"] - before
    target.close()

    assert 500_000 == pytest.approx(leaked_bytes, abs=CHUNK_BYTES)


def test_maintenance_that_stops_the_world_lets_nobody_through_until_its_end(tmp_path, clock):
    troubles = troubled(tmp_path, clock, maintain_stops_s=2.0)
    troubles.strike("get")
    troubles.strike("maintain")
    clock.now_ns -= int(0.5e9)  # another client, half a second before the end
    troubles.strike("get")
    troubles.strike("get")

    assert [2.0, 0.5] == pytest.approx(clock.slept_s)


def test_recall_rots_by_so_much_an_hour(tmp_path, clock):
    params = faulty.Params(dimensions=DIMENSIONS, rot_ratio_per_hour=0.25, onset_s=60.0)
    target = faulty.build(params, tmp_path, clock)
    for key in range(400):
        target.store(record(key))
    found = []
    for hours in (0, 1, 2, 4):
        clock.now_ns = int((60 + 3600 * hours) * 1e9)
        found.append(len(target.search(Query(vector=record(0).vector, k=400))))

    assert [400, 300, 200, 0] == pytest.approx(found, abs=30)


def test_a_drift_grows_with_the_hours(tmp_path, clock):
    troubles = troubled(tmp_path, clock, drift_s_per_hour=0.010, delay_s=0.001)
    clock.now_ns = int(7_200e9)
    troubles.strike("get")

    assert [0.021] == pytest.approx(clock.slept_s)


def test_a_slow_factor_stretches_the_call(tmp_path, clock):
    troubles = troubled(tmp_path, clock, slow_factor=3.0)
    began_s = troubles.strike("get")
    clock.now_ns += 2_000_000
    troubles.linger(began_s)

    assert [0.004] == pytest.approx(clock.slept_s)


@pytest.mark.parametrize(
    ("at_s", "waited_s"),
    [(29.9, []), (30.0, [1.0]), (30.7, [0.3]), (31.0, []), (90.5, [0.5]), (91.5, [])],
)
def test_a_stall_holds_everybody_until_its_end(at_s, waited_s, tmp_path, clock):
    troubles = troubled(tmp_path, clock, stall_at_s=30.0, stall_s=1.0, stall_every_s=60.0)
    clock.now_ns = round(at_s * 1e9)
    troubles.strike("get")

    assert waited_s == pytest.approx(clock.slept_s, abs=1e-6)


def test_a_hang_lasts_until_the_target_is_closed(tmp_path, clock):
    troubles = troubled(tmp_path, clock, hang_at_operation=3)
    naps = []

    def nap(duration_s):
        naps.append(duration_s)
        if len(naps) == 5:
            troubles.close()

    clock.sleep_s = nap
    for _ in range(3):
        troubles.strike("get")

    assert 5 == len(naps)


def test_a_crash_comes_at_its_operation(tmp_path, clock):
    troubles = troubled(tmp_path, clock, crash_at_operation=3)
    troubles.strike("get")
    troubles.strike("get")
    with pytest.raises(Killed):
        troubles.strike("get")


def test_a_crash_takes_the_process_with_it(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from soak.clock import SystemClock\n"
        "from soak.targets import faulty\n"
        "params = faulty.Params(crash_at_operation=1)\n"
        "faulty.build(params, Path(sys.argv[1]), SystemClock()).get(1)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)

    assert -9 == done.returncode


def open_descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_descriptors_leak_one_in_n_operations(tmp_path, clock):
    troubles = troubled(tmp_path, clock, fd_leak_every_operations=10)
    before = open_descriptors()
    for _ in range(100):
        troubles.strike("get")
    leaked = open_descriptors() - before
    troubles.close()

    assert 10 == leaked
    assert before == open_descriptors()


def test_threads_leak_one_in_n_operations(tmp_path, clock):
    troubles = troubled(tmp_path, clock, thread_leak_every_operations=50)
    before = threading.active_count()
    for _ in range(100):
        troubles.strike("get")
    leaked = threading.active_count() - before
    troubles.close()

    assert 2 == leaked


def test_errors_come_as_often_as_ordered(tmp_path):
    params = faulty.Params(dimensions=DIMENSIONS, error_ratio=0.1)
    target = faulty.build(params, tmp_path, SystemClock())
    errors = 0
    for key in range(2_000):
        try:
            target.get(key)
        except TargetError:
            errors += 1

    assert 200 == pytest.approx(errors, abs=45)


def rewritten_log_bytes(target):
    """What 100 records, each stored 100 times, take on disk, and what they are worth."""
    for _ in range(100):
        for key in range(100):
            target.store(record(key))
    return target.stats()["log_bytes"], target.stats()["accounted_bytes"]


def test_what_never_compacts_grows_on_disk(tmp_path):
    healthy = faulty.build(faulty.Params(dimensions=DIMENSIONS), tmp_path / "a", SystemClock())
    ill_params = faulty.Params(dimensions=DIMENSIONS, never_compact=True)
    ill = faulty.build(ill_params, tmp_path / "b", SystemClock())
    healthy_log_bytes, live_bytes = rewritten_log_bytes(healthy)

    assert healthy_log_bytes <= memory.GARBAGE_BYTES_MIN + 2 * live_bytes
    assert (100 * live_bytes, live_bytes) == rewritten_log_bytes(ill)


@pytest.mark.parametrize(
    ("evict", "low", "high"), [("least_important", 0.0, 0.25), ("most_important", 0.75, 1.0)]
)
def test_the_ledger_tells_whom_a_target_forgets_first(evict, low, high, tmp_path):
    params = faulty.Params(dimensions=DIMENSIONS, capacity_records=400, evict=evict)
    population = small_population(tmp_path)
    mix = {name: EVERYTHING[name] for name in ("store", "get")}
    load = MixedLoad(faulty.build(params, tmp_path / "t", SystemClock()), population, mix)
    load.run(3_000)
    quality = population.eviction_quality()

    assert low <= quality["inversion_ratio"] <= high
    below, above = quality["survival_0.0_to_0.2_ratio"], quality["survival_0.4_to_0.6_ratio"]
    assert (below < above) == (evict == "least_important")


def test_a_torn_last_frame_of_the_memory_is_cut_off(tmp_path):
    params = memory.Params(dimensions=DIMENSIONS)
    first = memory.build(params, tmp_path, SystemClock())
    for key in range(3):
        first.store(record(key))
    first.close()
    log = tmp_path / "records.log"
    log.write_bytes(log.read_bytes()[:-5])
    again = memory.build(params, tmp_path, SystemClock())
    again.store(record(7))
    again.reopen()

    assert [True, True, False, True] == [again.get(key) is not None for key in (0, 1, 2, 7)]
