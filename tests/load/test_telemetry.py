"""Does whoever follows the worker's log know all it would know if every line said everything?"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from soak.load.client import ErrorClasses
from soak.load.telemetry import WHOLE_EVERY, Telemetry, WorkerLog
from soak.rundir import finite
from soak.watch.worker_log import EVICTED, WorkerFacts
from tests.mixed_load import small_population

Stats = dict[str, float]


class Lines:
    """A log that loses what it is told to lose."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.lost_count = 0
        self.is_full = False

    def append_json(self, document: Mapping[str, object]) -> None:
        if self.is_full:
            self.lost_count += 1
        else:
            self.texts.append(json.dumps(finite(document), allow_nan=False))

    def stats(self) -> list[dict[str, object]]:
        return [line for line in map(json.loads, self.texts) if line["kind"] == "stats"]


class Talking:
    """A target that says of itself what it is given."""

    def __init__(self) -> None:
        self.said: Stats = {}

    def stats(self) -> Stats:
        return self.said

    def count(self) -> int:
        return 7

    def events(self, since: int) -> list[object]:
        return []


class Scene:
    def __init__(self, path: Path) -> None:
        self.lines, self.target, self.facts = Lines(), Talking(), WorkerFacts()
        self._telemetry = Telemetry(
            WorkerLog(self.lines), self.target, small_population(path), ErrorClasses()
        )
        self._read = 0

    def report(self, said: Stats) -> None:
        self.target.said = said
        self._telemetry.report()
        for text in self.lines.texts[self._read :]:
            self.facts.fold(json.loads(text))
        self._read = len(self.lines.texts)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_line_has_what_changed_and_its_reader_knows_everything(scene: Scene):
    said = [
        {"a_bytes": 5.0, "b_ratio": 1 / 3, EVICTED: 0.0},
        {"a_bytes": 6.0, "b_ratio": 1 / 3, EVICTED: 0.0},
        {"a_bytes": 6.0, "c_count": 2, EVICTED: 9.0},
        {"a_bytes": math.nan, "c_count": 2, EVICTED: 9.0},
    ]
    known = []
    for each in said:
        scene.report(each)
        known.append(scene.facts.stats)

    assert [
        {"a_bytes": 5, "b_ratio": 0.333333333, EVICTED: 0},
        {"a_bytes": 6},
        {"b_ratio": None, "c_count": 2, EVICTED: 9},
        {"a_bytes": None},
    ] == [line["values"] for line in scene.lines.stats()]
    assert [
        {"a_bytes": 5.0, "b_ratio": 0.333333333, EVICTED: 0.0},
        {"a_bytes": 6.0, "b_ratio": 0.333333333, EVICTED: 0.0},
        {"a_bytes": 6.0, "c_count": 2.0, EVICTED: 9.0},
        {"c_count": 2.0, EVICTED: 9.0},
    ] == known


def test_after_a_line_that_was_lost_everything_is_told(scene: Scene):
    scene.report({"a_bytes": 1.0, "b_bytes": 1.0})
    scene.lines.is_full = True
    scene.report({"a_bytes": 2.0, "b_bytes": 1.0})
    scene.lines.is_full = False
    scene.report({"a_bytes": 2.0, "b_bytes": 1.0})

    assert {"a_bytes": 2.0, "b_bytes": 1.0} == scene.facts.stats


def test_a_reader_that_missed_a_line_knows_everything_within_a_minute(scene: Scene):
    for _ in range(WHOLE_EVERY + 1):
        scene.report({"a_bytes": 2.0})
    late = WorkerFacts()
    for line in scene.lines.stats()[1:]:
        late.fold(line)

    assert {"a_bytes": 2.0} == late.stats


def test_what_was_forgotten_before_this_worker_stays_in_the_sum(scene: Scene):
    scene.facts.evicted_count = 50.0
    for count in (3.0, 3.0, 4.0):
        scene.report({EVICTED: count})

    assert 54.0 == scene.facts.stats[EVICTED] == scene.facts.evicted_count
