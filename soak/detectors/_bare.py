"""What did the target's processes hold before the first record? That is no record's."""

from collections.abc import Mapping

import numpy as np

from soak.seams import Floats

ANONYMOUS = ("anonymous_bytes", "anonymous_counted_bytes")


def bare(columns: Mapping[str, Floats], column: str, above: float | None) -> float:
    """Bytes held without any record: as told, else as measured, else none."""
    if above is not None or column not in ANONYMOUS or "bare_bytes" not in columns:
        return above or 0.0
    measured = columns["bare_bytes"][~np.isnan(columns["bare_bytes"])]
    return float(measured[-1]) if measured.size else 0.0
