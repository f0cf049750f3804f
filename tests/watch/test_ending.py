"""Does a run that ends before its time say whose failure that was?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.judge.patience import Patience
from soak.rundir import LineLog, RunDirectory
from soak.scenario import load
from soak.verdict import ExitCode, Status
from soak.watch.ending import Ending
from soak.watch.events import EventLog
from soak.watch.observer import Observer
from soak.watch.worker_log import LogTail, WorkerFacts
from tests.snapshots import six_hours
from tests.watch.test_group_memory import container


@dataclass
class Scripted:
    """A worker that ended after the last look at its log, or lives until it is killed."""

    code: int | None

    def exit_code(self) -> int | None:
        return self.code

    def last_words(self) -> str:
        return f"exit code {self.code}"

    def kill(self) -> None:
        self.code = -9


@dataclass
class Impatient:
    """A check that ends a run as soon as it fails."""

    name: str
    abort: float | None = 0.0


@pytest.fixture
def observer(tmp_path: Path) -> Iterator[Observer]:
    directory = RunDirectory(tmp_path)
    log = LineLog(directory.events)
    tail = LogTail(directory.worker_log)
    observer = Observer(load("smoke"), directory, SystemClock(), EventLog(log), WorkerFacts(), tail)
    yield observer
    for each in (log, *observer.logs):
        each.close()


def ending(observer: Observer, worker: Scripted, said: Path, *lines: dict[str, object]) -> Ending:
    said.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ending = Ending()
    assert ending.has_died(worker, observer)
    ending.hear(observer.facts)
    return ending


def test_a_bug_of_the_tester_told_with_the_last_breath_is_not_the_targets(
    observer: Observer, tmp_path: Path
):
    failed = {"kind": "failed", "reason": "KeyError: 'k'"}

    found = ending(observer, Scripted(ExitCode.UNKNOWN), tmp_path / "worker.jsonl", failed)
    verdict = found.verdict(5.0)

    assert verdict is not None
    assert (Status.UNKNOWN, ExitCode.UNKNOWN) == (verdict.status, verdict.exit_code)
    assert "the tester failed: KeyError: 'k'" == verdict.reason


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "the worker ended during the run: exit code 14"),
        (
            [{"kind": "unavailable", "reason": "the server is shutting down"}],
            "the target is gone: the server is shutting down",
        ),
    ],
    ids=["silent", "in its words"],
)
def test_a_target_that_is_gone_is_told_in_its_own_words(
    observer: Observer, tmp_path: Path, lines: list[dict[str, object]], reason: str
):
    found = ending(observer, Scripted(ExitCode.TARGET), tmp_path / "worker.jsonl", *lines)
    verdict = found.verdict(5.0)

    assert verdict is not None
    assert (Status.FAIL, ExitCode.TARGET) == (verdict.status, verdict.exit_code)
    assert reason == verdict.reason


def test_a_target_that_takes_all_memory_is_killed_before_it_takes_the_tester_along(
    observer: Observer, tmp_path: Path
):
    worker, found = Scripted(None), Ending(memory=container(tmp_path, current=980_000_000))

    assert found.has_died(worker, observer)

    verdict = found.verdict(5.0)
    assert verdict is not None
    assert (-9, ExitCode.TARGET) == (worker.code, verdict.exit_code)
    held = "980 MB of its control group's 1,000 MB are held"
    assert f"the target was killed when memory ran out: {held}" == verdict.reason


def test_a_target_that_leaves_room_lives(observer: Observer, tmp_path: Path):
    worker, found = Scripted(None), Ending(memory=container(tmp_path, current=900_000_000))

    assert not found.has_died(worker, observer)
    assert None is worker.code


def test_a_check_that_ends_a_run_leaves_its_verdict_an_event_and_nothing_to_go_on_with(
    tmp_path: Path,
):
    seen = six_hours(count=1)
    failed = replace(seen.verdicts[0], status=Status.FAIL)
    log = LineLog(tmp_path / "events.jsonl")
    events, held = EventLog(log), {}
    ending = Ending(patience=Patience([Impatient(failed.check)], 0.0))

    ending.heed(replace(seen, verdicts=(failed,), judged_s=90.0), held, events)
    log.close()
    ending.signal_number = 2

    assert ending.is_near
    assert ("finished", None) == (ending.state, ending.verdict(91.0))
    assert ending.abort is not None
    assert {failed.check: ending.abort.verdict} == held
    assert [("abort", 90.0, failed.check)] == [
        (each.kind, each.time_s, each.details["check"]) for each in events.latest
    ]
    graver = replace(seen, verdict=replace(seen.verdict, reason="an answer was wrong"))
    told = ending.told(graver).verdict.reason
    assert f"an answer was wrong; {ending.abort.sentence}" == told
    assert told == ending.told(ending.told(graver)).verdict.reason


def test_a_target_that_goes_after_the_run_was_stopped_has_not_failed():
    ending = Ending(signal_number=15)

    ending.hear(WorkerFacts(unavailable="the server is shutting down"))

    assert "interrupted" == ending.state
