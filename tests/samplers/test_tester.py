"""Does the tester report on itself?"""

from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.samplers.tester import build
from soak.seams import SampleError, Subject

NOBODY = Subject(pids=tuple, directories=tuple, reported=lambda: ({}, 0.0), clock=SystemClock())


def test_own_memory_files_threads_and_cpu_are_read(tmp_path: Path):
    home = tmp_path / "self"
    (home / "fd").mkdir(parents=True)
    (home / "fd" / "0").touch()
    (home / "smaps_rollup").write_text("0-1 [rollup]\nRss:  2000 kB\nAnonymous:  1000 kB\n")
    (home / "status").write_text("Name:\tpython\nThreads:\t3\n")

    row = build(NOBODY, tmp_path, lambda: 2_500_000_000).sample()

    assert {
        "tester_resident_bytes": 2_048_000.0,
        "tester_anonymous_bytes": 1_024_000.0,
        "tester_threads": 3.0,
        "tester_open_fds": 1.0,
        "tester_cpu_s": 2.5,
    } == row


def test_without_proc_it_is_an_error(tmp_path: Path):
    with pytest.raises(SampleError, match="cannot be read"):
        build(NOBODY, tmp_path).sample()
