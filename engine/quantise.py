"""How does a vector become the row that is searched, and how much is lost?

unit vector at half precision -> int8 row with a scale of its own -> one bit per dimension.
Each stage is derived from the one before it as stored, so that a rebuilt row equals the first one.
A fixed int8 scale loses recall on data whose largest component is far from it; one float per row
costs four bytes and is right for every distribution. Sign bits need no training and cannot go
stale when the content drifts (measured: 0.998 recall after 60 % drift, a trained mean 0.990).
"""

from typing import NamedTuple

import numkong
import numpy as np
from numpy.typing import NDArray

from engine.errors import BadInputError

Floats32 = NDArray[np.float32]
# Lengths whose squares single precision holds to seven digits.
_SAFE_MIN, _SAFE_MAX = 1e-12, 1e12


class Rows(NamedTuple):
    """n quantised vectors: levels (n, d) int8, scales (n,) f32, sketches (n, sketch_width) u8."""

    levels: NDArray[np.int8]
    scales: NDArray[np.float32]
    sketches: NDArray[np.uint8]


def sketch_width(dimensions: int) -> int:
    """Bytes of one sketch: whole 64-bit words."""
    return -(-dimensions // 64) * 8


def halved(singles: Floats32) -> NDArray[np.float16]:
    """f32 -> f16, ties to even, as numpy does at seventeen times the cost (66 against 4 us)."""
    return np.asarray(numkong.astype(np.ascontiguousarray(singles), "float16"))


def widened(halves: NDArray[np.float16]) -> Floats32:
    """f16 -> f32, exactly."""
    return np.asarray(numkong.astype(np.ascontiguousarray(halves), "float32"))


def unit_halves(vectors: Floats32) -> NDArray[np.float16]:
    """Unit length at half precision; vectors: (n, d). BadInputError on a row that has no direction:
    all zero, NaN or infinity in it."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    if not ((norms > _SAFE_MIN) & (norms < _SAFE_MAX)).all():
        return _wide_halves(vectors)
    return halved(vectors / norms[:, None])


def _wide_halves(vectors: Floats32) -> NDArray[np.float16]:
    """The same where single precision would overflow or vanish."""
    wide = vectors.astype(np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    is_bad = ~((norms > 0) & np.isfinite(norms))
    if is_bad.any():
        raise BadInputError(f"vector {int(np.argmax(is_bad))} of the call has no direction")
    return halved((wide / norms[:, None]).astype(np.float32))


def quantise(halves: NDArray[np.float16]) -> Rows:
    """halves: (n, d) unit vectors as stored; one that is damaged becomes a row of zeros."""
    units = widened(halves)
    scales = np.abs(units).max(axis=1) / np.float32(127)
    if not np.isfinite(scales).all():
        units[~np.isfinite(scales)] = scales[~np.isfinite(scales)] = 0
    scales[scales == 0] = 1
    units /= scales[:, None]
    levels = np.rint(units, out=units).astype(np.int8)
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
