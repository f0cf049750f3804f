"""Does the process sampler add up a process tree, and does it say when it cannot?"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from soak.samplers.process import build, parse_fields, parse_stat
from soak.seams import SampleError, Sampler, Subject

# Captured from a Python process; the name holds a bracket and a space on purpose.
STAT = (
    "{pid} (py) th on) {state} {parent} 9468 4270 0 -1 4194304 100 7 3 1 "
    "{user} 50 20 30 20 0 {threads} 0 {started} 3133440 381 18446744073709551615 "
    "94169637425152 94169637445033 140725271442544 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n"
)
ROLLUP = """557163430000-7ffde131e000 ---p 00000000 00:00 0                          [rollup]
Rss:                1616 kB
Pss:                 350 kB
Pss_Dirty:           112 kB
Shared_Clean:       1408 kB
Private_Clean:        96 kB
Private_Dirty:       112 kB
Anonymous:           {anonymous} kB
Private_Hugetlb:       0 kB
Swap:                  8 kB
"""
STATUS = "Name:\tpython\nVmRSS:\t    1696 kB\nRssAnon:\t     120 kB\nVmSwap:\t  8 kB\n"
IO = "rchar: 6976\nwchar: 5\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n"


class FakeClock:
    def __init__(self) -> None:
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_s(self) -> float:
        return self.now_ns / 1e9

    def sleep_s(self, duration_s: float) -> None:
        self.now_ns += round(duration_s * 1e9)


def put(
    proc: Path,
    pid: int,
    *,
    children: Sequence[int] = (),
    anonymous: int = 112,
    user: int = 100,
    started: int = 163649,
    state: str = "S",
) -> Path:
    home = proc / str(pid)
    (home / "task" / str(pid)).mkdir(parents=True)
    (home / "fd").mkdir()
    for i in range(3):
        (home / "fd" / str(i)).touch()
    text = STAT.format(pid=pid, state=state, parent=1, user=user, threads=2, started=started)
    (home / "stat").write_text(text)
    (home / "smaps_rollup").write_text(ROLLUP.format(anonymous=anonymous))
    (home / "status").write_text(STATUS)
    (home / "io").write_text(IO)
    (home / "task" / str(pid) / "schedstat").write_text("5000000000 1000000000 77\n")
    (home / "task" / str(pid) / "children").write_text(" ".join(map(str, children)))
    return home


def sampler(proc: Path, *pids: int, clock: FakeClock | None = None, cost_ns: int = 0) -> Sampler:
    subject = Subject(
        pids=lambda: pids,
        directories=lambda: (),
        reported=lambda: ({}, 0.0),
        clock=clock or FakeClock(),
    )
    spent = iter(range(0, 1 << 62, max(1, cost_ns)))
    return build(subject, proc, lambda: next(spent) if cost_ns else 0)


def test_memory_is_exact_and_in_bytes(tmp_path: Path):
    put(tmp_path, 10)

    row = sampler(tmp_path, 10).sample()

    assert 112 * 1024 == row["anonymous_bytes"]
    assert (96 + 112) * 1024 == row["uss_bytes"]
    assert 1616 * 1024 == row["resident_bytes"]
    assert 8 * 1024 == row["swapped_bytes"]


def test_cpu_files_threads_faults_and_bytes_are_read(tmp_path: Path):
    put(tmp_path, 10)

    row = sampler(tmp_path, 10).sample()

    # 100 + 50 + 20 + 30 ticks of a hundredth of a second: ended children are in it.
    assert 2.0 == row["cpu_s"]
    assert 3 == row["open_fds"]
    assert 2 == row["threads"]
    assert (107, 4) == (row["faults_minor"], row["faults_major"])
    assert (4096, 8192) == (row["read_bytes"], row["written_bytes"])


def test_waiting_for_a_cpu_is_added_up_over_threads_that_come_and_go(tmp_path: Path):
    tasks = put(tmp_path, 10) / "task"
    watching = sampler(tmp_path, 10)
    first = watching.sample()["cpu_wait_s"]
    (tasks / "11").mkdir()
    (tasks / "11" / "schedstat").write_text("0 9000000000 1\n")
    (tasks / "10" / "schedstat").write_text("5000000000 1500000000 99\n")
    second = watching.sample()["cpu_wait_s"]
    (tasks / "11" / "schedstat").write_text("0 9250000000 1\n")
    third = watching.sample()["cpu_wait_s"]
    (tasks / "11" / "schedstat").unlink()
    fourth = watching.sample()["cpu_wait_s"]

    # A thread counts from when it is first seen, and what it waited stays when it ends.
    assert [0.0, 0.5, 0.75, 0.75] == [first, second, third, fourth]


def test_children_and_their_children_are_summed(tmp_path: Path):
    put(tmp_path, 10, children=(11,))
    put(tmp_path, 11, children=(12,), anonymous=1000)
    put(tmp_path, 12, anonymous=10000)

    row = sampler(tmp_path, 10).sample()

    assert 11112 * 1024 == row["anonymous_bytes"]
    assert 3 == row["processes"]
    assert 9 == row["open_fds"]


def test_a_process_named_twice_counts_once(tmp_path: Path):
    put(tmp_path, 10, children=(11,))
    put(tmp_path, 11)

    assert 2 == sampler(tmp_path, 10, 11).sample()["processes"]


def test_a_child_that_ended_meanwhile_is_left_out(tmp_path: Path):
    put(tmp_path, 10, children=(11,))

    assert 1 == sampler(tmp_path, 10).sample()["processes"]


def test_a_target_that_is_gone_is_an_error(tmp_path: Path):
    with pytest.raises(SampleError, match="process 10 of the target is gone"):
        sampler(tmp_path, 10).sample()


def test_a_dead_target_nobody_waited_for_is_an_error(tmp_path: Path):
    put(tmp_path, 10, state="Z")

    with pytest.raises(SampleError, match="has ended"):
        sampler(tmp_path, 10).sample()


def test_another_process_with_the_same_number_is_not_the_target(tmp_path: Path):
    home = put(tmp_path, 10)
    watching = sampler(tmp_path, 10)
    watching.sample()
    (home / "stat").write_text(
        STAT.format(pid=10, state="S", parent=1, user=1, threads=1, started=999_999)
    )

    with pytest.raises(SampleError, match="another has its number"):
        watching.sample()


def test_a_target_whose_processes_are_out_of_reach_has_no_figures(tmp_path: Path):
    assert {} == sampler(tmp_path).sample()


def test_without_permission_the_counters_have_names_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    put(tmp_path, 10)
    watching = sampler(tmp_path, 10)
    monkeypatch.setattr(type(watching), "_exact", _forbidden)
    monkeypatch.setattr(type(watching), "_io", _forbidden)

    row = watching.sample()

    assert 120 * 1024 == row["anonymous_counted_bytes"]
    assert not {"anonymous_bytes", "uss_bytes", "read_bytes"} & row.keys()


def _forbidden(self: object, pid: int) -> dict[str, float]:
    raise PermissionError(pid)


def test_a_costly_read_is_made_less_often(tmp_path: Path):
    put(tmp_path, 10)
    clock = FakeClock()
    # 20 ms of CPU for one read: at one percent, every two seconds.
    watching = sampler(tmp_path, 10, clock=clock, cost_ns=20_000_000)

    exact = []
    for _ in range(5):
        exact.append("anonymous_bytes" in watching.sample())
        clock.sleep_s(1.0)

    assert [True, False, True, False, True] == exact


def test_the_name_of_a_process_may_hold_brackets():
    stat = parse_stat(STAT.format(pid=1, state="R", parent=7, user=0, threads=4, started=5))

    assert ("R", 7, 4, 5) == (stat.state, stat.parent, stat.threads, stat.started_ticks)


def test_fields_in_kilobytes_become_bytes_and_others_stay():
    assert {"A": 2048, "n": 7} == parse_fields("A:  2 kB\nn: 7\nName: x\nempty:\n00-ff ---p 0 [r]")
