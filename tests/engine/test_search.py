"""Search finds the nearest, however alike records are, in few dimensions and beside expiry."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import engine
from engine import Memory, Options
from engine.quantise import quantise, unit_halves
from tests.engine.scene import HandClock

Vectors = NDArray[np.float32]
RECORDS, QUERIES = 3_000, 20


def units(vectors: NDArray[np.float64]) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def alike(cosine: float, dimensions: int, count: int) -> Vectors:
    """Unit vectors whose cosine with each other is about that."""
    rng = np.random.default_rng(3)
    centre = units(rng.standard_normal((1, dimensions)))
    spread = (1 / cosine - 1) ** 0.5
    return units(centre + spread * units(rng.standard_normal((count, dimensions))))


def isotropic(dimensions: int, count: int) -> Vectors:
    return units(np.random.default_rng(4).standard_normal((count, dimensions)))


def open_with(
    directory: Path, vectors: Vectors, *, ttl_s: float | None = None, clock: HandClock | None = None
) -> engine.Engine:
    options = Options(
        dimensions=vectors.shape[1], durability="never", maintenance=False, ttl_s=ttl_s
    )
    store = engine.open(directory, options, clock or HandClock())
    ready = [Memory(id=i, agent=0, text="", vector=v) for i, v in enumerate(vectors)]
    for first in range(0, len(ready), 250):
        store.store_batch(ready[first : first + 250])
    return store


def recall(store: engine.Engine, vectors: Vectors, queries: Vectors, k: int) -> float:
    found = 0
    for query in queries:
        truth = np.argsort(-(vectors @ query))[:k]
        found += len({hit.id for hit in store.search(query, k)} & set(truth.tolist()))
    return found / (k * len(queries))


@pytest.mark.parametrize("k", [10, 64])
@pytest.mark.parametrize("cosine", [0.989, 0.956, 0.91])
def test_near_duplicates_are_told_apart(tmp_path: Path, cosine: float, k: int) -> None:
    vectors = alike(cosine, 128, RECORDS + QUERIES)
    with open_with(tmp_path, vectors[:RECORDS]) as store:
        assert recall(store, vectors[:RECORDS], vectors[RECORDS:], k) >= 0.97


@pytest.mark.parametrize("dimensions", [2, 3, 8])
def test_few_dimensions_are_enough(tmp_path: Path, dimensions: int) -> None:
    vectors = isotropic(dimensions, RECORDS + QUERIES)
    with open_with(tmp_path, vectors[:RECORDS]) as store:
        assert recall(store, vectors[:RECORDS], vectors[RECORDS:], 10) >= 0.95


@pytest.mark.parametrize("dimensions", [2, 64])
def test_scores_are_cosines_and_a_record_has_one_with_itself(
    tmp_path: Path, dimensions: int
) -> None:
    vectors = isotropic(dimensions, 300)
    with open_with(tmp_path, vectors) as store:
        for record_id, vector in enumerate(vectors):
            hits = store.search(vector, 300)
            scores = {hit.id: hit.score for hit in hits}
            assert max(scores.values()) <= 1.0
            assert scores[record_id] == max(scores.values())
            assert scores[record_id] == pytest.approx(1.0, abs=1e-6)
            exact = vectors @ vector
            assert max(abs(exact[i] - score) for i, score in scores.items()) < 2e-3


def test_a_row_has_a_cosine_of_one_with_its_own_vector() -> None:
    halves = unit_halves(isotropic(384, 50))
    rows = quantise(halves)
    wide = halves.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    along = np.einsum("ij,ij->i", rows.levels * rows.scales[:, None].astype(np.float64), wide)
    assert along == pytest.approx(np.ones(50), abs=1e-6)


def test_what_has_expired_is_not_found_though_it_is_nearest(tmp_path: Path) -> None:
    vectors, clock = alike(0.9, 32, 500), HandClock()
    with open_with(tmp_path, vectors, ttl_s=1_000.0, clock=clock) as store:
        query = vectors[7]
        store.store(Memory(id=900, agent=0, text="", vector=query, created_s=clock.now_s() - 999.0))
        assert 900 in {hit.id for hit in store.search(query)}
        clock.sleep(2.0)
        hits = store.search(query)
        assert 7 == hits[0].id
        assert 10 == len(hits)
        assert 900 not in {hit.id for hit in hits}
