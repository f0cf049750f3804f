"""How does a worker's snapshot travel? Pickled, histograms as what is counted in them.

A snapshot of ten operations holds 4 MB of counts, most of them zero and few of them large; what is
sent is a twentieth of it or less.
"""

import copyreg
import io
import pickle
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from soak.histogram import SIZE, Histogram
from soak.snapshot import Snapshot


def packed(snapshot: Snapshot) -> bytes:
    """The snapshot as bytes; nobody may fold results into it meanwhile."""
    content = io.BytesIO()
    pickler = pickle.Pickler(content, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, Histogram: _sparse}
    pickler.dump(snapshot)
    return content.getvalue()


def unpacked(content: bytes) -> Snapshot:
    """What was packed by a worker of this run, which is trusted like the code that it runs."""
    snapshot = pickle.loads(content)
    assert isinstance(snapshot, Snapshot)
    return snapshot


def _sparse(histogram: Histogram) -> tuple[Callable[..., Histogram], tuple[object, ...]]:
    index = np.flatnonzero(histogram.counts)
    counts = histogram.counts[index]
    small = np.min_scalar_type(int(counts.max(initial=0)))
    where = index.astype(np.min_scalar_type(SIZE))
    return _dense, (where, counts.astype(small), histogram.sum_ns, histogram.max_ns)


def _dense(
    index: NDArray[np.integer], counts: NDArray[np.integer], sum_ns: int, max_ns: int
) -> Histogram:
    histogram = Histogram()
    histogram.counts[index] = counts
    histogram.sum_ns, histogram.max_ns = sum_ns, max_ns
    return histogram
