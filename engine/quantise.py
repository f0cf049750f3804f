"""How does a vector become the row that is searched, and how much is lost?

unit vector at half precision -> int8 row with a scale of its own -> one bit per dimension.
Each stage is derived from the one before it as stored, so that a rebuilt row equals the first one.
A fixed int8 scale loses recall on data whose largest component is far from it; one float per row
costs four bytes and is right for every distribution. Sign bits need no training and cannot go
stale when the content drifts (measured: 0.998 recall after 60 % drift, a trained mean 0.990).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadInputError

Floats32 = NDArray[np.float32]


class Rows(NamedTuple):
    """n quantised vectors: levels (n, d) int8, scales (n,) f32, sketches (n, sketch_width) u8."""

    levels: NDArray[np.int8]
    scales: NDArray[np.float32]
    sketches: NDArray[np.uint8]


def sketch_width(dimensions: int) -> int:
    """Bytes of one sketch: whole 64-bit words."""
    return -(-dimensions // 64) * 8


def unit_halves(vectors: Floats32) -> NDArray[np.float16]:
    """Unit length at half precision; vectors: (n, d), finite. BadInputError on a zero row."""
    wide = vectors.astype(np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    if not norms.all():
        raise BadInputError(f"vector {int(np.argmin(norms))} of the call is all zero: no direction")
    halves: NDArray[np.float16] = (wide / norms[:, None]).astype(np.float16)
    return halves


def quantise(halves: NDArray[np.float16]) -> Rows:
    """halves: (n, d) unit vectors as stored."""
    units = halves.astype(np.float32)
    scales = np.abs(units).max(axis=1) / np.float32(127)
    scales[scales == 0] = 1
    levels = np.rint(units / scales[:, None]).astype(np.int8)
    return Rows(levels, scales, sketch(levels))


def sketch(levels: NDArray[np.int8]) -> NDArray[np.uint8]:
    """(n, d) -> (n, sketch_width): bit set where the level is not negative."""
    n, dimensions = levels.shape
    bits = np.packbits(levels >= 0, axis=1)
    width = sketch_width(dimensions)
    if bits.shape[1] == width:
        return bits
    padded = np.zeros((n, width), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded
