"""Does a target hold what it acknowledged? A soak that the oracle judges, with kills or without.

A kill is of all processes of the worker's session, the target's servers among them, as a machine's
end would be but for what the operating system holds; then `soak resume` goes on.
"""

import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from soak.apart import begin_apart
from soak.clock import Clock
from soak.conformance.interview import Answer
from soak.report.document import as_rows, as_section
from soak.rundir import RunDirectory
from soak.sentences import count
from soak.verdict import ExitCode

POLL_S = 0.05
FIGURES = 3  # told once a second: so long a worker works before it is killed
FAILED = (ExitCode.CORRECTNESS, ExitCode.OBJECTIVE, ExitCode.TARGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How the run ended, after so many kills."""

    exit_code: int
    kills_count: int
    directory: Path


def endured(name: str, scenario: Path, folder: Path, clock: Clock, kills_count: int) -> Answer:
    """What the oracle said of a soak that was killed so many times; of none where 0."""
    fate = _run(scenario, folder, clock, kills_count)
    report = RunDirectory(fate.directory).report
    if not report.exists():
        return Answer(name=name, status="unknown", reason=f"no report, see {fate.directory}")
    document = json.loads(report.read_bytes())
    oracle = as_section(document.get("oracle"))
    wrong = {kind: n for kind, n in as_section(oracle.get("violations")).items() if n}
    verdict = as_section(document.get("verdict"))
    if wrong or fate.exit_code in FAILED:
        listed = ", ".join(f"{count(float(str(n)))} {kind}" for kind, n in wrong.items())
        reason = f"{listed or verdict.get('reason')}; see {fate.directory}"
        return Answer(name=name, status="fail", reason=reason)
    if fate.kills_count < kills_count:
        reason = f"it ended after {fate.kills_count} of {kills_count} kills; let it last longer"
        return Answer(name=name, status="unknown", reason=reason)
    if not oracle.get("checked") or document.get("state") != "finished":
        return Answer(name=name, status="unknown", reason=str(verdict.get("reason")))
    return Answer(name=name, status="pass", reason=_checked(document, fate))


def _checked(document: dict[str, object], fate: Fate) -> str:
    checked = count(float(str(as_section(document["oracle"])["checked"])))
    if not fate.kills_count:
        return f"{checked} answers were right"
    gaps = as_rows(as_section(document.get("certificate")).get("gaps"))
    doubt = count(sum(float(str(gap.get("in_doubt_count"))) for gap in gaps))
    return f"{checked} answers were right over {fate.kills_count} kills, {doubt} writes in doubt"


def _run(scenario: Path, folder: Path, clock: Clock, kills_count: int) -> Fate:
    folder.mkdir()
    running = _Running(["run", str(scenario), "--out", str(folder / "runs")], folder)
    done = 0
    try:
        while done < kills_count and running.is_killed(clock):
            done += 1
            running = _Running(["resume", str(running.directory.path)], folder)
        code = running.end()
    finally:
        running.stop()
    return Fate(exit_code=code, kills_count=done, directory=running.directory.path)


class _Running:
    """A soak that goes on in a process of its own."""

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        self._runs = folder / "runs"
        self._ready_before = self._told()[0]
        with Path(os.devnull).open("rb") as nothing:
            self._process: Popen[bytes] = begin_apart(
                [*words, "--plain", "--listen", "127.0.0.1:0"], folder / "said", nothing.fileno()
            )

    @property
    def directory(self) -> RunDirectory:
        """Of the only run there is; where runs are while there is none."""
        made = [path for path in self._runs.glob("*") if path.is_dir()]
        return RunDirectory(made[0] if made else self._runs)

    def is_killed(self, clock: Clock) -> bool:
        """Kill its worker once that has worked for a while; False where it ended before."""
        while self._process.poll() is None:
            ready_count, told_count, pid = self._told()
            is_time = ready_count > self._ready_before and told_count >= FIGURES
            if is_time and self.directory.resumable.exists():
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                return self.end() == ExitCode.TARGET
            clock.sleep_s(POLL_S)
        return False

    def end(self) -> int:
        """Its exit code, when it is over."""
        return self._process.wait()

    def stop(self) -> None:
        """It goes when we do, as after a Ctrl-C, which does not reach it."""
        if self._process.poll() is None:
            self._process.terminate()

    def _told(self) -> tuple[int, int, int]:
        """How many workers were ready, how often the last one told figures since, and its pid."""
        log = self.directory.worker_log
        ready_count = told_count = pid = 0
        for line in log.read_bytes().splitlines() if log.exists() else ():
            head = line[:80]
            if b'"kind": "hello"' in head:
                pid = int(json.loads(line)["pid"])
            elif b'"kind": "ready"' in head:
                ready_count, told_count = ready_count + 1, 0
            told_count += b'"kind": "stats"' in head
        return ready_count, told_count, pid
