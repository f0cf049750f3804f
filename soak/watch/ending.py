"""How did the run end, and what is written then? Where not the checks but its end decides."""

import io
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import numpy as np

from soak.clock import NS_PER_S, iso_utc
from soak.judge.patience import Abort, Patience
from soak.rundir import RunDirectory
from soak.scenario import Scenario
from soak.snapshot import Snapshot, State
from soak.verdict import ExitCode, RunVerdict, Status, Verdict
from soak.watch.events import EventLog
from soak.watch.group_memory import GroupMemory
from soak.watch.observer import Observer
from soak.watch.status import warm_until_s
from soak.watch.windows import Windows
from soak.watch.worker_log import WorkerFacts


class Mortal(Protocol):
    """What may end by itself: a `WorkerProcess`. exit_code: None while it runs."""

    def exit_code(self) -> int | None: ...
    def last_words(self) -> str: ...
    def kill(self) -> None: ...


@dataclass(slots=True)
class Ending:
    """Why a run ends before its time; written by whoever notices, all empty while it goes on.

    The tester's own failure counts most, because it says nothing about the target.
    """

    tester_failure: str = ""
    target_failure: str = ""
    signal_number: int = 0
    abort: Abort | None = None
    memory: GroupMemory = field(default_factory=GroupMemory)
    patience: Patience = field(default_factory=lambda: Patience((), 0.0))

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """What may end a run of this scenario."""
        return cls(patience=Patience(scenario.checks, warm_until_s(scenario)))

    def has_died(self, worker: Mortal, observer: Observer) -> bool:
        """Whether the worker ended by itself; then observer has read all it ever wrote.

        One that is about to take the tester with it is killed before.
        """
        if worker.exit_code() is not None:
            self.target_failure = f"the worker ended during the run: {worker.last_words()}"
        elif shortage := self.memory.shortage():
            worker.kill()
            self.target_failure = f"the target was killed when memory ran out: {shortage}"
        else:
            return False
        # It wrote why between the last look and its end.
        observer.follow_worker()
        return True

    def hear(self, facts: WorkerFacts) -> None:
        """What the worker said of its end tells more than that it ended.

        A target that goes after somebody stopped the run, and often it as well, has not failed.
        """
        if facts.failed:
            self.tester_failure = facts.failed
        elif facts.unavailable and not self.signal_number:
            self.target_failure = f"the target is gone: {facts.unavailable}"

    def heed(self, snapshot: Snapshot, held: dict[str, Verdict], events: EventLog) -> None:
        """A check may end the run: an event. held: gets what it says, which then stands."""
        self.abort = self.abort or self.patience.look(snapshot)
        if self.abort is not None:
            check = self.abort.verdict.check
            held[check] = self.abort.verdict
            at_ns = events.origin_ns + round(self.abort.at_s * NS_PER_S)
            failed_s = self.abort.failed_s
            events.add("abort", "detected", at_ns, 0, {"check": check, "failed_s": failed_s})

    @property
    def is_near(self) -> bool:
        failure = self.tester_failure or self.target_failure
        return bool(failure or self.signal_number or self.abort)

    @property
    def state(self) -> State:
        if self.tester_failure or self.target_failure:
            return "failed"
        return "interrupted" if self._is_stopped else "finished"

    @property
    def _is_stopped(self) -> bool:
        """By a signal; one that came when a check had ended the run is late."""
        return bool(self.signal_number) and self.abort is None

    def verdict(self, elapsed_s: float, loss: str = "") -> RunVerdict | None:
        """The run's verdict; None where the checks decide. loss: what the record lacks."""
        status, code = Status.UNKNOWN, int(ExitCode.UNKNOWN)
        if self.tester_failure:
            reason = f"the tester failed: {self.tester_failure.splitlines()[0]}"
        elif self.target_failure:
            status, code, reason = Status.FAIL, int(ExitCode.TARGET), self.target_failure
        elif self._is_stopped:
            code = 128 + self.signal_number
            reason = f"stopped by signal {self.signal_number} after {elapsed_s:.0f} s"
        else:
            return None
        reason = "; ".join(filter(None, [reason, loss]))
        return RunVerdict(status=status, exit_code=code, reason=reason)

    def told(self, snapshot: Snapshot) -> Snapshot:
        """With the abort in the reason, where something graver than the check decides."""
        verdict = snapshot.verdict
        if self.abort is None or self.abort.sentence in verdict.reason:
            return snapshot
        reason = f"{verdict.reason}; {self.abort.sentence}"
        return replace(snapshot, verdict=replace(verdict, reason=reason))


def write_histograms(directory: RunDirectory, windows: Windows) -> None:
    """Raises RunDirError, and then leaves none."""
    content = io.BytesIO()
    arrays: dict[str, Any] = dict(windows.arrays())
    np.savez_compressed(content, **arrays)
    directory.replace(directory.histograms, content.getvalue())


def write_checkpoint(directory: RunDirectory, snapshot: Snapshot, scheduled: int) -> None:
    """How far the run came. Raises RunDirError."""
    directory.replace_json(
        directory.checkpoint,
        {
            "run_id": directory.run_id,
            "state": snapshot.state,
            "seed": snapshot.identity.seed,
            "started": iso_utc(snapshot.identity.started),
            "elapsed_s": snapshot.elapsed_s,
            "scheduled": scheduled,
            "exit_code": int(snapshot.verdict.exit_code),
        },
    )
