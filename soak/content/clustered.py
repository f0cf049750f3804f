"""Clustered unit vectors with the geometry of real embeddings, and texts of everyday words.

A pool of rows is drawn once in a latent space: clusters of Dirichlet-distributed size, a power-law
spectrum, a mean away from zero. A fixed orthonormal matrix carries the rows into the full
dimensions without changing a cosine, so exact answers are computed in the latent space.

There is no isotropic noise on offer, on purpose: in 384 dimensions all its points are equally far
from each other, and a search over it measures the generator instead of the target.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from soak.oracle.wording import Wording, check_sizes, everyday_sentences
from soak.scenario.quantities import Size
from soak.seams import Floats, Vector

MAX_ROWS_LOG2 = 18
MEMBERS_PER_CLUSTER = 50
QUERY_VARIANTS = 1024
# Odd, so that any 2**n keys in a row fall on 2**n different rows.
KEY_STRIDE = 0x9E37_79B1
VERSION_STRIDE = 0x85EB_CA6B


class Params(BaseModel):
    """latent_dimensions is the true dimensionality of the vectors; real ones have 20 to 60."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    dimensions: int = Field(384, ge=2, le=4096)
    latent_dimensions: int = Field(32, ge=2, le=512)
    spectrum_exponent: float = Field(0.5, ge=0, le=3)
    mean_ratio: float = Field(0.6, ge=0, le=10)
    within_ratio: float = Field(0.7, gt=0, le=10)
    query_noise_ratio: float = Field(0.35, ge=0, le=10)
    text_bytes: Size = 300
    text_bytes_max: Size | None = None

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        check_sizes(self.text_bytes, self.text_bytes_max or self.text_bytes)
        return self


class Clustered:
    """Memory: 4 bytes x latent dimensions x rows, at most 2**18 rows (34 MB), for the whole run."""

    def __init__(self, params: Params, seed: int, keys: int) -> None:
        latent_dimensions = min(params.latent_dimensions, params.dimensions)
        rows = 1 << min(MAX_ROWS_LOG2, max(10, (keys - 1).bit_length()))
        rng = np.random.default_rng([seed, rows, latent_dimensions])
        self.dimensions = params.dimensions
        self._mask = rows - 1
        self._latent = _latent_rows(params, rows, latent_dimensions, rng)
        square = rng.standard_normal((params.dimensions, latent_dimensions))
        self._basis = np.ascontiguousarray(np.linalg.qr(square).Q.T, dtype=np.float32)
        noise = _unit(rng.standard_normal((QUERY_VARIANTS, latent_dimensions)))
        self._noise = (noise * params.query_noise_ratio).astype(np.float32)
        self._wording = Wording(
            everyday_sentences(rng),
            params.text_bytes,
            params.text_bytes_max or params.text_bytes,
            rng,
        )

    def text(self, key: int, version: int) -> str:
        return self._wording.text(key, version, key * KEY_STRIDE + version * VERSION_STRIDE)

    def vector(self, key: int, version: int) -> Vector:
        latent: Vector = self._latent[self._row(key, version)]
        vector: Vector = latent @ self._basis
        return vector

    def query(self, key: int, version: int, variant: int) -> Vector:
        near = self._latent[self._row(key, version)] + self._noise[variant & (QUERY_VARIANTS - 1)]
        near *= 1.0 / float(np.sqrt(near @ near))
        query: Vector = near @ self._basis
        return query

    def scores(self, query: Vector, keys: NDArray[np.int64], versions: NDArray[np.int64]) -> Floats:
        of_rows = np.asarray(self._latent @ (self._basis @ query), dtype=np.float64)
        rows = (keys * KEY_STRIDE + versions * VERSION_STRIDE) & self._mask
        scores: Floats = of_rows[rows]
        return scores

    def _row(self, key: int, version: int) -> int:
        return (key * KEY_STRIDE + version * VERSION_STRIDE) & self._mask


def build(params: object, seed: int, keys: int) -> Clustered:
    assert isinstance(params, Params)
    return Clustered(params, seed, keys)


def _latent_rows(
    params: Params, rows: int, latent_dimensions: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Unit rows, shape (rows, latent_dimensions); a cluster's rows are scattered over the pool."""
    spectrum = np.arange(1, latent_dimensions + 1) ** -params.spectrum_exponent
    spectrum /= np.sqrt(np.sum(spectrum**2))
    clusters = max(2, rows // MEMBERS_PER_CLUSTER)
    centres = rng.standard_normal((clusters, latent_dimensions)) * spectrum
    mean = rng.standard_normal(latent_dimensions)
    centres += params.mean_ratio * mean / np.linalg.norm(mean)
    sizes = rng.dirichlet(np.ones(clusters))
    cluster_of = rng.choice(clusters, size=rows, p=sizes)
    latent = rng.standard_normal((rows, latent_dimensions)) * spectrum
    latent *= params.within_ratio
    latent += centres[cluster_of]
    return _unit(latent).astype(np.float32)


def _unit(rows: Floats) -> Floats:
    lengths: Floats = np.sqrt(np.sum(rows**2, axis=1, keepdims=True))
    return np.divide(rows, lengths)
