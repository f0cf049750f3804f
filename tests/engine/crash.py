"""Does every acknowledged write survive kill -9, and does nothing deleted come back?

`python -m tests.engine.crash --cycles 300 --seed 1` kills at random moments under mixed load;
`--step fsync` kills at the n-th time that step is reached, n drawn up to hundreds for what happens
that often, so that many acknowledged writes are at stake. A cycle: a forked child opens the engine
and works with two threads and the maintenance thread, noting in a journal what it begins and what
is acknowledged; it is killed; the parent opens the directory and compares every record with what it
may be. Prints one line; exits 1 at the first contradiction.

Records 0..199 are pinned, so they must be there. The others may have been evicted; but once seen
absent they must stay so until stored again.
"""

import argparse
import os
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import engine
from engine import Disk, SystemClock
from tests.engine.scene import SMALL, memory, memory_backed_directory

# The named steps, and up to which time of reaching it a kill waits: about as often as a child that
# is not killed reaches it.
STEPS = {
    "append": 800,
    "fsync": 400,
    "seal": 8,
    "manifest": 1,
    "checkpoint": 4,
    "access": 1,
    "evict": 6,
    "compact": 8,
    "unlink": 8,
}
_PINNED = 200
_IDS = 500
_OPTIONS = replace(
    SMALL, capacity_records=350, maintenance=True, segment_bytes=64 << 10, ballast_bytes=0
)
_ENTRY = struct.Struct("<cHQ")
_CYCLES_PER_DIRECTORY = 25


class DeadlyDisk(Disk):
    """Kills this process the n-th time a step is reached."""

    def __init__(self, step: str, countdown: int) -> None:
        self._step = step
        self._countdown = countdown
        self.is_rare = STEPS[step] == 1

    def reached(self, step: str) -> None:
        if step != self._step:
            return
        self._countdown -= 1
        if self._countdown <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class Truth:
    """The versions each record may have (0: absent), by journal and by what was seen."""

    allowed: dict[int, set[int]] = field(default_factory=dict)

    def learn(self, journal: bytes) -> int:
        """Take over what a child began (B) and what was acknowledged (A); returns the latter."""
        begun: dict[int, int] = {}
        acknowledged = 0
        for mark, record_id, version in _entries(journal):
            if mark == b"B":
                begun[record_id] = version
                continue
            acknowledged += 1
            self.allowed[record_id] = {begun.pop(record_id)} | self._lost(record_id)
        for record_id, version in begun.items():
            self.allowed[record_id] = self.allowed.get(record_id, {0}) | {version}
        return acknowledged

    def _lost(self, record_id: int) -> set[int]:
        return {0} if record_id >= _PINNED else set()

    def check(self, store: engine.Engine) -> None:
        """Compare all records; what is seen now is what must stay."""
        for record_id in range(_IDS):
            found = store.get(record_id)
            version = int(found.text.split()[0]) if found else 0
            allowed = self.allowed.get(record_id, {0})
            if version not in allowed:
                sys.exit(f"record {record_id}: version {version}, allowed {sorted(allowed)}")
            self.allowed[record_id] = {version} | self._lost(record_id)
        live = set(store.scan(10_000))
        for record_id in live:
            strays = set(store.traverse(record_id, 1)) - live
            if strays:
                sys.exit(f"record {record_id} is linked to {strays}, which are gone")


def _entries(journal: bytes) -> Iterator[tuple[bytes, int, int]]:
    whole = len(journal) // _ENTRY.size * _ENTRY.size
    yield from _ENTRY.iter_unpack(journal[:whole])


def child(directory: Path, journals: list[Path], disk: Disk, seed: int) -> None:
    """Open and work until killed; a third of the children close and end."""
    store = engine.open(directory, _OPTIONS, SystemClock(), disk=disk)
    is_stepped = isinstance(disk, DeadlyDisk)
    steps = 1_500 if is_stepped and not disk.is_rare else 150
    if not is_stepped and seed % 3:
        steps = 100_000
    threads = [
        threading.Thread(target=_work, args=(store, path, seed, half, steps))
        for half, path in enumerate(journals)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


def _work(store: engine.Engine, journal: Path, seed: int, half: int, steps: int) -> None:
    rng = np.random.default_rng([seed, half])
    fd = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for step in range(steps):
        record_id = int(rng.integers(_IDS // 2)) * 2 + half
        version = seed * 100_000 + step + 1
        choice = rng.random()
        if choice < 0.05:
            _link(store, record_id, int(rng.integers(_IDS)))
            continue
        version = 0 if choice < 0.25 else version
        os.write(fd, _ENTRY.pack(b"B", record_id, version))
        if version:
            text = f"{version} " + "x" * 200
            store.store(memory(record_id, text=text, pinned=record_id < _PINNED))
        else:
            store.delete(record_id)
        os.write(fd, _ENTRY.pack(b"A", record_id, version))
    os.close(fd)


def _give_up(problem: threading.ExceptHookArgs) -> None:
    """A worker that dies of anything but the kill must not pass for one that was killed."""
    sys.__excepthook__(problem.exc_type, problem.exc_value or Exception(), problem.exc_traceback)
    os._exit(1)


def _link(store: engine.Engine, source: int, target: int) -> None:
    try:
        store.link(source, target, "next")
    except engine.NotFoundError:
        return


def cycle(
    directory: Path, truth: Truth, disk: Disk, seed: int, patience_s: float
) -> tuple[int, int]:
    """Fork, kill after patience_s unless it died or ended before; returns (acks, was killed).

    When a step is to kill, it alone counts: the end of patience is then a SIGTERM, as deadly here.
    """
    ending = signal.SIGTERM if isinstance(disk, DeadlyDisk) else signal.SIGKILL
    journals = [directory.parent / f"journal{half}" for half in range(2)]
    for path in journals:
        path.unlink(missing_ok=True)
    pid = os.fork()
    if not pid:
        threading.excepthook = _give_up
        try:
            child(directory, journals, disk, seed)
        finally:
            os._exit(int(sys.exc_info()[0] is not None))
    timer = threading.Timer(patience_s, os.kill, (pid, ending))
    timer.start()
    # Its pid stays its own until the timer is done: neither nobody nor somebody else is killed.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    timer.cancel()
    timer.join()
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit(f"seed {seed}: the child failed; its words are above")
    acks = sum(truth.learn(path.read_bytes()) for path in journals if path.exists())
    store = engine.open(directory, replace(_OPTIONS, maintenance=False))
    truth.check(store)
    if seed % 2:
        store.close()
    else:
        os.close(store._lock_fd)
        store._is_open = False
    return acks, int(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL)


def main() -> None:
    """Run the cycles and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cycles", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", choices=STEPS)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    acks = kills = cycles = 0
    # How often a child reaches a step depends on the machine: cycles are added until enough died.
    wanted = round(arguments.cycles * 0.8) if arguments.step else 0
    limit = arguments.cycles * (3 if arguments.step else 1)
    for first in range(0, limit, _CYCLES_PER_DIRECTORY):
        if first >= arguments.cycles and kills >= wanted:
            break
        truth = Truth()
        with memory_backed_directory() as directory:
            if arguments.step == "manifest":
                # It is written before anything else: there must be something to lose.
                disk = DeadlyDisk(arguments.step, 2)
                acks += cycle(directory, truth, disk, arguments.seed * 10_000 + first - 1, 30.0)[0]
            for number in range(first, min(first + _CYCLES_PER_DIRECTORY, limit)):
                if number >= arguments.cycles and kills >= wanted:
                    break
                cycles += 1
                if arguments.step == "manifest":
                    (directory / "manifest").unlink(missing_ok=True)
                disk = Disk()
                if arguments.step:
                    countdown = int(rng.integers(STEPS[arguments.step])) + 1
                    disk = DeadlyDisk(arguments.step, countdown)
                patience_s = 30.0 if arguments.step else float(rng.uniform(0.005, 0.12))
                seed = arguments.seed * 10_000 + number
                done, killed = cycle(directory, truth, disk, seed, patience_s)
                acks += done
                kills += killed
    if kills < wanted:
        sys.exit(f"{arguments.step} was reached in {kills} of {cycles} cycles only")
    where = arguments.step or "random"
    print(  # noqa: T201 - the figures are the proof
        f"crash at {where}: {cycles} cycles, {kills} killed, "
        f"{acks} acknowledged writes checked, none lost, none revived (seed {arguments.seed})"
    )


if __name__ == "__main__":
    main()
