"""How much of what a search should have found did it find? Exact scores over the live keys.

Runs in the worker's telemetry thread, on the latest search that was offered to the population.
"""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from soak.oracle.population import DOUBT, PRESENT, Population
from soak.result import TargetError
from soak.seams import Floats, Target

MAX_GETS = 64
TIE = 1e-5  # two records with the same vector are equally right


def probe(population: Population, target: Target) -> float | None:
    """Recall at k of the offered search, 0 to 1; None where there is nothing to compare with.

    Compared with keys that were live and unchanged since the search began; hits outside them are
    neither right nor wrong and make k smaller. Whether a key that may be forgotten is there is
    asked of the target, 64 times at most; beyond that there is no figure.
    """
    offered = population.take_offer()
    if offered is None:
        return None
    query, hits, start_ns = offered
    slots = population.settled_slots(start_ns)
    keys = population.occupants[slots]
    if query.agent is not None:
        own = population.agents_of(keys) == query.agent
        slots, keys = slots[own], keys[own]
    versions = population.versions[slots].astype(np.int64)
    scores = population.content.scores(query.vector, keys, versions)
    hit_keys = np.array([hit.key for hit in hits], dtype=np.int64)
    is_hit = np.isin(keys, hit_keys)
    wanted = query.k - int(hit_keys.size - np.count_nonzero(is_hit))
    try:
        best = _best_there(population, target, keys, scores, set(hit_keys.tolist()), wanted)
    except TargetError:
        return None
    if not best:
        return None
    right = int(np.count_nonzero(scores[is_hit] >= best[-1] - TIE))
    return min(right, len(best)) / len(best)


def _best_there(
    population: Population,
    target: Target,
    keys: NDArray[np.int64],
    scores: Floats,
    hit_keys: Collection[int],
    wanted: int,
) -> list[float]:
    """The `wanted` highest scores among the records that are there, highest first.

    Fewer where there are fewer; empty where it took too many questions to find out.
    """
    best: list[float] = []
    gets = 0
    for index in _highest_first(scores, wanted + MAX_GETS):
        if len(best) == wanted:
            break
        key = int(keys[index])
        slot = key % population.keys
        state = population.state[slot]
        if population.occupant[slot] != key or state == DOUBT:
            continue
        if state != PRESENT and key not in hit_keys:
            gets += 1
            is_there = target.get(key) is not None
            population.note_read(slot, was_found=is_there)
            if not is_there:
                continue
        best.append(float(scores[index]))
    return [] if gets >= MAX_GETS else best


def _highest_first(scores: Floats, count: int) -> Iterator[int]:
    if count < scores.size:
        chosen = np.argpartition(-scores, count)[:count]
    else:
        chosen = np.arange(scores.size)
    yield from chosen[np.argsort(-scores[chosen], kind="stable")].tolist()
