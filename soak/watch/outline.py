"""What is the shape of a run so far, in a few hundred points? For pages and terminals to draw."""

from collections.abc import Iterable, Mapping

import numpy as np

from soak.seams import Floats

MAX_POINTS = 300
# Of these the highest of a stretch is kept, for a spike must not be averaged away.
PEAKS = ("_p99_s", "_max")


def outline(
    columns: Mapping[str, Floats], names: Iterable[str], max_points: int = MAX_POINTS
) -> dict[str, tuple[float, ...]]:
    """Those columns, cut into at most max_points stretches of equally many rows.

    columns: as `Series.columns` gives them, empty before the first sample. A stretch is the mean
    of what is known in it (latencies of windows stand in one row of ten), its highest for PEAKS,
    its end for t_s; nan where nothing is known. The first stretch may be shorter.
    """
    rows = columns["t_s"].size if "t_s" in columns else 0
    step = max(1, -(-rows // max_points))
    missing = -rows % step
    shown = {}
    for name in names:
        if name in columns:
            padded = np.concatenate((np.full(missing, np.nan), columns[name])).reshape(-1, step)
            is_highest = name == "t_s" or name.endswith(PEAKS)
            values = np.fmax.reduce(padded, axis=1) if is_highest else _means(padded)
            shown[name] = tuple(values.tolist())
    return shown


def _means(stretches: Floats) -> Floats:
    """Of what is known in each row, shape (n, step) to (n,); nan where nothing is."""
    known = ~np.isnan(stretches)
    counts = known.sum(axis=1)
    sums = np.where(known, stretches, 0.0).sum(axis=1)
    means: Floats = np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return means
