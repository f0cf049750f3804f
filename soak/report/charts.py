"""What stands in one figure? Lines, bands and marks over time, before anything is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from soak.report.thinning import MAX_POINTS, cut_gaps, thin
from soak.seams import Floats

Unit = Literal["s", "bytes", "ratio", "1/s", "count"]
Width = Literal["wide", "half"]

# Points this much further apart than usual are not joined: nothing is known of the time between.
GAP_RATIO = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One curve. tone: its colour in soak/report/palette.py; t, y: shape (n,), nan is a gap."""

    label: str
    tone: str
    t: Floats
    y: Floats
    is_dashed: bool = False
    is_second: bool = False  # on the right-hand axis
    is_filled: bool = False  # the area below it, for what is counted per window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bands:
    """Stretches of time, shape (n,) each. height: share of the panel from the bottom, 1 is all."""

    label: str
    tone: str
    start_s: Floats
    end_s: Floats
    height: float = 1.0
    opacity: float = 0.14


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One moment that a reader should know of."""

    at_s: float
    label: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A check's limit, drawn across."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Curves over the time of the run, or over its records: then the lines' t, the marks and end_s
    count these. name: of its file; caption: what is seen, in words."""

    name: str
    title: str
    caption: str
    lines: tuple[Line, ...]
    end_s: float
    unit: Unit
    second_unit: Unit = "count"
    second_label: str = ""
    is_logarithmic: bool = False
    starts_at_zero: bool = False
    width: Width = "wide"
    along: Literal["time", "records"] = "time"
    bands: tuple[Bands, ...] = ()
    marks: tuple[Mark, ...] = ()
    has_mark_labels: bool = False
    bounds: tuple[Bound, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lane:
    """All that one kind of event did, one row of the timeline."""

    label: str
    tone: str
    start_s: Floats
    end_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What happened when: phases above, below them a lane per kind of event."""

    name: str
    title: str
    caption: str
    end_s: float
    phases: tuple[tuple[str, float, float], ...]
    lanes: tuple[Lane, ...]


def line(
    label: str,
    tone: str,
    t: Floats,
    y: Floats,
    *,
    max_points: int = MAX_POINTS,
    is_dashed: bool = False,
    is_second: bool = False,
    is_filled: bool = False,
) -> Line:
    """A curve thinned for drawing, broken where points are missing for long."""
    spacing_s = float(np.median(np.diff(t))) if len(t) > 2 else float("inf")
    # Gaps are looked for first: thinned points are unevenly spaced by design.
    drawn_t, drawn_y = thin(*cut_gaps(t, y, max(1.0, spacing_s) * GAP_RATIO), max_points)
    return Line(
        label=label,
        tone=tone,
        t=drawn_t,
        y=drawn_y,
        is_dashed=is_dashed,
        is_second=is_second,
        is_filled=is_filled,
    )


def has_figures(lines: Sequence[Line]) -> bool:
    return any(bool(np.isfinite(curve.y).any()) for curve in lines)


def joined(start_s: Floats, end_s: Floats, gap_s: float) -> tuple[Floats, Floats]:
    """Stretches, ascending by start, with those closer than gap_s made one.

    A run has thousands of short maintenance runs; on paper most fall onto the same dot.
    """
    if not len(start_s):
        return start_s, end_s
    reach_s = np.maximum.accumulate(end_s)
    begins = np.concatenate(([True], start_s[1:] > reach_s[:-1] + gap_s))
    last_of_group = np.append(np.flatnonzero(begins)[1:] - 1, len(start_s) - 1)
    return start_s[begins], reach_s[last_of_group]
