"""Does a sampled stack name the function at work, and are sleepers left out?"""

import json
from pathlib import Path
from threading import Event, Thread

import pytest

from soak.load import profiler
from soak.load.profiler import REQUEST, STACKS, answer, sampled
from soak.report.flame import parsed
from soak.rundir import RunDirectory


def spin(stop: Event) -> None:
    while not stop.is_set():
        sum(range(500))


def doze(stop: Event) -> None:
    stop.wait()


@pytest.fixture
def working():
    stop = Event()
    threads = [Thread(target=work, args=(stop,), daemon=True) for work in (spin, doze)]
    for thread in threads:
        thread.start()
    yield stop
    stop.set()
    for thread in threads:
        thread.join()


def until_seen(stacks_of, wanted: str, tries: int = 50) -> str:
    """The stacks, as soon as the wanted function is in them: a crowded machine takes longer."""
    for _ in range(tries):
        found = stacks_of()
        if wanted in found:
            return found
    raise AssertionError(f"{wanted} is not in {found}")


def test_a_thread_at_work_is_seen_in_its_function_and_one_that_waits_is_not(working: Event):
    found = until_seen(lambda: "\n".join(sampled(0.05)), "load/test_profiler:spin")

    assert "doze" not in found
    assert any(line.endswith(("spin", "Event.is_set")) for line in found.splitlines())


def test_what_was_asked_for_is_left_in_the_run_directory(working: Event, tmp_path: Path):
    directory = RunDirectory(tmp_path)
    (tmp_path / REQUEST).write_text(json.dumps({"duration_s": 0.1}))

    def asked() -> str:
        profiler._profile(directory)
        return (tmp_path / STACKS).read_text()

    stacks = parsed(until_seen(asked, "spin"))
    assert any("load/test_profiler:spin" in stack for stack in stacks)


@pytest.mark.parametrize("request_text", [None, "", "[]", '{"duration_s": "long"}'])
def test_a_request_that_cannot_be_read_is_none(request_text: str | None, tmp_path: Path):
    if request_text is not None:
        (tmp_path / REQUEST).write_text(request_text)
    profiler._profile(RunDirectory(tmp_path))

    assert not (tmp_path / STACKS).exists()


def test_the_answer_does_not_wait(tmp_path: Path):
    (tmp_path / REQUEST).write_text('{"duration_s": 0.01}')
    answer(RunDirectory(tmp_path))  # returns at once; the thread is a daemon
