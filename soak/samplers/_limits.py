"""How much memory and processor may a process use? The tightest of its control groups.

Version 2 has one tree, version 1 one per controller; a container often sees its own group mounted
at the root while /proc/<pid>/cgroup still names the path outside. Both are handled: the path is
walked upwards from where it exists, since every ancestor's limit holds too.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")

# Version 1 writes "no limit" as the largest page-aligned integer; nobody has an exbibyte.
UNLIMITED_BYTES = 1 << 60


def parse_groups(text: str) -> dict[str, str]:
    """Controller to path, from /proc/<pid>/cgroup; the tree of version 2 has the name ''."""
    groups = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = path
    return groups


def parse_limit(text: str) -> float:
    """Bytes of memory.max or memory.limit_in_bytes; infinite where there is no limit."""
    word = text.strip()
    if word == "max":
        return math.inf
    limit = int(word)
    return math.inf if limit >= UNLIMITED_BYTES else float(limit)


def parse_table(text: str) -> dict[str, int]:
    """`name 123` lines, as in cpu.stat and memory.stat."""
    pairs = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in pairs if len(words) == 2}


def group_folders(
    groups: Mapping[str, str], controller: str, cgroup: Path = CGROUP
) -> Iterator[Path]:
    """A process's folder for a controller and all its ancestors' that exist, innermost first."""
    is_first = controller in groups
    root = cgroup / controller if is_first else cgroup
    path = groups.get(controller, groups.get("", "/")).strip("/")
    # A path that leaves its name space starts with "..": what lies there is not visible to us.
    if ".." in path.split("/"):
        path = ""
    folder = root / path
    while True:
        if folder.is_dir():
            yield folder
        if folder == root:
            return
        folder = folder.parent


def memory_limit_bytes(pid: int | str, proc: Path = PROC, cgroup: Path = CGROUP) -> float:
    """What the process can have at most: its groups' limits, and the machine's memory.

    Infinite where nothing can be read. pid: a number or "self".
    """
    limits = [_machine_bytes(proc)]
    listing = proc / str(pid) / "cgroup"
    groups = parse_groups(listing.read_text()) if listing.exists() else {}
    for folder in group_folders(groups, "memory", cgroup):
        for name in ("memory.max", "memory.limit_in_bytes"):
            if (folder / name).exists():
                limits.append(parse_limit((folder / name).read_text()))
    return min(limits)


def parse_quota(text: str) -> float:
    """Processors at once, out of `quota period` in microseconds; infinite where all are allowed."""
    quota, period = text.split()
    return math.inf if quota in ("max", "-1") else int(quota) / int(period)


def cpu_limit(groups: Mapping[str, str], cgroup: Path = CGROUP) -> float:
    """How many processors' time the process can have at most; infinite where nothing limits it."""
    limits = [math.inf]
    for folder in group_folders(groups, "cpu", cgroup):
        for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
            if all((folder / name).exists() for name in names):
                limits.append(parse_quota(" ".join((folder / n).read_text() for n in names)))
    return min(limits)


def _machine_bytes(proc: Path) -> float:
    path = proc / "meminfo"
    for line in path.read_text().splitlines() if path.exists() else ():
        name, _, rest = line.partition(":")
        if name == "MemTotal":
            return float(rest.split()[0]) * 1024
    return math.inf
