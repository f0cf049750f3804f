"""Is memory about to run out where the kernel would then take the tester, too?

It takes all of a control group that says so (`memory.oom.group`), as the kubelet has containers do:
then nobody is left to write what the target did. Elsewhere it takes the worker alone.
"""

from pathlib import Path

from soak.samplers._limits import (
    CGROUP,
    PROC,
    group_folders,
    parse_groups,
    parse_limit,
    parse_table,
)

FULL_RATIO = 0.97  # 30 MB below the limit of 1 GiB: what a target takes in a few looks
GIVEN_BACK = ("active_file", "inactive_file", "slab_reclaimable")  # before anybody is killed


class GroupMemory:
    """Of the control groups of this process that go as a whole."""

    def __init__(self, proc: Path = PROC, cgroup: Path = CGROUP) -> None:
        listing = proc / "self" / "cgroup"
        groups = parse_groups(listing.read_text()) if listing.exists() else {}
        folders = group_folders(groups, "memory", cgroup)
        self._folders = [folder for folder in folders if _goes_as_a_whole(folder)]

    def shortage(self) -> str:
        """How much is held of what; empty while there is room."""
        for folder in self._folders:
            full_bytes = FULL_RATIO * (limit := parse_limit(_read(folder, "memory.max")))
            held = float(_read(folder, "memory.current"))
            if held >= full_bytes:
                table = parse_table(_read(folder, "memory.stat"))
                held -= sum(table.get(name, 0) for name in GIVEN_BACK)
            if held >= full_bytes:
                return f"{held / 1e6:,.0f} MB of its control group's {limit / 1e6:,.0f} MB are held"
        return ""


def _goes_as_a_whole(folder: Path) -> bool:
    path = folder / "memory.oom.group"
    return path.exists() and path.read_text().strip() == "1"


def _read(folder: Path, name: str) -> str:
    return (folder / name).read_text()
