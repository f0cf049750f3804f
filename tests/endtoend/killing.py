"""Does a run that is killed again and again come to the end of an undisturbed one?

`python -m tests.endtoend.killed --kills 100 --seed 1` kills controller, worker or both at random
moments of an accelerated run, resumes it, and compares: every operation of the schedule was
answered once or was in flight at a kill, and no answer is wrong. Prints a line per kill.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
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


class Running:
    """A soak that goes, `command` being run or resume."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            [SOAK, *command, "--plain"],
            cwd=ROOT,
            env={**environment(), "SOAK_TIME_SCALE": str(SCALE)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_told(self, out: Path, workers: int, figures: int) -> bool:
        """Until its own worker, after so many others, told that many; False when it ended before.

        figures: 0 does not even wait for the worker.
        """
        for _ in range(POLLS):
            if self._process.poll() is not None:
                return False
            ready_count, told_count = ready_and_figures(out)
            is_time = not figures or (ready_count > workers and told_count >= figures)
            # Before its load began there is nothing to go on with.
            if is_time and any(out.glob("*/checkpoint.bin")):
                return True
            sleep_s(0.02)
        raise AssertionError("waited in vain")

    def kill(self, out: Path, who: str) -> None:
        """both: the worker, too, if there is one yet."""
        if who == "term":
            self._process.terminate()
        if who in ("controller", "both"):
            self._process.kill()
        if who in ("worker", "both"):
            with suppress(ProcessLookupError):
                os.kill(worker_pid(out), signal.SIGKILL)

    def end(self) -> tuple[int, str]:
        """Its exit code and its words, when it is over."""
        stdout, stderr = self._process.communicate(timeout=300)
        return self._process.returncode, stdout + stderr


def told(out: Path) -> Iterator[bytes]:
    logs = list(out.glob("*/worker.jsonl")) if out.exists() else []
    return iter(logs[0].read_bytes().splitlines() if logs else [])


def ready_and_figures(out: Path) -> tuple[int, int]:
    """How many workers were ready, and how often the last one told figures since."""
    ready_count = told_count = 0
    for line in told(out):
        if b'"kind": "ready"' in line[:80]:
            ready_count, told_count = ready_count + 1, 0
        told_count += b'"kind": "stats"' in line[:80]
    return ready_count, told_count


def worker_pid(out: Path) -> int:
    hellos = [line for line in told(out) if b'"kind": "hello"' in line]
    return int(json.loads(hellos[-1])["pid"])


def killed_run(
    scenario: Path, out: Path, kills: Iterable[Kill]
) -> Iterator[tuple[Kill | None, int, str]]:
    """Every kill that came in time with its exit code and words; at last the end, without one."""
    running, workers = Running("run", str(scenario), "--out", str(out)), 0
    for kill in kills:
        if not running.has_told(out, workers, kill.after):
            break
        workers = ready_and_figures(out)[0]
        running.kill(out, kill.who)
        yield kill, *running.end()
        running = Running("resume", str(only_run(out)))
    yield None, *running.end()


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


def drawn_kill(rng: np.random.Generator) -> Kill:
    after = int(rng.integers(0, 7))
    whom = list(CODES) if after else ["controller", "both"]
    return Kill(who=str(rng.choice(whom)), after=after)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    rng = np.random.default_rng(asked.seed)
    kills = [drawn_kill(rng) for _ in range(asked.kills)]
    with tempfile.TemporaryDirectory() as below:
        path = Path(below) / "killed.yaml"
        scenario = write_scenario(path, seed=asked.seed, seconds=12.0 * asked.kills)
        out = Path(below) / "runs"
        wrong, happened = 0, 0
        for kill, code, words in killed_run(scenario, out, kills):
            if kill is None:
                sys.stdout.write(f"the end: exit code {code}\n{words}")
                continue
            happened += 1
            sys.stdout.write(f"{happened:4} {kill.who:10} after {kill.after}: {code}\n")
            sys.stdout.flush()
            if code != CODES[kill.who]:
                wrong += 1
                sys.stdout.write(words)
        report = report_of(out)
        lost = missing(scenario, report)
        violations = sum(report["oracle"]["violations"].values())
        total = scheduled(scenario).total()
        sys.stdout.write(
            f"seed {asked.seed}: {happened} kills; {total} operations, {lost} without a result, "
            f"{in_doubt(report)} in doubt; {violations} wrong answers; "
            f"verdict {report['verdict']}\n"
        )
    return int(bool(wrong or violations or lost != in_doubt(report) or happened < asked.kills))


if __name__ == "__main__":
    sys.exit(main())
