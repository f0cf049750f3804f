"""How is a whole suite run? One after another, or several at a time where that does not disturb."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from soak.bench.functions import run_function
from soak.bench.kept import keep
from soak.bench.outcome import document
from soak.bench.running import Bench, run_scenario
from soak.bench.scaling import with_scaling
from soak.bench.suite import Benchmark
from soak.report.document import Section

Told = tuple[dict[str, object], int]


def run_suite(
    bench: Bench,
    suite: Sequence[Benchmark],
    *,
    parallel: int,
    said: Callable[[Benchmark, Section], None],
) -> tuple[list[dict[str, object]], list[int]]:
    """The result of each benchmark as JSON, kept in its run directory too, and its exit code.

    parallel: how many at a time. said: told of each when it is over, in whatever order they end.
    """

    def measured(benchmark: Benchmark) -> Told:
        told, code = _measured(bench, benchmark)
        keep([told])
        said(benchmark, told)
        return told, code

    with ThreadPoolExecutor(max_workers=parallel) as workers:
        results = list(workers.map(measured, suite))
    documents = with_scaling([_of_many(told, parallel) for told, _ in results])
    keep(documents)
    return documents, [code for _, code in results]


def _measured(bench: Bench, benchmark: Benchmark) -> Told:
    if benchmark.function:
        return run_function(bench, benchmark)
    outcome = run_scenario(bench, benchmark.file, benchmark)
    return document(outcome), outcome.exit_code


def _of_many(told: dict[str, object], parallel: int) -> dict[str, object]:
    metadata = told.get("metadata")
    assert isinstance(metadata, dict)
    return {**told, "metadata": {**metadata, "parallel": parallel}}
