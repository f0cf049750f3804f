"""Which part of a soak does each worker get? Its own rate, keys, tenants, seed and target.

Worker i of n has a target of its own, so what it stores is nobody else's: a share is a scenario
like any other, and what it asks can be repeated alone, from its scenario.yaml. The portions of
rate, keys, agents and preload add up to the whole exactly. What is said of one target or one
client (its capacity, `clients`, `maintain_every`) holds for each.
"""

import math
import re
from collections.abc import Collection, Iterator
from fractions import Fraction

import numpy as np

from soak.scenario import Check, Phase, Scenario, Target, resolve
from soak.scenario.yaml_source import read
from soak.verdict import Mistake

# With these no moment of a phase differs from another, so its rest is a phase of that kind, too.
EVEN = ("constant", "poisson", "closed")
SPLIT = ("keys", "agents", "preload")
# Stands in the target's parameters for the worker's number.
WORKER = "$worker"
SHORTEST_S = 1.0


class NotDivisible(Mistake):
    """This soak cannot be divided; the message says what stands against it, and the remedy."""


def shares(scenario: Scenario, worker_count: int) -> tuple[Scenario, ...]:
    """What each of the workers does. Raises NotDivisible."""
    _require_divisible(scenario, worker_count)
    return tuple(_share(scenario, index, worker_count) for index in range(worker_count))


def rest(share: Scenario, from_s: float, part: int) -> Scenario | None:
    """What remains of a share from that time on, for another worker and a new target.

    part: which beginning of this share it is, 1 for the first rest; it asks other things than the
    parts before. None where nothing remains that could be judged.
    """
    phases = tuple(_later(share.phases, from_s))
    if not any(not phase.warm for phase in phases):
        return None
    left = {phase.name for phase in phases}
    checks = tuple(check for each in share.checks for check in _left_to(each, left))
    changed = {"phases": phases, "checks": checks, "seed": _seed(share.seed, part)}
    return share.model_copy(update=changed)


def _left_to(check: Check, left: Collection[str]) -> Iterator[Check]:
    """The check about those of its phases that are still to come, if it has any."""
    if check.phases is None:
        yield check
    elif phases := tuple(name for name in check.phases if name in left):
        yield check.model_copy(update={"phases": phases})


def heard(text: str) -> Scenario:
    """A share that was dumped elsewhere. Raises Mistake where a plug-in of it is missing here."""
    tree = read(text.encode(), "share").tree
    assert isinstance(tree, dict), "a share is a scenario"
    return resolve(tree, "share")


def portion(whole: int, index: int, count: int) -> int:
    """How many of so many the worker gets: all get the same, the first ones what is left over."""
    return whole // count + (index < whole % count)


def rate_portion(rate_per_s: float, index: int, count: int) -> float:
    """Its part of a rate; the sum of all parts, rounded once, is the rate."""
    each = rate_per_s / count
    if index:
        return each
    return float(Fraction(rate_per_s) - (count - 1) * Fraction(each))


def _require_divisible(scenario: Scenario, count: int) -> None:
    population = scenario.population
    most = min(population.keys, population.agents)
    if not 1 <= count <= most:
        raise NotDivisible(
            f"--workers {count}: each worker needs keys and agents of its own, and "
            f"{scenario.name} has {population.keys} keys and {population.agents} agents; "
            f"pass 1 to {most}, or --set population.agents={max(count, 1)}"
        )
    uneven = {phase.arrivals.kind for phase in scenario.phases} - set(EVEN)
    if uneven:
        raise NotDivisible(
            f"{scenario.name} has {', '.join(sorted(uneven))} arrivals, of which a worker could "
            f"not take over the rest; --cluster takes {', '.join(EVEN)}"
        )
    if scenario.turns is not None:
        raise NotDivisible(
            f"{scenario.name} works by turns with another run, and each worker begins when it is "
            "ready; leave out turns, or --cluster"
        )
    aborting = [check.name for check in scenario.checks if check.abort is not None]
    if aborting:
        raise NotDivisible(
            f"{scenario.name} may be aborted by its check {aborting[0]}, and a worker knows of its "
            "own share alone; leave out abort (--set 'checks[*].abort=null'), or --cluster"
        )
    params = scenario.target.params.model_dump(mode="json")
    is_elsewhere = params.get("url") and not params.get("start") and "$port" not in params["url"]
    if count > 1 and is_elsewhere and WORKER not in str(params):
        raise NotDivisible(
            f"target {scenario.target.name} is at one address for all workers, and each would "
            f"take what the others store for wrong answers; write {WORKER} where the name of a "
            "collection or database stands, and each has its own"
        )


def _share(scenario: Scenario, index: int, count: int) -> Scenario:
    population = scenario.population
    parts = {name: portion(getattr(population, name), index, count) for name in SPLIT}
    return scenario.model_copy(
        update={
            "seed": _seed(scenario.seed, index),
            "rate": rate_portion(scenario.rate, index, count),
            "phases": tuple(_slower(phase, index, count) for phase in scenario.phases),
            "population": population.model_copy(update=parts),
            "target": _own(scenario.target, index),
            # For debugging, on its machine alone; the run's own address is the head's.
            "listen": "127.0.0.1:0",
        }
    )


def _slower(phase: Phase, index: int, count: int) -> Phase:
    rate = None if phase.rate is None else rate_portion(phase.rate, index, count)
    return phase.model_copy(update={"rate": rate})


def _own(target: Target, index: int) -> Target:
    """The target with the worker's number in its parameters, where they ask for it."""
    written = target.params.model_dump_json()
    if WORKER not in written:
        return target
    # As one of letters, where a name goes on behind it.
    own = re.sub(rf"{re.escape(WORKER)}(?![a-z])", str(index), written)
    return target.model_copy(update={"params": type(target.params).model_validate_json(own)})


def _seed(seed: int, index: int) -> int:
    """Another seed for each number, below 2**53: whoever reads it as a float reads it right."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> 11)


def _later(phases: tuple[Phase, ...], from_s: float) -> Iterator[Phase]:
    """The phases after that time; of the one it falls into the remainder, unless that is short."""
    ends_s = np.cumsum([phase.duration for phase in phases])
    for phase, end_s in zip(phases, ends_s, strict=True):
        left_s = min(phase.duration, math.floor((float(end_s) - from_s) * 1e3) / 1e3)
        if left_s >= min(SHORTEST_S, phase.duration):
            yield phase.model_copy(update={"duration": left_s})
