"""Is a control group that goes as a whole seen to be full before the kernel sees it?"""

from pathlib import Path

import pytest

from soak.watch.group_memory import GroupMemory


def container(root: Path, **changes: object) -> GroupMemory:
    """Of a process in a container, which sees its group at the root, as Kubernetes makes it."""
    files = {"max": "1000000000", "oom.group": 1, "current": 985_000_000, "stat": "", **changes}
    for name, text in files.items():
        (root / f"memory.{name}").write_text(f"{text}\n")
    (root / "self").mkdir()
    (root / "self" / "cgroup").write_text("0::/\n")
    return GroupMemory(proc=root, cgroup=root)


@pytest.mark.parametrize(
    "changes",
    [
        {"current": 960_000_000},
        {"stat": "anon 900000000\nactive_file 10000000\ninactive_file 9000000"},
        {"stat": "slab_reclaimable 20000000"},
        {"max": "max"},
        {"oom.group": 0},
    ],
    ids=["room", "files in memory", "names in memory", "no limit", "the worker goes alone"],
)
def test_there_is_no_shortage_where_the_kernel_would_kill_nobody_or_the_worker_alone(
    changes: dict[str, object], tmp_path: Path
):
    assert "" == container(tmp_path, **changes).shortage()


def test_what_cannot_be_given_back_is_held(tmp_path: Path):
    memory = container(tmp_path, stat="anon 960000000\ninactive_file 5000000")

    assert "980 MB of its control group's 1,000 MB are held" == memory.shortage()


def test_without_control_groups_there_is_no_shortage(tmp_path: Path):
    assert "" == GroupMemory(proc=tmp_path, cgroup=tmp_path).shortage()
