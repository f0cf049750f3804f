"""What was a figure over the last so many seconds, at every moment? Windows that slide.

A window ends at a row and is as long as asked, the first ones up to 5 % shorter; one that begins
before what is judged, or has a time in it that is not judged, is nan.
"""

import math

import numpy as np

from soak.seams import Evidence, Floats

# Known in every row that there is: rows without it are no time that is judged.
CLOCKWORK = "operations_total"
# The first sample comes after the beginning and the last one before the end, so a phase that is as
# long as the window has none that is whole.
SHORTER_ROWS, SHORTER_SHARE = 2, 0.05


def judged(evidence: Evidence) -> Evidence:
    """The rows after warm-up."""
    kept = evidence.columns["t_s"] >= evidence.warm_until_s
    columns = {name: column[kept] for name, column in evidence.columns.items()}
    return Evidence(
        columns=columns,
        totals=evidence.totals,
        warm_until_s=evidence.warm_until_s,
        planned_s=evidence.planned_s,
    )


def risen(evidence: Evidence, name: str, window_s: float) -> Floats:
    """How much a counter rose in the window before each row, shape (n,)."""
    t_s, counter = evidence.columns["t_s"], evidence.columns[name]
    known = np.isfinite(counter)
    if not known.any():
        return np.full(t_s.size, math.nan)
    before = np.interp(t_s - window_s, t_s[known], counter[known])
    return _whole(evidence, window_s, counter - before)


def mean(evidence: Evidence, name: str, window_s: float) -> Floats:
    """The mean of the figures in the window before each row, shape (n,); nan where there is none.

    The first figure is left out: what stands in a row is of the time since the last one.
    """
    t_s, values = evidence.columns["t_s"], evidence.columns[name]
    known = np.isfinite(values)
    known[: int(np.argmax(known)) + 1] = False
    total = np.concatenate(([0.0], np.cumsum(np.where(known, values, 0.0))))
    number = np.concatenate(([0], np.cumsum(known)))
    begins = np.searchsorted(t_s, t_s - window_s, side="right")
    ends = np.arange(1, t_s.size + 1)
    seen = number[ends] - number[begins]
    means = (total[ends] - total[begins]) / np.where(seen, seen, math.nan)
    return _whole(evidence, window_s, means)


def span_s(evidence: Evidence) -> float:
    """From the first row to the last."""
    t_s = evidence.columns["t_s"]
    return float(t_s[-1] - t_s[0]) if t_s.size else 0.0


def spacing_s(evidence: Evidence) -> float:
    """How far rows stand apart; the longer the run, the farther."""
    t_s = evidence.columns["t_s"]
    return float(np.median(np.diff(t_s))) if t_s.size > 1 else 0.0


def has_room(evidence: Evidence, window_s: float) -> bool:
    """Whether there is a window as long as that."""
    return span_s(evidence) >= window_s - _shorter_s(evidence, window_s)


def _shorter_s(evidence: Evidence, window_s: float) -> float:
    return min(SHORTER_ROWS * spacing_s(evidence), SHORTER_SHARE * window_s)


def _whole(evidence: Evidence, window_s: float, figures: Floats) -> Floats:
    """The figures of windows that lie within what is judged; nan for the others."""
    t_s = evidence.columns["t_s"]
    begins_s = t_s - window_s
    unjudged = np.isnan(evidence.columns.get(CLOCKWORK, t_s))
    number = np.concatenate(([0], np.cumsum(unjudged)))
    first = np.searchsorted(t_s, begins_s, side="left")
    spoilt = number[np.arange(1, t_s.size + 1)] > number[first]
    early = begins_s < t_s[:1] - _shorter_s(evidence, window_s)
    return np.where(spoilt | early, math.nan, figures)
