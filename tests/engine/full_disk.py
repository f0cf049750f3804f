"""What happens on a disk that is really full, and then is not?

    python -m tests.engine.full_disk DIRECTORY background|emergencies

Makes a user and mount namespace of its own with a tmpfs of 8 MB, a part of which something else
holds. Stores beyond what fits (emergencies evict), then pinned records until the disk refuses, then
takes the other thing away: stores work again without a restart. With `emergencies`, no other
maintenance runs, as on a machine whose writers are faster than its background. Ends with 77 where
namespaces are not permitted.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import engine
from engine import CapacityError, Engine, Options
from tests.engine.scene import DIMENSIONS, memory

_MOUNT = "mount -t tmpfs -o size=8m none {0} && exec {1} -m tests.engine.full_disk {0} {2}"
_OPTIONS = Options(dimensions=DIMENSIONS, capacity_records=100_000, segment_bytes=256 << 10)
_FILLER_BYTES = 2 << 20
NOT_PERMITTED = 77


def main(directory: str, maintenance: str) -> int:
    """Mount and start again inside, or run. Returns the exit code."""
    if os.path.ismount(directory):
        run(Path(directory), replace(_OPTIONS, maintenance=maintenance == "background"))
        return 0
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", directory]
    try:
        if subprocess.run(probe, capture_output=True, check=False).returncode:
            return NOT_PERMITTED
    except FileNotFoundError:
        return NOT_PERMITTED
    command = ["unshare", "-rm", "sh", "-c", _MOUNT.format(directory, sys.executable, maintenance)]
    return subprocess.run(command, check=False).returncode


def run(disk: Path, options: Options) -> None:
    """The story, on the mounted disk; prints one line."""
    filler = disk / "filler"
    filler.write_bytes(b"x" * _FILLER_BYTES)
    with engine.open(disk / "store", options) as store:
        for i in range(12_000):
            store.store(memory(i, importance=i / 12_000, text="x" * 500))
        emergencies = [event for event in store.events() if event.kind == "emergency"]
        assert emergencies
        assert all(event.bytes_reclaimed > 0 for event in emergencies)
        assert store.get(0) is None
        assert "x" * 500 == store.get(11_999).text

        held = fill_with_pinned(store)
        free_bytes = os.statvfs(disk).f_bavail * 4096
        check(store, held)

        filler.unlink()
        for i in range(held, held + 1_000):
            store.store(pinned(i))
        check(store, held + 1_000)
    with engine.open(disk / "store", options) as store:
        check(store, held + 1_000)
    print(  # noqa: T201 - the figures are the proof
        f"8 MB tmpfs: {len(emergencies)} emergencies, {held} pinned records until refused with "
        f"{free_bytes} bytes free; 1,000 more once there was room; all there after reopening"
    )


def pinned(number: int) -> engine.Memory:
    return memory(100_000 + number, pinned=True, text="y" * 500)


def fill_with_pinned(store: Engine) -> int:
    """How many were acknowledged before the disk refused."""
    for number in range(20_000):
        try:
            store.store(pinned(number))
        except CapacityError:
            return number
    raise AssertionError("the disk was never full")


def check(store: Engine, held: int) -> None:
    """Every acknowledged pinned record can be read and found."""
    assert all("y" * 500 == store.get(100_000 + i).text for i in range(held))
    assert 100_007 == store.search(pinned(7).vector, 1)[0].id


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
