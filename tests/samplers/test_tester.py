"""Does the tester report on itself?"""

import threading
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.samplers.tester import build
from soak.seams import SampleError, Subject

NOBODY = Subject(pids=tuple, directories=tuple, reported=lambda: ({}, 0.0), clock=SystemClock())


def test_own_memory_is_read(tmp_path: Path):
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "smaps_rollup").write_text(
        "0-1 [rollup]\nRss:  2000 kB\nAnonymous:  1000 kB\n"
    )
    row = build(NOBODY, tmp_path).sample()

    assert 2_048_000.0 == row["tester_resident_bytes"]
    assert 1_024_000.0 == row["tester_anonymous_bytes"]


def test_a_thread_and_an_open_file_more_are_one_more_each(tmp_path: Path):
    sampler, done = build(NOBODY), threading.Event()
    before = sampler.sample()
    thread = threading.Thread(target=done.wait)
    thread.start()
    with (tmp_path / "file").open("w"):
        after = sampler.sample()
    done.set()
    thread.join()

    assert 1 == after["tester_threads"] - before["tester_threads"]
    assert 1 == after["tester_open_fds"] - before["tester_open_fds"]


def test_own_cpu_time_grows_with_work():
    sampler = build(NOBODY)
    before_s = sampler.sample()["tester_cpu_s"]
    while sampler.sample()["tester_cpu_s"] == before_s:
        sum(range(100_000))

    assert sampler.sample()["tester_cpu_s"] > before_s


def test_without_proc_it_is_an_error(tmp_path: Path):
    with pytest.raises(SampleError, match="cannot be read"):
        build(NOBODY, tmp_path).sample()
