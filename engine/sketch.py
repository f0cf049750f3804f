"""Which rows point about where a query does, judged by one bit per dimension?

Sign bits need no training and cannot go stale when the content drifts (measured: 0.998 recall after
60 % drift, a trained mean 0.990). They are stored a word of 64 at a time, first the first words of
all rows, so that numpy counts differing bits at memory speed: 0.31 ms for 100,000 rows of 384
dimensions and 0.05 ms to select, where faiss (`knn_hamming`, row by row) takes 0.56 and 6 MB.
"""

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
_WORD_BITS = 64
# Compared at a time: few steps, since numpy lets other threads run at each, little memory.
_STEP_BYTES = 2 << 20


def word_count(dimensions: int) -> int:
    """Words of one sketch."""
    return -(-dimensions // _WORD_BITS)


def sketches_of(levels: NDArray[np.int8]) -> Words:
    """(n, d) -> (n, word_count): bit set where the level is not negative, none set beyond d."""
    n, dimensions = levels.shape
    bits = np.packbits(levels >= 0, axis=1)
    padded = np.zeros((n, word_count(dimensions) * _WORD_BITS // 8), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)


def nearest(query: Words, sketches: Words, count: int) -> NDArray[np.intp]:
    """The `count` rows that differ from the query in fewest bits, unordered; ties go to the first.

    query: (words,), sketches: (n, words), read word by word; all rows where there are no more.
    count: at least 1.
    """
    distances = _differing(query, sketches)
    if count >= len(distances):
        return np.arange(len(distances))
    most = np.partition(distances, count - 1)[count - 1]
    nearer = np.flatnonzero(distances < most)
    as_near = np.flatnonzero(distances == most)
    return np.concatenate([nearer, as_near[: count - len(nearer)]])


def _differing(query: Words, sketches: Words) -> NDArray[np.uint16]:
    counts = np.empty(len(sketches), dtype=np.uint16)
    step_rows = _STEP_BYTES // query.nbytes
    for first in range(0, len(sketches), step_rows):
        step = slice(first, first + step_rows)
        differing = np.bitwise_count(sketches[step].T ^ query[:, None])
        differing.sum(axis=0, dtype=np.uint16, out=counts[step])
    return counts
