"""What does an operation cost the tester? CPU of preparing and checking, on targets that cost none.

    python -m bench.operations [--rounds N] [--json FILE]

`null` answers nothing; `answering` answers rightly from a dictionary, so that every answer is
judged in full.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from soak import plugins
from soak.clock import monotonic_ns, thread_cpu_ns
from soak.oracle import importance
from soak.oracle.population import Population, Shape
from soak.oracle.recall import probe
from soak.result import OUTCOME_MASK, Outcome
from soak.seams import Hit, Operation, Query, Record
from soak.targets.null import Null

KEYS = 40_000
CALLS = 2_000
# Microseconds; a paced operation cannot cost less than the 14 to 20 of one wake-up.
GOALS_US = {"get": 10.0, "store": 30.0, "search": 30.0}
NAMES = ("store", "get", "search", "update", "delete", "scan", "link", "traverse")
CONTENTS = ("clustered", "text")


class Answering(Null):
    """Gives back what was stored, and k records that exist for every search."""

    def __init__(self) -> None:
        self.records: dict[int, Record] = {}
        self.hits = [Hit(key, 1.0 - key / 100) for key in range(10)]

    def store(self, record: Record) -> None:
        self.records[record.key] = record

    def update(self, record: Record) -> None:
        self.records[record.key] = record

    def get(self, key: int) -> Record | None:
        return self.records.get(key)

    def search(self, query: Query) -> Sequence[Hit]:
        return self.hits if query.agent is None else ()

    def scan(self, limit: int) -> int:
        return limit

    def may_forget(self) -> bool:
        return False


def population_of(directory: str, content: str) -> Population:
    made = plugins.load("content", content).build(
        plugins.params_of("content", content, {}), 1, KEYS
    )
    path = Path(directory) / "population.bin"
    return Population(path, made, Shape(keys=KEYS, agent_filter_ratio=0.0), [importance.beta()])


def cost_us(call: Callable[[int], None], rounds: int) -> float:
    """The least of several rounds: what the work takes when nothing disturbs it."""
    costs = []
    for number in range(rounds):
        start_ns = thread_cpu_ns()
        for i in range(number * CALLS, (number + 1) * CALLS):
            call(i)
        costs.append((thread_cpu_ns() - start_ns) / CALLS / 1e3)
    return min(costs)


def costs_us(target: Null, population: Population, rounds: int) -> dict[str, float]:
    """Every operation in turn, on the keys 0, 1, 2, ...; raises if an answer is found wrong."""
    population.watch(target)
    operations = {
        name: plugins.load("operations", name).build(target, population) for name in NAMES
    }
    return {name: cost_us(issuing(made, population), rounds) for name, made in operations.items()}


def issuing(operation: Operation, population: Population) -> Callable[[int], None]:
    """All that a client does with one slot, but for waiting."""

    def issue(argument: int) -> None:
        request = operation.prepare(argument, 0)
        start_ns = monotonic_ns()
        answer = operation.call(request)
        code = operation.check(request, answer, start_ns)
        if code & OUTCOME_MASK == Outcome.WRONG:
            raise SystemExit(f"the benchmark is wrong: {population.drain_notes()}")

    return issue


def probe_ms(population: Population, target: Null) -> float:
    """One recall probe over 40,000 live keys, as the telemetry thread makes it."""
    store = issuing(plugins.load("operations", "store").build(target, population), population)
    for key in range(KEYS, 2 * KEYS):
        store(key)
    search = plugins.load("operations", "search").build(target, population)
    request = search.prepare(1, 0)
    costs = []
    for _ in range(5):
        population.offer(request, target.search(request), monotonic_ns())
        start_ns = thread_cpu_ns()
        probe(population, target)
        costs.append((thread_cpu_ns() - start_ns) / 1e6)
    return min(costs)


def main(rounds: int, file: Path | None) -> int:
    """Print the table; 1 when a goal was missed."""
    table: dict[str, dict[str, float]] = {}
    for content in CONTENTS:
        for target in (Null(), Answering()):
            with TemporaryDirectory() as directory:
                population = population_of(directory, content)
                column = f"{content}/{type(target).__name__.lower()}"
                table[column] = costs_us(target, population, rounds)
                table[column]["recall_probe_ms"] = probe_ms(population, target)
    print("CPU in us".ljust(18), *(column.rjust(20) for column in table), "goal".rjust(6))
    for name in (*NAMES, "recall_probe_ms"):
        goal = f"{GOALS_US[name]:6.0f}" if name in GOALS_US else ""
        print(name.ljust(18), *(f"{costs[name]:20.2f}" for costs in table.values()), goal)
    if file:
        file.write_text(json.dumps({"unit": "us", "goals": GOALS_US, "costs": table}, indent=1))
    return any(costs[name] > goal for name, goal in GOALS_US.items() for costs in table.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="the cheapest of so many counts")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    given = parser.parse_args()
    sys.exit(main(given.rounds, given.json))
