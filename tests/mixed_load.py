"""A small load without processes: real operations on a real target, judged by the real oracle."""

from collections import Counter
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread

import numpy as np

from soak.clock import monotonic_ns
from soak.content import clustered
from soak.oracle import importance
from soak.oracle.population import Population, Shape
from soak.result import DETAIL_SHIFT, OUTCOME_MASK, Outcome, TargetError
from soak.seams import Operation, Target

DIMENSIONS = 32
EVERYTHING = {
    "store": 25,
    "store_batch": 2,
    "get": 30,
    "search": 20,
    "update": 10,
    "delete": 10,
    "scan": 1,
    "link": 8,
    "traverse": 8,
    "maintain": 0.2,
    "reopen": 0.2,
}


def small_content(keys: int = 1000, seed: int = 1) -> clustered.Clustered:
    params = clustered.Params(dimensions=DIMENSIONS, latent_dimensions=8, text_bytes=80)
    return clustered.build(params, seed, keys)


def small_population(
    tmp_path: Path, *, keys: int = 1000, pinned_ratio: float = 0.0, agents: int = 4
) -> Population:
    return Population(
        tmp_path / "population.bin",
        small_content(keys),
        Shape(keys=keys, agents=agents, pinned_ratio=pinned_ratio, batch_count=3, k=5),
        [importance.beta()],
    )


class MixedLoad:
    """Clients that draw operations by weight and keys evenly; new keys are handed out in order."""

    def __init__(
        self, target: Target, population: Population, mix: Mapping[str, float] = EVERYTHING
    ) -> None:
        population.watch(target)
        self.population = population
        self.outcomes: Counter[Outcome] = Counter()
        self._operations: dict[str, Operation] = {
            name: import_module(f"soak.operations.{name}").build(target, population) for name in mix
        }
        self._mix = mix
        self._next = 0
        self._lock = Lock()

    def run(self, operations: int, *, clients: int = 1, seed: int = 1) -> None:
        shares = np.array(list(self._mix.values())) / sum(self._mix.values())

        def client(number: int) -> None:
            rng = np.random.default_rng([seed, number])
            for name in rng.choice(list(self._mix), size=operations // clients, p=shares):
                self.issue(str(name), self._argument(str(name), rng))

        threads = [Thread(target=client, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def issue(self, name: str, argument: int) -> Outcome:
        operation = self._operations[name]
        request = operation.prepare(argument, 0)
        start_ns = monotonic_ns()
        try:
            answer = operation.call(request)
        except TargetError:
            operation.abandon(request)
            self.outcomes[Outcome.ERROR] += 1
            return Outcome.ERROR
        code = operation.check(request, answer, start_ns)
        assert (code & OUTCOME_MASK == Outcome.WRONG) == (code >> DETAIL_SHIFT > 0)
        outcome = Outcome(code & OUTCOME_MASK)
        self.outcomes[outcome] += 1
        return outcome

    def _argument(self, name: str, rng: np.random.Generator) -> int:
        size = {"store": 1, "store_batch": self.population.shape.batch_count}.get(name, 0)
        with self._lock:
            first = self._next
            self._next += size
        if size:
            return first
        oldest = max(0, first - self.population.keys)
        return int(rng.integers(oldest, first + 1))

    def broken(self) -> set[str]:
        """Which promises were broken at least once."""
        return {kind.value for kind, times in self.population.violations.items() if times}
