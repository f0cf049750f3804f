"""Are evictions and compactions seen from outside, with their size, and is growth left alone?"""

import numpy as np
import pytest

from soak.scorecard.crew import Alone
from soak.scorecard.upkeep import measure
from soak.watch.upkeep import USUAL_S, Seen, Upkeep

MIB = 1 << 20


def seen(rows: list[dict[str, float]]) -> list[Seen]:
    upkeep = Upkeep()
    return [one for row in rows for one in upkeep.take(row)]


def row(t_s: int, *, live: float, stored: float, deleted: float = 0.0, held: float = 100 * MIB):
    return {
        "t_s": float(t_s),
        "live_records": live,
        "stored_total": stored,
        "deleted_total": deleted,
        "accounted_bytes": held,
    }


def test_records_that_go_by_themselves_are_an_eviction_with_its_size():
    rows = [
        row(t, live=5000 + 10 * t - 800 * (t >= 60), stored=5000 + 10 * t) for t in range(1, 100)
    ]

    (found,) = seen(rows)

    assert ("eviction", 60.0, 60.0, 800.0) == (
        found.kind,
        found.start_s,
        found.end_s,
        found.records,
    )


def test_records_that_the_tester_deletes_are_none():
    rows = [
        row(t, live=5000 - 20 * t, stored=5000, deleted=20 * t, held=(100 - t / 5) * MIB)
        for t in range(1, 200)
    ]

    assert [] == seen(rows)


def test_noise_of_memory_is_none_however_much_was_deleted_before():
    noise = np.random.default_rng(5).normal(0.0, 1e-3, 900)
    deleted, live = 1_000_000 + 10 * np.arange(900), 10_000
    rows = [
        row(t, live=live, stored=live + gone, deleted=gone, held=100 * MIB * (1 + wobble))
        for t, (gone, wobble) in enumerate(zip(deleted.tolist(), noise.tolist(), strict=True))
    ]

    assert [] == seen(rows)


def test_memory_that_falls_alone_is_a_compaction():
    rows = [
        row(t, live=5000, stored=5000, held=(100 - 10 * (t >= 60)) * MIB) for t in range(1, 100)
    ]

    (found,) = seen(rows)

    assert ("compaction", 10 * MIB) == (found.kind, found.bytes_reclaimed)
    assert pytest.approx(60, abs=5) == found.end_s


def test_memory_that_falls_with_an_eviction_is_its_effect():
    rows = [
        row(t, live=5000 - 900 * (t >= 60), stored=5000, held=(100 - 15 * (t >= 61)) * MIB)
        for t in range(1, 120)
    ]

    assert ["eviction"] == [one.kind for one in seen(rows)]


def test_a_target_that_tells_nothing_is_watched_by_its_memory():
    rows = [
        {"t_s": float(t), "anonymous_bytes": (100 - 10 * (t >= 60)) * MIB} for t in range(1, 100)
    ]

    assert ["compaction"] == [one.kind for one in seen(rows)]


def full(t: int, per_s: int, since_s: int = 0, **held: float):
    """A store of 20,000 records that forgets per_s, all the time, as much as it is given."""
    gone = per_s * max(0, t - since_s) + 6000 * (t >= 600)
    return row(t, live=20_000 + per_s * t - gone, stored=20_000 + per_s * t, **held)


@pytest.mark.parametrize("per_s", [5, 10, 30])
def test_a_full_store_that_forgets_all_the_time_hides_neither_eviction_nor_compaction(per_s: int):
    rows = [full(t, per_s, held=(100 - 20 * (t >= 300)) * MIB) for t in range(1, 900)]

    compacted, evicted = seen(rows)

    assert ("compaction", 20 * MIB) == (compacted.kind, compacted.bytes_reclaimed)
    assert ("eviction", 600.0, 600.0) == (evicted.kind, evicted.start_s, evicted.end_s)
    assert 6000.0 == evicted.records


def test_a_store_that_begins_to_forget_all_the_time_is_told_once():
    rows = [full(t, 30, since_s=120) for t in range(1, 590)]

    (found,) = seen(rows)

    assert ("eviction", 121.0) == (found.kind, found.start_s)
    assert pytest.approx(USUAL_S / 2, abs=3) == found.end_s - found.start_s


def test_deletions_whose_room_stores_take_hide_no_compaction():
    rows = [
        row(
            t,
            live=20_000,
            stored=20_000 + 15 * t,
            deleted=15 * t,
            held=(100 - 3 * (t >= 300) + 0.05 * (t == 215)) * MIB,
        )
        for t in range(1, 400)
    ]

    assert ["compaction"] == [one.kind for one in seen(rows)]


@pytest.mark.parametrize("seed", range(8))
def test_a_fall_of_noisy_memory_starts_when_it_falls(seed: int):
    noise = np.random.default_rng(seed).normal(0.0, 1e-3, 400)
    rows = [
        row(t, live=20_000, stored=20_000, held=(100 * (1 + noise[t]) - 10 * (t >= 300)) * MIB)
        for t in range(1, 400)
    ]

    (found,) = seen(rows)

    assert pytest.approx(300.0, abs=1) == found.start_s
    assert pytest.approx(300.0, abs=4) == found.end_s


def test_simulated_maintenance_is_found_and_hardly_anything_else():
    rows = measure(3, 1, Alone())
    figures = {(r.figure, r.case.split(",")[0]): r.value for r in rows if "full" not in r.case}
    full_store = {r.figure: r.value for r in rows if "full" in r.case}

    assert figures["precision", "used heap"] >= 0.9
    assert figures["recall of 2 % and more", "used heap"] >= 0.9
    assert figures["recall of 2 % and more", "private memory"] >= 0.8
    assert figures["start off by", "used heap"] <= 2.0
    assert full_store["precision"] >= 0.9
    assert full_store["recall of 2 % and more"] >= 0.9
