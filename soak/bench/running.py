"""How is a benchmark run? As `soak run`, in a process of its own: nothing is left for the next."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soak.bench.outcome import Outcome
from soak.bench.suite import Benchmark
from soak.clock import NS_PER_S, Clock
from soak.report.record import RunError, load_run
from soak.scenario import load

# All phases together, in their proportion, where a quick answer is asked for.
QUICK_S = 6.0
# What a run may take beyond its planned time: preloading, the last results, the report.
GRACE_S = 300.0
# However slowly a target is filled, it is not slower than this.
LEAST_PRELOADED_PER_S = 500.0
# A run is two processes that both compute: the target's and the tester's.
CPUS_OF_A_RUN = 2
SOAK = (sys.executable, "-c", "from soak.cli import main; main()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """How all benchmarks of a suite are run. flags: further ones of `soak run`.

    out: where run directories are made; folder: where the benchmarks are, the shipped ones if None.
    """

    out: Path
    quick: bool
    flags: tuple[str, ...]
    clock: Clock
    folder: Path | None = None


def run_scenario(
    bench: Bench, file: Path, benchmark: Benchmark, further: Sequence[str] = ()
) -> Outcome:
    """One run of the scenario on behalf of the benchmark. further: flags of this run alone."""
    before = set(bench.out.glob("*"))
    length = ("--duration", f"{QUICK_S:g}s") if bench.quick else ()
    command = [*SOAK, "run", str(file), "--set", f"name={benchmark.run_name}"]
    command += ["--plain", "--out", str(bench.out), *length, *bench.flags, *further]
    scenario = load(file)
    allowed_s = scenario.duration_s + GRACE_S
    allowed_s += scenario.population.preload / LEAST_PRELOADED_PER_S
    began_ns = bench.clock.monotonic_ns()
    trouble = ""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=allowed_s
        )
        exit_code = done.returncode
        trouble = done.stderr.strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired:
        exit_code, trouble = 13, f"it did not end within {allowed_s:.0f} s"
    # By its name, too: other benchmarks may be running beside this one.
    made = [
        path
        for path in sorted(set(bench.out.glob("*")) - before)
        if path.is_dir() and path.name.rpartition("-")[0].endswith(f"Z-{benchmark.run_name}")
    ]
    try:
        record = load_run(made[0]) if made else None
    except RunError as error:
        record, trouble = None, str(error)
    return Outcome(
        benchmark=benchmark,
        exit_code=exit_code,
        execution_s=(bench.clock.monotonic_ns() - began_ns) / NS_PER_S,
        record=record,
        trouble=trouble,
    )


def disturbance(parallel: int, cpus_count: int | None = None) -> str:
    """Why times of so many runs beside each other mean little; empty where they do not disturb."""
    cpus_count = cpus_count or len(os.sched_getaffinity(0))
    if parallel * CPUS_OF_A_RUN <= cpus_count or parallel == 1:
        return ""
    return (
        f"--parallel {parallel}: each run keeps {CPUS_OF_A_RUN} processors busy and there are "
        f"{cpus_count}, so the runs disturb each other: sizes and recall hold, times do not"
    )
