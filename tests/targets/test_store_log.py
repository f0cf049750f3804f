"""Does the file of the memory target hold what was acknowledged, and nothing else?"""

from pathlib import Path

import numpy as np
import pytest

from soak.clock import SystemClock
from soak.result import TargetError
from soak.seams import Record
from soak.show.occurred import MAINTENANCE_KINDS
from soak.targets import memory
from soak.targets._store_log import StoreLog
from tests.crowded import largest_file


def record(key: int) -> Record:
    vector = np.array([1, 0], dtype=np.float32)
    return Record(key=key, agent=0, text="x" * 50, vector=vector, importance=0.5)


def keys(log: StoreLog) -> list[int]:
    return [entry.key for entry in log.replay() if isinstance(entry, Record)]


def test_what_finds_no_room_is_refused_and_leaves_no_half_record(tmp_path: Path):
    log = StoreLog(tmp_path / "records.log")
    log.put(record(1))
    with largest_file(log.size_bytes + 20), pytest.raises(TargetError, match="no room"):
        log.put(record(2))
    with largest_file(log.size_bytes), pytest.raises(TargetError, match="cannot be written"):
        log.put(record(3))
    log.put(record(4))
    assert [1, 4] == keys(log)


def test_a_rewrite_without_room_keeps_the_old_file(tmp_path: Path):
    log = StoreLog(tmp_path / "records.log")
    log.put(record(1))
    with largest_file(20), pytest.raises(TargetError, match="cannot be rewritten"):
        log.rewrite([record(1)], [])
    assert [1] == keys(log)
    assert ["records.log"] == [path.name for path in tmp_path.iterdir()]


def test_a_rewrite_that_cannot_even_open_its_file_is_a_target_error(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    log = StoreLog(folder / "records.log")
    log.put(record(1))
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(TargetError, match="cannot be rewritten"):
        log.rewrite([record(1)], [])
    (tmp_path / "elsewhere").rename(folder)
    assert [1] == keys(log)


def test_maintenance_is_called_what_the_metrics_know(tmp_path: Path):
    target = memory.build(memory.Params(dimensions=2), tmp_path, SystemClock())
    target.maintain()
    assert {"compact"} == {event.kind for event in target.events(0)} & set(MAINTENANCE_KINDS)
