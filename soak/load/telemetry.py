"""What does the worker tell the controller? Figures, events and words, in lines of worker.jsonl.

Of the target's figures only what changed is in a line, and once a minute all (`whole`), for who
missed one: with all of them in every line a run of four weeks left 6.5 GB, now 3.

Asked of the target from a thread of its own, so that a target that hangs in `stats` delays no
operation; whatever it raises there is told, too, and ends nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Protocol

from soak.clock import NS_PER_S, monotonic_ns, sleep_s
from soak.load.client import ErrorClasses, Stop
from soak.load.hiccup import HiccupMeter
from soak.load.yardstick import Yardstick
from soak.oracle.population import Population
from soak.oracle.recall import probe
from soak.result import Failure, attempt
from soak.rundir import LineLog
from soak.seams import Target

FORGETTING_S = 0.1
REPORT_S = 1.0
WHOLE_EVERY = 60  # reports
# Floats hold every whole number up to here.
EXACT = 2.0**53
# Of each kind: what a broken target could otherwise fill the disk with.
MOST_VIOLATIONS = 1_000
MOST_MAINTENANCE = 20_000


class Report(Protocol):
    """One thing to tell."""

    def __call__(self) -> None: ...


class WorkerLog:
    """worker.jsonl as the worker writes it: each line with its time and kind."""

    def __init__(self, lines: LineLog) -> None:
        self._lines = lines

    @property
    def lost_count(self) -> int:
        """Lines that found no room."""
        return self._lines.lost_count

    def tell(self, kind: str, **facts: object) -> None:
        self._lines.append_json({"t_ns": monotonic_ns(), "kind": kind, **facts})


class Changes:
    """Figures as they were told last; `take` gives what has to be told now."""

    def __init__(self) -> None:
        self._told: Mapping[str, float] = {}

    def take(self, figures: Mapping[str, float], *, is_whole: bool) -> dict[str, float]:
        """Those that changed, with nan for those that are gone; all of them if is_whole."""
        before, self._told = self._told, {name: short(value) for name, value in figures.items()}
        if is_whole:
            return dict(self._told)
        gone = dict.fromkeys(before.keys() - self._told.keys(), math.nan)
        return gone | {name: v for name, v in self._told.items() if before.get(name) != v}


def short(value: float) -> float:
    """The same in few characters: whole numbers without a point, others with nine digits."""
    if type(value) is not float or not math.isfinite(value):
        return value  # whatever else a target says of itself
    return int(value) if value.is_integer() and abs(value) < EXACT else float(f"{value:.9g}")


class Telemetry:
    """The worker's reports. `run` and `run_probe` each belong into a thread of their own."""

    def __init__(
        self, log: WorkerLog, target: Target, population: Population, errors: ErrorClasses
    ) -> None:
        self._log = log
        self._target = target
        self._population = population
        self._errors = errors
        self.hiccups = HiccupMeter()
        self._yardstick = Yardstick()
        self._told_errors = errors.known_count
        self._told_violations = 0
        self._told_maintenance = 0
        self._last_event = 0
        self._stats = Changes()
        self._eviction = Changes()
        self._fidelity = Changes()
        self._report_count = 0
        self._lost_count = 0
        self._is_whole = True

    def run(self, stop: Stop) -> None:
        """Ten times a second whether the target may forget and how fast the machine is, once a
        second everything else."""
        next_ns = monotonic_ns()
        while not stop.asked:
            self._try("may_forget", self._ask_may_forget)
            self._yardstick.measure()
            if monotonic_ns() >= next_ns:
                next_ns = monotonic_ns() + round(REPORT_S * NS_PER_S)
                self.report()
            sleep_s(FORGETTING_S)

    def run_probe(self, stop: Stop, every_s: float) -> None:
        """Score the latest search at most every that many seconds."""
        next_ns = monotonic_ns()
        while not stop.asked:
            if monotonic_ns() >= next_ns:
                next_ns = monotonic_ns() + round(every_s * NS_PER_S)
                self._try("recall", self._probe)
            sleep_s(min(every_s, FORGETTING_S))

    def report(self) -> None:
        """Everything that is new, and every figure as it is now."""
        lost_count = self._log.lost_count
        self._is_whole = self._report_count % WHOLE_EVERY == 0 or lost_count != self._lost_count
        self._report_count += 1
        self._lost_count = lost_count
        self._try("stats", self._tell_stats)
        self._try("events", self._tell_maintenance)
        for found in self._errors.after(self._told_errors):
            self._told_errors = found.index
            self._log.tell("error_class", index=found.index, type=found.type, text=found.text)
        self._tell_violations()
        population = self._population
        self._log.tell(
            "counters",
            checked=population.checked,
            stored=population.stored,
            deleted=population.deleted,
            violations={str(kind): n for kind, n in population.violations.items() if n},
            eviction=self._eviction.take(population.eviction_quality(), is_whole=self._is_whole),
            fidelity=self._fidelity.take(population.fidelity.figures(), is_whole=self._is_whole),
            **self._mark(),
        )
        hiccup = {**self.hiccups.take(), **self._yardstick.take()}
        self._log.tell("hiccup", **{name: short(value) for name, value in hiccup.items()})

    def _mark(self) -> dict[str, bool]:
        return {"whole": True} if self._is_whole else {}

    def _try(self, what: str, report: Report) -> None:
        failure = attempt(lambda _: report(), None)
        if isinstance(failure, Failure):
            error = failure.error
            self._log.tell("unanswered", what=what, reason=f"{type(error).__name__}: {error}")

    def _ask_may_forget(self) -> None:
        self._population.refresh_forgetting()

    def _probe(self) -> None:
        recall = probe(self._population, self._target)
        if recall is not None:
            self._log.tell("recall", recall=recall, k=self._population.shape.k)

    def _tell_stats(self) -> None:
        live = self._target.count()
        values = self._stats.take(self._target.stats(), is_whole=self._is_whole)
        self._log.tell("stats", live=live, **self._mark(), values=values)

    def _tell_maintenance(self) -> None:
        for event in self._target.events(self._last_event):
            self._last_event = max(self._last_event, event.sequence)
            self._told_maintenance += 1
            if self._told_maintenance <= MOST_MAINTENANCE:
                facts = asdict(event)
                self._log.tell("maintenance", event=facts.pop("kind"), **facts)

    def _tell_violations(self) -> None:
        for note in self._population.drain_notes():
            self._told_violations += 1
            if self._told_violations <= MOST_VIOLATIONS:
                self._log.tell(
                    "violation",
                    violation=str(note.violation),
                    operation=note.operation,
                    key=note.key,
                    start_ns=note.start_ns,
                    note=note.note,
                )
