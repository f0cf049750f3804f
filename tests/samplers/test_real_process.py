"""Do the figures of a real process on this kernel mean what they are taken for?"""

import subprocess
import sys

from soak.clock import SystemClock
from soak.samplers.process import build
from soak.seams import Subject

MIB = 1 << 20

# Holds what it is told to, touched page by page, and says when it does; one line per step.
TARGET = """
import os, sys, time
held = []
print("ready", flush=True)
for line in sys.stdin:
    word, amount = line.split()
    if word == "memory":
        held.append(b"x" * int(amount))
    elif word == "files":
        held.extend(open(os.devnull) for _ in range(int(amount)))
    elif word == "burn":
        while time.process_time() < float(amount):
            pass
    print("done", flush=True)
"""


class Held:
    """A process that holds what it is told to."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", TARGET], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()
        subject = Subject(
            pids=lambda: (self._process.pid,),
            directories=tuple,
            reported=lambda: ({}, 0.0),
            clock=SystemClock(),
        )
        # A second costs nothing here, so that every read is exact.
        self.sampler = build(subject, cpu_ns=lambda: 0)

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline()


def test_allocated_memory_appears_to_the_page():
    with Held() as target:
        before = target.sampler.sample()
        target.do(f"memory {64 * MIB}")
        after = target.sampler.sample()

    for column in ("anonymous_bytes", "uss_bytes", "resident_bytes"):
        grown = after[column] - before[column]
        assert 64 * MIB <= grown <= 65 * MIB, column


def test_opened_files_are_counted():
    with Held() as target:
        before = target.sampler.sample()
        target.do("files 7")
        after = target.sampler.sample()

    assert before["open_fds"] + 7 == after["open_fds"]
    assert 1 == after["processes"]


def test_spent_cpu_time_appears_to_the_tick():
    with Held() as target:
        target.do("burn 0.2")
        after = target.sampler.sample()

    assert 0.18 <= after["cpu_s"] <= 0.5
    assert after["cpu_wait_s"] >= 0
