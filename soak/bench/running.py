"""How is a benchmark run? As `soak run`, for so long and on such a target."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soak.apart import run_apart
from soak.bench.outcome import Outcome
from soak.bench.suite import Benchmark
from soak.clock import NS_PER_S, Clock
from soak.report.document import Section, as_section
from soak.report.figures import number
from soak.report.record import RunError, load_run
from soak.scenario import Scenario, load
from soak.verdict import ExitCode

# All phases together, in their proportion, where a quick answer is asked for.
QUICK_S = 5.0
# What a run may take beyond its planned time: preloading, the last results, the report.
GRACE_S = 300.0
# However slowly a target is filled, it is not slower than this.
LEAST_PRELOADED_PER_S = 500.0
# A run is two processes that both compute: the target's and the tester's.
CPUS_OF_A_RUN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """How all benchmarks of a suite are run. target, seed, overrides: as `soak run` takes them.

    out: where run directories are made; folder: where the benchmarks are, the shipped ones if None.
    """

    out: Path
    quick: bool
    clock: Clock
    target: str | None = None
    seed: int | None = None
    overrides: tuple[str, ...] = ()
    folder: Path | None = None

    def scenario(self, file: Path) -> Scenario:
        """The file as this suite changes it. Raises Mistake."""
        return load(file, self.overrides, target=self.target)

    @property
    def flags(self) -> tuple[str, ...]:
        """The same changes for a command."""
        flags = [f"--set={change}" for change in self.overrides]
        flags += [f"--target={self.target}"] if self.target else []
        return (*flags, *([f"--seed={self.seed}"] if self.seed is not None else []))


def run_scenario(
    bench: Bench, file: Path, benchmark: Benchmark, further: Sequence[str] = ()
) -> Outcome:
    """One run of the scenario on behalf of the benchmark. further: flags of this run alone."""
    length = [f"--duration={QUICK_S:g}s"] if bench.quick else []
    flags = [f"--set=name={benchmark.run_name}", *length, *bench.flags, *further]
    scenario = bench.scenario(file)
    allowed_s = scenario.duration_s + GRACE_S
    allowed_s += scenario.population.preload / LEAST_PRELOADED_PER_S
    began_ns = bench.clock.monotonic_ns()
    ended = run_apart(str(file), bench.out, flags, allowed_s)
    exit_code, trouble = ended.exit_code, ended.said.strip().rpartition("\n")[2]
    if exit_code is None:
        exit_code, trouble = ExitCode.UNKNOWN, f"it did not end within {allowed_s:.0f} s"
    try:
        record = load_run(ended.directory) if ended.directory else None
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


def disturbances(documents: Sequence[Section]) -> list[str]:
    """The same of results: why the times of some mean little, each reason once."""
    found: dict[str, None] = {}
    for document in documents:
        metadata = as_section(document.get("metadata"))
        parallel = number(metadata.get("parallel"))
        cpus_count = number(as_section(metadata.get("environment")).get("cpus_allowed"))
        if parallel > 1 and cpus_count > 0:
            found[disturbance(int(parallel), int(cpus_count))] = None
    return [text for text in found if text]
