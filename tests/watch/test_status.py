"""Are all totals of a run known to checks, and are leaks those of bytes?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from soak.clock import SystemClock
from soak.detectors._totals import TOTALS
from soak.load.ring import Ring
from soak.result import OPERATIONS, Violation, violation_code
from soak.rundir import LineLog, RunDirectory
from soak.scenario import load
from soak.verdict import Concern, Verdict
from soak.verdict import Status as Answer
from soak.watch.environment import identity_of
from soak.watch.events import EventLog
from soak.watch.losses import Losses
from soak.watch.observer import Observer
from soak.watch.status import Status, flat, is_measured
from soak.watch.windows import Windows
from soak.watch.worker_log import LogTail, WorkerFacts


@dataclass(frozen=True)
class Scene:
    status: Status
    observer: Observer
    facts: WorkerFacts


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    directory, scenario, clock = RunDirectory(tmp_path), load("smoke"), SystemClock()
    logs = [LineLog(directory.events), LineLog(directory.verdicts)]
    events, tail = EventLog(logs[0]), LogTail(directory.worker_log)
    facts = WorkerFacts()
    observer = Observer(scenario, directory, clock, events, facts, tail)
    logs += observer.logs
    losses = Losses(directory, logs, Ring.create(directory.ring, 16), tail, events, clock)
    identity = identity_of(scenario, directory, clock)
    status = Status(scenario, identity, observer, events, logs[1], losses)
    yield Scene(status, observer, facts)
    for log in logs:
        log.close()


def test_a_score_stands_in_one_sample(scene: Scene):
    """A search that nobody scores any more has no recall, rather than that of an hour ago."""

    def seen() -> float:
        return scene.status.known(100.0)["recall"]

    before = seen()
    scene.facts.fold({"kind": "recall", "recall": 0.8, "k": 10})
    scene.facts.fold({"kind": "recall", "recall": 0.9, "k": 10})

    assert [0.9, np.nan] == pytest.approx([seen(), seen()], nan_ok=True)
    assert np.isnan(before)


def test_a_run_that_goes_on_does_not_tell_its_last_score_again(scene: Scene):
    scene.facts.fold({"kind": "recall", "recall": 0.8, "k": 10})
    scene.status.known(100.0)
    resumed = WorkerFacts()
    resumed.restore(scene.facts.state())

    assert np.isnan(resumed.new_recall())


def test_a_sample_counts_wrong_answers_of_all_kinds(scene: Scene):
    times = np.ones(3, dtype=np.int64)
    operation = np.full(3, OPERATIONS.index("get"))
    kinds = (Violation.LOST, Violation.STALE, Violation.STALE)
    codes = np.array([violation_code(kind) for kind in kinds], dtype=np.uint8)
    scene.observer.windows.add(operation, times, times, times, codes)

    assert 3.0 == scene.status.known(100.0)["violations_total"]


def test_every_total_of_every_operation_can_be_named_in_a_check():
    totals = flat(Windows(list(OPERATIONS), 10.0, 30.0).totals(), length_s=1.0)

    assert set() == set(totals) - TOTALS
    assert set() == {f"all_{name}" for name in totals} - TOTALS


def test_files_that_pile_up_are_no_leak_of_bytes():
    def leak(detector: str, unit: str) -> Verdict:
        return Verdict(
            check=detector,
            detector=detector,
            concern=Concern.LEAK,
            status=Answer.FAIL,
            reason="it grows",
            effect=4.0,
            unit=unit,
        )

    assert [True, False] == [
        is_measured(leak("leak", "bytes/s")),
        is_measured(leak("pile_up", "per hour")),
    ]
