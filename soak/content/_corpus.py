"""What do memories say when each row of a matrix, and its sentence, stands for many of them?

The row of a key is chosen by a hash, so keys beyond the number of rows share vectors with others:
such records are equally right answers, and their texts differ by the tag.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from soak.oracle.keyhash import mixed
from soak.oracle.wording import Wording
from soak.seams import Floats, Vector

# Both are primes, so all rows take their turn whatever their number.
KEY_STRIDE = 0x9E37_79B1
VERSION_STRIDE = 0x85EB_CA77


class Corpus:
    """vectors: shape (rows, dimensions), float32, any length above zero; it may be mapped.

    A query is a row's vector with some of another row's mixed in: it stays among real vectors,
    where added noise would leave them.
    """

    def __init__(
        self, vectors: NDArray[np.float32], wording: Wording, query_noise_ratio: float
    ) -> None:
        self.dimensions = vectors.shape[1]
        self._vectors = vectors
        self._wording = wording
        self._query_noise_ratio = query_noise_ratio
        squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
        self._scale = (1.0 / np.sqrt(squares)).astype(np.float32)

    def text(self, key: int, version: int) -> str:
        return self._wording.text(key, version, self._row(key, version))

    def vector(self, key: int, version: int) -> Vector:
        return self._unit(self._row(key, version))

    def query(self, key: int, version: int, variant: int) -> Vector:
        row = self._row(key, version)
        other = (row + 1 + mixed(variant) % max(1, len(self._scale) - 1)) % len(self._scale)
        near = self._unit(row) + self._query_noise_ratio * self._unit(other)
        square = float(near @ near)
        if square == 0:  # two opposite rows, mixed one to one
            return self._unit(row)
        near *= 1.0 / sqrt(square)
        return near

    def scores(self, query: Vector, keys: NDArray[np.int64], versions: NDArray[np.int64]) -> Floats:
        of_rows = np.asarray(self._vectors @ query, dtype=np.float64) * self._scale
        scores: Floats = of_rows[(keys * KEY_STRIDE + versions * VERSION_STRIDE) % len(self._scale)]
        return scores

    def _row(self, key: int, version: int) -> int:
        return (key * KEY_STRIDE + version * VERSION_STRIDE) % len(self._scale)

    def _unit(self, row: int) -> Vector:
        unit: Vector = self._vectors[row] * self._scale[row]
        return unit
