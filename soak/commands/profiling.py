"""`soak profile`: where does a run that goes on spend its time?"""

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soak.commands.options import AsJson, RunPath

if TYPE_CHECKING:
    from soak.rundir import RunDirectory

# Beyond the time asked for: the worker writes what it saw.
GRACE_S = 15.0
POLL_S = 0.1


def profile(
    run_path: RunPath,
    duration: Annotated[
        str, typer.Option("--for", help="How long to look: 10s, at most 10m.")
    ] = "10s",
    as_json: AsJson = False,
) -> None:
    """Look where the worker of a run that goes on spends its time: a table and a flame graph.

    \b
    soak profile runs/20260301T120000Z-steady-1f3a --for 30s

    Stacks of Python threads at work, a hundred times a second; it costs the run a few percent of a
    processor meanwhile. Leaves profile.txt (folded stacks) and profile.svg in the run directory.
    """
    from soak.load.profiler import LONGEST_S
    from soak.report import flame
    from soak.rundir import RunDirectory
    from soak.scenario.quantities import format_duration, parse_duration
    from soak.verdict import Mistake

    try:
        duration_s = parse_duration(duration)
    except ValueError as error:
        raise Mistake(f"--for {duration}: {error}") from error
    if duration_s > LONGEST_S:
        most = format_duration(LONGEST_S)
        raise Mistake(f"--for {duration}: a look takes {most} at most; look again for more")
    directory = RunDirectory(run_path.resolve())
    stacks = flame.parsed(_asked(directory, _worker(directory), duration_s))
    if not stacks:
        raise Mistake(f"{run_path}: no thread was at work in {duration}; look longer")
    drawn = directory.path / "profile.svg"
    directory.replace(drawn, flame.svg(stacks, f"{directory.run_id}, {duration}").encode())
    if as_json:
        rows = [
            {"function": hot.name, "own": hot.own, "total": hot.total}
            for hot in flame.hottest(stacks)
        ]
        print(json.dumps({"samples": sum(stacks.values()), "functions": rows}, indent=1))
    else:
        print(f"{flame.table(stacks)}\n{drawn}")


def _worker(directory: "RunDirectory") -> int:
    """The process of the run's worker. Raises Mistake where there is none that could be asked."""
    from soak.verdict import Mistake

    if not directory.worker_log.is_file():
        raise Mistake(f"{directory.path}: no run directory, it has no {directory.worker_log.name}")
    with directory.worker_log.open("rb") as lines:
        # The last one: a run that was resumed has had several workers.
        hellos = [line for line in lines if b'"kind": "hello"' in line[:80]]
    hello = json.loads(hellos[-1]) if hellos and hellos[-1].endswith(b"\n") else {}
    pid = hello.get("pid")
    # A worker that does not know the signal would die of it.
    if not isinstance(pid, int) or hello.get("profiles") is not True:
        raise Mistake(f"{directory.path}: its worker cannot be profiled; it is of an older soak")
    try:
        command = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
    except OSError:
        command = []
    # The path may be a relative one; a run's name is there only once.
    if directory.run_id not in {Path(part).name for part in command}:
        raise Mistake(f"{directory.path}: its worker is not running here; only a run that goes on")
    return pid


def _asked(directory: "RunDirectory", pid: int, duration_s: float) -> str:
    """What the worker saw, as it wrote it. Raises Mistake where it wrote nothing."""
    from soak.clock import SystemClock
    from soak.load.profiler import REQUEST, STACKS
    from soak.verdict import Mistake

    clock, stacks = SystemClock(), directory.path / STACKS
    stacks.unlink(missing_ok=True)
    directory.replace_json(directory.path / REQUEST, {"duration_s": duration_s})
    try:
        os.kill(pid, signal.SIGUSR1)
    except OSError as error:
        raise Mistake(f"the worker, process {pid}, cannot be asked: {error.strerror}") from error
    until_ns = clock.monotonic_ns() + round((duration_s + GRACE_S) * 1e9)
    while not stacks.is_file():
        if clock.monotonic_ns() > until_ns or not Path(f"/proc/{pid}").exists():
            raise Mistake(f"{directory.path}: the worker ended, or its disk is full: no profile")
        clock.sleep_s(POLL_S)
    return stacks.read_text()
