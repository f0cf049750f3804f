"""Where does the target live? In this process: built, loaded, driven by clients, closed.

    python -m soak.worker RUN_DIRECTORY

Started fresh by the controller, so its memory is the target's plus a constant. It reads the
scenario from the run directory, talks through worker.jsonl, takes its operations from the ring,
and ends when it is told to (SIGTERM), when the target is gone for good, or when its controller is.
SIGINT and SIGHUP are not for it: they reach all of a terminal, and the controller decides. SIGUSR1
asks where its time goes (`soak profile`).
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from traceback import format_exception

from soak import plugins
from soak.clock import SystemClock, monotonic_ns, sleep_s
from soak.load import profiler
from soak.load.client import ErrorClass, ErrorClasses, Stop, run_client
from soak.load.ring import Ring
from soak.load.slots import Carried
from soak.load.telemetry import Telemetry, WorkerLog
from soak.oracle import importance
from soak.oracle.population import Population, Shape
from soak.result import (
    OPERATIONS,
    CapacityRefused,
    Failure,
    TargetError,
    TargetUnavailable,
    attempt,
)
from soak.rundir import LineLog, RunDirectory, RunDirError
from soak.scenario import Scenario, load
from soak.seams import Operation, SampleError, Subject, Target
from soak.verdict import ExitCode

POLL_S = 0.1
# A controller that died is noticed within POLL_S; what does not close in this time is killed.
ORPHAN_S = 0.85
# An operation that hangs is left behind this long after the stop.
GRACE_S = 2.0
PR_SET_TIMERSLACK = 29
PRELOAD_TRIES = 5
RETRY_S = 0.05


class Unavailable(Exception):
    """The target cannot be built or filled; the message is its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the clients work on."""

    target: Target
    population: Population
    operations: dict[int, Operation]


def main(directory: RunDirectory) -> int:
    """Run until stopped; returns the exit code. Raises RunDirError when it cannot begin."""
    directory.data.mkdir(exist_ok=True)
    if directory.claim(directory.data) is None:
        raise RunDirError(f"{directory.data}: another worker has the target open")
    log = WorkerLog(LineLog(directory.worker_log))
    stop = Stop()
    for meant_for_the_controller in (signal.SIGINT, signal.SIGHUP):
        signal.signal(meant_for_the_controller, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _ask(stop))
    signal.signal(signal.SIGUSR1, lambda *_: profiler.answer(directory))
    log.tell("hello", pid=os.getpid(), profiles=True)
    # The kernel may otherwise wake a sleeper 50 us late to save power; threads inherit this.
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1)
    _go_first()
    scenario = load(directory.scenario)
    with ThreadPoolExecutor(scenario.target.clients + 4) as threads:
        watch = threads.submit(_watch_parent, os.getppid(), stop)
        with _ends(stop):
            code = _serve(scenario, directory, log, stop, threads)
        watch.result()
    return code


def _ask(stop: Stop) -> None:
    stop.asked = True


def _go_first() -> None:
    """Where memory runs out the kernel takes the target, not the tester who tells of it."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # hidden in a sandbox: then the larger process goes first, which is usually this one


@contextmanager
def _ends(stop: Stop) -> Iterator[None]:
    """Whatever happens inside, the threads are asked to stop."""
    try:
        yield
    finally:
        stop.asked = stop.is_over = True


def _watch_parent(parent: int, stop: Stop) -> None:
    """A worker without a controller would go on for ever: nobody reads what it does."""
    while not stop.is_over:
        if os.getppid() != parent:
            # SIGALRM's default is to kill, which also ends a target that hangs in native code.
            signal.setitimer(signal.ITIMER_REAL, ORPHAN_S)
            stop.asked = True
            return
        sleep_s(POLL_S)


def _serve(
    scenario: Scenario,
    directory: RunDirectory,
    log: WorkerLog,
    stop: Stop,
    threads: ThreadPoolExecutor,
) -> int:
    ring = Ring.open(directory.ring)
    ring.worker_pid = os.getpid()
    carried = ring.carried
    try:
        bench = build(scenario, directory, carried)
        pids = _pids(bench.target)
        if not carried.generation:
            log.tell("opened", bare_bytes=_held_bytes(pids))
            _preload(bench, scenario.population.preload, scenario.population.batch, stop)
            log.tell("preloaded", stored=bench.population.stored)
    except Unavailable as error:
        log.tell("unavailable", reason=str(error))
        return ExitCode.TARGET
    errors = ErrorClasses(_known_errors(directory) if carried.generation else ())
    telemetry = Telemetry(log, bench.target, bench.population, errors)
    slots, claims = ring.slots(), count(carried.first_index)
    clients = [
        threads.submit(run_client, slots, bench.operations, claims, stop, errors)
        for _ in range(scenario.target.clients)
    ]
    others = [
        threads.submit(telemetry.run, stop),
        threads.submit(telemetry.run_probe, stop, scenario.observe.recall_every),
        threads.submit(telemetry.hiccups.run, stop),
    ]
    log.tell(
        "ready",
        capabilities=sorted(bench.target.capabilities),
        pids=pids,
        directories=[str(path) for path in bench.target.directories()],
        config=scenario.target.params.model_dump(mode="json"),
    )
    if log.lost_count:
        raise RunDirError(f"{directory.worker_log}: cannot be written, so nobody would hear of it")
    while not stop.asked:
        ring.lost_lines = log.lost_count
        wait(clients + others, timeout=POLL_S, return_when=FIRST_EXCEPTION)
        stop.asked |= any(_bug(thread) for thread in clients + others)
    code = _finish(bench, clients, others, telemetry, log, stop)
    ring.lost_lines = log.lost_count
    return code


def _finish(
    bench: Bench,
    clients: list[Future[None]],
    others: list[Future[None]],
    telemetry: Telemetry,
    log: WorkerLog,
    stop: Stop,
) -> int:
    """Last reports, then close the target; a client that hangs is left behind."""
    hanging = wait(clients + others, timeout=GRACE_S).not_done
    code = ExitCode.PASS
    for error in filter(None, map(_bug, clients + others)):
        log.tell("failed", reason=f"{type(error).__name__}: {error}", trace=_trace(error))
        code = ExitCode.UNKNOWN
    if stop.unavailable:
        log.tell("unavailable", reason=stop.unavailable)
        code = ExitCode.TARGET
    if not hanging:
        telemetry.report()
    closed = attempt(lambda target: target.close(), bench.target)
    status = "closed" if not isinstance(closed, Failure) else f"not closed: {closed.error}"
    bench.population.close()
    log.tell("stopped", status=status, hanging=len(hanging))
    if hanging:
        os._exit(code)  # the interpreter would wait for the threads that hang
    return code


def _bug(thread: Future[None]) -> BaseException | None:
    """What the tester itself did wrong in that thread."""
    return thread.exception() if thread.done() else None


def _trace(error: BaseException) -> str:
    return "".join(format_exception(error))[-2_000:]


def _known_errors(directory: RunDirectory) -> Iterator[ErrorClass]:
    """The classes that earlier workers of this run have told, in order of their index."""
    with directory.worker_log.open("rb") as lines:
        for line in lines:
            if b'"error_class"' in line[:80]:
                told = json.loads(line)
                yield ErrorClass(told["index"], told["type"], told["text"])


def build(scenario: Scenario, directory: RunDirectory, carried: Carried | None = None) -> Bench:
    """The target of the scenario and what is asked of it; raises Unavailable.

    carried: what a run that goes on has behind it; then the target opens what it holds.
    """
    chosen = scenario.target
    module, given = plugins.load("targets", chosen.name), [directory.data, SystemClock()]
    make = module.build
    if chosen.time_scale != 1:
        make, given = module.build_aging, [*given, chosen.time_scale]
    target = attempt(lambda params: make(params, *given), chosen.params)
    if isinstance(target, Failure):
        raise Unavailable(_words(target.error))
    population = _population(scenario, directory, carried or Carried())
    population.watch(target)
    wanted = dict.fromkeys([*scenario.operations, *_preloading(scenario, target)])
    return Bench(
        target=target,
        population=population,
        operations={
            OPERATIONS.index(name): plugins.load("operations", name).build(target, population)
            for name in wanted
        },
    )


def _pids(target: Target) -> list[int]:
    """Whose resources are the target's; none where they are out of reach."""
    processes = target.processes()
    return [] if processes is None else list(processes) or [os.getpid()]


def _held_bytes(pids: Sequence[int]) -> float | None:
    """Anonymous memory of these processes; None where it cannot be read."""
    subject = Subject(
        pids=lambda: pids, directories=tuple, reported=lambda: ({}, 0.0), clock=SystemClock()
    )
    try:
        row: dict[str, float] = plugins.load("samplers", "process").build(subject).sample()
    except SampleError:
        return None
    return row.get("anonymous_bytes")


def _population(scenario: Scenario, directory: RunDirectory, carried: Carried) -> Population:
    wanted = scenario.population
    content = plugins.load("content", scenario.content.kind)
    population = Population(
        directory.population,
        content.build(scenario.content.params, scenario.seed, wanted.keys),
        Shape(
            keys=wanted.keys,
            agents=wanted.agents,
            pinned_ratio=wanted.pinned,
            batch_count=wanted.batch,
            k=wanted.k,
            scan_count=wanted.scan,
            depth=wanted.depth,
            agent_filter_ratio=wanted.agent_filter,
            transition_ratio=wanted.transition,
            is_cold=wanted.cold,
        ),
        [
            getattr(importance, phase.importance.kind)(**phase.importance.params.model_dump())
            for phase in scenario.phases
        ],
        resume=carried.generation > 0,
    )
    population.checked = carried.checked_count
    population.stored = carried.stored_count
    population.deleted = carried.deleted_count
    if carried.is_torn:
        population.doubt_all()
    return population


def _preloading(scenario: Scenario, target: Target) -> list[str]:
    """The operations that fill the target before time zero."""
    if not scenario.population.preload:
        return []
    return [name for name in ("store", "store_batch") if name in target.capabilities]


def _preload(bench: Bench, records: int, batch: int, stop: Stop) -> None:
    """Store the first records, unmeasured, until the target says that it is full."""
    one, many = (bench.operations.get(OPERATIONS.index(n)) for n in ("store", "store_batch"))
    key = 0
    while key < records and not stop.asked:
        size = batch if many and (key + batch <= records or not one) else 1
        operation = many if many and size == batch else one
        assert operation is not None, "a target that stores nothing cannot be filled"
        request = operation.prepare(key, 0)
        start_ns = monotonic_ns()
        answer = _tried(operation, request)
        if isinstance(answer, Failure):
            operation.abandon(request)
            if isinstance(answer.error, CapacityRefused):
                return
            raise Unavailable(f"storing record {key} before the start: {_words(answer.error)}")
        operation.check(request, answer, start_ns)
        key += size


def _tried(operation: Operation, request: object) -> object:
    """The answer, or the last of PRELOAD_TRIES failures: a target may have bad moments."""
    answer = attempt(operation.call, request)
    for _ in range(PRELOAD_TRIES - 1):
        final = (CapacityRefused, TargetUnavailable)
        if not isinstance(answer, Failure) or isinstance(answer.error, final):
            break
        sleep_s(RETRY_S)
        answer = attempt(operation.call, request)
    return answer


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, TargetError) else f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    try:
        sys.exit(main(RunDirectory(Path(sys.argv[1]))))
    except RunDirError as no_room:
        sys.stderr.write(f"{no_room}\n")
        sys.exit(ExitCode.USAGE)
