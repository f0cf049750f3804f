"""How is a whole suite run? One after another, or several at a time where that does not disturb."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from soak.bench.functions import run_function
from soak.bench.kept import keep
from soak.bench.outcome import Outcome, document
from soak.bench.pressure import with_pressure
from soak.bench.retrieval import with_counterparts
from soak.bench.running import Bench, run_scenario
from soak.bench.scaling import with_scaling
from soak.bench.suite import Benchmark
from soak.bench.tiers import with_tiers
from soak.clock import NS_PER_S
from soak.report.document import Section
from soak.verdict import Mistake

Told = dict[str, object]


def run_suite(
    bench: Bench,
    suite: Sequence[Benchmark],
    *,
    parallel: int,
    said: Callable[[Benchmark, Section], None],
) -> list[Told]:
    """The result of each benchmark as JSON, kept in its run directory too.

    parallel: how many at a time. said: told of each when it is over, in whatever order they end.
    """

    def measured(benchmark: Benchmark) -> Told:
        told = _measured(bench, benchmark)
        keep([told])
        said(benchmark, told)
        return told

    with ThreadPoolExecutor(max_workers=parallel) as workers:
        results = list(workers.map(measured, suite))
    measured_all = [as_asked(bench, told, parallel=parallel) for told in results]
    documents = with_pressure(with_counterparts(with_tiers(with_scaling(measured_all))))
    keep(documents)
    return documents


def _measured(bench: Bench, benchmark: Benchmark) -> Told:
    began_ns = bench.clock.monotonic_ns()
    try:
        if benchmark.function:
            return run_function(bench, benchmark)
        return document(run_scenario(bench, benchmark.file, benchmark))
    except Mistake as mistake:
        # Those that were measured before are not lost for it.
        taken_s = (bench.clock.monotonic_ns() - began_ns) / NS_PER_S
        return document(
            Outcome(
                benchmark=benchmark,
                exit_code=mistake.exit_code,
                execution_s=taken_s,
                record=None,
                trouble=str(mistake),
            )
        )


def as_asked(bench: Bench, told: Told, **more: object) -> Told:
    """The result with what was asked of the suite, by which it is told from those of another."""
    metadata = told.get("metadata")
    assert isinstance(metadata, dict)
    asked = {
        "target": bench.target,
        "quick": bench.quick,
        "seed": bench.seed,
        "set": list(bench.overrides),
    }
    return {**told, "metadata": {**metadata, "asked": asked, **more}}
