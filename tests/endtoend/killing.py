"""How is a run killed again and again, resumed each time, and compared with its schedule?"""

import json
import math
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soak.clock import sleep_s
from soak.load.workload import Workload
from soak.result import OPERATIONS
from soak.scenario import load
from tests.endtoend.conftest import ROOT, SOAK, environment, only_run

SCALE = 5
CODES = {"controller": -9, "worker": 14, "both": -9, "term": 143}
POLL_S = 0.02
POLLS = 6_000
SCENARIO = """\
name: killed
question: Does it go on?
seed: {seed}
rate: 60/s
listen: null
target: {{name: {target}, timeout: 10m, params: {{capacity_records: 2000{more}}}}}
population: {{keys: 4000, agents: 8, preload: 1000}}
phases:
  - {{name: warm-up, duration: {warm_s}s, warm: true, mix: {{store: 40, get: 30, update: 5}}}}
  - name: steady
    duration: {steady_s}s
    mix: {{store: 25, store_batch: 2, get: 30, search: 20, update: 8, delete: 12, link: 4,
          traverse: 2, scan: 0.5, maintain: 0.3, reopen: 0.2}}
checks:
  - {{name: wrong-answers, detector: never}}
observe: {{window: 5s, judge: 5s, recall_every: 2s}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Whom, and after how many of the worker's figures: one a second of run time.

    After none: at once, while it is being resumed; whom there is then is the controller.
    """

    who: str
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One `soak run` or `soak resume`. kill: what ended it, None where it came to its end.

    load_after_s: real seconds from the command to the first figure of a worker under load; nan
    where it was killed before.
    """

    kill: Kill | None
    code: int
    words: str
    load_after_s: float


class Told:
    """What the workers of the run below a folder told so far; only what is new is read.

    pids: of all ever seen, also of those whose lines were cut since; pid: of the last one, 0 before
    any; figures: how often it told some.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._read_bytes = 0
        self.pid = self.figures = 0
        self.pids: set[int] = set()

    @property
    def has_checkpoint(self) -> bool:
        return any(self._out.glob("*/checkpoint.bin"))

    def look(self) -> None:
        logs = list(self._out.glob("*/worker.jsonl")) if self._out.exists() else []
        if not logs:
            return
        if logs[0].stat().st_size < self._read_bytes:
            # A run that goes on cuts what came after its last checkpoint.
            self._read_bytes = self.figures = 0
        with logs[0].open("rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if line.endswith(b"\n"):
                    self._read_bytes += len(line)
                    self._take(line)

    def _take(self, line: bytes) -> None:
        if b'"kind": "hello"' in line[:80]:
            self.pid, self.figures = int(json.loads(line)["pid"]), 0
            self.pids.add(self.pid)
        self.figures += b'"kind": "stats"' in line[:80]


class Running:
    """A soak that goes, `command` being run or resume, `scale` times faster than real time."""

    def __init__(self, *command: str, scale: float = SCALE) -> None:
        self._scale = scale
        self._began_s = time.monotonic()
        self.load_after_s = float("nan")
        # In a file: a pipe that nobody reads until the end would hold it up when it is full.
        self._words = tempfile.TemporaryFile("w+")  # noqa: SIM115 (until `end`)
        self._before: frozenset[int] = frozenset()
        self._process = subprocess.Popen(
            [SOAK, *command, "--plain"],
            cwd=ROOT,
            env={**environment(), "SOAK_TIME_SCALE": f"{scale:g}"},
            stdout=self._words,
            stderr=subprocess.STDOUT,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_told(self, told: Told, figures: int) -> bool:
        """Until its own worker told that many; False when it ended before.

        figures: 0 does not even wait for the worker.
        """
        self._before = frozenset(told.pids)
        for _ in range(POLLS + int(2 * figures / self._scale / POLL_S)):
            if self._process.poll() is not None:
                return False
            told.look()
            self._note_load(told)
            is_time = not figures or (told.pid not in self._before and told.figures >= figures)
            # Before its load began there is nothing to go on with.
            if is_time and told.has_checkpoint:
                return True
            sleep_s(POLL_S)
        raise AssertionError("waited in vain")

    def _note_load(self, told: Told) -> None:
        if math.isnan(self.load_after_s) and told.pid not in self._before and told.figures:
            self.load_after_s = time.monotonic() - self._began_s

    def kill(self, told: Told, who: str) -> None:
        """both: the worker, too, if there is one yet."""
        if who == "term":
            self._process.terminate()
        if who in ("controller", "both"):
            self._process.kill()
        if who in ("worker", "both") and told.pid not in self._before:
            with suppress(ProcessLookupError):
                os.kill(told.pid, signal.SIGKILL)

    def end(self, kill: Kill | None = None, within_s: float = 300.0) -> Course:
        """How it went, when it is over."""
        code = self._process.wait(within_s)
        with self._words:
            self._words.seek(0)
            words = self._words.read()
        return Course(kill=kill, code=code, words=words, load_after_s=self.load_after_s)


def killed_run(
    command: Sequence[str],
    out: Path,
    kills: Iterable[Kill],
    scale: float = SCALE,
    within_s: float = 300.0,
) -> Iterator[Course]:
    """One for every kill that came in time; at last the one that came to the end.

    within_s: what the last part may take.
    """
    told = Told(out)
    running = Running(*command, "--out", str(out), scale=scale)
    for kill in kills:
        if not running.has_told(told, kill.after):
            break
        running.kill(told, kill.who)
        yield running.end(kill)
        running = Running("resume", str(only_run(out)), scale=scale)
    running.has_told(told, 1)
    yield running.end(within_s=within_s)


def scheduled(scenario: Path) -> Counter[str]:
    """How many operations of each kind an undisturbed run issues."""
    workload = Workload(load(scenario))
    found: Counter[str] = Counter()
    while (block := workload.next_block()) is not None:
        codes, counts = np.unique(block.operation, return_counts=True)
        found.update({OPERATIONS[c]: int(n) for c, n in zip(codes, counts, strict=True)})
    return found


def report_of(out: Path) -> dict[str, Any]:
    return json.loads((only_run(out) / "report.json").read_text())


def missing(scenario: Path, report: dict[str, Any]) -> int:
    """Operations of the schedule that have no result; negative where some have two."""
    found = scheduled(scenario)
    counts = {name: row["count"] for name, row in report["operations"].items()}
    assert all(counts[name] <= found[name] for name in counts), (counts, found)
    return sum(found.values()) - sum(counts.values())


def in_doubt(report: dict[str, Any]) -> int:
    return sum(gap["in_doubt_count"] for gap in report["certificate"]["gaps"])


def write_scenario(
    path: Path, *, seed: int, seconds: float, target: str = "engine", more: str = ""
) -> Path:
    path.write_text(
        SCENARIO.format(
            seed=seed, target=target, more=more, warm_s=seconds / 6, steady_s=seconds * 5 / 6
        )
    )
    return path
