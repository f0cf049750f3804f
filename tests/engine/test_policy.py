from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import Memory, Options
from tests.engine.scene import DIMENSIONS, SMALL, HandClock, clustered, memory, open_small


def tiers(store: engine.Engine) -> tuple[float, float, float]:
    stats = store.stats()
    return tuple(stats[f"tier_{name}_count"] for name in ("short", "intermediate", "long"))


def test_records_move_down_by_number_bytes_and_age(tmp_path: Path) -> None:
    clock = HandClock()
    options = replace(SMALL, short_term_records=100, intermediate_bytes=4_096)
    with engine.open(tmp_path, options, clock) as store:
        store.store_batch([memory(i, text=f"{i} " * 30) for i in range(200)])
        assert (200, 0, 0) == tiers(store)

        store.maintain()
        short, intermediate, long = tiers(store)
        assert (72, 200) == (short, short + intermediate + long)

        clock.elapsed_s += 120
        store.maintain()
        short, intermediate, long = tiers(store)
        assert 0 == short
        assert 100 < intermediate < 199
        assert 4_096 == store.stats()["accounted_intermediate_bytes"]
        assert {f"{i} " * 30 for i in range(200)} == {store.text(i) for i in range(200)}
        assert f"{7} " * 30 == store.get(7).text


def test_writers_cannot_outrun_the_limit_of_short_term_by_more_than_its_size(
    tmp_path: Path,
) -> None:
    with engine.open(tmp_path, replace(SMALL, short_term_records=50), HandClock()) as store:
        store.store_batch([memory(i) for i in range(400)])

        short, _, long = tiers(store)

        assert 84 <= short <= 100
        assert 400 == short + long


def test_an_update_leaves_a_record_as_often_and_as_lately_read_as_it_was(tmp_path: Path) -> None:
    clock = HandClock()
    options = replace(SMALL, capacity_records=100, half_life_s=3_600.0)
    with engine.open(tmp_path, options, clock) as store:
        store.store_batch([memory(i) for i in range(96)])
        clock.sleep(36_000.0)
        for _ in range(20):
            store.get(7)
        store.update(7, text="said anew", importance=0.4)
        store.maintain()
        left = set(store.scan(200))

        assert len(left) < 96
        assert 7 in left


def test_a_forced_transition_moves_the_share_worth_least(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        store.store_batch([memory(i, importance=i / 100) for i in range(100)])

        assert 30 == store.transition("short", 0.3)
        assert 15 == store.transition(engine.Tier.INTERMEDIATE, 0.5)

        assert (70, 15, 15) == tiers(store)
        found = store.search(memory(3).vector, 100, tier="long")
        assert set(range(15)) == {hit.id for hit in found}
        assert all(store.get(i).text == f"memory {i}" for i in range(100))
        with pytest.raises(engine.BadInputError, match="last tier"):
            store.transition("long", 0.5)
        with pytest.raises(engine.BadInputError, match="share"):
            store.transition("short", 1.5)


def test_old_records_expire_and_pinned_ones_do_not(tmp_path: Path) -> None:
    clock = HandClock()
    with engine.open(tmp_path, replace(SMALL, ttl_s=100.0), clock) as store:
        store.store_batch([memory(i, pinned=i < 5) for i in range(50)])
        clock.elapsed_s += 60
        store.store(memory(99))
        clock.elapsed_s += 60

        assert store.get(20) is None
        assert {0, 1, 2, 3, 4, 99} == {hit.id for hit in store.search(memory(1).vector, 50)}
        store.maintain()

        assert 6 == store.count()
        assert 45 == next(e.records for e in store.events() if e.kind == "expire")


def test_an_agent_cannot_hold_more_than_its_share(tmp_path: Path) -> None:
    with engine.open(tmp_path, replace(SMALL, agent_records=20), HandClock()) as store:
        store.store_batch([memory(i, agent=1, importance=i / 100) for i in range(50)])
        store.store_batch([memory(i, agent=2) for i in range(50, 60)])

        assert set(range(30, 60)) == set(store.scan(100))


def test_what_is_read_is_kept_before_what_is_not(tmp_path: Path) -> None:
    clock = HandClock()
    with engine.open(tmp_path, replace(SMALL, half_life_s=3600.0), clock) as store:
        store.store_batch([memory(i) for i in range(460)])
        clock.elapsed_s += 2 * 3600
        for i in range(100):
            store.get(i)

        store.maintain()

        kept = set(store.scan(1000))
        assert kept.issuperset(range(100))
        assert 450 == len(kept)


def test_reinforcement_survives_reopening(tmp_path: Path) -> None:
    clock = HandClock()
    options = replace(SMALL, half_life_s=3600.0)
    with engine.open(tmp_path, options, clock) as store:
        store.store_batch([memory(i) for i in range(460)])
        clock.elapsed_s += 2 * 3600
        for i in range(100):
            store.get(i)
    with engine.open(tmp_path, options, clock) as store:
        store.maintain()
        assert set(store.scan(1000)).issuperset(range(100))


@pytest.mark.parametrize("jump_s", [-3600.0, 30 * 86_400.0], ids=["back an hour", "on a month"])
def test_a_wall_clock_that_jumps_changes_nothing_while_running(
    tmp_path: Path, jump_s: float
) -> None:
    clock = HandClock()
    with engine.open(tmp_path, replace(SMALL, ttl_s=86_400.0), clock) as store:
        store.store_batch([memory(i) for i in range(400)])
        store.delete(3)

        clock.wall_s += jump_s
        store.store(memory(400))
        store.maintain()

        assert 400 == store.count()
        assert store.get(3) is None
        assert 0 <= store.get(400).created_s - store.get(1).created_s < 60


def test_time_does_not_run_backwards_across_a_reopen(tmp_path: Path) -> None:
    clock = HandClock()
    with engine.open(tmp_path, SMALL, clock) as store:
        store.store(memory(1))
    clock.wall_s -= 3600
    with engine.open(tmp_path, SMALL, clock) as store:
        store.store(memory(2))
        assert store.get(2).created_s >= store.get(1).created_s


def test_near_duplicates_of_one_agent_become_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((10, DIMENSIONS)).astype(np.float32)
    options = replace(SMALL, consolidate_similarity=0.98)
    with engine.open(tmp_path, options, HandClock()) as store:
        for i in range(40):
            noise = 0.01 * rng.standard_normal(DIMENSIONS).astype(np.float32)
            store.store(
                Memory(
                    id=i,
                    agent=i // 20,
                    text=f"{i}",
                    vector=centres[i % 10] + noise,
                    importance=0.9 if i % 20 == 13 else 0.1 + i / 1000,
                )
            )
        store.link(3, 5, "next")
        store.link(8, 3, "next")

        store.maintain()

        assert 20 == store.count()
        assert 20 == store.stats()["records_consolidated_count"]
        survivor = store.search(centres[3], 1, agent=0)[0]
        assert (13, pytest.approx(0.9)) == (survivor.id, survivor.importance)
        fives = {hit.id for hit in store.search(centres[5], 1, agent=0)}
        assert fives == {edge.target for edge in store.neighbours(13)}
        assert 13 in [e.target for i in store.scan(50) for e in store.neighbours(i)]


def test_the_probe_widens_the_sketch_when_it_misses(tmp_path: Path) -> None:
    """Isotropic vectors are the sketch's worst case; the full scan is immune."""
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((40_000, 64)).astype(np.float32)
    clock = HandClock()
    with engine.open(tmp_path, Options(dimensions=64, maintenance=False), clock) as store:
        store.store_batch([Memory(id=i, agent=0, text="", vector=v) for i, v in enumerate(vectors)])
        units = vectors / np.linalg.norm(vectors, axis=1)[:, None]

        def recall() -> float:
            found = 0
            for query in rng.standard_normal((20, 64)).astype(np.float32):
                truth = set(np.argsort(-(units @ query))[:10].tolist())
                found += len(truth & {hit.id for hit in store.search(query)})
            return found / 200

        first = recall()
        for _ in range(8):
            recall()
            clock.elapsed_s += 11
            store.maintain()

        assert first < 0.9
        assert recall() > 0.97


def test_the_sketch_finds_what_brute_force_finds_in_clustered_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    vectors = clustered(rng, 40_000, 128, clusters=500)
    options = Options(dimensions=128, durability="never", maintenance=False)
    with engine.open(tmp_path, options) as store:
        store.store_batch([Memory(id=i, agent=0, text="", vector=v) for i, v in enumerate(vectors)])
        units = vectors / np.linalg.norm(vectors, axis=1)[:, None]
        found = 0
        for query in vectors[:50] + 0.1 * rng.standard_normal((50, 128)).astype(np.float32):
            truth = set(np.argsort(-(units @ query))[:10].tolist())
            found += len(truth & {hit.id for hit in store.search(query)})

    assert found >= 490


def test_health_names_the_part_that_is_to_blame(tmp_path: Path) -> None:
    with open_small(tmp_path) as store:
        assert 1.0 == store.health().score

        store.store_batch([memory(i, pinned=True) for i in range(500)])

        health = store.health()
        assert pytest.approx(0.5) == health.components["capacity"]
        assert {1.0} == {v for k, v in health.components.items() if k != "capacity"}
        assert pytest.approx(0.5 * 0.5 + 0.5 * 6.5 / 7) == health.score
