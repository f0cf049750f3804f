"""What do all systems store, look for and forget? The same records, in the same order, for each.

Vectors lie in one file that is mapped, so that no measured process holds them as private memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

AGENTS = 100
QUERIES = 200
BATCH = 100
TEXT_BYTES = 430
STEPS_PER_TURNOVER = 20
# Ids above those of load and churn, for measuring stores; forgotten again afterwards.
SPARE = 8_000
_CLUSTERS = 2_000
_CHUNK = 50_000
_SEED = 20_240_607

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """records: the constant live set; turnovers: how often all of it is replaced by churn."""

    records: int
    dimensions: int
    turnovers: int

    @property
    def total(self) -> int:
        return self.records * (1 + self.turnovers) + SPARE

    def directory(self, root: Path) -> Path:
        return root / f"work-{self.records}-{self.dimensions}-{self.turnovers}"


class Workload:
    """Records by id, 0 .. plan.total, and queries. Raises FileNotFoundError unless prepared."""

    def __init__(self, plan: Plan, root: Path) -> None:
        directory = plan.directory(root)
        self.plan = plan
        self.vectors: Floats = np.load(directory / "vectors.npy", mmap_mode="r")
        self.queries: Floats = np.load(directory / "queries.npy")
        self.agents: NDArray[np.int64] = np.load(directory / "agents.npy", mmap_mode="r")
        self._words = (directory / "words.txt").read_text()

    def text(self, record_id: int) -> str:
        start = record_id * 7_919 % (len(self._words) - TEXT_BYTES)
        return self._words[start : start + TEXT_BYTES]

    def batch(self, ids: Ids) -> tuple[list[int], Floats, list[str], list[int]]:
        """(ids, vectors of shape (n, d), texts, agents), as `add` of a store takes them."""
        listed = ids.tolist()
        texts = [self.text(record_id) for record_id in listed]
        return listed, np.array(self.vectors[ids]), texts, self.agents[ids].tolist()

    def spare(self, first: int, count: int) -> Ids:
        """Ids that neither load nor churn use; first counts from 0."""
        start = self.plan.total - SPARE + first
        assert start + count <= self.plan.total
        return np.arange(start, start + count)


def churn(plan: Plan) -> Iterator[tuple[Ids, Ids, Ids]]:
    """Steps of 5 % of the live set: (ids to delete, ids to add, ids live after that)."""
    rng = np.random.default_rng(_SEED + 1)
    live = np.arange(plan.records)
    size = plan.records // STEPS_PER_TURNOVER
    for step in range(plan.turnovers * STEPS_PER_TURNOVER):
        places = rng.choice(len(live), size, replace=False)
        victims = live[places]
        fresh = np.arange(plan.records + step * size, plan.records + (step + 1) * size)
        live = live.copy()
        live[places] = fresh
        yield victims, fresh, live


def half(live: Ids) -> tuple[Ids, Ids]:
    """A random half to delete, and the rest."""
    order = np.random.default_rng(_SEED + 2).permutation(len(live))
    middle = len(live) // 2
    return live[order[:middle]], live[order[middle:]]


def prepare(plan: Plan, root: Path) -> None:
    """Write the files once; the same plan gives the same bytes."""
    directory = plan.directory(root)
    if (directory / "words.txt").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(_SEED)
    draw = _Clusters(plan.dimensions, rng)
    shape = (plan.total, plan.dimensions)
    vectors = np.lib.format.open_memmap(
        directory / "vectors.npy", mode="w+", dtype=np.float32, shape=shape
    )
    for first in range(0, plan.total, _CHUNK):
        vectors[first : first + _CHUNK] = draw(min(_CHUNK, plan.total - first), rng)
    vectors.flush()
    np.save(directory / "queries.npy", draw(QUERIES, rng))
    np.save(directory / "agents.npy", rng.integers(0, AGENTS, plan.total))
    # Last, since it says that all is there.
    (directory / "words.txt").write_text(_words(rng))


class _Clusters:
    """Unit vectors around Dirichlet-weighted centres, power-law spectrum, mean not zero.

    The spread makes the tenth neighbour about as near as in sentence embeddings: cosine 0.6 to 0.8.
    """

    def __init__(self, dimensions: int, rng: np.random.Generator) -> None:
        self._weights = rng.dirichlet(np.ones(_CLUSTERS))
        spectrum = (1 + np.arange(dimensions)) ** -0.35
        rotation = np.linalg.qr(rng.standard_normal((dimensions, dimensions)))[0]
        self._mix = (spectrum[:, None] * rotation).astype(np.float32)
        self._centres = rng.standard_normal((_CLUSTERS, dimensions), dtype=np.float32)
        mean = rng.standard_normal(dimensions)
        self._mean = (0.3 * np.linalg.norm(spectrum) * mean / np.linalg.norm(mean)).astype("f4")

    def __call__(self, count: int, rng: np.random.Generator) -> Floats:
        chosen = rng.choice(_CLUSTERS, count, p=self._weights)
        raw = rng.standard_normal((count, self._mix.shape[0]), dtype=np.float32)
        raw *= np.float32(0.55)
        raw += self._centres[chosen]
        vectors = raw @ self._mix
        vectors += self._mean
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def _words(rng: np.random.Generator) -> str:
    """About a million characters of made-up words, as compressible as plain prose."""
    letters = np.array(list("etaoinshrdlucmfwygpbvk"))
    lengths = rng.integers(2, 10, 3_000)
    vocabulary = ["".join(letters[rng.zipf(1.5, n) % len(letters)]) for n in lengths]
    chosen = np.minimum(rng.zipf(1.2, 160_000), len(vocabulary)) - 1
    return " ".join(vocabulary[i] for i in chosen)
