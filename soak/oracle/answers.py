"""Was this answer allowed? Each judgement compares one answer with what the population knows.

A judgement returns a slot code: 0 for good, MISSING where a record was allowed not to be there,
WRONG with the broken promise. What overlapped a write is not judged and is good.
"""

from collections.abc import Sequence
from math import inf

from soak.oracle.population import ABSENT, DOUBT, MAYBE, PRESENT, Change, Population
from soak.oracle.wording import read_tag
from soak.result import Outcome, Violation, attempt, slot_code
from soak.seams import Hit, Query, Record, Scanned

MISSING = slot_code(Outcome.MISSING)
# What looking at an answer of the wrong shape raises.
MALFORMED = (AttributeError, TypeError, ValueError, OverflowError)
COSINE_MIN = 0.95
# Making a text anew costs microseconds, and a scan may bring ten thousand.
TEXTS_COMPARED = 100
SCORE_TOLERANCE = 1e-5  # float32 cosines computed in two orders differ by some 1e-7


def judge_missing(population: Population, operation: str, key: int, start_ns: int) -> int:
    """The target says that there is no such record."""
    slot = key % population.keys
    if population.occupant[slot] != key:
        return MISSING
    state, changed_ns = population.state[slot], population.changed_ns[slot]
    if state == DOUBT or changed_ns >= start_ns:
        return MISSING
    population.checked += 1
    if state == ABSENT:
        return MISSING
    # Only where a record that is there would have been counted, too: by `judge_record`.
    if state == MAYBE and operation != "traverse":
        population.ledger.read(float(population.importances[slot]), was_found=False)
    return _judge_absence(population, operation, key, state, start_ns)


def _judge_absence(
    population: Population, operation: str, key: int, state: int, start_ns: int
) -> int:
    slot = key % population.keys
    if state == MAYBE:
        population.note_read(slot, was_found=False)
        return MISSING
    is_pinned = population.is_pinned(key)
    if not is_pinned and may_have_forgotten(population):
        population.note_read(slot, was_found=False)
        return MISSING
    violation = Violation.PINNED_LOST if is_pinned else Violation.LOST
    note = f"not found; acknowledged {_age(start_ns, population.changed_ns[slot])}"
    return population.note_violation(violation, operation, key, start_ns, note)


def judge_gone(population: Population, operation: str, change: Change, start_ns: int) -> int:
    """The target says that there is no record to update or delete; call before the change ends."""
    if not change.is_followed or not population.is_alone(change):
        return MISSING
    slot, key = change.key % population.keys, change.key
    if change.before == DOUBT or population.changed_ns[slot] >= start_ns:
        return MISSING
    population.checked += 1
    if change.before == ABSENT:
        return MISSING
    return _judge_absence(population, operation, key, change.before, start_ns)


def judge_record(population: Population, key: int, record: Record, start_ns: int) -> int:
    """The target answered a get of key with this record."""
    slot = key % population.keys
    if population.occupant[slot] != key:
        return 0
    state, version = population.state[slot], population.version[slot]
    changed_ns = population.changed_ns[slot]
    if state == DOUBT or changed_ns >= start_ns:
        return 0
    population.checked += 1
    if state == ABSENT:
        return population.note_violation(
            Violation.RESURRECTED, "get", key, start_ns, f"gone {_age(start_ns, changed_ns)}"
        )
    try:
        if not _is_right(population, key, version, record):
            return _judge_content(population, key, version, record, start_ns)
    except MALFORMED as error:
        note = f"not a record: {error}"
        return population.note_violation(Violation.CORRUPT, "get", key, start_ns, note)
    if state == MAYBE:
        population.note_read(slot, was_found=True)
        population.ledger.read(float(population.importances[slot]), was_found=True)
    return 0


def _is_right(population: Population, key: int, version: int, record: Record) -> bool:
    """The text to the letter; the vector of one key in 16, if there is one; quantised ones pass."""
    text = population.content.text(key, version)
    if not population.fidelity.compare_text(text, record.text) or record.key != key:
        return False
    if key & 15 or record.vector.shape != (population.content.dimensions,):
        return True
    right = population.content.vector(key, version)
    return population.fidelity.compare_vector(right, record.vector, text) >= COSINE_MIN


def _judge_content(
    population: Population, key: int, version: int, record: Record, start_ns: int
) -> int:
    text: object = record.text
    older = _older(population, key, version, text)
    if older is not None and record.key == key:
        return population.note_violation(Violation.STALE, "get", key, start_ns, older)
    note = f"key {record.key!r}, text {str(text)[:60]!r}, version {version} is right"
    return population.note_violation(Violation.CORRUPT, "get", key, start_ns, note)


def _older(population: Population, key: int, version: int, text: object) -> str | None:
    """What to say where it is, to the letter, the text of an earlier version; it may be no text."""
    tag = read_tag(text) if isinstance(text, str) else None
    if tag is None or tag[0] != key or tag[1] >= version:
        return None
    if text != population.content.text(key, tag[1]):
        return None
    return f"version {tag[1]} came back, {version} was acknowledged"


def judge_hits(population: Population, query: Query, hits: Sequence[Hit], start_ns: int) -> int:
    """The target answered a search with these hits: their order, number and right to be there."""
    try:
        broken = _first_broken_hit(population, query, hits, start_ns)
    except MALFORMED as error:
        broken = (Violation.CORRUPT, -1, f"not a list of hits: {error}")
    population.checked += 1
    if broken is None:
        return 0
    violation, key, note = broken
    return population.note_violation(violation, "search", key, start_ns, note)


def _first_broken_hit(
    population: Population, query: Query, hits: Sequence[Hit], start_ns: int
) -> tuple[Violation, int, str] | None:
    if len(hits) > query.k:
        return Violation.DISORDER, hits[-1].key, f"{len(hits)} hits, {query.k} were asked for"
    previous = inf
    seen = set()
    for hit in hits:
        key, score = hit.key, hit.score
        # Written so that a score of nan is a disorder too.
        if not score <= previous + SCORE_TOLERANCE:
            return Violation.DISORDER, key, f"score {score:.6g} after {previous:.6g}"
        previous = score
        seen.add(key)
        broken = _broken_by(population, key, start_ns)
        if broken is not None:
            return broken
        if query.agent is not None and population.agent_of(key) != query.agent:
            note = f"of agent {population.agent_of(key)}, asked for {query.agent}"
            return Violation.BLEED, key, note
    if len(seen) < len(hits):
        return Violation.DISORDER, hits[0].key, "a key came twice"
    return None


def _broken_by(
    population: Population, key: int, start_ns: int
) -> tuple[Violation, int, str] | None:
    """Why this key must not be in an answer; None where it may."""
    slot = key % population.keys
    occupant = population.occupant[slot]
    if key > occupant or key < 0:
        return Violation.GHOST, key, "never stored"
    if key < occupant or population.state[slot] != ABSENT:
        return None
    changed_ns = population.changed_ns[slot]
    if changed_ns >= start_ns:
        return None
    return Violation.RESURRECTED, key, f"gone {_age(start_ns, changed_ns)}"


def judge_neighbours(
    population: Population, start: int, expected: int, answer: Sequence[int], start_ns: int
) -> int:
    """The target walked the graph from start; expected: a neighbour it must find, or -1."""
    population.checked += 1
    try:
        broken = _first_broken_neighbour(population, answer, start_ns)
    except MALFORMED as error:
        broken = (Violation.CORRUPT, start, f"not a list of keys: {error}")
    if broken is not None:
        return population.note_violation(broken[0], "traverse", broken[1], start_ns, broken[2])
    if expected < 0 or expected in answer:
        return 0
    if not (must_exist(population, start, start_ns) and must_exist(population, expected, start_ns)):
        return 0
    if may_have_forgotten(population):
        return 0
    note = f"the acknowledged edge to {expected} is gone"
    return population.note_violation(Violation.LOST, "traverse", start, start_ns, note)


def _first_broken_neighbour(
    population: Population, answer: Sequence[int], start_ns: int
) -> tuple[Violation, int, str] | None:
    for key in answer:
        broken = _broken_by(population, key, start_ns)
        if broken is not None:
            return broken
    if len(set(answer)) < len(answer):
        return Violation.DISORDER, answer[0], "a neighbour came twice"
    return None


def judge_scan(population: Population, limit: int, answer: Scanned, start_ns: int) -> int:
    """The target read these records, `limit` at most, or says how many it read."""
    population.checked += 1
    told: object = answer  # what a broken target tells need not be a number or a list
    seen = len(told) if isinstance(told, Sequence) else told
    if not isinstance(seen, int) or not 0 <= seen <= limit:
        note = f"{seen!r} records, at most {limit} were asked for"
        return population.note_violation(Violation.DISORDER, "scan", -1, start_ns, note)
    broken = None
    try:
        if not isinstance(answer, int):
            broken = _first_broken_read(population, answer, start_ns)
    except MALFORMED as error:
        broken = (Violation.CORRUPT, -1, f"not keys with texts: {error}")
    if broken is not None:
        return population.note_violation(broken[0], "scan", broken[1], start_ns, broken[2])
    floor = min(limit, population.present_count(start_ns))
    if seen >= floor or may_have_forgotten(population):
        return 0
    note = f"{seen} records seen, at least {floor} must be there"
    return population.note_violation(Violation.LOST, "scan", -1, start_ns, note)


def _first_broken_read(
    population: Population, read: Sequence[tuple[int, str]], start_ns: int
) -> tuple[Violation, int, str] | None:
    """Every key may be there, once; texts are compared of at most TEXTS_COMPARED, evenly spread."""
    keys = [key for key, _ in read]
    if len(set(keys)) < len(keys):
        return Violation.DISORDER, keys[0], "a key came twice"
    for key in keys:
        broken = _broken_by(population, key, start_ns)
        if broken is not None:
            return broken
    for key, text in read[:: len(read) // TEXTS_COMPARED + 1]:
        slot = key % population.keys
        if population.occupant[slot] != key or population.state[slot] == DOUBT:
            continue
        version = population.version[slot]
        population.checked += 1
        if population.changed_ns[slot] < start_ns and text != population.content.text(key, version):
            older = _older(population, key, version, text)
            if older is not None:
                return Violation.STALE, key, older
            return Violation.CORRUPT, key, f"text {str(text)[:60]!r}, version {version} is right"
    return None


def must_exist(population: Population, key: int, start_ns: int) -> bool:
    """Whether nothing but a fault explains that the key is not found."""
    slot = key % population.keys
    return (
        population.occupant[slot] == key
        and population.state[slot] == PRESENT
        and population.changed_ns[slot] < start_ns
    )


def may_have_forgotten(population: Population) -> bool:
    """The flag is polled, and the target may have turned full since: ask before accusing.

    A target that cannot even answer this gets the benefit of the doubt.
    """
    if population.forgetting:
        return True
    asked = attempt(Population.refresh_forgetting, population)
    return asked if isinstance(asked, bool) else True


def _age(start_ns: int, changed_ns: int) -> str:
    return f"{(start_ns - changed_ns) / 1e9:.3f} s before"
