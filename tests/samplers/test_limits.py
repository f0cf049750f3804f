"""Is the limit found that will really be hit, in both versions of control groups?"""

import math
from pathlib import Path

import pytest

from soak.samplers._limits import (
    cpu_limit,
    memory_limit_bytes,
    parse_groups,
    parse_limit,
    parse_table,
)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def limit_of(root: Path) -> float:
    return memory_limit_bytes(7, root / "proc", root / "cgroup")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    write(tmp_path, "proc/meminfo", "MemTotal:  1000000 kB\nMemFree: 5 kB\n")
    (tmp_path / "cgroup").mkdir()
    return tmp_path


def test_version_2_takes_the_tightest_of_a_group_and_its_ancestors(machine: Path):
    write(machine, "proc/7/cgroup", "0::/a/b\n")
    write(machine, "cgroup/a/b/memory.max", "max\n")
    write(machine, "cgroup/a/memory.max", "4096000\n")

    assert 4_096_000 == limit_of(machine)


def test_version_1_reads_the_memory_controller(machine: Path):
    write(machine, "proc/7/cgroup", "5:cpu,cpuacct:/x\n4:memory:/jobs/1\n0::/\n")
    write(machine, "cgroup/memory/jobs/1/memory.limit_in_bytes", "1048576\n")

    assert 1_048_576 == limit_of(machine)


def test_a_container_sees_its_own_group_at_the_root(machine: Path):
    write(machine, "proc/7/cgroup", "4:memory:/docker/0123abcd\n")
    write(machine, "cgroup/memory/memory.limit_in_bytes", "2097152\n")

    assert 2_097_152 == limit_of(machine)


def test_a_path_outside_the_name_space_stands_for_the_root(machine: Path):
    write(machine, "proc/7/cgroup", "0::/../../other\n")
    write(machine, "cgroup/memory.max", "8192\n")

    assert 8192 == limit_of(machine)


def test_without_a_limit_the_machine_is_the_limit(machine: Path):
    write(machine, "proc/7/cgroup", "4:memory:/\n")
    write(machine, "cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")

    assert 1_024_000_000 == limit_of(machine)


def test_without_anything_to_read_the_limit_is_infinite(tmp_path: Path):
    assert math.inf == limit_of(tmp_path)


def test_words_of_the_kernel_become_numbers():
    assert {"cpu": "/x", "cpuacct": "/x", "": "/"} == parse_groups("5:cpu,cpuacct:/x\n0::/\n")
    assert (math.inf, 512.0) == (parse_limit("max\n"), parse_limit("512\n"))
    assert {"nr_throttled": 3} == parse_table("nr_throttled 3\nodd line here\n")


@pytest.mark.parametrize(
    ("limit", "files"),
    [
        (1.5, {"a/cpu.max": "150000 100000\n"}),
        (0.5, {"a/cpu.max": "max 100000\n", "cpu.max": "25000 50000\n"}),
        (math.inf, {"a/cpu.max": "max 100000\n"}),
        (math.inf, {}),
    ],
    ids=["own", "ancestor", "unlimited", "absent"],
)
def test_processors_of_version_2(machine: Path, limit: float, files: dict[str, str]):
    (machine / "cgroup" / "a").mkdir()
    for name, text in files.items():
        write(machine, f"cgroup/{name}", text)

    assert limit == cpu_limit({"": "/a"}, machine / "cgroup")


@pytest.mark.parametrize(("quota", "limit"), [("200000\n", 2.0), ("-1\n", math.inf)])
def test_processors_of_version_1(machine: Path, quota: str, limit: float):
    write(machine, "cgroup/cpu/jobs/cpu.cfs_quota_us", quota)
    write(machine, "cgroup/cpu/jobs/cpu.cfs_period_us", "100000\n")

    assert limit == cpu_limit({"cpu": "/jobs", "": "/"}, machine / "cgroup")
