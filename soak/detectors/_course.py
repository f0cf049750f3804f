"""How did a figure go, higher always being worse, and what besides the target may have moved it?

Latencies and rates are compared by their logarithm, so that a change is a share of what was
before; shares (recall, errors) as they are. Beside them stand the covariates, which a change must
not be explained by: the tester's own work on the same machine (`control_s`), how long the target's
threads waited for a processor beside how long they had one, live records, tombstones per record,
and the rate that was asked for.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soak.detectors._stretch import unspoilt
from soak.result import OPERATIONS
from soak.seams import Evidence, Floats

CONTROL = "control_s"
WAITED, RAN = "cpu_wait_s", "cpu_s"
RECALL, ERRORS, THROUGHPUT = "recall", "error_ratio", "achieved_per_s"
LATENCIES = tuple(
    f"{operation}_{measure}{quantile}_s"
    for operation in OPERATIONS
    for measure in ("", "service_")
    for quantile in ("p50", "p99")
)
SERIES = (*LATENCIES, THROUGHPUT, RECALL, ERRORS)
# What no process of the target takes with it when it goes.
QUALITIES = (RECALL, ERRORS)
# Of a finding: what a machine can spoil, and what it cannot.
SPEED, QUALITY = "speed", "quality"
# A covariate that hardly moves explains nothing.
VARIES = 0.005
COLLINEAR = 0.995
# How far from its median the control may be, in logarithms and in medians of that, to be usual.
USUAL, USUAL_SPREADS = 0.05, 3.0
MOSTLY = 0.6
# Operations over which errors are counted before their share is a figure.
COUNTED = 50.0

Scale = Literal["ratio", "share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One figure per window: t_s and y of shape (n,), covariates by name, each (n,).

    y: logarithm or share, by scale; higher is worse. sign: -1 where a fall is worse.
    """

    t_s: Floats
    y: Floats
    covariates: Mapping[str, Floats]
    scale: Scale
    sign: float

    def until(self, at_s: float) -> "Course":
        return self.where(self.t_s <= at_s)

    def where(self, chosen: NDArray[np.bool_]) -> "Course":
        """The chosen windows alone."""
        return Course(
            t_s=self.t_s[chosen],
            y=self.y[chosen],
            covariates={name: column[chosen] for name, column in self.covariates.items()},
            scale=self.scale,
            sign=self.sign,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The same in blocks of equally many windows.

    edges_s (k + 1,), y (k,), covariates (k, p), the first column constant.
    """

    edges_s: Floats
    y: Floats
    covariates: Floats


def measured_of(series: str) -> str | None:
    """The operation without which there is no such figure; None where any will do."""
    if series not in LATENCIES:
        return "search" if series == RECALL else None
    stem, _, _ = series.removesuffix("_s").rpartition("_")
    return stem.removesuffix("_service")


def course_of(evidence: Evidence, series: str) -> Course | None:
    """The figure after warm-up, window by window; None where it was not measured.

    Windows that tell of a gap or a standstill, too, are left out.
    """
    columns = evidence.columns
    t_s = columns.get("t_s", np.empty(0))
    values = _values(columns, series)
    if values is None or not t_s.size:
        return None
    scale: Scale = "share" if series in QUALITIES else "ratio"
    sign = -1.0 if series in (RECALL, THROUGHPUT) else 1.0
    values = unspoilt(evidence, values)
    known = np.isfinite(values) & (t_s > evidence.warm_until_s)
    if scale == "ratio":
        known &= values > 0
    at = np.flatnonzero(known)
    y = values[at] if scale == "share" else np.log(values[at])
    return Course(
        t_s=t_s[at],
        y=sign * y,
        covariates=_covariates(columns, at, series),
        scale=scale,
        sign=sign,
    )


def calm(course: Course) -> Course:
    """Without the windows in which the machine was far from its usual, unless that is most of them.

    What is done beside a busy neighbour takes longer than the control tells, more or less.
    """
    control = course.covariates.get("control")
    if control is None or not control.size:
        return course
    away = np.abs(control - np.median(control))
    usual = away <= max(USUAL, USUAL_SPREADS * float(np.median(away)))
    return course.where(usual) if usual.mean() >= MOSTLY else course


def cut(course: Course, blocks: int) -> Cut:
    """So many blocks of equally many windows, at least one each."""
    at = np.linspace(0, course.t_s.size, blocks + 1).astype(np.int64)
    ends = np.append(course.t_s[at[:-1]], course.t_s[-1])
    of_block = np.mean if course.scale == "share" else np.median
    kept = [np.ones(blocks)]
    for column in course.covariates.values():
        figures = np.array([np.median(column[i:j]) for i, j in pairwise(at)])
        if _is_new(figures, kept):
            kept.append(figures - figures.mean())
    return Cut(
        edges_s=ends,
        y=np.array([of_block(course.y[i:j]) for i, j in pairwise(at)]),
        covariates=np.column_stack(kept),
    )


def _values(columns: Mapping[str, Floats], series: str) -> Floats | None:
    if series == ERRORS:
        return _error_ratio(columns)
    values = columns.get(series)
    offered = columns.get("offered_per_s")
    if series == THROUGHPUT and values is not None and offered is not None:
        # Of what was asked for, where something was: arrivals that slow down are no fault.
        asked: Floats = np.where(np.isfinite(offered) & (offered > 0), offered, 1.0)
        return values / asked
    return values


def _error_ratio(columns: Mapping[str, Floats]) -> Floats | None:
    """Failed operations among those since the last figure, one figure per COUNTED operations."""
    done, failed = columns.get("operations_total"), columns.get("errors_total")
    if done is None or failed is None:
        return None
    ratio = np.full(done.size, math.nan)
    last = 0
    for row in range(1, done.size):
        more = done[row] - done[last]
        if more >= COUNTED:
            ratio[row] = max(0.0, failed[row] - failed[last]) / more
            last = row
    return ratio


def _covariates(columns: Mapping[str, Floats], at: np.ndarray, series: str) -> dict[str, Floats]:
    """Medians of what was seen since the window before; those that are nowhere missing."""
    found: dict[str, Floats] = {}
    live = columns.get("live_records")
    wanted = {} if series in QUALITIES else {"control": columns.get(CONTROL)}
    wanted |= {"records": live}
    if live is not None and "tombstones" in columns:
        wanted["dead"] = 1 + columns["tombstones"] / np.maximum(live, 1.0)
    if series != THROUGHPUT:
        wanted["asked"] = columns.get("offered_per_s")
    if at.size < 2:
        return found
    begins = np.concatenate([[max(0, 2 * at[0] - at[1] + 1)], at[:-1] + 1])
    for name, column in wanted.items():
        if column is None:
            continue
        figures = _medians(column, begins, at + 1)
        if np.isfinite(figures).all() and (figures > 0).all():
            found[name] = np.log(figures)
    if series not in QUALITIES and {WAITED, RAN} <= columns.keys():
        found["waited"] = _waited(columns[WAITED], columns[RAN], begins, at)
    return found


def _waited(waited_s: Floats, ran_s: Floats, begins: np.ndarray, ends: np.ndarray) -> Floats:
    """By how much longer work took than the processor time it got, as a logarithm per stretch.

    A target that does more for the same answer waits more and runs more: this stays as it is.
    """
    before = np.maximum(begins - 1, 0)
    ran, waited = ran_s[ends] - ran_s[before], waited_s[ends] - waited_s[before]
    known = np.isfinite(ran) & np.isfinite(waited) & (ran > 0) & (waited >= 0)
    slower: Floats = np.log1p(np.where(known, waited, 0.0) / np.where(known, ran, 1.0))
    return slower


def _medians(column: Floats, begins: np.ndarray, ends: np.ndarray) -> Floats:
    """Of what is known in each stretch; one that knows nothing takes the last or first known."""
    figures = np.full(begins.size, math.nan)
    known = column[np.isfinite(column)]
    last = float(known[0]) if known.size else math.nan
    for row, (i, j) in enumerate(zip(begins, ends, strict=True)):
        part = column[i:j]
        part = part[np.isfinite(part)]
        last = float(np.median(part)) if part.size else last
        figures[row] = last
    return figures


def _is_new(figures: Floats, kept: list[Floats]) -> bool:
    """Whether it varies, and not as one that is there already does."""
    spread = figures - figures.mean()
    if spread.std() < VARIES:
        return False
    alike = (
        abs(float(spread @ other)) / math.sqrt(float(spread @ spread) * float(other @ other))
        for other in kept[1:]
    )
    return all(likeness < COLLINEAR for likeness in alike)
