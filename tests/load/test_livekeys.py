import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from soak.load.livekeys import LiveKeys
from soak.load.popularity import draw_of
from soak.scenario import Popularity

UNIFORM = draw_of(Popularity.model_validate("uniform"), 64)


class Twin:
    """The same, slow and obvious: the live keys in a set."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.next_key = 0
        self.live: set[int] = set()

    def store(self, count: int) -> None:
        for _ in range(count):
            slot = self.next_key % self.capacity
            self.live = {key for key in self.live if key % self.capacity != slot}
            self.live.add(self.next_key)
            self.next_key += 1


Steps = st.lists(st.tuples(st.sampled_from("sd"), st.integers(0, 40)), max_size=40)


@given(Steps, st.integers(1, 64))
def test_the_live_keys_are_those_stored_and_neither_deleted_nor_overwritten(
    steps: list[tuple[str, int]], capacity: int
) -> None:
    live, twin, rng = LiveKeys(capacity), Twin(capacity), np.random.default_rng(1)
    for step, count in steps:
        if step == "s":
            assert twin.next_key == live.store(count, rng)
            twin.store(count)
        else:
            victims = live.take_victims(count, UNIFORM, rng).tolist()
            assert min(count, len(twin.live)) == len(set(victims)) == len(victims)
            assert set(victims) <= twin.live
            twin.live -= set(victims)
        assert len(twin.live) == live.count
        if live.count:
            assert set(live.popular(500, UNIFORM, rng).tolist()) <= twin.live
            assert set(live.latest(500, UNIFORM, rng).tolist()) <= twin.live


def test_every_live_key_can_be_drawn() -> None:
    live, rng = LiveKeys(50), np.random.default_rng(2)
    live.store(130, rng)

    drawn = live.popular(5000, UNIFORM_50, rng)

    assert list(range(80, 130)) == np.unique(drawn).tolist()


UNIFORM_50 = draw_of(Popularity.model_validate("uniform"), 50)


def test_victims_are_the_keys_whose_slots_are_needed_soon() -> None:
    live, rng = LiveKeys(80), np.random.default_rng(3)
    live.store(80, rng)

    assert list(range(10)) == live.take_victims(10, UNIFORM, rng).tolist()


def test_popularity_does_not_depend_on_age() -> None:
    live, rng = LiveKeys(2000), np.random.default_rng(4)
    for _ in range(200):
        live.store(10, rng)

    by_rank = live.popular(2000, lambda count, live, rng: np.arange(live), rng)

    assert list(range(2000)) == sorted(by_rank.tolist())
    assert abs(np.corrcoef(np.arange(2000), by_rank)[0, 1]) < 0.1


def test_the_most_popular_key_changes_about_once_per_turnover() -> None:
    live, rng = LiveKeys(100), np.random.default_rng(6)
    live.store(100, rng)
    hottest = []
    for _ in range(2000):
        live.take_victims(1, UNIFORM, rng)
        live.store(1, rng)
        hottest += live.popular(
            1, lambda count, live, rng: np.zeros(1, dtype=np.int64), rng
        ).tolist()

    # 20 turnovers: a newcomer takes the first rank in 1 of 100 stores, and it may be deleted.
    assert 20 <= np.count_nonzero(np.diff(hottest)) <= 100
