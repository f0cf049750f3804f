"""Does the host sampler tell what the kernel tells, and nothing it does not?"""

from pathlib import Path

import pytest

from soak.samplers.host import Cpu, build, parse_cpu, parse_pressure
from soak.seams import SampleError, Sampler, Subject

PRESSURE = "some avg10=1.50 avg60=0.30 avg300=0.59 total=8395399\nfull avg10=0.00 avg60=0.00\n"


class TwoClocks:
    def __init__(self) -> None:
        self.now_ns = 0
        self.now_s = 1e9

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_s(self) -> float:
        return self.now_s

    def sleep_s(self, duration_s: float) -> None:
        self.now_ns += round(duration_s * 1e9)
        self.now_s += duration_s


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    proc = tmp_path / "proc"
    (proc / "pressure").mkdir(parents=True)
    (proc / "self").mkdir()
    for kind in ("cpu", "memory", "io"):
        (proc / "pressure" / kind).write_text(PRESSURE)
    (proc / "stat").write_text("cpu  100 0 50 800 10 0 10 30 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    (proc / "loadavg").write_text("0.25 0.11 0.05 1/95 9472\n")
    (proc / "meminfo").write_text("MemTotal: 4000 kB\nMemAvailable:   3000 kB\n")
    (proc / "self" / "cgroup").write_text("1:cpu:/\n0::/\n")
    return proc


def sampler(proc: Path, clock: TwoClocks | None = None) -> Sampler:
    subject = Subject(
        pids=tuple, directories=tuple, reported=lambda: ({}, 0.0), clock=clock or TwoClocks()
    )
    return build(subject, proc, proc.parent / "cgroup")


def test_pressure_load_and_memory_are_in_base_units(proc: Path):
    row = sampler(proc).sample()

    assert {0.015} == {row[f"host_{kind}_pressure_ratio"] for kind in ("cpu", "memory", "io")}
    assert (0.25, 3_072_000.0, 4_096_000.0) == (
        row["host_load_1m"],
        row["host_available_bytes"],
        row["host_limit_bytes"],
    )


def test_stolen_time_is_a_share_of_the_time_since_the_last_sample(proc: Path):
    watching = sampler(proc)
    first = watching.sample()
    (proc / "stat").write_text("cpu  150 0 50 820 10 0 10 60 9 0\n")

    assert "host_steal_ratio" not in first
    assert 0.3 == watching.sample()["host_steal_ratio"]


def test_the_time_all_cpus_were_busy_is_told_in_seconds(proc: Path):
    row = sampler(proc).sample()

    assert (1.6, 1.0) == (row["host_busy_s"], row["host_cpus"])


def test_guest_time_is_not_counted_twice():
    expected = Cpu(stolen=30, busy=160, all=1000, cpus=1)

    assert expected == parse_cpu("cpu  100 0 50 800 10 0 10 30 700 99\ncpu0 1 1 1 1 1 1 1 1 1 1\n")


@pytest.mark.parametrize("step_s", [0.0, 3600.0, -3600.0], ids=["none", "forward", "back"])
def test_a_clock_step_is_seen_once(proc: Path, step_s: float):
    clock = TwoClocks()
    watching = sampler(proc, clock)
    watching.sample()
    clock.sleep_s(1.0)
    clock.now_s += step_s
    stepped = watching.sample()["host_clock_step_s_max"]
    clock.sleep_s(1.0)

    assert pytest.approx(abs(step_s), abs=1e-6) == stepped
    assert pytest.approx(0.0, abs=1e-6) == watching.sample()["host_clock_step_s_max"]


@pytest.mark.parametrize(
    ("folder", "text"),
    [("", "nr_throttled 5\nthrottled_usec 2500000\n"), ("cpu", "throttled_time 2500000000\n")],
    ids=["version 2", "version 1"],
)
def test_throttling_is_read_from_either_version(proc: Path, folder: str, text: str):
    if not folder:
        (proc / "self" / "cgroup").write_text("0::/\n")
    group = proc.parent / "cgroup" / folder
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text(text)

    assert 2.5 == sampler(proc).sample()["host_throttled_s"]


def test_processors_are_those_of_the_group_and_never_more_than_there_are(proc: Path):
    (proc / "self" / "cgroup").write_text("0::/\n")
    limit = proc.parent / "cgroup" / "cpu.max"
    limit.parent.mkdir(parents=True, exist_ok=True)
    limit.write_text("50000 100000\n")
    assert 0.5 == sampler(proc).sample()["host_limit_cpus"]

    limit.write_text("max 100000\n")
    row = sampler(proc).sample()
    assert row["host_cpus"] == row["host_limit_cpus"]


def test_what_the_kernel_does_not_offer_is_left_out(proc: Path):
    (proc / "pressure" / "io").unlink()

    row = sampler(proc).sample()

    assert "host_io_pressure_ratio" not in row
    assert "host_throttled_s" not in row


def test_a_file_that_must_be_there_is_an_error(proc: Path):
    (proc / "loadavg").unlink()

    with pytest.raises(SampleError, match="loadavg"):
        sampler(proc).sample()


def test_pressure_without_a_some_line_is_refused():
    with pytest.raises(ValueError, match="some"):
        parse_pressure("full avg10=1.0\n")
