"""How is measured what one scenario cannot say? By a function `benchmark_*` in a file of its own.

    def benchmark_max_rate(trials: Trials) -> Findings:
        '''What is the highest rate that keeps the objectives?'''

The first line of its docstring is its question. It runs scenarios of the same folder as often as it
needs and says what it found; the rest of the result is made here.
"""

import json
import math
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from soak.bench.limits import not_kept
from soak.bench.outcome import Outcome, document, objective
from soak.bench.running import QUICK_S, Bench, run_scenario
from soak.bench.search import highest_rate
from soak.bench.suite import Benchmark, chosen, function_of
from soak.clock import NS_PER_S
from soak.report.document import Section, as_rows, as_section
from soak.rundir import finite
from soak.verdict import ExitCode, Mistake, Status

FIRST_PER_S = 200.0
LEAST_PER_S = 10.0
MOST_PER_S = 100_000.0
# What a trial of the mixed load needs for the tails of all its objectives to be known.
LEAST_OPERATIONS = 1_500
TRIALS, QUICK_TRIALS = 10, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a function found. results and objectives: as in any benchmark's JSON."""

    status: Status
    reason: str
    results: Mapping[str, object]
    objectives: tuple[Mapping[str, object], ...] = ()


class Trials:
    """Runs of scenarios for one function, and what the last one left."""

    def __init__(self, bench: Bench, benchmark: Benchmark) -> None:
        self._bench = bench
        self._benchmark = benchmark
        self.latest: Section = {}

    def run(self, scenario: str, *flags: str) -> Section:
        """Run the scenario of that `category/name` once more; its result as JSON.

        flags: further ones of `soak run`. Raises NoSuchBenchmark.
        """
        file = chosen([scenario], self._bench.folder)[0].file
        self.latest = document(run_scenario(self._bench, file, self._benchmark, flags))
        return self.latest

    def highest_rate(self, scenario: str) -> Findings:
        """The highest rate at which every check of the scenario passes, by bisection.

        A trial whose verdict is unknown has not held: where the tester was late, too, nobody knows.
        """
        tried: list[dict[str, object]] = []
        held: list[Section] = []

        def holds(rate_per_s: float) -> bool:
            length = self._length(scenario, rate_per_s)
            told = self.run(scenario, f"--rate={rate_per_s:.0f}", f"--duration={length:.0f}s")
            verdict = as_section(told.get("verdict"))
            reason, run = verdict.get("reason"), as_section(told.get("metadata")).get("run")
            row = {"rate_per_s": rate_per_s, "status": verdict.get("status"), "reason": reason}
            tried.append({**row, "run": run})
            if verdict.get("status") == Status.PASS:
                held.append(told)
            return verdict.get("status") == Status.PASS

        count = QUICK_TRIALS if self._bench.quick else TRIALS
        found = highest_rate(
            holds,
            first_per_s=FIRST_PER_S,
            least_per_s=LEAST_PER_S,
            most_per_s=MOST_PER_S,
            trials_count=count,
        )
        best = held[-1] if held else {}
        results = {
            **as_section(best.get("results")),
            "kept_per_s": found.kept_per_s,
            "lost_per_s": found.lost_per_s,
            "trials": tried,
        }
        if not held:
            is_lost = tried[-1]["status"] == Status.FAIL
            said = f"not even {found.lost_per_s:g}/s kept them: {tried[-1]['reason']}"
            if not is_lost:
                said = f"{found.lost_per_s:g}/s could not be judged: {tried[-1]['reason']}"
            status = Status.FAIL if is_lost else Status.UNKNOWN
            return Findings(status=status, reason=said, results=results)
        beyond = f"{found.lost_per_s:,.0f}/s {not_kept(tried, found.lost_per_s)}"
        said = f"{found.kept_per_s:,.0f}/s kept every objective, {beyond}"
        if math.isinf(found.lost_per_s):
            said = f"{found.kept_per_s:,.0f}/s, the most that was tried, kept every objective"
        return Findings(
            status=Status.PASS,
            reason=said,
            results=results,
            objectives=tuple(map(objective, as_rows(best.get("objectives")))),
        )

    def _length(self, scenario: str, rate_per_s: float) -> float:
        """Seconds: the usual ones, and at a low rate as many as LEAST_OPERATIONS take."""
        file = chosen([scenario], self._bench.folder)[0].file
        usual_s = QUICK_S if self._bench.quick else self._bench.scenario(file).duration_s
        return math.ceil(max(usual_s, LEAST_OPERATIONS / rate_per_s))


Function = Callable[[Trials], Findings]


class FunctionError(Mistake):
    """A function raised, or returned no findings; the message says what and where."""

    exit_code = ExitCode.UNKNOWN


def run_function(bench: Bench, benchmark: Benchmark) -> dict[str, object]:
    """The function's result as JSON, with the circumstances of its last run. Raises Mistake."""
    function: Function = function_of(benchmark)
    trials = Trials(bench, benchmark)
    began_ns = bench.clock.monotonic_ns()
    try:
        found = function(trials)
        rows = [dict(row) for row in found.objectives]
        # What cannot be written would be noticed only when it is kept, and end the suite.
        json.dumps(finite({"results": dict(found.results), "objectives": rows}))
    except Mistake:
        raise
    except Exception as error:
        raise FunctionError(_where(benchmark, error)) from error
    taken_s = (bench.clock.monotonic_ns() - began_ns) / NS_PER_S
    code = {Status.PASS: ExitCode.PASS, Status.FAIL: ExitCode.OBJECTIVE}.get(
        found.status, ExitCode.UNKNOWN
    )
    plain = Outcome(benchmark=benchmark, exit_code=code, execution_s=taken_s, record=None)
    circumstances = as_section(trials.latest.get("metadata"))
    told = {
        **document(plain),
        "timestamp": trials.latest.get("timestamp"),
        "verdict": {"status": str(found.status), "exit_code": int(code), "reason": found.reason},
        "results": dict(found.results),
        "objectives": rows,
        "metadata": {
            **circumstances,
            "execution_time_s": taken_s,
            "config": str(Path(*benchmark.file.parts[-3:])),
        },
    }
    safe = finite(told)
    assert isinstance(safe, dict)
    return safe


def _where(benchmark: Benchmark, error: Exception) -> str:
    """The line of the function's own file at which it went wrong, and what did."""
    frames = traceback.extract_tb(error.__traceback__)
    file = benchmark.file.absolute()
    own = [frame.lineno for frame in frames if Path(frame.filename) == file]
    line = f":{own[-1]}" if own else ""
    return f"{benchmark.file}{line}: {benchmark.function}: {type(error).__name__}: {error}"
