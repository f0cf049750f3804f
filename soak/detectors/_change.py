"""Did it change for good, when, and by how much? Evidence for steps and drifts, and their time.

Evidence: soak/detectors/_trend.py with two families of shapes, a step at any block and a drift
that begins at several moments; the mean of both counts, which is evidence again. Time of a step:
every window is tried; with errors that last from window to window as much as those that are left
(AR(1)), the likelihood of a step there, over the sum of all, is how likely it began there.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from soak.detectors._course import Course, Cut, Scale
from soak.detectors._trend import Trend, find_trend, log_mean
from soak.seams import Floats

# Steps need blocks on both sides; onsets of drifts as a share of what comes after the baseline.
LEAST_AFTER, LEAST_AFTER_RATIO = 4, 0.1
STEPS = 36
ONSETS = (0.0, 0.25, 0.5, 0.7)
# How sure the time is said to be.
COVERED = 0.95
# A change point's likelihood is narrower than its truth where noise is not quite AR(1).
FLATTER = 0.5
MOST_PHI = 0.95
# What disturbs the target and not the control is mostly over after this long; what stays is a
# change. With hours instead every step would pass for one of those.
FORGOTTEN_S = 400.0

# A step in mid-run of so many standard errors is evidence of a hundred: sqrt(2 log 100), and the
# prior's share.
SEEN_ERRORS = 4.5

Kind = Literal["step", "drift"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one look found. gain and error in y's unit; rises 0 to 1 per block, shape (k,).

    adjusted: y per block without what the covariates explain.
    """

    kind: Kind
    log_evidence: float
    gain: float
    error: float
    rises: Floats
    onset: int
    adjusted: Floats
    weights: Floats
    onsets: Floats

    def typical_onset(self, share: float) -> int:
        """The block before which the change began with that probability."""
        order = np.argsort(self.onsets, kind="stable")
        reached = np.cumsum(self.weights[order])
        at = min(int(np.searchsorted(reached, share * reached[-1])), order.size - 1)
        return int(self.onsets[order[at]])


def detectable(change: Change, scale: Scale) -> float:
    """The smallest step in mid-run that would have been evidence enough, about."""
    left = change.adjusted - change.gain * change.rises
    left = left - left.mean()
    square = float(left @ left)
    lasting = max(0.0, float(left[1:] @ left[:-1]) / square) if square > 0 else 0.0
    worth = left.size * (1 - lasting) / (1 + lasting)
    step = SEEN_ERRORS * 2 * math.sqrt(square / left.size / max(1.0, worth))
    return math.expm1(step) if scale == "ratio" else step


def find_change(blocks: Cut, baseline: int) -> Change:
    """The evidence that y rose after the first `baseline` blocks and stayed there."""
    number = blocks.y.size
    steps, step_onsets = _steps(number, baseline)
    drifts, drift_onsets = _drifts(number, baseline)
    found = [
        ("step", steps, step_onsets, _trend(blocks, steps)),
        ("drift", drifts, drift_onsets, _trend(blocks, drifts)),
    ]
    together = log_mean(np.array([trend.log_evidence for *_, trend in found]))
    kind, shapes, onsets, trend = max(found, key=lambda one: one[3].log_evidence)
    best = trend.best_shape
    return Change(
        kind="step" if kind == "step" else "drift",
        log_evidence=together,
        gain=trend.gain,
        error=trend.speed_error,
        rises=shapes[:, best],
        onset=int(onsets[best]),
        adjusted=trend.adjusted,
        weights=trend.weights,
        onsets=onsets,
    )


def since(course: Course, blocks: Cut, change: Change) -> tuple[float, float, float]:
    """When it began, and from when to when that may have been, in seconds since the start."""
    if change.kind == "drift":
        edges = [change.typical_onset(share) for share in (0.5, (1 - COVERED) / 2, COVERED)]
        middle, low, high = (float(blocks.edges_s[edge]) for edge in edges)
        return middle, min(low, middle), max(high, middle)
    left = _without_covariates(course, blocks, change)
    likely = _likelihoods(left)
    order = np.cumsum(likely)
    best = int(np.argmax(likely))
    low, high = (int(np.searchsorted(order, edge)) for edge in ((1 - COVERED) / 2, COVERED))
    last = course.t_s.size - 1
    # A window's figures stand at its end: the change came while it was open, or just before.
    return (
        float(course.t_s[max(0, best - 1)]),
        float(course.t_s[max(0, min(low, best) - 2)]),
        float(course.t_s[min(last, max(high, best))]),
    )


def _trend(blocks: Cut, shapes: Floats) -> Trend:
    block_s = float(blocks.edges_s[-1] - blocks.edges_s[0]) / blocks.y.size
    phi_most = math.exp(-block_s / FORGOTTEN_S)
    return find_trend(blocks.y, blocks.covariates, shapes, np.ones(shapes.shape[1]), phi_most)


def _steps(number: int, baseline: int) -> tuple[Floats, Floats]:
    last = number - max(LEAST_AFTER, round(LEAST_AFTER_RATIO * number))
    onsets = np.unique(np.linspace(baseline, max(baseline, last), STEPS).astype(np.int64))
    rows = np.arange(number)[:, None]
    return (rows >= onsets).astype(np.float64), onsets.astype(np.float64)


def _drifts(number: int, baseline: int) -> tuple[Floats, Floats]:
    """From the very start, and from moments after the baseline."""
    later = [baseline + onset * (number - baseline) for onset in ONSETS]
    onsets = np.array([0.0, *later])
    rows = np.arange(number)[:, None]
    shapes: Floats = np.maximum(rows - onsets, 0.0) / (number - 1 - onsets)
    return shapes, np.floor(onsets)


def _without_covariates(course: Course, blocks: Cut, change: Change) -> Floats:
    """y window by window, less what the covariates explain in the blocks' joint fit."""
    names = list(course.covariates)
    columns = [np.ones(course.t_s.size)]
    for name in names:
        column = course.covariates[name]
        columns.append(column - column.mean())
    step = (course.t_s > blocks.edges_s[change.onset]).astype(np.float64)
    both = np.column_stack([*columns, step])
    coefficients = np.linalg.lstsq(both, course.y, rcond=None)[0]
    left: Floats = course.y - both[:, 1:-1] @ coefficients[1:-1]
    return left


def _likelihoods(y: Floats) -> Floats:
    """How likely a step begins at each window, sum 1; the first and last few cannot tell."""
    n = y.size
    rough = y - _two_levels(y)
    square = float(rough @ rough)
    phi = float(rough[1:] @ rough[:-1]) / square if square > 0 else 0.0
    phi = min(MOST_PHI, max(0.0, phi))
    white = y[1:] - phi * y[:-1]
    white = white - white.mean()
    rest = 1 - phi
    after = np.arange(n - 2, -1, -1, dtype=np.float64)  # windows that come after the step's first
    sums = np.cumsum(white[::-1])[::-1]
    ahead = np.append(sums[1:], 0.0)
    shape_square = 1 + rest**2 * after - (1 + rest * after) ** 2 / (n - 1)
    product = white + rest * ahead
    gained = np.where(product > 0, product**2 / np.maximum(shape_square, 1e-9), 0.0)
    total = float(white @ white) or 1.0
    logs = -FLATTER * (n - 2) / 2 * np.log(np.maximum(1 - gained / total, 1e-12))
    logs[:2] = logs[-2:] = logs.min()
    likely: Floats = np.exp(logs - logs.max())
    return np.concatenate([[0.0], likely / likely.sum()])


def _two_levels(y: Floats) -> Floats:
    """The best fit by one step, by least squares; means before and after."""
    n = y.size
    before = np.cumsum(y)[:-1]
    k = np.arange(1, n)
    mean = y.mean()
    gained = (before - k * mean) ** 2 * n / (k * (n - k))
    at = int(np.argmax(gained)) + 1
    fitted = np.empty(n)
    fitted[:at], fitted[at:] = y[:at].mean(), y[at:].mean()
    return fitted
