"""Do edges make a graph in which each further step reaches more?"""

from soak.operations import link
from soak.targets.null import Null
from tests.mixed_load import small_population

RECORDS = 1_000


def steps_from(start, partners):
    seen, border = {start}, {start}
    for _ in range(3):
        border = {other for key in border for other in partners[key]} - seen
        seen |= border
        yield len(seen) - 1


def test_each_step_of_a_walk_reaches_several_times_as_many(tmp_path):
    partners = {key: set() for key in range(RECORDS)}
    # One more turn after each round, so that every key gets its other partner.
    operation = link.build(Null(), small_population(tmp_path))
    for _ in range(link.PARTNERS):
        for key in range(RECORDS):
            partners[key].add(operation.prepare(key, 0).target)
        next(operation._turns)

    one, two, three = steps_from(RECORDS - 1, partners)

    assert 4 >= one >= 3
    assert two > 2.5 * one
    assert three > 2.5 * two


def test_a_key_has_few_partners_all_stored_before(tmp_path):
    operation = link.build(Null(), small_population(tmp_path))
    made = [operation.prepare(500, 0) for _ in range(100)]

    assert link.PARTNERS >= len({edge.target for edge in made})
    assert all(500 - link.WITHIN <= edge.target < 500 for edge in made)
    assert 0 == operation.prepare(0, 0).target
