"""What is to be done now? The loop that begins soaks when they are due and sees to their ends.

    turn:    ended runs -> resumed, or recorded -> what is due is begun
    beside:  a run that ended is kept as a baseline, older ones are deleted, before the next begins
    start:   what went on when a daemon died is found again: alive, or as a run that has ended
    signals: SIGTERM and SIGINT stop the runs, which go on with the next daemon; SIGHUP rereads

Each run is a process of its own that needs no daemon: one that is killed disturbs no soak.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from soak.clock import NS_PER_S, Clock
from soak.comparison.baselines import Baselines
from soak.daemon import config, standing
from soak.daemon.config import Soak
from soak.daemon.orphans import bury
from soak.daemon.retention import forget_one
from soak.daemon.runs import End, Runs
from soak.daemon.standing import Going, Outcome, Standing, startable
from soak.logs import log
from soak.rundir import RunDirectory, RunDirError
from soak.verdict import ExitCode, Mistake, Status

TICK_S = 0.2
STOPS = (signal.SIGTERM, signal.SIGINT)


@dataclass(slots=True)
class Asked:
    """Written by signal handlers, read by the loop. stop: the signal's number, 0 for none."""

    stop: int = 0
    reread: bool = False

    def hear(self) -> None:
        """Take the process's signals from now on."""
        for number in STOPS:
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_hangup)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.stop:
            os._exit(128 + number)  # asked twice: at once; the runs end by themselves
        self.stop = number

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.reread = True


class Daemon:
    """Schedules, their runs below one folder, and how each stands."""

    def __init__(self, file: Path, out: Path, store: Path, clock: Clock) -> None:
        """Raises Mistake: a config or state that cannot be read, a folder in use or read-only."""
        self.soaks: Sequence[Soak] = config.read(file)
        self._file = file
        self._out = out.resolve()
        self._store = store.resolve()
        self._clock = clock
        self._runs: dict[str, Runs] = {}
        self._is_stopping = False
        # Reading a run for a baseline and deleting gigabytes take longer than a turn may.
        self._beside = ThreadPoolExecutor(1)
        self._tidied: list[tuple[str, Future[None]]] = []
        self._held = self._claimed()
        self.standings: Mapping[str, Standing] = standing.read(self._out)
        self._admit()
        standing.write(self._out, self.standings)
        self._is_written = True
        self._beat_ns = clock.monotonic_ns()

    def close(self) -> None:
        """Leave the folder to another daemon, when what is done beside the loop is done."""
        self._beside.shutdown()
        RunDirectory(self._out).release(self._held)

    def _claimed(self) -> int:
        try:
            self._out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Mistake(f"{self._out}: cannot be made: {error.strerror}") from error
        held = RunDirectory(self._out).claim(self._out)
        if held is None:
            raise Mistake(f"{self._out}: another daemon has it; stop that one, or pass --out DIR")
        return held

    def runs(self, name: str) -> Runs:
        """The runs of a schedule."""
        return self._runs.setdefault(name, Runs(self._out / name))

    def beat_age_s(self) -> float:
        """How long ago the loop last turned."""
        return (self._clock.monotonic_ns() - self._beat_ns) / NS_PER_S

    def unready(self) -> str:
        """Why nothing should be expected of it now; empty where all may be."""
        if self._is_stopping:
            return "it is stopping its runs"
        return "" if self._is_written else f"{self._out / standing.FILE} cannot be written"

    def now_s(self) -> float:
        return self._clock.wall_s()

    def keep_on(self, asked: Asked, renew: Callable[[], None]) -> int:
        """Until a signal asks to stop; its exit code. renew: what else is reread, of its server."""
        schedules, runs = [soak.name for soak in self.soaks], sorted(self._going())
        log().info("daemon_started", schedules=schedules, runs=runs)
        while not asked.stop:
            if asked.reread:
                asked.reread = False
                self.reread()
                renew()
            self.turn()
            self._clock.sleep_s(TICK_S)
        self._is_stopping = True
        log().info("daemon_stopping", signal=asked.stop, runs=sorted(self._going()))
        self._stop_runs()
        return 128 + asked.stop

    def turn(self) -> None:
        """One look at everything."""
        self._beat_ns = self._clock.monotonic_ns()
        for name, going in self._going().items():
            if not self.runs(name).is_going():
                self._settle(name, going)
            elif not going.url:
                self._hear(name, going)
            else:
                self.runs(name).trim()
        busy = self._being_tidied()
        for soak in startable(self.soaks, self.standings, self.now_s()):
            # A run that somebody else began in its folder is waited for.
            if soak.name not in busy and not self.runs(soak.name).is_going():
                self._begin(soak)
        if not self._is_written:
            self._write()
        if os.getpid() == 1:
            bury([pid for runs in self._runs.values() for pid in runs.own()])

    def reread(self) -> None:
        """Take the config as it is now; one that is wrong is refused, and the old one holds."""
        try:
            self.soaks = config.read(self._file)
        except Mistake as error:
            log().error("config_refused", reason="; ".join(str(error).splitlines()))
            return
        self._admit()
        self._write()
        log().info("config_reread", schedules=[soak.name for soak in self.soaks])

    def _admit(self) -> None:
        """A standing for each schedule, none for one that is gone, unless its run goes on."""
        names, now_s = {soak.name for soak in self.soaks}, self.now_s()
        kept = {n: each for n, each in self.standings.items() if n in names or each.going}
        self.standings = {name: Standing(since_s=now_s) for name in names - kept.keys()} | kept
        for name in names:
            self._tidy_beside(name)

    def _going(self) -> dict[str, Going]:
        return {name: each.going for name, each in self.standings.items() if each.going}

    def _begin(self, soak: Soak) -> None:
        before = self.standings[soak.name]
        going = Going(scenario=soak.scenario, target=soak.target, since_s=before.since_s)
        folder = self.runs(soak.name).folder
        place = ("--plain", "--out", str(folder), "--listen", "127.0.0.1:0")
        gate = ("--baseline", soak.baseline, "--store", str(self._store))
        has_baseline = soak.baseline in Baselines(self._store).names()
        arguments = ("run", *soak.arguments, *place, *(gate if has_baseline else ()))
        self._put(soak.name, replace(before, since_s=self.now_s()))
        self._start(soak.name, going, arguments)
        log().info("soak_begun", schedule=soak.name, scenario=soak.scenario, target=soak.target)

    def _resume(self, name: str, going: Going, end: End) -> None:
        going = replace(going, pid=0, run=end.run, url="", reached_bytes=end.reached_bytes)
        path = str(self.runs(name).folder / end.run)
        self._start(name, going, ("resume", path, "--plain", "--listen", "127.0.0.1:0"))
        log().warning("soak_resumed", schedule=name, run=end.run)

    def _start(self, name: str, going: Going, arguments: Sequence[str]) -> None:
        """Twice told: that it is to be, lest it be lost, and whose process it is."""
        self._put(name, replace(self.standings[name], going=going))
        try:
            self.runs(name).clear()
            pid = self.runs(name).begin(arguments)
        except (OSError, RunDirError) as error:
            self._record(name, _never(f"cannot be begun: {error}", going.run, self.now_s()))
            return
        self._put(name, replace(self.standings[name], going=replace(going, pid=pid)))

    def _hear(self, name: str, going: Going) -> None:
        """What it is called and where it answers, once it says so."""
        run, url = self.runs(name).named()
        if run:
            going = replace(going, run=run, url=url)
            self._put(name, replace(self.standings[name], going=going))

    def _settle(self, name: str, going: Going) -> None:
        """Its process is gone: it goes on, or that was it."""
        end = self.runs(name).end(going.run)
        is_scheduled = name in {soak.name for soak in self.soaks}
        if end.is_resumable and is_scheduled and end.reached_bytes > going.reached_bytes:
            self._resume(name, going, end)
            return
        if end.is_unbegun:
            self._put(name, replace(self.standings[name], going=None, since_s=going.since_s))
            return
        outcome = Outcome(
            run=end.run,
            status=end.status,
            exit_code=end.exit_code,
            reason=end.reason,
            ended_s=self.now_s(),
            comparison=end.comparison,
        )
        self._record(name, outcome)
        self._tidy_beside(name, outcome)

    def _record(self, name: str, outcome: Outcome) -> None:
        before = self.standings[name]
        counts = {**before.counts, outcome.status: before.counts.get(outcome.status, 0) + 1}
        self._put(name, replace(before, going=None, last=outcome, counts=counts))
        log().info(
            "soak_ended",
            schedule=name,
            run=outcome.run,
            status=outcome.status,
            exit_code=outcome.exit_code,
            reason=outcome.reason,
        )

    def _keep_baseline(self, name: str, outcome: Outcome) -> None:
        """The first run that passes is what later ones must not be worse than."""
        wanted = [soak.baseline for soak in self.soaks if soak.name == name and soak.baseline]
        baselines = Baselines(self._store)
        if outcome.status != Status.PASS or not wanted or wanted[0] in baselines.names():
            return
        try:
            baselines.keep([self.runs(name).folder / outcome.run], wanted[0])
        except (Mistake, OSError) as error:
            log().warning("baseline_not_kept", schedule=name, reason=str(error))
            return
        log().info("baseline_kept", schedule=name, baseline=wanted[0], run=outcome.run)

    def _tidy_beside(self, name: str, ended: Outcome | None = None) -> None:
        self._tidied.append((name, self._beside.submit(self._tidy, name, ended)))

    def _tidy(self, name: str, ended: Outcome | None) -> None:
        """Keep a baseline, which is a copy, and delete runs beyond those that are to be kept."""
        if ended:
            self._keep_baseline(name, ended)
        stands = self.standings.get(name)
        last = stands.last.run if stands and stands.last else ""
        for keep in [soak.keep for soak in self.soaks if soak.name == name and soak.keep]:
            while not self._is_stopping and (
                forgotten := forget_one(self.runs(name).folder, keep, last)
            ):
                log().info("run_deleted", schedule=name, run=forgotten)

    def _being_tidied(self) -> set[str]:
        """Schedules of which no run is to be begun yet. Raises what went wrong beside the loop."""
        done = [each for each in self._tidied if each[1].done()]
        self._tidied = [each for each in self._tidied if each not in done]
        for _, tidied in done:
            tidied.result()
        return {name for name, _ in self._tidied}

    def _stop_runs(self) -> None:
        """Every run is asked to end, and waited for; the next daemon goes on with it."""
        for name, going in self._going().items():
            # However far it got: it did not end by itself.
            stopped = replace(going, reached_bytes=-1)
            self._put(name, replace(self.standings[name], going=stopped))
        asked = [name for name, going in self._going().items() if self.runs(name).stop(going.pid)]
        while any(self.runs(name).is_going() for name in asked):
            self._beat_ns = self._clock.monotonic_ns()
            self._clock.sleep_s(TICK_S)
        self._write()

    def _put(self, name: str, changed: Standing) -> None:
        """In a new mapping, since the web server reads the old one."""
        self.standings = {**self.standings, name: changed}
        self._write()

    def _write(self) -> None:
        """On a full disk again at the next turn: soaks go on without it."""
        try:
            standing.write(self._out, self.standings)
        except RunDirError as error:
            if self._is_written:
                log().error("state_not_written", reason=str(error))
            self._is_written = False
            return
        self._is_written = True


def _never(reason: str, run: str, now_s: float) -> Outcome:
    code = int(ExitCode.UNKNOWN)
    status = str(Status.UNKNOWN)
    return Outcome(run=run, status=status, exit_code=code, reason=reason, ended_s=now_s)
