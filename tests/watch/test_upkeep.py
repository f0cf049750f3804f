"""Are evictions and compactions seen from outside, with their size, and is growth left alone?"""

import numpy as np
import pytest

from soak.scorecard.crew import Alone
from soak.scorecard.upkeep import measure
from soak.watch.upkeep import Seen, Upkeep

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


def test_simulated_maintenance_is_found_and_hardly_anything_else():
    figures = {(r.figure, r.case.split(",")[0]): r.value for r in measure(3, 1, Alone())}

    assert figures["precision", "used heap"] >= 0.9
    assert figures["recall of 2 % and more", "used heap"] >= 0.9
    assert figures["recall of 2 % and more", "private memory"] >= 0.8
