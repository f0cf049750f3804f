"""Is what the record lacks counted and named once, however often the run goes on?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from soak.clock import SystemClock
from soak.load.ring import Ring
from soak.rundir import LineLog, RunDirectory
from soak.state import packed, unpacked
from soak.watch.events import EventLog
from soak.watch.losses import Losses
from soak.watch.worker_log import LogTail

FULL = Path("/dev/full")


@pytest.fixture
def log() -> Iterator[LineLog]:
    log = LineLog(FULL)
    yield log
    log.close()


def losses(path: Path, log: LineLog) -> Losses:
    directory, events = RunDirectory(path), EventLog(log)
    events.begin(0, wall_s=0.0)
    ring = Ring.create(path / "ring.bin", 16)
    tail = LogTail(directory.worker_log)
    return Losses(directory, [log], ring, tail, events, SystemClock())


def test_lines_that_were_lost_before_a_run_went_on_stay_lines(log: LineLog, tmp_path: Path):
    first = losses(tmp_path, log)
    for _ in range(3):
        log.append("a line")
    first.look()
    event_count = 1  # record_lost itself finds no room
    assert 3 + event_count == first.line_count

    tree, roomy = first.state(), LineLog(tmp_path / "events.jsonl")
    for _ in range(3):
        after = losses(tmp_path, roomy)
        after.restore(unpacked(*packed(tree)), missing_count=0)
        after.look()
        tree = after.state()
    roomy.close()

    assert 4 == after.line_count
    assert first.sentence() == after.sentence()
    assert (
        f"the run directory {tmp_path} lacks lines of its logs, 4 in all, "
        "(full: No space left on device)" == after.sentence()
    )
    assert "" == (tmp_path / "events.jsonl").read_text()


def test_lines_lost_since_are_added(log: LineLog, tmp_path: Path):
    found = losses(tmp_path, log)
    seven = {"line_count": 7, "troubles": ["worker.jsonl: damaged lines"], "is_told": True}
    found.restore(seven, missing_count=0)

    log.append("a line")

    assert 8 == found.line_count
    assert "(worker.jsonl: damaged lines; full: No space left on device)" in found.sentence()


def test_what_was_lost_after_the_last_checkpoint_the_ring_knows(log: LineLog, tmp_path: Path):
    first = losses(tmp_path, log)
    none = first.state()
    for _ in range(3):
        log.append("a line")
    first.look()  # its event finds no room
    first.look()
    ring = Ring.open(tmp_path / "ring.bin")
    missing = ring.missing_lines
    ring.close()

    roomy = LineLog(tmp_path / "events.jsonl")
    after = losses(tmp_path, roomy)
    after.restore(none, missing_count=missing)
    after.look()
    roomy.close()

    assert 4 == missing == after.line_count
    assert "4 in all, (after its last checkpoint" in after.sentence()
    assert "record_lost" in (tmp_path / "events.jsonl").read_text()
