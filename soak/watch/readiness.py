"""Is the target ready? Its worker followed until it says so, or why it never will."""

from collections.abc import Callable

from soak.clock import NS_PER_S, TIME_SCALE, Clock
from soak.rundir import ROOM, RunDirectory, RunDirError
from soak.scenario import Scenario
from soak.verdict import ExitCode, Mistake
from soak.watch.worker_log import Line, LogTail, WorkerFacts
from soak.watch.worker_process import WorkerProcess

READY_TIMEOUT_S = 300.0
# And so much longer for each record that it is filled with first: a million may take half an hour.
PRELOADED_S = 1 / 500
POLL_S = 0.02


class Unavailable(Mistake):
    """The target could not be started; the message is in its own words."""

    exit_code = ExitCode.TARGET


class Stopped(Mistake):
    """Somebody asked for the end before the load began; a run that was resumed can be again."""

    def __init__(self, target: str, signal_number: int) -> None:
        super().__init__(f"stopped before target {target} was ready")
        self.exit_code = 128 + signal_number


def await_ready(
    worker: WorkerProcess,
    directory: RunDirectory,
    scenario: Scenario,
    facts: WorkerFacts,
    tail: LogTail,
    clock: Clock,
    stopped_by: Callable[[], int],
) -> Line:
    """What the worker says when it is ready. Raises Unavailable, Stopped, RunDirError without room.

    stopped_by: asked at every turn, the signal by which somebody wants the run to end, or 0.
    """
    target = scenario.target.name
    allowed_s = READY_TIMEOUT_S + PRELOADED_S * scenario.population.preload
    # However fast the run lives, a process starts as fast as ever.
    deadline_ns = clock.monotonic_ns() + round(allowed_s * TIME_SCALE * NS_PER_S)
    while facts.ready is None:
        for line in tail.new_lines():
            facts.fold(line)
        if facts.unavailable:
            raise Unavailable(f"target {target}: {facts.unavailable}")
        if worker.exit_code() == ExitCode.USAGE:
            words = worker.last_words()
            where = directory.path
            raise RunDirError(f"{where}: the worker found no room there: {words}; {ROOM}")
        if worker.exit_code() is not None and facts.ready is None:
            raise Unavailable(f"the worker ended before it was ready: {worker.last_words()}")
        if signal_number := stopped_by():
            raise Stopped(target, signal_number)
        if clock.monotonic_ns() > deadline_ns:
            raise Unavailable(f"target {target} was not ready (after {allowed_s:g} s)")
        clock.sleep_s(POLL_S)
    return facts.ready
