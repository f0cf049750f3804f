"""How is a benchmark run? As `soak run`, in a process of its own: nothing is left for the next."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from soak.bench.outcome import Outcome
from soak.bench.suite import Benchmark
from soak.clock import NS_PER_S, Clock
from soak.report.record import RunError, load_run

# All phases together, in their proportion, where a quick answer is asked for.
QUICK = "6s"
# What a run may take beyond its planned time: preloading, the last results, the report.
GRACE_S = 300.0
SOAK = (sys.executable, "-c", "from soak.cli import main; main()")


def run_benchmark(
    benchmark: Benchmark,
    *,
    out: Path,
    quick: bool,
    flags: Sequence[str],
    planned_s: float,
    clock: Clock,
) -> Outcome:
    """Run it with its directory below out. flags: further ones of `soak run`."""
    before = set(out.glob("*"))
    length = ("--duration", QUICK) if quick else ()
    command = [*SOAK, "run", str(benchmark.file), "--set", f"name={benchmark.run_name}"]
    command += ["--plain", "--out", str(out), *length, *flags]
    began_ns = clock.monotonic_ns()
    trouble = ""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=planned_s + GRACE_S
        )
        exit_code = done.returncode
        trouble = done.stderr.strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired:
        exit_code, trouble = 13, f"it did not end within {planned_s + GRACE_S:.0f} s"
    made = [path for path in set(out.glob("*")) - before if path.is_dir()]
    try:
        record = load_run(made[0]) if made else None
    except RunError as error:
        record, trouble = None, str(error)
    return Outcome(
        benchmark=benchmark,
        exit_code=exit_code,
        execution_s=(clock.monotonic_ns() - began_ns) / NS_PER_S,
        record=record,
        trouble=trouble,
    )
