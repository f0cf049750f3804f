"""What do `soak run` and `soak resume` do? A controller, what people see of it, and the papers."""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Protocol

from soak.clock import SystemClock
from soak.comparison.gate import Gate, gated, require_comparable, standing_gate
from soak.controller import Controller
from soak.logs import configure
from soak.outlets import NOWHERE, Credentials, Outlets, conclude, publishing
from soak.report.document import document
from soak.rundir import RunDirectory
from soak.scenario import Scenario, load
from soak.show.plain import Plain
from soak.snapshot import Identity, Snapshot
from soak.streams import say
from soak.targets._packages import interpreter
from soak.verdict import ExitCode, Mistake, RunVerdict, Status
from soak.watch.allocator import keep_flat
from soak.watch.checkpoint import NotResumable, read
from soak.watch.stopping import StopRequest
from soak.watch.unfinished import unfinished_run

STOPS = (signal.SIGINT, signal.SIGTERM)
STDERR = 2  # sys.stderr may be the live view's

Heed = Callable[[int, FrameType | None], None]


@dataclass(slots=True)
class Wish:
    """To have credentials read again: written by a signal handler, heard by the loop."""

    is_open: bool = False


class View(Protocol):
    """Who shows a run while it goes: `Live` on a terminal, `Plain` everywhere else."""

    def update(self, snapshot: Snapshot) -> None: ...
    def close(self, verdict: RunVerdict, report: str = "") -> None: ...
    def restore(self) -> None: ...


class Conducting(Protocol):
    """What makes a run: a `Controller`, or the head of many."""

    latest: Snapshot

    def beat_age_s(self) -> float: ...
    def run(self, stop: StopRequest, show: Callable[[Snapshot], None]) -> Snapshot: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """To whom a run is told, and how. listen: what its scenario says, once that is known."""

    plain: bool
    as_json: bool
    published: Outlets = NOWHERE
    listen: str | None = None


def execute(
    scenario: Scenario,
    *,
    out: Path,
    arguments: Sequence[str],
    told: Told,
    gate: Gate,
) -> int:
    """Run it and return the exit code. Raises Mistake where it cannot begin."""
    interpreter(scenario.target)  # raises before there is a run directory
    require_comparable(scenario, gate)
    clock = fresh_clock()
    directory = RunDirectory.named(out, scenario.name, clock.wall_s())
    controller = Controller(scenario, directory, clock, arguments, gate.document())
    return carry_out(controller, directory, clock, replace(told, listen=scenario.listen), gate)


def execute_or_resume(
    scenario: Scenario,
    *,
    out: Path,
    arguments: Sequence[str],
    told: Told,
    gate: Gate,
) -> int:
    """As `resume` where the last run of that scenario below out can go on, else as `execute`."""
    try:
        path = unfinished_run(out, scenario).path
    except NotResumable as reason:
        # What else could be done is of no use to who asked for either.
        why = str(reason).partition("; ")[0]
        say(sys.stderr, f"soak: begins a new run: {why}\n")
        return execute(scenario, out=out, arguments=arguments, told=told, gate=gate)
    say(sys.stderr, f"soak: goes on with {path}\n")
    return resume(path, listen=None, arguments=arguments, told=told, gate=gate)


def resume(
    path: Path,
    *,
    listen: str | None,
    arguments: Sequence[str],
    told: Told,
    gate: Gate,
) -> int:
    """Go on with the run in that directory and return the exit code. Raises Mistake.

    listen: another address than the run had. gate: another one, or none to keep the run's own.
    """
    directory = RunDirectory(path.resolve())
    if not directory.scenario.exists():
        raise NotResumable(
            f"{path}: not a run directory, it has no scenario.yaml; `soak list runs` shows what "
            "there is"
        )
    scenario = load(directory.scenario, listen=listen)
    interpreter(scenario.target)
    held = directory.claim(directory.path)
    if held is None:
        raise NotResumable(f"{directory.path}: this run is still going on")
    try:
        kept = read(directory, scenario)
    finally:
        directory.release(held)
    gate = standing_gate(directory, gate)
    require_comparable(scenario, gate)
    clock = fresh_clock()
    controller = Controller(scenario, directory, clock, arguments, gate.document(), kept)
    return carry_out(controller, directory, clock, replace(told, listen=scenario.listen), gate)


def fresh_clock() -> SystemClock:
    """The clock of a process that is about to run a soak, which is set up for it."""
    keep_flat()
    clock = SystemClock()
    level = os.environ.get("SOAK_LOG", "warning")
    configure(clock, as_json=not sys.stderr.isatty(), level=level)
    return clock


def carry_out(
    controller: Conducting, directory: RunDirectory, clock: SystemClock, told: Told, gate: Gate
) -> int:
    """From the first view to the last word, which is the same for everybody; the exit code."""
    stop = StopRequest()
    listen, published = told.listen, told.published
    with ExitStack() as stack:
        newest, beat_age_s = lambda: controller.latest, controller.beat_age_s
        credentials = Credentials(published)
        url = stack.enter_context(
            publishing(published, listen, newest, beat_age_s, directory, clock, credentials)
        )
        shown: list[View] = []
        wish, stopper = Wish(), _stopper(stop, shown)
        heeds = {**dict.fromkeys(STOPS, stopper), signal.SIGHUP: _rereader(wish, stopper)}
        for number, heed in heeds.items():
            stack.callback(signal.signal, number, signal.signal(number, heed))
        # After that: who has read its first words may send a signal.
        view = _view(controller.latest.identity, url, stop, plain=told.plain)
        shown.append(view)

        def show(snapshot: Snapshot) -> None:
            if wish.is_open:
                wish.is_open = False
                credentials.reread()
            view.update(snapshot)

        try:
            snapshot = controller.run(stop, show)
        except Mistake:
            view.restore()  # the console script says why, once
            raise
        snapshot, trouble = _settled(snapshot, directory, gate)
        # Who asks from outside hears of an end when nothing can change it.
        controller.latest = snapshot
        view.update(snapshot)
        report = f"none, {trouble}" if trouble else _drawn(directory)
        conclude(published, snapshot)
        view.close(snapshot.verdict, report)
    _say_result(snapshot, report, as_json=told.as_json)
    return snapshot.verdict.exit_code


def _settled(
    snapshot: Snapshot, directory: RunDirectory, gate: Gate
) -> tuple[Snapshot, Mistake | None]:
    """The last word, and why report.json has not got it: at best unknown, if it has not."""
    try:
        if gate.baselines:
            snapshot = gated(snapshot, directory, gate)
        directory.replace_json(directory.report, document(snapshot))
    except Mistake as error:
        # What the gate left there may say something better.
        directory.report.unlink(missing_ok=True)
        return _unwritten(snapshot, error), error
    return snapshot, None


def _drawn(directory: RunDirectory) -> str:
    """The path of report.html, made of what the directory holds, or why there is none."""
    # Only now: the drawing library costs 60 MB and a second, and the load is over.
    from soak.report.files import write_reports

    try:
        write_reports(directory.path)
    except Mistake as error:
        return f"{directory.report}; no page, {error}"
    return str(directory.report_html)


def _unwritten(snapshot: Snapshot, error: Mistake) -> Snapshot:
    """The verdict of a run that has no report: a pass that nobody can look up is none."""
    before = snapshot.verdict
    if before.status is not Status.PASS:
        return snapshot
    verdict = RunVerdict(status=Status.UNKNOWN, exit_code=ExitCode.UNKNOWN, reason=str(error))
    return replace(snapshot, verdict=verdict)


def _view(identity: Identity, url: str, stop: StopRequest, *, plain: bool) -> View:
    if plain or not sys.stderr.isatty():
        return Plain(identity, sys.stderr, url)
    from soak.show.live import Live

    def quit_gracefully() -> None:
        stop.signal_number = stop.signal_number or signal.SIGINT

    return Live(identity, url=url, stop=quit_gracefully)


def _stopper(stop: StopRequest, shown: Sequence[View]) -> Heed:
    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.signal_number:
            # Asked twice: at once. The worker sees its parent gone and ends by itself.
            for view in shown:
                view.restore()
            os._exit(128 + number)
        stop.signal_number = number

    return on_signal


def _rereader(wish: Wish, stopper: Heed) -> Heed:
    """For SIGHUP: a wish, or, where the terminal hung up, the stop that the name stands for."""
    had_terminal = os.isatty(STDERR)

    def on_signal(number: int, frame: FrameType | None) -> None:
        if had_terminal and not os.isatty(STDERR):
            stopper(number, frame)
        else:
            wish.is_open = True

    return on_signal


def _say_result(snapshot: Snapshot, report: str, *, as_json: bool) -> None:
    verdict = snapshot.verdict
    skipped = [f"skipped: {name}, {reason}" for name, reason in snapshot.skipped]
    text = "\n".join([f"{verdict.status}: {verdict.reason}", *skipped, f"report: {report}"])
    if as_json:
        text = json.dumps(document(snapshot), indent=1)
    say(sys.stdout, text + "\n")
