"""Was the end worse than the beginning? Five minutes first, last and worst, of each operation."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from soak.report.journal import WindowRows
from soak.seams import Floats

STRETCH_S = 300.0
# A run shorter than three stretches is cut in three, so that first and last stay apart.
LEAST_PARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One operation over some windows. p50_s, p99_s: means over the windows, weighted by count,
    since quantiles of a whole cannot be had from its parts; max_s is exact. bad_ratio: wrong,
    failed or timed out."""

    start_s: float
    end_s: float
    rate_per_s: float
    p50_s: float
    p99_s: float
    max_s: float
    bad_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """worst: the stretch with the highest p99; the same measure for all three."""

    operation: str
    first: Stretch
    last: Stretch
    worst: Stretch


def compare(rows: WindowRows, operation: str, from_s: float) -> Comparison | None:
    """The operation after from_s (warm-up); None when there are fewer than three windows of it."""
    mine = rows.of(operation)
    measured = mine["start_s"] >= from_s
    windows = {name: values[measured] for name, values in mine.items()}
    if len(windows["count"]) < LEAST_PARTS:
        return None
    length_s = stretch_length_s(windows["start_s"], windows["end_s"])
    begin_s, end_s = float(windows["start_s"][0]), float(windows["end_s"][-1])
    number = np.floor((windows["start_s"] - begin_s) / length_s).astype(np.int64)
    begins = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    # Slices, since a mask of the whole for each of thousands would take time as its square.
    parts = [_stretch(windows, slice(*ends)) for ends in pairwise([*begins, len(number)])]
    return Comparison(
        operation=operation,
        first=_stretch(windows, windows["start_s"] < begin_s + length_s),
        last=_stretch(windows, windows["end_s"] > end_s - length_s),
        worst=max(parts, key=lambda part: part.p99_s if part.p99_s == part.p99_s else -1.0),
    )


def stretch_length_s(start_s: Floats, end_s: Floats) -> float:
    """Five minutes, or a third of what was measured."""
    return min(STRETCH_S, float(end_s[-1] - start_s[0]) / LEAST_PARTS)


def _stretch(windows: dict[str, Floats], chosen: np.ndarray | slice) -> Stretch:
    mine = {name: values[chosen] for name, values in windows.items()}
    length_s = float((mine["end_s"] - mine["start_s"]).sum())
    count = float(mine["count"].sum())
    bad = float(sum(mine[name].sum() for name in ("wrong", "error", "timeout")))
    return Stretch(
        start_s=float(mine["start_s"][0]),
        end_s=float(mine["end_s"][-1]),
        rate_per_s=count / length_s if length_s else float("nan"),
        p50_s=_mean(mine["latency_p50_s"], mine["count"]),
        p99_s=_mean(mine["latency_p99_s"], mine["count"]),
        max_s=float(np.max(mine["latency_max_s"], initial=0.0)),
        bad_ratio=bad / count if count else float("nan"),
    )


def _mean(values: Floats, weights: Floats) -> float:
    known = np.isfinite(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else float("nan")
