import numpy as np
import pytest

from soak.load.block import Block
from soak.load.workload import Workload
from soak.result import OPERATIONS
from soak.scenario import Scenario, resolve

MIX = {"store": 20, "get": 40, "search": 20, "update": 10, "delete": 10}
STORE, STORE_BATCH, GET, SEARCH, UPDATE, DELETE = range(6)


def scenario(**changes: object) -> Scenario:
    """Ten seconds at 1,000/s, every operation on one key."""
    phase = {"name": "only", "duration": "10s", "mix": MIX}
    tree = {"name": "test", "seed": 5, "rate": "1000/s", "target": "null", "phases": [phase]}
    return resolve(tree | {"population": {"keys": 2000}} | changes, "test")


def blocks(scenario: Scenario, most: int = 10_000) -> list[Block]:
    workload = Workload(scenario)
    found: list[Block] = []
    while len(found) < most and (block := workload.next_block()) is not None:
        found.append(block)
    return found


def column(found: list[Block], name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.concatenate([getattr(block, name) for block in found])


@pytest.mark.parametrize("popularity", ["zipf", "uniform", "latest", "hotspot"])
def test_the_same_seed_gives_the_same_operations(popularity: str) -> None:
    phase = {"name": "only", "duration": "10s", "mix": MIX, "popularity": popularity}
    first, second = (blocks(scenario(phases=[phase])) for _ in range(2))

    for name in ("due_s", "operation", "argument"):
        assert column(first, name).tobytes() == column(second, name).tobytes()


def test_another_seed_gives_other_operations() -> None:
    first, second = blocks(scenario()), blocks(scenario(seed=6))

    for name in ("due_s", "operation", "argument"):
        assert column(first, name)[:1000].tobytes() != column(second, name)[:1000].tobytes()


def test_a_phase_does_not_depend_on_how_long_the_one_before_it_was() -> None:
    lead = {"name": "lead", "mix": {"get": 1, "store": 1}}
    second = {"name": "second", "duration": "5s", "mix": MIX}
    short, long = (
        [b for b in blocks(scenario(phases=[lead | {"duration": d}, second])) if b.phase == 1]
        for d in ("1s", "4s")
    )

    assert column(short, "operation").tobytes() == column(long, "operation").tobytes()
    assert column(short, "due_s") + 3 == pytest.approx(column(long, "due_s"))


def test_operations_come_in_the_proportion_of_the_mix() -> None:
    long = {"name": "only", "duration": "100s", "mix": MIX}
    codes = column(blocks(scenario(phases=[long])), "operation")

    shares = np.bincount(codes.astype(np.int64), minlength=6)[[0, 2, 3, 4, 5]] / codes.size
    # Before there are records, operations that need one store one instead: a few hundred here.
    assert shares == pytest.approx([0.2, 0.4, 0.2, 0.1, 0.1], abs=0.01)


def test_every_operation_is_about_a_record_that_was_stored_and_not_deleted() -> None:
    live: set[int] = set()
    for block in blocks(scenario()):
        code, argument = block.operation, block.argument
        victims = argument[code == DELETE].tolist()
        used = set(argument[(code == GET) | (code == UPDATE)].tolist())
        assert used <= live - set(victims)
        assert set(victims) <= live
        assert len(victims) == len(set(victims))
        live = live - set(victims) | set(argument[code == STORE].tolist())


def test_stores_take_the_next_keys_and_batches_a_run_of_them() -> None:
    phase = {"name": "only", "duration": "10s", "mix": {"store": 3, "store_batch": 1}}
    found = blocks(scenario(phases=[phase], population={"keys": 500, "batch": 7}))
    code, argument = column(found, "operation"), column(found, "argument")

    sizes = np.where(code == STORE_BATCH, 7, 1)
    assert (np.cumsum(sizes) - sizes).tolist() == argument.tolist()


def test_preloaded_records_are_live_from_the_start() -> None:
    phase = {"name": "only", "duration": "1s", "mix": {"get": 1}}
    found = blocks(scenario(phases=[phase], population={"keys": 100, "preload": 40}))

    assert set(range(40)) == set(column(found, "argument").astype(int).tolist())


def test_deleting_more_than_there_is_stores_instead() -> None:
    phase = {"name": "only", "duration": "10s", "mix": {"store": 1, "delete": 9}}
    codes = column(blocks(scenario(phases=[phase])), "operation").tolist()

    assert 0 <= codes.count(STORE) - codes.count(DELETE) <= 300


def test_phases_follow_one_another_without_a_gap() -> None:
    phases = [
        {"name": "one", "duration": "2s", "arrivals": "constant", "mix": MIX},
        {"name": "two", "duration": "3s", "arrivals": "constant", "mix": MIX, "rate": "500/s"},
    ]
    found = blocks(scenario(phases=phases))

    expected = [*(np.arange(1, 2001) / 1000), *(2 + np.arange(1, 1501) / 500)]
    assert np.array(expected) == pytest.approx(column(found, "due_s"))
    assert [0] * 2000 == [b.phase for b in found for _ in range(len(b))][:2000]


def test_maintenance_is_asked_for_at_whole_multiples_beside_the_mix() -> None:
    found = blocks(scenario(maintain_every="3s"))
    due_s, code = column(found, "due_s"), column(found, "operation")

    assert [3.0, 6.0, 9.0] == due_s[code == OPERATIONS.index("maintain")].tolist()
    assert (np.diff(due_s) >= 0).all()


def test_new_records_are_soon_read_at_a_low_rate() -> None:
    found = blocks(scenario(rate="20/s"))

    assert max(len(block) for block in found) <= 16


def test_a_closed_phase_ends_when_it_is_ended() -> None:
    phases = [
        {"name": "closed", "duration": "2s", "arrivals": "closed", "mix": MIX},
        {"name": "open", "duration": "2s", "mix": MIX},
    ]
    workload = Workload(scenario(phases=phases))

    first = [workload.next_block() for _ in range(3)]
    workload.end_phase()
    after = workload.next_block()

    assert [False] * 3 == [block.is_open for block in first if block]
    assert after is not None
    assert (1, True) == (after.phase, after.is_open)
    assert after.due_s[0] > 2


def test_what_is_offered_and_where_the_run_is_are_known_at_every_time() -> None:
    phases = [
        {"name": "one", "duration": "2s", "mix": MIX},
        {"name": "two", "duration": "3s", "mix": MIX, "rate": "10/s"},
        {"name": "three", "duration": "1s", "arrivals": "closed", "mix": MIX},
    ]
    workload = Workload(scenario(phases=phases))

    assert [0, 0, 1, 1, 2, 2] == [workload.phase_at(t) for t in (-1, 1.9, 2, 4.9, 5, 99)]
    assert [1000.0, 10.0, 0.0] == [workload.offered_rate(t) for t in (0, 3, 6)]
    assert np.isnan(workload.offered_rate(5.5))
